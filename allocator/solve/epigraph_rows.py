"""Epigraphs as rows and columns of a cone program: minimize ½z′Pz + q′z under A z + s = b, s in a product of cones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.model.epigraph import Epigraph
from allocator.solve.program import Block, Cone

__all__ = ["EpigraphRows"]

Vector = NDArray[np.float64]


class EpigraphRows:
    """Collects functions of the holdings, whose columns stand first, in units of ``scale`` CNY.

    Parameters
    ----------
    size : int
        Rows of the decision space, n.
    scale : float
        CNY per unit of money the solver sees.
    """

    def __init__(self, size: int, scale: float) -> None:
        self.size, self.scale, self.width, self.constant = size, scale, size, 0.0
        self._linear = [np.zeros(size)]
        self._squares = [np.zeros(size)]
        self._rows: list[tuple[sparse.csr_array, Vector, Block]] = []

    def minimize(self, function: Epigraph) -> None:
        """Add the function to the objective."""
        columns, price, square = self._columns(function)
        self._linear[0] += function.direct * self.scale
        self._linear[columns] += price
        self._squares[columns] += square
        self.constant += function.constant

    def bound(self, function: Epigraph, way: float) -> int:
        """Add a column t with function ≤ ``way`` × t; return its number."""
        columns, price, square = self._columns(function)
        column = self.width
        self._add(np.zeros(1), np.zeros(1))
        # s = way t − ℓ′x − p′u − c, as a row of minus its coefficients
        row = np.zeros(self.width)
        row[: self.size] = function.direct * self.scale
        start = self._start(columns)
        row[start : start + len(price)] = price
        row[column] = -way
        curved = np.flatnonzero(square)
        if not len(curved):
            self._add_rows(row[None, :], np.array([-function.constant]), Cone.NONNEGATIVE)
            return column
        # Σ q u² ≤ s  ⇔  ‖(s − 1, 2 √q u)‖ ≤ s + 1
        spread = np.zeros((len(curved), self.width))
        spread[np.arange(len(curved)), start + curved] = -2.0 * np.sqrt(square[curved])
        right = np.concatenate([[1.0 - function.constant, -1.0 - function.constant], np.zeros(len(curved))])
        self._add_rows(np.vstack([row, row, spread]), right, Cone.SECOND_ORDER)
        return column

    def arrays(self) -> tuple[sparse.csc_array, Vector, sparse.csc_array, Vector, list[Block]]:
        """Return P, q, A, b and the cones."""
        quadratic = sparse.csc_array(sparse.diags_array(2.0 * np.concatenate(self._squares)))
        matrix = sparse.csc_array(
            sparse.vstack([_widened(part, self.width) for part, _, _ in self._rows])
            if self._rows
            else sparse.csr_array((0, self.width))
        )
        right = np.concatenate([side for _, side, _ in self._rows]) if self._rows else np.zeros(0)
        return quadratic, np.concatenate(self._linear), matrix, right, [block for _, _, block in self._rows]

    def _columns(self, function: Epigraph) -> tuple[int, Vector, Vector]:
        """Add the function's own columns and rows; return their place in the lists, price and square."""
        unit = np.where(function.money, self.scale, 1.0)
        count, start = len(unit), self.width
        place = self._add(np.zeros(count), np.zeros(count))
        inputs, outputs = function.inputs * self.scale, function.outputs @ sparse.diags_array(unit)
        between = sparse.csr_array((inputs.shape[0], start - self.size))
        matrix = sparse.csr_array(sparse.hstack([inputs, between, outputs]))
        largest = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-300) if matrix.shape[0] else np.zeros(0)
        if matrix.shape[0]:
            self._add_rows(sparse.diags_array(1.0 / largest) @ matrix, function.right / largest, Cone.ZERO)
        positive = np.flatnonzero(function.positive)
        if len(positive):
            floor = sparse.csr_array(
                (-np.ones(len(positive)), (np.arange(len(positive)), start + positive)),
                shape=(len(positive), self.width),
            )
            self._add_rows(floor, np.zeros(len(positive)), Cone.NONNEGATIVE)
        return place, function.price * unit, function.square * unit**2

    def _start(self, place: int) -> int:
        return sum(len(part) for part in self._linear[:place])

    def _add(self, linear: Vector, square: Vector) -> int:
        self._linear.append(linear)
        self._squares.append(square)
        self.width += len(linear)
        return len(self._linear) - 1

    def _add_rows(self, matrix: sparse.csr_array | Vector, right: Vector, cone: Cone) -> None:
        self._rows.append((sparse.csr_array(matrix), right, Block(cone, len(right))))


def _widened(part: sparse.csr_array, columns: int) -> sparse.csr_array:
    return sparse.csr_array((part.data, part.indices, part.indptr), shape=(part.shape[0], columns))
