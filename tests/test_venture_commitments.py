"""Commitments: what a target means, limits over the horizon, the plan, and scenarios on common paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import allocator_venture
import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from allocator_venture.commitments import (
    CommitmentOptions,
    Path,
    commitment_plan,
    recommitment_plan,
    venture_commitments,
    vintage_limit,
)
from allocator_venture.funds import fund_rows
from allocator_venture.report import commitment_tables, simulation_tables
from allocator_venture.returns import technology_returns
from allocator_venture.risk import expected_return
from allocator_venture.scenarios import TechnologyScenarioOptions, market_factor, resampled, technology_scenarios
from allocator_venture.simulation import build_portfolio, simulate
from allocator_venture.technology import TechnologyOptions, technology_rows
from scipy import stats
from support import make_inputs, make_registry

from allocator import Fund
from allocator.config.settings import TermSettings
from allocator.errors import InputError
from allocator.inputs.fund import Inputs
from allocator.model import ModelContext
from allocator.model.build import build_space

REGISTRY = make_registry(("venture", allocator_venture))
PAPER = {"life": 12, "growth": 0.13, "bow": 2.5, "contribution_rates": "25%;33.3%;50%"}
PEAK = 106.79226  # the highest NAV of 100 committed on the paper's terms: year 5 of the worked table, 106.79


def fund(name: str, vintage: int = 2026, commitment: float = 0.0, paid_in: float = 0.0, **other: Any) -> dict[str, Any]:
    return {"asset_id": name, "vintage": vintage, "commitment": commitment, "paid_in": paid_in, **PAPER, **other}


def inputs(
    assets: list[dict[str, Any]], funds: list[dict[str, Any]] | None = None, *, total: float = 10_000.0, **tables: Any
) -> Inputs:
    """30 June 2026: a fund of vintage 2026 is in its first year."""
    rows = [{"account": "traditional", "expected_return": 0.03, **row} for row in assets]
    named = tables if funds is None else {"funds": pd.DataFrame(funds), **tables}
    settings = {"balance_sheet": {"total_assets": total}}
    return make_inputs(rows, tables=named, settings=settings, registry=REGISTRY)


def context(given: Inputs) -> ModelContext:
    returns = given.assets["expected_return"].to_numpy(dtype=float)
    return ModelContext(given, build_space(given), lambda: returns, lambda: pytest.fail(), lambda: pytest.fail())


BOND = {"asset_id": "B", "kind": "government_bond", "amount": 900.0}


def held() -> Inputs:
    """A venture fund in its fifth year, 80 of 100 paid in, NAV 100; a new one; bonds."""
    assets = [
        {"asset_id": "OLD", "kind": "venture_fund", "amount": 100.0},
        {"asset_id": "NEW", "kind": "venture_fund", "amount": 0.0},
        BOND,
    ]
    return inputs(assets, [fund("OLD", 2022, 100.0, 80.0, nav=100.0), fund("NEW", nav=0.0)])


def test_a_target_in_a_new_fund_is_a_commitment_whose_nav_peaks_there() -> None:
    """106.79 of target needs 100 committed, called as the paper's parameters say: 25, 24.975, 25.0125 …"""
    plan = commitment_plan(held(), np.array([100.0, PEAK, 900.0])).set_index("asset_id")
    new = plan.loc["NEW"]
    assert new["target"] == pytest.approx(100.0, abs=1e-4)
    assert new["uncalled"] == pytest.approx(100.0, abs=1e-4)
    assert [new["call_1"], new["call_2"], new["call_3"]] == pytest.approx([25.0, 24.975, 25.0125], abs=1e-4)
    assert new["peak_nav"] == pytest.approx(PEAK, abs=1e-4)


def test_what_is_held_stays_on_its_path_and_is_sold_with_its_uncalled_part() -> None:
    """OLD is in year 5: 20 uncalled, half of it called next year; sold by half, 5 of 10 is left to call."""
    stays = commitment_plan(held(), np.array([100.0, 0.0, 900.0])).iloc[0]
    assert (stays["current"], stays["target"], stays["uncalled"]) == (100.0, 100.0, 20.0)
    assert [stays["call_1"], stays["call_2"]] == pytest.approx([10.0, 5.0])
    half = commitment_plan(held(), np.array([50.0, 0.0, 950.0])).iloc[0]
    assert (half["target"], half["uncalled"], half["call_1"]) == pytest.approx((50.0, 10.0, 5.0))


