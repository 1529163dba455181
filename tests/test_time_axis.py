"""One time axis: anniversaries of the valuation date are whole years, the rest is actual/actual."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from rule_funds import context

from allocator.config.settings import TimeAxis
from allocator.errors import Problems
from allocator.inputs.cash_flows import asset_cash_flows
from allocator.inputs.time_axis import axis_by_day, years_ahead


@pytest.mark.parametrize(
    ("as_of", "day", "years"),
    [
        # The anniversary itself, over seven leap days: 10,958 days.
        (date(2026, 6, 30), date(2056, 6, 30), 30.0),
        # Half a year of a year of 365 days, and 92 of the 366 days from 2027-06-30.
        (date(2026, 6, 30), date(2026, 12, 31), 184 / 365),
        (date(2026, 6, 30), date(2027, 9, 30), 1 + 92 / 366),
        # A month's last day has its anniversaries on the month's last day; a leap day's are those of February.
        (date(2027, 2, 28), date(2028, 2, 29), 1.0),
        (date(2028, 2, 29), date(2029, 2, 28), 1.0),
        (date(2028, 2, 29), date(2032, 2, 29), 4.0),
        (date(2026, 3, 15), date(2027, 3, 14), 364 / 365),
    ],
)
def test_years_by_hand(as_of: date, day: date, years: float) -> None:
    days = (day - as_of).days
    assert axis_by_day(as_of, days)[days] == pytest.approx(years, rel=1e-14)


def test_days_over_365_stay_as_a_setting() -> None:
    """10,958 / 365 = 30.02 years on the former axis; a date before the valuation date counts backwards."""
    inputs = context([{"amount": 1.0}]).inputs
    fund = inputs.settings.fund.model_copy(update={"time_axis": TimeAxis.DAYS_365})
    former = type(inputs)(
        inputs.settings.model_copy(update={"fund": fund}),
        inputs.balance_sheet,
        inputs.tables,
        inputs.sources,
        inputs.kinds,
    )
    assert years_ahead(inputs, [10958.0, -73.0, np.nan])[:2].tolist() == [30.0, -0.2]
    assert np.isnan(years_ahead(inputs, [np.nan])[0])
    assert years_ahead(former, [10958.0])[0] == pytest.approx(10958 / 365)


def test_payments_of_a_bond_fall_on_the_axis() -> None:
    """A bond of three years paid each June from 30 June 2026 pays at t = 1, 2, 3, over the leap day of 2028 too."""
    terms = {"coupon": 0.03, "frequency": 1, "maturity": "2029-06-30", "face": 100.0, "amount": 100.0}
    inputs = context([{"kind": "government_bond", **terms}]).inputs
    flows = asset_cash_flows(inputs, np.array([True]), Problems())
    assert flows.day.tolist() == [365, 731, 1096]
    assert flows.time.tolist() == pytest.approx([1.0, 2.0, 3.0], rel=1e-14)


def test_the_axis_never_runs_backwards() -> None:
    for start in (date(2024, 2, 29), date(2026, 12, 31), date(2026, 6, 29)):
        steps = np.diff(axis_by_day(start, 365 * 60))
        assert steps.min() >= 1 / 366 - 1e-12 and steps.max() <= 1 / 365 + 1e-12
        assert (start + timedelta(days=365 * 60)).year >= start.year + 59
