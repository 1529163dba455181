"""What each rule costs: multipliers of the convex program around the answer, in the units that are shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.arrays import Vector
from allocator.errors import SolverFailure
from allocator.model.model import Model
from allocator.model.space import Space
from allocator.model.terms import Sense
from allocator.solve.program.program import SolverResult, SolverStatus
from allocator.solve.relaxation.formulation import Assembled, Formulation
from allocator.solve.search.exact import AIM
from allocator.solve.search.search import Search
from allocator.solve.solvers.backends import SolverChain

__all__ = ["Prices", "find_prices", "prices_of"]


@dataclass(frozen=True, eq=False)
class Prices:
    """See `Solution`."""

    shadow: dict[str, Vector]
    capital: dict[str, float]
    reduced: Vector


def find_prices(search: Search, holdings: Vector) -> Prices:
    """Return the prices at the answer ``holdings``.

    Around the answer every piece is fixed and every concave part is its tangent, so the program there, its capital
    limits as tight as the answer keeps them, has the answer as its optimum and the exact problem's multipliers. The
    program minimizes −objective / scale under ``sign·left/divisor ≤ sign·right/divisor``; a multiplier y therefore
    says that one unit shown more room, ``per/divisor`` in the row, is worth ``scale · y · per / divisor``.

    Parameters
    ----------
    search : Search
        The search that found the answer.
    holdings : ndarray (n,)
        The answer, money.

    Raises
    ------
    SolverFailure
        When no solver answers the program around it.
    """
    formulation, space = search.formulation, search.model.space
    if np.array_equal(space.lower, space.upper):  # nothing can move, whatever is relaxed
        nothing = {term.name: np.zeros(len(term.right)) for term in search.model.terms}
        return Prices(nothing, {limit.name: 0.0 for limit in search.model.capital_limits}, np.zeros(space.size))
    kept = min(max(search.exact.headroom(holdings), 0.0), AIM)
    assembled = formulation.restriction(holdings, search.price, kept)
    answer = _solved(search, assembled)
    if answer.verdict is not SolverStatus.SOLVED:
        # At a kink the tangents may leave no interior; the rows a little inside do.
        assembled = formulation.restriction(holdings, search.price, margin=-1e-7)
        answer = _solved(search, assembled)
    dual = search.chain.refined(assembled.program, answer).dual
    return prices_of(search.model, formulation, assembled, dual, holdings)


def _solved(search: Search, assembled: Assembled) -> SolverResult:
    """Solve a program for its prices, by another solver where the one that was named gives none."""
    try:
        return search.chain.solve(assembled.program, search.settings.time_limit)
    except SolverFailure:
        if search.settings.solver == "auto":
            raise
        return SolverChain().solve(assembled.program, search.settings.time_limit)


def prices_of(model: Model, formulation: Formulation, assembled: Assembled, dual: Vector, holdings: Vector) -> Prices:
    """Return the multipliers of one program of ``model`` in the units that are shown.

    Terms and capital limits that the program has beyond the model's are left out.

    Parameters
    ----------
    model : Model
        The model.
    formulation : Formulation
        Of this model, or of one with further terms.
    assembled : Assembled
        The program.
    dual : ndarray (m,)
        Its multipliers, in the objective's slope.
    holdings : ndarray (n,)
        The answer, money.
    """
    plain = formulation.plain
    shadow = {term.name: np.zeros(len(term.right)) for term in model.terms}
    for rule in plain.rules:
        if rule.term.name not in shadow:
            continue
        price = plain.objective_scale * float(dual[rule.row]) * rule.per / rule.divisor
        shadow[rule.term.name][rule.index] = price if rule.term.sense is Sense.EQUAL else max(price, 0.0)
    capital: dict[str, float] = {}
    for limit, row in zip(model.capital_limits, assembled.limits, strict=True):
        capital[limit.name] = max(plain.objective_scale * float(dual[row]) / plain.scale, 0.0)
    lower, upper = (side[: model.space.size] for side in formulation.bound_multipliers(dual))
    return Prices(shadow, capital, plain.objective_scale * _settled(lower, upper, holdings, model.space))


def _settled(lower: Vector, upper: Vector, holdings: Vector, space: Space) -> Vector:
    at_lower, at_upper = holdings <= space.lower, holdings >= space.upper
    return np.where(at_lower, lower, 0.0) - np.where(at_upper, upper, 0.0)
