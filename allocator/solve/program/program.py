"""A cone program as plain arrays, and what a solver says about it.

    minimize ½ z′P z + q′z + constant   subject to   A z + s = b,  s ∈ K

K is a product of cones in any order. The model is brought into this form once; the nodes of the search
differ in a few rows and columns only, so each is a copy of the arrays with a small block changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector

__all__ = ["SolverResult", "Block", "Cone", "ConeProgram", "SolverStatus", "merged"]


REACH = 1e4
"""Size of the columns that a certificate of infeasibility must cover; the programs' columns are near one."""


class Cone(Enum):
    """The cones a solver may be asked for."""

    ZERO = "zero"
    NONNEGATIVE = "nonnegative"
    SECOND_ORDER = "second order"
    EXPONENTIAL = "exponential"
    POWER = "power"
    SEMIDEFINITE = "semidefinite"


@dataclass(frozen=True, slots=True)
class Block:
    """One cone of the product: ``size`` rows (the matrix order for `Cone.SEMIDEFINITE`), ``power`` its exponent."""

    cone: Cone
    size: int
    power: float = 0.0

    @property
    def rows(self) -> int:
        """Rows of A that belong to it."""
        return self.size * (self.size + 1) // 2 if self.cone is Cone.SEMIDEFINITE else self.size


def merged(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return the blocks with neighbouring linear cones of one kind made one."""
    found: list[Block] = []
    for block in blocks:
        last = found[-1] if found else None
        if last is not None and last.cone is block.cone and block.cone in (Cone.ZERO, Cone.NONNEGATIVE):
            found[-1] = Block(block.cone, last.size + block.size)
        elif block.size:
            found.append(block)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class ConeProgram:
    """See the module's head.

    Parameters
    ----------
    quadratic : csc_array (N, N)
        Upper triangle of P.
    linear : ndarray (N,)
        q.
    matrix : csc_array (m, N)
        A.
    right : ndarray (m,)
        b.
    blocks : tuple of Block
        K, in the order of the rows.
    constant : float
        Added to the objective.
    whole : tuple of int
        Columns that must be whole numbers.
    """

    quadratic: sparse.csc_array
    linear: Vector
    matrix: sparse.csc_array
    right: Vector
    blocks: tuple[Block, ...]
    constant: float = 0.0
    whole: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Number of columns N."""
        return len(self.linear)

    def extended(
        self,
        columns: int,
        entries: tuple[NDArray[np.int64], NDArray[np.int64], Vector],
        right: Vector,
        blocks: Sequence[Block],
        linear: Vector,
    ) -> ConeProgram:
        """Return the program with ``columns`` more columns and, below, more rows.

        Parameters
        ----------
        columns : int
            Number of columns added.
        entries : (rows, columns, values)
            Entries of the rows added, counted from the first of them; in each column by ascending row.
        right : ndarray
            Their right side.
        blocks : sequence of Block
            Their cones.
        linear : ndarray (N + columns,)
            Added to the objective.
        """
        size = self.size + columns
        matrix = _below(self.matrix, size, entries, len(right))
        return replace(
            self,
            quadratic=self._quadratic_over(columns),
            linear=np.append(self.linear, np.zeros(columns)) + linear,
            matrix=matrix,
            right=np.append(self.right, right),
            blocks=merged((*self.blocks, *blocks)),
        )

    def _quadratic_over(self, columns: int) -> sparse.csc_array:
        """Return P with ``columns`` more columns and rows; nodes of a search differ little in how many they add."""
        known = self._quadratics.get(columns)
        if known is None:
            upper, size = self.quadratic, self.size + columns
            ends = np.append(upper.indptr, np.full(columns, upper.nnz, dtype=upper.indptr.dtype))
            known = self._quadratics[columns] = sparse.csc_array((upper.data, upper.indices, ends), shape=(size, size))
        return known

    @cached_property
    def _quadratics(self) -> dict[int, sparse.csc_array]:
        return {}

    def value(self, primal: Vector) -> float:
        """Return the objective at ``primal``."""
        return float(0.5 * self._curvature(primal) @ primal + self.linear @ primal) + self.constant

    def bound(self, primal: Vector, dual: Vector, right: Vector | None = None) -> float:
        """Return a lower bound of the optimum from a dual point, for another right side if one is given.

        For z ∈ K* and any z₀ the Lagrangian is at least −½ z₀′P z₀ − b′y + r′z with r = P z₀ + q + A′y. A
        solver leaves r at rounding size; the term r′z is charged at twice the answer's own magnitudes.

        Parameters
        ----------
        primal : ndarray (N,)
            z₀, a solver's point.
        dual : ndarray (m,)
            y ∈ K*.
        right : ndarray (m,) or None
            b; None for the program's own.
        """
        curvature = self._curvature(primal)
        residual = curvature + self.linear + self._against(dual)
        room = float(np.abs(residual) @ (1e-3 + 2.0 * np.abs(primal)))
        right = self.right if right is None else right
        return float(-0.5 * curvature @ primal - right @ dual) + self.constant - room

    def refuted_by(self, dual: Vector) -> bool:
        """Return whether ``dual`` ∈ K* proves that no point within `REACH` of the origin satisfies the rows.

        Any feasible z has b′y ≥ z′A′y, so b′y < −‖A′y‖∞ · ‖z‖₁ leaves none.
        """
        short = -float(self.right @ dual)
        return short > REACH * float(np.abs(self._against(dual)).max(initial=0.0))

    def _against(self, dual: Vector) -> Vector:
        """Return A′y; a transposed copy for a single product would cost more than the product."""
        column = _columns_of(self.matrix)
        return np.asarray(np.bincount(column, self.matrix.data * dual[self.matrix.indices], self.size), dtype=float)

    def _curvature(self, primal: Vector) -> Vector:
        """Return P z from the upper triangle."""
        upper, column = self.quadratic, _columns_of(self.quadratic)
        found = np.bincount(upper.indices, upper.data * primal[column], self.size)
        off = upper.indices != column
        if off.any():
            found += np.bincount(column[off], upper.data[off] * primal[upper.indices[off]], self.size)
        return np.asarray(found, dtype=float)

    def projected(self, dual: Vector) -> Vector:
        """Return the point of K* nearest to ``dual``; in cones where none is written down, the solver's own stands."""
        found, start = dual.copy(), 0
        for block in self.blocks:
            part = found[start : start + block.rows]
            start += block.rows
            if block.cone is Cone.NONNEGATIVE:
                np.maximum(part, 0.0, out=part)
            elif block.cone is Cone.SECOND_ORDER and block.rows:
                length = float(np.linalg.norm(part[1:]))
                if length > part[0]:
                    height = max(0.5 * (part[0] + length), 0.0)
                    part[0], part[1:] = height, part[1:] * (height / length if length else 0.0)
        return found

    def with_numbers(self, data: Vector, right: Vector) -> ConeProgram:
        """Return the program with other entries of A, in the same places, and another right side.

        Parameters
        ----------
        data : ndarray (entries,)
            Entries of A.
        right : ndarray (m,)
            b.
        """
        matrix = copy(self.matrix)
        matrix.data = data
        return replace(self, matrix=matrix, right=right)


def _columns_of(matrix: sparse.csc_array) -> NDArray[np.int64]:
    """Return the column of each entry."""
    return np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))


