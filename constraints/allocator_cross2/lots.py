"""How long listed stock has been held: from its purchases, and what a purchase now does to it.

The notice of 2025-12-01 counts the weighted average over the lots still held at the quarter end, first in first out,
each up to 6 years (STAR: 4). With a CNY held for y years on average, new money ages nothing yet:

    average at h = a y / h  for h > a,  y for h ≤ a

so a position keeps its long factor, above L years, while h < a y / L.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Problems, Text, Vector
from allocator.plugin.cash_flows import axis_by_day
from allocator.plugin.tables import Inputs, column
from allocator_cross2.lines import Lines
from allocator_cross2.pack import RulePack

__all__ = ["Seasoned", "seasoned_lines", "with_holding_years"]


LONG_FIGURES = {"equity.listed.index_long": "index", "equity.listed.star_long": "star"}
"""Figures of the long factors, and the stem of their years and window."""


@dataclass(frozen=True, eq=False)
class Seasoned:
    """Charge lines with a long factor, and where a purchase costs it.

    Parameters
    ----------
    line : ndarray of int (s,)
        Positions among the charge lines.
    row : ndarray of int (s,)
        Their rows of the assets table.
    limit : ndarray (s,)
        Amount from which the average is no longer above the years asked for, CNY.
    fallback : ndarray (s,)
        RF0 from there on.
    """

    line: NDArray[np.int64]
    row: NDArray[np.int64]
    limit: Vector
    fallback: Vector

    def rf0(self, factors: Vector, holdings: Vector) -> Vector:
        """Return the lines' RF0 at ``holdings`` (n,): diluted positions lose the long factor."""
        diluted = holdings[self.row] >= self.limit
        if not diluted.any():
            return factors
        found = factors.copy()
        found[self.line[diluted]] = self.fallback[diluted]
        return found


def seasoned_lines(lines: Lines, figures: list[str], assets: pd.DataFrame, pack: RulePack) -> Seasoned:
    """Return the directly held lines with a long factor; a row that holds nothing has no age to dilute."""
    amount, years = column(assets, "amount"), column(assets, "holding_years")
    parts: list[tuple[NDArray[np.int64], Vector, float]] = []
    for figure, stem in LONG_FIGURES.items():
        if figure not in pack or figure not in figures:
            continue
        chosen = np.flatnonzero((lines.figure == figures.index(figure)) & (lines.underlying < 0))
        row = lines.row[chosen]
        limit = amount[row] * years[row] / pack.value(f"equity.listed.{stem}_years")
        fallback = pack.value("equity.listed.star" if stem == "star" else "equity.listed.csi300")
        parts.append((chosen[amount[row] > 0], limit[amount[row] > 0], fallback))
    line = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    limits = np.concatenate([np.zeros(0), *(part[1] for part in parts)])
    fallbacks = np.concatenate([np.zeros(0), *(np.full(len(part[0]), part[2]) for part in parts)])
    return Seasoned(line, lines.row[line].astype(np.int64), limits, fallbacks)


def with_holding_years(inputs: Inputs, pack: RulePack, problems: Problems) -> Inputs:
    """Return the fund with empty ``holding_years`` filled from the table ``lots``; a given average wins.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    pack : RulePack
        Figures in force: the windows.
    problems : Problems
        Receives sales of more than was bought.
    """
    lots, assets = inputs.table("lots"), inputs.assets
    if lots is None or "equity.listed.index_window" not in pack:
        return inputs
    years = column(assets, "holding_years").copy()
    star = (
        assets["board"].eq("star").fillna(False).to_numpy(dtype=bool)
        if "board" in assets
        else np.zeros(len(years), dtype=bool)
    )
    accounts = lots["account"] if "account" in lots else pd.Series([None] * len(lots), index=lots.index)
    for row in np.flatnonzero(np.isnan(years) & assets["asset_id"].isin(lots["asset_id"]).to_numpy(dtype=bool)):
        mine = lots["asset_id"].eq(assets["asset_id"].iloc[row]).to_numpy(dtype=bool)
        mine = mine & (accounts.isna() | accounts.eq(assets["account"].iloc[row])).to_numpy(dtype=bool)
        window = pack.value(f"equity.listed.{'star' if star[row] else 'index'}_window")
        ordered = lots[mine].sort_values("date", kind="stable")
        days = ordered["date"].to_numpy().astype("datetime64[D]")
        found = _average(days, ordered["amount"].to_numpy(dtype=float), inputs.as_of, window)
        if found is None:
            what = Text("the lots of this asset are sold beyond what was bought", "该资产卖出批次超过买入批次")
            problems.add(what, inputs.where("assets", int(row), "asset_id"), str(assets["asset_id"].iloc[row]))
            continue
        years[row] = found
    tables = {**inputs.tables, "assets": assets.assign(holding_years=years)}
    return replace(inputs, tables=tables)


def _average(day: NDArray[np.datetime64], amount: Vector, as_of: date, window: float) -> float | None:
    """Return Σ left · min(age, window) / Σ left, first in first out; None where more is sold than held."""
    held: list[tuple[float, float]] = []
    for when, traded in zip(day.tolist(), amount.tolist(), strict=True):
        if when > as_of:
            continue
        if traded >= 0:
            held.append((traded, _age(when, as_of)))
            continue
        sold = -traded
        while sold > 0:
            if not held:
                return None
            left, age = held[0]
            held[:1] = [(left - sold, age)] if left > sold else []
            sold -= min(left, sold)
    total = sum(left for left, _ in held)
    return sum(left * min(age, window) for left, age in held) / total if total > 0 else 0.0


def _age(day: date, as_of: date) -> float:
    """Return the years from a purchase to the valuation date: its anniversaries are whole years."""
    days = (as_of - day).days
    return float(axis_by_day(day, days)[days])
