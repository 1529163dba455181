"""Science-and-technology innovation bonds: taps, tranches, prices to call and put, against hand-worked cases."""

from __future__ import annotations

from typing import Any

import allocator_tech_bonds
import numpy as np
import pandas as pd
import pytest
from allocator_tech_bonds.lines import bond_lines, merged_positions
from allocator_tech_bonds.pricing import bond_prices
from allocator_tech_bonds.report import line_tables, price_tables
from allocator_tech_bonds.tilt import TechBondOptions, parts
from support import make_inputs, make_registry

from allocator import Fund
from allocator.errors import InputError
from allocator.inputs.fund import Inputs

REGISTRY = make_registry(("tech_bonds", allocator_tech_bonds))
CURVE = pd.DataFrame({"tenor": [1.0, 50.0], "spot": [0.02, 0.02]})
SPREADS = pd.DataFrame(
    {
        "rating": ["AAA", "AAA", "AA+"],
        "tenor": [1.0, 11.0, 5.0],
        "spread": ["20bp", "120bp", "1%"],
        "source": "own desk",
    }
)


def bond(name: str, **other: Any) -> dict[str, Any]:
    terms = {"coupon": 0.03, "frequency": 1, "maturity": "2031-06-30", "rating": "AAA", "issuer": "I"}
    return {
        "asset_id": name,
        "kind": "tech_innovation_bond",
        "account": "traditional",
        "amount": 100.0,
        "expected_return": 0.02,
        **terms,
        **other,
    }


def inputs(*rows: dict[str, Any], **tables: pd.DataFrame) -> Inputs:
    return make_inputs([dict(row) for row in rows], tables=tables, registry=REGISTRY)


def test_a_tap_and_its_line_are_one_position_with_weighted_cost() -> None:
    """100 of face at 100 and 50 at 103, then 50 at 98: cost 200.5 on 200 of face, 100.25 per 100."""
    held = inputs(
        bond("L", face=100.0, cost=100.0, book_value=100.0),
        bond("T1", face=50.0, cost=51.5, book_value=51.0, amount=52.0, tap_of="L"),
        bond("T2", face=50.0, cost=49.0, book_value=49.0, amount=51.0, tap_of="T1"),
        bond("X", face=70.0, cost=70.0),
    )
    assert bond_lines(held).tolist() == ["L", "L", "L", "X"]
    merged = merged_positions(held, np.array([100.0, 60.0, 0.0, 100.0]))
    assert len(merged) == 1
    line = merged.iloc[0]
    assert (line["asset_id"], line["issues"]) == ("L", 3)
    assert line[["amount", "target", "face", "cost", "book_value"]].tolist() == [203.0, 160.0, 200.0, 200.5, 200.0]
    assert line["cost_price"] == pytest.approx(100.25)


def test_tranches_of_one_registration_stay_apart() -> None:
    """品种一 and 品种二: same issuer, three and five years, no tap of each other."""
    held = inputs(bond("V1", maturity="2029-06-30"), bond("V2"))
    assert bond_lines(held).tolist() == ["V1", "V2"]
    assert merged_positions(held, np.array([1.0, 1.0])).empty


def test_accounts_keep_their_own_part_of_a_line() -> None:
    held = inputs(bond("L", face=1.0, cost=1.0), bond("T", account="participating", tap_of="L"))
    merged = merged_positions(held, np.array([100.0, 100.0]))
    assert merged["account"].tolist() == ["traditional", "participating"]
    assert np.isnan(merged["cost_price"][1])


def test_a_tap_on_other_terms_is_refused() -> None:
    with pytest.raises(InputError, match="has other terms than the bond it re-opens") as caught:
        bond_lines(inputs(bond("L"), bond("T", tap_of="L", maturity="2029-06-30", coupon=0.025)))
    assert "column maturity" in str(caught.value)
    assert "column coupon" in str(caught.value)
    with pytest.raises(InputError, match="in a circle"):
        bond_lines(inputs(bond("A", tap_of="B"), bond("B", tap_of="A")))


def test_a_price_by_hand() -> None:
    """Five years at 3%: spread 0.2% + (5 − 1)/10 · 1% = 0.6% at 5 years, flat curve 2%: 2.6%."""
    prices = bond_prices(inputs(bond("P", face=200.0, amount=210.0), curve=CURVE, spreads=SPREADS)).iloc[0]
    spread = 0.006
    price = float(np.array([3, 3, 3, 3, 103]) @ (1.02 + spread) ** -np.arange(1.0, 6.0))
    assert prices["spread"] == pytest.approx(spread)
    assert prices["price"] == pytest.approx(price, rel=1e-12)
    assert prices["ends"] == "maturity"
    assert prices["yield"] == pytest.approx(0.02 + spread, abs=1e-12)
    assert prices["fair_value"] == pytest.approx(2 * price)
    assert prices["richness"] == pytest.approx(210 / (2 * price) - 1)
    assert np.isnan(prices["price_call"])
    assert np.isnan(prices["price_put"])


