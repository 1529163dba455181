"""Simulated venture funds: moments match the inputs, paths are reproducible, figures follow their definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from allocator_venture import simulation
from allocator_venture.irr import internal_rate_of_return
from allocator_venture.parameters import Parameters, load_parameters
from allocator_venture.risk import annual_returns, assess, expected_return, holding_years, tail_mean
from allocator_venture.simulation import VentureFund, build_portfolio, simulate
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from allocator.errors import InputError

FIELDS = (
    "artificial_intelligence",
    "integrated_circuits",
    "quantum_technology",
    "biomanufacturing",
    "hydrogen_and_fusion_energy",
    "brain_computer_interfaces",
    "embodied_intelligence",
)
PLAIN = {"common.management_fee": 0.0, "common.carried_interest": 0.0, "common.forced_sale": 1.0}


def venture(
    field: str = "integrated_circuits", stage: str = "early", companies: int = 10, **other: object
) -> VentureFund:
    return VentureFund((field,), stage, other.get("calls", (100.0,)), int(other.get("life", 40)), companies)  # type: ignore[arg-type]


def test_the_seven_fields_of_the_policy_are_there_and_every_figure_has_a_source() -> None:
    parameters = load_parameters()
    assert tuple(parameters.fields) == FIELDS
    text = (Path(simulation.__file__).parent / "fields.yaml").read_text(encoding="utf-8")
    sources = [node["source"] for node in _figures(yaml.safe_load(text))]
    assert len(sources) == 9 + 7 * (1 + 8 + 6)
    assert all(source.strip() for source in sources)


def _figures(node: object) -> list[dict[str, str]]:
    if isinstance(node, dict):
        return [node] if set(node) == {"value", "source"} else [f for child in node.values() for f in _figures(child)]
    return [found for child in node for found in _figures(child)] if isinstance(node, list) else []


def test_the_growth_that_the_sources_claim_is_implied() -> None:
    """fields.yaml says that its exit multiples mean 17%, 15% and 13% a year at its probabilities and times."""
    parameters = load_parameters()
    for field in FIELDS:
        implied = [parameters.implied_growth(field, stage) for stage in ("seed", "early", "growth")]
        assert implied == pytest.approx([0.17, 0.15, 0.13], abs=0.006)


def test_overrides_replace_one_figure_and_name_the_nearest() -> None:
    changed = load_parameters({"fields.quantum_technology.milestones.2.probability": 0.6})
    assert [m.probability for m in changed.fields["quantum_technology"].milestones] == [0.55, 0.6, 0.45, 0.60]
    with pytest.raises(InputError, match="did you mean 'common.market'"):
        load_parameters({"common.markets": 0.1})
    with pytest.raises(InputError, match="milestones.2.probability"):
        load_parameters({"fields.quantum_technology.milestones.2.probability": 1.6})


@pytest.fixture(scope="module")
def early() -> tuple[Parameters, simulation.Portfolio]:
    parameters = load_parameters(PLAIN)
    return parameters, build_portfolio([venture()], parameters)


def test_milestones_and_exits_have_the_probabilities_and_moments_put_in(
    early: tuple[Parameters, simulation.Portfolio],
) -> None:
    """P(success) = 0.60 · 0.60 · 0.75 = 0.27, jointly by the bivariate normal at ρ = 0.25; E[X] = 8.3, ln X sd 1."""
    parameters, portfolio = early
    rng = np.random.Generator(np.random.SFC64(5))
    paths = 100_000
    _, success = simulation._milestones(portfolio, rng, paths)
    error = np.sqrt(0.27 * 0.73 / paths * (1 + 9 * 0.3))
    assert success.mean() == pytest.approx(0.27, abs=4 * error / np.sqrt(10))
    cutoff = stats.norm.ppf(1 - 0.27)
    joint = stats.multivariate_normal([0, 0], [[1, 0.25], [0.25, 1]]).cdf([-cutoff, -cutoff])
    assert (success[:, 0] & success[:, 1]).mean() == pytest.approx(joint, abs=4 * np.sqrt(joint / paths))
    multiple = simulation._exit_multiple(portfolio, rng, rng.standard_normal(paths), np.ones_like(success)) * 10
    logs = np.log(multiple.astype(float))
    assert logs.std() == pytest.approx(1.0, abs=0.01)
    assert logs.mean() == pytest.approx(np.log(8.3) - 0.5, abs=0.01)
    assert multiple.mean() == pytest.approx(8.3, rel=0.02)
    assert np.corrcoef(logs[:, 0], logs[:, 1])[0, 1] == pytest.approx(parameters.common.market, abs=0.015)


def test_each_milestone_keeps_its_own_probability() -> None:
    """The time of the decisive milestone tells which it was: 2, 4 or 6 years for the early stage."""
    portfolio = build_portfolio([venture()], load_parameters(PLAIN))
    decisive, success = simulation._milestones(portfolio, np.random.Generator(np.random.SFC64(6)), 100_000)
    failed = [(decisive == years) & ~success for years in (2, 4, 6)]
    expected = (0.4, 0.6 * 0.4, 0.36 * 0.25)
    assert [part.mean() for part in failed] == pytest.approx(expected, abs=0.005)


def test_the_expected_multiple_is_that_of_the_inputs() -> None:
    """Without fees, carry and forced sales: E = Π p · m + (1 − Π p) · recovery = 0.27 · 8.3 + 0.73 · 0.1."""
    outcome = simulate(build_portfolio([venture(companies=30)], load_parameters(PLAIN)), 60_000, 11)
    standard_error = outcome.multiple.std() / np.sqrt(60_000)
    assert outcome.multiple.mean() == pytest.approx(0.27 * 8.3 + 0.073, abs=4 * standard_error)


def test_fees_and_carry_by_hand() -> None:
    """A certain company that brings 3 after a year: 2% over 10 years leaves 0.8 · 3 = 2.4, carry 0.2 · 1.4: 2.12."""
    sure = {f"fields.biomanufacturing.milestones.{k}.probability": 1.0 for k in (3, 4)}
    sure |= {f"fields.biomanufacturing.milestones.{k}.years": 0.4 for k in (3, 4)}
    flat = {
        "fields.biomanufacturing.exit.growth.multiple": 3.0,
        "fields.biomanufacturing.exit.growth.log_volatility": 0.0,
    }
    parameters = load_parameters({**sure, **flat, "common.time_dispersion": 0.0})
    outcome = simulate(build_portfolio([venture("biomanufacturing", "growth", 1, life=10)], parameters), 5, 1)
    np.testing.assert_allclose(outcome.multiple, 2.12, rtol=1e-6)
    np.testing.assert_allclose(outcome.rate, 1.12, rtol=1e-6)
    np.testing.assert_allclose(expected_return(outcome), 1.12, rtol=1e-6)
    np.testing.assert_allclose(holding_years(outcome), 1.0)


def test_a_company_still_held_at_the_end_is_sold_for_less() -> None:
    """Seed quantum companies need 11 years on average; after 1 year all that is not lost is sold for half."""
    parameters = load_parameters({**PLAIN, "common.forced_sale": 0.5, "common.time_dispersion": 0.0})
    outcome = simulate(build_portfolio([venture("quantum_technology", "seed", life=1)], parameters), 4000, 3)
    patient = simulate(build_portfolio([venture("quantum_technology", "seed", life=20)], parameters), 4000, 3)
    np.testing.assert_allclose(outcome.multiple, 0.5 * patient.multiple, rtol=1e-6)


def test_the_answer_depends_on_the_seed_and_not_on_the_threads() -> None:
    portfolio = build_portfolio([venture(), venture("biomanufacturing", "seed", 12)], load_parameters())
    one, two = simulate(portfolio, 30_000, 7, threads=1), simulate(portfolio, 30_000, 7, threads=2)
    np.testing.assert_array_equal(one.multiple, two.multiple)
    np.testing.assert_array_equal(one.rate, two.rate)
    assert (simulate(portfolio, 30_000, 8).multiple != one.multiple).any()


def test_fees_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing to invest"):
        build_portfolio([venture(life=50)], load_parameters())


def test_a_better_market_factor_brings_more() -> None:
    portfolio = build_portfolio([venture(companies=20)], load_parameters())
    market = np.sort(np.random.default_rng(2).standard_normal(8000))
    multiple = simulate(portfolio, 8000, 4, market).multiple[:, 0]
    assert multiple[-2000:].mean() > 1.5 * multiple[:2000].mean()
    assert stats.spearmanr(market, multiple)[0] > 0.2


def test_money_is_called_as_told_and_companies_follow_it() -> None:
    """Half now, a quarter after one and two years: of eight companies four are bought now, two and two later."""
    portfolio = build_portfolio([venture(companies=8, calls=(50.0, 25.0, 25.0))], load_parameters(PLAIN))
    assert portfolio.bought.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert portfolio.total.tolist() == [100.0]
    assert portfolio.cost.sum() == pytest.approx(1.0)


def test_diversification_lowers_the_reserve_and_doubt_widens_the_interval() -> None:
    alone = assess([venture(life=12)], load_parameters(), 6000, 5)
    fields = [venture(field, life=12) for field in FIELDS]
    together = assess(fields, load_parameters(), 6000, 5)
    assert together.portfolio_tail_loss < together.tail_loss.mean() - 0.1
    assert together.reserve.mean() == pytest.approx(together.portfolio_tail_loss)
    covered = assess(fields, load_parameters(), 6000, 5, covered=0.3)
    assert covered.reserve.mean() == pytest.approx(together.portfolio_tail_loss - 0.3)
    assert not assess(fields, load_parameters(), 6000, 5, covered=1.0).reserve.any()
    assert np.all(together.lowest < together.expected_return)
    assert np.all(together.expected_return < together.highest)
    # The fields with more doubt have the wider interval.
    width = together.highest - together.lowest
    assert width[FIELDS.index("artificial_intelligence")] < width[FIELDS.index("brain_computer_interfaces")]
    assert alone.standard_error[0] < 0.02
    assert np.all(np.diff(alone.rates[:, 0]) > 0)


def test_annual_returns_keep_the_mean_and_the_order() -> None:
    outcome = simulate(
        build_portfolio([venture(), venture("biomanufacturing", "growth")], load_parameters()), 20_000, 9
    )
    annual = annual_returns(outcome)
    np.testing.assert_allclose(annual.mean(axis=0), expected_return(outcome), atol=1e-12)
    assert annual.min() >= -1.0
    order = np.argsort(outcome.multiple[:, 0])
    assert np.all(np.diff(annual[order, 0]) >= -1e-12)
    years = holding_years(outcome)
    ratio = np.log1p(annual).std(axis=0) / np.log(outcome.multiple).std(axis=0)
    np.testing.assert_allclose(ratio, 1 / np.sqrt(years), rtol=1e-9)


def test_tail_mean_by_hand() -> None:
    assert tail_mean(np.array([1.0, 5.0, 3.0, 4.0, 2.0]), 0.6) == pytest.approx(4.5)


@given(rate=st.floats(-0.9, 3.0), paid=st.lists(st.floats(0.01, 10.0), min_size=1, max_size=4), life=st.integers(5, 15))
def test_the_internal_rate_is_found(rate: float, paid: list[float], life: int) -> None:
    """One receipt of Σ C(t) (1 + r)^(T − t) at T has the rate r."""
    calls, receipts = np.zeros((life + 1, 1)), np.zeros((life + 1, 1))
    calls[: len(paid), 0] = paid
    receipts[life] = sum(call * (1 + rate) ** (life - t) for t, call in enumerate(paid))
    assert internal_rate_of_return(receipts, calls)[0] == pytest.approx(rate, abs=1e-8)


def test_internal_rates_at_the_edges() -> None:
    received, paid = np.array([[0.0, 0, 0], [0, 2, 5]]), np.array([[1.0, 1, 0], [0, 0, 0]])
    rates = internal_rate_of_return(received, paid)
    assert rates[:2].tolist() == pytest.approx([-1.0, 1.0])
    assert np.isnan(rates[2])
