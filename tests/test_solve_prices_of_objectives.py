"""Prices and reduced costs of every objective against finite differences of the optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from allocator.config.settings import SolveSettings
from allocator.model import (
    ConditionalValueAtRisk,
    Expression,
    Linear,
    Model,
    ObjectiveTerm,
    Quadratic,
    RobustReturn,
    Sense,
    Term,
    TradeCost,
)
from allocator.solve import solve
from allocator.types import Source
from tests.books import book, label

TIGHT = SolveSettings(gap=1e-9, time_limit=30)
SEED = 14


def mean_of(model: Model) -> np.ndarray:
    part = model.objective[0].expression.affine()
    assert part is not None
    return np.asarray(part.matrix.toarray().ravel() * model.space.total)


def base(floor: float = 0.0) -> Model:
    """A book whose ratio binds, with a ceiling on equity, 80% of what the best return holds, and a floor on return."""
    model = book(SEED, accounts=1).model
    space, mean = model.space, mean_of(model)
    risky = np.array([float("stock" in name or name.startswith(("unlisted", "hong"))) for name in space.asset_id])
    best = solve(model)
    per = np.array([space.total])
    ceiling = Term(
        "equity_ceiling",
        label("equity ceiling"),
        Linear.of(risky),
        Sense.AT_MOST,
        np.array([0.8 * float(risky @ best.holdings)]),
        per,
        "share",
        Source("user"),
    )
    earned = Term(
        "floor",
        label("return floor"),
        Linear.of(mean),
        Sense.AT_LEAST,
        np.array([floor * float(mean @ best.holdings)]),
        per,
        "annual decimal",
        Source("user"),
    )
    return replace(model, terms=(*model.terms, ceiling, *([earned] if floor else [])))


def factors(model: Model) -> np.ndarray:
    random = np.random.default_rng(5)
    mean = mean_of(model)
    return np.vstack([2.0 * mean, random.normal(0.0, 0.01, (6, len(mean)))]) / model.space.total


def part(expression: Expression, weight: float, unit: str = "annual decimal") -> ObjectiveTerm:
    return ObjectiveTerm("part", label("part"), expression, weight, unit)


def expected_return(model: Model) -> Model:
    return model


def less_variance(model: Model) -> Model:
    size = model.space.size
    spread = Quadratic(factors(model), np.full(size, 1e-3) / model.space.total**2)
    return replace(model, objective=(*model.objective, part(spread, -3.0)))


def variance(model: Model) -> Model:
    size = model.space.size
    return replace(
        model, objective=(part(Quadratic(factors(model), np.full(size, 1e-3) / model.space.total**2), -1.0),)
    )


def surplus_variance(model: Model) -> Model:
    rows = factors(model)
    offset = 0.8 * rows @ model.space.current
    spread = Quadratic(rows, np.full(model.space.size, 1e-3) / model.space.total**2, offset=offset)
    return replace(model, objective=(part(spread, -1.0),))


def cvar(model: Model) -> Model:
    random = np.random.default_rng(6)
    mean = mean_of(model)
    returns = mean + random.normal(size=(120, 1)) * 1.5 * mean + random.normal(0, 0.02, (120, len(mean)))
    tail = ConditionalValueAtRisk(returns / model.space.total, np.full(120, 1 / 120), 0.9)
    return replace(model, objective=(part(tail, -1.0),))


def robust_box(model: Model) -> Model:
    mean = mean_of(model)
    sure = RobustReturn((mean - 0.3 * mean) / model.space.total, np.zeros(len(mean)), sparse.csr_array((0, len(mean))))
    return replace(model, objective=(part(sure, 1.0),))


def robust_ellipsoid(model: Model) -> Model:
    mean = mean_of(model)
    sure = RobustReturn(mean / model.space.total, np.zeros(len(mean)), np.diag(0.4 * mean) / model.space.total)
    return replace(model, objective=(part(sure, 1.0),))


def after_costs(model: Model) -> Model:
    space = model.space
    rate = np.full(space.size, 0.01)
    held = np.where(np.arange(space.size) % 3 == 0, 0.0, space.current)
    cost = TradeCost(rate, rate, np.zeros(space.size), held, space.lower, space.upper)
    return replace(model, objective=(*model.objective, part(cost, -1.0 / space.total)), cost=cost)


def capital(model: Model) -> Model:
    return replace(model, objective=(), capital_weight=1.0, capital_limits=())


def return_on_capital(model: Model) -> Model:
    earned = part(Linear.of(mean_of(model)), 1.0, "CNY a year")
    return replace(model, objective=(earned,), per_capital=True)


def moved(model: Model, name: str, step: float) -> Model:
    terms = tuple(
        replace(term, right=term.right + step * term.per) if term.name == name else term for term in model.terms
    )
    return replace(model, terms=terms)


MAXIMIZED = [expected_return, less_variance, robust_box, robust_ellipsoid, after_costs, return_on_capital]
MINIMIZED = [variance, surplus_variance, cvar, capital]
FLOORED = [*MINIMIZED, return_on_capital]


@pytest.mark.parametrize("aim", [*MAXIMIZED, *MINIMIZED], ids=lambda aim: aim.__name__)
def test_prices_are_the_slopes_of_the_optimum(aim: Callable[[Model], Model]) -> None:
    model = aim(base(0.9 if aim in FLOORED else 0.0))
    answer = solve(model, TIGHT)
    priced = 0
    step = 2e-4
    for term in model.terms:
        sign = -1.0 if term.sense is Sense.AT_LEAST else 1.0
        loose, tight = (solve(moved(model, term.name, way * sign * step), TIGHT).objective for way in (1, -1))
        slopes = sorted([(loose - answer.objective) / step, (answer.objective - tight) / step])
        price = float(answer.shadow_prices[term.name][0])
        noise = 2e-3 * max(map(abs, slopes)) + 1e-5 * max(abs(answer.objective), 1e-4) / step * 0.01
        # At a kink any price between the one-sided slopes is right.
        assert slopes[0] - noise <= price <= slopes[1] + noise, (term.name, slopes, price)
        priced += abs(price) > noise
    assert priced >= 2


@pytest.mark.parametrize("aim", [*MAXIMIZED, *MINIMIZED], ids=lambda aim: aim.__name__)
def test_a_reduced_cost_is_the_slope_of_being_made_to_hold_the_row(aim: Callable[[Model], Model]) -> None:
    model = aim(base(0.9 if aim in FLOORED else 0.0))
    space = model.space
    answer = solve(model, TIGHT)
    absent = np.flatnonzero((answer.holdings == 0.0) & (answer.reduced_costs > 0))
    assert absent.size
    # A row that is not held today either: what is charged for buying it counts in full.
    unheld = absent[model.cost.reference[absent] == 0.0]
    among = unheld if unheld.size else absent
    row = int(among[np.argmax(answer.reduced_costs[among])])
    step = 2e-4
    lower = space.lower.copy()
    lower[row] = step * space.total
    forced = solve(replace(model, space=replace(space, lower=lower)), TIGHT)
    slope = (answer.objective - forced.objective) / step
    assert slope == pytest.approx(answer.reduced_costs[row], rel=2e-2)
