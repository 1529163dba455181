"""A curve's own epigraph and what cvxpy makes of it are one function: same optimum, same value."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator.model import ConditionalValueAtRisk, Linear, Quadratic, RobustReturn, TradeCost
from allocator.model.combination import Combination
from allocator.model.epigraph import Epigraph

SIZE = 4


def draw(seed: int) -> tuple[Quadratic, TradeCost, Linear, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.uniform(0.0, 2.0, SIZE)
    variance = Quadratic(rng.normal(size=(2, SIZE)), rng.choice([0.0, 0.5], SIZE), reference, rng.normal(size=2))
    cost = TradeCost(rng.uniform(0, 1, SIZE), rng.choice([0.0, 0.3], SIZE), rng.choice([0.0, 0.7], SIZE), reference)
    return variance, cost, Linear.of(rng.normal(size=SIZE), rng.normal()), rng.uniform(0.0, 3.0, SIZE)


def least(found: Epigraph, held: np.ndarray) -> float:
    """Return the function's value at ``held`` by its definition: the least over its own columns."""
    if not len(found.price):
        return float(found.direct @ held) + found.constant
    own = cp.Variable(len(found.price))
    rules = [found.inputs @ held + found.outputs @ own == found.right] if len(found.right) else []
    rules += [cp.SOC(own[columns[0]], own[columns[1:]]) for columns in found.cones]
    if found.positive.any():
        rules.append(own[np.flatnonzero(found.positive)] >= 0)
    worth = found.price @ own + cp.sum(cp.multiply(found.square, cp.square(own)))
    # The yardstick must be finer than what it measures: the solver's own tolerances leave 1e-6 of the value.
    tight = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}
    cp.Problem(cp.Minimize(worth), rules).solve(solver=cp.CLARABEL, **tight)
    return float(worth.value) + float(found.direct @ held) + found.constant


@given(st.integers(0, 10_000))
def test_the_epigraph_is_the_function(seed: int) -> None:
    variance, cost, linear, held = draw(seed)
    mixed = Combination(((2.0, variance), (0.5, cost), (-1.0, linear)))
    for expression in (variance, cost, mixed):
        found = expression.epigraph(1.0)
        assert found is not None
        assert least(found, held) == pytest.approx(float(expression.value(held)[0]), rel=1e-8, abs=1e-6)


@given(st.integers(0, 10_000))
def test_the_epigraph_of_a_tail_mean_is_the_tail_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns, probability = rng.normal(size=(12, SIZE)), rng.dirichlet(np.ones(12))
    tail = ConditionalValueAtRisk(returns, probability, rng.uniform(0.5, 0.95), rng.normal(size=12))
    held = rng.uniform(0.0, 3.0, SIZE)
    found = tail.epigraph(1.0)
    assert found is not None
    assert least(found, held) == pytest.approx(float(tail.value(held)[0]), abs=1e-6)
    assert tail.epigraph(-1.0) is None


def robust(seed: int) -> tuple[RobustReturn, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, SIZE)) * rng.choice([0.0, 1.0], (3, SIZE))
    return RobustReturn(rng.normal(size=SIZE), rng.choice([0.0, 0.5], SIZE), root), rng.uniform(-1.0, 3.0, SIZE)


@given(st.integers(0, 10_000))
def test_the_epigraph_of_a_robust_return_is_its_loss(seed: int) -> None:
    part, held = robust(seed)
    found = part.epigraph(-1.0)
    assert found is not None
    assert least(found, held) == pytest.approx(-float(part.value(held)[0]), abs=1e-6)
    assert part.epigraph(1.0) is None


def test_a_robust_return_in_a_sum_keeps_its_cone() -> None:
    """Two cones and a variance: what stands in the sum is moved behind what stood there."""
    (one, held), (other, _), (variance, _, linear, _) = robust(3), robust(4), draw(5)
    mixed = Combination(((1.5, one), (-1.0, variance), (2.0, other), (1.0, linear)))
    found = mixed.epigraph(-1.0)
    assert found is not None
    assert len(found.cones) == 2
    assert least(found, held) == pytest.approx(-float(mixed.value(held)[0]), rel=1e-8, abs=1e-6)


@given(st.integers(0, 10_000))
def test_a_row_that_can_only_be_bought_or_sold_costs_the_same_without_a_kink(seed: int) -> None:
    _, cost, _, _ = draw(seed)
    rng = np.random.default_rng(seed)
    way = rng.integers(-1, 2, SIZE)
    lower = np.where(way > 0, cost.reference, 0.0)
    upper = np.where(way < 0, cost.reference, 5.0)
    held = rng.uniform(lower, upper)
    bounded = replace(cost, least=lower, greatest=upper)
    found, free = bounded.epigraph(1.0), cost.epigraph(1.0)
    assert found is not None
    assert free is not None
    assert least(found, held) == pytest.approx(float(cost.value(held)[0]), abs=1e-6)
    # Two signed columns for a row that moves either way, one or none for the others.
    assert found.positive.sum() == 2 * (way[(cost.buy > 0) | (cost.sell > 0) | (cost.quadratic > 0)] == 0).sum()


def test_what_curves_the_wrong_way_is_left_to_be_refused() -> None:
    variance, cost, linear, _ = draw(1)
    assert variance.epigraph(-1.0) is None
    assert cost.epigraph(-1.0) is None
    assert Combination(((-1.0, variance), (1.0, linear))).epigraph(1.0) is None
    assert Combination(((-1.0, variance), (1.0, linear))).epigraph(-1.0) is not None


def test_a_function_of_fewer_rows_ignores_the_further_ones() -> None:
    variance, _, _, held = draw(2)
    found = variance.epigraph(1.0)
    assert found is not None
    wide = found.widened(2)
    assert least(wide, np.append(held, [5.0, 7.0])) == pytest.approx(float(variance.value(held)[0]), abs=1e-6)
