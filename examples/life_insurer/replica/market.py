"""Market data of the replica: curves of the valuation date, and the factors of risk with their covariance."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Market", "data_folder", "read_market"]

AS_OF = date(2026, 3, 31)
MEAN_DAYS = 60
WINDOW = ("2020-01-31", "2026-03-31")
BASIS_POINT = 1e-4

CURVES = {
    "cgb": "chinabond_cgb_spot_daily.csv",
    "cdb": "chinabond_cdb_spot_daily.csv",
    "railway": "chinabond_railway_spot_daily.csv",
    "aaa": "chinabond_corp_aaa_spot_daily.csv",
    "aa": "chinabond_corp_aa_spot_daily.csv",
}
INDICES = {
    "csi300": ("equity_price_indices_daily.csv", "csi300_000300"),
    "dividend": ("equity_price_indices_daily.csv", "div_lowvol100_930955"),
    "star50": ("equity_price_indices_daily.csv", "star50_000688"),
    "chinext": ("equity_price_indices_daily.csv", "chinext_399006"),
    "convertible": ("equity_price_indices_daily.csv", "convertible_000832"),
    "hsi": ("total_return_series_daily.csv", "etf159920_hsi_cny_tr"),
    "sp500": ("total_return_series_daily.csv", "etf513500_sp500_cny_tr"),
    "usdcny": ("total_return_series_daily.csv", "usdcny"),
}
RATE_TENORS = {"cgb_2y": 2.0, "cgb_10y": 10.0, "cgb_30y": 30.0}
SPREAD_TENOR = 5.0


@dataclass(frozen=True)
class Market:
    """What the replica takes from the market.

    Parameters
    ----------
    spot : mapping of str to Series
        Spot curve of the valuation date by curve, decimals, indexed by tenor in years.
    mean_government : Series
        Mean of the government spot curve over the last 60 trading days up to the valuation date.
    factor_covariance : DataFrame
        Annual covariance of the factors: index returns, and changes of yields and of the AAA spread.
    """

    spot: dict[str, pd.Series]
    mean_government: pd.Series
    factor_covariance: pd.DataFrame

    def rate(self, curve: str, tenor: float) -> float:
        """Return the spot rate, linear between annual tenors and flat outside them; AA+ is the mean of AAA and AA."""
        if curve == "aap":
            return 0.5 * (self.rate("aaa", tenor) + self.rate("aa", tenor))
        spot = self.spot[curve]
        return float(np.interp(tenor, spot.index, spot.to_numpy()))


def data_folder(repository: Path) -> Path:
    """Return the data folder: ``ALLOCATOR_DATA``, else ``../shared/data`` beside the repository."""
    return Path(os.environ.get("ALLOCATOR_DATA", repository.parent / "shared" / "data"))


def read_market(folder: Path) -> Market:
    """Read curves and index history and reduce them to the few figures the replica needs."""
    curves = {name: _curve(folder / "curves" / file) for name, file in CURVES.items()}
    day = pd.Timestamp(AS_OF)
    spot = {name: curve.loc[day].dropna() for name, curve in curves.items()}
    mean = curves["cgb"].loc[:day].tail(MEAN_DAYS).mean()
    return Market(spot, mean, _factor_covariance(folder, curves))


def _curve(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, index_col="date", parse_dates=True) / 100.0
    frame.columns = [float(name.removesuffix("y")) for name in frame.columns]
    return frame


def _factor_covariance(folder: Path, curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Sample covariance of monthly changes over `WINDOW`, times 12."""
    months = {}
    tables = {file: pd.read_csv(folder / "indices" / file, index_col="date") for file, _ in INDICES.values()}
    for name, (file, column) in INDICES.items():
        series = tables[file][column].dropna()
        series.index = pd.to_datetime(series.index)
        months[name] = _month_ends(series).pct_change()
    for name, tenor in RATE_TENORS.items():
        months[name] = _month_ends(curves["cgb"][tenor]).diff()
    spread = (curves["aaa"][SPREAD_TENOR] - curves["cgb"][SPREAD_TENOR]).dropna()
    months["aaa_spread"] = _month_ends(spread).diff()
    changes = pd.DataFrame(months).loc[WINDOW[0] : WINDOW[1]].iloc[1:]
    if changes.isna().any().any():
        raise ValueError(f"a factor has a gap between {WINDOW[0]} and {WINDOW[1]}")
    return changes.cov() * 12.0


def _month_ends(series: pd.Series) -> pd.Series:
    return series.resample("ME").last()


def tenor_weights(tenor: float) -> NDArray[np.float64]:
    """Return how a rate of that tenor hangs on the 2-, 10- and 30-year rates: linear, flat outside."""
    points = list(RATE_TENORS.values())
    return np.array([np.interp(tenor, points, row) for row in np.eye(len(points))])
