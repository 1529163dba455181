"""The optimality conditions of a cone program as equations without sides, and Newton's step for them.

With u = y − s, Π the projection onto K* and s = Π(u) − u the conditions of `allocator.solve.program.program` are

    P z + q + A′ Π(u) = 0,   A z + Π(u) − u = b,

and with D the slope of Π at u, one step is the d = (ζ, υ) of

    P ζ + A′D υ = missed₁,   A ζ + (D − I) υ = missed₂.

Most of it needs no factors. A row i of which D keeps nothing has υᵢ = aᵢ′ζ − missedᵢ and bears on nothing else. A row
that D keeps whole and that has one entry aᵢⱼ settles ζⱼ = missedᵢ / aᵢⱼ; what is stationary in column j then gives υᵢ.
Factors are of the other columns and rows: of 2,000 holdings, of the few that stand between their bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from allocator.arrays import Vector
from allocator.solve.program.program import Cone, ConeProgram

__all__ = ["CLOSE", "Conditions", "Step"]

Places = NDArray[np.int64]
Entries = tuple[Places, Places, Vector]

CLOSE = 1e-13
"""What the conditions may miss for good; the programs' numbers are near one."""

MOSTLY_DENSE = 0.3
"""Part of the entries in long columns; such a column's row is as long, so that they are twice this part."""

REGULARIZATION = 1e-9
"""Diagonal that keeps the matrix regular where multipliers are not unique; `CORRECTIONS` take it out again."""

CORRECTIONS = 2

LEAST_PIVOT = 1e-3
"""Size from which a row's only entry settles its column; a smaller one is left to the factors."""


class Conditions:
    """The optimality conditions of one program as equations in (z, u), and their slope."""

    def __init__(self, program: ConeProgram) -> None:
        self._program, self.matrix = program, program.matrix
        upper = program.quadratic
        self.quadratic = upper if not upper.nnz else sparse.csc_array(upper + sparse.triu(upper, 1).T)
        self.rows = sparse.csr_array(program.matrix)
        self._flat = np.zeros(len(program.right), dtype=bool)
        self._cones: list[slice] = []
        alone = np.diff(self.rows.indptr) == 1
        start = 0
        for block in program.blocks:
            span = slice(start, start + block.rows)
            start += block.rows
            if block.cone is Cone.NONNEGATIVE:
                self._flat[span] = True
            elif block.cone is Cone.SECOND_ORDER:
                self._cones.append(span)
                alone[span] = False
        single = np.flatnonzero(alone)
        self._alone = single[np.abs(self.rows.data[self.rows.indptr[single]]) >= LEAST_PIVOT]

    def missed(self, point: Vector, side: Vector) -> tuple[Vector, Vector]:
        """Return what the conditions miss at (z, u), (N + m,), and Π(u).

        Parameters
        ----------
        point : ndarray (N,)
            z.
        side : ndarray (m,)
            u.
        """
        program, dual = self._program, self._projected(side)
        stationary = self.quadratic @ point + program.linear + program.matrix.T @ dual
        return np.concatenate([stationary, program.matrix @ point + dual - side - program.right]), dual

    def _projected(self, side: Vector) -> Vector:
        """Return Π(u), the point of K* nearest to u (m,)."""
        found = np.where(self._flat, np.maximum(side, 0.0), side)
        for span in self._cones:
            height, rest = float(side[span.start]), side[span.start + 1 : span.stop]
            length = float(np.linalg.norm(rest))
            if length > abs(height):
                share = 0.5 * (1.0 + height / length)
                found[span.start] = share * length
                found[span.start + 1 : span.stop] = share * rest
            elif height < 0.0:
                found[span] = 0.0
        return found

    def _bent(self, side: Vector) -> Entries:
        """Return the entries of the derivative D of Π at u, (m, m).

        Zeros and ones on the diagonal but for a cone cut by its surface, with t = u₀/‖u₁‖ and v = u₁/‖u₁‖:
        ½ [1, v′; v, (1 + t) I − t v v′].
        """
        kept = np.where(self._flat, (side > 0.0).astype(float), 1.0)
        rows, columns, values = [], [], []
        for span in self._cones:
            rest = side[span.start + 1 : span.stop]
            length = float(np.linalg.norm(rest))
            ratio = float(side[span.start]) / length if length > 0.0 else np.inf
            if abs(ratio) >= 1.0:
                kept[span] = float(side[span.start] > 0.0)
                continue
            unit = np.append(1.0, rest / length)
            block = -ratio * np.outer(unit, unit) + (1.0 + ratio) * np.eye(len(unit))
            block[0] = block[:, 0] = unit
            places = np.arange(span.start, span.stop)
            rows.append(np.repeat(places, len(unit)))
            columns.append(np.tile(places, len(unit)))
            values.append(0.5 * block.ravel())
            kept[span] = 0.0
        place = np.arange(len(side))
        return np.concatenate([place, *rows]), np.concatenate([place, *columns]), np.concatenate([kept, *values])

    def step(self, side: Vector) -> Step | None:
        """Return Newton's step at u; None where its matrix has no factors."""
        rows, columns, values = self._bent(side)
        count = len(side)
        kept = np.bincount(rows, np.abs(values), count) > 0.0
        alone = self._alone[kept[self._alone]]
        column = self.rows.indices[self.rows.indptr[alone]]
        # Where several settle one column their multipliers are not unique: left to the factors.
        alone = alone[np.bincount(column, minlength=self._program.size)[column] == 1]
        try:
            return Step(self, sparse.csc_array((values, (rows, columns)), shape=(count, count)), kept, alone)
        except RuntimeError:
            return None


