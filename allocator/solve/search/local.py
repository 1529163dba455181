"""The convex–concave procedure: from a point to a better one that keeps every promise."""

from __future__ import annotations

import numpy as np

from allocator.arrays import Vector
from allocator.errors import SolverFailure
from allocator.solve.program.program import SolverResult, SolverStatus
from allocator.solve.relaxation.formulation import Assembled
from allocator.solve.search.exact import AIM
from allocator.solve.search.subproblem import Subproblem

__all__ = ["improve", "repair", "settle"]


ROUNDS = 6
"""Restrictions solved in a row from one start."""

SETTLING = 20
"""Restrictions solved at most to settle the final answer."""

STILL = 1e-8
"""Weight by which no row may move in the last of them."""

SOLVED = 1e-6
"""Weight below which a step may be the solver's rounding: it counts as progress only while steps get shorter."""

CONTRACTING = 0.7
"""Share of the last step that such a step may have."""


def improve(search: Subproblem, start: Vector, enough: float = np.inf) -> Vector | None:
    """Return the best compliant point reached from ``start``, None when the first restriction has none.

    No better one is looked for once the objective is ``enough``. The aim is raised by what the exact tree says
    is missing: the solver's rounding, or a slope that changed its sign between the point the restriction was
    made for and its answer.

    Parameters
    ----------
    search : Subproblem
        The search that asks; counts the programs.
    start : ndarray (n,)
        Holdings, money.
    enough : float
        Objective from which nothing better is looked for.
    """
    best: Vector | None = None
    value = -np.inf
    point, margin = start, AIM
    for _ in range(ROUNDS):
        assembled = search.formulation.restriction(point, search.price, margin)
        answer = _attempt(search, assembled)
        if answer is None:
            break
        point = search.point(answer)
        if not search.compliant(point):
            margin += AIM + 1.5 * max(-search.exact.headroom(point), 0.0)
            continue
        reached, before = search.exact.objective(point), value
        if reached > value:
            best, value = point, reached
        if value >= enough or reached <= before + 0.1 * search.tolerance:
            break
    return best


def settle(search: Subproblem, start: Vector) -> Vector:
    """Return the local optimum that ``start`` belongs to, reached to rounding; ``start`` where none is compliant.

    Branching stops as soon as the gap is closed, at a point that depends on the order of its steps; the local
    optimum does not, so that units and row order leave no trace in the answer. It is compliant, and its objective
    is no lower than that of a compliant ``start`` but for a thousandth of the gap.

    Parameters
    ----------
    search : Subproblem
        The search that asks; counts the programs.
    start : ndarray (n,)
        Holdings, money.
    """
    point, margin, before = start, AIM, np.inf
    least = search.exact.objective(start) - 1e-3 * search.tolerance if search.compliant(start) else -np.inf
    for _ in range(SETTLING):
        answer = _attempt(search, search.formulation.restriction(point, search.price, margin), fine=True)
        if answer is None:
            break
        reached = search.point(answer)
        if not search.compliant(reached):
            if search.exact.headroom(reached) >= 0.0:  # a rule is missed, which no margin on capital mends
                break
            margin += AIM + 1.5 * max(-search.exact.headroom(reached), 0.0)
            continue
        moved = float(np.abs(reached - point).max()) / (search.model.space.total or 1.0)
        if search.exact.objective(reached) < least:
            break
        point = reached
        if moved < STILL or (moved < SOLVED and moved > CONTRACTING * before):
            break
        before = moved
    return point


def repair(search: Subproblem, start: Vector) -> Vector | None:
    """Return a compliant point found by first minimizing the miss of the capital limits, None if there is none.

    Parameters
    ----------
    search : Subproblem
        The search that asks; counts the programs.
    start : ndarray (n,)
        Holdings, money.
    """
    point = start
    for _ in range(ROUNDS):
        answer = _attempt(search, search.formulation.restriction(point, margin=1e-6, elastic=True))
        if answer is None:
            return None
        reached = search.point(answer)
        if search.exact.headroom(reached) >= 0.0:
            better = improve(search, reached)
            return better if better is not None else reached
        if search.exact.headroom(reached) <= search.exact.headroom(point):
            return None
        point = reached
    return None


def _attempt(search: Subproblem, assembled: Assembled, *, fine: bool = False) -> SolverResult | None:
    """Solve a restriction; None when it is infeasible or defeats the solvers, which proves nothing here."""
    try:
        answer = search.solve(assembled, fine=fine)
    except SolverFailure:
        return None
    return answer if answer.verdict is SolverStatus.SOLVED else None
