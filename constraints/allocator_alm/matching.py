"""Cash-flow matching: what is left at the end of each bucket once inflows have paid the outflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import sparse

from allocator.plugin import InputError, Number, Problem, Text
from allocator.plugin.rules import USER
from allocator.plugin.terms import ConstraintSpec, Linear, ModelContext, Sense, Term, bound, percent, place
from allocator_alm.sides import BOOK, AlmOptions, Scope, Sides

__all__ = ["MATCHING", "MatchingOptions"]


class MatchingOptions(AlmOptions):
    """``buckets``: ends in years; ``rate``: at which what is left (or short) is carried to the end of a bucket.

    ``shortfall``: what may be short at the end of any bucket, as a share of all outflows up to the last one.
    """

    buckets: Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(min_length=1)] = (1, 2, 3, 4, 5, 7, 10)
    rate: Annotated[Number, Field(gt=-1)] = 0.0
    shortfall: Annotated[Number, Field(ge=0)] = 0.0


def cash_flow_matching(context: ModelContext, options: MatchingOptions) -> Sequence[Term]:
    """Carried surplus at the end of every bucket ≥ −shortfall × Σ outflows.

    S_k = Σ_{t ≤ t_k} (1 + rate)^(t_k − t) · (asset flow + liability inflow − outflow at t), the opening cash at t = 0.
    A shortfall is carried at the same rate as a surplus, which keeps S_k linear in the holdings.
    """
    sides = Sides(context, options)
    ends = np.unique(np.asarray(options.buckets, dtype=float))
    scopes = sides.scopes()
    parts = [_surplus(sides, scope, ends, options.rate) for scope in scopes]
    matrix = sparse.csr_array(sparse.vstack([part.matrix for part in parts]))
    left = Linear(matrix, np.concatenate([part.constant for part in parts]))
    liabilities = sides.liabilities
    within = liabilities.time <= ends[-1]
    owed = np.array([liabilities.outflow[scope.payments & within].sum() for scope in scopes])
    if not (owed > 0).all():
        what = Text("no liability falls due within the buckets", "各时段内没有到期负债")
        raise InputError(Problem(what, place(context, "cash_flow_matching", "buckets"), f"{ends[-1]:g}"))
    per = np.repeat(owed, len(ends))
    label = Text(
        f"Carried forward at {percent(options.rate)}, cash is short by at most {percent(options.shortfall)} of the "
        "outflows at the end of every bucket.",
        f"按{percent(options.rate)}结转后，各时段末现金缺口不超过负债流出总额的{percent(options.shortfall)}。",
    )
    rows = sides.tenor_names(scopes, ends.tolist())
    right = -options.shortfall * per
    unit = "share of outflows"
    term = Term("cash_flow_matching", label, left, Sense.AT_LEAST, right, per, unit, USER, rows=rows)
    return (bound(term, options, context.space.current),)


def _surplus(sides: Sides, scope: Scope, ends: np.ndarray[tuple[int], np.dtype[np.float64]], rate: float) -> Linear:
    """Return S_k of one scope, one row per bucket."""
    flows, liabilities = sides.flows, sides.liabilities
    cash = sides.inputs.assets["kind"].isin(BOOK.at("opening.kinds", sides.inputs.as_of).names).to_numpy(dtype=bool)
    size, rows, constants = sides.context.space.size, [], []
    mine = scope.rows[flows.row]
    net = np.where(scope.payments, liabilities.inflow - liabilities.outflow, 0.0)
    for end in ends:
        due = mine & (flows.time <= end)
        carried = flows.amount[due] * (1.0 + rate) ** (end - flows.time[due])
        row = np.bincount(flows.row[due], carried, minlength=size).astype(float)
        row[scope.rows & cash] += (1.0 + rate) ** end
        rows.append(sparse.csr_array(row[None, :]))
        past = liabilities.time <= end
        constants.append(float(net[past] @ (1.0 + rate) ** (end - liabilities.time[past])))
    return Linear(sparse.csr_array(sparse.vstack(rows)), np.array(constants))


MATCHING = (
    ConstraintSpec("cash_flow_matching", Text("Cash-flow matching", "现金流匹配"), MatchingOptions, cash_flow_matching),
)
