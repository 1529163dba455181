"""Interest accrued on each row by its coupon dates: R9 §35 charges it by a ladder of its own.

    accrued = first interest to come · (valuation date − last coupon date) / (its day − last coupon date)

Coupon dates run back from maturity in steps of 12 / frequency months; a contract that pays once accrues since issue.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Problems, Vector
from allocator.plugin.cash_flows import asset_cash_flows
from allocator.plugin.tables import Inputs, column

__all__ = ["accrued_parts"]

Days = NDArray[np.int64]


def accrued_parts(inputs: Inputs, rows: NDArray[np.bool_], included: bool) -> Vector:
    """Return accrued interest per CNY of amount (n,), 0 where neither the column nor the terms give it.

    Parameters
    ----------
    inputs : Inputs
        The fund, or its underlying table in place of the assets.
    rows : ndarray of bool (n,)
        Rows whose interest R9 §35 charges by the ladder: computed for these, where not given.
    included : bool
        Whether ``amount`` holds the accrued interest.

    Notes
    -----
    A given ``accrued_interest`` wins; on a row that holds nothing it says nothing, and the terms decide.
    """
    assets = inputs.assets
    amount = column(assets, "amount")
    given = np.divide(column(assets, "accrued_interest"), amount, out=np.full(len(assets), np.nan), where=amount > 0)
    wanted = rows & np.isnan(given) & (column(assets, "coupon") > 0)
    computed = np.zeros(len(assets))
    if wanted.any():
        computed = _by_terms(inputs, wanted)
        if not included:
            # Flows priced by the yield are those of one CNY with its interest: of one without, 1 / (1 − a) as many.
            priced = np.isnan(column(assets, "face")) | ~(amount > 0)
            computed = np.where(priced, computed / (1.0 - computed), computed)
    return np.where(np.isnan(given), computed, given)


def _by_terms(inputs: Inputs, rows: NDArray[np.bool_]) -> Vector:
    """Return accrued interest per CNY by the terms of the rows (n,); 0 where they do not suffice."""
    flows = asset_cash_flows(inputs, rows, Problems())
    size = len(inputs.assets)
    first = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(first, flows.row, flows.day)
    coming = flows.day == first[flows.row]
    interest = np.bincount(flows.row[coming], flows.interest[coming], size)
    last = _last_coupon(inputs)
    period = first - last
    known = rows & (interest > 0) & (last <= 0) & (period > 0)
    return np.asarray(np.divide(interest * -last, period, out=np.zeros(size), where=known))


def _last_coupon(inputs: Inputs) -> Days:
    """Return the day of each row's last coupon, relative to the valuation date (n,); positive where unknown."""
    assets, today = inputs.assets, np.datetime64(inputs.as_of, "D")
    frequency = np.nan_to_num(column(assets, "frequency"), nan=-1.0).astype(np.int64)
    found = np.ones(len(assets), dtype=np.int64)
    issued, maturity = (_dates(assets, name) for name in ("issue_date", "maturity"))
    once = (frequency == 0) & ~np.isnat(issued)
    found[once] = (issued[once] - today).astype(np.int64)
    paying = np.flatnonzero((frequency > 0) & ~np.isnat(maturity))
    step = 12 // np.maximum(frequency[paying], 1)
    month = maturity[paying].astype("datetime64[M]")
    of_month = (maturity[paying] - month.astype("datetime64[D]")).astype(np.int64)
    apart = (month - today.astype("datetime64[M]")).astype(np.int64)
    back = np.maximum(apart // step, 0) * step
    found[paying] = _before(month, of_month, back, today)
    later = found[paying] > 0
    found[paying[later]] = _before(month[later], of_month[later], (back + step)[later], today)
    since = (issued - today).astype(np.int64)
    begun = ~np.isnat(issued) & (since <= 0)
    return np.where(begun, np.maximum(found, since), found)


def _before(month: NDArray[np.datetime64], of_month: Days, back: Days, today: np.datetime64) -> Days:
    """Return the day so many months before maturity, on its day of the month or the month's last."""
    target = month - back
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    return np.asarray((target.astype("datetime64[D]") + np.minimum(of_month, length - 1) - today).astype(np.int64))


def _dates(assets: pd.DataFrame, name: str) -> NDArray[np.datetime64]:
    if name not in assets:
        return np.full(len(assets), np.datetime64("NaT"), dtype="datetime64[D]")
    return pd.to_datetime(assets[name]).to_numpy().astype("datetime64[D]")
