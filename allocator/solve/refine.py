"""From a solver's answer to one that meets the optimality conditions as far as the arithmetic goes.

An interior point stops at a small gap, and an optimum is flat: a gap of 1e-13 may leave a weight 1e-6 away. With
u = y − s, Π the projection onto K* and s = Π(u) − u, the conditions of the program (`allocator.solve.program`) are
equations without sides,

    P z + q + A′ Π(u) = 0,   A z + Π(u) − u = b,

smooth but for the edges of the cones, and Newton's steps end at their solution: Π keeps the active rows and knows
the curvature of the cones. This is the refinement of Busseti, Moursi and Boyd ("Solution refinement at regular
points of conic problems", 2019) for a quadratic objective, the homogeneous variable fixed at one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from allocator.solve.program import Answer, Cone, ConeProgram, Verdict

__all__ = ["refined"]

Vector = NDArray[np.float64]
Step = Callable[[Vector], Vector]
Entries = tuple[NDArray[np.int64], NDArray[np.int64], Vector]

STEPS = 8
"""Newton steps at most; two are usual."""

FAR = 1e-3
"""Share of what was missed that a step may leave for its slope to be used again."""

CLOSE = 1e-13
"""What the conditions may miss for good; the programs' numbers are near one."""

LARGEST = 20_000
"""Rows and columns up to which a program is refined: a step factorizes a matrix of that size."""

WIDEST = 500
"""Size of a second-order cone up to which its curvature, a full matrix, is written down."""

MOSTLY_DENSE = 0.3
"""Part of the entries in long columns; such a column's row is as long, so that they are twice this part."""

REGULARIZATION = 1e-9
"""Diagonal that keeps the matrix regular where multipliers are not unique; `CORRECTIONS` take it out again."""

CORRECTIONS = 2


def refined(program: ConeProgram, answer: Answer) -> Answer:
    """Return the answer moved to where the optimality conditions hold best; the same one if no step helps.

    Parameters
    ----------
    program : ConeProgram
        What was solved.
    answer : Answer
        Only solved ones are moved.
    """
    if answer.verdict is not Verdict.SOLVED or not _fits(program):
        return answer
    conditions = _Conditions(program)
    point, side = answer.primal, answer.dual - (program.right - program.matrix @ answer.primal)
    missed, dual = conditions.missed(point, side)
    best, found, step, strayed = float(np.abs(missed).max()), answer, None, False
    for _ in range(STEPS):
        if best <= CLOSE:
            break
        known, step = step is not None, step or conditions.slope(side)
        if step is None:
            break
        move = step(missed)
        there, aside = point - move[: program.size], side - move[program.size :]
        left, dual = conditions.missed(there, aside)
        size = float(np.abs(left).max())
        if size < best:
            # The same slope serves again while it carries far: the second step needs no factors of its own.
            step = step if size < FAR * best else None
            point, side, missed, best = there, aside, left, size
            found = replace(answer, primal=point, dual=dual)
        elif known:
            step = None
        elif not strayed:
            # A step across a cone's edge may miss more at first; the next one has the slope beyond the edge.
            point, side, missed, step, strayed = there, aside, left, None, True
        else:
            break
    return found


def _ordering(system: sparse.csc_array) -> str:
    """Return the ordering for a symmetric pattern.

    Least degree in general. Where factors that every holding has are most of the entries it is slow to find (2,000
    holdings with 20 factors: 56 ms, by columns 6 ms); elsewhere columns alone would fill in (up to thirteen times).
    """
    degree = np.diff(system.indptr)
    dense = degree[degree > 10.0 * np.sqrt(len(degree))].sum()
    return "COLAMD" if dense > MOSTLY_DENSE * system.nnz else "MMD_AT_PLUS_A"


def _fits(program: ConeProgram) -> bool:
    flat = (Cone.ZERO, Cone.NONNEGATIVE)
    known = all(
        block.cone in flat or (block.cone is Cone.SECOND_ORDER and block.size <= WIDEST) for block in program.blocks
    )
    return known and not program.whole and 0 < len(program.right) <= LARGEST - program.size


class _Conditions:
    """The optimality conditions of one program as equations in (z, u), and their slope."""

    def __init__(self, program: ConeProgram) -> None:
        self._program = program
        upper = program.quadratic
        self._quadratic = upper if not upper.nnz else sparse.csc_array(upper + sparse.triu(upper, 1).T)
        self._flat = np.zeros(len(program.right), dtype=bool)
        self._cones: list[slice] = []
        start = 0
        for block in program.blocks:
            span = slice(start, start + block.rows)
            start += block.rows
            if block.cone is Cone.NONNEGATIVE:
                self._flat[span] = True
            elif block.cone is Cone.SECOND_ORDER:
                self._cones.append(span)

    def missed(self, point: Vector, side: Vector) -> tuple[Vector, Vector]:
        """Return what the conditions miss at (z, u), (N + m,), and Π(u)."""
        program, dual = self._program, self._projected(side)
        stationary = self._quadratic @ point + program.linear + program.matrix.T @ dual
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

    def slope(self, side: Vector) -> Step | None:
        """Return what solves [P, A′D; A, D − I] d = missed for d (N + m,); None where nothing does."""
        program, size, count = self._program, self._program.size, len(side)
        rows, columns, values = self._bent(side)
        slope = sparse.csc_array((values, (rows, columns)), shape=(count, count))
        bent, matrix, quadratic = (
            sparse.coo_array(part) for part in (slope @ program.matrix, program.matrix, self._quadratic)
        )
        place = np.arange(size + count)
        diagonal = np.where(place < size, 0.0, -1.0)
        at = (
            np.concatenate([quadratic.coords[0], bent.coords[1], size + matrix.coords[0], size + rows, place]),
            np.concatenate([quadratic.coords[1], size + bent.coords[0], matrix.coords[1], size + columns, place]),
        )
        data = np.concatenate([quadratic.data, bent.data, matrix.data, values, diagonal])
        system = sparse.csc_array((data, at), shape=(len(place), len(place)))
        system.sum_duplicates()  # below scipy 1.14 making it does not
        # Every diagonal entry was given: each column has one, where it meets its own number.
        own = system.indices == np.repeat(place, np.diff(system.indptr))
        data = system.data.copy()
        data[own] += np.where(place < size, REGULARIZATION, -REGULARIZATION)
        firm = sparse.csc_array((data, system.indices, system.indptr), shape=system.shape)
        try:
            factors = linalg.splu(firm, permc_spec=_ordering(firm))
        except RuntimeError:
            return None

        def step(missed: Vector) -> Vector:
            found = factors.solve(missed)
            for _ in range(CORRECTIONS):
                left = missed - system @ found
                if np.abs(left).max() <= CLOSE:
                    break
                found = found + factors.solve(left)
            return np.asarray(found)

        return step
