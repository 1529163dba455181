"""Prices against finite differences of the optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.config.settings import SolveSettings
from allocator.model import Linear, Model, ObjectiveTerm, Quadratic, Sense, Term
from allocator.solve import solve
from allocator.types import Source
from tests.books import book, label

TIGHT = SolveSettings(gap=1e-8, time_limit=30)


def limited(seed: int, accounts: int) -> Model:
    """A random book with a ceiling on equity that binds, at 80% of what the free optimum holds."""
    model = book(seed, accounts=accounts).model
    risky = np.array([float("stock" in name or name.startswith(("unlisted", "hong"))) for name in model.space.asset_id])
    free = solve(model)
    ceiling = Term(
        "equity_ceiling",
        label("equity ceiling"),
        Linear.of(risky),
        Sense.AT_MOST,
        np.array([0.8 * float(risky @ free.holdings)]),
        np.array([model.space.total]),
        "share",
        Source("user"),
    )
    return replace(model, terms=(*model.terms, ceiling))


def moved(model: Model, name: str, step: float) -> Model:
    """Relax one rule by ``step`` in the unit shown."""
    terms = tuple(
        replace(term, right=term.right + step * term.per) if term.name == name else term for term in model.terms
    )
    return replace(model, terms=terms)


@pytest.mark.parametrize(("seed", "accounts"), [(1, 1), (14, 1), (29, 2)])
def test_prices_are_the_slopes_of_the_optimum(seed: int, accounts: int) -> None:
    model = limited(seed, accounts)
    answer = solve(model, TIGHT)
    step = 5e-4
    for term in model.terms:
        up, down = (solve(moved(model, term.name, way * step), TIGHT).objective for way in (1, -1))
        slopes = sorted([(up - answer.objective) / step, (answer.objective - down) / step])
        # At a kink any price between the one-sided slopes is right.
        assert slopes[0] - 2e-4 <= answer.shadow_prices[term.name][0] <= slopes[1] + 2e-4, term.name
    limit = model.capital_limits[0]
    amount = 5e-4 * model.space.total
    up, down = (
        solve(
            replace(model, capital_limits=(replace(limit, available=limit.available + way * amount),)), TIGHT
        ).objective
        for way in (1, -1)
    )
    slopes = sorted([(up - answer.objective) / amount, (answer.objective - down) / amount])
    price = answer.capital_prices["comprehensive"]
    assert price > 0
    assert slopes[0] - 2e-4 / model.space.total <= price <= slopes[1] + 2e-4 / model.space.total


@pytest.mark.parametrize("seed", [1, 14])
def test_a_reduced_cost_is_what_a_row_lacks_to_be_held(seed: int) -> None:
    model = book(seed, accounts=1).model
    answer = solve(model, TIGHT)
    absent = np.flatnonzero((answer.holdings == 0.0) & (answer.reduced_costs > 1e-4))
    row = int(absent[np.argmin(answer.reduced_costs[absent])])
    for factor, held in ((0.95, False), (1.05, True)):
        gain = np.zeros(model.space.size)
        gain[row] = factor * answer.reduced_costs[row] / model.space.total
        bonus = ObjectiveTerm("bonus", label("bonus"), Linear.of(gain))
        richer = solve(replace(model, objective=(*model.objective, bonus)), TIGHT)
        assert (richer.holdings[row] > 1e-6 * model.space.total) == held


def test_prices_of_a_curved_rule_and_a_floor_have_the_right_sign() -> None:
    # max 0.02 w0 + 0.06 w1 under a variance of at most 0.0064 = 0.04 w1² + 0.01 w0² … with w0 + w1 = 1.
    model = book(1, accounts=1).model
    base = replace(model, capital_limits=())
    size, total = base.space.size, base.space.total
    spread = Quadratic(np.zeros((0, size)), np.linspace(0.0, 0.05, size) / total**2)
    free = float(spread.value(solve(base).holdings)[0])
    rule = Term(
        "variance",
        label("variance"),
        spread,
        Sense.AT_MOST,
        np.array([0.5 * free]),
        np.ones(1),
        "annual variance",
        Source("user"),
    )
    tight = replace(base, terms=(*base.terms, rule))
    answer = solve(tight, TIGHT)
    step = 1e-3 * free
    up, down = (solve(moved(tight, "variance", way * step), TIGHT).objective for way in (1, -1))
    assert answer.shadow_prices["variance"][0] == pytest.approx((up - down) / (2 * step), rel=2e-2)
