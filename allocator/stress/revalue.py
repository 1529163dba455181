"""Bonds after a move of rates: revalued by their own cash flows, their yields and durations recomputed.

A row's flows CF are discounted at its own effective yield Y = (1 + y/f)^f − 1; when rates at time t move by s(t),

    p = Σ CF (1 + Y + s(t))^−t / Σ CF (1 + Y)^−t

so the row's spread over the curve stays and a shift of zero moves nothing. Its new yield is the one at which the
same flows are worth p times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from allocator.arrays import Mask, Vector
from allocator.errors import Problems
from allocator.inputs.cash_flows import CashFlows, asset_cash_flows, modified_durations, yields
from allocator.inputs.curves import SpotCurve, spot_curve
from allocator.inputs.fund import Inputs
from allocator.inputs.terms import column
from allocator.stress.shocks import Shocked
from allocator.types import Text

__all__ = ["TenorShift", "given_curve", "revalued", "shifted_curve"]


TenorShift = Callable[[Vector], Vector]
"""Shift of annually compounded rates at times in years, decimal."""


def revalued(shocked: Shocked, rows: Mask, shift: Vector | TenorShift, problems: Problems) -> Shocked:
    """Return the fund with the chosen rows revalued.

    Parameters
    ----------
    shocked : Shocked
        The fund so far.
    rows : ndarray of bool (n,)
        Rows with contractual cash flows that are carried at fair value.
    shift : ndarray (n,) or callable
        What is added to each row's rates: one number a row, or a function of the time of payment.
    problems : Problems
        Receives terms that are missing.
    """
    if not rows.any():
        return shocked
    inputs = shocked.inputs
    flows = asset_cash_flows(inputs, rows, problems)
    if len(problems):
        return shocked
    compounding = np.maximum(np.nan_to_num(column(inputs.assets, "frequency"), nan=1.0), 1.0)
    known = column(inputs.assets, "yield")
    rate = np.where(np.isnan(known), yields(flows, compounding), known)
    effective = (1.0 + rate / compounding) ** compounding - 1.0
    moved = shift(flows.time) if callable(shift) else shift[flows.row]
    before, after = (
        _by_row(flows, flows.amount * (1.0 + effective[flows.row] + move) ** -flows.time) for move in (0.0, moved)
    )
    paid = rows & (before != 0)
    factor = np.divide(after, before, out=np.ones(shocked.size), where=paid)
    per_cny = np.where(after == 0, np.nan, after)[flows.row]
    scaled = replace(flows, principal=flows.principal / per_cny, interest=flows.interest / per_cny)
    new = np.where(paid & np.any(factor != 1.0), yields(scaled, compounding), known)
    columns = {"yield": np.where(paid & (factor != 1.0), new, known)}
    stressed = shocked.valued(factor, **columns)
    return _with_durations(shocked, stressed, paid, problems)


def _with_durations(before: Shocked, after: Shocked, rows: Mask, problems: Problems) -> Shocked:
    """Move the durations that the fund gives as much as those of the cash flows move; others follow by themselves."""
    given = column(before.inputs.assets, "modified_duration")
    chosen = rows & ~np.isnan(given)
    if not chosen.any():
        return after
    old, new = (modified_durations(_without(item.inputs), chosen, problems) for item in (before, after))
    ratio = np.divide(new, old, out=np.ones(len(given)), where=chosen & (old > 0))
    return after.valued(np.ones(after.size), modified_duration=np.where(chosen, given * ratio, given))


def _without(inputs: Inputs) -> Inputs:
    """Return the inputs without given durations."""
    frame = inputs.assets.assign(modified_duration=np.nan)
    return replace(inputs, tables=MappingProxyType({**inputs.tables, "assets": frame}))


def _by_row(flows: CashFlows, amounts: Vector) -> Vector:
    return np.bincount(flows.row, weights=amounts, minlength=flows.size).astype(float)


def shifted_curve(shocked: Shocked, shift: TenorShift) -> Shocked:
    """Return the fund with its spot curve, mean or history, moved in full.

    Parameters
    ----------
    shocked : Shocked
        The fund as shocked so far.
    shift : TenorShift
        Move of the spot rates, decimals, by tenor in years.
    """
    tables = shocked.inputs.tables
    if "curve" in tables:
        frame = tables["curve"]
        tenors = frame["tenor"].to_numpy(dtype=float)
        shocked = shocked.with_table("curve", frame.assign(spot=frame["spot"].to_numpy(dtype=float) + shift(tenors)))
    if "curve_history" in tables:
        frame = tables["curve_history"]
        years = {name: float(name[:-1]) for name in map(str, frame.columns) if _is_tenor(name)}
        moves: Mapping[str, pd.Series] = {
            name: frame[name] + float(shift(np.array([tenor]))[0]) for name, tenor in years.items()
        }
        shocked = shocked.with_table("curve_history", frame.assign(**moves))
    return shocked


def _is_tenor(name: str) -> bool:
    return name.endswith("y") and name[:-1].replace(".", "", 1).isdigit()


def given_curve(inputs: Inputs, problems: Problems) -> SpotCurve | None:
    """Return the spot curve of the table ``curve``, or the last day of its history; None with a problem.

    Parameters
    ----------
    inputs : Inputs
        The fund, with the table ``curve`` or ``curve_history``.
    problems : Problems
        Receives what the curve lacks.
    """
    given, history = inputs.table("curve"), inputs.table("curve_history")
    if given is not None:
        return spot_curve(given, 1.0, 1.0, "inputs.curve", problems)
    if history is None or history.empty:
        problems.add(Text("a spot curve is needed", "需要即期收益率曲线"), "inputs.curve")
        return None
    last = history.sort_values("date").iloc[-1]
    points = {float(name[:-1]): float(last[name]) for name in map(str, history.columns) if _is_tenor(name)}
    seen = {tenor: rate for tenor, rate in sorted(points.items()) if np.isfinite(rate)}
    frame = pd.DataFrame({"tenor": list(seen), "spot": list(seen.values())}, dtype=float)
    return spot_curve(frame, 1.0, 1.0, "inputs.curve_history", problems)
