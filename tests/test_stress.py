"""Stress tests: rule-10 numbers worked by hand on a tiny fund, shocks one by one, laws that any shock keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from allocator_shocks.options import ByName
from hypothesis import given
from hypothesis import strategies as st
from support import make_registry

from allocator import Fund, InputError, cli
from allocator.errors import PluginError, Problems
from allocator.extension.registry import load_registry
from allocator.hooks import hookimpl
from allocator.pipeline.scenarios import scenarios_of, shock_fund, stress
from allocator.result.stress import StressOutcome
from allocator.stress.shocks import Shocked, ShockSpec
from allocator.types import Text

LIFE = 30.0
"""Life insurance risk of the tiny fund; nothing is diversified beyond the company's own matrix."""

STOCK = {"asset_id": "STOCK", "kind": "listed_stock", "amount": 200.0, "cost": 200.0, "board": "main"}
MONEY_FUND = {"asset_id": "MMF", "kind": "money_market_fund", "amount": 50.0}
CASH = {"asset_id": "CASH", "kind": "cash", "amount": 100.0}
BOND = {
    "asset_id": "BOND",
    "kind": "corporate_bond",
    "amount": 100.0,
    "yield": 0.03,
    "coupon": 0.03,
    "frequency": 1,
    "maturity": "2029-06-30",
    "rating": "AAA",
    "accounting": "fvoci",
}
TIMES = np.array([1.0, 2.0, 3.0])
"""Coupon days of the bond are anniversaries of 2026-06-30."""
PAID = np.array([0.03, 0.03, 1.03])
CURVE = pd.DataFrame({"tenor": range(1, 51), "spot": [0.02] * 50})
LIABILITIES = pd.DataFrame(
    {"account": ["traditional"] * 2, "year": [5, 10], "outflow": [100.0, 200.0], "inflow": [0.0, 20.0]}
)


def fund(
    *rows: Mapping[str, Any],
    stress: Mapping[str, Any] | None = None,
    sheet: Mapping[str, Any] | None = None,
    **tables: Any,
) -> Fund:
    """Return a fund of these rows: own funds 300, core capital 200, neutral size and control factors."""
    settings = {
        "fund": {"name": "tiny", "as_of": "2026-06-30"},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": 300.0, "core_capital": 200.0, **(sheet or {})},
        "capital": {
            "regime": "cross2",
            "life_insurance_risk": LIFE,
            "control_risk": 0.0,
            "size_factor": 1.0,
            "without_liabilities": "liabilities" not in tables,
            "readings": {},
        },
        "stress": stress or {},
    }
    frame = pd.DataFrame([{"account": "traditional", **row} for row in rows])
    return Fund(settings, frame, **{"curve": CURVE, **tables})


def outcome(book: Fund, name: str) -> StressOutcome:
    return next(item for item in stress(book).outcomes if item.scenario.name == name)


def one(book: Fund, **shocks: Any) -> Shocked:
    """Return the fund after a scenario of the user's."""
    inputs = book.inputs
    settings = inputs.settings.model_copy(
        update={"stress": type(inputs.settings.stress)(scenarios={"mine": shocks}, only=("mine",))}
    )
    mine = book.with_inputs(type(inputs)(settings, inputs.balance_sheet, inputs.tables, inputs.sources, inputs.kinds))
    return shock_fund(mine, scenarios_of(mine)[0])


def with_life(market: float, credit: float = 0.0) -> float:
    """sqrt(v′Rv) of life, market and credit risk: correlations 0.30, 0.15, 0.35 (R2 §17)."""
    cross = 0.30 * LIFE * market + 0.15 * LIFE * credit + 0.35 * market * credit
    return sqrt(LIFE**2 + market**2 + credit**2 + 2.0 * cross)


def test_equity_sensitivity_by_hand() -> None:
    """A fall by 30%: stock 200 → 140, k1 = −0.3² with cost 200, RF = 0.35 (1 − 0.09); money-market funds stay."""
    found = outcome(fund(CASH, STOCK, MONEY_FUND), "sensitivity_equity")
    assert found.position is not None and found.shocked is not None
    assert found.shocked.inputs.assets["amount"].tolist() == pytest.approx([100.0, 140.0, 50.0])
    assert found.position.own_funds.actual == pytest.approx(300.0 - 60.0)
    assert found.position.own_funds.amounts["core"] == pytest.approx(200.0 - 60.0)
    charge = 140.0 * 0.35 * (1.0 - 0.09) + 50.0 * 0.01
    assert found.position.minimum_capital == pytest.approx(with_life(charge), rel=1e-12)
    assert found.position.ratio("comprehensive") == pytest.approx(240.0 / with_life(charge))
    assert "52号" in str(found.scenario.source) and "annex 4" in str(found.scenario.source)


