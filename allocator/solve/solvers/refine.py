"""From a solver's answer to one that meets the optimality conditions as far as the arithmetic goes.

An interior point stops at a small gap, and an optimum is flat: a gap of 1e-13 may leave a weight 1e-6 away. With
u = y − s, Π the projection onto K* and s = Π(u) − u, the conditions of the program are equations without sides
(`allocator.solve.solvers.conditions`), smooth but for the edges of the cones; Newton's steps end there: Π keeps
the active rows and knows the curvature of the cones. This is the refinement of Busseti, Moursi and Boyd ("Solution
refinement at regular points of conic problems", 2019) for a quadratic objective, the homogeneous variable fixed at one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from allocator.solve.program.program import Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers.conditions import CLOSE, Conditions

__all__ = ["MET", "approached", "refinable", "refined"]

STEPS = 8
"""Newton steps at most; two are usual."""

STRAYS = 3
"""Steps at most that may miss more than the one before."""

FAR = 1e-3
"""Share of what was missed that a step may leave for its slope to be used again."""

MET = 1e-10
"""What the conditions may miss in an answer that is as good as one of the solver's finest."""

LARGEST = 20_000
"""Rows and columns up to which a program is refined: a step factorizes a matrix of at most that size."""

WIDEST = 500
"""Size of a second-order cone up to which its curvature, a full matrix, is written down."""


def refined(program: ConeProgram, answer: SolverResult) -> SolverResult:
    """Return the answer moved to where the optimality conditions hold best; the same one if no step helps.

    Parameters
    ----------
    program : ConeProgram
        The program, N columns and m rows.
    answer : SolverResult
        Its answer; only solved ones are moved.
    """
    return approached(program, answer)[0]


def approached(program: ConeProgram, answer: SolverResult) -> tuple[SolverResult, float]:
    """Return the refined answer and what it misses of the conditions at most, infinite where nothing is known.

    Parameters
    ----------
    program : ConeProgram
        What was solved.
    answer : Answer
        Only solved ones are moved.
    """
    if answer.verdict is not SolverStatus.SOLVED or not refinable(program):
        return answer, np.inf
    conditions = Conditions(program)
    point, side = answer.primal, answer.dual - (program.right - program.matrix @ answer.primal)
    missed, dual = conditions.missed(point, side)
    best, found, step, strays = float(np.abs(missed).max()), answer, None, 0
    for _ in range(STEPS):
        if best <= CLOSE:
            break
        known, step = step is not None, step or conditions.step(side)
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
        elif strays < STRAYS:
            # A step across a cone's edge may miss more at first; the next one has the slope beyond the edge.
            point, side, missed, step, strays = there, aside, left, None, strays + 1
        else:
            break
    return found, best


def refinable(program: ConeProgram) -> bool:
    """Return whether all cones have a known slope and the program is not too large for it."""
    flat = (Cone.ZERO, Cone.NONNEGATIVE)
    known = all(
        block.cone in flat or (block.cone is Cone.SECOND_ORDER and block.size <= WIDEST) for block in program.blocks
    )
    return known and not program.whole and 0 < len(program.right) <= LARGEST - program.size