def test_more_of_a_held_fund_is_a_new_commitment_beside_the_old_one() -> None:
    more = commitment_plan(held(), np.array([100.0 + PEAK, 0.0, 800.0])).iloc[0]
    assert more["target"] == pytest.approx(200.0, abs=1e-4)
    assert more["call_1"] == pytest.approx(10.0 + 25.0, abs=1e-4)


def test_the_ceiling_holds_in_every_year() -> None:
    """Exposure of year t is the projected NAV of what is held and of what is added, by hand for year 1.

    OLD: t = 5, 100 · 1.13 + 10 − (5/12)^2.5 · 113 = 110.328; NEW at 106.79: 25 after its first year.
    """
    term = venture_commitments(context(held()), CommitmentOptions())[0]
    assert term.right[0] == pytest.approx(0.02 * 10_000)
    assert "101号" in str(term.source)
    path = term.left.value(np.array([100.0, PEAK, 900.0]))
    assert path[0] == pytest.approx(100.0 + PEAK)
    assert path[1] == pytest.approx(113.0 + 10.0 - (5 / 12) ** 2.5 * 113.0 + 25.0, abs=1e-3)
    assert not term.holds(np.array([100.0, 150.0, 900.0]))
    assert term.holds(np.array([60.0, 60.0, 900.0]))


def test_a_commitment_within_the_ceiling_today_may_break_it_later() -> None:
    """190 of a young fund with much to call is within 200 today and above it next year: the horizon sees it."""
    assets = [{"asset_id": "OLD", "kind": "venture_fund", "amount": 190.0}, BOND]
    given = inputs(assets, [fund("OLD", 2025, 500.0, 190.0, nav=190.0)])
    term = venture_commitments(context(given), CommitmentOptions())[0]
    slack = term.slack(np.array([190.0, 900.0]))
    assert slack[0] > 0 > slack[1]


def test_calls_are_covered_by_liquid_assets() -> None:
    """Cumulative calls of OLD are 10, 15, 17.5 …; 20% of 900 in bonds covers them, 1% does not from year 1 on."""
    term = venture_commitments(context(held()), CommitmentOptions())[1]
    np.testing.assert_allclose(term.left.value(np.array([100.0, 0.0, 900.0]))[:3], [10 - 180, 15 - 180, 17.5 - 180])
    tight = venture_commitments(context(held()), CommitmentOptions(liquid_share=0.01))[1]
    np.testing.assert_allclose(tight.slack(np.array([100.0, 0.0, 900.0]))[:2] * 1000, [-1.0, -6.0])


def test_distributions_pay_for_calls_only_when_told() -> None:
    some = venture_commitments(context(held()), CommitmentOptions(distributions=0.5))[1]
    paid = (5 / 12) ** 2.5 * 113.0
    assert some.left.value(np.array([100.0, 0.0, 900.0]))[0] == pytest.approx(10.0 - 0.5 * paid - 180.0)


def test_new_commitments_of_a_vintage_are_limited() -> None:
    terms = {t.name: t for t in venture_commitments(context(held()), CommitmentOptions(vintage="1%"))}  # type: ignore[arg-type]
    term = terms["venture_commitments:vintage"]
    assert term.left.value(np.array([100.0, PEAK, 0.0]))[0] == pytest.approx(100.0, abs=1e-3)
    assert term.left.value(np.array([20.0, PEAK, 0.0]))[0] == pytest.approx(100.0, abs=1e-3)
    assert term.right[0] == pytest.approx(100.0)


