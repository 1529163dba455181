"""From charges to the coefficients of the tree's leaves, laid out once for all holdings that charge the same lines.

The coefficient of leaf ℓ at row i is linear in the charges per CNY f of the lines and of the rates:

    C[ℓ, i] = Σ over lines k at row i of weight[ℓ, module of k] · f[k]

so that where the entries stand and with which weight a line enters them is known before the charges are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.plugin import Vector

__all__ = ["Charged", "LeafLayout"]

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Charged:
    """Where charges fall (arrays of one length): on which module of how many and on which row of how many.

    Parameters
    ----------
    module, row : ndarray of int
        Module and row of each charge.
    modules, rows : int
        How many there are of each.
    pooled : ndarray of bool (rows,)
        Rows whose charges count a second time, in the pool's modules behind the company's.
    """

    module: Places
    row: Places
    modules: int
    rows: int
    pooled: NDArray[np.bool_]

    def counted(self) -> tuple[Places, Places]:
        """Return each charge as often as it counts, by number, and the module it counts in."""
        again = np.flatnonzero(self.pooled[self.row])
        charge = np.concatenate([np.arange(len(self.row)), again])
        return charge, np.concatenate([self.module, self.module[again] + self.modules])


@dataclass(frozen=True, eq=False)
class LeafLayout:
    """Where charges enter the leaves, and with which weight.

    Parameters
    ----------
    columns, starts : ndarray of int
        Rows of the assets of all entries, and where each leaf's begin.
    weights : csr_array (entries, charges)
        With which weight each charge enters each entry.
    rows : int
        Rows of the assets.
    """

    columns: NDArray[np.int32]
    starts: NDArray[np.int32]
    weights: sparse.csr_array
    rows: int

    @classmethod
    def of(cls, charged: Charged, entering: sparse.csc_array) -> LeafLayout:
        """Lay out charges; ``entering`` (leaves, 2 · modules) says how a module enters each leaf."""
        charge, module = charged.counted()
        count = np.diff(entering.indptr)[module]
        charge = np.repeat(charge, count)
        # Within its module's entries, the number of each: what was counted up before it is taken off again.
        number = np.arange(len(charge)) - np.repeat(np.cumsum(count) - count, count)
        at = np.repeat(entering.indptr[module], count) + number
        place = entering.indices[at].astype(np.int64) * charged.rows + charged.row[charge]
        places, entry = np.unique(place, return_inverse=True)
        leaf, column = np.divmod(places, charged.rows)
        starts = np.concatenate([[0], np.cumsum(np.bincount(leaf, minlength=entering.shape[0]))])
        found = (entering.data[at], (entry, charge))
        weights = sparse.csr_array(sparse.coo_array(found, shape=(len(places), len(charged.row))))
        return cls(column.astype(np.int32), starts.astype(np.int32), weights, charged.rows)

    def at(self, charges: Vector) -> sparse.csr_array:
        """Return the coefficients (leaves, rows) of these charges per CNY."""
        entries = (np.asarray(self.weights @ charges), self.columns, self.starts)
        return sparse.csr_array(entries, shape=(len(self.starts) - 1, self.rows))
