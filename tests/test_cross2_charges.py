"""Every cell of the tables of R8, before and after each notice, written out from the regulation."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from allocator_cross2.stock import gain_coefficient
from charging import (
    CSI,
    DIVIDEND,
    ISSUERS,
    TODAY,
    Row,
    build,
    factors,
    one,
    perpetual,
    stock,
)
from hypothesis import given, settings
from hypothesis import strategies as st

FIRST = date(2022, 3, 31)
DAY = timedelta(days=1)
NOTICE_2023 = date(2023, 9, 10)
NOTICE_2025 = date(2025, 12, 1)
BOTH = (CSI, DIVIDEND)


# ---- R8 §26 and its changes: (row, date) → RF0 (1 + k2) -------------------------------------------------

STOCK = [
    (stock("main"), FIRST, 0.35),
    (stock("main"), TODAY, 0.35),
    (stock("main", (CSI,)), FIRST, 0.35 * 0.95),
    (stock("main", (CSI,)), NOTICE_2023 - DAY, 0.35 * 0.95),
    (stock("main", (CSI,)), NOTICE_2023, 0.30),
    (stock("main", (CSI,), 3.1), NOTICE_2025 - DAY, 0.30),
    (stock("main", (CSI,), 3.1), NOTICE_2025, 0.27),
    (stock("main", (CSI,), 3.0), NOTICE_2025, 0.30),
    (stock("main", (DIVIDEND,), 3.1), NOTICE_2025 - DAY, 0.35),
    (stock("main", (DIVIDEND,), 3.1), NOTICE_2025, 0.35),  # the notice lowers from 0.30: members of both
    (stock("main", (DIVIDEND,), 2.9), NOTICE_2025, 0.35),
    (stock("main", BOTH, 2.9), NOTICE_2025, 0.30),
    (stock("main", BOTH, 3.1), NOTICE_2025, 0.27),
    (stock("chinext"), FIRST, 0.45),
    (stock("chinext"), TODAY, 0.45),
    (stock("chinext", (CSI,)), FIRST, 0.45 * 0.95),
    (stock("chinext", (CSI,), 4.0), TODAY, 0.45 * 0.95),
    (stock("star"), NOTICE_2023 - DAY, 0.45),
    (stock("star"), NOTICE_2023, 0.40),
    (stock("star", (), 2.1), NOTICE_2025 - DAY, 0.40),
    (stock("star", (), 2.1), NOTICE_2025, 0.36),
    (stock("star", (), 2.0), NOTICE_2025, 0.40),
    (stock("star", (CSI,)), NOTICE_2023 - DAY, 0.45 * 0.95),
    (stock("star", (CSI,)), NOTICE_2023, 0.40),
    (stock("star", (CSI,), 5.0), NOTICE_2025, 0.36),
]


@pytest.mark.parametrize(("row", "when", "factor"), STOCK)
def test_listed_stock(row: Row, when: date, factor: float) -> None:
    assert one(row, when) == {"equity_price": pytest.approx(factor, abs=1e-12)}


@pytest.mark.parametrize(
    ("reading", "row", "factor"),
    [
        ("csi300_factor_keeps_k2", stock("main", (CSI,)), 0.30 * 0.95),
        ("csi300_factor_keeps_k2", stock("main", (CSI,), 4.0), 0.27 * 0.95),
        ("csi300_factor_keeps_k2", stock("main", (DIVIDEND,), 4.0), 0.35),
        ("csi300_factor_on_all_boards", stock("chinext", (CSI,)), 0.30),
        ("csi300_factor_on_all_boards", stock("star", (CSI,)), 0.30),
        ("csi300_factor_on_all_boards", stock("chinext", (CSI,), 4.0), 0.27),
        ("csi300_factor_on_all_boards", stock("chinext"), 0.45),
        ("star_member_keeps_k2", stock("star", (CSI,)), 0.40 * 0.95),
        ("star_member_keeps_k2", stock("star"), 0.40),
    ],
)
def test_listed_stock_under_the_other_reading(reading: str, row: Row, factor: float) -> None:
    got = one(row, options={"readings": {reading: True}})
    assert got == {"equity_price": pytest.approx(factor, abs=1e-12)}


def test_a_dividend_member_may_be_read_to_need_no_csi300() -> None:
    """The notice of 2025-12-01 names both indices; read as either of them, 0.27 after three years."""
    options = {"readings": {"dividend_factor_needs_csi300": False}}
    assert one(stock("main", (DIVIDEND,), 4.0), options=options) == {"equity_price": pytest.approx(0.27)}
    assert one(stock("main", BOTH, 4.0), options=options) == {"equity_price": pytest.approx(0.27)}


def test_k1_is_the_gain_of_the_whole_book() -> None:
    # cost 160, book 200: x = 0.25, k1 = 0.0625
    rows = [stock("main", cost=60.0), stock("chinext", cost=100.0)]
    assert factors(rows)["equity_price"] == pytest.approx(100 * (0.35 + 0.45) * 1.0625)
    # cost 250, book 200: x = −0.2, k1 = −0.04
    rows = [stock("main", cost=150.0), stock("chinext", cost=100.0)]
    assert factors(rows)["equity_price"] == pytest.approx(100 * (0.35 + 0.45) * 0.96)


@pytest.mark.parametrize(
    ("cost", "k"),
    [(100 / 2.5, 0.25), (50.0, 0.25), (100 / 1.5, 0.25), (100 / 1.4, 0.16), (200.0, -0.25), (1e6, -0.25), (0.0, 0.25)],
)
def test_k1_is_clipped_with_k2(cost: float, k: float) -> None:
    assert one(stock("main", cost=cost))["equity_price"] == pytest.approx(0.35 * (1 + k))


def test_k1_moves_with_trades_at_average_cost() -> None:
    charges = build([stock("main", cost=60.0), stock("main", cost=100.0)])
    book = charges.stock
    assert book.gain(np.array([100.0, 100.0])) == pytest.approx(40 / 160)
    assert book.gain(np.array([50.0, 100.0])) == pytest.approx(20 / 130)  # half sold: half its gain and cost go
    assert book.gain(np.array([150.0, 100.0])) == pytest.approx(40 / 210)  # bought at market: cost rises, gain stays
    assert book.gain(np.array([0.0, 0.0])) == 0.0
    assert charges.at(np.array([50.0, 100.0])).stock_k1 == pytest.approx((20 / 130) ** 2)


# A holding is worth nothing or at least a fen: between ratios of smaller amounts rounding decides.
FEN = st.integers(0, 20_000).map(lambda fen: fen / 10_000)


@given(st.lists(st.tuples(st.floats(0.2, 3.0), FEN, FEN), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_reach_of_k1_bounds_every_trade(rows: list[tuple[float, float, float]]) -> None:
    charges = build([stock("main", cost=100.0 / value) for value, _, _ in rows])
    lower = np.array([100.0 * min(a, b) for _, a, b in rows])
    upper = np.array([100.0 * max(a, b) for _, a, b in rows])
    low, high = map(gain_coefficient, charges.stock.reach(lower, upper))
    grid = np.stack(np.meshgrid(*[[lo, up, np.clip(100.0, lo, up)] for lo, up in zip(lower, upper, strict=True)]))
    reached = [charges.stock.k1(point) for point in grid.reshape(len(rows), -1).T]
    assert low == pytest.approx(min(reached), abs=1e-9)
    assert high == pytest.approx(max(reached), abs=1e-9)


def test_reach_of_the_gain_without_upper_bound_includes_a_diluted_book() -> None:
    charges = build([stock("main", cost=50.0)])
    assert charges.stock.reach(np.array([100.0]), np.array([np.inf])) == (0.0, 1.0)  # (100 - 50) / 50
    charges = build([stock("main", cost=200.0)])
    assert charges.stock.reach(np.array([100.0]), np.array([np.inf])) == (-0.5, 0.0)


# ---- R8 §27-34, §36: one factor a row ------------------------------------------------------------------

EQUITY = [
    ({"kind": "unlisted_equity", "issuer": "steel"}, FIRST, 0.41),
    ({"kind": "unlisted_equity", "issuer": "chips"}, FIRST, 0.41),
    ({"kind": "unlisted_equity", "issuer": "chips"}, NOTICE_2023 - DAY, 0.41),
    ({"kind": "unlisted_equity", "issuer": "chips"}, NOTICE_2023, 0.40),
    ({"kind": "unlisted_equity", "issuer": "steel"}, NOTICE_2023, 0.41),
    ({"kind": "unlisted_equity", "strategic_emerging": True}, TODAY, 0.40),
    ({"kind": "unlisted_equity", "issuer": "steel", "national_strategy_fund": True}, TODAY, 0.15),
    ({"kind": "subsidiary", "issuer": "insurer"}, TODAY, 0.35),
    ({"kind": "subsidiary", "issuer": "steel"}, TODAY, 1.00),
    ({"kind": "subsidiary", "insurance_related": True}, TODAY, 0.35),
    ({"kind": "associate", "board": "main"}, TODAY, 0.35),
    ({"kind": "associate"}, TODAY, 0.41),
    ({"kind": "associate", "listed": True}, TODAY, 0.35),
    ({"kind": "bond_fund"}, TODAY, 0.06),
    ({"kind": "equity_fund"}, TODAY, 0.28),
    ({"kind": "mixed_fund"}, TODAY, 0.23),
    ({"kind": "money_market_fund"}, TODAY, 0.01),
    ({"kind": "convertible_bond"}, TODAY, 0.23),
    (perpetual("bank", None), TODAY, 0.15),
    (perpetual("amc", None), TODAY, 0.15),
    (perpetual("insurer", None), TODAY, 0.15),
    (perpetual("cdb", True), TODAY, 0.15),
    (perpetual("bank", True, "policy"), TODAY, 0.15),
    (perpetual("bank", True, "large_state"), TODAY, 0.15),
    (perpetual("bank", True, "joint_stock"), TODAY, 0.20),
    (perpetual("bank", True, "city"), TODAY, 0.25),
    (perpetual("bank", True, "rural"), TODAY, 0.30),
    (perpetual("bank", True, "foreign"), TODAY, 0.30),
    (perpetual("bank", True, "other"), TODAY, 0.30),
    (perpetual("bank", False, "large_state"), TODAY, 0.45),
    (perpetual("amc", True), TODAY, 0.20),
    (perpetual("amc", False), TODAY, 0.45),
    (perpetual("insurer", True), TODAY, 0.15),
    (perpetual("insurer", False), TODAY, 0.45),
    (perpetual("bank", True, "city", "preferred_stock"), TODAY, 0.25),
    ({"kind": "preferred_stock", "issuer": "steel", "conversion_clause": False}, TODAY, 0.10),
    ({"kind": "preferred_stock", "issuer": "steel", "conversion_clause": True}, TODAY, 0.25),
]


@pytest.mark.parametrize(("row", "when", "factor"), EQUITY)
def test_equity_price_risk(row: Row, when: date, factor: float) -> None:
    assert one(row, when, issuers=ISSUERS) == {"equity_price": pytest.approx(factor, abs=1e-12)}


@pytest.mark.parametrize(
    ("city_tier", "factor"),
    [("municipality", 0.15), ("provincial_capital", 0.15), ("separately_planned", 0.15), ("other", 0.18)],
)
def test_real_estate_price_risk(city_tier: str, factor: float) -> None:
    assert one({"kind": "property", "city_tier": city_tier}) == {"real_estate_price": pytest.approx(factor)}


def test_property_through_a_project_company_takes_the_larger_value() -> None:
    row = {"kind": "property", "city_tier": "other", "book_value": 90.0}
    assert one(row)["real_estate_price"] == pytest.approx(0.9 * 0.18)
    assert one({**row, "property_book_value": 150.0})["real_estate_price"] == pytest.approx(1.5 * 0.18)
    assert one({**row, "property_book_value": 50.0})["real_estate_price"] == pytest.approx(0.9 * 0.18)


# ---- R8 §44-54 ------------------------------------------------------------------------------------------

OVERSEAS = [
    ({"kind": "overseas_bond"}, "overseas_fixed_income", 0.08),
    ({"kind": "overseas_bond", "issue_date": "2026-01-15", "maturity": "2027-01-15"}, "overseas_fixed_income", 0.03),
    ({"kind": "overseas_bond", "issue_date": "2026-01-15", "maturity": "2027-01-16"}, "overseas_fixed_income", 0.08),
    ({"kind": "overseas_fund", "product_type": "money_market"}, "overseas_equity", 0.01),
    ({"kind": "overseas_fund", "product_type": "fixed_income"}, "overseas_equity", 0.08),
    ({"kind": "overseas_fund", "product_type": "equity"}, "overseas_equity", 0.39),
    ({"kind": "overseas_fund", "product_type": "mixed"}, "overseas_equity", 0.39),
    ({"kind": "overseas_fund", "product_type": "commodity_derivative"}, "overseas_equity", 0.45),
    ({"kind": "overseas_stock"}, "overseas_equity", 0.39),
    ({"kind": "overseas_unlisted"}, "overseas_equity", 0.45),
    ({"kind": "associate", "board": "main"}, "overseas_equity", 0.35),
    ({"kind": "associate"}, "overseas_equity", 0.41),
    (perpetual("bank", True, "city", "preferred_stock"), "overseas_equity", 0.25),
]


@pytest.mark.parametrize(("row", "module", "factor"), OVERSEAS)
@pytest.mark.parametrize(("market", "k1"), [("developed", 0.0), ("emerging", 0.25)])
def test_overseas_price_risk(row: Row, module: str, factor: float, market: str, k1: float) -> None:
    row = {key: pd.Timestamp(value) if key in ("issue_date", "maturity") else value for key, value in row.items()}
    got = one({**row, "market": market}, issuers=ISSUERS)
    assert got == {f"{module}_{market}": pytest.approx(factor * (1 + k1))}


@pytest.mark.parametrize("market", ["developed", "emerging"])
def test_overseas_subsidiaries_have_no_k1(market: str) -> None:
    got = one({"kind": "subsidiary", "issuer": "insurer", "market": market}, issuers=ISSUERS)
    assert got == {f"overseas_equity_{market}": 0.35}


@pytest.mark.parametrize(
    ("kind", "market", "clip", "factor"),
    [
        ("overseas_property", "developed", False, 0.18),
        ("overseas_property", "emerging", False, 0.21),
        ("overseas_property", "developed", True, 0.18),
        ("overseas_property", "emerging", True, 0.1875),
        ("reit", "developed", False, 0.18),
        ("reit", "emerging", False, 0.21),
    ],
)
def test_overseas_property_and_reits(kind: str, market: str, clip: bool, factor: float) -> None:
    row = {"kind": kind, "market": market, "transparency": "base" if kind == "reit" else None}
    got = one(row, options={"readings": {"clip_overseas_property": clip}})
    assert got == {f"overseas_equity_{market}": pytest.approx(factor)}


# ---- R8 §55-59 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "module", "factor"),
    [
        ("USD", "currency:USD", 0.05),
        ("HKD", "currency:USD", 0.05),
        ("AED", "currency:USD", 0.05),
        ("EUR", "currency:EUR", 0.08),
        ("GBP", "currency:GBP", 0.08),
        ("JPY", "currency:JPY", 0.15),
        ("SGD", "currency:SGD", 0.15),
    ],
)
def test_currency_risk(currency: str, module: str, factor: float) -> None:
    row = {"kind": "overseas_stock", "market": "developed", "currency": currency}
    assert one(row) == {"overseas_equity_developed": pytest.approx(0.39), module: factor}


def test_domestic_assets_in_foreign_currency_are_exposed_and_home_currency_is_not() -> None:
    assert one({"kind": "cash", "currency": "USD"})["currency:USD"] == 0.05
    assert one({"kind": "cash", "currency": "CNY"}) == {"counterparty_default": 0.0}
