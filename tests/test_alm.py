"""Asset-liability rules from hand-worked cash flows on a flat curve, at the line, inside and outside."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from allocator_alm.coverage import COVERAGE
from allocator_alm.gaps import GAPS
from allocator_alm.matching import MATCHING
from rule_funds import AS_OF, at, build, context

from allocator.errors import InputError, Problems
from allocator.inputs.cash_flows import asset_cash_flows
from allocator.inputs.curves import SpotCurve
from allocator.model import Mode, ModelContext, Term
from allocator.types import Certainty

SPECS = (*GAPS, *COVERAGE, *MATCHING)
RATE = 0.03
CURVE = pd.DataFrame({"tenor": [1.0, 50.0], "spot": [RATE, RATE]})
V = 1 / (1 + RATE)


def zero(years: int, amount: float = 100.0, **more: Any) -> dict[str, Any]:
    """A zero-coupon bond of whole years, worth its amount on the curve: 1 CNY pays 1.03^years."""
    maturity = AS_OF.replace(year=AS_OF.year + years).isoformat()
    return {"kind": "government_bond", "amount": amount, "coupon": 0.0, "maturity": maturity, "yield": RATE} | more


def owes(*rows: tuple[str, int, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["account", "year", "outflow", "inflow"])
    return frame.assign(guaranteed_rate=0.025)


# 1,000 due in ten years: worth 744.09, sensitivity 10 · 744.09 / 1.03 = 7,224.2 per unit of rate.
TEN = owes(("traditional", 10, 1000.0, 0.0))
WORTH = 1000 * V**10
LOSS = 10 * V * WORTH


def one_bond(**more: Any) -> ModelContext:
    return context([zero(10), {"amount": 900.0}], curve=CURVE, liabilities=more.pop("liabilities", TEN), **more)


def rule(name: str, fund: ModelContext, **options: Any) -> dict[str, Term]:
    return build(SPECS, name, fund, **options)


def floor_at(term: Term, amount: float) -> None:
    assert term.holds(at(amount, 0)) and term.holds(at(amount + 0.01, 0)) and not term.holds(at(amount - 0.01, 0))


def ceiling_at(term: Term, amount: float) -> None:
    assert term.holds(at(amount, 0)) and term.holds(at(amount - 0.01, 0)) and not term.holds(at(amount + 0.01, 0))


def test_the_hedge_ratio_compares_sensitivities() -> None:
    terms = rule("rate_hedge_ratio", one_bond())
    low, high = terms["rate_hedge_ratio:min"], terms["rate_hedge_ratio:max"]
    assert low.per == pytest.approx([LOSS])
    assert low.shown(at(WORTH, 0))[0] == pytest.approx([1.0])
    floor_at(low, 0.5 * WORTH)
    ceiling_at(high, 1.5 * WORTH)
    assert low.source.certainty is Certainty.SECONDARY
    assert "in force from 2027-01-01" in low.label.en and "自2027-01-01起施行" in low.label.zh


def test_premiums_are_cash_inflows() -> None:
    """Order 4 of 2026, art. 30: with S the loss of 1,000 due in ten years, premiums of 400 then count 0.4 S on top.

    So 80% asks for bonds of 0.4 S; left out for 0.8 S; netted, of 0.6 S outflow, 100% asks for 0.6 S.
    """
    fund = one_bond(liabilities=owes(("traditional", 10, 1000.0, 400.0)))
    terms = rule("rate_hedge_ratio", fund, min=0.8, max=1.2)
    floor_at(terms["rate_hedge_ratio:min"], 0.4 * WORTH)
    ceiling_at(terms["rate_hedge_ratio:max"], 0.8 * WORTH)
    assert terms["rate_hedge_ratio:min"].source.certainty is Certainty.USER
    floor_at(rule("rate_hedge_ratio", fund, premiums="left_out", min=0.8)["rate_hedge_ratio:min"], 0.8 * WORTH)
    floor_at(rule("rate_hedge_ratio", fund, premiums="net", min=1)["rate_hedge_ratio:min"], 0.6 * WORTH)


def test_the_boards_plan_stands_for_the_floor_in_the_transition() -> None:
    """A plan of 30% at first and 40% from 2028 on: 30% in 2026 and 2027, 40% in 2029, the rule's 50% in 2030."""
    plan = {"2027-01-01": 0.3, "2028-01-01": 0.4}
    for day, line in ((AS_OF, 0.3), (date(2027, 12, 31), 0.3), (date(2029, 12, 31), 0.4), (date(2030, 6, 30), 0.5)):
        maturity = day.replace(year=day.year + 10).isoformat()
        fund = context([zero(10, maturity=maturity), {"amount": 1.0}], as_of=day, curve=CURVE, liabilities=TEN)
        floor_at(rule("rate_hedge_ratio", fund, plan=plan)["rate_hedge_ratio:min"], line * WORTH)


