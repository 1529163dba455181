"""What each row's value does when the named factors move.

A row with payments CFⱼ at tⱼ, worth 1 at its yield y, under a move dy(t) = L(t)′f of the curve (L as in
`allocator_markets.history`):

    ln(1 + r) = −Σ wⱼ tⱼ/(1+y) · L(tⱼ)′f  +  ½ f′ [ Σ wⱼ tⱼ(tⱼ+1)/(1+y)² · L(tⱼ)L(tⱼ)′ − b b′ ] f,    wⱼ = CFⱼ (1+y)^−tⱼ

with b the first sum: exact to the second order, for a zero bond and for a bond alike. The credit spread moves
the whole curve of a row by its kind's and its rating's multiple. Everything else is linear in the factors, by
kind (``rules/markets.yaml``), or estimated: the column ``proxy`` names a series of the history on whose months
the factors are regressed. A row of ``factor_exposures`` replaces the exposure to one factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Mask, Problems, Text, Vector, did_you_mean
from allocator.plugin.cash_flows import DAYS_IN_YEAR, CashFlows, asset_cash_flows, flow_axis, years_ahead, yields
from allocator.plugin.tables import SCALE, Inputs, column, filled, rating_ranks
from allocator_markets.history import CURVE_FACTORS, MONTHS, RULES, FactorHistory, curve_loadings

__all__ = ["Exposures", "curve_moves", "read_exposures"]


CONVERTIBLE = "convertible_bond"
_LAST_RATED = SCALE.index("BBB")


@dataclass(frozen=True, eq=False)
class Exposures:
    """How n rows hang on k factors.

    Parameters
    ----------
    names : tuple of str
        The factors.
    loading : ndarray (k, n)
        First order: per unit of each factor's annual change.
    convexity : ndarray (3, 3, n)
        Second order in level, slope and curvature, symmetric, of ln(1 + r).
    specific : ndarray (n,)
        Annual volatility outside the factors.
    """

    names: tuple[str, ...]
    loading: Vector
    convexity: Vector
    specific: Vector


def curve_moves(
    row: NDArray[np.int64], time: Vector, worth: Vector, rate: Vector, size: int, decay: float
) -> tuple[Vector, Vector]:
    """Return first-order (3, size) and second-order (3, 3, size) log moves of rows of payments.

    Parameters
    ----------
    row, time, worth : ndarray (f,)
        Whose payment, when, and the share of the row's value it is.
    rate : ndarray (f,)
        Annual rate it is discounted at.
    size : int
        Number of rows.
    decay : float
        λ of the loadings.
    """
    loadings = curve_loadings(np.maximum(time, 1.0 / DAYS_IN_YEAR), decay)
    slope = worth * time / (1.0 + rate)
    first = -np.array([np.bincount(row, slope * loadings[:, k], size) for k in range(3)])
    bend = worth * time * (time + 1.0) / (1.0 + rate) ** 2
    second = np.array(
        [[np.bincount(row, bend * loadings[:, i] * loadings[:, j], size) for j in range(3)] for i in range(3)]
    )
    return first, 0.5 * (second - first[:, None, :] * first[None, :, :])


def read_exposures(inputs: Inputs, history: FactorHistory) -> Exposures:
    """Return the exposures of every row.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    history : FactorHistory
        The factors.

    Raises
    ------
    InputError
        Naming rows whose payments cannot be read, factors that the history does not hold, and series that are none.
    """
    names = tuple(str(name) for name in history.changes)
    problems = Problems()
    size = len(inputs.assets)
    loading = pd.DataFrame(0.0, index=list(names), columns=range(size))
    kind = inputs.assets["kind"].mask(filled(inputs.assets, "equity_terms"), CONVERTIBLE)
    proxied = filled(inputs.assets, "proxy")
    contract = kind.isin(RULES.at("contract.kinds", inputs.as_of).names).to_numpy(dtype=bool) & ~proxied
    flows = _payments(inputs, contract, problems)
    problems.raise_if_any()
    rate = np.nan_to_num(yields(flows))
    worth = flows.amount * np.exp(-np.log1p(rate)[flows.row] * flows.time)
    worth = worth / np.bincount(flows.row, worth, size)[flows.row]
    decay = RULES.at("curve.decay", inputs.as_of).number
    first, convexity = curve_moves(flows.row, flows.time, worth, rate[flows.row], size, decay)
    loading.loc[list(CURVE_FACTORS)] += first
    duration = -first[0]
    _add_linear(inputs, kind, ~proxied, names, loading, problems)
    _add_credit(inputs, kind, contract, duration, loading, problems)
    specific = _specific(inputs, kind)
    _estimate(inputs, history, proxied, loading, specific, problems)
    _replace(inputs, names, loading, problems)
    problems.raise_if_any()
    return Exposures(names, loading.to_numpy(dtype=float), convexity, specific)


def _payments(inputs: Inputs, contract: Mask, problems: Problems) -> CashFlows:
    """Return payments by terms; a row with a duration and no maturity is the zero bond of that duration."""
    assets = inputs.assets
    duration, rate = column(assets, "modified_duration"), np.nan_to_num(column(assets, "yield"))
    listed = inputs.table("cash_flows")
    dated = filled(assets, "maturity") | (
        np.zeros(len(assets), dtype=bool) if listed is None else assets["asset_id"].isin(listed["asset_id"]).to_numpy()
    )
    zero = np.flatnonzero(contract & ~dated & ~np.isnan(duration))
    flows = asset_cash_flows(inputs, contract & dated, problems)
    for row in np.flatnonzero(contract & ~dated & np.isnan(duration)):
        problems.add(
            Text("how this row moves with the curve is not known", "该行对利率曲线的敏感度未知"),
            inputs.where("assets", int(row), "maturity"),
            hint=Text(
                "give coupon, frequency, maturity and yield, or modified_duration, or a proxy",
                "请填写票面利率、付息频率、到期日与收益率，或修正久期，或代理指数",
            ),
        )
    days = np.maximum(np.round(duration[zero] * (1.0 + rate[zero]) * DAYS_IN_YEAR), 1).astype(np.int64)
    principal = np.exp(np.log1p(rate[zero]) * years_ahead(inputs, days))
    return CashFlows(
        len(assets),
        np.concatenate([flows.row, zero]),
        np.concatenate([flows.day, days]),
        np.concatenate([flows.principal, principal]),
        np.concatenate([flows.interest, np.zeros(len(zero))]),
        flow_axis(inputs, int(max(flows.day.max(initial=0), days.max(initial=0)))),
    )


def _add_linear(
    inputs: Inputs, kind: pd.Series, rows: Mask, names: tuple[str, ...], loading: pd.DataFrame, problems: Problems
) -> None:
    """Add the exposures by kind, of growth boards, and of foreign currency; a factor that is missing is named."""
    assets, wanted = inputs.assets, []
    for name, parts in RULES.at("exposures", inputs.as_of).value.items():
        wanted += [(factor, (kind == name).to_numpy(dtype=bool), float(value)) for factor, value in parts.items()]
    boards = RULES.at("growth.boards", inputs.as_of).names
    if "board" in assets:
        wanted.append(("growth", assets["board"].isin(boards).to_numpy(dtype=bool), 1.0))
    if "currency" in assets:
        wanted.append(
            ("currency", filled(assets, "currency") & (assets["currency"] != "CNY").to_numpy(dtype=bool), 1.0)
        )
    for factor, found, value in wanted:
        chosen = np.flatnonzero(found & rows)
        if not len(chosen):
            continue
        if factor in names:
            loading.loc[factor, chosen] += value
            continue
        problems.add(
            Text("this row hangs on a factor that the history does not hold", "该行暴露于历史数据中没有的因子"),
            inputs.where("assets", int(chosen[0]), "kind"),
            factor,
            ", ".join(names),
            Text(
                "add its series to market_history, or give the row a proxy",
                "请在 market_history 中补充该序列，或填写代理指数",
            ),
        )


def _add_credit(
    inputs: Inputs, kind: pd.Series, rows: Mask, duration: Vector, loading: pd.DataFrame, problems: Problems
) -> None:
    """Add −duration × multiple of the kind × multiple of the rating."""
    by_kind = kind.map(RULES.at("spread.by_kind", inputs.as_of).value).fillna(0.0).to_numpy(dtype=float)
    credit = rows & (by_kind > 0)
    if not credit.any() or "credit" not in loading.index:
        return
    table = RULES.at("spread.by_rating", inputs.as_of).value
    multiples = np.array([table[rating] for rating in SCALE[: _LAST_RATED + 1]])
    rank = np.minimum(rating_ranks(inputs, credit, problems), _LAST_RATED)
    moved = -duration * by_kind * multiples[rank]
    loading.loc["credit"] += np.where(credit, moved, 0.0)


def _specific(inputs: Inputs, kind: pd.Series) -> Vector:
    by_kind = kind.map(RULES.at("specific", inputs.as_of).value).to_numpy(dtype=float)
    other = RULES.at("specific.other", inputs.as_of).number
    given = column(inputs.assets, "specific_volatility")
    return np.where(np.isnan(given), np.where(np.isnan(by_kind), other, by_kind), given)


def _estimate(
    inputs: Inputs, history: FactorHistory, rows: Mask, loading: pd.DataFrame, specific: Vector, problems: Problems
) -> None:
    """Regress the proxies' monthly changes on the factors, least squares with a constant."""
    given = column(inputs.assets, "specific_volatility")
    for name in dict.fromkeys(inputs.assets["proxy"][rows]) if rows.any() else ():
        chosen = np.flatnonzero(rows & (inputs.assets["proxy"] == name).to_numpy(dtype=bool))
        place = inputs.where("assets", int(chosen[0]), "proxy")
        if name not in history.series:
            what = Text("the history has no series of this name", "市场历史中没有该序列")
            offered = [str(series) for series in history.series]
            problems.add(what, place, str(name), ", ".join(offered), did_you_mean(str(name), offered))
            continue
        moves = history.series[name]
        known = moves.notna().to_numpy()
        factors = history.changes.to_numpy(dtype=float)[known]
        if known.sum() < 2 * factors.shape[1]:
            what = Text("too few months to estimate exposures from", "可用于估计暴露的月份过少")
            problems.add(what, place, int(known.sum()), f"{2 * factors.shape[1]} or more")
            continue
        design = np.column_stack([np.ones(len(factors)), factors])
        fitted = np.linalg.lstsq(design, moves.to_numpy(dtype=float)[known], rcond=None)[0]
        left = moves.to_numpy(dtype=float)[known] - design @ fitted
        loading.loc[:, chosen] = fitted[1:, None]
        own = float(np.sqrt(left @ left / (len(left) - len(fitted)) * MONTHS))
        specific[chosen] = np.where(np.isnan(given[chosen]), own, given[chosen])


def _replace(inputs: Inputs, names: tuple[str, ...], loading: pd.DataFrame, problems: Problems) -> None:
    table = inputs.table("factor_exposures")
    if table is None:
        return
    rows = pd.Series(np.arange(len(inputs.assets))).groupby(inputs.assets["asset_id"].to_numpy()).indices
    for place, factor in enumerate(table["factor"]):
        if factor not in names:
            what, where = Text("no such factor", "没有该因子"), inputs.where("factor_exposures", place, "factor")
            problems.add(what, where, str(factor), ", ".join(names), did_you_mean(str(factor), names))
    for factor, given in table[table["factor"].isin(names)].groupby("factor"):
        for asset, value in zip(given["asset_id"], given["exposure"], strict=True):
            loading.loc[str(factor), rows[asset]] = float(value)
