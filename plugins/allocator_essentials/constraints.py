"""Plain limits that need no rule book: a floor on return, a ceiling on risk or turnover, shares of a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from allocator.errors import InputError, Problem, did_you_mean
from allocator.model import ConstraintSpec, Linear, Mode, ModelContext, Sense, Term, TradeCost
from allocator.settings import Number, Section
from allocator.types import Certainty, Source, Text
from allocator_essentials.objectives import variance_of

__all__ = ["CONSTRAINTS"]

USER = Source("user", certainty=Certainty.USER)


class LimitOptions(Section):
    """Keys every limit shares.

    ``mode`` hard, soft or monitor; ``price`` of a soft limit, annual return given up per unit shown of
    breach; ``priority``: lower gives way first.
    """

    mode: Mode = Mode.HARD
    price: Annotated[Number, Field(ge=0)] = 0.0
    priority: int = 0


class ReturnFloorOptions(LimitOptions):
    """``min``: lowest expected return, annual decimal."""

    min: Number


class CeilingOptions(LimitOptions):
    """``max``: highest value."""

    max: Annotated[Number, Field(ge=0)]


class GroupOptions(LimitOptions):
    """``column`` and ``values`` choose rows; ``min`` and ``max`` bound their share of Σ current."""

    column: str
    values: tuple[str, ...]
    min: Number | None = None
    max: Number | None = None


def expected_return_floor(context: ModelContext, options: ReturnFloorOptions) -> Sequence[Term]:
    """μ′w ≥ min."""
    left = Linear.of(context.expected_return / context.space.total)
    label = Text("Expected return at least", "预期收益率不低于")
    return (_term("expected_return", label, left, Sense.AT_LEAST, options.min, "annual decimal", options),)


def volatility_ceiling(context: ModelContext, options: CeilingOptions) -> Sequence[Term]:
    """w′Σw ≤ max²: the volatility's square, since a square is what both sides are exact in."""
    label = Text("Variance of return at most", "收益率方差不高于")
    return (_term("volatility", label, variance_of(context), Sense.AT_MOST, options.max**2, "variance", options),)


def turnover_ceiling(context: ModelContext, options: CeilingOptions) -> Sequence[Term]:
    """½ Σ |trade| / Σ current ≤ max, over the funded rows."""
    half = np.where(context.space.funded, 0.5 / context.space.total, 0.0)
    left = TradeCost(half, half, np.zeros(context.space.size), context.space.current)
    label = Text("Turnover at most", "换手率不高于")
    return (_term("turnover", label, left, Sense.AT_MOST, options.max, "share", options),)


def group_share(context: ModelContext, options: GroupOptions) -> Sequence[Term]:
    """min ≤ Σ amount of the group / Σ current ≤ max."""
    assets = context.inputs.assets
    if options.column not in assets.columns:
        raise InputError(
            Problem(
                Text("no such column in assets.csv", "assets.csv 中没有该列"),
                context.inputs.settings.where("constraints"),
                options.column,
                hint=did_you_mean(options.column, map(str, assets.columns)),
            )
        )
    chosen = assets[options.column].astype(str).isin(options.values).to_numpy()
    left = Linear.of(np.where(chosen & context.space.funded, 1.0 / context.space.total, 0.0))
    name = f"group_share:{options.column}={'|'.join(options.values)}"
    label = Text(
        f"Share of {options.column} {', '.join(options.values)}",
        f"{options.column} 为 {'、'.join(options.values)} 的占比",
    )
    terms = []
    if options.min is not None:
        terms.append(_term(f"{name}:min", label, left, Sense.AT_LEAST, options.min, "share", options))
    if options.max is not None:
        terms.append(_term(f"{name}:max", label, left, Sense.AT_MOST, options.max, "share", options))
    return terms


def _term(name: str, label: Text, left: Any, sense: Sense, right: float, unit: str, options: LimitOptions) -> Term:
    return Term(
        name,
        label,
        left,
        sense,
        np.array([right]),
        np.ones(1),
        unit,
        USER,
        options.mode,
        options.price,
        priority=options.priority,
    )


CONSTRAINTS = (
    ConstraintSpec(
        "expected_return", Text("Floor on expected return", "预期收益率下限"), ReturnFloorOptions, expected_return_floor
    ),
    ConstraintSpec("volatility", Text("Ceiling on volatility", "波动率上限"), CeilingOptions, volatility_ceiling),
    ConstraintSpec("turnover", Text("Ceiling on turnover", "换手率上限"), CeilingOptions, turnover_ceiling),
    ConstraintSpec("group_share", Text("Share of a group of rows", "某类资产占比"), GroupOptions, group_share),
)
