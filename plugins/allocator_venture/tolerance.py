"""Fault tolerance: what the venture sleeve as a whole may lose over the life of its funds.

With X the multiple that fund i pays back per CNY paid in, drawn jointly for all funds, and mᵢ the CNY paid in per CNY
of the row's amount (what is held and uncalled, or newly committed, whichever is more),

    loss of the sleeve on a path = Σ mᵢ (1 − Xᵢ) xᵢ,     CVaR of that loss ≤ special risk reserve.

The gain of one fund stands against the loss of another, and an early year against a late one: what is assessed is the
portfolio over its years, not one project or one year.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from allocator.plugin import Number, Problems, Text
from allocator.plugin.rules import USER
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import (
    Blank,
    ConditionalValueAtRisk,
    ConstraintSpec,
    LimitOptions,
    ModelContext,
    Sense,
    Term,
    bound,
    percent,
)
from allocator_venture.commitments import RULES
from allocator_venture.funds import fund_rows
from allocator_venture.simulation import build_portfolio, simulate
from allocator_venture.technology import TechnologyOptions, TechnologyRows, technology_rows

__all__ = ["TOLERANCES", "ToleranceOptions", "venture_fault_tolerance"]

RULE = "venture_fault_tolerance"
YEARS = 10


class ToleranceOptions(LimitOptions, TechnologyOptions):
    """``reserve``: the special risk reserve, in ``fund.unit``; ``confidence`` of the CVaR (omitted: the rule book's);
    ``blank``: what a venture fund without fields and stage does: ``error``, or ``skip`` (it is then not assessed).
    """

    reserve: Annotated[Number, Field(ge=0)]
    confidence: Annotated[Number, Field(gt=0, lt=1)] | None = None
    blank: Blank = Blank.ERROR
    paths: Annotated[int, Field(ge=100, le=1_000_000)] = 1000


def venture_fault_tolerance(context: ModelContext, options: ToleranceOptions) -> Sequence[Term]:
    """CVaR of the sleeve's loss over the life of its funds ≤ reserve.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    options : ToleranceOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        For a venture fund that cannot be simulated, unless ``blank`` is ``skip``.
    """
    inputs = context.inputs
    parameters = options.parameters(f"constraints.{RULE}")
    rows = technology_rows(inputs, parameters)
    if options.blank is Blank.ERROR:
        _require(inputs, rows)
    if not rows.funds:
        return ()
    multiple = simulate(build_portfolio(rows.funds, parameters), options.paths, options.seed_of(inputs)).multiple
    gain = (multiple[:, rows.fund] - 1.0) * _paid_in(inputs)[rows.row]
    place = (np.repeat(np.arange(options.paths), len(rows.row)), np.tile(rows.row, options.paths))
    whole = sparse.csr_array((gain.ravel(), place), shape=(options.paths, context.space.size))
    confidence = RULES.at("reserve.confidence", inputs.as_of).or_user(options.confidence).number
    label = Text(
        f"Loss of the venture sleeve over its life (CVaR {percent(confidence)}) within the special risk reserve.",
        f"创投组合全期损失（CVaR {percent(confidence)}）不得超过专项风险准备。",
    )
    probability = np.full(options.paths, 1.0 / options.paths)
    term = Term(
        RULE,
        label,
        ConditionalValueAtRisk(whole, probability, confidence),
        Sense.AT_MOST,
        np.array([options.reserve * inputs.unit]),
        np.array([context.space.total]),
        "share of the portfolio",
        USER,
    )
    return (bound(term, options, context.space.current),)


def _paid_in(inputs: Inputs) -> NDArray[np.float64]:
    """Return mᵢ of every row (n,); 0 for rows that are no funds."""
    funds = fund_rows(inputs, YEARS)
    held = np.where(funds.current > 0, funds.current, 1.0)
    per_held = np.where(funds.current > 0, (funds.current + funds.uncalled) / held, 0.0)
    paid = np.zeros(len(inputs.assets))
    paid[funds.row] = np.maximum(per_held, funds.commitment_per_cny)
    return paid


def _require(inputs: Inputs, rows: TechnologyRows) -> None:
    venture = inputs.assets["kind"].isin(RULES.at("venture.kinds", inputs.as_of).names).to_numpy(dtype=bool)
    problems = Problems()
    for row in np.setdiff1d(np.flatnonzero(venture), rows.row):
        problems.add(
            Text(
                "the fund's losses cannot be simulated without fields and stage", "缺少技术领域与投资阶段，无法模拟损失"
            ),
            inputs.where("assets", int(row), "asset_id"),
            str(inputs.assets["asset_id"].iloc[row]),
            hint=Text(
                "fill technology_fields and stage in the table of funds, or set blank: skip",
                "请在基金表中填写技术领域与投资阶段，或设置 blank: skip",
            ),
        )
    problems.raise_if_any()


TOLERANCES = (
    ConstraintSpec(RULE, Text("Venture fault tolerance", "创投容错机制"), ToleranceOptions, venture_fault_tolerance),
)
