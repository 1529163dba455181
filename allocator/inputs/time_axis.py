"""Years between the valuation date and a day: one axis for assets and liabilities.

Anniversaries of the valuation date are whole years, and a day between two of them is the part of its own year that
has passed (actual/actual): a bond that pays on the day of liability year n pays at t = n. The anniversary of a month's
last day is the month's last day. `TimeAxis.DAYS_365` counts days / 365 instead.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from allocator.arrays import Vector
from allocator.inputs.curves import DAYS_IN_YEAR
from allocator.types import TimeAxis

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs

__all__ = ["TimeAxis", "axis_by_day", "flow_axis", "years_ahead"]


def years_ahead(inputs: Inputs, days: ArrayLike) -> Vector:
    """Return years after the valuation date; NaN stays, days before it count backwards / 365.

    Parameters
    ----------
    inputs : Inputs
        The fund, which says how time is counted.
    days : array_like (…)
        Days after the valuation date.
    """
    given = np.asarray(days, dtype=float)
    plain = given / DAYS_IN_YEAR
    ahead = given > 0
    if inputs.settings.fund.time_axis is TimeAxis.DAYS_365 or not ahead.any():
        return plain
    place = np.where(ahead, given, 0.0).astype(np.int64)
    return np.where(ahead, axis_by_day(inputs.as_of, int(place.max()))[place], plain)


def flow_axis(inputs: Inputs, last: int) -> Vector | None:
    """Return the years of each day of a fund's flows (last + 1,); None where days count / 365.

    Parameters
    ----------
    inputs : Inputs
        The fund, which says how time is counted.
    last : int
        The last day, 0 being the valuation date.
    """
    return None if inputs.settings.fund.time_axis is TimeAxis.DAYS_365 else axis_by_day(inputs.as_of, last)


def axis_by_day(as_of: date, last: int) -> Vector:
    """Return the years of each day by anniversaries (last + 1,).

    Parameters
    ----------
    as_of : date
        Day 0.
    last : int
        The last day.
    """
    return np.asarray(_axis(as_of, last // DAYS_IN_YEAR + 1)[: last + 1])


@lru_cache(maxsize=32)
def _axis(as_of: date, years: int) -> Vector:
    day = np.datetime64(as_of, "D")
    month = day.astype("datetime64[M]")
    of_month = (day - month.astype("datetime64[D]")).astype(np.int64)
    target = month + 12 * np.arange(years + 1)
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    is_last = bool((day + 1).astype("datetime64[M]") != month)
    shift = np.where(is_last, length - 1, np.minimum(of_month, length - 1))
    whole = (target.astype("datetime64[D]") + shift - day).astype(np.int64)
    axis: Vector = np.interp(np.arange(whole[-1] + 1), whole, np.arange(years + 1.0))
    axis.flags.writeable = False
    return axis
