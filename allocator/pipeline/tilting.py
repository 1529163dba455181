"""From an untilted optimum to a steered one: rewards and floors in one solve, ranks and budgets one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from allocator.arrays import Vector
from allocator.config.settings import SolveSettings
from allocator.errors import InputError, Problem
from allocator.model.combination import Combination
from allocator.model.expressions import Expression, Linear
from allocator.model.model import CapitalLimit, Model
from allocator.model.position import CapitalPosition
from allocator.model.terms import Sense, Term
from allocator.model.tilts import Budget, Floor, Rank, Tilt
from allocator.result.result import TiltPrice
from allocator.solve.search.exact import Exact
from allocator.solve.search.solution import Solution, Solved
from allocator.types import Text

__all__ = ["alone_or_together", "price", "apply_tilts"]


SCORE_SLACK = 1e-9
"""How much of a score already gained a later budget may give back: below what a solver resolves."""


BUDGETS = (":objective", ":expected_return")
"""Endings of the names of the terms that keep a budget."""

ROUGH = 1e-2
"""Gap at which a highest score is sought first, a share: its prices say how fine a gap means anything."""


Solver = Callable[[Model, SolveSettings], Solved]


def apply_tilts(
    untilted: Solved, tilts: Sequence[Tilt], solve: Solver, settings: SolveSettings, expected_return: Vector
) -> Solved:
    """Return the optimum under all tilts.

    Rewards and floors enter the model together. Ranks come before the objective, in the order given, each as high
    as it goes without giving back what an earlier one keeps. Budgets follow in the order given, each gaining as
    much score as it buys; with x⁰ the optimum so far

        maximize s′x / T  subject to  objective(x) ≥ objective(x⁰) − cost,  μ′x / T ≥ μ′x⁰ / T − expected_return,
                                      minimum capital(x) ≤ minimum capital(x⁰) + capital.

    After each, the objective itself is maximized once more under the scores gained, so that no tilt costs more
    than its score needs. What ``solve.gap`` leaves open of the objective leaves open of the score what that much
    objective buys: a highest score is proven to that.

    Parameters
    ----------
    untilted : Solved
        The optimum without any tilt.
    tilts : sequence of Tilt
        In the order of the fund file.
    solve : callable
        Model and settings in, answer out.
    settings : SolveSettings
        Of the fund.
    expected_return : ndarray (n,)
        μ, annual decimal.

    Raises
    ------
    InputError
        For a budget of ``cost`` where the objective is no annual return.
    """
    model = untilted.model
    for tilt in tilts:
        model = tilt.apply_tilts(model)
    gap = np.nan
    for tilt in tilts:
        if isinstance(tilt.mode, Rank):
            highest = _highest(tilt.highest(model), solve, settings)
            gap = highest.gap
            model = _keep(model, tilt, tilt.mode.keep * tilt.of(model, highest.holdings))
    best = untilted if model is untilted.model else replace(solve(model, settings), score_gap=gap)
    for tilt in tilts:
        if isinstance(tilt.mode, Budget):
            start = best.solution.holdings
            stage, within = _stages(model, start, tilt, tilt.mode, expected_return)
            highest = _highest(stage, solve, settings)
            gained = tilt.of(model, highest.holdings)
            model = _keep(model, tilt, gained)
            best = replace(solve(_keep(within, tilt, gained), settings), score_gap=highest.gap)
    return best


def alone_or_together(
    untilted: Solved, tilted: Solved, tilts: Sequence[Tilt], steer_by: Callable[[Solved, Sequence[Tilt]], Solved]
) -> list[tuple[Solved, Tilt | None]]:
    """Return the optimum of each tilt alone, and of all of them together (tilt None), to be priced.

    A floor that the untilted optimum already meets changes nothing by itself and is not solved for.

    Parameters
    ----------
    untilted, tilted : Solved
        The optimum without any tilt, and under all of them.
    tilts : sequence of Tilt
        In the order of the fund file.
    steer_by : callable
        ``steer_by(untilted, tilts)``: the optimum under some of them.
    """
    if not tilts:
        return []
    model, holdings = untilted.model, untilted.solution.holdings
    alone: list[tuple[Solved, Tilt | None]] = []
    for tilt in tilts:
        met = isinstance(tilt.mode, Floor) and tilt.apply_tilts(model).terms[-1].holds(holdings)
        only = tilted if len(tilts) == 1 else untilted if met else steer_by(untilted, [tilt])
        alone.append((only, tilt))
    return [*alone, (tilted, None)]


def price(
    untilted: Solved,
    tilted: Solved,
    tilt: Tilt | None,
    capital: Callable[[Vector], CapitalPosition | None],
    expected_return: Vector,
) -> TiltPrice:
    """Return what a steered optimum costs against the untilted one; tilt None is all of them together.

    Parameters
    ----------
    untilted, tilted : Solved
        The two optima.
    tilt : Tilt or None
        The tilt; None for all of them together.
    capital : callable
        ``capital(holdings)``: the exact capital at holdings (n,), None without a regime.
    expected_return : ndarray (n,)
        μ, annual decimal.
    """
    model, base, moved = untilted.model, untilted.solution.holdings, tilted.solution.holdings
    before, after = capital(base), capital(moved)
    own = Exact(model)
    scores = [np.nan, np.nan, np.nan]
    if tilt is not None:
        scores = [tilt.before(model), tilt.of(model, moved), tilt.of(model, base)]
    return TiltPrice(
        name="all" if tilt is None else tilt.spec.name,
        mode="" if tilt is None else tilt.mode.mode,
        score_before=scores[0],
        score_after=scores[1],
        return_given_up=float(expected_return @ (base - moved)) / model.space.total,
        capital_used=after.minimum_capital - before.minimum_capital if before and after else np.nan,
        ratio_change=after.principal_ratio - before.principal_ratio if before and after else np.nan,
        score_untilted=scores[2],
        objective_given_up=own.objective(base) - own.objective(moved),
        moved=moved - base,
        score_gap=np.nan if tilt is None else tilted.score_gap,
    )


def _highest(stage: Model, solve: Solver, settings: SolveSettings) -> Solution:
    """Return the highest score, proven to what ``solve.gap`` of the objective buys by the price of the budget."""
    rough = solve(stage, settings.model_copy(update={"gap": max(ROUGH, settings.gap)})).solution
    bought = [float(rough.shadow_prices[term.name][0]) for term in stage.terms if term.name.endswith(BUDGETS)]
    allowed = settings.gap * max([1.0, *bought])
    return rough if rough.gap <= allowed else solve(stage, settings.model_copy(update={"gap": allowed})).solution


def _stages(model: Model, start: Vector, tilt: Tilt, budget: Budget, expected_return: Vector) -> tuple[Model, Model]:
    """Return the model that seeks the score within the budget, and the one that then maximizes the objective."""
    within = _within(model, start, tilt, budget, expected_return)
    stage = tilt.highest(within)
    if budget.cost is not None:
        stage = replace(stage, terms=(*stage.terms, _objective_floor(model, start, tilt, budget.cost)))
    return stage, within


def _keep(model: Model, tilt: Tilt, score: float) -> Model:
    return replace(model, terms=(*model.terms, tilt.term(model, score - SCORE_SLACK)))


def _within(model: Model, start: Vector, tilt: Tilt, budget: Budget, expected_return: Vector) -> Model:
    """Return the model that keeps the budget's expected return and capital, which its objective does not."""
    name, label = f"tilt:{tilt.spec.name}", tilt.spec.label
    if budget.expected_return is not None:
        left = Linear.of(expected_return / model.space.total)
        kept = _floor(f"{name}{BUDGETS[1]}", label, left, start, budget.expected_return, tilt)
        model = replace(model, terms=(*model.terms, kept))
    if budget.capital is not None and model.tree is not None:
        ceiling = model.tree.value(start) + budget.capital
        limit = CapitalLimit(name, label, model.tree.root.name, 1.0, ceiling, 0.0)
        model = replace(model, capital_limits=(*model.capital_limits, limit))
    return model


def _objective_floor(model: Model, start: Vector, tilt: Tilt, cost: float) -> Term:
    if model.per_capital or model.capital_weight:
        raise InputError(
            Problem(
                Text(
                    "a tilt's budget of cost needs an objective in annual return",
                    "以 cost 表示的预算要求目标以年化收益率计量",
                ),
                f"tilts.{tilt.spec.name}.cost",
                hint=Text(
                    "give expected_return instead, or use mode reward or floor",
                    "请改用 expected_return，或采用 reward、floor 模式",
                ),
            )
        )
    objective = Combination(tuple((part.weight, part.expression) for part in model.objective))
    label = Text("Objective kept within the tilt's budget", "目标值保持在倾斜预算之内")
    return _floor(f"tilt:{tilt.spec.name}{BUDGETS[0]}", label, objective, start, cost, tilt)


def _floor(name: str, label: Text, left: Expression, start: Vector, fall: float, tilt: Tilt) -> Term:
    """Return left(x) ≥ left(x⁰) − fall."""
    least = left.value(start) - fall
    return Term(name, label, left, Sense.AT_LEAST, least, np.ones(1), "annual decimal", tilt.spec.source)
