"""What the report says of the named factors: their risk, what the fund holds of each, and how assets hang on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from allocator.plugin import Text, validate_options
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator_markets.exposures import read_exposures
from allocator_markets.history import FACTORS, read_history
from allocator_markets.risk import MarketOptions, estimated_covariance

__all__ = ["SECTIONS", "factor_tables"]


def factor_tables(result: Result) -> Sequence[ReportTable]:
    """Return the factors and the exposures of a fund whose risk model is ``market``; nothing for others."""
    inputs = result.inputs
    given = inputs.settings.models.get("risk")
    name, options = (given, {}) if not isinstance(given, dict) else (given.get("name"), dict(given))
    if name != "market":
        return ()
    options.pop("name", None)
    chosen = validate_options(MarketOptions, options, inputs.settings, "models.risk")
    history = read_history(inputs, chosen.window, chosen.desmooth)
    exposures = read_exposures(inputs, history)
    covariance, method = estimated_covariance(inputs, history, chosen, "models.risk")
    volatility = np.sqrt(np.diag(covariance))
    total = result.model.space.total
    before, after = (exposures.loading @ held / total for held in (result.model.space.current, result.holdings))
    factors = pd.DataFrame({"factor": list(exposures.names), "volatility": volatility})
    for column, held in (("before", before), ("after", after)):
        factors[column] = held
        factors[f"share_{column}"] = _shares(held, covariance)
    spread = np.where(volatility > 0, volatility, 1.0)
    for place, other in enumerate(exposures.names):
        factors[f"with_{other}"] = covariance[:, place] / spread / spread[place]
    labels = {**FACTORS}
    headings = {
        "factor": Text("Factor", "因子"),
        "volatility": Text("Annual volatility", "年化波动率"),
        "before": Text("Exposure now", "当前暴露"),
        "after": Text("Exposure after the decision", "决策后暴露"),
        "share_before": Text("Share of factor variance now", "当前因子方差占比"),
        "share_after": Text("Share of factor variance after", "决策后因子方差占比"),
        **{f"with_{key}": Text(f"Correlation: {label.en}", f"相关系数：{label.zh}") for key, label in FACTORS.items()},
    }
    formats = {"volatility": "percent", "share_before": "percent", "share_after": "percent"}
    formats |= dict.fromkeys(("before", "after", *(f"with_{name}" for name in exposures.names)), "number")
    note = Text(
        f"{method.en}. Level, slope and curvature explain {history.curve_fit:.1%} of the yields' monthly moves. "
        "An exposure is the relative change of the fund per unit of the factor: −5 to the level loses 5% for 100 bp.",
        f"{method.zh}。水平、斜率与曲率解释收益率月度变动的 {history.curve_fit:.1%}。"
        "暴露为因子变动一单位时组合的相对变化：对水平因子暴露 −5 表示利率上行 100 个基点损失 5%。",
    )
    title = Text("Named factors of risk", "命名风险因子")
    rows = pd.concat(
        [
            inputs.assets[["asset_id", "account"]].reset_index(drop=True),
            pd.DataFrame(exposures.loading.T, columns=list(exposures.names)),
            pd.DataFrame({"specific": exposures.specific}),
        ],
        axis="columns",
    )
    names = {
        "asset_id": Text("Asset", "资产"),
        "account": Text("Account", "账户"),
        **FACTORS,
        "specific": Text("Volatility outside the factors", "因子以外的波动率"),
    }
    shown = {**dict.fromkeys(exposures.names, "number"), "specific": "percent"}
    return (
        ReportTable("factors", title, factors, headings, formats, note, {"factor": labels}, saved=True),
        ReportTable("factor_loadings", Text("Exposures by asset", "各资产因子暴露"), rows, names, shown, saved=True),
    )


def _shares(held: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return b ∘ Ωb / b′Ωb: they add up to one, a hedge counts negative."""
    variance = float(held @ covariance @ held)
    return held * (covariance @ held) / variance if variance > 0 else np.zeros(len(held))


SECTIONS = (ReportSectionSpec("factors", Text("Named factors", "命名因子"), factor_tables),)
