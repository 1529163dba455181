"""An expression of other holdings: those of one time or one state, taken out of a longer vector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.model.epigraph import Epigraph
from allocator.model.expressions import Expression, Linear

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["Mapped"]


@dataclass(frozen=True, eq=False)
class Mapped(Expression):
    """f(M x).

    Parameters
    ----------
    inner : Expression
        f over k holdings.
    mapping : csr_array (k, n)
        M.
    """

    inner: Expression
    mapping: sparse.csr_array

    def value(self, holdings: Vector) -> Vector:
        return self.inner.value(np.asarray(self.mapping @ holdings))

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return self.inner.convex(self.mapping @ variable, scale)

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        return sparse.csr_array(self.inner.gradient(np.asarray(self.mapping @ holdings)) @ self.mapping)

    def affine(self) -> Linear | None:
        linear = self.inner.affine()
        return None if linear is None else Linear(sparse.csr_array(linear.matrix @ self.mapping), linear.constant)

    def epigraph(self, sign: float) -> Epigraph | None:
        found = self.inner.epigraph(sign)
        if found is None:
            return None
        direct = np.asarray(self.mapping.T @ found.direct)
        return replace(found, direct=direct, inputs=sparse.csr_array(found.inputs @ self.mapping))
