"""Affine functions of a program's columns, and the rows that are built from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.solve.program.program import Block, Cone, merged

__all__ = ["Affine", "Fragment", "Rows", "joined"]


@dataclass(frozen=True, slots=True)
class Affine:
    """Σ coefficient · column + constant."""

    coefficients: Mapping[int, float]
    constant: float = 0.0

    @classmethod
    def column(cls, number: int) -> Affine:
        """Return the function that is one column."""
        return cls({number: 1.0})

    @classmethod
    def combine(cls, parts: Iterable[tuple[float, Affine]], constant: float = 0.0) -> Affine:
        """Return Σ weight · part + constant.

        Parameters
        ----------
        parts : iterable of (float, Affine)
            Weights and functions.
        constant : float
            Added to the sum.
        """
        total: dict[int, float] = {}
        known = total.get
        for weight, part in parts:
            if weight:
                constant += weight * part.constant
                for column, coefficient in part.coefficients.items():
                    total[column] = known(column, 0.0) + weight * coefficient
        return cls(total, constant)

    def minus(self, other: Affine) -> Affine:
        """Return self − other."""
        return Affine.combine(((1.0, self), (-1.0, other)))

    def value(self, primal: Sequence[float]) -> float:
        """Return its value at a point."""
        return sum([primal[column] * factor for column, factor in self.coefficients.items()], self.constant)


class Rows:
    """Collects rows over the first ``width`` columns and over columns added here.

    A condition is stated by the affine functions that must lie in a cone.

    Parameters
    ----------
    width : int
        Columns that stand before the new ones.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.columns = 0
        self._rows: list[int] = []
        self._columns: list[int] = []
        self._values: list[float] = []
        self._grids: list[tuple[NDArray[np.int64], NDArray[np.int64], Vector]] = []
        self._right: list[float] = []
        self._blocks: list[Block] = []

    def new_column(self) -> int:
        """Add a column; return its number."""
        return int(self.new_columns(1).start)

    def new_columns(self, count: int) -> slice:
        """Add columns; return their numbers."""
        start = self.width + self.columns
        self.columns += count
        return slice(start, start + count)

    def require(self, cone: Cone, functions: Sequence[Affine]) -> int:
        """Ask that the functions' values lie in ``cone``; return the first row's number among these rows.

        Parameters
        ----------
        cone : Cone
            The cone.
        functions : sequence of Affine
            One for each of its rows.
        """
        first = len(self._right)
        for row, function in enumerate(functions, first):
            for column, factor in function.coefficients.items():
                self._rows.append(row)
                self._columns.append(column)
                self._values.append(-factor)
            self._right.append(function.constant)
        self._blocks.append(Block(cone, len(functions)))
        return first

    def at_least_zero(self, function: Affine) -> int:
        """Ask that ``function ≥ 0``."""
        return self.require(Cone.NONNEGATIVE, (function,))

    def zero(self, function: Affine) -> int:
        """Ask that ``function = 0``."""
        return self.require(Cone.ZERO, (function,))

    def add(self, first: int, columns: slice, factors: NDArray[np.float64]) -> None:
        """Add ``factors @ columns`` to the functions of the rows from ``first`` on.

        Parameters
        ----------
        first : int
            Number of the first of the rows.
        columns : slice
            Columns (c) that are added to them.
        factors : ndarray (rows, c) or (c,)
            Factor of each column in each row.
        """
        down, across = np.nonzero(np.atleast_2d(factors))
        self._grids.append((first + down, columns.start + across, -np.atleast_2d(factors)[down, across]))

    def not_negative(self, columns: slice) -> None:
        """Ask that each of ``columns`` is at least zero."""
        count, first = columns.stop - columns.start, len(self._right)
        self._grids.append(
            (np.arange(first, first + count), np.arange(columns.start, columns.stop), np.full(count, -1.0))
        )
        self._right += [0.0] * count
        self._blocks.append(Block(Cone.NONNEGATIVE, count))

    def frozen(self) -> Fragment:
        """Return what was collected, as arrays."""
        own = np.array(self._rows, dtype=int), np.array(self._columns, dtype=int), np.array(self._values, dtype=float)
        rows, columns, values = zip(own, *self._grids, strict=True)
        entries = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
        return Fragment(self.width, self.columns, entries, np.array(self._right), merged(self._blocks))


@dataclass(frozen=True, eq=False)
class Fragment:
    """Rows ``right − A z ∈ K`` over ``width`` shared columns and ``columns`` of its own behind them.

    Parameters
    ----------
    width, columns : int
        See above.
    entries : (rows, columns, values)
        Entries of A, rows counted from zero.
    right : ndarray
        b.
    blocks : tuple of Block
        K.
    """

    width: int
    columns: int
    entries: tuple[NDArray[np.int64], NDArray[np.int64], Vector]
    right: Vector
    blocks: tuple[Block, ...]


def joined(fragments: Sequence[Fragment]) -> Fragment:
    """Return fragments over the same shared columns as one, each keeping columns of its own."""
    width = fragments[0].width
    rows, columns = [], []
    height = extra = 0
    for fragment in fragments:
        down, across, _ = fragment.entries
        rows.append(down + height)
        columns.append(across + extra * (across >= width) if extra and fragment.columns else across)
        height += len(fragment.right)
        extra += fragment.columns
    entries = (
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate([fragment.entries[2] for fragment in fragments]),
    )
    right = np.concatenate([fragment.right for fragment in fragments])
    return Fragment(width, extra, entries, right, tuple(block for part in fragments for block in part.blocks))