def _below(
    above: sparse.csc_array, size: int, entries: tuple[NDArray[np.int64], NDArray[np.int64], Vector], height: int
) -> sparse.csc_array:
    """Return ``above`` widened to ``size`` columns with rows of ``entries`` below it, the old ones first in each."""
    rows, columns, values = entries
    every = np.concatenate([_columns_of(above), columns])
    # Numbers of two bytes are sorted by counting.
    order = np.argsort(every.astype(np.int16) if size < 2**15 else every, kind="stable")
    data = np.concatenate([above.data, values])[order]
    indices = np.concatenate([above.indices, rows + above.shape[0]])[order].astype(np.int32)
    pointers = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(every, minlength=size), out=pointers[1:])
    return sparse.csc_array((data, indices, pointers), shape=(above.shape[0] + height, size))


class SolverStatus(Enum):
    """How a solve ended."""

    SOLVED = "solved"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class SolverResult:
    """What a solver returned.

    Parameters
    ----------
    verdict : Verdict
        How it ended.
    primal : ndarray (N,)
        z; meaningless unless solved.
    dual : ndarray (m,)
        y ∈ K*; for an infeasible program the certificate A′y ≈ 0, b′y < 0.
    solver : str
        Name and version.
    bound : float or None
        A lower bound of the optimum by the solver's own account, where no dual point can prove one.
    """

    verdict: SolverStatus
    primal: Vector
    dual: Vector
    solver: str
    bound: float | None = None
