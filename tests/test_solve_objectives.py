"""Objectives beyond the mean: tail losses, means that are only roughly known, assets against liabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from allocator.config.settings import SolveSettings
from allocator.model import (
    ConditionalValueAtRisk,
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
from allocator.solve.program import canonical
from allocator.types import Source
from tests.books import book, build_model, label
from tests.small_models import space_of

USER = Source("user")


def minimized(part: object, size: int, weight: float = -1.0) -> Model:
    space = space_of([100.0 / size] * size)
    term = ObjectiveTerm("part", label("part"), part, weight)  # type: ignore[arg-type]
    return replace(build_model(space, np.zeros(size), None), objective=(term,))


def test_tail_mean_of_ten_equal_scenarios_by_hand() -> None:
    # Losses 1 … 10; the worst quarter is 10, 9 and half of 8: (10 + 9 + 4) / 2.5.
    tail = ConditionalValueAtRisk(-np.arange(1.0, 11.0)[:, None], np.full(10, 0.1), 0.75)
    assert tail.value(np.array([1.0]))[0] == pytest.approx(23 / 2.5)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_tail_mean_is_the_least_of_its_dual_and_convex(seed: int) -> None:
    random = np.random.default_rng(seed)
    returns, probability = random.normal(size=(20, 3)), random.dirichlet(np.ones(20))
    tail = ConditionalValueAtRisk(returns, probability, 0.8)
    first, second = random.normal(size=(2, 3))
    losses = -returns @ first
    by_definition = min(t + probability @ np.maximum(losses - t, 0.0) / 0.2 for t in losses)
    assert tail.value(first)[0] == pytest.approx(by_definition, abs=1e-12)
    middle = tail.value((first + second) / 2)[0]
    assert middle <= (tail.value(first)[0] + tail.value(second)[0]) / 2 + 1e-12
    # The gradient is a subgradient.
    slope = tail.gradient(first).toarray()[0]
    assert tail.value(second)[0] >= tail.value(first)[0] + slope @ (second - first) - 1e-12


def test_least_tail_mean_matches_the_linear_program_written_out() -> None:
    random = np.random.default_rng(3)
    size, count, alpha = 6, 60, 0.9
    returns = random.normal(0.02, 0.1, size=(count, size))
    model = minimized(ConditionalValueAtRisk(returns / 100.0, np.full(count, 1 / count), alpha), size)
    answer = solve(model)
    # Variables: weights, quantile, excesses.
    cost = np.concatenate([np.zeros(size), [1.0], np.full(count, 1 / count / (1 - alpha))])
    rows = np.hstack([-returns, -np.ones((count, 1)), -np.eye(count)])
    budget = np.concatenate([np.ones(size), np.zeros(1 + count)])[None, :]
    bounds = [(0, None)] * size + [(None, None)] + [(0, None)] * count
    best = linprog(cost, A_ub=rows, b_ub=np.zeros(count), A_eq=budget, b_eq=[1.0], bounds=bounds)
    assert -answer.objective == pytest.approx(best.fun, abs=1e-8)


def test_robust_return_by_hand() -> None:
    part = RobustReturn(np.array([0.05, 0.03]), np.array([0.01, 0.0]), np.array([[0.0, 0.3], [0.4, 0.0]]))
    # 0.05·1 + 0.03·(−1) − 0.01·1 − ‖(−0.3, 0.4)‖
    assert part.value(np.array([1.0, -1.0]))[0] == pytest.approx(0.01 - 0.5)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_no_mean_of_the_set_earns_less_than_the_robust_return(seed: int) -> None:
    random = np.random.default_rng(seed)
    expected, box, root = random.normal(size=4), random.random(4), random.normal(size=(3, 4))
    part = RobustReturn(expected, box, root)
    holdings = random.normal(size=4)
    inside = random.normal(size=3)
    mean = expected + box * random.uniform(-1, 1, 4) + root.T @ (inside / max(1.0, float(np.linalg.norm(inside))))
    assert mean @ holdings >= part.value(holdings)[0] - 1e-12


def test_a_wide_box_keeps_the_unknown_asset_out() -> None:
    # 6% ± 4 points against 3% known: the worst case of the unknown one is 2%.
    expected = np.array([0.06, 0.03]) / 100.0
    for width, held in ((0.04, 0.0), (0.02, 100.0)):
        part = RobustReturn(expected, np.array([width, 0.0]) / 100.0, np.zeros((0, 2)))
        assert solve(minimized(part, 2, 1.0)).holdings[0] == pytest.approx(held, abs=1e-6)


def test_an_ellipsoid_spreads_what_a_point_estimate_would_pile_up() -> None:
    # Two like assets, errors independent: max 0.05 − r ‖w‖ is reached at equal weights.
    part = RobustReturn(np.full(2, 0.05) / 100.0, np.zeros(2), 0.1 * np.eye(2) / 100.0)
    answer = solve(minimized(part, 2, 1.0))
    np.testing.assert_allclose(answer.holdings, [50.0, 50.0], atol=1e-8)
    assert answer.objective == pytest.approx(0.05 - 0.1 * np.sqrt(0.5), abs=1e-12)


@pytest.mark.parametrize("as_rule", [False, True])
def test_a_robust_return_is_the_same_program_without_canonicalising(
    as_rule: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an objective and as a floor on it beside a variance, under a solvency ratio, with trading costs."""
    case = book(4, accounts=1)
    model, size = case.model, case.model.space.size
    random = np.random.default_rng(1)
    expected = model.objective[0].expression.gradient(model.space.current).toarray()[0]
    root = random.normal(size=(3, size)) * 0.01 / model.space.total
    part = RobustReturn(expected, random.choice([0.0, 0.002], size) / model.space.total, root)
    aim = ObjectiveTerm("robust", label("robust"), part)
    variance = ObjectiveTerm("risk", label("risk"), Quadratic(root, np.full(size, 1e-4 / model.space.total**2)), -1.0)
    zero = np.zeros(size)
    cost = TradeCost(zero + 1e-3, zero + 1e-3, zero, model.space.current)
    model = replace(model, objective=(aim, variance), cost=cost)
    if as_rule:
        best = solve(replace(model, objective=(aim,))).objective
        floor = Term("floor", label("floor"), part, Sense.AT_LEAST, np.array([best - 1e-3]), np.ones(1), "share", USER)
        model = replace(model, objective=(variance,), terms=(*model.terms, floor))
    with monkeypatch.context() as patched:
        patched.setattr(RobustReturn, "epigraph", lambda self, sign: None)
        other = solve(model)
    monkeypatch.setattr(canonical, "_by_cvxpy", None)
    answer = solve(model)
    np.testing.assert_allclose(answer.holdings / model.space.total, other.holdings / model.space.total, atol=1e-6)
    assert answer.objective == pytest.approx(other.objective, abs=1e-9)


