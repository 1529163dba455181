"""The risk model ``market``: named factors estimated from history, F = Ω^½ B and what is left to each asset."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from allocator.plugin import Number, Section, Text, Vector
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import Risk, RiskModelSpec, factor_risk
from allocator_markets.covariance import exponential, shrunk
from allocator_markets.exposures import Exposures, read_exposures
from allocator_markets.history import FactorHistory, read_history

__all__ = ["RISK_MODELS", "Estimator", "MarketOptions", "estimated_covariance", "market_risk"]


class Estimator(StrEnum):
    """How the factors' covariance is estimated."""

    EXPONENTIAL = "exponential"
    LEDOIT_WOLF = "ledoit_wolf"


class MarketOptions(Section):
    """Keys of whatever is estimated from ``market_history``.

    ``estimator``: exponential weights (with ``half_life``, months), or Ledoit and Wolf's shrinkage; ``window``:
    last monthly changes used, omitted: all; ``desmooth``: indices of the history that are appraised, whose valuation
    lag is taken out first.
    """

    estimator: Estimator = Estimator.EXPONENTIAL
    half_life: Annotated[Number, Field(gt=0)] = 36.0
    window: Annotated[int, Field(ge=24)] | None = None
    desmooth: tuple[str, ...] = ()


def estimated_covariance(
    inputs: Inputs, history: FactorHistory, options: MarketOptions, key: str
) -> tuple[Vector, Text]:
    """Return the annual factor covariance (k, k) and how it was estimated; ``key`` names the place in messages.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    history : FactorHistory
        The factors.
    options : MarketOptions
        The keys of the fund file.
    key : str
        Place in the fund file, for messages.
    """
    months, factors = history.changes.shape
    if options.estimator is Estimator.LEDOIT_WOLF:
        covariance, shrinkage = shrunk(history.changes, inputs.settings.where(f"{key}.estimator"))
        method = Text(
            f"{factors} factors, {months} months, correlations shrunk by {shrinkage:.0%} (Ledoit and Wolf, 2004)",
            f"{factors} 个因子、{months} 个月，相关系数收缩 {shrinkage:.0%}（Ledoit 与 Wolf，2004）",
        )
        return covariance, method
    method = Text(
        f"{factors} factors, {months} months, exponential weights with a half-life of {options.half_life:g} months",
        f"{factors} 个因子、{months} 个月，指数加权，半衰期 {options.half_life:g} 个月",
    )
    return exponential(history.changes, options.half_life), method


def market_risk(inputs: Inputs, options: MarketOptions) -> Risk:
    """Return B′ΩB + diag(s²) with the factors' names; an asset in two accounts moves as one.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : MarketOptions
        The keys of the fund file.
    """
    history = read_history(inputs, options.window, options.desmooth)
    exposures: Exposures = read_exposures(inputs, history)
    covariance, method = estimated_covariance(inputs, history, options, "models.risk")
    asset = inputs.assets["asset_id"].to_numpy(dtype=str)
    return factor_risk(asset, exposures.names, exposures.loading, covariance, exposures.specific, method)


RISK_MODELS = (
    RiskModelSpec(
        "market",
        Text("Named factors estimated from the history of the market", "由市场历史估计的命名因子模型"),
        MarketOptions,
        market_risk,
    ),
)