FIVE_AND_FIVE = {"maturity": "2036-06-30", "put_date": "2031-06-30"}


def test_a_five_and_five_bond_is_put_when_rates_are_high_and_kept_when_low() -> None:
    """Above its coupon a bond is worth more the sooner it is repaid; below, the longer it lasts."""
    low = bond_prices(inputs(bond("P", coupon=0.06, **FIVE_AND_FIVE), curve=CURVE, spreads=SPREADS)).iloc[0]
    high = bond_prices(inputs(bond("P", coupon=0.01, **FIVE_AND_FIVE), curve=CURVE, spreads=SPREADS)).iloc[0]
    assert (low["ends"], str(low["end"])[:10]) == ("maturity", "2036-06-30")
    assert (high["ends"], str(high["end"])[:10]) == ("put", "2031-06-30")
    plain = bond_prices(inputs(bond("P", coupon=0.01), curve=CURVE, spreads=SPREADS)).iloc[0]
    assert high["price"] == pytest.approx(plain["price"])
    assert high["price"] > high["price_maturity"]


def test_a_callable_bond_is_worth_the_lesser_and_a_put_beats_a_call() -> None:
    callable_ = {"maturity": "2036-06-30", "next_call_date": "2031-06-30", "call_price": 101.0}
    rich = bond_prices(inputs(bond("P", coupon=0.06, **callable_), curve=CURVE, spreads=SPREADS)).iloc[0]
    assert rich["ends"] == "call"
    assert rich["price"] == pytest.approx(rich["price_call"])
    assert rich["price"] < rich["price_maturity"]
    to_five = bond_prices(inputs(bond("P", coupon=0.06), curve=CURVE, spreads=SPREADS)).iloc[0]
    discount = (1.02 + rich["spread"]) ** -5.0
    assert rich["price"] == pytest.approx(to_five["price"] + discount)
    both = {**callable_, "put_date": "2028-06-30"}
    low = bond_prices(inputs(bond("P", coupon=0.01, **both), curve=CURVE, spreads=SPREADS)).iloc[0]
    assert low["ends"] == "put"
    assert low["price"] >= min(low["price_call"], low["price_maturity"])


def test_what_a_price_lacks_is_named() -> None:
    with pytest.raises(InputError, match="no spread for this rating"):
        bond_prices(inputs(bond("P", rating="AA"), curve=CURVE, spreads=SPREADS))
    with pytest.raises(InputError, match="column maturity"):
        bond_prices(inputs(bond("P", maturity=None), curve=CURVE, spreads=SPREADS))
    with pytest.raises(InputError, match="need a spot curve"):
        bond_prices(inputs(bond("P"), spreads=SPREADS))
    with pytest.raises(InputError, match="need a table of spreads"):
        bond_prices(inputs(bond("P"), curve=CURVE))


def test_the_tilt_counts_issuer_types_and_refuses_unknown_ones() -> None:
    issuers = pd.DataFrame({"issuer": ["I", "J"], "type": ["technology_firm", "bank"]})
    held = inputs(bond("P"), bond("Q", issuer="J"), issuers=issuers)
    assert parts(held, TechBondOptions()).by_row.tolist() == [1.0, 1.0]
    assert parts(held, TechBondOptions(issuer_types=("bank",))).by_row.tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="no issuer of this type"):
        parts(held, TechBondOptions(issuer_types=("banks",)))
    with pytest.raises(InputError, match="no issuer of this type"):
        parts(inputs(bond("P", issuer=None)), TechBondOptions(issuer_types=("bank",)))


def test_the_tilt_looks_inside_an_etf() -> None:
    """A bond ETF with 80% of such bonds and 20% of other corporate bonds scores 0.8."""
    fund = {"asset_id": "ETF", "kind": "bond_fund", "account": "traditional", "amount": 100.0, "expected_return": 0.02}
    inside = pd.DataFrame(
        {"asset_id": ["ETF", "ETF"], "kind": ["tech_innovation_bond", "corporate_bond"], "share": [0.8, 0.2]}
    )
    assert parts(inputs(bond("P"), fund, underlying=inside), TechBondOptions()).by_row.tolist() == [1.0, 0.8]


def test_the_report_merges_lines_and_shows_prices() -> None:
    settings = {"fund": {"name": "Test", "as_of": "2026-06-30"}}
    rows = pd.DataFrame([bond("L", issuer=None, face=100.0, cost=99.0), bond("T", issuer=None, tap_of="L")])
    result = Fund(settings, rows, curve=CURVE, spreads=SPREADS).optimize().value
    assert line_tables(result)[0].frame["target"].tolist() == pytest.approx([200.0])
    assert len(price_tables(result)[0].frame) == 2
    bare = Fund(settings, rows.assign(tap_of=None)).optimize().value
    assert line_tables(bare) == ()
    assert price_tables(bare) == ()