def test_core_bears_the_whole_loss_and_tax_keeps_part_of_it_for_the_whole() -> None:
    """R1 §40 (4): stock of 200 falls by 30%, 60 are lost; at 25% tax 15 come back as a deferred tax asset.

    So core falls by 60 and comprehensive by 45; a deferred tax liability of 5 is used first: core by 55.
    """
    for liability, core in ((0.0, 140.0), (5.0, 145.0)):
        book = fund(CASH, STOCK)
        given = {**book.settings.capital.options, "tax_rate": 0.25, "deferred_tax_liability": liability}  # type: ignore[union-attr]
        capital = type(book.settings.capital).model_validate({"regime": "cross2", **given})  # type: ignore[union-attr]
        inputs = replace(book.inputs, settings=book.settings.model_copy(update={"capital": capital}))
        found = outcome(book.with_inputs(inputs), "quarterly_equity")
        assert found.position is not None
        assert found.position.own_funds.amounts["core"] == pytest.approx(core)
        assert found.position.own_funds.actual == pytest.approx(300.0 - 45.0)
        assert any("deferred tax" in note.en for note in found.notes)


def test_base_by_hand() -> None:
    base = stress(fund(CASH, STOCK, MONEY_FUND)).base
    assert base.minimum_capital == pytest.approx(with_life(200.0 * 0.35 + 50.0 * 0.01), rel=1e-12)


def test_macro_scenario_by_hand() -> None:
    """50 bp on the bond at fair value by its flows, none on those at cost; equity −20%; 10% of every bond's value."""
    at_cost = {**BOND, "asset_id": "HELD", "accounting": "ac"}
    lost = {**BOND, "asset_id": "LOST", "accounting": "ac", "in_default": True}
    found = outcome(fund(CASH, STOCK, BOND, at_cost, lost), "annual_macro")
    assert found.shocked is not None and found.position is not None
    price = float(PAID @ 1.035**-TIMES) / float(PAID @ 1.03**-TIMES)
    amounts = found.shocked.inputs.assets["amount"].tolist()
    assert amounts == pytest.approx([100.0, 160.0, 90.0 * price, 90.0, 90.0], rel=1e-12)
    change = -40.0 + 90.0 * price - 100.0 - 10.0 - 10.0
    assert found.position.own_funds.actual == pytest.approx(300.0 + change, rel=1e-12)
    assert found.shocked.inputs.assets["yield"].tolist()[2] == pytest.approx(0.035)
    assert any("amortised cost" in note.en for note in found.notes)


def test_duration_and_spread_risk_follow_the_yield() -> None:
    """Spread risk of an AAA bond: EX · D (0.0006 D + 0.012), D the modified duration at the new yield (R9 §15); a tenth
    of EX is lost.
    """
    found = outcome(fund(CASH, BOND, {**BOND, "asset_id": "B2"}), "annual_macro")
    assert found.position is not None
    discounted = PAID * 1.035**-TIMES
    duration = float(discounted @ TIMES / discounted.sum()) / 1.035
    exposure = 2.0 * 90.0 * float(discounted.sum()) / float(PAID @ 1.03**-TIMES)
    spread = found.position.tree.values(found.position.holdings)["spread"]
    assert spread == pytest.approx(exposure * duration * (0.0006 * duration + 0.012), rel=1e-9)


def test_a_given_duration_moves_as_that_of_the_flows_does() -> None:
    shocked = one(fund(CASH, {**BOND, "modified_duration": 2.0}), curve=0.01)

    def duration(rate: float) -> float:
        discounted = PAID * (1.0 + rate) ** -TIMES
        return float(discounted @ TIMES / discounted.sum()) / (1.0 + rate)

    expected = 2.0 * duration(0.04) / duration(0.03)
    assert shocked.inputs.assets["modified_duration"].tolist()[1] == pytest.approx(expected)


def test_a_shift_by_tenor_discounts_each_payment_at_its_own() -> None:
    """Shifts of 1% at one year and 2% at three, linear between: 1.5% at two."""
    shocked = one(fund(CASH, BOND), curve={1: "100bp", 3: "200bp"})
    shift = np.interp(TIMES, [1.0, 3.0], [0.01, 0.02])
    expected = float(PAID @ (1.03 + shift) ** -TIMES) / float(PAID @ 1.03**-TIMES)
    assert shocked.price[1] == pytest.approx(expected, rel=1e-12)
    moved = shocked.inputs.tables["curve"]["spot"].to_numpy() - 0.02
    assert moved[:4] == pytest.approx([0.01, 0.015, 0.02, 0.02])


