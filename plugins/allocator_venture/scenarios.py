"""The scenario source ``technology``: venture funds simulated on the same paths as everything else.

Rows that are not simulated take their returns from a base of the user's own: the table ``scenarios``, the
history ``returns`` (every window of a year), or draws of the factor model. A path is one base scenario, each as
often as it is likely; the paths ranked by the return of the stock market give the market factor
M = Φ⁻¹((rank − ½) / S) that the exits of the venture funds depend on. So a path on which stocks fall is a path
of poor exits, and a CVaR over stocks, bonds and funds is of one world.

Behind another source in ``models.scenarios`` it joins that source's paths instead: rows that are simulated take
their returns from the technical parameters, M from the factor or column ``market`` of those paths, and bonds,
stocks and liabilities stay as they are there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import InputError, Problem, Problems, Text, Vector, did_you_mean
from allocator.plugin.tables import Inputs, column
from allocator.plugin.terms import Scenarios, ScenarioSpec, desmoothed
from allocator_venture.factors import factor_draws
from allocator_venture.risk import annual_returns
from allocator_venture.simulation import build_portfolio, simulate
from allocator_venture.technology import TechnologyOptions, TechnologyRows, technology_rows

__all__ = [
    "SCENARIOS",
    "TechnologyScenarioOptions",
    "joined_scenarios",
    "market_factor",
    "resampled",
    "technology_scenarios",
]


KEY = "models.scenarios"
Base = Literal["scenarios", "returns", "factors"]


class TechnologyScenarioOptions(TechnologyOptions):
    """``market``: the column of the base, or the factor, whose return is that of the stock market.

    ``base``: ``scenarios``, ``returns`` or ``factors``; omitted: the first of them that the fund names.
    ``desmooth``: columns of the history whose valuation lag is taken out first (appraised funds, property).
    """

    market: str
    base: Base | None = None
    desmooth: tuple[str, ...] = ()


def technology_scenarios(inputs: Inputs, options: TechnologyScenarioOptions) -> Scenarios:
    """Return joint annual returns of all rows (S, n), every path equally likely.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : TechnologyScenarioOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        When a row has neither technical parameters nor a column in the base, or the base names no such market.
    """
    rows = technology_rows(inputs, options.parameters(KEY))
    seed, paths = options.seed_of(inputs), options.paths
    base, probability = _base(inputs, options, seed)
    path = resampled(probability, paths)
    market = market_factor(_column(inputs, base, options.market)[path])
    returns = _given(inputs, base, rows)[path]
    if len(rows.funds):
        portfolio = build_portfolio(rows.funds, options.parameters(KEY))
        simulated = annual_returns(simulate(portfolio, paths, seed, market))
        returns[:, rows.row] = simulated[:, rows.fund]
    method = Text(
        f"{paths} paths: {len(rows.funds)} funds from technical parameters, the rest from {len(base)} base scenarios",
        f"{paths} 条路径：{len(rows.funds)} 只基金按技术参数模拟，其余取自 {len(base)} 个基准情景",
    )
    return Scenarios(returns, np.full(paths, 1.0 / paths), method)


def joined_scenarios(inputs: Inputs, options: TechnologyScenarioOptions, base: Scenarios) -> Scenarios:
    """Return the base's paths with the simulated funds on them; ``paths``, ``base`` and ``desmooth`` do not count.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : TechnologyScenarioOptions
        The keys of the fund file.
    base : Scenarios
        Paths of the markets, (S, n).

    Raises
    ------
    InputError
        When the base neither names the market among its factors nor holds an asset of that name.
    """
    rows = technology_rows(inputs, options.parameters(KEY))
    if not len(rows.funds):
        return base
    names = inputs.assets["asset_id"].to_numpy()
    drivers = {**dict(zip(names, base.returns.T, strict=True)), **base.factors}
    market = market_factor(_column(inputs, pd.DataFrame(drivers), options.market), base.probability)
    portfolio = build_portfolio(rows.funds, options.parameters(KEY))
    simulated = annual_returns(simulate(portfolio, len(market), options.seed_of(inputs), market))
    returns = base.returns.copy()
    returns[:, rows.row] = simulated[:, rows.fund]
    method = Text(
        f"{base.method.en}; {len(rows.funds)} funds from technical parameters on the same paths",
        f"{base.method.zh}；{len(rows.funds)} 只基金按技术参数在同一路径上模拟",
    )
    return replace(base, returns=returns, method=method)


def resampled(probability: Vector, paths: int) -> NDArray[np.int64]:
    """Return which base scenario each path is (paths,): each as often as it is likely, to within one.

    Parameters
    ----------
    probability : ndarray (S,)
        Of each base scenario; sums to one.
    paths : int
        How many are drawn.
    """
    edges = np.cumsum(probability) / probability.sum()
    return np.minimum(np.searchsorted(edges, (np.arange(paths) + 0.5) / paths), len(probability) - 1)


def market_factor(market: Vector, probability: Vector | None = None) -> Vector:
    """Return normal scores of the market's returns (S,): Φ⁻¹ of the middle of each path's place by rank.

    Equally likely paths, which None stands for, have Φ⁻¹((rank − ½) / S); ties go in order of appearance.

    Parameters
    ----------
    market : ndarray (S,)
        Returns of the market.
    probability : ndarray (S,) or None
        Of each path; None for equally likely ones.
    """
    from scipy import special  # its import is felt in every command

    likely = np.full(len(market), 1.0) if probability is None else probability
    order = np.argsort(market, kind="stable")
    place = np.empty(len(market))
    place[order] = np.cumsum(likely[order]) - 0.5 * likely[order]
    return np.asarray(special.ndtri(place / likely.sum()))


def _base(inputs: Inputs, options: TechnologyScenarioOptions, seed: int) -> tuple[pd.DataFrame, Vector]:
    """Return base scenarios, a column per asset or driver, and their probabilities."""
    needs: dict[Base, tuple[str, ...]] = {
        "scenarios": ("scenarios",),
        "returns": ("returns",),
        "factors": ("factor_exposures", "factor_covariance"),
    }
    has = {name: all(inputs.table(table) is not None for table in tables) for name, tables in needs.items()}
    chosen = options.base or next((name for name in needs if has[name]), None)
    if chosen is None or not has[chosen]:
        raise InputError(
            Problem(
                Text("the scenarios need a base for the rows that are not simulated", "未模拟的资产需要基准情景"),
                inputs.settings.where(f"{KEY}.base"),
                options.base,
                "inputs.scenarios, inputs.returns, or inputs.factor_exposures and inputs.factor_covariance",
            )
        )
    if chosen == "factors":
        frame = factor_draws(inputs, options.paths, seed)
        return frame, np.full(len(frame), 1.0)
    table = inputs.table(chosen)
    assert table is not None
    if chosen == "returns":
        frame = _yearly(inputs, _without_lag(inputs, table.drop(columns="date"), options.desmooth))
        return frame, np.full(len(frame), 1.0)
    likely = column(table, "probability") if "probability" in table else np.full(len(table), 1.0)
    return table.drop(columns=["scenario", "probability"], errors="ignore"), likely


def _without_lag(inputs: Inputs, returns: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the history with the lag of some columns taken out; it then starts one period later."""
    if not names:
        return returns
    problems = Problems()
    changed = returns.iloc[1:].copy()
    for name in names:
        try:
            changed[name] = desmoothed(_column(inputs, returns, name, "desmooth"))
        except ValueError as error:
            what = Text(f"no valuation lag can be taken out: {error}", "无法去平滑：序列过短、无波动或自相关为负")
            problems.add(what, inputs.settings.where(f"{KEY}.desmooth"), name)
    problems.raise_if_any()
    return changed


