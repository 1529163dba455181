"""The history of the named factors, from yields, a credit spread and indices as they are published.

At the end of each month the government spot curve is taken apart by least squares into

    y(t) = level + slope · (1 − e^−λt) / λt + curvature · ((1 − e^−λt) / λt − e^−λt)

(Nelson and Siegel, 1987; the fixed λ of Diebold and Li, 2006). A positive ``slope`` here raises the short end: the
loading is 1 at t = 0 and falls off. Factors are the monthly changes of the three, of the credit spread, and of
the logarithms of the indices; ``growth`` is what the growth index moves beyond the equity index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from allocator.plugin import InputError, Problem, Problems, Text, Vector, did_you_mean
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Column, Inputs, Measure, Table
from allocator.plugin.terms import desmoothed

__all__ = [
    "CURVE_FACTORS",
    "FACTORS",
    "MONTHS",
    "RULES",
    "TABLES",
    "FactorHistory",
    "curve_loadings",
    "read_history",
]


RULES = RuleBook.load("allocator_markets", "rules/markets.yaml")

CURVE_FACTORS = ("level", "slope", "curvature")

FACTORS = {
    "level": Text("Rates: level", "利率水平"),
    "slope": Text("Rates: slope", "利率斜率"),
    "curvature": Text("Rates: curvature", "利率曲率"),
    "credit": Text("Credit spread", "信用利差"),
    "equity": Text("Equity market", "股票市场"),
    "growth": Text("Growth against the market", "成长相对市场"),
    "property": Text("Property", "不动产"),
    "currency": Text("Currency", "汇率"),
}
"""The named factors in their order; those without a series in the history are absent."""

MONTHS = 12
FEWEST = 24
"""Monthly changes from which a covariance may be estimated."""

_RATE = re.compile(r"rate_(\d+)y$")
_LONGEST = 50


def _index(name: str, en: str, zh: str, *aliases: str) -> Column:
    return Column(name, Measure.NUMBER, Text(en, zh), aliases, minimum=0.0)


TABLES = (
    Table(
        "market_history",
        (
            Column("date", Measure.DATE, Text("Date", "日期"), ("日期", "交易日"), required=True),
            *(
                Column(
                    f"rate_{tenor}y",
                    Measure.RATE,
                    Text(f"Government spot rate, {tenor} years", f"国债即期收益率 {tenor} 年"),
                    (f"国债{tenor}年", f"{tenor}y", f"{tenor}年"),
                    minimum=-0.05,
                    maximum=0.5,
                )
                for tenor in range(1, _LONGEST + 1)
            ),
            Column(
                "credit_spread",
                Measure.RATE,
                Text("Spread of AAA credit over governments", "AAA 信用利差"),
                ("信用利差", "AAA信用利差"),
                minimum=-0.05,
                maximum=0.5,
            ),
            _index(
                "equity", "Index of the stock market, dividends reinvested", "股票市场全收益指数", "沪深300", "股票指数"
            ),
            _index("growth", "Index of growth stock", "成长股指数", "科创50", "创业板指"),
            _index("property", "Index of public REITs", "公募REITs指数", "REITs指数", "不动产指数"),
            _index("currency", "CNY per unit of foreign currency", "人民币汇率中间价", "美元兑人民币", "汇率"),
        ),
        key=("date",),
        open=True,
    ),
    Table(
        "assets",
        (
            Column(
                "proxy",
                Measure.TEXT,
                Text("Series of market_history whose exposures the asset takes", "以市场历史中该序列估计因子暴露"),
                ("代理指数", "跟踪指数"),
            ),
        ),
    ),
)


@dataclass(frozen=True, eq=False)
class FactorHistory:
    """Monthly history.

    Parameters
    ----------
    changes : DataFrame (T, factors)
        Monthly changes by factor, index the month's end; rates in decimals, indices in logarithms.
    series : DataFrame (T, others)
        Monthly logarithmic changes of every index of the history, NaN where one has none.
    curve_fit : float
        Share of the variance of the monthly yield changes that level, slope and curvature explain.
    """

    changes: pd.DataFrame
    series: pd.DataFrame
    curve_fit: float


def curve_loadings(time: ArrayLike, decay: float) -> Vector:
    """Return what level, slope and curvature move the spot rate at ``time`` > 0 by, (…, 3).

    Parameters
    ----------
    time : array_like
        Years, > 0.
    decay : float
        λ of Nelson and Siegel, per year.
    """
    scaled = decay * np.asarray(time, dtype=float)
    short = -np.expm1(-scaled) / scaled
    return np.stack([np.ones_like(scaled), short, short - np.exp(-scaled)], axis=-1)


def read_history(inputs: Inputs, window: int | None = None, desmooth: tuple[str, ...] = ()) -> FactorHistory:
    """Return the factors' history up to the valuation date.

    Parameters
    ----------
    inputs : Inputs
        With the table ``market_history``.
    window : int or None
        Last monthly changes to keep; None keeps all from the month on in which every factor is known.
    desmooth : tuple of str
        Indices whose valuation lag is taken out; the history then starts one month later.

    Raises
    ------
    InputError
        When the table is missing, too short, has a gap, or holds fewer than three tenors.
    """
    table = inputs.table("market_history")
    if table is None:
        what = Text("the factors need a history of the market", "因子需要市场历史数据")
        raise InputError(Problem(what, inputs.settings.where("inputs"), allowed="inputs.market_history"))
    months = _without_lag(inputs, _month_ends(inputs, table), desmooth)
    tenors = {name: int(found[1]) for name in map(str, months) if (found := _RATE.match(name))}
    levels = [name for name in ("credit_spread", "equity", "growth", "property", "currency") if name in months]
    problems = Problems()
    if len(tenors) < len(CURVE_FACTORS):
        what = Text("level, slope and curvature need three tenors at least", "水平、斜率与曲率至少需要三个期限")
        problems.add(what, inputs.sources["market_history"].file, len(tenors), "rate_1y … rate_50y")
    if "growth" in months and "equity" not in months:
        what = Text("growth is measured against the equity index", "成长因子须以股票市场指数为基准")
        problems.add(what, inputs.sources["market_history"].file, "growth", "equity")
    problems.raise_if_any()
    known = _known_window(inputs, months, [*tenors, *levels])
    decay = RULES.at("curve.decay", inputs.as_of).number
    loadings = curve_loadings(list(tenors.values()), decay)
    yields = known[list(tenors)].to_numpy(dtype=float)
    betas = np.linalg.lstsq(loadings, yields.T, rcond=None)[0].T
    changes = pd.DataFrame(np.diff(betas, axis=0), columns=list(CURVE_FACTORS), index=known.index[1:])
    if "credit_spread" in levels:
        changes["credit"] = known["credit_spread"].diff().iloc[1:]
    logs = _log(known[[name for name in levels if name != "credit_spread"]]).diff().iloc[1:]
    for name in logs:
        changes[str(name)] = logs[name] - logs["equity"] if name == "growth" else logs[name]
    left = np.diff(yields, axis=0) - changes[list(CURVE_FACTORS)].to_numpy() @ loadings.T
    total = float(np.square(np.diff(yields, axis=0)).sum())
    others = months[[name for name in months if name not in tenors and name != "credit_spread"]]
    series = _log(others).diff().reindex(changes.index)
    kept = slice(None) if window is None else slice(-window, None)
    return FactorHistory(
        changes.iloc[kept], series.iloc[kept], 1.0 - float(np.square(left).sum()) / total if total > 0 else 1.0
    )


def _log(levels: pd.DataFrame) -> pd.DataFrame:
    """Return logarithms; a level that is not positive has none."""
    positive = levels.where(levels > 0)
    return pd.DataFrame(np.log(positive.to_numpy(dtype=float)), index=levels.index, columns=levels.columns)


def _month_ends(inputs: Inputs, table: pd.DataFrame) -> pd.DataFrame:
    """Return the last figure of each month up to the valuation date; columns without any are left out."""
    past = table[table["date"] <= pd.Timestamp(inputs.as_of)].set_index("date").sort_index()
    numbers = past.apply(pd.to_numeric, errors="coerce").astype(float).dropna(axis="columns", how="all")
    ends: pd.DataFrame = numbers.resample("ME").last()
    return ends


def _without_lag(inputs: Inputs, months: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the levels with the valuation lag of some indices taken out of their logarithmic changes."""
    problems = Problems()
    cleared = months.copy()
    for name in names:
        place = f"{inputs.sources['market_history'].file}, column {name}"
        if name not in months:
            offered = [str(column) for column in months]
            what = Text("the history has no series of this name", "市场历史中没有该序列")
            problems.add(what, place, name, hint=did_you_mean(name, offered))
            continue
        levels = _log(months[[name]])[name].dropna()
        try:
            moves = desmoothed(levels.diff().iloc[1:].to_numpy(dtype=float))
        except ValueError as error:
            what = Text(f"no valuation lag can be taken out: {error}", "无法去平滑：序列过短、无波动或自相关为负")
            problems.add(what, place)
            continue
        # The lag needs one change before the first: the series begins one month later, at its level then.
        start = levels.iloc[1]
        cleared[name] = pd.Series(np.exp(start + np.concatenate([[0.0], np.cumsum(moves)])), levels.index[1:])
    problems.raise_if_any()
    return cleared


def _known_window(inputs: Inputs, months: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the months in which every factor is known; name a gap between them and a history too short."""
    wanted = months[names]
    whole = wanted.notna().all(axis="columns").to_numpy()
    place = inputs.sources["market_history"].file
    if whole.sum() < FEWEST + 1:
        what = Text("too few months in which every factor is known", "所有因子均有数据的月份过少")
        found = {name: f"{wanted.index[wanted[name].notna()].min():%Y-%m}" for name in names}
        latest = max(found, key=found.__getitem__)
        hint = Text(f"{latest} starts in {found[latest]}", f"{latest} 自 {found[latest]} 起才有数据")
        raise InputError(Problem(what, place, f"{whole.sum()}", f"{FEWEST + 1} or more", hint))
    first, last = int(np.argmax(whole)), len(whole) - int(np.argmax(whole[::-1]))
    problems = Problems()
    for name in names:
        for month in wanted.index[first:last][wanted[name].iloc[first:last].isna()]:
            problems.add(
                Text("a month without a figure", "该月份缺少数据"), f"{place}, column {name}", f"{month:%Y-%m}"
            )
    problems.raise_if_any()
    return wanted.iloc[first:last]