def test_spreads_move_by_rating_and_leave_governments_alone() -> None:
    state = {**BOND, "asset_id": "CGB", "kind": "government_bond"}
    lower = {**BOND, "asset_id": "AA", "rating": "AA"}
    shocked = one(fund(CASH, state, BOND, lower), spread={"AAA": "20bp", "AA": "1%"})
    prices = [float(PAID @ (1.03 + move) ** -TIMES) / float(PAID @ 1.03**-TIMES) for move in (0.0, 0.0, 0.002, 0.01)]
    assert shocked.price[1:] == pytest.approx(prices[1:], rel=1e-12)
    assert shocked.inputs.tables["curve"]["spot"].tolist() == [0.02] * 50


def test_harsher_rate_parameters() -> None:
    """Scenario 3: rates times (1 + 1.3 · stress). One liability flow at year 5 of a flat 2% curve."""
    flow = pd.DataFrame({"account": ["traditional"], "year": [5], "outflow": [100.0], "inflow": [0.0]})
    found = outcome(fund(CASH, liabilities=flow), "annual_rate")
    assert found.position is not None
    up, down, base = (0.02 * (1.0 + move) + 0.0045 for move in (1.3 * 0.66, 1.3 * -0.48, 0.0))
    expected = 100.0 * max(value**-5.0 - (1 + base) ** -5.0 for value in (1 + up, 1 + down))
    assert found.position.tree.values(found.position.holdings)["interest_rate"] == pytest.approx(expected, rel=1e-9)
    assert found.position.own_funds.actual == 300.0


def test_the_curve_that_values_liabilities() -> None:
    """50 bp down on a flat 2% curve: each net flow is worth 1.015^−t instead of 1.02^−t; assets stay."""
    found = outcome(fund(CASH, BOND, liabilities=LIABILITIES), "sensitivity_liability_curve")
    assert found.shocked is not None and found.position is not None
    owed = 100.0 * (1.015**-5 - 1.02**-5) + 180.0 * (1.015**-10 - 1.02**-10)
    assert found.shocked.liabilities == pytest.approx(owed)
    assert found.position.own_funds.actual == pytest.approx(300.0 - owed)
    assert found.shocked.price.tolist() == [1.0, 1.0]


def test_quarterly_default_loss_spares_governments_and_cash() -> None:
    state = {**BOND, "asset_id": "CGB", "kind": "government_bond"}
    found = outcome(fund(CASH, STOCK, BOND, state), "quarterly_default")
    assert found.shocked is not None
    assert found.shocked.price.tolist() == pytest.approx([1.0, 1.0, 0.9, 1.0])


PRODUCTS = [
    {"asset_id": "AM", "kind": "am_product", "amount": 100.0, "transparency": "look_through"},
    {"asset_id": "SPV", "kind": "special_purpose_vehicle", "amount": 100.0, "transparency": "opaque"},
    {"asset_id": "HOUSES", "kind": "property_product", "amount": 100.0, "transparency": "opaque"},
    {"asset_id": "REIT", "kind": "reit", "amount": 100.0, "transparency": "opaque"},
    {
        "asset_id": "TRUST",
        "kind": "trust_plan",
        "product_type": "equity",
        "amount": 100.0,
        "transparency": "opaque",
    },
    {"asset_id": "PLAN", "kind": "debt_plan", "amount": 100.0, "transparency": "look_through", "rating": "AAA"},
    {"asset_id": "HK", "kind": "overseas_stock", "amount": 100.0, "market": "developed", "currency": "HKD"},
    {"asset_id": "LOAN", "kind": "policy_loan", "amount": 100.0},
    {"asset_id": "TERM", "kind": "deposit", "amount": 100.0, "bank_type": "large_state"},
]
UNDERLYING = pd.DataFrame(
    [
        {"asset_id": "AM", "kind": "equity_fund", "share": 0.4},
        {"asset_id": "AM", "kind": "corporate_bond", "share": 0.5, "rating": "AAA", "modified_duration": 3.0},
        {"asset_id": "AM", "kind": "money_market_fund", "share": 0.1},
        {"asset_id": "PLAN", "kind": "loan", "share": 1.0, "loan_class": "normal"},
    ]
)


