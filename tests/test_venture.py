"""Fund cash flows, pacing and desmoothing against the papers' formulas and worked cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from allocator_venture.pacing import commitment_schedule, steady_commitment
from allocator_venture.takahashi_alexander import FundTerms, growth_curve, project
from hypothesis import given
from hypothesis import strategies as st

from allocator.model.desmoothing import autocorrelation, desmoothed

# The paper's venture parameters (L 12, B 2.5, G 13%, Y 0, RC 25% / 33.3% / 50%) on a commitment of 100.
# Its own exhibits are graphs behind a paywall and were not read. Two reproductions that know nothing of each other
# stand in for them, both worked from the paper's equations with its published parameters:
# the first is a worked table of a public study guide of private-equity pacing, with intermediate figures rounded
# to 0.01, hence its tolerance.
CALLS = (25.00, 24.98, 25.01, 12.51, 6.25, 3.13, 1.56, 0.78, 0.39, 0.20, 0.10, 0.05)
DISTRIBUTIONS = (0.00, 0.32, 1.87, 6.01, 12.69, 21.33, 30.09, 35.78, 35.01, 26.69, 14.19, 4.01)
NAVS = (25.00, 52.91, 82.93, 100.20, 106.79, 102.47, 87.26, 63.61, 37.25, 15.60, 3.55, 0.05)

# The second are the expected figures of the public implementation jzhang1223/CBA (Tests/FundModelTest.py): the same
# parameters on 3,500,000 with RC 25% / 33⅓% / 50% up to year 8 and no calls after it, rounded to a cent; and a fund
# with the yield at work: L 8, B 1.5, Y 6%, RC 40% / 66% / 67% / 40%.
CBA_CALLS = (875000.0, 875000.0, 875000.0, 437500.0, 218750.0, 109375.0, 54687.5, 27343.75, 0.0, 0.0, 0.0, 0.0)
CBA_DISTRIBUTIONS = (
    *(0.0, 11212.65, 65417.73, 210433.45, 444156.04, 746685.24, 1053297.05, 1252423.86),
    *(1225447.34, 924200.61, 485155.42, 133219.26),
)
CBA_NAVS = (
    *(875000.0, 1852537.35, 2902949.48, 3507399.46, 3737955.35, 3586579.31, 3054225.07, 2226194.22),
    *(1290152.13, 533671.3, 117893.15, 0.0),
)
CBA_YIELD_CALLS = (1400000.0, 1386000.0, 478380.0, 94248.0, 0.0, 0.0, 0.0, 0.0)
CBA_YIELD_DISTRIBUTIONS = (0.0, 197750.0, 718859.98, 1154560.36, 1231293.86, 925276.76, 461779.55, 115719.74)
CBA_YIELD_NAVS = (1400000.0, 2770250.0, 2889902.52, 2205277.49, 1260669.70, 499280.00, 102406.85, 0.0)


def fund(
    *, commitment: float = 100.0, paid_in: float = 0.0, nav: float = 0.0, age: int = 0, **other: float
) -> FundTerms:
    one = np.ones(1)
    return FundTerms(
        one * commitment,
        one * paid_in,
        one * nav,
        np.array([age]),
        one * other.get("life", 12.0),
        one * other.get("bow", 2.5),
        one * other.get("growth", 0.13),
        one * other.get("income", 0.0),
        np.array([[0.25, 0.333, 0.5]]),
    )


def test_the_papers_venture_parameters_give_the_worked_table() -> None:
    path = project(fund(), 12)
    np.testing.assert_allclose(path.calls[0], CALLS, atol=0.011)
    np.testing.assert_allclose(path.distributions[0], DISTRIBUTIONS, atol=0.011)
    np.testing.assert_allclose(path.nav[0], NAVS, atol=0.011)


@pytest.mark.parametrize(
    ("terms", "rates", "calls", "distributions", "navs"),
    [
        ({}, [0.25, 1 / 3, *[0.5] * 6, 0.0], CBA_CALLS, CBA_DISTRIBUTIONS, CBA_NAVS),
        (
            {"life": 8.0, "bow": 1.5, "income": 0.06},
            [0.4, 0.66, 0.67, 0.4, 0.0],
            CBA_YIELD_CALLS,
            CBA_YIELD_DISTRIBUTIONS,
            CBA_YIELD_NAVS,
        ),
    ],
)
def test_an_independent_implementation_agrees_to_the_cent(
    terms: dict[str, float],
    rates: list[float],
    calls: tuple[float, ...],
    distributions: tuple[float, ...],
    navs: tuple[float, ...],
) -> None:
    path = project(replace(fund(commitment=3_500_000.0, **terms), rates=np.array([rates])), len(calls))
    np.testing.assert_allclose(path.calls[0], calls, atol=0.01)
    np.testing.assert_allclose(path.distributions[0], distributions, atol=0.02)
    np.testing.assert_allclose(path.nav[0], navs, atol=0.02)


def test_the_first_three_years_by_hand() -> None:
    """D(2) = (2/12)^2.5 · 28.25 and D(3) = (3/12)^2.5 · NAV(2) · 1.13 = NAV(2) · 1.13 / 32."""
    path = project(fund(), 3)
    np.testing.assert_allclose(path.calls[0], [25.0, 24.975, 25.0125], rtol=1e-12)
    second = 28.25 + 24.975 - 28.25 / 36 / np.sqrt(6)
    np.testing.assert_allclose(path.distributions[0], [0.0, 28.25 / 36 / np.sqrt(6), second * 1.13 / 32], rtol=1e-12)
    np.testing.assert_allclose(path.nav[0], [25.0, second, second * 1.13 * 31 / 32 + 25.0125], rtol=1e-12)


def test_the_internal_rate_of_return_is_the_growth() -> None:
    """The paper: the model's rate of return equals its growth rate; Σ (D − C)(1+G)^−t + NAV(1+G)^−T = 0."""
    for growth in (0.13, 0.20):
        path = project(fund(growth=growth), 12)
        discount = (1.0 + growth) ** -np.arange(1, 13)
        assert path.net[0] @ discount + path.nav[0, -1] * discount[-1] == pytest.approx(0.0, abs=1e-9)


