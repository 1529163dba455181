"""Concentration (R8 §60-67): thresholds by bands, exemptions, classes, property, and the clip."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from allocator_cross2.concentration import Family
from allocator_cross2.pack import RulePack
from charging import TODAY, Row, build, factors, table

from allocator.errors import InputError
from allocator.rulebook.book import RuleBook

BN = 1e9
ISSUERS = [
    {"issuer": "X", "type": "non_financial"},
    {"issuer": "GOV", "type": "government"},
    {"issuer": "CDB", "type": "policy_bank"},
]


def stock(amount: float, issuer: str = "X", **more: Any) -> Row:
    return {"kind": "listed_stock", "board": "main", "amount": amount, "cost": amount, "issuer": issuer, **more}


def bond(amount: float, issuer: str = "X", **more: Any) -> Row:
    row = {"kind": "corporate_bond", "rating": "AAA", "modified_duration": 10.0}  # 0.15
    return {**row, "amount": amount, "issuer": issuer, **more}


@pytest.mark.parametrize(
    ("key", "total", "threshold"),
    [
        ("life", 5.0, 0.4),
        ("life", 10.0, 0.8),
        ("life", 50.0, 0.8 + 2.0),
        ("life", 100.0, 0.8 + 2.0 + 2.0),
        ("life", 200.0, 0.8 + 2.0 + 2.0 + 3.0),
        ("life", 7831.65, 0.8 + 2.0 + 2.0 + 0.03 * 7731.65),
        ("property", 2.0, 0.16),
        ("property", 5.0, 0.16 + 0.15),
        ("property", 50.0, 0.16 + 0.15 + 1.8),
        ("property", 150.0, 0.16 + 0.15 + 1.8 + 3.0),
    ],
)
def test_thresholds_are_a_sum_over_bands(key: str, total: float, threshold: float) -> None:
    bands = RulePack.at(TODAY).bands(f"concentration.threshold.{key}")
    assert bands.at(total * BN) == pytest.approx(threshold * BN)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("concentration.counterparty.k", 0.4),
        ("concentration.class.k", 0.2),
        ("concentration.property.k", 0.5),
        ("concentration.property.ratio", 0.25),
        ("concentration.exempt_below", 0.5e9),
        ("concentration.class.other_financial", 0.25),
        ("concentration.class.overseas", 0.15),
    ],
)
def test_figures(key: str, value: float) -> None:
    assert RulePack.at(TODAY).value(key) == value


def test_a_counterparty_over_its_threshold_adds_to_all_its_assets() -> None:
    # 100 bn of total assets: threshold 4.8 bn
    rows = [stock(3 * BN), bond(1.9 * BN), bond(1 * BN, "Y")]
    got = factors(rows, total_assets=100 * BN)
    assert got["equity_price"] == pytest.approx(3 * BN * 0.35 * 1.4)
    assert got["spread"] == pytest.approx(1.9 * BN * 0.15 * 1.4 + 1 * BN * 0.15)


def test_at_the_threshold_is_not_over_it() -> None:
    rows = [stock(3 * BN), bond(1.8 * BN)]
    assert factors(rows, total_assets=100 * BN)["equity_price"] == pytest.approx(3 * BN * 0.35)


def test_the_coefficient_is_added_after_the_clip_unless_the_reading_puts_it_inside() -> None:
    row = stock(5 * BN, cost=1 * BN)  # k1 = 1, clipped to 0.25
    outside = factors([row], total_assets=100 * BN)["equity_price"]
    assert outside == pytest.approx(5 * BN * 0.35 * (1 + 0.25 + 0.4))
    inside = factors([row], total_assets=100 * BN, options={"readings": {"clip_concentration": True}})["equity_price"]
    assert inside == pytest.approx(5 * BN * 0.35 * 1.25)
    bond_inside = factors([bond(5 * BN)], total_assets=100 * BN, options={"readings": {"clip_concentration": True}})[
        "spread"
    ]
    assert bond_inside == pytest.approx(5 * BN * 0.15 * 1.25)


def test_the_counterparty_column_comes_before_the_issuer() -> None:
    rows = [bond(3 * BN, "Y", counterparty="X"), stock(3 * BN)]
    report = table(rows, total_assets=100 * BN).concentration.report
    assert report.loc[report["name"] == "X", "amount"].tolist() == [6 * BN]
    assert not (report["name"] == "Y").any()


def test_book_values_are_summed() -> None:
    rows = [bond(6 * BN, book_value=4 * BN)]
    found = table(rows, total_assets=100 * BN)
    assert found.k_concentration.tolist() == [0.0]
    assert table([bond(4 * BN, book_value=6 * BN)], total_assets=100 * BN).k_concentration.tolist() == [0.4]


EXEMPT = [
    {"kind": "government_bond", "issuer": "GOV"},
    {"kind": "local_government_bond", "issuer": "PROVINCE"},
    {"kind": "policy_bank_bond", "modified_duration": 5.0, "issuer": "CDB"},
    {"kind": "agency_bond", "modified_duration": 5.0, "issuer": "RAIL"},
    {"kind": "financial_bond", "rating": "AAA", "modified_duration": 5.0, "issuer": "CDB"},
    {"kind": "deposit", "bank_type": "large_state", "issuer": "ICBC"},
    {"kind": "deposit", "bank_type": "policy", "issuer": "ADBC"},
    {"kind": "financial_bond", "rating": "AAA", "modified_duration": 5.0, "issuer": "ICBC", "bank_type": "large_state"},
    {"kind": "listed_stock", "board": "main", "cost": 9 * BN, "issuer": "ICBC", "bank_type": "large_state"},
    {
        "kind": "am_product",
        "transparency": "exempt",
        "product_type": "money_market",
        "largest_underlying_share": 0.1,
        "issuer": "AM",
    },
    {
        "kind": "am_product",
        "transparency": "exempt",
        "product_type": "equity",
        "largest_underlying_share": 0.1,
        "issuer": "OWN",
        "concentration_exempt": True,
    },
    {"kind": "property", "city_tier": "other", "issuer": "LANDLORD"},
    {"kind": "index_future", "hedge_effectiveness": 0.0, "counterparty": "CFFEX"},
]


@pytest.mark.parametrize("row", EXEMPT, ids=lambda row: f"{row['kind']} of {row.get('issuer', 'an exchange')}")
def test_exemptions(row: Row) -> None:
    found = table([{"amount": 9 * BN, **row}], total_assets=100 * BN, issuers=ISSUERS)
    assert not found.k_concentration.any()
    assert Family.COUNTERPARTY not in found.charges.tests.family


def test_a_small_company_is_not_charged() -> None:
    assert table([bond(0.3 * BN)], total_assets=0.49 * BN).k_concentration.tolist() == [0.0]
    # "500 million or less" (R8 §65)
    assert table([bond(0.3 * BN)], total_assets=0.5 * BN).k_concentration.tolist() == [0.0]
    assert table([bond(0.3 * BN)], total_assets=0.500001 * BN).k_concentration.tolist() == [0.4]


def test_looked_through_assets_count_with_their_own_financing_entity() -> None:
    fund = {"asset_id": "P", "kind": "pe_fund", "transparency": "look_through", "amount": 4 * BN, "issuer": "GP"}
    company = {"asset_id": "P", "kind": "unlisted_equity", "strategic_emerging": False}
    rows = [fund, stock(3 * BN)]
    under = [{**company, "share": 0.5, "issuer": "X"}, {**company, "share": 0.5}]
    found = table(rows, total_assets=100 * BN, underlying=under)
    amounts = found.concentration.report.set_index("name")["amount"]
    assert (amounts["X"], amounts["GP"]) == (5 * BN, 2 * BN)
    # X is over 4.8 bn: its half of the fund and the stock; the other half counts with the fund's manager
    shown = found.frame().sort_values(["row", "underlying"])
    assert shown["k_concentration"].tolist() == [0.4, 0.0, 0.4]
    assert shown["rf"].tolist() == pytest.approx([0.41 * 1.5, 0.41 * 1.1, 0.35 * 1.4])


def test_the_report_and_the_linear_form_agree_at_other_holdings() -> None:
    charges = build([stock(3 * BN), bond(1 * BN), bond(2 * BN, "Y", book_value=1 * BN)], total_assets=100 * BN)
    tests = charges.tests
    holdings = np.array([1 * BN, 4 * BN, 8 * BN])
    amounts = dict(zip(tests.name, tests.amounts(holdings), strict=True))
    assert (amounts["X"], amounts["Y"], amounts["equity"]) == (5 * BN, 4 * BN, 1 * BN)
    over = charges.at(holdings)
    assert over.k_concentration.tolist() == [0.4, 0.4, 0.0]
    assert charges.at(holdings, over=np.zeros(len(charges.tests.k), dtype=bool)).k_concentration.tolist() == [
        0.0,
        0.0,
        0.0,
    ]
    report = over.concentration.report.set_index("name")
    assert report.loc["X", "threshold"] == pytest.approx(4.8 * BN) and bool(report.loc["X", "over"])


def test_an_overridden_coefficient_marks_what_it_moves() -> None:
    rows = [stock(6 * BN), bond(1 * BN, "Y")]
    found = table(rows, total_assets=100 * BN, options={"overrides": {"concentration.counterparty.k": 0.5}})
    assert found.k_concentration.tolist() == [0.5, 0.0]
    assert found.frame()["rule"].tolist() == [False, True]


# ---- classes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "ratio", "share", "k"),
    [
        (TODAY, 2.0, 0.30, 0.0),
        (TODAY, 2.0, 0.31, 0.2),
        (TODAY, 2.5, 0.31, 0.0),
        (TODAY, 1.2, 0.21, 0.2),
        (TODAY, 0.9, 0.11, 0.2),
        (date(2025, 3, 31), 1.6, 0.26, 0.2),
        (date(2025, 4, 30), 1.6, 0.26, 0.0),
    ],
)
def test_equity_over_the_ratio_of_its_tier(when: date, ratio: float, share: float, k: float) -> None:
    row = {"kind": "equity_fund", "amount": share * 100 * BN}
    found = table([row, bond(1 * BN)], when, total_assets=100 * BN, comprehensive_ratio=ratio)
    assert found.k_concentration.tolist() == [k, 0.0]


def test_without_a_reported_ratio_the_equity_class_is_noted_not_tested() -> None:
    found = table([{"kind": "equity_fund", "amount": 90 * BN}], total_assets=100 * BN, comprehensive_ratio=None)
    assert found.k_concentration.tolist() == [0.0]
    assert any("equity class" in note.text.en for note in found.charges.notes)


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ({"kind": "am_product", "transparency": "opaque"}, 0.25),
        ({"kind": "trust_plan", "transparency": "opaque", "product_type": "fixed_income"}, 0.25),
        ({"kind": "overseas_stock", "market": "developed", "currency": "USD"}, 0.15),
    ],
)
def test_other_financial_assets_and_overseas(row: Row, limit: float) -> None:
    at = table([{**row, "amount": limit * 100 * BN}], total_assets=100 * BN)
    over = table([{**row, "amount": (limit + 0.01) * 100 * BN}], total_assets=100 * BN)
    assert not at.k_concentration.any()
    charged = {over.charges.modules[module]: k for module, k in zip(over.module, over.k_concentration, strict=True)}
    assert charged.pop("currency:USD", 0.0) == 0.0  # currency risk has no concentration coefficient
    assert set(charged.values()) == {0.2}


def test_the_base_of_class_ratios_may_be_its_own() -> None:
    """R8 §66 by the notice of 2014: 24 of other financial assets are under 25% of 100, over 25% of 90 less repo."""
    row = {"kind": "trust_plan", "transparency": "opaque", "product_type": "fixed_income", "amount": 24 * BN}
    assert not table([row], total_assets=100 * BN).k_concentration.any()
    assert set(table([row], total_assets=100 * BN, limit_assets=90 * BN).k_concentration.tolist()) == {0.2}


def test_classes_of_the_notice_and_of_concentration_are_one_table() -> None:
    """保监发〔2014〕13号: plans are real estate, products follow what is inside, overseas and domestic are added."""
    book = RuleBook.load("allocator_limits", "rules/limits.yaml")
    pack = RulePack.at(TODAY)
    classes = book.at("classes", TODAY).table
    inside = book.at("class_by_product_type", TODAY).table
    for name in ("equity", "other_financial"):
        ours = set(pack.names(f"concentration.class.{name}.kinds"))
        assert ours == set(classes[name]) - {"am_product"}
        by_type = {kind for kind, found in inside.items() if found == name}
        assert by_type == set(pack.names(f"concentration.class.{name}.product_types"))
    assert set(pack.names("concentration.class.overseas.kinds")) == set(book.at("overseas.kinds", TODAY).names)
    assert {"debt_plan", "property_product", "property"} <= set(classes["real_estate"])


def test_class_and_counterparty_coefficients_add() -> None:
    found = table([stock(40 * BN)], total_assets=100 * BN)
    assert found.k_concentration.tolist() == pytest.approx([0.6])


# ---- property -------------------------------------------------------------------------------------------


def test_property_over_a_quarter_of_total_assets() -> None:
    property_ = {"kind": "property", "city_tier": "provincial_capital"}
    reit = {"asset_id": "R", "kind": "reit", "transparency": "look_through", "amount": 10 * BN}
    under = [{"asset_id": "R", "kind": "property", "city_tier": "other", "share": 1.0}]
    rows = [{**property_, "amount": 15 * BN}, reit]
    at = factors(rows, total_assets=100 * BN, underlying=under)
    assert at["real_estate_price"] == pytest.approx(15 * BN * 0.15 + 10 * BN * 0.15 * 1.1)
    rows = [{**property_, "amount": 15.1 * BN}, reit]
    over = factors(rows, total_assets=100 * BN, underlying=under)
    assert over["real_estate_price"] == pytest.approx(15.1 * BN * 0.15 * 1.5 + 10 * BN * 0.15 * 1.6)


# ---- what is missing ------------------------------------------------------------------------------------


def test_total_assets_are_needed_where_a_rule_divides_by_them() -> None:
    with pytest.raises(InputError, match="balance_sheet.total_assets"):
        table([bond(1 * BN)], total_assets=None)
    assert len(table([{"kind": "government_bond", "issuer": "GOV"}], total_assets=None)) == 1


def test_rows_without_a_party_are_noted() -> None:
    charges = build([bond(1 * BN), {**bond(2 * BN), "issuer": None}, {"kind": "cash", "amount": 3 * BN}])
    assert charges.tests.untested.tolist() == [1, 2]
    (note,) = [note for note in charges.notes if "not tested" in note.text.en.lower()]
    assert "2 rows" in note.text.en and "5,000,000,000.00" in note.text.en and note.rule