@pytest.mark.parametrize(
    ("scenario", "left"),
    [
        ("quarterly_equity", [88.0, 70.0, 70.0, 70.0, 70.0, 100.0, 100.0, 100.0, 100.0]),
        ("quarterly_default", [95.0, 100.0, 100.0, 100.0, 100.0, 90.0, 100.0, 90.0, 90.0]),
        ("annual_macro", [87.0, 80.0, 80.0, 80.0, 80.0, 90.0, 100.0, 90.0, 90.0]),
    ],
)
def test_the_falls_of_annex_4_reach_what_lies_under_products(scenario: str, left: list[float]) -> None:
    """Annex 4 of 52号, chapter 2, on 100 of each product.

    The asset-management product holds 40 of an equity fund, 50 of an AAA bond and 10 of a money-market fund: equity
    −30% takes 12, a default of 10% takes 5, both of the annual scenario (−20%, 10%) 8 + 5. Opaque vehicles, property
    products, REITs and equity trusts are charged 0.6 (0.5) for equity price risk (R7 §31) and fall wholly; the debt
    plan, loans below and its own default risk above, loses once, as do the policy loan (R9 §19 (4)) and the deposit;
    Hong Kong shares are charged under chapter 5 of R8 and are out of both.
    """
    flows = {"coupon": 0.03, "frequency": 1, "maturity": "2029-06-30", "yield": 0.03}
    rows = [{**row, **(flows if row["asset_id"] in ("AM", "PLAN", "LOAN", "TERM") else {})} for row in PRODUCTS]
    found = outcome(fund(*rows, underlying=UNDERLYING), scenario)
    assert found.shocked is not None
    assert found.shocked.inputs.assets["amount"].tolist() == pytest.approx(left, rel=1e-12)


def test_rows_marked_by_hand_are_a_reading_of_the_default_loss() -> None:
    """With the reading, 10% of the marked bond of 100 alone is lost; by default of both."""
    rows = (BOND, {**BOND, "asset_id": "LOST", "in_default": True})
    for marked, change in ((False, -20.0), (True, -10.0)):
        book = fund(*rows)
        options = {**book.settings.capital.options, "readings": {"default_loss_of_marked_rows": marked}}  # type: ignore[union-attr]
        capital = type(book.settings.capital).model_validate({"regime": "cross2", **options})  # type: ignore[union-attr]
        settings = book.settings.model_copy(update={"capital": capital})
        inputs = replace(book.inputs, settings=settings)
        found = outcome(book.with_inputs(inputs), "quarterly_default")
        assert found.shocked is not None
        assert found.shocked.asset_change(np.array([100.0, 100.0])) == pytest.approx(change)


def test_a_derivative_loses_of_its_claim_alone() -> None:
    """R9 §33: a forward of notional −100 with a claim of 5 on a bank rated AA loses 10% of 5."""
    forward = {
        "asset_id": "FX",
        "kind": "fx_forward",
        "amount": -100.0,
        "book_value": 5.0,
        "hedge_effectiveness": 1.0,
        "currency": "USD",
        "counterparty": "BANK",
        "rating": "AA",
    }
    found = outcome(fund(CASH, forward), "quarterly_default")
    assert found.shocked is not None
    assert found.shocked.asset_change(np.array([100.0, -100.0])) == pytest.approx(-0.5)


def test_the_insurance_scenario_says_that_it_is_not_computed() -> None:
    found = outcome(fund(CASH, STOCK), "annual_insurance")
    assert found.position is None
    assert any("lapse +20%" in note.en and "退保率 +20%" in note.zh for note in found.notes)


def test_the_insurance_scenario_takes_the_effect_that_the_fund_file_gives() -> None:
    """By hand as an actuary's scenario of its own: own funds −50, life insurance risk 45 in place of 30."""
    given = {"own_funds": -50, "capital": {"life_insurance_risk": 45}}
    found = outcome(fund(CASH, STOCK, stress={"scenarios": {"annual_insurance": given}}), "annual_insurance")
    assert found.position is not None
    assert found.position.own_funds.actual == pytest.approx(250.0)
    assert found.position.minimum_capital == pytest.approx(sqrt(45.0**2 + 70.0**2 + 2.0 * 0.30 * 45.0 * 70.0))
    assert "annex 4" in found.scenario.source.article
    assert any("fund file's" in note.en and "组合文件" in note.zh for note in found.notes)


