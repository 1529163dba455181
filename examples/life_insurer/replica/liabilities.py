"""Liability cash flows of the replica: a stated pattern per account, scaled to a stated present value and duration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

__all__ = ["ACCOUNTS", "LiabilityPattern", "cash_flows", "duration", "liability_table"]

YEARS = np.arange(1, 61)


@dataclass(frozen=True)
class LiabilityPattern:
    """One account's block of policies in force: an assumption, not a filed figure.

    Parameters
    ----------
    net_value : float
        Present value of outflows less inflows at the mean government spot curve, CNY 100 million.
    duration : float
        Modified duration of that net value, years.
    premium_share : float
        Present value of future premiums over that of outflows.
    premium_life : float
        Years over which premiums fall to 1/e.
    shape : float
        How narrowly benefits cluster around their peak.
    guaranteed_rate : float
        Mean guaranteed rate of the block.
    """

    net_value: float
    duration: float
    premium_share: float
    premium_life: float
    shape: float
    guaranteed_rate: float


ACCOUNTS = {
    "traditional": LiabilityPattern(42_500.0, 15.0, 0.30, 7.0, 0.9, 0.030),
    "participating": LiabilityPattern(16_000.0, 11.0, 0.20, 5.0, 0.9, 0.021),
    "universal": LiabilityPattern(6_500.0, 5.5, 0.05, 3.0, 0.7, 0.018),
}


def cash_flows(pattern: LiabilityPattern, discount: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return yearly outflows and inflows.

    Benefits follow (t/m)ˢ·exp(s(1 − t/m)), which peaks in year m; premiums fall as exp(−t/life). Two
    scales set both present values in closed form; m is then solved for the duration.
    """

    def flows(peak: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        benefits = (YEARS / peak) ** pattern.shape * np.exp(pattern.shape * (1.0 - YEARS / peak))
        premiums = np.exp(-YEARS / pattern.premium_life)
        gross = pattern.net_value / (1.0 - pattern.premium_share)
        outflow = benefits * gross / (discount @ benefits)
        return outflow, premiums * gross * pattern.premium_share / (discount @ premiums)

    peak = brentq(lambda m: duration(np.subtract(*flows(m)), discount) - pattern.duration, 0.5, 60.0)
    return flows(peak)


def duration(net: NDArray[np.float64], discount: NDArray[np.float64]) -> float:
    """Return −dPV/dr / PV of the net flows for a parallel move of the spot curve that made ``discount``."""
    rates = discount ** (-1.0 / YEARS) - 1.0
    value = net * discount
    return float((YEARS / (1.0 + rates)) @ value / value.sum())


def liability_table(spot: pd.Series) -> pd.DataFrame:
    """Return liabilities.csv: account, year, outflow, inflow, guaranteed_rate."""
    rates = np.interp(YEARS, spot.index, spot.to_numpy())
    discount = (1.0 + rates) ** -YEARS.astype(float)
    blocks = []
    for account, pattern in ACCOUNTS.items():
        outflow, inflow = cash_flows(pattern, discount)
        blocks.append(
            pd.DataFrame(
                {
                    "account": account,
                    "year": YEARS,
                    "outflow": outflow.round(2),
                    "inflow": inflow.round(2),
                    "guaranteed_rate": pattern.guaranteed_rate,
                }
            )
        )
    return pd.concat(blocks, ignore_index=True)
