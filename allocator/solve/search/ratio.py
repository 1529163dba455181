"""The best return on capital, gain / M, as a row of ordinary models (Dinkelbach, 1967).

With a price τ of capital, max gain(x) − τ M(x) is an ordinary model. If its bound is U and M is nowhere below m > 0,
no x has a ratio above τ + max(U, 0) / m; and an x whose objective is above zero has a ratio above τ, the next price.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import InputError, NotProven, Problem
from allocator.model.model import Model
from allocator.model.terms import Mode
from allocator.solve.search.solution import Solution
from allocator.types import Text

__all__ = ["best_ratio"]

Solver = Callable[[Model, SolveSettings], tuple[CapitalTree | None, Solution]]

ROUNDS = 20
"""Prices tried; four or five are usual."""

INSIDE = 0.2
"""Share of the gap that each of the ordinary models may leave."""

FIRST = 20.0
"""The same of the first, whose price is a guess."""

LEAST_GAP = 1e-2
"""Gap at which the least capital is sought: a thousandth of it, which only scales the last step of the bound."""


@dataclass(frozen=True, eq=False)
class _Best:
    ratio: float
    tree: CapitalTree | None
    solution: Solution


def best_ratio(model: Model, settings: SolveSettings, solve: Solver) -> tuple[CapitalTree | None, Solution]:
    """Return the answer with the highest return on capital, certified, and the tree that is exact at it.

    Parameters
    ----------
    model : Model
        With ``per_capital``.
    settings : SolveSettings
        The gap is one of the ratio; the limits hold for all of it.
    solve : callable
        Answers an ordinary model.

    Raises
    ------
    InputError
        When nothing keeps capital away from zero, or no holdings have a positive return.
    Infeasible, NotProven
        As the ordinary models.
    """
    started, total = time.perf_counter(), model.space.total
    lean = replace(model, objective=(), capital_weight=1.0, per_capital=False)
    tree, solution = solve(lean, settings.model_copy(update={"gap": max(settings.gap, LEAST_GAP)}))
    floor, nodes = -solution.bound, solution.nodes
    if floor <= 0.0:
        what = Text(
            "return on capital has no maximum: capital can fall to nothing", "资本收益率没有最大值：资本占用可降至零"
        )
        raise InputError(Problem(what, "objective"))
    price, bound, best = max(model.objective_value(solution.holdings, tree), 0.0), np.inf, None
    for number in range(ROUNDS):
        left = max(settings.time_limit - (time.perf_counter() - started), 1.0)
        # The first price is only to be raised.
        share = FIRST if number == 0 else INSIDE
        inner = {"gap": share * settings.gap * floor / total, "time_limit": left}
        try:
            tree, solution = solve(_priced(model, price), settings.model_copy(update=inner))
        except NotProven:
            if best is None:
                raise
            break
        nodes += solution.nodes
        bound = min(bound, price + max(solution.bound, 0.0) * total / floor)
        ratio = model.objective_value(solution.holdings, tree)
        if best is None or ratio > best.ratio:
            best = _Best(ratio, tree, solution)
        if bound - best.ratio <= settings.gap or ratio <= price or time.perf_counter() - started > settings.time_limit:
            break
        price = ratio
    assert best is not None
    if best.ratio <= 0.0:
        what = Text("return on capital needs a positive return", "资本收益率目标要求收益为正")
        raise InputError(Problem(what, "objective", got=f"{best.ratio:.6g}"))
    return best.tree, _solution(model, best, max(bound, best.ratio), nodes, settings, time.perf_counter() - started)


def _priced(model: Model, price: float) -> Model:
    """Return the model that maximizes gain less ``price`` a unit of capital, both as a share of all holdings."""
    total = model.space.total
    objective = tuple(replace(part, weight=part.weight / total, unit="annual decimal") for part in model.objective)
    terms = tuple(replace(x, price=x.price / total) if x.mode is Mode.SOFT else x for x in model.terms)
    return replace(model, objective=objective, terms=terms, capital_weight=price / total, per_capital=False)


def _solution(model: Model, best: _Best, bound: float, nodes: int, settings: SolveSettings, seconds: float) -> Solution:
    """Return the answer in terms of the ratio, whose slope is 1 / M times that of gain − τ M."""
    found = best.solution
    slope = model.space.total / model.module(found.holdings, best.tree)
    return replace(
        found,
        status="optimal" if bound - best.ratio <= settings.gap else "feasible",
        objective=best.ratio,
        bound=bound,
        gap=bound - best.ratio,
        nodes=nodes,
        seconds=seconds,
        shadow_prices={name: slope * price for name, price in found.shadow_prices.items()},
        capital_prices={name: slope * price for name, price in found.capital_prices.items()},
        reduced_costs=slope * found.reduced_costs,
    )