def test_the_convex_form_is_the_value_and_bounds_the_plan() -> None:
    given = held()
    fund_context = context(given)
    rng = np.random.default_rng(4)
    terms = venture_commitments(fund_context, CommitmentOptions(distributions=0.3, vintage=0.5))
    variable = cp.Variable(3)
    for _ in range(20):
        holdings = rng.uniform(0.0, 300.0, 3)
        variable.value = holdings / 50.0
        for term in terms:
            assert isinstance(term.left, Path)
            form = term.left.convex(variable, 50.0)
            assert form.is_convex()
            np.testing.assert_allclose(form.value, term.left.value(holdings), rtol=1e-9, atol=1e-9)
            other = rng.uniform(0.0, 300.0, 3)
            slope = term.left.gradient(holdings) @ (other - holdings)
            assert np.all(term.left.value(other) >= term.left.value(holdings) + slope - 1e-9)
        calls = commitment_plan(given, holdings).filter(like="call_").sum().cumsum()
        limit = venture_commitments(fund_context, CommitmentOptions())[1].left.value(holdings) + 0.2 * holdings[2]
        assert np.all(limit >= calls.to_numpy() - 1e-9)
        if holdings[0] >= 100.0:
            np.testing.assert_allclose(limit, calls.to_numpy(), atol=1e-9)


def test_accounts_share_a_fund_by_their_amounts() -> None:
    assets = [
        {"asset_id": "OLD", "kind": "pe_fund", "amount": 75.0},
        {"asset_id": "OLD", "kind": "pe_fund", "amount": 25.0, "account": "participating"},
    ]
    plan = commitment_plan(inputs(assets, [fund("OLD", 2022, 100.0, 80.0, nav=100.0)]), np.array([75.0, 25.0]))
    assert plan["current"].tolist() == [75.0, 25.0]
    assert plan["call_1"].tolist() == pytest.approx([7.5, 2.5])


def test_vintages_add_up_and_the_latest_sets_the_terms_of_more() -> None:
    assets = [{"asset_id": "F", "kind": "venture_fund", "amount": 130.0}]
    funds = [fund("F", 2022, 100.0, 80.0, nav=100.0), fund("F", 2025, 100.0, 30.0, nav=30.0, contribution_rates="40%")]
    rows = fund_rows(inputs(assets, funds), 3)
    assert rows.commitment.tolist() == [200.0]
    assert rows.held.calls[0, 0] == pytest.approx(10.0 + 0.4 * 70.0)
    assert rows.added.calls[0, 0] == pytest.approx(0.4 * rows.commitment_per_cny[0])


def test_a_fund_to_be_raised_calls_when_it_is() -> None:
    assets = [{"asset_id": "F", "kind": "venture_fund", "amount": 0.0}]
    rows = fund_rows(inputs(assets, [fund("F", 2028)]), 4)
    np.testing.assert_allclose(rows.added.calls[0] / rows.commitment_per_cny[0], [0.0, 0.0, 0.25, 0.333 * 0.75])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"paid_in": 120.0}, "more is paid in than was committed"),
        ({"life": None}, "needs this figure"),
        ({"contribution_rates": "25%;x"}, "not shares"),
        ({"bow": 0.0}, "must be positive"),
        ({"nav": 60.0}, "is not the amount held"),
    ],
)
def test_what_cannot_be_projected_is_named(change: Mapping[str, Any], words: str) -> None:
    assets = [{"asset_id": "OLD", "kind": "venture_fund", "amount": 100.0}]
    with pytest.raises(InputError, match=words):
        fund_rows(inputs(assets, [{**fund("OLD", 2022, 100.0, 80.0, nav=100.0), **change}]), 5)


TECHNOLOGY = {"technology_fields": "量子科技;integrated circuits", "stage": "early", "companies": 20}


def joined(**tables: Any) -> Inputs:
    assets = [
        {"asset_id": "OLD", "kind": "venture_fund", "amount": 100.0},
        {"asset_id": "STOCK", "kind": "equity_fund", "amount": 500.0},
        BOND,
    ]
    return inputs(assets, [fund("OLD", 2024, 100.0, 90.0, nav=100.0, **TECHNOLOGY)], **tables)


