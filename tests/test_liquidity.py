"""Liquidity coverage from hand-worked forecasts, at the line, inside and outside; every factor of the table."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from allocator_liquidity.coverage import LIQUIDITY
from allocator_liquidity.reserve import reserve_factors
from rule_funds import AS_OF, at, build, context

from allocator.errors import InputError, Problems
from allocator.model import ModelContext, Term
from allocator.types import Certainty

# Three months: in 10 + 20 + 5, out 30 + 40; stressed: in 0.2 · 15 + 20 + 5 = 28, surrenders max(25%/4 · 800, 60) = 60.
QUARTER = {
    **{"new_premiums": 10, "renewal_premiums": 20, "other_inflows": 5, "surrenders": 30, "other_outflows": 40},
    **{"new_premiums_last_year": 15, "surrender_value": 800},
}
# Twelve months: in 100 + 50, out 100 + 150; stressed: in 0.2 · 80 + 50 = 66, surrenders max(25% · 1,200, 200) = 300.
YEAR = {
    **{"new_premiums": 100, "renewal_premiums": 50, "surrenders": 100, "other_outflows": 150},
    **{"new_premiums_last_year": 80, "surrender_value": 1200},
}
BILL = {"kind": "corporate_bond", "amount": 10.0, "rating": "AA", "coupon": 0.0, "yield": 0.0}


def rule(fund: ModelContext, **options: Any) -> dict[str, Term]:
    return build(LIQUIDITY, "liquidity_coverage", fund, **({"months_3": QUARTER, "months_12": YEAR} | options))


def paper(days: int, **more: Any) -> dict[str, Any]:
    """A paper at yield 0 that repays 1 per CNY after so many days."""
    return BILL | {"maturity": (AS_OF + timedelta(days=days)).isoformat()} | more


def test_the_base_ratio_counts_premiums_repayments_and_cash() -> None:
    fund = context([{"kind": "cash", "amount": 100.0}, paper(91), paper(365, asset_id="Y")])
    term = rule(fund)["liquidity_coverage:lcr1"]
    assert term.row_names() == ("liquidity_coverage:lcr1[3 months]", "liquidity_coverage:lcr1[12 months]")
    left, right = term.shown(at(5, 30, 0))
    assert left == pytest.approx([(35 + 5 + 30) / 70, (150 + 35) / 250]) and right.tolist() == [1.0, 1.0]
    assert term.holds(at(5, 30, 65)) and term.holds(at(5.1, 30, 65))
    assert not term.holds(at(4.999, 30.0, 66)) and not term.holds(at(5, 30, 64.999))


def test_under_stress_a_tenth_is_not_repaid_and_the_reserve_helps_lcr2_alone() -> None:
    rows = [{"kind": "cash", "amount": 100.0}, paper(30), {"kind": "listed_stock", "amount": 100.0}]
    terms = rule(context(rows))
    lcr2, lcr3 = terms["liquidity_coverage:lcr2"], terms["liquidity_coverage:lcr3"]
    # Three months: 28 + cash + 0.9 bill + 0.5 stock against 60 + 40; twelve: 66 + … against 300 + 150.
    assert lcr2.shown(at(20, 10, 40))[0] == pytest.approx([(28 + 20 + 9 + 20) / 100, (66 + 20 + 9 + 20) / 450])
    assert lcr3.shown(at(20, 10, 40))[0] == pytest.approx([(28 + 20 + 9) / 100, (66 + 20 + 9) / 450])
    assert lcr2.holds(at(0, 0, 768)) and not lcr2.holds(at(0, 0, 767.99))
    assert lcr3.holds(at(159, 0, 0)) and not lcr3.holds(at(158.99, 0, 9999))
    assert (lcr2.source.article, lcr2.source.certainty) == ("R13", Certainty.RULE_TEXT)
    assert lcr2.label.zh.endswith("不低于100%。") and lcr3.label.en.endswith("at least 50%.")


def test_what_repays_within_the_horizon_is_not_sold_as_well() -> None:
    bill = paper(180, kind="government_bond")
    lcr2 = rule(context([bill, {"amount": 1.0}]))["liquidity_coverage:lcr2"]
    # Over three months it is reserve at 100%, over twelve an inflow of 90%.
    assert lcr2.left.gradient(at(0, 0)).toarray()[:, 0].tolist() == pytest.approx([1.0, 0.9])


def test_interest_is_an_inflow_and_calls_of_commitments_an_outflow() -> None:
    coupon = {
        **{"kind": "corporate_bond", "amount": 100.0, "rating": "AA", "coupon": 0.04, "frequency": 2},
        **{"maturity": "2031-09-30", "face": 100.0},
    }
    fund = context([coupon, {"kind": "pe_fund", "amount": 1.0, "calls_3m": 7.0, "calls_12m": 20.0}], unit=1.0)
    term = rule(fund)["liquidity_coverage:lcr1"]
    assert term.per.tolist() == [77.0, 270.0]
    # Half the coupon falls on 30 September, the last day of the three months from 30 June.
    assert term.left.value(at(100, 0)) == pytest.approx([35 + 2, 150 + 4])


@pytest.mark.parametrize(("as_of", "last"), [((2026, 9, 30), (2026, 12, 31)), ((2026, 3, 30), (2026, 6, 30))])
def test_three_months_end_with_the_quarter(as_of: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    end = date(*last)
    rows = [paper(0, maturity=end.isoformat()), paper(0, asset_id="L", maturity=(end + timedelta(days=1)).isoformat())]
    term = rule(context(rows, as_of=date(*as_of)))["liquidity_coverage:lcr1"]
    assert term.left.value(at(10, 10)) == pytest.approx([45, 170])


def test_money_is_in_the_funds_unit() -> None:
    fund = context([{"kind": "cash", "amount": 100.0}, {"kind": "pe_fund", "amount": 1.0, "calls_3m": 7.0}], unit=1e8)
    term = rule(fund)["liquidity_coverage:lcr1"]
    assert term.per == pytest.approx([70e8 + 7, 250e8])
    assert term.left.constant == pytest.approx([35e8, 150e8])


def test_the_higher_of_the_two_stressed_lapses_counts() -> None:
    fund = context([{"amount": 1.0}])
    few = QUARTER | {"surrenders": 20}  # 2 × 20 < 25% / 4 × 800
    assert rule(fund, months_3=few)["liquidity_coverage:lcr2"].per[0] == pytest.approx(50 + 40)
    assert rule(fund)["liquidity_coverage:lcr2"].per[0] == pytest.approx(60 + 40)


def test_twice_the_base_lapse_is_at_most_everything() -> None:
    """Annex 6 of 52号: max(25% · 1,000 / 4, min(2 · 600, 1,000)) = 1,000, not 1,200; outflows 40 beside it."""
    run = QUARTER | {"surrenders": 600, "surrender_value": 1000}
    assert rule(context([{"amount": 1.0}]), months_3=run)["liquidity_coverage:lcr2"].per[0] == pytest.approx(1000 + 40)


def test_a_tenth_of_interest_is_lost_with_the_principal() -> None:
    """Annex 6 of 52号: a bond of 100 that repays 100 and pays 4 in a year brings 0.9 · 104 = 93.6 under stress."""
    bond = {
        **{"kind": "corporate_bond", "amount": 100.0, "rating": "AA", "coupon": 0.04, "frequency": 1},
        **{"maturity": "2027-06-30", "face": 100.0},
    }
    lcr3 = rule(context([bond]))["liquidity_coverage:lcr3"]
    assert lcr3.left.value(at(100)).tolist() == pytest.approx([28.0, 66.0 + 93.6])


def test_lines_can_be_the_users() -> None:
    term = rule(context([{"amount": 100.0}]), lcr1=1.2)["liquidity_coverage:lcr1"]
    assert term.right.tolist() == pytest.approx([84, 300]) and term.source.certainty is Certainty.USER


def test_what_it_cannot_do_without() -> None:
    with pytest.raises(InputError, match="row 1, column coupon"):
        rule(context([{"kind": "corporate_bond", "amount": 1.0, "rating": "AAA"}]))
    nothing = QUARTER | {"surrenders": 0, "other_outflows": 0}
    with pytest.raises(InputError, match="months_3"):
        rule(context([{"amount": 1.0}]), months_3=nothing)


FACTORS = [
    ({"kind": "money_market_fund"}, 1.0),
    ({"kind": "government_bond", "accounting": "fvoci"}, 1.0),
    ({"kind": "government_bond", "accounting": "ac"}, 0.0),
    ({"kind": "government_bond", "pledged_share": 0.3}, 0.7),
    ({"kind": "central_bank_bill"}, 0.0),  # the line of 100% names treasury bonds alone
    ({"kind": "deposit", "early_withdrawal": True}, 0.9),
    ({"kind": "deposit"}, 0.0),
    ({"kind": "local_government_bond"}, 0.9),
    ({"kind": "agency_bond"}, 0.9),
    ({"kind": "policy_bank_bond", "accounting": "fvtpl"}, 0.9),
    ({"kind": "financial_bond", "rating": "AAA"}, 0.85),
    ({"kind": "financial_bond", "rating": "AA+"}, 0.0),
    ({"kind": "corporate_bond", "rating": "AAA"}, 0.8),
    ({"kind": "corporate_bond", "rating": "AAA", "accounting": "ac"}, 0.0),
    ({"kind": "tech_innovation_bond", "rating": None}, 0.0),
    ({"kind": "bond_fund"}, 0.85),
    ({"kind": "bond_fund", "open_ended": False}, 0.0),  # in a closed period
    ({"kind": "bond_fund", "fund_size": 1.25}, 0.85),  # 80% of it is held, the bound itself
    ({"kind": "bond_fund", "fund_size": 1.24}, 0.0),
    ({"kind": "money_market_fund", "open_ended": False}, 0.0),
    ({"kind": "am_product", "open_ended": True, "fund_size": 1.0}, 0.0),
    ({"kind": "overseas_fund", "overseas_bond_fund": True}, 0.8),
    ({"kind": "overseas_fund"}, 0.5),
    ({"kind": "overseas_stock"}, 0.5),
    ({"kind": "listed_stock"}, 0.5),
    ({"kind": "equity_fund"}, 0.6),
    ({"kind": "mixed_fund"}, 0.65),
    ({"kind": "convertible_bond", "rating": "AAA"}, 0.65),
    ({"kind": "convertible_bond", "rating": "AA+"}, 0.0),
    ({"kind": "convertible_bond"}, 0.0),
    ({"kind": "corporate_bond", "rating": "AAA", "equity_terms": "exchange"}, 0.65),
    ({"kind": "am_product", "open_ended": True}, 0.6),
    ({"kind": "am_product"}, 0.0),
    *(
        ({"kind": kind}, 0.0)
        for kind in ("debt_plan", "trust_plan", "pe_fund", "property", "associate", "unlisted_equity")
    ),
    ({"kind": "reit", "liquidity_factor": 0.4}, 0.4),
]


@pytest.mark.parametrize(("row", "factor"), FACTORS)
def test_the_table_of_factors(row: dict[str, Any], factor: float) -> None:
    problems = Problems()
    assert reserve_factors(context([row | {"amount": 1.0}]).inputs, problems).tolist() == [factor]
    assert not len(problems)


def test_what_may_be_sold() -> None:
    rows = [
        {"kind": "bond_fund", "amount": 100.0},
        {"kind": "bond_fund", "amount": 300.0},
        {"kind": "cash", "amount": 9.0},
    ]
    fund = context(rows)
    (each,) = build(LIQUIDITY, "sale_limit", fund, max="20%", kinds=["bond_fund"]).values()
    assert each.holds(at(80, 240, 0)) and not each.holds(at(79.99, 400, 0))
    (group,) = build(LIQUIDITY, "sale_limit", fund, max=0.2, kinds=["bond_fund"], by="group", name="funds").values()
    assert group.name == "funds"
    assert group.holds(at(0, 320, 0)) and not group.holds(at(0, 319.99, 0))
    (everything,) = build(LIQUIDITY, "sale_limit", fund, max=0).values()
    assert not everything.holds(at(100, 300, 8.99)) and everything.holds(np.array([100.0, 300.0, 9.0]))
