"""The scenario source ``market``: one set of paths for bonds, stocks, funds and liabilities.

On each path the factors f are drawn jointly: normal with the estimated covariance, or twelve months of the history
drawn with replacement, as they came together. With x the log move of a row (`allocator_markets.exposures`) and
its own draw added,

    1 + r = (1 + μ) e^x / E[e^x],

so that returns lie above −100% and average to the expected return, whatever the curvature. Liabilities are
revalued on the same curve moves; their own μ is the yield that discounts them to their present value.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import linalg

from allocator.plugin import InputError, Problem, Problems, Text, Vector
from allocator.plugin.cash_flows import DAYS_IN_YEAR, CashFlows, spot_curve, years_ahead, yields
from allocator.plugin.tables import Inputs, column
from allocator.plugin.terms import Scenarios, ScenarioSpec
from allocator_markets.exposures import curve_moves, read_exposures
from allocator_markets.history import CURVE_FACTORS, MONTHS, RULES, FactorHistory, read_history
from allocator_markets.risk import MarketOptions, estimated_covariance

__all__ = ["SCENARIOS", "Draws", "MarketScenarioOptions", "factor_draws", "liability_growth", "market_scenarios"]


KEY = "models.scenarios"
_REACH = (1.0, 20.0)
"""Tenors the curve of the liabilities must reach; beyond its last one it is flat."""


class Draws(StrEnum):
    """Where a year of the factors comes from."""

    NORMAL = "normal"
    HISTORY = "history"


class MarketScenarioOptions(MarketOptions):
    """``paths`` drawn; ``seed`` (omitted: ``solve.seed``); ``draws``: normal, or months of the history."""

    paths: Annotated[int, Field(ge=100, le=1_000_000)] = 2000
    seed: Annotated[int, Field(ge=0)] | None = None
    draws: Draws = Draws.NORMAL


def market_scenarios(inputs: Inputs, options: MarketScenarioOptions) -> Scenarios:
    """Return joint annual returns of all rows (S, n), of the liabilities (S,), and the factors behind them.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : MarketScenarioOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        When the history or what the exposures need is missing.
    """
    history = read_history(inputs, options.window, options.desmooth)
    exposures = read_exposures(inputs, history)
    covariance, method = estimated_covariance(inputs, history, options, KEY)
    expected = column(inputs.assets, "expected_return")
    seed = inputs.settings.solve.seed if options.seed is None else options.seed
    rng = np.random.default_rng(seed)
    factors = factor_draws(history, covariance, options, rng)
    asset, row = np.unique(inputs.assets["asset_id"].to_numpy(dtype=str), return_inverse=True)
    own = rng.standard_normal((options.paths, len(asset)))[:, row] * exposures.specific
    curve = factors[:, : len(CURVE_FACTORS)]
    moves = factors @ exposures.loading + _bent(curve, exposures.convexity) + own
    liabilities = liability_growth(inputs, curve)
    return Scenarios(
        _around(expected, moves),
        np.full(options.paths, 1.0 / options.paths),
        Text(f"{options.paths} paths: {method.en}", f"{options.paths} 条路径：{method.zh}"),
        liabilities,
        {name: factors[:, place] for place, name in enumerate(exposures.names)},
    )


def factor_draws(
    history: FactorHistory, covariance: Vector, options: MarketScenarioOptions, rng: np.random.Generator
) -> Vector:
    """Return annual changes of the factors (S, k), their mean zero.

    Parameters
    ----------
    history : FactorHistory
        The factors.
    covariance : ndarray (k, k)
        Annual, of their changes.
    options : MarketScenarioOptions
        How many paths, and how they are drawn.
    rng : numpy.random.Generator
        Seeded.
    """
    changes = history.changes.to_numpy(dtype=float)
    if options.draws is Draws.HISTORY:
        months = rng.integers(len(changes), size=(options.paths, MONTHS))
        return np.asarray((changes - changes.mean(axis=0))[months].sum(axis=1))
    values, vectors = linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((options.paths, len(values))) @ root.T)


def liability_growth(inputs: Inputs, curve: Vector) -> Vector | None:
    """Return the liabilities' growth on each path (S,) of curve moves (S, 3); None without liabilities or a curve.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    curve : ndarray (S, 3)
        Moves of level, slope and curvature on each path, decimals.

    Raises
    ------
    InputError
        When the liabilities are worth nothing or less.
    """
    table, given = inputs.table("liabilities"), inputs.table("curve")
    if table is None or given is None:
        return None
    problems = Problems()
    spot = spot_curve(given, *_REACH, inputs.sources["curve"].file, problems)
    problems.raise_if_any()
    assert spot is not None
    time, net = _payments(inputs, table)
    value = float(net @ spot.discount(time))
    if value <= 0.0:
        what = Text("the liabilities' present value is not positive", "负债现值不为正")
        raise InputError(Problem(what, inputs.sources["liabilities"].file, f"{value:.6g}", "> 0"))
    day = np.round(time * DAYS_IN_YEAR).astype(np.int64)
    whose = np.zeros(len(day), dtype=np.int64)
    expected = yields(CashFlows(1, whose, day, net / value, np.zeros(len(day))))
    decay = RULES.at("curve.decay", inputs.as_of).number
    first, second = curve_moves(whose, time, net * spot.discount(time) / value, spot.rate(time), 1, decay)
    moves = curve @ first + _bent(curve, second)
    return np.asarray(_around(expected, moves)[:, 0])


def _payments(inputs: Inputs, table: pd.DataFrame) -> tuple[Vector, Vector]:
    time = column(table, "year")
    if "date" in table:
        days = table["date"].to_numpy().astype("datetime64[D]") - np.datetime64(inputs.as_of, "D")
        time = np.where(np.isnat(days), time, years_ahead(inputs, days / np.timedelta64(1, "D")))
    net = np.nan_to_num(column(table, "outflow")) - np.nan_to_num(column(table, "inflow"))
    ahead = time > 0
    return time[ahead], net[ahead]


def _bent(curve: Vector, convexity: Vector) -> Vector:
    """Return f′ C f of each path and row (S, n)."""
    bent = np.zeros((len(curve), convexity.shape[2]))
    for i in range(len(CURVE_FACTORS)):
        for j in range(i + 1):
            bent += np.outer(curve[:, i] * curve[:, j], convexity[i, j] * (1.0 if i == j else 2.0))
    return bent


def _around(expected: Vector, moves: Vector) -> Vector:
    grown = np.exp(moves)
    return np.asarray((1.0 + expected) * grown / grown.mean(axis=0) - 1.0)


SCENARIOS = (
    ScenarioSpec(
        "market",
        Text("Joint paths of assets and liabilities from market factors", "由市场因子生成的资产负债联合情景"),
        MarketScenarioOptions,
        market_scenarios,
    ),
)
