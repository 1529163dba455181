"""Plain limits that need no rule book: a floor on return, a ceiling on risk, a ceiling on turnover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import Certainty, Number, Section, Source, Text
from allocator.plugin.terms import (
    CapitalLimit,
    ConstraintSpec,
    Expression,
    LimitOptions,
    Linear,
    ModelContext,
    Sense,
    Term,
    TradeCost,
    bound,
)
from allocator_essentials.objectives import tail_of, variance_of

__all__ = ["CONSTRAINTS"]

USER = Source("user", certainty=Certainty.USER)


class FloorOptions(LimitOptions):
    """``min``: lowest value."""

    min: Number


class CeilingOptions(LimitOptions):
    """``max``: highest value."""

    max: Annotated[Number, Field(ge=0)]


class TailCeilingOptions(CeilingOptions):
    """``max``: highest mean loss, a share; ``confidence``: 95% looks at the worst 5% of the scenarios."""

    max: Number
    confidence: Annotated[Number, Field(gt=0, lt=1)] = 0.95


class ModuleOptions(Section):
    """``module``: a risk module by its name in capital.csv; ``max``: its greatest amount, in ``fund.unit``."""

    module: str
    max: Annotated[Number, Field(ge=0)]


def expected_return_floor(context: ModelContext, options: FloorOptions) -> Sequence[Term]:
    """μ′w ≥ min."""
    left = Linear.of(context.expected_return / context.space.total)
    term = _term("expected_return", left, Sense.AT_LEAST, options.min, "annual decimal")
    return (bound(term, options, context.space.current),)


def volatility_ceiling(context: ModelContext, options: CeilingOptions) -> Sequence[Term]:
    """w′Σw ≤ max²: the volatility's square, since a square is what both sides are exact in."""
    term = _term("volatility", variance_of(context), Sense.AT_MOST, options.max**2, "variance")
    return (bound(term, options, context.space.current),)


def turnover_ceiling(context: ModelContext, options: CeilingOptions) -> Sequence[Term]:
    """½ Σ |trade| / Σ target ≤ max, over the funded rows."""
    space = context.space
    half = np.where(space.funded, 0.5 / space.total, 0.0)
    left = TradeCost(half, half, np.zeros(space.size), space.current, space.lower, space.upper)
    return (bound(_term("turnover", left, Sense.AT_MOST, options.max, "share"), options, space.current),)


def module_ceiling(context: ModelContext, options: ModuleOptions) -> Sequence[CapitalLimit]:
    """Module of the capital tree ≤ max, by its exact amount."""
    label = Text(f"Capital ceiling of {options.module}", f"{options.module} 资本上限")
    most = options.max * context.inputs.unit
    return (CapitalLimit(f"capital_module:{options.module}", label, options.module, 1.0, most, 0.0),)


def cvar_ceiling(context: ModelContext, options: TailCeilingOptions) -> Sequence[Term]:
    """Mean loss of the worst 1 − confidence of the scenarios ≤ max."""
    term = _term("cvar", tail_of(context, options.confidence), Sense.AT_MOST, options.max, "share")
    return (bound(term, options, context.space.current),)


LABELS = {
    "expected_return": Text("Expected return floor", "预期收益率下限"),
    "volatility": Text("Variance ceiling", "收益率方差上限"),
    "turnover": Text("Turnover ceiling", "单边换手率上限"),
    "cvar": Text("Ceiling of the worst scenarios' mean loss", "最差情景平均损失上限"),
}


def _term(name: str, left: Expression, sense: Sense, right: float, unit: str) -> Term:
    return Term(name, LABELS[name], left, sense, np.array([right]), np.ones(1), unit, USER)


CONSTRAINTS = (
    ConstraintSpec("expected_return", LABELS["expected_return"], FloorOptions, expected_return_floor),
    ConstraintSpec("volatility", LABELS["volatility"], CeilingOptions, volatility_ceiling),
    ConstraintSpec("turnover", LABELS["turnover"], CeilingOptions, turnover_ceiling),
    ConstraintSpec("cvar", LABELS["cvar"], TailCeilingOptions, cvar_ceiling),
    ConstraintSpec(
        "capital_module",
        Text("Capital ceiling of one risk module", "某一风险模块资本上限"),
        ModuleOptions,
        module_ceiling,
    ),
)