def test_once_in_force_the_label_no_longer_says_from_when() -> None:
    bond = zero(10, maturity="2037-03-31")
    fund = context([bond, {"amount": 1.0}], as_of=date(2027, 3, 31), curve=CURVE, liabilities=TEN)
    assert "in force" not in rule("rate_hedge_ratio", fund)["rate_hedge_ratio:min"].label.en


def test_derivatives_count_and_equity_does_not() -> None:
    swap = {"asset_id": "S", "kind": "rate_swap", "amount": 100.0}
    day = pd.Timestamp(AS_OF.replace(year=AS_OF.year + 10))
    flows = pd.DataFrame({"asset_id": ["S"], "date": [day], "principal": [100 / V**10], "interest": [0.0]})
    stock = {"asset_id": "E", "kind": "listed_stock", "amount": 100.0}
    fund = context([swap, stock], curve=CURVE, liabilities=TEN, cash_flows=flows)
    low = rule("rate_hedge_ratio", fund)["rate_hedge_ratio:min"]
    assert low.left.value(at(WORTH, 500)) == pytest.approx([LOSS])


def test_a_row_without_terms_counts_by_its_duration() -> None:
    fund = context([{"kind": "corporate_bond", "amount": 1.0, "modified_duration": 4.0}], curve=CURVE, liabilities=TEN)
    assert rule("rate_hedge_ratio", fund)["rate_hedge_ratio:min"].left.value(at(50)) == pytest.approx([200.0])
    bare = context([{"kind": "corporate_bond", "amount": 1.0}], curve=CURVE, liabilities=TEN)
    with pytest.raises(InputError, match="row 1, column coupon"):
        rule("rate_hedge_ratio", bare)


def test_by_account_each_is_compared_with_its_own() -> None:
    liabilities = owes(("traditional", 10, 1000.0, 0.0), ("universal", 10, 500.0, 0.0))
    rows = [zero(10), zero(10, account="universal", asset_id="U"), {"amount": 1.0, "account": "shareholder"}]
    fund = context(rows, curve=CURVE, liabilities=liabilities)
    low = rule("rate_hedge_ratio", fund, by="both", min=1)["rate_hedge_ratio:min"]
    assert low.row_names() == tuple(f"rate_hedge_ratio:min[{name}]" for name in ("total", "traditional", "universal"))
    assert low.shown(at(WORTH, WORTH, 9))[0] == pytest.approx([4 / 3, 1.0, 2.0])
    assert rule("rate_hedge_ratio", fund, by="account", min=1)["rate_hedge_ratio:min"].rows == (
        "traditional",
        "universal",
    )


def test_what_the_indicators_cannot_do_without() -> None:
    with pytest.raises(InputError, match="inputs.liabilities"):
        rule("rate_hedge_ratio", context([zero(10)], curve=CURVE))
    with pytest.raises(InputError, match="inputs.curve"):
        rule("rate_hedge_ratio", context([zero(10)], liabilities=TEN))
    with pytest.raises(InputError, match="row 1, column year"):
        rule("rate_hedge_ratio", one_bond(liabilities=owes(("traditional", 0, 1.0, 0.0))))
    with pytest.raises(InputError, match="not positive"):
        rule("rate_hedge_ratio", one_bond(liabilities=owes(("traditional", 10, 0.0, 1.0))))


def test_the_effective_duration_gap_is_watched() -> None:
    terms = rule("duration_gap", one_bond())  # assets held today: 1,000
    low, high = terms["duration_gap:effective:min"], terms["duration_gap:effective:max"]
    assert low.mode is Mode.MONITOR and low.unit == "years"
    # (x · 10/1.03 − 7,224.2) / 1,000 ≥ −5
    floor_at(low, (LOSS - 5000) / (10 * V))
    ceiling_at(high, (LOSS + 5000) / (10 * V))


def test_the_scaled_duration_gap() -> None:
    # (D_A A + D_in L_in) / L_out − D_out with D = 10/1.03 throughout: 9.7087 (A + 0.4 L_out − L_out) / L_out
    fund = one_bond(liabilities=owes(("traditional", 10, 1000.0, 400.0)))
    terms = rule("duration_gap", fund, measure="scaled", min=-1, max=1)
    low = terms["duration_gap:scaled:min"]
    assert low.shown(at(0.6 * WORTH, 0))[0] == pytest.approx([0.0])
    floor_at(low, (0.6 - 1 / (10 * V)) * WORTH)
    ceiling_at(terms["duration_gap:scaled:max"], (0.6 + 1 / (10 * V)) * WORTH)
    with pytest.raises(InputError, match="no rule gives a line"):
        rule("duration_gap", fund, measure="scaled")