def test_equity_by_board_market_and_kind() -> None:
    rows = [
        STOCK,
        {**STOCK, "asset_id": "STAR", "board": "star"},
        {"asset_id": "HK", "kind": "overseas_stock", "amount": 10.0, "market": "developed", "currency": "HKD"},
        {"asset_id": "FUND", "kind": "equity_fund", "amount": 10.0},
        {"asset_id": "UNLISTED", "kind": "unlisted_equity", "amount": 10.0},
        MONEY_FUND,
    ]
    shocked = one(fund(*rows), equity={"all": -0.1, "star": -0.4, "developed": -0.2})
    assert shocked.price.tolist() == pytest.approx([0.9, 0.6, 0.8, 0.9, 0.9, 1.0])


def test_an_index_future_gains_on_its_notional() -> None:
    hedge = {
        "asset_id": "IF",
        "kind": "index_future",
        "amount": -100.0,
        "hedge_effectiveness": 1.0,
        "hedge_months": 3,
    }
    shocked = one(fund(STOCK, hedge), equity=-0.3)
    assert shocked.asset_change(np.array([200.0, -100.0])) == pytest.approx(-60.0 + 30.0)


def test_assets_are_lost_at_book_value() -> None:
    """Admitted value is book value (R1): 30% off an associate at 80 in the books of 100 in the market costs 24."""
    associate = {"asset_id": "ASSOC", "kind": "associate", "amount": 100.0, "book_value": 80.0, "listed": True}
    shocked = one(fund(CASH, associate), equity=-0.3)
    assert shocked.asset_change(np.array([100.0, 100.0])) == pytest.approx(-24.0)
    assert shocked.inputs.assets["book_value"].tolist()[1] == pytest.approx(56.0)


def test_currency_and_property() -> None:
    dollar = {"asset_id": "USD", "kind": "overseas_fund", "amount": 10.0, "market": "developed", "currency": "USD"}
    house = {"asset_id": "HOUSE", "kind": "property", "amount": 40.0}
    shocked = one(fund(CASH, dollar, house), currency={"USD": -0.05}, property=-0.2)
    assert shocked.price.tolist() == pytest.approx([1.0, 0.95, 0.8])


def test_lapse_at_full_value_moves_timing_alone() -> None:
    """With k = 1 and nothing owed below zero, present value stays; half leave in the first year of two."""
    flows = pd.DataFrame(
        {"account": ["traditional"] * 2, "year": [1, 2], "outflow": [10.0, 110.0], "inflow": [0.0, 0.0]}
    )
    shocked = one(fund(CASH, liabilities=flows), lapse=0.5)
    assert shocked.liabilities == pytest.approx(0.0, abs=1e-12)
    owed = 10.0 + 110.0 / 1.02
    paid = shocked.inputs.tables["liabilities"]["outflow"].tolist()
    assert paid == pytest.approx([0.5 * 10.0 + 0.5 * owed, 0.25 * 110.0 + 0.25 * 110.0])


def test_given_effects_and_capital_options() -> None:
    """An actuary's figures: own funds −50, life insurance risk 45 in place of 30."""
    book = fund(
        CASH, STOCK, stress={"scenarios": {"actuaries": {"own_funds": -50, "capital": {"life_insurance_risk": 45}}}}
    )
    found = outcome(book, "actuaries").position
    assert found is not None
    assert found.own_funds.actual == pytest.approx(250.0)
    assert found.minimum_capital == pytest.approx(sqrt(45.0**2 + 70.0**2 + 2.0 * 0.30 * 45.0 * 70.0))


@given(
    st.fixed_dictionaries(
        {"curve": st.floats(-0.02, 0.05), "equity": st.floats(-1.0, 0.5), "spread": st.floats(0.0, 0.05)}
    )
)
def test_own_funds_move_by_what_assets_lose(shocks: dict[str, float]) -> None:
    """ΔA = Σ (stressed − present book value) for a fund without derivatives, and the sheet moves by it."""
    book = fund(CASH, STOCK, BOND, sheet={"admitted_assets": 1000.0, "admitted_liabilities": 700.0})
    shocked = one(book, **shocks)
    held = book.inputs.assets["amount"].to_numpy()
    after = shocked.stressed_inputs()
    lost = float((after.assets["amount"].to_numpy() - held).sum())
    assert shocked.asset_change(held) == pytest.approx(lost, abs=1e-9)
    sheet = after.balance_sheet
    assert sheet.actual_capital == pytest.approx(300.0 + lost)
    assert sheet.admitted_assets == pytest.approx(1000.0 + lost)
    assert sheet.admitted_liabilities == pytest.approx(700.0)