def test_the_draw_of_year_fifteen_is_below_a_basis_point_of_the_commitment() -> None:
    """The paper on RC 25% / 33.3% / 50%, for a life that lasts so long."""
    assert 0.0 < project(fund(life=20.0), 15).calls[0, -1] < 0.01


def test_a_running_fund_continues_where_it_stands() -> None:
    whole = project(fund(), 12)
    later = project(fund(paid_in=float(whole.calls[0, :4].sum()), nav=float(whole.nav[0, 3]), age=4), 8)
    np.testing.assert_allclose(later.nav[0], whole.nav[0, 4:], rtol=1e-12)
    np.testing.assert_allclose(later.distributions[0], whole.distributions[0, 4:], rtol=1e-12)


def test_a_fund_to_be_raised_waits_and_one_past_its_life_is_wound_up() -> None:
    waiting = project(fund(age=-2), 14)
    assert not waiting.calls[0, :2].any()
    np.testing.assert_allclose(waiting.nav[0, 2:], project(fund(), 12).nav[0], rtol=1e-12)
    ended = project(fund(paid_in=90.0, nav=10.0, age=13), 2)
    assert ended.calls.sum() == 0.0
    assert ended.distributions[0].tolist() == pytest.approx([11.3, 0.0])


def test_the_j_curve_falls_first_and_ends_at_the_profit() -> None:
    path = project(fund(), 13)
    assert path.j_curve[0, 2] == pytest.approx(0.0 + 0.32 + 1.87 - 25.0 - 24.98 - 25.01, abs=0.02)
    assert path.j_curve[0].argmin() == 3
    assert path.j_curve[0, -1] == pytest.approx(path.distributions.sum() - path.calls.sum())


@given(
    life=st.floats(1.0, 30.0),
    bow=st.floats(0.2, 8.0),
    growth=st.floats(-0.5, 0.5),
    income=st.floats(0.0, 1.0),
    paid=st.floats(0.0, 100.0),
    nav=st.floats(0.0, 1e3),
    age=st.integers(-3, 35),
)
def test_money_is_conserved(
    life: float, bow: float, growth: float, income: float, paid: float, nav: float, age: int
) -> None:
    path = project(fund(paid_in=paid, nav=nav, age=age, life=life, bow=bow, growth=growth, income=income), 50)
    before = np.concatenate([[nav], path.nav[0, :-1]])
    np.testing.assert_allclose(path.nav[0], before * (1 + growth) + path.calls[0] - path.distributions[0], atol=1e-6)
    assert path.calls.sum() + path.unfunded[0, -1] == pytest.approx(100.0 - paid)
    assert path.nav[0, -1] == pytest.approx(0.0, abs=1e-9)
    assert min(path.calls.min(), path.distributions.min(), path.nav.min(), path.unfunded.min()) >= -1e-9


def test_many_funds_are_the_funds_one_by_one() -> None:
    together = FundTerms(
        np.array([100.0, 50.0]),
        np.array([0.0, 20.0]),
        np.array([0.0, 25.0]),
        np.array([0, 3]),
        np.array([12.0, 10.0]),
        np.array([2.5, 1.5]),
        np.array([0.13, 0.08]),
        np.array([0.0, 0.05]),
        np.array([[0.25, 0.333, 0.5], [0.25, 0.333, 0.5]]),
    )
    alone = project(
        fund(commitment=50.0, paid_in=20.0, nav=25.0, age=3, life=10.0, bow=1.5, growth=0.08, income=0.05), 9
    )
    np.testing.assert_array_equal(project(together, 9).nav[1], alone.nav[0])


