"""Holding periods of the notice of 2025-12-01 (金规〔2025〕24号): averages from lots, and what a purchase dilutes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from allocator_cross2.guards import holding_guards
from allocator_cross2.lots import with_holding_years
from allocator_cross2.pack import RulePack
from charging import CSI, TODAY, build, stock, table
from rule_funds import context

from allocator.plugin import Problems
from allocator.plugin.tables import Inputs


def average(*lots: tuple[str, float], board: str = "main", given: float = np.nan) -> float:
    rows = [{"asset_id": "S", "kind": "listed_stock", "amount": 100.0, "board": board, "holding_years": given}]
    frame = pd.DataFrame({"asset_id": "S", "date": pd.to_datetime([lot[0] for lot in lots])})
    inputs: Inputs = context(rows, lots=frame.assign(amount=[lot[1] for lot in lots])).inputs
    problems = Problems()
    found = with_holding_years(inputs, RulePack.at(TODAY), problems)
    assert not len(problems)
    return float(found.assets["holding_years"].iloc[0])


def test_the_average_is_weighted_first_in_first_out() -> None:
    """100 bought three years ago, 100 one year ago, 50 sold since: the oldest go, (50 · 3 + 100 · 1) / 150 = 5/3."""
    lots = (("2023-06-30", 100.0), ("2025-06-30", 100.0), ("2026-01-15", -50.0))
    assert average(*lots) == pytest.approx(5 / 3, rel=1e-12)
    assert average(*lots, ("2026-02-15", -100.0)) == pytest.approx(1.0, rel=1e-12)


def test_no_lot_counts_beyond_its_window() -> None:
    """Ten years count as 6 for an index member and as 4 on STAR; half and half with new stock 3 and 2."""
    old, new = ("2016-06-30", 100.0), ("2026-06-30", 100.0)
    assert average(old) == pytest.approx(6.0) and average(old, board="star") == pytest.approx(4.0)
    assert average(old, new) == pytest.approx(3.0) and average(old, new, board="star") == pytest.approx(2.0)
    assert average(("2016-06-30", 1.0), given=2.5) == 2.5


def test_more_sold_than_bought_is_named() -> None:
    rows = [{"asset_id": "S", "kind": "listed_stock", "amount": 1.0, "board": "main"}]
    lots = pd.DataFrame({"asset_id": ["S"], "date": pd.to_datetime(["2025-06-30"]), "amount": [-1.0]})
    problems = Problems()
    with_holding_years(context(rows, lots=lots).inputs, RulePack.at(TODAY), problems)
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("row", "limit", "long", "short"),
    [
        # 100 for 3.6 years: with h the average is 360 / h, above 3 years below 120; then 0.30 for the whole of it.
        (stock("main", (CSI,), 3.6), 120.0, 0.27, 0.30),
        # 100 on STAR for 3 years: 300 / h, above 2 years below 150; then 0.40.
        (stock("star", (), 3.0), 150.0, 0.36, 0.40),
    ],
)
def test_a_purchase_can_cost_the_whole_position_its_factor(row: dict, limit: float, long: float, short: float) -> None:  # type: ignore[type-arg]
    for held, factor in ((50.0, long), (100.0, long), (0.999 * limit, long), (limit, short), (2 * limit, short)):
        assert table([row], holdings=[held]).factor.tolist() == pytest.approx([factor]), held


def test_before_the_notice_nothing_is_diluted() -> None:
    assert table([stock("main", (CSI,), 3.6)], date(2025, 11, 30), [500.0]).factor.tolist() == pytest.approx([0.30])


def test_the_guard_keeps_purchases_short_of_the_mark() -> None:
    """The optimizer may buy up to 120 of the first, whose average is then 3 years; the second has no mark to lose."""
    rows = [stock("main", (CSI,), 3.6, account="traditional"), stock("main", (CSI,), 2.0, account="traditional")]
    charges = build(rows)
    space = context([{"amount": 100.0}, {"amount": 100.0}]).space
    (term,) = holding_guards(charges, space)
    assert term.holds(np.array([119.99, 500.0])) and not term.holds(np.array([120.0, 0.0]))
