"""A weighted sum of expressions: an objective used as one side of a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.model.epigraph import Epigraph
from allocator.model.expressions import Expression, Linear

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["Combination"]


@dataclass(frozen=True, eq=False)
class Combination(Expression):
    """Σ weightⱼ · partⱼ(x).

    Parameters
    ----------
    parts : tuple of (float, Expression)
        Weights and expressions of equal row count.
    """

    parts: tuple[tuple[float, Expression], ...]

    def value(self, holdings: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(sum(weight * part.value(holdings) for weight, part in self.parts))

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return sum(weight * part.convex(variable, scale) for weight, part in self.parts)

    def gradient(self, holdings: NDArray[np.float64]) -> sparse.csr_array:
        return sparse.csr_array(sum(weight * part.gradient(holdings) for weight, part in self.parts))

    def affine(self) -> Linear | None:
        parts = [(weight, part.affine()) for weight, part in self.parts]
        scaled = []
        for weight, linear in parts:
            if linear is None:
                return None
            scaled.append((weight * linear.matrix, weight * linear.constant))
        matrix, constant = scaled[0]
        for further, shift in scaled[1:]:
            matrix, constant = matrix + further, constant + shift
        return Linear(sparse.csr_array(matrix), constant)

    def epigraph(self, sign: float) -> Epigraph | None:
        total: Epigraph | None = None
        for weight, part in self.parts:
            linear = part.affine()
            if linear is not None:
                direct = sign * weight * linear.matrix.toarray().ravel()
                found: Epigraph | None = Epigraph.linear(direct, sign * weight * float(linear.constant[0]))
            else:
                curved = part.epigraph(float(np.sign(sign * weight)))
                found = None if curved is None else curved.scaled(abs(weight))
            if found is None:
                return None
            total = found if total is None else total.plus(found)
        return total
