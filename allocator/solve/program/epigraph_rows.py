"""Epigraphs as rows and columns of a cone program: minimize ½z′Pz + q′z under A z + s = b, s in a product of cones.

Functions share what they can. A trade x − r = u₊ − u₋ is split once, whoever charges for it; a square of a
single holding stands in P itself. Few columns of its own for each holding are what keeps a large program small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.model.epigraph import Epigraph
from allocator.solve.program.builder import stacked, widened_rows
from allocator.solve.program.program import Block, Cone

__all__ = ["EpigraphRows"]

Places = NDArray[np.int64]


class EpigraphRows:
    """Collects functions of the holdings, whose columns stand first, in units of ``scale``.

    Parameters
    ----------
    size : int
        Rows of the decision space, n.
    scale : float
        Currency units per unit of money the solver sees.
    """

    def __init__(self, size: int, scale: float) -> None:
        self.size, self.scale, self.width, self.constant = size, scale, size, 0.0
        self._linear, self._squares = np.zeros(size), np.zeros(size)
        self._rows: list[tuple[sparse.csr_array, Vector, Block]] = []
        # The two columns of each holding's trade and the holding it starts from; −1 for none yet.
        self._trades = np.full((2, size), -1, dtype=np.int64)
        self._starts = np.zeros(size)

    def minimize(self, function: Epigraph) -> None:
        """Add the function to the objective."""
        function, single = _apart(_scaled(function, self.scale))
        np.add.at(self._squares, single.held, single.square * single.slope**2)
        np.add.at(self._linear, single.held, -2.0 * single.square * single.slope * single.start)
        self.constant += float(single.square @ single.start**2)
        columns = self._columns(function)
        self._linear[: self.size] += function.direct
        np.add.at(self._linear, columns, function.price)
        np.add.at(self._squares, columns, function.square)
        self.constant += function.constant

    def bound(self, function: Epigraph, way: float) -> int:
        """Add a column t with function ≤ ``way`` × t; return its number.

        Parameters
        ----------
        function : Epigraph
            A convex function of the holdings.
        way : float
            Its value per unit of the column.
        """
        function, single = _apart(_scaled(function, self.scale))
        columns = self._columns(function)
        column = int(self._add(1)[0])
        # s = way t − ℓ′x − p′u − c, as a row of minus its coefficients
        row = np.zeros(self.width)
        row[: self.size] = function.direct
        np.add.at(row, columns, function.price)
        row[column] = -way
        curved = np.flatnonzero(function.square)
        count = len(curved) + len(single.square)
        if not count:
            self._add_rows(sparse.csr_array(row[None, :]), np.array([-function.constant]), Cone.NONNEGATIVE)
            return column
        # Σ q u² ≤ s  ⇔  ‖(s − 1, 2 √q u)‖ ≤ s + 1
        weight = 2.0 * np.sqrt(np.concatenate([function.square[curved], single.square]))
        slope = np.concatenate([np.full(len(curved), -1.0), single.slope])
        places = np.concatenate([columns[curved], single.held])
        spread = sparse.csr_array((weight * slope, (np.arange(count), places)), shape=(count, self.width))
        right = np.concatenate([[1.0 - function.constant, -1.0 - function.constant], np.zeros(count)])
        right[2 + len(curved) :] = weight[len(curved) :] * single.start
        both = sparse.csr_array(np.vstack([row, row]))
        self._add_rows(sparse.csr_array(sparse.vstack([both, spread])), right, Cone.SECOND_ORDER)
        return column

    def arrays(self) -> tuple[sparse.csc_array, Vector, sparse.csc_array, Vector, list[Block]]:
        """Return P, q, A, b and the cones."""
        quadratic = sparse.csc_array(sparse.diags_array(2.0 * self._squares))
        quadratic.eliminate_zeros()
        matrix = stacked([part for part, _, _ in self._rows], self.width).tocsc()
        right = np.concatenate([side for _, side, _ in self._rows]) if self._rows else np.zeros(0)
        return quadratic, self._linear, matrix, right, [block for _, _, block in self._rows]

    def _columns(self, function: Epigraph) -> Places:
        """Add the rows and those columns of the function that are not there yet; return where all of them stand."""
        places = np.full(len(function.price), -1, dtype=np.int64)
        rows = self._share_trades(function, places)
        new = np.flatnonzero(places < 0)
        places[new] = self._add(len(new))
        if len(rows):
            outputs = function.outputs @ _picked(places, self.width)
            matrix = sparse.csr_array(widened_rows(function.inputs, self.width) + outputs)[rows]
            largest = np.maximum(abs(matrix).max(axis=1).toarray().ravel(), 1e-300)
            scaled = sparse.csr_array(sparse.diags_array(1.0 / largest) @ matrix)
            self._add_rows(scaled, function.right[rows] / largest, Cone.ZERO)
        positive = places[new[function.positive[new]]]
        if len(positive):
            entries = (-np.ones(len(positive)), (np.arange(len(positive)), positive))
            floor = sparse.csr_array(entries, shape=(len(positive), self.width))
            self._add_rows(floor, np.zeros(len(positive)), Cone.NONNEGATIVE)
        for columns in function.cones:
            self._add_rows(-_picked(places[columns], self.width), np.zeros(len(columns)), Cone.SECOND_ORDER)
        return places

    def _share_trades(self, function: Epigraph, places: Places) -> Places:
        """Place columns of trades that are split already, note the new ones; return the rows that must be added."""
        shape = _Shape.of(function)
        rows = np.flatnonzero((shape.inputs == 1) & (shape.outputs == 2))
        inputs, outputs = function.inputs, function.outputs
        first = outputs.indptr[rows].astype(np.int64)
        sides = np.stack([outputs.indices[first], outputs.indices[first + 1]]).astype(np.int64)
        factors = np.stack([outputs.data[first], outputs.data[first + 1]])
        slope = inputs.data[inputs.indptr[rows]]
        trade = (factors[0] == -slope) & (factors[1] == slope)
        trade &= np.all(function.positive[sides] & (shape.uses[sides] == 1), axis=0)
        rows, sides = rows[trade], sides[:, trade]
        held = inputs.indices[inputs.indptr[rows]].astype(np.int64)
        starts = function.right[rows] / slope[trade]
        known = (self._trades[0, held] >= 0) & (self._starts[held] == starts)
        places[sides[:, known]] = self._trades[:, held[known]]
        fresh = self._trades[0, held] < 0
        # A holding named twice is split by its first row; the other keeps columns of its own.
        fresh[fresh] &= _first(held[fresh])
        if fresh.any():
            self._split(held[fresh], starts[fresh], sides[:, fresh], places)
        return _others(inputs.shape[0], rows[known | fresh])

    def _split(self, held: Places, starts: Vector, sides: Places, places: Places) -> None:
        """Add x + (−u₊ + u₋) = r for the trades of ``held``, and u₊, u₋ ≥ 0."""
        new = self._add(2 * len(held)).reshape(2, -1)
        places[sides] = self._trades[:, held] = new
        self._starts[held] = starts
        rows = np.arange(len(held))
        entries = (np.repeat([1.0, -1.0, 1.0], len(held)), (np.tile(rows, 3), np.concatenate([held, *new])))
        self._add_rows(sparse.csr_array(entries, shape=(len(held), self.width)), starts, Cone.ZERO)
        self._add_rows(-_picked(new.ravel(), self.width), np.zeros(new.size), Cone.NONNEGATIVE)

    def _add(self, count: int) -> Places:
        self._linear = np.append(self._linear, np.zeros(count))
        self._squares = np.append(self._squares, np.zeros(count))
        self.width += count
        return np.arange(self.width - count, self.width)

    def _add_rows(self, matrix: sparse.csr_array, right: Vector, cone: Cone) -> None:
        if len(right):
            self._rows.append((matrix, right, Block(cone, len(right))))


@dataclass(frozen=True, eq=False)
class _Shape:
    """How many inputs and outputs each row of an epigraph has, and how many rows use each of its columns."""

    inputs: Places
    outputs: Places
    uses: Places

    @classmethod
    def of(cls, function: Epigraph) -> _Shape:
        uses = np.bincount(function.outputs.indices, minlength=len(function.price))
        return cls(np.diff(function.inputs.indptr), np.diff(function.outputs.indptr), uses)


@dataclass(frozen=True, eq=False)
class _Single:
    """Squares q u² of single holdings, u = start − slope · x."""

    held: Places
    slope: Vector
    start: Vector
    square: Vector


def _apart(function: Epigraph) -> tuple[Epigraph, _Single]:
    """Return the function without the columns and rows of its single squares, and those."""
    inputs, outputs = function.inputs, function.outputs
    shape = _Shape.of(function)
    rows = np.flatnonzero((shape.inputs == 1) & (shape.outputs == 1))
    columns = outputs.indices[outputs.indptr[rows]].astype(np.int64)
    bound = function.positive.copy()
    bound[np.concatenate([np.zeros(0, dtype=np.int64), *function.cones])] = True
    single = (shape.uses[columns] == 1) & ~bound[columns] & (function.price[columns] == 0.0)
    rows, columns = rows[single], columns[single]
    if not len(rows):
        no = np.zeros(0)
        return function, _Single(rows, no, no, no)
    at, factor = inputs.indptr[rows], outputs.data[outputs.indptr[rows]]
    found = _Single(
        inputs.indices[at].astype(np.int64),
        inputs.data[at] / factor,
        function.right[rows] / factor,
        function.square[columns],
    )
    return _selected(function, _others(inputs.shape[0], rows), _others(len(function.price), columns)), found


def _scaled(function: Epigraph, scale: float) -> Epigraph:
    """Return the function of holdings and money in units of ``scale``, its rows in canonical order."""
    unit = np.where(function.money, scale, 1.0)
    inputs, outputs = sparse.csr_array(function.inputs * scale), sparse.csr_array(function.outputs.copy())
    outputs.data = outputs.data * unit[outputs.indices]
    for part in (inputs, outputs):
        part.eliminate_zeros()
        part.sort_indices()
    return Epigraph(
        function.direct * scale,
        function.constant,
        inputs,
        outputs,
        function.right,
        function.price * unit,
        function.square * unit**2,
        function.positive,
        function.money,
        function.cones,
    )


def _selected(function: Epigraph, rows: Places, columns: Places) -> Epigraph:
    """Return the function of these rows and columns, all that its cones hold among them."""
    return Epigraph(
        function.direct,
        function.constant,
        sparse.csr_array(function.inputs[rows]),
        sparse.csr_array(function.outputs[rows][:, columns]),
        function.right[rows],
        function.price[columns],
        function.square[columns],
        function.positive[columns],
        function.money[columns],
        tuple(np.searchsorted(columns, own) for own in function.cones),
    )


def _picked(columns: Places, width: int) -> sparse.csr_array:
    """Return the matrix whose row k is one at ``columns[k]``."""
    return sparse.csr_array((np.ones(len(columns)), (np.arange(len(columns)), columns)), shape=(len(columns), width))


def _others(count: int, taken: Places) -> Places:
    kept = np.ones(count, dtype=bool)
    kept[taken] = False
    return np.flatnonzero(kept)


def _first(values: Places) -> NDArray[np.bool_]:
    """Return whether each value is met for the first time."""
    found = np.zeros(len(values), dtype=bool)
    found[np.unique(values, return_index=True)[1]] = True
    return found
