"""A convex function as a small linear and quadratic program, so that common curves need no canonicalisation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector

__all__ = ["Epigraph"]


@dataclass(frozen=True, eq=False)
class Epigraph:
    """f(x) = ℓ′x + c + the least of p′u + Σ qⱼ uⱼ² over u in ``cones`` with X x + U u = h, uⱼ ≥ 0 where ``positive``.

    Parameters
    ----------
    direct : ndarray (n,)
        ℓ, per unit of money.
    constant : float
        c.
    inputs, outputs : csr_array (e, n) and (e, k)
        X, per unit of money, and U.
    right : ndarray (e,)
        h.
    price, square : ndarray (k,)
        p and q ≥ 0.
    positive, money : ndarray of bool (k,)
        Columns that cannot be negative, and columns in currency units (a solver takes those in its own unit of money).
    cones : tuple of ndarray of int
        Columns of each second-order cone: the first is at least the length of the others, all in one unit.
    """

    direct: Vector
    constant: float
    inputs: sparse.csr_array
    outputs: sparse.csr_array
    right: Vector
    price: Vector
    square: Vector
    positive: NDArray[np.bool_]
    money: NDArray[np.bool_]
    cones: tuple[NDArray[np.int64], ...] = ()

    @classmethod
    def linear(cls, direct: Vector, constant: float) -> Epigraph:
        """Return a function without columns of its own.

        Parameters
        ----------
        direct : ndarray (n,)
            Slope per unit of money of each holding.
        constant : float
            Value at no holdings.
        """
        none, no = np.zeros(0), np.zeros(0, dtype=bool)
        rows = sparse.csr_array((0, len(direct)))
        return cls(direct, constant, rows, sparse.csr_array((0, 0)), none, none, none, no, no)

    def scaled(self, weight: float) -> Epigraph:
        """Return ``weight`` ≥ 0 times the function."""
        return replace(
            self,
            direct=weight * self.direct,
            constant=weight * self.constant,
            price=weight * self.price,
            square=weight * self.square,
        )

    def plus(self, other: Epigraph) -> Epigraph:
        """Return the sum of both."""
        return Epigraph(
            self.direct + other.direct,
            self.constant + other.constant,
            sparse.csr_array(sparse.vstack([self.inputs, other.inputs])),
            sparse.csr_array(sparse.block_diag([self.outputs, other.outputs])),
            np.concatenate([self.right, other.right]),
            np.concatenate([self.price, other.price]),
            np.concatenate([self.square, other.square]),
            np.concatenate([self.positive, other.positive]),
            np.concatenate([self.money, other.money]),
            (*self.cones, *(columns + len(self.price) for columns in other.cones)),
        )

    def widened(self, extra: int) -> Epigraph:
        """Return the same function of holdings with ``extra`` further rows that it does not see."""
        empty = sparse.csr_array((self.inputs.shape[0], extra))
        return replace(
            self,
            direct=np.append(self.direct, np.zeros(extra)),
            inputs=sparse.csr_array(sparse.hstack([self.inputs, empty])),
        )
