"""The house's limit: the rated holdings are worth a certain ESG score on average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import Certainty, InputError, Number, Problem, Source, Text
from allocator.plugin.terms import ConstraintSpec, LimitOptions, Linear, ModelContext, Sense, Term, bound

__all__ = ["CONSTRAINTS"]

LABEL = Text("Average ESG score of the rated holdings, above the floor", "已评级持仓 ESG 平均分与下限之差")


class FloorOptions(LimitOptions):
    """``min``: lowest average score of the holdings that have one, 0 to 100."""

    min: Annotated[Number, Field(ge=0, le=100, examples=[30])]


def build(context: ModelContext, options: FloorOptions) -> Sequence[Term]:
    """Σ sᵢ xᵢ ≥ min · Σ xᵢ over the rated rows, both sides moved left so that it stays linear: Σ (sᵢ − min) xᵢ ≥ 0.

    Raises
    ------
    InputError
        When no row has a score.
    """
    scores = context.inputs.assets["esg_score"].to_numpy(dtype=float)
    rated = ~np.isnan(scores) & context.space.funded
    if not rated.any():
        raise InputError(
            Problem(
                Text("no holding has an ESG score", "没有任何持仓填写 ESG 评分"),
                context.inputs.where("assets", 0, "esg_score"),
                hint=Text("fill in the column esg_score", "请填写 esg_score 列"),
            )
        )
    term = Term(
        "esg_floor",
        LABEL,
        Linear.of(np.where(rated, scores - options.min, 0.0)),
        Sense.AT_LEAST,
        np.zeros(1),
        np.array([context.space.total]),
        "score",
        Source("user", certainty=Certainty.USER),
    )
    return (bound(term, options, context.space.current),)


CONSTRAINTS = (ConstraintSpec("esg_floor", LABEL, FloorOptions, build),)
