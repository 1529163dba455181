"""Whole numbers that a rule needs beside the holdings: whether a name is held, how many lots of it.

Such a rule is a `Term` like any other, its left side a `Discrete` expression with an exact numpy value; only
the solver treats it differently. Nothing of this is convex: rules of this kind enter on request alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.arrays import Vector

__all__ = [
    "Choices",
]


@dataclass(frozen=True, eq=False)
class Choices:
    """Conditions X x + K k ≤ h on holdings x and whole numbers 0 ≤ k ≤ most.

    Every condition looks at one holding at most, so that with k decided it is a bound of that holding.

    Parameters
    ----------
    inputs : csr_array (conditions, n)
        X, at most one entry a row.
    outputs : csr_array (conditions, m)
        K.
    right : ndarray (conditions,)
        h, money where a holding is looked at.
    most : ndarray (m,)
        Greatest values of k.
    """

    inputs: sparse.csr_array
    outputs: sparse.csr_array
    right: Vector
    most: Vector

    def widened(self, extra: int) -> Choices:
        """Return the same choices of holdings with ``extra`` further rows that they do not see."""
        empty = sparse.csr_array((self.inputs.shape[0], extra))
        return replace(self, inputs=sparse.csr_array(sparse.hstack([self.inputs, empty])))

    def narrowed(self, numbers: Vector, lower: Vector, upper: Vector) -> tuple[Vector, Vector]:
        """Return the bounds (n,), inside which the conditions hold for these whole numbers (m,).

        Parameters
        ----------
        numbers : ndarray (m,)
            The whole numbers k.
        lower, upper : ndarray (n,)
            Bounds of the holdings, money.
        """
        lower, upper = lower.copy(), upper.copy()
        room = self.right - self.outputs @ numbers
        row = np.repeat(np.arange(len(room)), np.diff(self.inputs.indptr))
        member, factor = self.inputs.indices, self.inputs.data
        bound = room[row] / factor
        above = factor > 0
        np.minimum.at(upper, member[above], bound[above])
        np.maximum.at(lower, member[~above], bound[~above])
        return lower, upper
