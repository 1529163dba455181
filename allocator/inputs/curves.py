"""Spot curves: rates by annual tenor, discount factors, and the mean of a daily history.

r(t) is linear between the tenors given, flat below the first and beyond the last. The discount factor is
d(t) = (1 + r(t))^−t, compounded annually. Time is in years from the valuation date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from allocator.arrays import Vector
from allocator.errors import Problems
from allocator.types import Text

__all__ = ["DAYS_IN_YEAR", "SpotCurve", "mean_of_history", "spot_curve"]


DAYS_IN_YEAR = 365
"""Days of a year in every time that the library computes."""

_TENOR = re.compile(r"\d+(\.\d+)?y$")


@dataclass(frozen=True, eq=False)
class SpotCurve:
    """Annually compounded spot rates.

    Parameters
    ----------
    tenors : ndarray (m,)
        Years, strictly increasing, > 0.
    rates : ndarray (m,)
        Spot rates, decimals > −1, finite.

    Raises
    ------
    ValueError
        When the arrays do not keep this contract.
    """

    tenors: Vector
    rates: Vector

    def __post_init__(self) -> None:
        if self.tenors.ndim != 1 or self.tenors.shape != self.rates.shape or not self.tenors.size:
            raise ValueError("a curve needs as many rates as tenors, at least one")
        if self.tenors[0] <= 0 or np.any(np.diff(self.tenors) <= 0):
            raise ValueError("the tenors of a curve must be positive and increasing")
        if not np.all(np.isfinite(self.rates)) or np.any(self.rates <= -1):
            raise ValueError("the rates of a curve must be finite and above -100%")

    def rate(self, time: ArrayLike) -> Vector:
        """Return r(t) for times in years."""
        return np.asarray(np.interp(np.asarray(time, dtype=float), self.tenors, self.rates))

    def discount(self, time: ArrayLike) -> Vector:
        """Return d(t) = (1 + r(t))^−t."""
        years = np.asarray(time, dtype=float)
        return np.asarray(np.exp(-years * np.log1p(self.rate(years))))

    def discount_by_day(self, last: int) -> Vector:
        """Return the discount factors of the days 0 … ``last``: flows fall on whole days, so a lookup serves them."""
        return self.discount(np.arange(last + 1) / DAYS_IN_YEAR)

    def forward(self, start: ArrayLike, end: ArrayLike) -> Vector:
        """Return the annually compounded forward rate between two times, ``end > start``."""
        first, last = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
        return np.asarray((self.discount(first) / self.discount(last)) ** (1.0 / (last - first)) - 1.0)

    def par_rate(self, years: int, frequency: int = 1) -> float:
        """Return the coupon at which a bullet bond of whole ``years`` is worth par: f (1 − d(n)) / Σ d(j/f)."""
        times = np.arange(1, years * frequency + 1) / frequency
        factors = self.discount(times)
        return float(frequency * (1.0 - factors[-1]) / factors.sum())

    def shifted(self, shift: ArrayLike) -> SpotCurve:
        """Return the curve with ``shift`` (one number, or one per tenor) added to its rates."""
        return SpotCurve(self.tenors, self.rates + np.asarray(shift, dtype=float))


def spot_curve(frame: pd.DataFrame, first: float, last: float, where: str, problems: Problems) -> SpotCurve | None:
    """Return the curve of a table ``tenor, spot``, which must reach from ``first`` to ``last`` years.

    Tenors between that the table leaves out are interpolated linearly, as the curve is everywhere.
    Anything else that is wrong is added to ``problems`` and the answer is None.

    Parameters
    ----------
    frame : DataFrame
        ``tenor`` in years and ``spot`` as annual decimals, in any order.
    first, last : float
        Tenors in years that the table must reach.
    where : str
        Place of the table, for ``problems``.
    problems : Problems
        Takes what is wrong.
    """
    ordered = frame.sort_values("tenor")
    tenors, rates = ordered["tenor"].to_numpy(dtype=float), ordered["spot"].to_numpy(dtype=float)
    known = len(problems)
    if not np.all(np.isfinite(tenors)) or not np.all(np.isfinite(rates)):
        problems.add(Text("the curve has empty cells", "曲线存在空单元格"), where)
    elif not tenors.size:
        problems.add(Text("the curve is empty", "曲线为空"), where)
    elif tenors[0] <= 0:
        problems.add(Text("a tenor is not positive", "期限必须为正数"), where, float(tenors[0]), "> 0")
    elif np.any(np.diff(tenors) == 0):
        repeated = tenors[:-1][np.diff(tenors) == 0]
        problems.add(Text("a tenor stands twice", "期限重复"), where, ", ".join(f"{t:g}" for t in repeated))
    elif tenors[0] > first or tenors[-1] < last:
        problems.add(
            Text("the curve does not reach the tenors needed", "曲线未覆盖所需期限"),
            where,
            f"{tenors[0]:g}–{tenors[-1]:g}",
            f"{first:g}–{last:g}",
            Text("give the missing tenors; between them gaps are interpolated", "请补充缺失期限；中间缺口按线性插值"),
        )
    if np.any(rates <= -1) or np.any(np.abs(rates) > 0.5):
        extreme = float(rates[np.nanargmax(np.abs(rates))])
        hint = Text("write 0.025 or 2.5%, not 2.5", "请写 0.025 或 2.5%，不要写 2.5")
        problems.add(Text("a spot rate is out of range", "即期利率超出范围"), where, extreme, "-0.5 … 0.5", hint)
    return None if len(problems) > known else SpotCurve(tenors, rates)


def mean_of_history(
    frame: pd.DataFrame, as_of: date, observations: int, where: str, problems: Problems
) -> pd.DataFrame | None:
    """Return ``tenor, spot``: the mean of the last ``observations`` days up to ``as_of``.

    Parameters
    ----------
    frame : DataFrame
        ``date`` and one column per tenor: ``1y``, ``2y`` … in decimals. A tenor never observed in these
        days is left out; one observed on some of them only is added to ``problems``, as is a short history.
    as_of : date
        The last day that counts.
    observations : int
        How many days.
    where : str
        Place of the table, for ``problems``.
    problems : Problems
        Takes what is wrong.
    """
    past = frame.loc[frame["date"] <= pd.Timestamp(as_of)]
    window = past.sort_values("date").tail(observations)
    if len(window) < observations:
        problems.add(
            Text("the history of the curve is too short", "曲线历史观测不足"),
            where,
            f"{len(window)}",
            f"{observations} days up to {as_of.isoformat()}",
        )
        return None
    rates = {float(name[:-1]): window[name].to_numpy(dtype=float) for name in map(str, window) if _TENOR.match(name)}
    gaps = [tenor for tenor, seen in rates.items() if 0 < np.isnan(seen).sum() < observations]
    if gaps:
        named = ", ".join(f"{tenor:g}" for tenor in gaps)
        problems.add(Text("tenors are not observed on every day", "部分期限并非每日均有观测值"), where, named)
        return None
    seen = {tenor: float(values.mean()) for tenor, values in sorted(rates.items()) if not np.isnan(values).any()}
    return pd.DataFrame({"tenor": list(seen), "spot": list(seen.values())}, dtype=float)
