"""Ratings as they are written, and everything a charge needs and the files lack or cannot mean."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from allocator_cross2.classify import BASE_RULES, required_columns
from allocator_cross2.products import PRODUCTS
from charging import (
    BOND,
    CSI,
    ISSUERS,
    Row,
    deposit,
    forward,
    future,
    one,
    perpetual,
    stock,
    table,
)

from allocator.errors import InputError
from allocator.inputs.ratings import SCALE, read_rating
from allocator.types import Text

FIRST = date(2022, 3, 31)
DAY = timedelta(days=1)
NOTICE_2023 = date(2023, 9, 10)
NOTICE_2025 = date(2025, 12, 1)

# ---- ratings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("AAA", "AAA"),
        ("AAAsf", "AAA"),
        ("AAA(sf)", "AAA"),
        ("AA +", "AA+"),
        ("AA＋", "AA+"),
        ("AA−", "AA-"),
        ("ＡＡ", "AA"),
        ("aa+", "AA+"),
        ("AA+级", "AA+"),
        ("AA+（稳定）", "AA+"),
        ("AA+/AAA", "AA+"),
        ("AAA、AA", "AA"),
        ("AAA AA+", "AA+"),
        ("AAA/无评级", "AAA"),
        ("无评级", "unrated"),
        ("未评级", "unrated"),
        ("NR", "unrated"),
        ("unrated", "unrated"),
        ("BB-", "BB-"),
        ("C", "C"),
    ],
)
def test_ratings_in_usual_notations(text: str, rating: str) -> None:
    assert read_rating(text) == (*SCALE, "unrated").index(rating)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Aaa", "Moody"),
        ("Aa1", "Moody"),
        ("Baa2", "Moody"),
        ("A-1", "short-term"),
        ("A-1+", "short-term"),
        ("F1", "short-term"),
        ("AAAA", "write AAA"),
        ("good", "write AAA"),
        ("/", "write AAA"),
    ],
)
def test_ratings_that_are_refused(text: str, hint: str) -> None:
    cure = read_rating(text)
    assert isinstance(cure, Text) and hint in cure.en
    with pytest.raises(InputError, match="assets, row 1, column rating") as caught:
        one({"kind": "corporate_bond", "rating": text, "modified_duration": 3.0})
    assert hint in str(caught.value)


# ---- what is missing or impossible ----------------------------------------------------------------------

SWAP = {"kind": "rate_swap", "book_value": 1.0, "counterparty": "B", "rating": "AA"}
EXEMPT = {"kind": "am_product", "transparency": "exempt", "largest_underlying_share": 0.1, "product_type": "equity"}
EXEMPT_PLAN = {
    "kind": "abs_plan",
    "transparency": "exempt",
    "largest_underlying_share": 0.1,
    "underlying_count": 101,
    "rating": "AAA",
}
COMPLETE: list[tuple[Row, tuple[str, ...]]] = [
    (stock("main", (CSI,), 1.0), ("board", "holding_years", "cost")),
    (stock("star", (), 1.0), ("holding_years",)),
    (BOND, ("rating", "modified_duration")),
    ({"kind": "policy_bank_bond", "modified_duration": 3.0}, ("modified_duration",)),
    (deposit("city", 0.13), ("bank_type", "capital_adequacy")),
    (deposit("foreign", 0.13, "A"), ("rating", "capital_adequacy")),
    ({"kind": "loan", "loan_class": "normal"}, ("loan_class",)),
    ({"kind": "property", "city_tier": "other"}, ("city_tier",)),
    ({"kind": "overseas_stock", "market": "developed", "currency": "HKD"}, ("market", "currency")),
    ({"kind": "overseas_bond", "market": "developed"}, ("market",)),
    ({"kind": "overseas_unlisted", "market": "developed"}, ("market",)),
    ({"kind": "overseas_property", "market": "developed"}, ("market",)),
    ({"kind": "overseas_fund", "market": "developed", "product_type": "equity"}, ("market", "product_type")),
    (perpetual("bank", True, "city"), ("conversion_clause", "bank_ratios_met", "bank_type")),
    (perpetual("amc", True), ("issuer", "conversion_clause", "bank_ratios_met")),
    ({"kind": "preferred_stock", "issuer": "steel", "conversion_clause": False}, ("issuer", "conversion_clause")),
    ({"kind": "subsidiary", "issuer": "steel"}, ("issuer",)),
    (future(-10.0, 0.9), ("hedge_effectiveness", "hedge_months")),
    (forward(-10.0, 0.9, 1.0), ("currency", "hedge_effectiveness", "counterparty", "rating", "book_value")),
    (SWAP, ("counterparty", "rating", "book_value")),
    (EXEMPT, ("transparency", "largest_underlying_share", "product_type")),
    (EXEMPT_PLAN, ("largest_underlying_share", "underlying_count", "rating")),
    ({"kind": "trust_plan", "transparency": "opaque", "product_type": "equity"}, ("transparency", "product_type")),
    ({"kind": "venture_fund", "transparency": "opaque"}, ("transparency",)),
]


@pytest.mark.parametrize(("row", "column"), [(row, column) for row, columns in COMPLETE for column in columns])
def test_a_missing_attribute_is_named(row: Row, column: str) -> None:
    one(row, issuers=ISSUERS)
    with pytest.raises(InputError) as caught:
        one({**row, column: None}, issuers=ISSUERS)
    (problem,) = caught.value.problems
    assert problem.where == f"assets, row 1, column {column}"
    assert problem.what.zh and (problem.hint is None or problem.hint.zh)


def test_unlisted_equity_needs_its_industry_from_2023_09_10() -> None:
    row = {"kind": "unlisted_equity", "issuer": "bank"}
    assert one(row, NOTICE_2023 - DAY, issuers=ISSUERS) == {"equity_price": 0.41}
    with pytest.raises(InputError, match="column strategic_emerging"):
        one(row, NOTICE_2023, issuers=ISSUERS)


def test_holding_years_are_needed_from_2025_12_01_where_they_matter() -> None:
    row = {**stock("main", (CSI,)), "holding_years": None}
    assert one(row, NOTICE_2025 - DAY)["equity_price"] == pytest.approx(0.30)
    with pytest.raises(InputError, match="column holding_years"):
        one(row, NOTICE_2025)
    assert one({**stock("main"), "holding_years": None})["equity_price"] == pytest.approx(0.35)


def test_everything_missing_is_named_at_once() -> None:
    rows = [{"kind": "corporate_bond"}, {"kind": "deposit"}, {"kind": "listed_stock"}, {"kind": "pe_fund"}]
    with pytest.raises(InputError) as caught:
        table(rows)
    places = {problem.where for problem in caught.value.problems}
    assert places == {
        "assets, row 1, column modified_duration",
        "assets, row 1, column rating",
        "assets, row 2, column bank_type",
        "assets, row 3, column board",
        "assets, row 3, column cost",
        "assets, row 4, column transparency",
    }


def test_many_rows_with_one_lack_are_counted() -> None:
    with pytest.raises(InputError) as caught:
        table([{"kind": "deposit"}] * 1000)
    assert len(caught.value.problems) == 51
    assert "950 more rows" in caught.value.problems[-1].what.en


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**BOND, "modified_duration": 0.0}, "must be positive"),
        ({**BOND, "modified_duration": -2.0}, "must be positive"),
        ({**BOND, "maturity": pd.Timestamp("2026-06-30")}, "has matured"),
        ({**deposit("large_state"), "maturity": pd.Timestamp("2026-01-01")}, "has matured"),
        ({**stock("main"), "cost": -1.0}, "cannot be negative"),
        ({**stock("main"), "board": "mian"}, "did you mean 'main'"),
        ({**BOND, "market": "developed"}, "use kind overseas_bond"),
        ({**stock("main"), "market": "developed"}, "use kind overseas_stock"),
        ({"kind": "bond_fund", "market": "emerging"}, "use kind overseas_fund"),
        ({"kind": "overseas_stock", "market": "domestic"}, "developed, emerging"),
        ({"kind": "gold"}, "capital.factors"),
        ({"kind": "corporate_bnod"}, "did you mean 'corporate_bond'"),
        ({"kind": None}, "a row needs a kind"),
        ({**BOND, "amount": None}, "a row needs an amount"),
        (perpetual("steel", True), "corporate_bond at next_call_date"),
        (forward(-1.0, 0.9, 1.0, currency="CNY"), "foreign currency"),
        ({"kind": "debt_plan", "transparency": "exempt"}, "look_through, opaque"),
        ({**EXEMPT, "largest_underlying_share": 0.21}, "conditions of the exemption"),
        ({**EXEMPT_PLAN, "underlying_count": 100}, "conditions of the exemption"),
        ({**EXEMPT_PLAN, "largest_underlying_share": 0.21}, "conditions of the exemption"),
    ],
)
def test_what_cannot_be_charged_is_refused(row: Row, message: str) -> None:
    with pytest.raises(InputError) as caught:
        table([row], issuers=ISSUERS)
    assert message in str(caught.value)
    assert all(problem.render("zh") for problem in caught.value.problems)


def test_every_kind_says_what_it_needs() -> None:
    for kind in (*BASE_RULES, *PRODUCTS):
        for need in required_columns(kind):
            assert need.column and need.when.zh
    assert [need.column for need in required_columns("gold")] == ["capital.factors"]
    assert {need.column for need in required_columns("policy_bank_bond")} == {"modified_duration", "green"}
