"""The regime bound to a fund: own funds and their limits, factors, requirements, the whole figure by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import allocator_cross2
import numpy as np
import pandas as pd
import pytest
from allocator_cross2.capital_options import CapitalOptions
from allocator_cross2.commands import figures_in_force, rules
from allocator_cross2.own_funds import Tiers, recognised_capital
from allocator_cross2.pack import RulePack
from allocator_cross2.regime import Cross2Regime, build_regime
from allocator_cross2.sections import filing_table
from hypothesis import given
from hypothesis import strategies as st
from support import make_inputs, make_registry

from allocator.config.load import validate_options
from allocator.errors import InputError
from allocator.model.build import build_space
from allocator.model.terms import TOLERANCE
from allocator.types import Language

PACK = RulePack.at(date(2026, 6, 30))
BEFORE_2023 = RulePack.at(date(2023, 6, 30))
REGISTRY = make_registry(("cross2", allocator_cross2))

CURVE = pd.DataFrame({"tenor": range(1, 51), "spot": [0.02] * 50})
LIABILITIES = pd.DataFrame(
    {
        "account": ["traditional", "participating"],
        "year": [35, 15],
        "outflow": [1500.0, 400.0],
        "inflow": [100.0, 0.0],
    }
)
SHEET = {"total_assets": 1000.0, "actual_capital": 300.0, "core_capital": 200.0}
CAPITAL = {"regime": "cross2", "life_insurance_risk": 40.0, "sarmra_score": 80.0}

ASSETS: list[dict[str, Any]] = [
    {"asset_id": "CASH", "kind": "cash", "amount": 50.0, "account": "traditional"},
    {
        "asset_id": "CGB",
        "kind": "government_bond",
        "amount": 400.0,
        "account": "traditional",
        "coupon": 0.03,
        "frequency": 1,
        "maturity": "2046-06-30",
        "yield": 0.025,
    },
    {
        "asset_id": "AAA",
        "kind": "corporate_bond",
        "amount": 200.0,
        "account": "participating",
        "coupon": 0.03,
        "frequency": 1,
        "maturity": "2029-06-30",
        "yield": 0.03,
        "modified_duration": 2.8,
        "rating": "AAA",
        "issuer": "Rail",
        "concentration_exempt": True,
    },
    {"asset_id": "FUND", "kind": "equity_fund", "amount": 100.0, "account": "participating", "market": "domestic"},
]


def fund(
    *,
    assets: list[dict[str, Any]] | None = None,
    capital: Mapping[str, Any] | None = None,
    sheet: Mapping[str, Any] | None = None,
    tables: Mapping[str, pd.DataFrame | None] | None = None,
    unit: float = 1e8,
) -> Cross2Regime:
    given_tables = {"curve": CURVE, "liabilities": LIABILITIES} | dict(tables or {})
    section = {**CAPITAL, **(capital or {})}
    content = {
        "fund": {"name": "t", "as_of": "2026-06-30", "unit": unit},
        "balance_sheet": SHEET if sheet is None else sheet,
        "capital": section,
    }
    kept = {name: table for name, table in given_tables.items() if table is not None}
    inputs = make_inputs(assets or ASSETS, tables=kept, settings=content, registry=REGISTRY)
    assert inputs.settings.capital is not None
    options = validate_options(CapitalOptions, inputs.settings.capital.options, inputs.settings, "capital")
    return build_regime(inputs, options)


def messages(**changes: Any) -> str:
    with pytest.raises(InputError) as error:
        fund(**changes)
    return str(error.value)


# ---- own funds


def test_capital_within_the_limits_is_recognised_whole() -> None:
    # Core 70 + 30 = 100, supplementary 75 + 25 = 100: every limit is just met.
    got = recognised_capital(Tiers(70.0, 30.0, 75.0, 25.0), PACK)
    assert (got.core, got.comprehensive, dict(got.excess)) == (pytest.approx(100.0), pytest.approx(200.0), {})


def test_each_limit_cuts_off_its_excess() -> None:
    core = recognised_capital(Tiers(70.0, 40.0, 0.0, 0.0), PACK)
    # Core tier 2 at most 30% of core: 70 / 0.7 = 100.
    assert core.core == pytest.approx(100.0)
    assert core.excess == pytest.approx({"tier.core_tier2": 10.0})
    below = recognised_capital(Tiers(100.0, 0.0, 90.0, 30.0), PACK)
    # Supplementary tier 2 at most 25 of core 100; 90 + 25 = 115, of which 100 count.
    assert below.comprehensive == pytest.approx(200.0)
    assert below.excess == pytest.approx({"tier.supplementary_tier2": 5.0, "tier.supplementary": 15.0})


def test_the_limit_of_policy_future_surplus_moved_in_2023() -> None:
    tiers = Tiers(100.0, 0.0, 0.0, 0.0, future_surplus=60.0)
    # The rest is 40: core = 40 / 0.65 before, 40 / 0.60 since 金规〔2023〕5号.
    assert recognised_capital(tiers, BEFORE_2023).core == pytest.approx(40 / 0.65)
    assert recognised_capital(tiers, PACK).core == pytest.approx(40 / 0.60)


AMOUNTS = st.floats(0.0, 1000.0)


@given(st.floats(1.0, 1000.0), AMOUNTS, AMOUNTS, AMOUNTS, st.floats(0.0, 1.0))
def test_recognised_capital_meets_every_limit_and_loses_nothing_else(
    first: float, second: float, third: float, fourth: float, surplus: float
) -> None:
    tiers = Tiers(first, second, third, fourth, surplus * first)
    got = recognised_capital(tiers, PACK)
    cut = got.excess
    core_tier2 = second - cut.get("tier.core_tier2", 0.0)
    counted_surplus = tiers.future_surplus - cut.get("tier.future_surplus", 0.0)
    slack = 1e-6 * (1 + got.comprehensive)
    assert core_tier2 <= 0.30 * got.core + slack
    assert counted_surplus <= 0.40 * got.core + slack
    assert got.comprehensive - got.core <= got.core + slack
    assert fourth - cut.get("tier.supplementary_tier2", 0.0) <= 0.25 * got.core + slack
    assert got.comprehensive + sum(cut.values()) == pytest.approx(first + second + third + fourth, abs=slack)


def test_own_funds_come_from_what_is_given() -> None:
    assert fund().own_funds().comprehensive == pytest.approx(300e8)
    assert fund().own_funds().core == pytest.approx(200e8)
    by_tiers = {
        "total_assets": 1000.0,
        "core_tier1": 150.0,
        "core_tier2": 50.0,
        "supplementary_tier1": 90.0,
        "supplementary_tier2": 10.0,
    }
    assert fund(sheet=by_tiers).own_funds().core == pytest.approx(200e8)
    by_assets = {"total_assets": 1000.0, "admitted_assets": 1000.0, "admitted_liabilities": 700.0}
    assert fund(sheet=by_assets).own_funds().core is None
    assert [item.name for item in fund(sheet=by_assets).requirements()] == ["comprehensive"]


def test_excess_over_the_tier_limits_is_taken_off_and_told() -> None:
    sheet = {"total_assets": 1000.0, "actual_capital": 300.0, "core_capital": 100.0}
    regime = fund(sheet=sheet)
    assert regime.own_funds().comprehensive == pytest.approx(200e8)
    assert any("100.00 is cut off" in note.text.en for note in regime.notes())


# ---- the whole figure


def test_the_figure_by_hand() -> None:
    regime = fund(capital={"loss_absorption_cap": 100.0})
    tree = regime.tree()
    held = np.array([50.0, 400.0, 200.0, 100.0]) * 1e8
    got = {name: amount / 1e8 for name, amount in tree.values(held).items()}
    assert got["equity_price"] == pytest.approx(28.0)  # an equity fund, 0.28
    assert got["spread"] == pytest.approx(200 * 2.8 * (0.0006 * 2.8 + 0.012))
    assert got["counterparty_default"] == 0.0
    rate = got["interest_rate"]
    assert rate == max(got["interest_rate_up"], got["interest_rate_down"], 0.0) > 0.0
    market = np.sqrt(rate**2 + 28.0**2 - 2 * 0.14 * rate * 28.0)
    assert got["market_risk"] == pytest.approx(market)
    credit = got["spread"]
    total = np.sqrt(
        40**2 + market**2 + credit**2 + 2 * (0.3 * 40 * market + 0.15 * 40 * credit + 0.35 * market * credit)
    )
    pool_rate = got["pool_interest_rate"]
    pool_market = np.sqrt(pool_rate**2 + 28.0**2 - 2 * 0.14 * pool_rate * 28.0)
    pool = np.sqrt(pool_market**2 + credit**2 + 2 * 0.35 * pool_market * credit)
    absorbed = min(0.5 * pool, 0.22 * 100 + 0.02 * pool, 100.0)
    assert got["loss_absorption"] == pytest.approx(absorbed)
    # CNY 100 bn of total assets: size factor 0.95; a score of 80: no control risk.
    assert got["minimum_capital"] == pytest.approx(0.95 * (total - absorbed))


def test_charges_add_up_to_the_leaves_of_the_tree() -> None:
    regime = fund()
    charges = regime.charges()
    columns = {"asset_id", "account", "module", "exposure", "factor", "charge", "article", "derivation"}
    assert columns <= set(charges.columns)
    held = np.array([50.0, 400.0, 200.0, 100.0]) * 1e8
    values = regime.tree().values(held)
    sums = charges.groupby("module")["charge"].sum()
    for module in ("equity_price", "spread"):
        assert sums[module] == pytest.approx(values[module])
    liabilities = regime.basis.rate.liability_change()
    assert sums["interest_rate_up"] + liabilities[0] == pytest.approx(values["interest_rate_up"])
    assert sums["interest_rate_down"] + liabilities[1] == pytest.approx(values["interest_rate_down"])


def test_the_accounts_changes_add_up_to_the_company_s_and_each_is_floored_at_zero() -> None:
    regime = fund(capital={"loss_absorption_cap": 50.0})
    held = np.array([50.0, 400.0, 200.0, 100.0]) * 1e8
    accounts = regime.basis.inputs.assets["account"].to_numpy(dtype=str)
    found = regime.basis.rate.by_account(held, accounts)
    values = regime.tree().values(held)
    assert set(found) == {"traditional", "participating"}
    assert sum(up for up, _, _ in found.values()) == pytest.approx(values["interest_rate_up"])
    assert sum(down for _, down, _ in found.values()) == pytest.approx(values["interest_rate_down"])
    assert found["participating"][0] == pytest.approx(values["pool_interest_rate_up"])
    assert all(own == max(up, down, 0.0) for up, down, own in found.values())


def test_attribution_adds_up_and_the_order_of_rows_does_not_matter() -> None:
    regime, turned = (
        fund(capital={"loss_absorption_cap": 50.0}),
        fund(assets=ASSETS[::-1], capital={"loss_absorption_cap": 50.0}),
    )
    held = np.array([50.0, 400.0, 200.0, 100.0]) * 1e8
    share = regime.tree().attribute(held)
    assert share.contribution.sum() + share.constants == pytest.approx(share.total, rel=1e-9)
    other = turned.tree().attribute(held[::-1])
    assert other.total == pytest.approx(share.total, rel=1e-12)
    assert other.marginal[::-1] == pytest.approx(share.marginal, rel=1e-9, abs=1e-15)


def test_the_unit_of_the_file_does_not_matter() -> None:
    in_yuan = [asset | {"amount": asset["amount"] * 1e8} for asset in ASSETS]
    sheet = {name: amount * 1e8 for name, amount in SHEET.items()}
    liabilities = LIABILITIES.assign(outflow=LIABILITIES["outflow"] * 1e8, inflow=LIABILITIES["inflow"] * 1e8)
    held = np.array([50.0, 400.0, 200.0, 100.0]) * 1e8
    plain = fund(
        assets=in_yuan,
        sheet=sheet,
        capital={"life_insurance_risk": 40e8},
        tables={"liabilities": liabilities},
        unit=1.0,
    )
    assert plain.tree().value(held) == pytest.approx(fund().tree().value(held), rel=1e-12)


@pytest.mark.parametrize("factor", [0.3, 1.7])
def test_capital_scales_with_every_money_input(factor: float) -> None:
    capital = {
        "size_factor": 0.95,
        "loss_absorption_cap": 50.0,
        "nonlife_insurance_risk": 3.0,
        "additional_capital": 1.0,
    }
    scaled = {name: value * factor for name, value in capital.items()} | {
        "size_factor": 0.95,
        "life_insurance_risk": 40.0 * factor,
    }
    liabilities = LIABILITIES.assign(outflow=LIABILITIES["outflow"] * factor, inflow=LIABILITIES["inflow"] * factor)
    larger = fund(
        assets=[asset | {"amount": asset["amount"] * factor} for asset in ASSETS],
        sheet={name: amount * factor for name, amount in SHEET.items()},
        capital=scaled,
        tables={"liabilities": liabilities},
    )
    base = fund(capital=capital)
    whole = base.tree().value(base._current)
    assert larger.tree().value(larger._current) == pytest.approx(factor * whole, rel=1e-12)
    assert larger.own_funds().comprehensive == pytest.approx(factor * base.own_funds().comprehensive)


def test_splitting_an_asset_changes_nothing() -> None:
    halves = [ASSETS[0], ASSETS[1] | {"amount": 150.0}, ASSETS[1] | {"amount": 250.0, "asset_id": "CGB2"}, *ASSETS[2:]]
    split, whole = fund(assets=halves), fund()
    assert split.tree().value(split._current) == pytest.approx(whole.tree().value(whole._current), rel=1e-12)


# ---- factors and requirements


@pytest.mark.parametrize(
    ("score", "factor"),
    [(0, 0.75), (50, 0.25), (70, 0.05), (75, 0.025), (80, 0.0), (90, -0.05), (95, -0.10), (100, -0.15)],
)
def test_control_risk_follows_the_score(score: float, factor: float) -> None:
    assert fund(capital={"sarmra_score": score}).basis.given.control_factor == pytest.approx(factor)


@pytest.mark.parametrize(
    ("assets", "factor"), [(800.0, 0.95), (499.0, 0.90), (500.0, 0.95), (4999.0, 0.95), (5000.0, 1.0)]
)
def test_the_size_factor_follows_total_assets(assets: float, factor: float) -> None:
    sheet = SHEET | {"total_assets": assets}
    small = [ASSETS[0]]
    assert fund(sheet=sheet, assets=small).basis.given.size_factor == factor


def test_a_size_factor_may_be_given() -> None:
    assert fund(capital={"size_factor": 0.97}).basis.given.size_factor == 0.97


def test_requirements_may_be_ratio_free_capital_or_no_worse() -> None:
    regime = fund(capital={"require": {"comprehensive": "180%", "core": {"free_capital": 25}}})
    first, second = regime.requirements()
    assert (first.required, first.capital) == (pytest.approx(1.8), pytest.approx(300e8))
    assert (second.required, second.free_capital) == (None, pytest.approx(25e8))
    assert second.capital == pytest.approx(200e8)
    same = fund(capital={"require": {"comprehensive": "no_worse", "core": None}})
    held = same._current
    ratio = 300e8 / same.tree().value(held)
    assert same.requirements()[0].required == pytest.approx(ratio)
    assert (same.requirements()[1].required, same.requirements()[1].free_capital) == (None, None)
    # Nothing said: the rules' own minimum.
    assert [item.required for item in fund().requirements()] == [1.0, 0.5]


def test_currency_liabilities_net_their_own_currency() -> None:
    bond = {
        "asset_id": "USB",
        "kind": "overseas_bond",
        "amount": 60.0,
        "account": "participating",
        "currency": "USD",
        "market": "developed",
    }
    regime = fund(
        assets=[*ASSETS, bond],
        capital={"currency_liabilities": {"USD": {"participating": 20.0}, "EUR": 10.0}, "loss_absorption_cap": 9.0},
    )
    got = regime.tree().values(regime._current)
    assert got["currency_USD"] == pytest.approx(0.05 * 40e8)
    assert got["currency_EUR"] == pytest.approx(0.08 * 10e8)
    assert got["currency"] == pytest.approx(2.8e8)
    assert got["pool_currency"] == pytest.approx(2e8)  # the euro amount names no account


# ---- what must be named


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capital": {"sarmra_score": None}}, "either the score or the factor"),
        ({"capital": {"control_risk": 0.1}}, "either the score or the factor"),
        ({"capital": {"sarmra_score": 101}}, "sarmra_score"),
        ({"capital": {"life_insurance_risk": -1}}, "life_insurance_risk"),
        ({"capital": {"sarmra_scor": 80}}, "sarmra_score"),
        ({"capital": {"currency_liabilities": {"CNY": 5}}}, "foreign currency"),
        ({"capital": {"currency_liabilities": {"USD": {"pension": 5}}}}, "no such account"),
        ({"capital": {"without_liabilities": True}}, "said to be left out"),
        ({"tables": {"liabilities": None}}, "needs the liability cash flows"),
        ({"tables": {"curve": None}}, "government spot curve"),
        ({"sheet": {"total_assets": 1000.0}}, "actual capital is not given"),
        (
            {"sheet": {"total_assets": 1000.0, "actual_capital": 1.0}, "capital": {"require": {"core": 1.0}}},
            "core capital is not given",
        ),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], message: str) -> None:
    assert message in messages(**changes)


def test_without_liabilities_on_purpose() -> None:
    regime = fund(capital={"without_liabilities": True}, tables={"liabilities": None})
    got = regime.tree().values(regime._current)
    assert got["interest_rate"] == got["interest_rate_up"] > 0
    assert any(not note.rule and "assets alone" in note.text.en for note in regime.notes())


def test_what_departs_from_the_rules_is_marked() -> None:
    regime = fund(
        capital={
            "overrides": {"control_risk.standard_score": 81},
            "what_if": [{"kind": "corporate_bond", "k": -0.1}],
            "loss_absorption": 3.0,
        }
    )
    told = [note.text.en for note in regime.notes() if not note.rule]
    assert len(told) == 3
    assert regime.tree().values(regime._current)["loss_absorption"] == pytest.approx(3e8)
    assert regime.tree().values(regime._current)["spread"] == pytest.approx(0.9 * 200e8 * 2.8 * (0.0006 * 2.8 + 0.012))


# ---- charges that depend on the book


def stock(**changes: Any) -> dict[str, Any]:
    terms = {"asset_id": "CSI", "kind": "listed_stock", "account": "traditional", "board": "main", "indices": "csi300"}
    return terms | {"holding_years": 1.0, "amount": 80.0, "cost": 60.0, "concentration_exempt": True} | changes


def named(amount: float) -> list[dict[str, Any]]:
    bond = ASSETS[2] | {"amount": amount, "concentration_exempt": None}
    return [*ASSETS[:2], bond, ASSETS[3]]


def test_a_counterparty_below_its_threshold_must_stay_there() -> None:
    # CNY 100 bn: 8% of 10, 5% of 40, 4% of 50 = 4.8 bn.
    regime = fund(assets=named(30.0))
    space = build_space(regime.basis.inputs)
    (term,) = regime.guards(space)
    assert term.name == "counterparty_concentration" and term.rows == ("Rail",)
    held = regime._current.copy()
    assert term.holds(held)
    for amount, holds in ((48.01e8, False), (48e8, False), (47.99e8, True)):
        held[2] = amount
        assert term.holds(held) is holds
    # At the very edge that an answer may reach, the charge has not stepped up.
    held[2] = term.right[0] + TOLERANCE * term.per[0]
    assert not regime.basis.charges.at(held).k_concentration.any()
    held[2] = 48.01e8
    assert regime.basis.charges.at(held).k_concentration.any()
    assert fund(assets=named(30.0), capital={"guard_concentration": False}).guards(space) == ()


def test_a_counterparty_over_its_threshold_is_charged_and_not_guarded() -> None:
    regime = fund(assets=named(200.0))
    space = build_space(regime.basis.inputs)
    assert regime.guards(space) == ()
    spread = regime.tree().values(regime._current)["spread"]
    assert spread == pytest.approx(1.4 * 200e8 * 2.8 * (0.0006 * 2.8 + 0.012))
    state = regime.book_state(space)
    assert state is not None
    least, greatest = state.trees(0.0, 0.0)
    assert least.values(regime._current)["spread"] == pytest.approx(spread / 1.4)
    assert greatest.values(regime._current)["spread"] == pytest.approx(spread)


def test_without_guards_what_the_bounds_allow_is_reckoned_with() -> None:
    regime = fund(assets=named(30.0), capital={"guard_concentration": False})
    space = build_space(regime.basis.inputs)
    assert regime.guards(space) == ()
    state = regime.book_state(space)
    assert state is not None
    held = regime._current
    least, greatest = (tree.values(held)["spread"] for tree in state.trees(0.0, 0.0))
    assert least == pytest.approx(regime.tree().values(held)["spread"])
    assert greatest == pytest.approx(1.4 * least)
    # Where the bounds keep the counterparty below its threshold, nothing depends on the holdings.
    bound = named(30.0)
    bound[2] = bound[2] | {"max": 40.0}
    narrow = fund(assets=bound, capital={"guard_concentration": False})
    assert narrow.book_state(build_space(narrow.basis.inputs)) is None


def test_the_tree_is_exact_at_the_holdings_it_is_asked_for() -> None:
    regime = fund(assets=[*ASSETS, stock()])
    held = regime._current
    # A gain of 20 on 60: k1 = 1/9; buying 60 more at cost: gain 20 on 120, k1 = 1/36.
    assert regime.tree().values(held)["equity_price"] == pytest.approx(28e8 + 80e8 * 0.30 * (1 + 1 / 9))
    more = held.copy()
    more[-1] = 140e8
    assert regime.tree(more).values(more)["equity_price"] == pytest.approx(28e8 + 140e8 * 0.30 * (1 + 1 / 36))


def test_the_exact_tree_lies_between_those_of_an_interval() -> None:
    regime = fund(assets=[*ASSETS, stock(max=300.0), stock(asset_id="LOSS", amount=50.0, cost=80.0, max=60.0)])
    space = build_space(regime.basis.inputs)
    state = regime.book_state(space)
    assert state is not None
    generator = np.random.default_rng(3)
    for _ in range(20):
        held = np.minimum(generator.uniform(0.0, 400.0, 6), [400.0, 400.0, 400.0, 400.0, 300.0, 60.0]) * 1e8
        gain, (first, last) = state.at(held), state.reach(space)
        assert first - 1e-12 <= gain <= last + 1e-12
        low, high = gain - generator.random() * (gain - first), gain + generator.random() * (last - gain)
        least, greatest = (tree.coefficients for tree in state.trees(low, high))
        exact = regime.tree(held).coefficients
        assert (exact - least).min() >= -1e-12 and (greatest - exact).min() >= -1e-12
        assert all(term.holds(held) for term in state.rules(space, low, high))


def test_a_book_without_stock_has_no_state() -> None:
    regime = fund()
    assert regime.book_state(build_space(regime.basis.inputs)) is None


# ---- what is shown


def test_the_filing_table_has_its_lines_before_and_after() -> None:
    regime = fund(capital={"loss_absorption_cap": 50.0})
    before = regime.tree().values(regime._current)
    table = filing_table(before, before | {"equity_price": before["equity_price"] + 1e8})
    lines = table.frame.set_index("module")
    assert list(lines.index[:2]) == ["minimum_capital", "quantifiable_risk_capital"]
    assert lines.loc["equity_price", "change"] == pytest.approx(1e8)
    assert lines.loc["control_risk", "before"] == pytest.approx(before["control_risk"])
    assert table.labels["module"]["market_risk"].zh == "市场风险最低资本"


def test_rules_prints_every_figure_in_force_with_its_article() -> None:
    figures = {figure["figure"]: figure for figure in figures_in_force(PACK)}
    assert set(figures) == set(PACK)
    assert figures["rate.ultimate"]["value"] == 0.045
    assert figures["size_factor.life"]["value"][0] == {"at_least": 5e11, "value": 1.0}
    assert figures["market.correlation"]["value"]["rows"][0][1] == -0.14
    assert all(figure["article"] and figure["document"] and figure["effective"] for figure in figures.values())
    assert json.loads(json.dumps(list(figures.values()))) == list(figures.values())


def test_the_rules_command(capsys: pytest.CaptureFixture[str]) -> None:
    rules("rate.stress", "2023-01-01", None, True)
    told = json.loads(capsys.readouterr().out)
    assert (told["date"], [figure["figure"] for figure in told["figures"]]) == ("2023-01-01", ["rate.stress"])
    rules("loss_absorption", "2026-06-30", Language.CHINESE, False)
    assert "损失吸收" in capsys.readouterr().out
    for prefix, when in (("nothing", "2026-06-30"), ("rate", "June"), ("rate", "2020-01-01")):
        with pytest.raises(InputError):
            rules(prefix, when, None, True)
