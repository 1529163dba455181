"""R8 §6: an exposure below zero counts as zero, asset by asset (§7): no class nets within itself.

What the rules do net says so itself: currencies (§57), hedged stock (§35), a counterparty's contracts (R9 §33).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from charging import BOND, ISSUERS, Row, build, deposit, factors, forward, perpetual, stock, table
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from allocator.inputs.ratings import rating_cells

OVERSEAS = {"market": "developed", "currency": "USD"}
# One asset of each module, and what 100 of it are charged in its own module.
ASSETS: Mapping[str, tuple[Row, str, float]] = {
    "stock": (stock("main"), "equity_price", 35.0),
    "unlisted": ({"kind": "unlisted_equity", "issuer": "steel"}, "equity_price", 41.0),
    "fund": ({"kind": "bond_fund"}, "equity_price", 6.0),
    "perpetual": (perpetual("bank", True, "city"), "equity_price", 25.0),
    "property": ({"kind": "property", "city_tier": "other"}, "real_estate_price", 18.0),
    "abroad": ({"kind": "overseas_stock", **OVERSEAS}, "overseas_equity_developed", 39.0),
    "foreign bond": ({"kind": "overseas_bond", **OVERSEAS}, "overseas_fixed_income_developed", 8.0),
    "bond": (BOND, "spread", 100 * 3 * (0.0006 * 3 + 0.012)),
    "deposit": (deposit("joint_stock", 0.13), "counterparty_default", 3.0),
}


def charge(rows: list[Row], module: str, **more: Any) -> float:
    """Return the charge of the rows in one module, 0 where there is none."""
    return factors(rows, issuers=ISSUERS, **more).get(module, 0.0)


@pytest.mark.parametrize("name", ASSETS)
def test_what_is_held_is_charged_and_what_is_owed_is_not(name: str) -> None:
    row, module, amount = ASSETS[name]
    assert charge([row], module) == pytest.approx(amount)
    # A negative position takes nothing off its own class, whether alone, after or before the positive one.
    short = {**row, "amount": -60.0, "cost": -60.0} if name != "stock" else {**row, "amount": -60.0, "cost": None}
    assert charge([short], module) == 0.0
    assert charge([row, short], module) == pytest.approx(amount)
    assert charge([short, row], module) == pytest.approx(amount)


@pytest.mark.parametrize("name", [name for name in ASSETS if name != "bond"])
def test_a_book_value_below_zero_counts_as_zero(name: str) -> None:
    row, module, amount = ASSETS[name]
    below = {**row, "book_value": -40.0, "cost": 0.0}
    assert charge([below], module) == 0.0
    if name != "stock":  # the book's gain moves k1 of all stock
        assert charge([row, below], module) == pytest.approx(amount)


def test_the_target_counts_not_what_is_held_now() -> None:
    """A row that is sold below zero is charged nothing there; one bought back is charged for what it then is."""
    charges = build([{"kind": "bond_fund"}, {"kind": "bond_fund", "amount": -50.0}])
    for held, expected in (((-10.0, 20.0), 1.2), ((100.0, -50.0), 6.0), ((-1.0, -1.0), 0.0)):
        found = charges.at(np.array(held))
        assert float(found.factor @ found.holdings[found.row]) == pytest.approx(expected)


AMOUNTS = st.lists(st.floats(-100.0, 100.0), min_size=len(ASSETS), max_size=len(ASSETS))


@seed(1)
@given(AMOUNTS, AMOUNTS)
@settings(max_examples=60)
def test_no_class_nets_within_itself(first: list[float], second: list[float]) -> None:
    """Two rows of every asset: each is charged what it would be alone at max(amount, 0), nothing below zero."""
    rows = [row for row, _, _ in ASSETS.values()]
    charges = build([{**row, "amount": 1.0, "cost": 1.0} for row in rows * 2], issuers=ISSUERS)
    held = np.array(first + second)
    found = charges.at(held)
    names = np.array(found.charges.modules)[found.module]
    own = np.array([module for _, module, _ in ASSETS.values()] * 2)[found.row]
    amounts = (found.factor * held[found.row])[names == own]
    per_cny = np.array([amount / 100.0 for _, _, amount in ASSETS.values()] * 2)
    assert amounts == pytest.approx((per_cny * np.maximum(held, 0.0))[found.row[names == own]], abs=1e-9)
    assert np.all(amounts >= 0.0)


def test_a_currency_nets_and_no_two_do() -> None:
    """R8 §57, §59: 100 − 60 of the dollar and its pegs, while −40 of the euro is a position of its own."""
    rows = [
        {"kind": "overseas_stock", **OVERSEAS},
        {"kind": "overseas_stock", **OVERSEAS, "currency": "HKD", "amount": -60.0},
        {"kind": "overseas_stock", **OVERSEAS, "currency": "EUR", "amount": -40.0},
    ]
    found = factors(rows)
    assert found["currency:USD"] == pytest.approx(0.05 * 40.0)
    assert found["currency:EUR"] == pytest.approx(-0.08 * 40.0)  # its absolute value joins currency risk
    assert found["overseas_equity_developed"] == pytest.approx(39.0)


def test_a_claim_after_netting_counts_from_zero() -> None:
    """R9 §33: −8 + 5 with one bank owes on balance; 5 with another is a claim of its own."""

    def swap(party: str, book: float) -> Row:
        return {"kind": "rate_swap", "rating": "AA", "counterparty": party, "book_value": book}

    assert charge([swap("A", 5.0), swap("B", -8.0)], "counterparty_default") == pytest.approx(0.18 * 5.0)
    assert charge([swap("A", 5.0), swap("A", -8.0)], "counterparty_default") == 0.0
    assert charge([swap("A", 8.0), swap("A", -5.0)], "counterparty_default") == pytest.approx(0.18 * 3.0)


def test_no_charge_exceeds_the_exposure() -> None:
    """RF is 1 at most: a factor of 0.9 with k 0.25 would be 1.125."""
    assert float(table([{"kind": "gold"}], options={"factors": {"gold": 0.9}}).rf[0]) == 0.9
    options = {"factors": {"gold": 0.9}, "what_if": [{"kind": "gold", "k": 0.25}]}
    assert float(table([{"kind": "gold"}], options=options).rf[0]) == 1.0


def test_the_rating_of_the_issue_comes_before_that_of_its_issuer() -> None:
    """R9 §5: the issuer's is taken where the issue has none."""
    bonds = pd.DataFrame({"rating": ["AA", None, None], "issuer": ["steel", "steel", "chips"]})
    issuers = pd.DataFrame({"issuer": ["steel", "chips"], "rating": ["AAA", None]})
    found = rating_cells(bonds, issuers)
    assert found.tolist()[:2] == ["AA", "AAA"] and found.isna().tolist() == [False, False, True]


