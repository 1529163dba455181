"""The optimizer on other trees, other units, other orders, and without a tree."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from allocator.capital import Absolute, Aggregate, CapitalTree, Leaf, Maximum, WeightedSum, correlation_matrix
from allocator.config.settings import SolveSettings
from allocator.model import Linear, Model, ObjectiveTerm, Quadratic, Sense, Space, Term, TradeCost
from allocator.model.model import CapitalLimit
from allocator.solve import solve
from allocator.types import Source
from tests.books import Book, book, build_model, label
from tests.small_models import space_of

DATA = Path(os.environ.get("ALLOCATOR_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def solvency_two(duration_gap: float) -> Model:
    """A market module in the shape of Solvency II's standard formula over four rows.

    Rate risk is the larger of up and down; rate–equity and rate–spread correlate by 0 when up binds and by
    0.5 when down does (Delegated Regulation (EU) 2015/35, article 164); equity is charged 0.39.
    """
    order = ("rate", "equity", "spread", "currency")
    common = {
        ("equity", "spread"): 0.75,
        ("rate", "currency"): 0.25,
        ("equity", "currency"): 0.25,
        ("spread", "currency"): 0.25,
    }
    binds_up = correlation_matrix(order, common)
    binds_down = correlation_matrix(order, {**common, ("rate", "equity"): 0.5, ("rate", "spread"): 0.5})
    rows = np.array(
        [
            [0.02 * 8.0, 0.02 * 4.0, 0.0, 0.0],
            [-0.01 * 8.0, -0.01 * 4.0, 0.0, 0.0],
            [0.0, 0.0, 0.39, 0.0],
            [0.0, 0.05, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    constants = np.array([-0.02 * duration_gap, 0.01 * duration_gap, 0.0, 0.0, -5.0])
    up, down, equity, spread, open_ = (
        Leaf(name, label(name), row=row) for row, name in enumerate(("up", "down", "equity", "spread", "open"))
    )
    rate = Maximum("rate", label("rate"), children=(up, down))
    position = Absolute("position", label("position"), children=(open_,))
    currency = WeightedSum("currency", label("currency"), children=(position,), weights=(0.25,))
    market = Aggregate(
        "market",
        label("market"),
        children=(rate, equity, spread, currency),
        correlations=(binds_up, binds_down),
        selector=0,
    )
    tree = CapitalTree(market, sparse.csr_array(rows), constants)
    limit = CapitalLimit("scr", label("SCR ratio"), "market", 1.5, 18.0)
    return build_model(space_of([40.0, 30.0, 20.0, 10.0]), np.array([0.020, 0.031, 0.07, 0.045]), tree, (limit,))


@pytest.mark.parametrize("gap", [300.0, 450.0, 600.0, 700.0])
def test_a_correlation_that_depends_on_the_binding_scenario_is_exact(gap: float) -> None:
    model = solvency_two(gap)
    assert model.tree is not None
    answer = solve(model)
    assert answer.status == "optimal"
    assert 18.0 / model.tree.value(answer.holdings) >= 1.5 - 1e-7
    # No point of a fine grid that complies earns more than the certified bound.
    expected = np.array([0.020, 0.031, 0.07, 0.045])
    best = -np.inf
    steps = np.linspace(0.0, 1.0, 21)
    for first in steps:
        for second in steps[steps <= 1.0 - first + 1e-12]:
            for third in steps[steps <= 1.0 - first - second + 1e-12]:
                point = 100.0 * np.array([first, second, third, max(1.0 - first - second - third, 0.0)])
                if 18.0 / model.tree.value(point) >= 1.5:
                    best = max(best, float(expected @ point) / 100.0)
    assert best <= answer.bound + 1e-12
    assert answer.objective >= best - 1e-9


def permuted(case: Book, order: np.ndarray) -> Model:
    """The same book with its rows in another order."""
    model, space = case.model, case.model.space
    assert model.tree is not None
    tree = CapitalTree(model.tree.root, sparse.csr_array(model.tree.coefficients[:, order]), model.tree.constants)
    turned = Space(
        space.asset_id[order],
        space.account[order],
        space.current[order],
        space.lower[order],
        space.upper[order],
        space.funded[order],
        space.linear_cost[order],
        space.total,
    )
    part = model.objective[0].expression.affine()
    assert part is not None
    return build_model(turned, part.matrix.toarray().ravel()[order] * space.total, tree, model.capital_limits)


def in_unit(case: Book, unit: float) -> Model:
    """The same book with money counted in ``unit`` CNY."""
    model, space = case.model, case.model.space
    assert model.tree is not None
    tree = CapitalTree(model.tree.root, model.tree.coefficients, model.tree.constants / unit)
    small = replace(
        space,
        current=space.current / unit,
        lower=space.lower / unit,
        upper=space.upper / unit,
        total=space.total / unit,
    )
    part = model.objective[0].expression.affine()
    assert part is not None
    limits = tuple(replace(limit, available=limit.available / unit) for limit in model.capital_limits)
    return build_model(small, part.matrix.toarray().ravel() * space.total, tree, limits)


@pytest.mark.parametrize("seed", [1, 12, 25])
def test_the_answer_does_not_depend_on_row_order_or_unit(seed: int) -> None:
    case = book(seed)
    total = case.model.space.total
    settings = SolveSettings(gap=1e-8)
    plain = solve(case.model, settings)
    order = np.random.default_rng(0).permutation(case.model.space.size)
    turned = solve(permuted(case, order), settings)
    assert turned.objective == pytest.approx(plain.objective, abs=1e-6)
    np.testing.assert_allclose(turned.holdings / total, plain.holdings[order] / total, atol=1e-6)
    small = solve(in_unit(case, 1e8), settings)
    assert small.objective == pytest.approx(plain.objective, abs=1e-6)
    np.testing.assert_allclose(small.holdings * 1e8 / total, plain.holdings / total, atol=1e-6)
    assert small.capital_prices["comprehensive"] / 1e8 == pytest.approx(plain.capital_prices["comprehensive"], rel=1e-3)


def test_return_on_capital_is_the_best_ratio_of_a_fine_grid() -> None:
    model = solvency_two(600.0)
    assert model.tree is not None
    expected = np.array([0.020, 0.031, 0.07, 0.045])
    part = ObjectiveTerm("expected_return", label("return"), Linear.of(expected), unit="CNY a year")
    answer = solve(replace(model, objective=(part,), capital_limits=(), per_capital=True))
    assert answer.objective == pytest.approx(expected @ answer.holdings / model.tree.value(answer.holdings), rel=1e-12)
    grid = np.linspace(0.0, 1.0, 21)
    best = 0.0
    for first in grid:
        for second in grid[grid <= 1.0 - first + 1e-12]:
            for third in grid[grid <= 1.0 - first - second + 1e-12]:
                point = 100.0 * np.array([first, second, third, max(1.0 - first - second - third, 0.0)])
                best = max(best, float(expected @ point) / model.tree.value(point))
    assert best <= answer.bound
    assert answer.objective >= best - 1e-9
    assert answer.status == "optimal"


def port1(folder: Path, least_return: float) -> Model:
    """OR-Library's 31 assets: the least variance of a portfolio that earns at least so much."""
    assets = pd.read_csv(folder / "orlib_port1_assets.csv")
    correlation = pd.read_csv(folder / "orlib_port1_correlation.csv").iloc[:, 1:].to_numpy()
    mean = assets["mean_weekly_return"].to_numpy()
    deviation = assets["std_weekly_return"].to_numpy()
    values, vectors = np.linalg.eigh(correlation * np.outer(deviation, deviation))
    factors = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    zero = np.zeros(len(mean))
    space = space_of([1.0 / len(mean)] * len(mean))
    base = build_model(space, mean, None)
    variance = ObjectiveTerm("variance", label("variance"), Quadratic(factors, zero), -1.0)
    right, source = np.array([least_return]), Source("user")
    floor = Term(
        "return", label("return"), Linear.of(mean), Sense.AT_LEAST, right, np.ones(1), "weekly decimal", source
    )
    return Model(space, (variance,), (*base.terms, floor), TradeCost(zero, zero, zero, space.current))


def test_or_library_port1_frontier_is_reproduced() -> None:
    folder = DATA / "benchmarks"
    if not folder.exists():
        pytest.skip("the OR-Library files are not here")
    frontier = pd.read_csv(folder / "orlib_port1_frontier.csv")
    for _, point in frontier.iloc[::200].iterrows():
        answer = solve(port1(folder, point["mean_return"]))
        assert -answer.objective == pytest.approx(point["variance"], abs=1e-7)
