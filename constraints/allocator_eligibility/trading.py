"""What may be traded: no purchase, no sale, hold, buy and hold, the size of a trade, turnover of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from allocator.plugin import Mask, Number, Text
from allocator.plugin.rules import USER
from allocator.plugin.terms import (
    ConstraintSpec,
    LimitOptions,
    ModelContext,
    Sense,
    Term,
    TradeCost,
    bound,
    percent,
    place,
    position_term,
)
from allocator_eligibility.faults import Fault, pointed
from allocator_eligibility.meaning import mask_of
from allocator_eligibility.syntax import parse_test

__all__ = ["TRADING", "chosen_rows"]


class RowsOptions(LimitOptions):
    """``where``: which rows, e.g. ``kind == "property"``; omitted: all. ``name``: the term's name."""

    where: str | None = None
    name: str | None = None


class SizeOptions(RowsOptions):
    """``max``: largest trade of one row, as a share of the portfolio."""

    max: Annotated[Number, Field(ge=0)]


class TurnoverOptions(RowsOptions):
    """``max``: half the sum of all trades of the group, as a share of the group's current amount."""

    max: Annotated[Number, Field(ge=0)]


def chosen_rows(context: ModelContext, rule: str, where: str | None) -> Mask:
    """Return the rows for which a test in the rule language holds (n,); all rows without one.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    rule : str
        Name of the rule, for the message.
    where : str or None
        The test as written; None for none.

    Raises
    ------
    InputError
        Pointing at the character of the test where it goes wrong.
    """
    if where is None:
        return np.ones(context.space.size, dtype=bool)
    try:
        return mask_of(context, parse_test(where))
    except Fault as fault:
        raise pointed(fault, where, place(context, rule, "where", where)) from None


def no_purchase(context: ModelContext, options: RowsOptions) -> Sequence[Term]:
    """Target ≤ current on the rows."""
    sentence = Text("is not added to", "不得增持")
    return _positions(context, "no_purchase", sentence, options, Sense.AT_MOST)


def no_sell(context: ModelContext, options: RowsOptions) -> Sequence[Term]:
    """Target ≥ current on the rows; on all of them, only new money is placed."""
    sentence = Text("is not sold", "不得减持")
    return _positions(context, "no_sell", sentence, options, Sense.AT_LEAST)


def hold(context: ModelContext, options: RowsOptions) -> Sequence[Term]:
    """Target = current on the rows."""
    sentence = Text("is kept as it is", "保持不变")
    return _positions(context, "hold", sentence, options, Sense.EQUAL)


def buy_and_hold(context: ModelContext, options: RowsOptions) -> Sequence[Term]:
    """Target ≥ current on the rows held at amortised cost (``accounting`` ac) that have a maturity to be kept to."""
    sentence = Text("held at amortised cost is not sold", "以摊余成本计量的资产不得减持")
    assets = context.inputs.assets
    kept = np.zeros(len(assets), dtype=bool)
    if "accounting" in assets and "maturity" in assets:
        kept = ((assets["accounting"] == "ac") & assets["maturity"].notna()).to_numpy(dtype=bool)
    return _positions(context, "buy_and_hold", sentence, options, Sense.AT_LEAST, kept)


def trade_size(context: ModelContext, options: SizeOptions) -> Sequence[Term]:
    """|target − current| ≤ max × Σ target, row by row: one term for purchases, one for sales."""
    rows = chosen_rows(context, "trade_size", options.where)
    label = Text(
        f"No trade is larger than {percent(options.max)} of the portfolio.",
        f"单笔交易不得超过组合的{percent(options.max)}。",
    )
    terms = []
    for side, sense, sign in (("purchase", Sense.AT_MOST, 1.0), ("sale", Sense.AT_LEAST, -1.0)):
        term = position_term(context, f"{_called('trade_size', options)}:{side}", label, rows, sense, USER)
        if term is not None:
            room = sign * options.max * context.space.total
            terms.append(bound(replace(term, right=term.right + room), options, context.space.current))
    return terms


def group_turnover(context: ModelContext, options: TurnoverOptions) -> Sequence[Term]:
    """½ Σ |target − current| over the rows ≤ max × Σ current of the rows."""
    space = context.space
    rows = chosen_rows(context, "group_turnover", options.where) & space.funded
    held = float(space.current[rows].sum())
    half = np.where(rows, 0.5, 0.0)
    label = Text(
        f"Turnover of {options.where or 'the portfolio'} is at most {percent(options.max)}.",
        f"{options.where or '组合'} 的换手率不高于{percent(options.max)}。",
    )
    term = Term(
        _called("group_turnover", options),
        label,
        TradeCost(half, half, np.zeros(space.size), space.current, space.lower, space.upper),
        Sense.AT_MOST,
        np.array([options.max * held]),
        np.array([held if held > 0 else space.total]),
        "share of the group",
        USER,
    )
    return (bound(term, options, space.current),)


def _positions(
    context: ModelContext, rule: str, sentence: Text, options: RowsOptions, sense: Sense, among: Mask | None = None
) -> Sequence[Term]:
    rows = chosen_rows(context, rule, options.where)
    rows = rows if among is None else rows & among
    what = Text(options.where or "Every asset", options.where or "全部资产")
    label = Text(f"{what.en} {sentence.en}.", f"{what.zh} {sentence.zh}。")
    term = position_term(context, _called(rule, options), label, rows, sense, USER)
    if term is None:
        return ()
    # Today's holdings meet all of these, so there is nothing to relax (and an equality could not be).
    return (bound(term, options.model_copy(update={"no_worse": False}), context.space.current),)


def _called(rule: str, options: RowsOptions) -> str:
    return options.name or (f"{rule}:{options.where}" if options.where else rule)


TRADING = tuple(
    ConstraintSpec(name, label, options, build)
    for name, label, options, build in (
        ("no_purchase", Text("Rows that are not added to", "不得增持"), RowsOptions, no_purchase),
        ("no_sell", Text("Rows that are not sold", "不得减持"), RowsOptions, no_sell),
        ("hold", Text("Rows that are kept as they are", "保持不变"), RowsOptions, hold),
        ("buy_and_hold", Text("Amortised-cost rows are not sold", "摊余成本资产不得减持"), RowsOptions, buy_and_hold),
        ("trade_size", Text("Largest trade of one row", "单笔交易上限"), SizeOptions, trade_size),
        ("group_turnover", Text("Turnover of a group", "分组换手率上限"), TurnoverOptions, group_turnover),
    )
)
