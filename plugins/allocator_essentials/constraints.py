"""Plain limits that need no rule book: a floor on return, a ceiling on risk, a ceiling on turnover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.model import ConstraintSpec, Expression, Linear, ModelContext, Sense, Term, TradeCost
from allocator.model.limits import LimitOptions, bound
from allocator.settings import Number
from allocator.types import Certainty, Source, Text
from allocator_essentials.objectives import variance_of

__all__ = ["CONSTRAINTS"]

USER = Source("user", certainty=Certainty.USER)


class FloorOptions(LimitOptions):
    """``min``: lowest value."""

    min: Number


class CeilingOptions(LimitOptions):
    """``max``: highest value."""

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
    """½ Σ |trade| / Σ current ≤ max, over the funded rows."""
    half = np.where(context.space.funded, 0.5 / context.space.total, 0.0)
    left = TradeCost(half, half, np.zeros(context.space.size), context.space.current)
    return (bound(_term("turnover", left, Sense.AT_MOST, options.max, "share"), options, context.space.current),)


LABELS = {
    "expected_return": Text("Expected return at least", "预期收益率不低于"),
    "volatility": Text("Variance of return at most", "收益率方差不高于"),
    "turnover": Text("Turnover at most", "换手率不高于"),
}


def _term(name: str, left: Expression, sense: Sense, right: float, unit: str) -> Term:
    return Term(name, LABELS[name], left, sense, np.array([right]), np.ones(1), unit, USER)


CONSTRAINTS = (
    ConstraintSpec("expected_return", LABELS["expected_return"], FloorOptions, expected_return_floor),
    ConstraintSpec("volatility", LABELS["volatility"], CeilingOptions, volatility_ceiling),
    ConstraintSpec("turnover", LABELS["turnover"], CeilingOptions, turnover_ceiling),
)
