"""What a fund may maximize or minimize. Weights are w = x / Σ target, so figures are annual decimals."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import Number, Section, Text
from allocator.plugin.terms import (
    ConditionalValueAtRisk,
    Linear,
    ModelContext,
    Objective,
    ObjectiveSpec,
    ObjectiveTerm,
    Quadratic,
    RobustReturn,
)
from allocator_essentials.surplus import SurplusOptions, surplus_variance_of
from allocator_essentials.uncertainty import RobustOptions, errors_by_asset, return_uncertainty

__all__ = ["OBJECTIVES", "tail_of", "variance_of"]

RETURN = Text("Expected return", "预期收益率")


class NoOptions(Section):
    """No keys."""


class TailOptions(Section):
    """``confidence``: 95% takes the mean of the worst 5% of the scenarios."""

    confidence: Annotated[Number, Field(gt=0, lt=1)] = 0.95


class ModuleOptions(Section):
    """``module``: the risk module whose capital counts; omitted: minimum capital."""

    module: str | None = None


def variance_of(context: ModelContext) -> Quadratic:
    """Return w′Σw as a function of the amounts: ‖F x / T‖² + Σ d (x / T)², T = Σ target."""
    total = context.space.total
    return Quadratic(context.risk.factors / total, context.risk.specific / total**2)


def tail_of(context: ModelContext, confidence: float) -> ConditionalValueAtRisk:
    """Return the mean loss of the worst 1 − confidence of the scenarios, a share of Σ target.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    confidence : float
        α in (0, 1).
    """
    scenarios = context.scenarios
    return ConditionalValueAtRisk(scenarios.returns / context.space.total, scenarios.probability, confidence)


def expected_return(context: ModelContext, options: NoOptions) -> Objective:
    """Maximize μ′w."""
    slope = Linear.of(context.expected_return / context.space.total)
    return Objective((ObjectiveTerm("expected_return", RETURN, slope, per_yield=1.0),))


def robust_expected_return(context: ModelContext, options: RobustOptions) -> Objective:
    """Maximize the least μ′w over the stated uncertainty: μ′w − b δ′|w| − κ ‖E w‖.

    δ is each row's `return_uncertainty`, E holds it once for each asset: the same asset in two accounts is
    wrong by the same amount. Rows that cannot be negative have w itself in place of |w|.
    """
    space = context.space
    uncertainty = return_uncertainty(context.inputs, options)
    long = space.lower >= 0.0
    box = options.box * uncertainty
    sure = (context.expected_return - np.where(long, box, 0.0)) / space.total
    errors = options.ellipsoid * errors_by_asset(space.asset_id, uncertainty) / space.total
    part = RobustReturn(sure, np.where(long, 0.0, box) / space.total, errors if options.ellipsoid else errors[:0])
    label = Text("Least expected return over its uncertainty", "不确定集合内的最低预期收益率")
    return Objective((ObjectiveTerm("robust_expected_return", label, part, per_yield=1.0),))


def variance(context: ModelContext, options: NoOptions) -> Objective:
    """Minimize w′Σw."""
    return Objective((ObjectiveTerm("variance", Text("Variance of return", "收益率方差"), variance_of(context), -1.0),))


def surplus_variance(context: ModelContext, options: SurplusOptions) -> Objective:
    """Minimize the variance of assets' return less liabilities' growth, over Σ target."""
    label = Text("Variance of assets less liabilities", "资产减负债的方差")
    return Objective((ObjectiveTerm("surplus_variance", label, surplus_variance_of(context, options), -1.0),))


def cvar(context: ModelContext, options: TailOptions) -> Objective:
    """Minimize the mean loss of the worst scenarios."""
    label = Text(
        f"Mean loss of the worst {1 - options.confidence:.4g} of the scenarios",
        f"最差 {1 - options.confidence:.4g} 情景的平均损失",
    )
    return Objective((ObjectiveTerm("cvar", label, tail_of(context, options.confidence), -1.0),))


def capital(context: ModelContext, options: ModuleOptions) -> Objective:
    """Minimize the capital of one module, CNY; minimum capital when none is named."""
    return Objective(capital_weight=1.0, capital_module=options.module or "")


def return_on_capital(context: ModelContext, options: ModuleOptions) -> Objective:
    """Maximize μ′x / capital: what a year earns on the capital it ties up."""
    slope = Linear.of(context.expected_return)
    part = ObjectiveTerm("expected_return", RETURN, slope, unit="CNY a year", per_yield=context.space.total)
    return Objective((part,), per_capital=True, capital_module=options.module or "")


OBJECTIVES = (
    ObjectiveSpec("expected_return", RETURN, "maximize", NoOptions, expected_return),
    ObjectiveSpec(
        "robust_expected_return",
        Text("Least expected return over its uncertainty", "稳健预期收益率（不确定集合内最低）"),
        "maximize",
        RobustOptions,
        robust_expected_return,
    ),
    ObjectiveSpec(
        "return_on_capital", Text("Return on capital", "资本收益率"), "maximize", ModuleOptions, return_on_capital
    ),
    ObjectiveSpec("variance", Text("Variance of return", "收益率方差"), "minimize", NoOptions, variance),
    ObjectiveSpec(
        "surplus_variance",
        Text("Variance of assets less liabilities", "资产减负债的方差"),
        "minimize",
        SurplusOptions,
        surplus_variance,
    ),
    ObjectiveSpec(
        "cvar",
        Text("Mean loss of the worst scenarios (CVaR)", "最差情景平均损失（CVaR）"),
        "minimize",
        TailOptions,
        cvar,
    ),
    ObjectiveSpec(
        "capital",
        Text("Minimum capital, or one module of it", "最低资本或其中某一模块"),
        "minimize",
        ModuleOptions,
        capital,
    ),
)