def test_a_claim_from_a_sold_contract_counts_towards_its_counterparty() -> None:
    """R8 §65: currency sold forward at a gain of 5 bn is a claim on the bank like any other; 100 bn allow 4.8 bn."""
    claims = (5e9, 4e9, -5e9)
    over = [table([forward(-50e9, 0.9, book)], total_assets=100e9).concentration for book in claims]
    assert [bool(found is not None and found.over.any()) for found in over] == [True, False, False]


@pytest.mark.parametrize(("abroad", "k"), [(4e9, 0.0), (6e9, 0.5)])
def test_property_abroad_counts_in_the_sum_of_property(abroad: float, k: float) -> None:
    """R8 §67: a quarter of 100 bn is the limit of all property; charged on what bears property price risk."""
    rows = [
        {"kind": "property", "city_tier": "other", "amount": 20e9},
        {"kind": "overseas_property", **OVERSEAS, "amount": abroad},
    ]
    found = table(rows, total_assets=100e9)
    names = np.array(found.charges.modules)[found.module]
    assert found.k_concentration[names == "real_estate_price"].tolist() == [k]
    assert not found.k_concentration[names != "real_estate_price"].any()


def test_a_bond_with_a_right_to_shares_is_charged_as_a_convertible() -> None:
    """R8 §34: 0.23 of equity price risk in place of spread risk, whichever right is named first."""
    rows = [{**BOND, "equity_terms": "warrant"}, {**BOND, "equity_terms": "exchange"}, BOND]
    assert factors(rows) == pytest.approx({"equity_price": 46.0, "spread": 100 * 3 * (0.0006 * 3 + 0.012)})
