"""A guard beside the tilts: no issuer, no field takes more than its share of what the tilts steer.

With s the score of a tilt and sₚ(g) the part of it that lies in group g (an issuer, a field), both by row,

    Σ s(g)ᵢ xᵢ ≤ max · Σ sᵢ xᵢ     for every group g,

which is linear in the holdings. Products are opened as far as the tilt's own score opens them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from allocator.plugin import InputError, Number, Problem, Text, did_you_mean
from allocator.plugin.rules import USER
from allocator.plugin.terms import (
    ConstraintSpec,
    LimitOptions,
    Linear,
    ModelContext,
    PartScore,
    Sense,
    Term,
    bound,
    percent,
)
from allocator.plugin.terms import place as place_of

__all__ = ["CONCENTRATION", "ConcentrationOptions", "tilt_concentration"]

RULE = "tilt_concentration"


class ConcentrationOptions(LimitOptions):
    """``max``: largest share of a tilt's amount in one group; ``by``: ``issuer``, or ``field``: the columns
    ``strategic_class`` and ``future_fields`` of issuers.csv (an issuer of several fields counts fully in each);
    ``tilts``: which tilts, each for itself; omitted: all that the fund file names.
    """

    max: Annotated[Number, Field(gt=0, le=1)]
    by: Literal["issuer", "field"] = "issuer"
    tilts: tuple[str, ...] = ()


def tilt_concentration(context: ModelContext, options: ConcentrationOptions) -> Sequence[Term]:
    """Σ of one group ≤ max × Σ of the tilt, one row per group; what names no group counts in the whole alone.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    options : ConcentrationOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        For a tilt that the fund file does not name.
    """
    scores = context.tilt_scores
    for name in options.tilts:
        if name not in scores:
            raise InputError(
                Problem(
                    Text("no such tilt under tilts:", "tilts 中没有该倾斜"),
                    place_of(context, RULE, "tilts"),
                    name,
                    ", ".join(scores) or None,
                    did_you_mean(name, scores),
                )
            )
    terms = (_term(context, name, scores[name], options) for name in options.tilts or scores)
    return tuple(bound(term, options, context.space.current) for term in terms if term is not None)


def _term(context: ModelContext, name: str, score: PartScore, options: ConcentrationOptions) -> Term | None:
    space, parts = context.space, score.contents
    members = list(_members(score, options.by))
    if not members:
        return None
    place = np.array([part for part, _ in members])
    codes, groups = pd.factorize(np.array([group for _, group in members], dtype=object))
    weight = (parts.share * score.values)[place] * space.funded[parts.row[place]]
    inside = sparse.csr_array((weight, (codes, parts.row[place])), shape=(len(groups), space.size))
    whole = sparse.csr_array(np.where(space.funded, score.by_row, 0.0)[None, :])
    left = inside - options.max * sparse.csr_array(sparse.vstack([whole] * len(groups)))
    what = Text("issuer", "发行人") if options.by == "issuer" else Text("field", "领域")
    label = Text(
        f"At most {percent(options.max)} of what {name} steers lies in one {what.en}.",
        f"{name} 倾斜金额中单一{what.zh}占比不得超过{percent(options.max)}。",
    )
    return Term(
        f"{RULE}:{name}:{options.by}",
        label,
        Linear(sparse.csr_array(left), np.zeros(len(groups))),
        Sense.AT_MOST,
        np.zeros(len(groups)),
        np.full(len(groups), space.total),
        "share of the portfolio",
        USER,
        rows=tuple(map(str, groups)),
    )


def _members(score: PartScore, by: str) -> Iterator[tuple[int, str]]:
    """Yield each scored part with each group it belongs to."""
    parts = score.contents
    if by == "issuer":
        columns = [parts.column("issuer")]
    else:
        columns = [parts.joined("issuers", "issuer", name) for name in ("strategic_class", "future_fields")]
    for cells in columns:
        for part in np.flatnonzero(score.values > 0.0):
            for group in _names(cells.iloc[part]):
                yield int(part), group


def _names(cell: object) -> tuple[str, ...]:
    if isinstance(cell, tuple):
        return cell
    return (cell,) if isinstance(cell, str) else ()


CONCENTRATION = (
    ConstraintSpec(
        RULE, Text("Concentration of what the tilts steer", "政策倾斜集中度"), ConcentrationOptions, tilt_concentration
    ),
)