def base(count: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    return pd.DataFrame({"STOCK": rng.normal(0.07, 0.2, count), "B": rng.normal(0.03, 0.02, count)})


def test_scenarios_join_the_base_and_the_simulation_on_one_path() -> None:
    """STOCK and B keep the base's moments; funds move with the market; every base scenario is used equally."""
    given = joined(scenarios=base())
    found = technology_scenarios(given, TechnologyScenarioOptions(market="STOCK", paths=4000, seed=1))
    assert found.returns.shape == (4000, 3)
    assert found.probability.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.returns[:, 1:].mean(axis=0), base().mean(), rtol=1e-9)
    np.testing.assert_allclose(np.cov(found.returns[:, 1:].T, ddof=0), np.cov(base().T, ddof=0), rtol=1e-9)
    assert stats.spearmanr(found.returns[:, 0], found.returns[:, 1])[0] > 0.15
    assert found.returns.min() >= -1.0
    again = technology_scenarios(given, TechnologyScenarioOptions(market="STOCK", paths=4000, seed=1))
    np.testing.assert_array_equal(found.returns, again.returns)


def test_a_history_gives_every_window_of_a_year() -> None:
    """Monthly returns of 1% in the second year only: windows compound from 0 to 1.01^12 − 1."""
    dates = pd.date_range("2024-01-31", periods=24, freq="ME")
    monthly = np.repeat([0.0, 0.01], 12)
    history = pd.DataFrame({"date": dates, "STOCK": monthly, "B": 0.0})
    assets = [{"asset_id": "STOCK", "kind": "equity_fund", "amount": 500.0}, BOND]
    rows = [{"account": "traditional", "expected_return": 0.03, **row} for row in assets]
    settings = {"fund": {"name": "x", "as_of": "2026-06-30", "frequency": 12}}
    funds = pd.DataFrame([fund("STOCK", nav=500.0)])
    given = make_inputs(rows, tables={"returns": history, "funds": funds}, settings=settings, registry=REGISTRY)
    found = technology_scenarios(given, TechnologyScenarioOptions(market="STOCK", paths=130))
    np.testing.assert_allclose(found.returns[:, 0], np.repeat(1.01 ** np.arange(13) - 1, 10), atol=1e-12)


def test_a_factor_model_is_a_base_too() -> None:
    exposures = pd.DataFrame({"asset_id": ["STOCK", "B"], "factor": ["csi300", "rate"], "exposure": [1.0, -5.0]})
    omega = pd.DataFrame(
        {"factor": ["csi300", "csi300", "rate"], "other": ["csi300", "rate", "rate"], "covariance": [0.04, 2e-4, 1e-4]}
    )
    assets = [
        {"asset_id": "OLD", "kind": "venture_fund", "amount": 100.0},
        {
            "asset_id": "STOCK",
            "kind": "equity_fund",
            "amount": 500.0,
            "expected_return": 0.07,
            "specific_volatility": 0.1,
        },
        {**BOND, "specific_volatility": 0.0},
    ]
    funds = [fund("OLD", 2024, 100.0, 90.0, nav=100.0, **TECHNOLOGY)]
    given = inputs(assets, funds, factor_exposures=exposures, factor_covariance=omega)
    found = technology_scenarios(given, TechnologyScenarioOptions(market="csi300", paths=40_000))
    covariance = np.cov(found.returns[:, 1:].T)
    # Four standard errors of 40,000 draws: √((0.05² + …)/40,000) and so on.
    wanted, error = np.array([[0.05, -1e-3], [-1e-3, 25e-4]]), np.array([[1.5e-3, 2.5e-4], [2.5e-4, 8e-5]])
    assert np.all(np.abs(covariance - wanted) < error)
    np.testing.assert_allclose(found.returns[:, 1:].mean(axis=0), [0.07, 0.03], atol=0.003)
    assert stats.spearmanr(found.returns[:, 0], found.returns[:, 1])[0] > 0.15