def test_the_dv01_gap_as_a_share_and_in_money() -> None:
    terms = rule("dv01_gap", one_bond(), max=0.1)
    floor_at(terms["dv01_gap:min"], 0.9 * WORTH)
    ceiling_at(terms["dv01_gap:max"], 1.1 * WORTH)
    money = rule("dv01_gap", one_bond(unit=10.0), money=0.01)  # 0.1 CNY per basis point
    ceiling_at(money["dv01_gap:max"], WORTH + 0.1 / 1e-4 / (10 * V))
    for options in ({}, {"max": 0.1, "money": 1}):
        with pytest.raises(InputError, match="share or in money"):
            rule("dv01_gap", one_bond(), **options)


def test_key_rates_see_what_a_parallel_move_hides() -> None:
    rows = [zero(5), zero(15, asset_id="L")]
    fund = context(rows, curve=CURVE, liabilities=TEN)
    terms = rule("key_rate_durations", fund, tenors=[5, 10, 15], max=0.2)
    high = terms["key_rate_durations:max"]
    assert high.rows == ("5y", "10y", "15y")
    # 5 and 15 years in equal sensitivity hedge the parallel move and nothing else.
    half = 0.5 * LOSS
    barbell = at(half / (5 * V), half / (15 * V))
    assert high.left.value(barbell) == pytest.approx([half, -LOSS, half])
    assert not high.holds(barbell) and not terms["key_rate_durations:min"].holds(barbell)


def test_a_payment_between_key_tenors_is_split_linearly() -> None:
    fund = context([zero(12), {"amount": 1.0}], curve=CURVE, liabilities=TEN)
    high = rule("key_rate_durations", fund, tenors=[10, 15], max=1)["key_rate_durations:max"]
    whole = 12 * V * 100
    assert high.left.value(at(100, 0)) == pytest.approx([0.6 * whole - LOSS, 0.4 * whole])
    given = context([{"kind": "deposit", "amount": 1.0, "modified_duration": 12.0}], curve=CURVE, liabilities=TEN)
    high = rule("key_rate_durations", given, tenors=[10, 15], max=1)["key_rate_durations:max"]
    assert high.left.value(at(100)) == pytest.approx([720 - LOSS, 480.0])


def test_cash_flows_match_bucket_by_bucket() -> None:
    # 1 CNY of the 2-year zero pays 1.0609 at t = 2; 50 due at 1, 100 at 3, premiums 20 at 3; carried at 2%.
    liabilities = owes(("traditional", 1, 50.0, 0.0), ("traditional", 3, 100.0, 20.0))
    fund = context([zero(2), {"amount": 60.0}], curve=CURVE, liabilities=liabilities)
    (term,) = rule("cash_flow_matching", fund, buckets=[1, 3], rate=0.02).values()
    assert term.rows == ("1y", "3y")
    cash, bond = 55.0, 40.0
    first = cash * 1.02 - 50
    second = cash * 1.02**3 - 50 * 1.02**2 + bond * 1.0609 * 1.02 - 80
    assert term.left.value(at(bond, cash)) == pytest.approx([first, second])
    least_cash = 50 / 1.02
    least_bond = 80 / (1.0609 * 1.02)
    assert term.holds(at(least_bond, least_cash))
    assert not term.holds(at(least_bond, least_cash - 0.001)) and not term.holds(at(least_bond - 0.001, least_cash))
    (short,) = rule("cash_flow_matching", fund, buckets=[1, 3], rate=0.02, shortfall=0.1).values()  # 15 of 150
    assert short.holds(at(200, (50 - 15) / 1.02)) and not short.holds(at(200, (50 - 15.01) / 1.02))
    with pytest.raises(InputError, match="falls due"):
        rule("cash_flow_matching", fund, buckets=[0.5])


INCOME = {"income_history": [30, 30, 30, 30], "cost_history": [25, 25, 25, 25], "cost": 30}


