"""The nodes of a capital tree: what each is worth, and how fast it moves with its children.

A node knows only the values of its children, never the holdings: holdings enter at the leaves, which
are rows of one sparse matrix (see `allocator.capital.tree`). Six kinds of node are enough for a standard formula
and for the Solvency II standard formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.types import Text

__all__ = ["Absolute", "Aggregate", "Leaf", "Maximum", "Minimum", "Node", "WeightedSum", "correlation_matrix"]


@dataclass(frozen=True, eq=False)
class Node:
    """A risk module.

    Parameters
    ----------
    name : str
        Unique in its tree; the name in ``capital.csv``.
    label : Text
        Title in reports.
    article : str
        Rule and article, e.g. ``"R8 §69"``.
    children : tuple of Node
        Sub-modules, in the order the formula names them.
    shown : bool
        Whether tables print it; auxiliary nodes set it to False.
    """

    name: str
    label: Text
    article: str = ""
    children: tuple[Node, ...] = ()
    shown: bool = True

    def value(self, below: Vector) -> float:
        """Return the amount in currency units, given the children's amounts ``below``.

        Raises
        ------
        TypeError
            For a kind of node that has no value of its own: a leaf, whose amount is a row of the matrix.
        """
        raise TypeError(f"{type(self).__name__} has no value of its own")

    def slopes(self, below: Vector) -> Vector:
        """Return the derivative with respect to each child; at a kink the first active piece counts.

        Raises
        ------
        TypeError
            As for `value`.
        """
        raise TypeError(f"{type(self).__name__} has no slopes of its own")


@dataclass(frozen=True, eq=False)
class Leaf(Node):
    """An affine function of the holdings: one row of the tree's matrix plus a constant.

    Parameters
    ----------
    row : int
        Row of the tree's coefficient matrix.
    charged : str
        Module of the regime's charges that it sums, for those rows of the assets that its row holds; empty where
        that is its own name.
    given : str
        Dotted key of the fund file that its constant comes from; empty where it has none.
    """

    row: int = -1
    charged: str = ""
    given: str = ""


@dataclass(frozen=True, eq=False)
class WeightedSum(Node):
    """Σ wᵢ·childᵢ. A size factor or control risk is a sum with one child."""

    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.weights) != len(self.children):
            raise ValueError(f"{self.name}: {len(self.children)} children, {len(self.weights)} weights")

    def value(self, below: Vector) -> float:
        return float(np.dot(self.weights, below))

    def slopes(self, below: Vector) -> Vector:
        return np.asarray(self.weights, dtype=float)


@dataclass(frozen=True, eq=False)
class Maximum(Node):
    """max(child₁, child₂, …): rate risk is the largest of up, down and zero."""

    def value(self, below: Vector) -> float:
        return float(np.max(below))

    def slopes(self, below: Vector) -> Vector:
        slopes = np.zeros(len(below))
        slopes[int(np.argmax(below))] = 1.0
        return slopes


@dataclass(frozen=True, eq=False)
class Minimum(Node):
    """min(child₁, child₂, …): loss absorption is the smallest of its pieces and its cap."""

    def value(self, below: Vector) -> float:
        return float(np.min(below))

    def slopes(self, below: Vector) -> Vector:
        slopes = np.zeros(len(below))
        slopes[int(np.argmin(below))] = 1.0
        return slopes


@dataclass(frozen=True, eq=False)
class Absolute(Node):
    """|child|: an open currency position. At zero the slope is +1."""

    def value(self, below: Vector) -> float:
        return abs(float(below[0]))

    def slopes(self, below: Vector) -> Vector:
        return np.array([-1.0 if below[0] < 0 else 1.0])


@dataclass(frozen=True, eq=False)
class Aggregate(Node):
    """sqrt(v′Rv): modules added with correlations.

    Parameters
    ----------
    correlations : tuple of ndarray, each (children, children)
        One symmetric positive semidefinite matrix with unit diagonal; or one per piece of ``selector``.
    selector : int or None
        Index of a child that is a `Maximum`: its first largest piece picks the matrix (Solvency II's
        market module, where the correlation depends on the rate scenario that binds).
    """

    correlations: tuple[NDArray[np.float64], ...] = ()
    selector: int | None = None

    def __post_init__(self) -> None:
        size = len(self.children)
        for matrix in self.correlations:
            if matrix.shape != (size, size) or not np.array_equal(matrix, matrix.T):
                raise ValueError(f"{self.name}: a correlation matrix must be symmetric, {size} × {size}")
            if np.linalg.eigvalsh(matrix)[0] < -1e-12:
                raise ValueError(f"{self.name}: a correlation matrix is not positive semidefinite")
        expected = 1 if self.selector is None else len(self.children[self.selector].children)
        if len(self.correlations) != expected:
            raise ValueError(f"{self.name}: needs {expected} correlation matrices, got {len(self.correlations)}")

    def value(self, below: Vector) -> float:
        return self.value_with(below, self.correlations[0])

    def slopes(self, below: Vector) -> Vector:
        return self.slopes_with(below, self.correlations[0])

    @staticmethod
    def value_with(below: Vector, correlation: NDArray[np.float64]) -> float:
        """Return sqrt(v′Rv) for one matrix.

        Parameters
        ----------
        below : ndarray (children,)
            Amounts of the modules v, money.
        correlation : ndarray (children, children)
            R.
        """
        return float(np.sqrt(max(float(below @ correlation @ below), 0.0)))

    @staticmethod
    def slopes_with(below: Vector, correlation: NDArray[np.float64]) -> Vector:
        """Return Rv / sqrt(v′Rv); zero where the aggregate itself is zero.

        Parameters
        ----------
        below : ndarray (children,)
            Amounts of the modules v, money.
        correlation : ndarray (children, children)
            R.
        """
        total = Aggregate.value_with(below, correlation)
        return np.zeros(len(below)) if total == 0.0 else np.asarray(correlation @ below / total)


def correlation_matrix(order: Sequence[str], pairs: dict[tuple[str, str], float]) -> NDArray[Any]:
    """Return the symmetric matrix with unit diagonal that holds ``pairs``; pairs not named are zero.

    Parameters
    ----------
    order : sequence of str
        Names of the modules, one for each row and column.
    pairs : dict of (str, str) to float
        Correlation of two modules, in [−1, 1].

    Raises
    ------
    ValueError
        When a pair names a module that is not in ``order``.
    """
    matrix = np.eye(len(order))
    for (first, second), value in pairs.items():
        i, j = order.index(first), order.index(second)
        matrix[i, j] = matrix[j, i] = value
    return matrix
