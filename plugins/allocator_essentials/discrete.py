"""Rules in whole numbers, on request only: a least ticket, lots, at most so many names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import Number, Section, Text
from allocator.plugin.rules import USER
from allocator.plugin.tables import Column, Measure, Table, column
from allocator.plugin.terms import (
    ConstraintSpec,
    Discrete,
    ModelContext,
    NamesHeld,
    OddLot,
    Sense,
    ShortTicket,
    Term,
    named_choices,
)

__all__ = ["CONSTRAINTS", "TABLES"]

Rows = NDArray[np.int64]
Positive = Annotated[Number, Field(gt=0)]

TABLES = (
    Table(
        "assets",
        (
            Column(
                "minimum_ticket", Measure.MONEY, Text("Least amount held", "最低持有金额"), ("起投金额",), minimum=0.0
            ),
            Column("lot", Measure.MONEY, Text("Amount of one lot", "每手金额"), ("每手",), minimum=0.0),
        ),
    ),
)

TICKET = Text("Held not at all or at least the minimum ticket", "不持有，或不低于起投金额")
LOTS = Text("Held in whole lots", "按整手持有")
NAMES = Text("At most so many names", "持有只数上限")


class TicketOptions(Section):
    """``amount``: the least ticket in ``fund.unit`` of rows whose column ``minimum_ticket`` is empty; ``kinds``:
    the kinds it is asked of, all by default."""

    amount: Positive | None = None
    kinds: tuple[str, ...] | None = None


class LotOptions(Section):
    """``size``: one lot in ``fund.unit`` of rows whose column ``lot`` is empty; ``kinds``: the kinds it is asked
    of, all by default."""

    size: Positive | None = None
    kinds: tuple[str, ...] | None = None


class NamesOptions(Section):
    """``max``: the most names; ``by``: what a name is; ``kinds``: the kinds that count, all by default."""

    max: Annotated[int, Field(ge=0)]
    by: Literal["asset_id", "issuer", "counterparty"] = "asset_id"
    kinds: tuple[str, ...] | None = None


def minimum_ticket(context: ModelContext, options: TicketOptions) -> Sequence[Term]:
    """x = 0 or x ≥ ticket."""
    rows, ticket = _sizes(context, "minimum_ticket", options.amount, options.kinds)
    return _one_each(context, "minimum_ticket", TICKET, ShortTicket(rows, ticket), rows)


def lots(context: ModelContext, options: LotOptions) -> Sequence[Term]:
    """x = a whole number of lots."""
    rows, size = _sizes(context, "lot", options.size, options.kinds)
    return _one_each(context, "lots", LOTS, OddLot(rows, size), rows)


def max_names(context: ModelContext, options: NamesOptions) -> Sequence[Term]:
    """Names held ≤ max; rows that leave the column ``by`` empty are a name each."""
    rows = _chosen(context, options.kinds)
    if not rows.size:
        return ()
    named = context.inputs.assets[options.by].iloc[rows] if options.by in context.inputs.assets else None
    own = pd.Series([f"#{row}" for row in rows], dtype=object)
    names = own if named is None else named.astype(object).reset_index(drop=True).fillna(own)
    left = NamesHeld(rows, np.asarray(pd.factorize(names)[0], dtype=np.int64), options.max)
    right, one = np.array([float(options.max)]), np.ones(1)
    return (Term("max_names", NAMES, left, Sense.AT_MOST, right, one, "names", USER),)


def _one_each(context: ModelContext, name: str, label: Text, left: Discrete, rows: Rows) -> Sequence[Term]:
    if not rows.size:
        return ()
    space = context.space
    names = tuple(f"{space.asset_id[row]}/{space.account[row]}".rstrip("/") for row in rows)
    per = np.full(rows.size, space.total)
    return (Term(name, label, left, Sense.AT_MOST, np.zeros(rows.size), per, "share", USER, rows=names),)


def _sizes(
    context: ModelContext, name: str, given: float | None, kinds: tuple[str, ...] | None
) -> tuple[Rows, NDArray[np.float64]]:
    """Return the rows the rule is asked of and the size of each, CNY: the column's, else the option's."""
    rows = _chosen(context, kinds)
    sizes = column(context.inputs.assets, name)[rows]
    sizes = np.where(np.isnan(sizes), np.nan if given is None else given * context.inputs.unit, sizes)
    asked = sizes > 0
    return rows[asked], sizes[asked]


def _chosen(context: ModelContext, kinds: tuple[str, ...] | None) -> Rows:
    """Return the funded rows of these kinds, none of which can be negative; InputError for an unknown kind."""
    inputs, space = context.inputs, context.space
    if kinds is not None:
        kinds = named_choices(context, "kind", kinds, inputs.settings.where("constraints"))
    wanted = space.funded if kinds is None else space.funded & inputs.assets["kind"].isin(kinds).to_numpy(dtype=bool)
    return np.flatnonzero(wanted)


CONSTRAINTS = (
    ConstraintSpec("minimum_ticket", TICKET, TicketOptions, minimum_ticket),
    ConstraintSpec("lots", LOTS, LotOptions, lots),
    ConstraintSpec("max_names", NAMES, NamesOptions, max_names),
)