def test_comprehensive_yield_coverage_over_five_years() -> None:
    rows = [
        {"kind": "listed_stock", "amount": 100.0, "expected_return": 0.06},
        {"kind": "government_bond", "amount": 1.0, "expected_return": 0.09, "yield": 0.02, "accounting": "fvoci"},
    ]
    fund = context(rows)
    (term,) = rule("comprehensive_yield_coverage", fund, **INCOME).values()
    # 120 + 0.06 x + 0.02 y ≥ 130: fair-value changes of the bond do not count.
    floor_at(term, 10 / 0.06)
    assert term.holds(at(0, 500)) and not term.holds(at(0, 499.9))
    assert term.shown(at(500, 0))[0] == pytest.approx([150 / 130])
    with pytest.raises(InputError, match="window of 5 years"):
        rule("comprehensive_yield_coverage", fund, **(INCOME | {"income_history": [30]}))


def test_net_yield_coverage_over_three_years_counts_coupon_dividend_and_rent() -> None:
    rows = [
        {"kind": "listed_stock", "amount": 100.0, "expected_return": 0.08, "net_yield": 0.03},
        {"kind": "government_bond", "amount": 1.0, "yield": 0.02},
        {"kind": "cash", "amount": 1.0, "expected_return": 0.01},
    ]
    options = {"income_history": [10, 10], "cost_history": [10, 10], "cost": 13}
    (term,) = rule("net_yield_coverage", context(rows), **options).values()
    assert term.left.value(at(100, 100, 100)) == pytest.approx([26.0])
    assert term.holds(at(100, 500, 0)) and not term.holds(at(100, 499.9, 0))
    with pytest.raises(InputError, match="row 1, column net_yield"):
        rule("net_yield_coverage", context([{"kind": "property", "amount": 1.0}]), **options)


def test_coverage_of_one_account() -> None:
    rows = [
        {"kind": "listed_stock", "amount": 100.0, "expected_return": 0.06},
        {"kind": "listed_stock", "amount": 100.0, "expected_return": 0.06, "account": "universal", "asset_id": "U"},
    ]
    (term,) = rule("comprehensive_yield_coverage", context(rows), **INCOME, account="universal").values()
    assert term.name == "comprehensive_yield_coverage:universal"
    assert term.left.value(at(1000, 100)) == pytest.approx([126.0])
    with pytest.raises(InputError, match="no row of assets.csv"):
        rule("comprehensive_yield_coverage", context(rows), **INCOME, account="univ")


def test_the_spread_over_guaranteed_rates() -> None:
    rows = [
        {"kind": "listed_stock", "amount": 500.0, "expected_return": 0.06},
        {"kind": "cash", "amount": 500.0, "expected_return": 0.01},
        {"kind": "cash", "amount": 100.0, "account": "shareholder"},
    ]
    fund = context(rows, curve=CURVE, liabilities=TEN)
    (term,) = rule("guaranteed_spread", fund, min="1%").values()
    assert term.row_names() == ("guaranteed_spread:comprehensive[traditional]",)
    # 0.035 x − 0.015 (1,000 − x) ≥ 0.01 · 1,000 at x = 500
    assert term.holds(at(500, 500, 0)) and not term.holds(at(499.9, 500.1, 0))
    (own,) = rule("guaranteed_spread", fund, rates={"traditional": 0.035}).values()
    assert own.holds(at(500, 500, 0)) and not own.holds(at(499.9, 500.1, 0))
    with pytest.raises(InputError, match="guaranteed rate"):
        rule("guaranteed_spread", context(rows, curve=CURVE, liabilities=TEN.assign(guaranteed_rate=np.nan)))


def test_sensitivities_are_the_slope_of_present_values() -> None:
    """A finite difference of both sides' values on shifted curves gives the hedge ratio's two sides."""
    curve = pd.DataFrame({"tenor": np.arange(1.0, 31.0), "spot": 0.02 + 0.0005 * np.arange(30)})
    bond = {"kind": "corporate_bond", "amount": 1.0, "coupon": 0.04, "frequency": 2, "maturity": "2033-11-15"}
    fund = context([bond | {"yield": 0.035}], curve=curve, liabilities=owes(("traditional", 7, 300.0, 0.0)))
    term = rule("rate_hedge_ratio", fund)["rate_hedge_ratio:min"]
    flows = asset_cash_flows(fund.inputs, np.array([True]), Problems())
    step, tenors = 1e-6, curve["tenor"].to_numpy()
    up, down = (SpotCurve(tenors, curve["spot"].to_numpy() + sign * step) for sign in (1, -1))
    slope = (flows.present_value(down) - flows.present_value(up)) / (2 * step)
    assert term.left.value(at(1.0)) == pytest.approx(slope, rel=1e-6)
    owed = 300 * (down.discount(7.0) - up.discount(7.0)) / (2 * step)
    assert term.per == pytest.approx([float(owed)], rel=1e-6)
