"""Affine functions of a program's columns, and the rows that are built from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.solve.program import Block, Cone

__all__ = ["Affine", "Rows"]

Vector = NDArray[np.float64]


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
        """Return Σ weight · part + constant."""
        total: dict[int, float] = {}
        for weight, part in parts:
            if weight == 0.0:
                continue
            constant += weight * part.constant
            for column, coefficient in part.coefficients.items():
                total[column] = total.get(column, 0.0) + weight * coefficient
        return cls(total, constant)

    def minus(self, other: Affine) -> Affine:
        """Return self − other."""
        return Affine.combine(((1.0, self), (-1.0, other)))

    def value(self, primal: Vector) -> float:
        """Return its value at a point."""
        return float(sum(primal[column] * factor for column, factor in self.coefficients.items())) + self.constant


@dataclass(eq=False)
class Rows:
    """Collects rows over the first ``width`` columns and over columns added here.

    A condition is stated by the affine functions that must lie in a cone.
    """

    width: int
    columns: int = 0
    _entries: list[tuple[int, int, float]] = field(default_factory=list)
    _right: list[float] = field(default_factory=list)
    _blocks: list[Block] = field(default_factory=list)

    def new_column(self) -> int:
        """Add a column; return its number."""
        self.columns += 1
        return self.width + self.columns - 1

    def require(self, cone: Cone, functions: Sequence[Affine]) -> int:
        """Ask that the functions' values lie in ``cone``; return the first row's number among these rows."""
        first = len(self._right)
        for function in functions:
            row = len(self._right)
            self._entries += [(row, column, -factor) for column, factor in function.coefficients.items()]
            self._right.append(function.constant)
        self._blocks.append(Block(cone, len(functions)))
        return first

    def at_least_zero(self, function: Affine) -> int:
        """Ask that ``function ≥ 0``."""
        return self.require(Cone.NONNEGATIVE, (function,))

    def zero(self, function: Affine) -> int:
        """Ask that ``function = 0``."""
        return self.require(Cone.ZERO, (function,))

    def matrix(self) -> sparse.csc_array:
        """Return A (rows, width + columns) of ``right − A z ∈ K``."""
        shape = (len(self._right), self.width + self.columns)
        if not self._entries:
            return sparse.csc_array(shape)
        rows, columns, values = zip(*self._entries, strict=True)
        return sparse.csc_array((values, (rows, columns)), shape=shape)

    @property
    def right(self) -> Vector:
        """b of the rows."""
        return np.array(self._right)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The cones, in the order of the rows; neighbouring non-negative rows are one block."""
        merged: list[Block] = []
        for block in self._blocks:
            last = merged[-1] if merged else None
            if last is not None and last.cone is block.cone and block.cone in (Cone.ZERO, Cone.NONNEGATIVE):
                merged[-1] = Block(block.cone, last.size + block.size)
            else:
                merged.append(block)
        return tuple(merged)