def test_surplus_variance_holds_the_asset_that_moves_with_the_liabilities() -> None:
    # One factor moves asset 0 and the liabilities (80 of it); asset 1 is cash: the least variance holds 80.
    factors = np.array([[0.1, 0.0]]) / 100.0
    part = Quadratic(factors, np.zeros(2), reference=np.array([80.0, 0.0]))
    answer = solve(minimized(part, 2))
    assert answer.holdings[0] == pytest.approx(80.0, abs=1e-2)
    assert -answer.objective == pytest.approx(0.0, abs=1e-9)


def test_tail_risk_under_a_solvency_ratio_keeps_both() -> None:
    case = book(12)
    space = case.model.space
    random = np.random.default_rng(0)
    expected = case.model.objective[0].expression.gradient(space.current).toarray()[0]
    scenarios = expected + random.normal(0.0, 0.05, size=(80, space.size)) / space.total
    tail = ObjectiveTerm("tail", label("tail"), ConditionalValueAtRisk(scenarios, np.full(80, 1 / 80), 0.9), -0.3)
    zero = np.zeros(space.size)
    model = replace(
        case.model,
        objective=(*case.model.objective, tail),
        cost=TradeCost(zero + 1e-3, zero + 1e-3, zero, space.current),
    )
    answer = solve(model, SolveSettings(gap=1e-5))
    assert answer.status == "optimal"
    assert model.tree is not None
    limit = model.capital_limits[0]
    cost = float(model.cost.value(answer.holdings)[0])
    assert (limit.available - cost) / model.tree.value(answer.holdings) >= limit.multiplier - 1e-7
    assert answer.objective == pytest.approx(
        expected @ answer.holdings - 0.3 * tail.expression.value(answer.holdings)[0], abs=1e-12
    )
    assert isinstance(model.objective[0].expression, Linear)
