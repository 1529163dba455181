"""Reverse stress: breaks worked by hand, what never breaks, and what is broken already."""

from __future__ import annotations

import pandas as pd
import pytest
from test_stress import CASH, LIFE, STOCK, fund, with_life

from allocator import InputError
from allocator.study.reverse import reverse_stress


def points(frame: pd.DataFrame, factor: str) -> dict[tuple[str, float], float]:
    chosen = frame[frame["factor"] == factor]
    return {(str(row.ratio), float(row.level)): float(row.share) for row in chosen.itertuples()}


def test_the_break_by_hand() -> None:
    """Property alone, λ of 1,000 lost: charge 0.15 · 1000 (1 − λ) beside life insurance risk.

    Core capital is 200 − 1000 λ, and the other 100 count up to the same amount (R1 §41).
    """
    house = {"asset_id": "HOUSE", "kind": "property", "amount": 1000.0, "city_tier": "municipality"}
    book = fund(CASH, house, stress={"reverse": {"houses": {"property": "-100%"}}}, sheet={"total_assets": 5000.0})
    share = points(reverse_stress(book).frame, "houses")["comprehensive", 1.0]
    low, high = 0.0, 0.5
    for _ in range(60):
        middle = 0.5 * (low + high)
        core = 200.0 - 1000.0 * middle
        holds = (core + min(100.0, core)) / with_life(150.0 * (1.0 - middle)) >= 1.0
        low, high = (middle, high) if holds else (low, middle)
    assert share == pytest.approx(low, abs=1e-6)


def test_what_cannot_break_is_said_never() -> None:
    """Stock of 40 lost whole leaves 260 of own funds above the 30 of life insurance risk."""
    small = {**STOCK, "amount": 40.0, "cost": 40.0}
    frame = reverse_stress(fund(CASH, small, stress={"reverse": {"stock": {"equity": -1}}})).frame
    assert frame["never"].all() and frame["share"].isna().all()
    assert frame["reached"].tolist()[0] == pytest.approx(260.0 / LIFE)


def test_what_is_below_already_breaks_at_once() -> None:
    book = fund(CASH, STOCK, sheet={"actual_capital": 50.0, "core_capital": 50.0})
    found = points(reverse_stress(book).frame, "equity")
    assert found["comprehensive", 1.0] == 0.0
    assert found["core", 0.5] > 0.0


def test_the_shocks_name_their_own_far_ends() -> None:
    """At 10 times its width in stock, 300 of own funds are gone before prices are: 40% off 800 costs 320."""
    frame = reverse_stress(fund(CASH, {**STOCK, "amount": 800.0, "cost": 800.0})).frame
    assert 0.0 < points(frame, "equity")["comprehensive", 1.0] < 0.375
    assert set(frame["factor"]) >= {"curve_up", "curve_down", "equity", "spread", "property", "default_loss", "lapse"}


def test_an_unknown_shock_is_named_where_it_stands() -> None:
    with pytest.raises(InputError, match=r"stress\.reverse\.mine"):
        reverse_stress(fund(CASH, STOCK, stress={"reverse": {"mine": {"equities": -1}}}))