def test_steady_commitments_hold_the_target() -> None:
    """One CNY a year holds Σ n(a) of NAV: 6.776 with the paper's parameters (the sum of the NAV column / 100)."""
    unit = growth_curve(fund())[0]
    assert unit.sum() == pytest.approx(6.776, abs=0.001)
    assert steady_commitment(150.0, unit) == pytest.approx(22.14, abs=0.01)
    steady = commitment_schedule(np.full(30, 150.0), _ladder(unit, 22.137), unit, evenness=0.0)
    np.testing.assert_allclose(steady.commitments[:5], 22.137, atol=0.02)


def _ladder(unit: np.ndarray, yearly: float) -> np.ndarray:
    """NAV left, at the ends of the next 30 years, of commitments made in each of the last 12 years."""
    ages = np.arange(1, 31)
    left = [[unit[a + past - 1] if a + past <= len(unit) else 0.0 for past in range(1, 12)] for a in ages]
    return yearly * np.array(left).sum(axis=1)


def test_a_vintage_limit_binds_and_the_target_is_then_missed() -> None:
    unit = growth_curve(fund())[0]
    free = commitment_schedule(np.full(10, 100.0), np.zeros(10), unit)
    held = commitment_schedule(np.full(10, 100.0), np.zeros(10), unit, vintage_limit=15.0)
    assert free.commitments.max() > 15.0
    assert held.commitments.max() <= 15.0 + 1e-6
    assert held.nav[2] < free.nav[2]
    np.testing.assert_allclose(held.nav[0], held.commitments[0] * unit[0])


@pytest.mark.parametrize("limit", [np.inf, 15.0])
def test_the_schedule_is_the_least_squares_one(limit: float) -> None:
    """No gain in any year: the slope is zero between the bounds, not negative at zero, not positive at the limit."""
    years, unit, evenness = 10, growth_curve(fund())[0], 0.1
    target, left = np.full(years, 100.0), np.linspace(160.0, 0.0, years)
    made = commitment_schedule(target, left, unit, vintage_limit=limit, evenness=evenness).commitments
    ages = np.subtract.outer(np.arange(years), np.arange(years))
    response = np.where(ages >= 0, np.append(unit, np.zeros(years))[np.maximum(ages, 0)], 0.0)
    steps = np.diff(np.eye(years), axis=0)
    slope = response.T @ (left + response @ made - target) + evenness * steps.T @ (steps @ made)
    low, high = made <= 1e-9, made >= limit - 1e-9
    assert low.any()
    assert high.any() == np.isfinite(limit)
    np.testing.assert_allclose(slope[~low & ~high], 0.0, atol=1e-8)
    assert (slope[low] >= -1e-8).all()
    assert (slope[high] <= 1e-8).all()


def test_schedules_of_many_funds_are_those_of_each() -> None:
    """Sizes from 1,000 to 10 billion, some without a target, some with a limit: none feels the others."""
    rng = np.random.default_rng(2)
    size = 10.0 ** np.array([3, 7, 10, 5, 9])[:, None]
    target, left = size * rng.uniform(0.5, 1.0, (5, 8)), size * rng.uniform(0.0, 0.8, (5, 8))
    target[3] = 0.0
    unit, limit = rng.uniform(0.1, 1.0, (5, 12)), np.array([np.inf, 2e6, np.inf, np.inf, 3e8])
    together = commitment_schedule(target, left, unit, limit)
    for place in range(5):
        alone = commitment_schedule(target[place], left[place], unit[place], float(limit[place]))
        np.testing.assert_allclose(together.commitments[place], alone.commitments, atol=1e-12 * size[place, 0])
        np.testing.assert_allclose(together.nav[place], alone.nav, rtol=1e-12)
    assert (together.commitments[3] == 0.0).all()
    assert (together.commitments <= limit[:, None]).all() and (together.commitments[1] == limit[1]).any()
    nothing = commitment_schedule(np.zeros((0, 8)), np.zeros((0, 8)), np.zeros((0, 12)), np.zeros(0))
    assert nothing.commitments.shape == nothing.nav.shape == (0, 8)


def test_desmoothing_turns_the_smoothing_round() -> None:
    true = np.random.default_rng(3).normal(0.02, 0.1, 400)
    reported = np.empty(400)
    reported[0] = true[0]
    for t in range(1, 400):
        reported[t] = 0.4 * true[t] + 0.6 * reported[t - 1]
    np.testing.assert_allclose(desmoothed(reported, 0.6), true[1:], atol=1e-12)
    assert desmoothed(reported).std() == pytest.approx(0.1, rel=0.12)
    assert autocorrelation(reported) == pytest.approx(0.6, abs=0.08)


def test_desmoothing_by_hand() -> None:
    """φ = ½: (0.04 − ½·0.02) / ½ = 0.06, (0.00 − ½·0.04) / ½ = −0.04."""
    np.testing.assert_allclose(desmoothed(np.array([0.02, 0.04, 0.00]), 0.5), [0.06, -0.04])
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        desmoothed(np.array([0.1, -0.1, 0.1, -0.1]))
    with pytest.raises(ValueError, match="does not vary"):
        autocorrelation(np.ones(5))