def test_no_shock_changes_nothing() -> None:
    book = fund(CASH, STOCK, BOND, liabilities=LIABILITIES)
    shocked = one(book, curve=0.0, equity=0.0, spread=0.0, liability_curve=0.0, lapse=0.0)
    assert shocked.price.tolist() == [1.0, 1.0, 1.0]
    assert shocked.liabilities == pytest.approx(0.0, abs=1e-12)
    after = book.with_inputs(shocked.stressed_inputs()).capital().value
    before = book.capital().value
    assert after is not None and before is not None
    assert after.minimum_capital == pytest.approx(before.minimum_capital, rel=1e-12)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"scenarios": {"s": {"equities": -0.3}}}, ("no shock has this name", "equity", "没有该名称的冲击")),
        ({"scenarios": {"s": {"equity": -1.3}}}, ("stress.scenarios.s.equity", "-1", "-1.3")),
        ({"scenarios": {"s": {"equity": {"boards": -0.3}}}}, ("boards", "main", "该冲击没有此项")),
        ({"scenarios": {"s": {"spread": {"Aaa1": 0.01}}}}, ("Aaa1", "AAA", "不是评级")),
        ({"scenarios": {"s": {"currency": {"JPY": -0.1}}}}, ("JPY", "currency", "没有持有该币种资产")),
        ({"scenarios": {"base": {"equity": -0.3}}}, ("base", "taken", "占用")),
        ({"scenarios": {"annual_macro": {"equity": -0.3}}}, ("annual_macro", "taken", "占用")),
        ({"only": ["annual_macr"]}, ("no scenario has this name", "annual_macro", "没有该名称的情景")),
    ],
)
def test_what_is_wrong_is_named(stated: dict[str, Any], words: tuple[str, str, str]) -> None:
    with pytest.raises(InputError) as caught:
        stress(fund(CASH, STOCK, BOND, stress=stated))
    told = caught.value.render("en") + caught.value.render("zh")
    assert all(word in told for word in words), told


def test_a_fund_without_a_regime_cannot_be_stressed() -> None:
    book = Fund({"fund": {"name": "x", "as_of": "2026-06-30"}}, pd.DataFrame([{"account": "traditional", **CASH}]))
    with pytest.raises(InputError, match="needs a solvency regime"):
        stress(book)


def test_every_shock_and_scenario_is_labelled_in_both_languages() -> None:
    registry = load_registry()
    assert {"curve", "spread", "equity", "property", "currency", "default_loss", "lapse"} <= set(registry.shocks)
    for spec in (*registry.shocks.values(), *registry.stresses.values()):
        assert spec.label.en != spec.label.zh


EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return int(end.value.code or 0), capsys.readouterr().out


def test_the_command_writes_and_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    status, said = run(["stress", str(EXAMPLE), "-o", str(out), "--json"], capsys)
    assert status == 0
    told = json.loads(said)
    table = pd.read_csv(out / "stress.csv")
    assert table["scenario"].tolist() == [row["scenario"] for row in told["stress"]]
    assert table["comprehensive_ratio"].tolist()[0] == pytest.approx(2.5065, abs=1e-4)
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {"stress.csv", "stress_modules.csv", "report.html", "report.xlsx"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "压力测试" in page and "Stress test" in page and "<svg" in page


def test_the_command_speaks_chinese_and_replaces_its_own_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        status, said = run(["stress", str(EXAMPLE), "--lang", "zh", "-o", str(out)], capsys)
        assert status == 0 and "年度必测情景二" in said
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("x", encoding="utf-8")
    status, _ = run(["stress", str(EXAMPLE), "-o", str(tmp_path / "other")], capsys)
    assert status == 2
    assert (tmp_path / "other" / "mine.txt").read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("result", [None, "nonsense", float("nan")])
def test_a_shock_that_returns_nonsense_is_told_with_its_plugin(result: object) -> None:
    def apply(shocked: Shocked, options: Any, problems: Problems) -> Any:
        return result if not isinstance(result, float) else shocked.owing(result)

    spec = ShockSpec("mine", Text("mine", "我的"), ByName, apply)
    module = SimpleNamespace(allocator_shocks=hookimpl(lambda: (spec,)))
    registry = make_registry(("mine", module))
    with pytest.raises(PluginError, match="plugin mine, allocator_shocks, mine.apply"):
        registry.shocks["mine"].apply(Shocked.untouched(fund(CASH).inputs), None, Problems())