def _yearly(inputs: Inputs, returns: pd.DataFrame) -> pd.DataFrame:
    """Return compounded returns of every window of a year in the history."""
    periods = inputs.settings.fund.frequency
    if len(returns) < periods:
        raise InputError(
            Problem(
                Text("the history is shorter than a year", "历史收益率不足一年"),
                inputs.sources["returns"].file,
                f"{len(returns)}",
                f"at least {periods} rows",
                Text("fund.frequency is the number of periods a year", "fund.frequency 为每年期数"),
            )
        )
    grown = np.cumsum(np.log1p(returns.to_numpy(dtype=float)), axis=0)
    before = np.vstack([np.zeros(returns.shape[1]), grown])[: len(grown) - periods + 1]
    return pd.DataFrame(np.expm1(grown[periods - 1 :] - before), columns=returns.columns)


def _column(inputs: Inputs, base: pd.DataFrame, name: str, key: str = "market") -> Vector:
    if name not in base or base[name].isna().any():
        raise InputError(
            Problem(
                Text("the base has no complete column of that name", "基准情景中没有该列或该列不完整"),
                inputs.settings.where(f"{KEY}.{key}"),
                name,
                hint=did_you_mean(name, map(str, base.columns)),
            )
        )
    return base[name].to_numpy(dtype=float)


def _given(inputs: Inputs, base: pd.DataFrame, rows: TechnologyRows) -> Vector:
    """Return the base's returns by row (scenarios, n), zero where the row is simulated."""
    names = inputs.assets["asset_id"].to_numpy()
    simulated = np.zeros(len(names), dtype=bool)
    simulated[rows.row] = True
    full = set(base.columns[base.notna().all()])
    problems = Problems()
    for row in np.flatnonzero(~simulated & ~np.isin(names, list(full))):
        problems.add(
            Text("a row has no scenarios and no technical parameters", "该行既无基准情景，也无技术参数"),
            inputs.where("assets", int(row), "asset_id"),
            str(names[row]),
            hint=Text(
                "complete its column in the base, or give its fund technology_fields and a stage",
                "请在基准情景中补全该列，或在基金表中填写技术领域与投资阶段",
            ),
        )
    problems.raise_if_any()
    returns = np.zeros((len(base), len(names)))
    returns[:, ~simulated] = base[list(names[~simulated])].to_numpy(dtype=float)
    return returns


SCENARIOS = (
    ScenarioSpec(
        "technology",
        Text(
            "Venture funds simulated from technical parameters, joined to base scenarios",
            "按技术参数模拟的创投基金情景",
        ),
        TechnologyScenarioOptions,
        technology_scenarios,
        joined_scenarios,
    ),
)