def test_what_scenarios_lack_is_named() -> None:
    with pytest.raises(InputError, match="need a base"):
        technology_scenarios(joined(), TechnologyScenarioOptions(market="STOCK"))
    with pytest.raises(InputError, match="no complete column"):
        technology_scenarios(joined(scenarios=base()), TechnologyScenarioOptions(market="STOCKS"))
    with pytest.raises(InputError, match="neither|no scenarios and no technical parameters"):
        technology_scenarios(joined(scenarios=base().drop(columns="B")), TechnologyScenarioOptions(market="STOCK"))
    unknown = {**TECHNOLOGY, "technology_fields": "quantum computing"}
    assets = [{"asset_id": "OLD", "kind": "venture_fund", "amount": 100.0}]
    with pytest.raises(InputError, match="no such field of technology"):
        given = inputs(assets, [fund("OLD", 2024, 100.0, 90.0, nav=100.0, **unknown)])
        technology_rows(given, TechnologyOptions().parameters("models.scenarios"))


def test_the_market_factor_and_the_resampling_by_hand() -> None:
    """Likelihoods ½, ¼, ¼ over eight paths: four, two, two. Ranks of 3, 1, 2: Φ⁻¹(5/6), Φ⁻¹(1/6), Φ⁻¹(1/2)."""
    assert resampled(np.array([0.5, 0.25, 0.25]), 8).tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(market_factor(np.array([3.0, 1.0, 2.0])), stats.norm.ppf([5 / 6, 1 / 6, 1 / 2]))


def test_the_return_model_takes_the_simulated_return() -> None:
    given = joined()
    options = TechnologyOptions(paths=2000, seed=5)
    returns = technology_returns(given, options)
    rows = technology_rows(given, options.parameters("models.returns"))
    outcome = simulate(build_portfolio(rows.funds, options.parameters("models.returns")), 2000, 5)
    assert returns.tolist() == [pytest.approx(expected_return(outcome)[0]), 0.03, 0.03]
    assert rows.funds[0].fields == ("quantum_technology", "integrated_circuits")
    assert rows.funds[0].calls[0] == 100.0
    assert sum(rows.funds[0].calls[1:]) == pytest.approx(10.0, rel=0.01)
    assert rows.funds[0].life == 10


def test_the_optimizer_commits_within_ceiling_and_liquidity_and_the_report_says_what_is_called() -> None:
    """Venture earns most, so it is filled to the 2% of 10,000 at its worst year; commitments.csv supports it."""
    assets = pd.DataFrame(
        [
            {
                "asset_id": "OLD",
                "kind": "venture_fund",
                "amount": 100.0,
                "min": 100.0,
                "max": 400.0,
                "expected_return": 0.1,
            },
            {"asset_id": "NEW", "kind": "venture_fund", "amount": 0.0, "max": 400.0, "expected_return": 0.12},
            {"asset_id": "B", "kind": "government_bond", "amount": 900.0, "expected_return": 0.02},
        ]
    ).assign(account="traditional")
    settings = {
        "fund": {"name": "Test", "as_of": "2026-06-30"},
        "balance_sheet": {"total_assets": 10_000.0},
        "constraints": [{"venture_commitments": {}}],
    }
    funds = pd.DataFrame([fund("OLD", 2022, 100.0, 80.0, nav=100.0, **TECHNOLOGY), fund("NEW", nav=0.0)])
    decided = Fund(settings, assets, funds=funds)
    result = decided.optimize().value
    terms = {term.name: term for term in decided.model.terms}
    exposure = terms["venture_commitments:exposure"].shown(result.holdings)[0]
    assert exposure.max() == pytest.approx(0.02, abs=1e-7)
    assert terms["venture_commitments:calls"].holds(result.holdings)
    commitments = commitment_tables(result)[0]
    assert commitments.name == "commitments"
    assert list(commitments.frame)[:4] == ["asset_id", "account", "current", "target"]
    new = commitments.frame.set_index("asset_id").loc["NEW"]
    assert new["target"] == pytest.approx(result.holdings[1] / (PEAK / 100), rel=1e-6)
    simulated = simulation_tables(result)[0].frame
    assert simulated["asset_id"].tolist() == ["OLD"]
    assert simulated["reserve_amount"][0] == pytest.approx(simulated["reserve"][0] * 120.0, rel=1e-9)