class Step:
    """One step's matrix in factors; called with what is missed (N + m,) it returns d (N + m,).

    Parameters
    ----------
    conditions : Conditions
        P and A.
    bent : csc_array (m, m)
        D.
    kept : ndarray of bool (m,)
        Rows of which D keeps anything.
    alone : ndarray of int
        Rows that settle the column of their one entry.
    """

    def __init__(self, conditions: Conditions, bent: sparse.csc_array, kept: NDArray[np.bool_], alone: Places) -> None:
        self._quadratic, self._matrix, self._bent = conditions.quadratic, conditions.matrix, bent
        self._idle, self._alone = np.flatnonzero(~kept), alone
        rows = conditions.rows
        self._settled, self._entry = rows.indices[rows.indptr[alone]], rows.data[rows.indptr[alone]]
        kept = kept.copy()
        kept[alone] = False
        free = np.ones(self._matrix.shape[1], dtype=bool)
        free[self._settled] = False
        self._columns, self._rows = np.flatnonzero(free), np.flatnonzero(kept)
        self._solve = self._factors(conditions)

    def __call__(self, missed: Vector) -> Vector:
        found = self._once(missed)
        for _ in range(CORRECTIONS):
            left = missed - self._times(found)
            if np.abs(left).max() <= CLOSE:
                break
            found = found + self._once(left)
        return found

    def _once(self, missed: Vector) -> Vector:
        """Solve once, with what the diagonal was firmed by still in it."""
        size = self._matrix.shape[1]
        first, second = missed[:size], missed[size:]
        primal, side = np.zeros(size), np.zeros(len(second))
        primal[self._settled] = second[self._alone] / self._entry
        solved = self._solve(
            np.concatenate(
                [
                    (first - self._quadratic @ primal)[self._columns],
                    (second - self._matrix @ primal)[self._rows],
                ]
            )
        )
        primal[self._columns], side[self._rows] = np.split(solved, [len(self._columns)])
        left = first - self._quadratic @ primal - self._matrix.T @ (self._bent @ side)
        side[self._alone] = left[self._settled] / self._entry
        side[self._idle] = (self._matrix @ primal - second)[self._idle]
        return np.concatenate([primal, side])

    def _times(self, step: Vector) -> Vector:
        """Return the whole matrix times d."""
        primal, side = np.split(step, [self._matrix.shape[1]])
        bent = self._bent @ side
        return np.concatenate([self._quadratic @ primal + self._matrix.T @ bent, self._matrix @ primal + bent - side])

    def _factors(self, conditions: Conditions) -> Callable[[Vector], Vector]:
        """Factorize what is left of the matrix."""
        columns, rows = self._columns, self._rows
        if not len(columns) + len(rows):
            return np.copy
        matrix = conditions.rows[rows][:, columns]
        bent = self._bent[:, rows][rows]
        firm = sparse.csc_array(
            sparse.block_array(
                [
                    [
                        self._quadratic[:, columns][columns] + REGULARIZATION * sparse.eye_array(len(columns)),
                        matrix.T @ bent,
                    ],
                    [matrix, bent - (1.0 + REGULARIZATION) * sparse.eye_array(len(rows))],
                ]
            )
        )
        solve: Callable[[Vector], Vector] = linalg.splu(firm, permc_spec=_ordering(firm)).solve
        return solve


def _ordering(system: sparse.csc_array) -> str:
    """Return the ordering for a symmetric pattern.

    Least degree in general. Where factors that every holding has are most of the entries it is slow to find (2,000
    holdings with 20 factors: 56 ms, by columns 6 ms); elsewhere columns alone would fill in (up to thirteen times).
    """
    degree = np.diff(system.indptr)
    dense = degree[degree > 10.0 * np.sqrt(len(degree))].sum()
    return "COLAMD" if dense > MOSTLY_DENSE * system.nnz else "MMD_AT_PLUS_A"