def test_a_table_of_funds_that_cannot_be_projected_is_said_in_the_report_and_stops_nothing() -> None:
    assets = pd.DataFrame([{"asset_id": "OLD", "kind": "venture_fund", "amount": 1.0, "expected_return": 0.1}])
    settings = {"fund": {"name": "Test", "as_of": "2026-06-30"}}
    funds = pd.DataFrame([{"asset_id": "OLD", "vintage": 2022}])
    result = Fund(settings, assets.assign(account="traditional"), funds=funds).optimize().value
    table = commitment_tables(result)[0]
    assert table.name == "commitments_missing"
    assert "contribution rates" in table.frame["problem"][0]
    assert simulation_tables(result) == ()


def test_recommitments_hold_the_target_once_it_is_reached() -> None:
    """Today's commitment is for the peak in year 5; then about 1,000 / 6.776 a year holds 1,000 of NAV."""
    assets = [{"asset_id": "NEW", "kind": "pe_fund", "amount": 0.0}]
    plan = recommitment_plan(inputs(assets, [fund("NEW", nav=0.0)]), np.array([1000.0]), 25).iloc[0]
    yearly = np.array([plan[f"commit_{year}"] for year in range(1, 26)])
    assert plan["nav_25"] == pytest.approx(1000.0, rel=0.03)
    assert yearly.min() >= 0.0
    assert yearly[:2].max() < 100.0
    assert yearly[5:22].mean() == pytest.approx(1000.0 / 6.776, rel=0.1)


def test_recommitments_keep_the_vintage_limit_of_the_fund_file() -> None:
    """1% of 10,000 a year, shared by target: the NAV then stays below its target of 1,000."""
    assets = [{"asset_id": "NEW", "kind": "pe_fund", "amount": 0.0}]
    given = inputs(assets, [fund("NEW", nav=0.0)])
    rule = TermSettings(name="venture_commitments", options={"vintage": "1%"}, position=0)
    settings = given.settings.model_copy(update={"constraints": (rule,)})
    limited = replace(given, settings=settings)
    assert vintage_limit(limited) == pytest.approx(100.0)
    assert vintage_limit(given) == np.inf
    plan = recommitment_plan(limited, np.array([1000.0]), 25, vintage_limit(limited)).iloc[0]
    yearly = np.array([plan[f"commit_{year}"] for year in range(1, 26)])
    assert yearly.max() <= 100.0 + 1e-6
    assert plan["nav_25"] < 0.8 * 1000.0


def test_a_lagging_history_is_desmoothed_before_it_is_used() -> None:
    """Reported yearly figures that move half way to the market: taken out, the volatility is the market's."""
    true = np.random.default_rng(5).normal(0.05, 0.2, 300)
    reported = np.empty(300)
    reported[0] = true[0]
    for t in range(1, 300):
        reported[t] = 0.5 * true[t] + 0.5 * reported[t - 1]
    dates = pd.date_range("1700-12-31", periods=300, freq="YE")
    history = pd.DataFrame({"date": dates, "P": reported, "STOCK": true, "ALTERNATING": 0.1 * (-1.0) ** np.arange(300)})
    rows = [{"asset_id": name, "kind": "property", "account": "traditional", "amount": 1.0} for name in ("P", "STOCK")]
    settings = {"fund": {"name": "x", "as_of": "2026-06-30", "frequency": 1}}
    funds = pd.DataFrame([fund("P", nav=1.0)])
    given = make_inputs(rows, tables={"returns": history, "funds": funds}, settings=settings, registry=REGISTRY)
    plain = technology_scenarios(given, TechnologyScenarioOptions(market="STOCK", paths=3000))
    clear = technology_scenarios(given, TechnologyScenarioOptions(market="STOCK", paths=3000, desmooth=("P",)))
    assert plain.returns[:, 0].std() == pytest.approx(0.2 * np.sqrt(1 / 3), rel=0.12)
    assert clear.returns[:, 0].std() == pytest.approx(0.2, rel=0.12)
    np.testing.assert_allclose(clear.returns[:, 1].mean(), true[1:].mean(), atol=1e-3)
    with pytest.raises(InputError, match="no valuation lag"):
        technology_scenarios(given, TechnologyScenarioOptions(market="STOCK", paths=300, desmooth=("ALTERNATING",)))
