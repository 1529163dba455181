"""The rule ``disclosure_screen``: which issuers are barred, watched or free again, and what that forbids.

    investigation   barred from the day it is opened until it is closed
    penalty         barred for N months after the day it is closed (else opened)
    warning         on the watch-list for N months after the day it is closed (else opened)

A barred issuer's rows may be kept and sold, not bought: target ≤ current. The watch-list is monitored.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import EMPTY, InputError, Number, Problem, Problems, Text
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Inputs, contents
from allocator.plugin.terms import (
    ConstraintSpec,
    LimitOptions,
    Mode,
    ModelContext,
    Sense,
    Term,
    bound,
    place,
    position_term,
)

__all__ = ["CONSTRAINTS", "RULE", "ScreenOptions", "State", "disclosure_cases", "disclosure_screen"]

RULE = "disclosure_screen"
RULES = RuleBook.load("allocator_disclosure_screen", "rules/screen.yaml")


class State(StrEnum):
    """What a case means on the valuation date."""

    BARRED = "barred"
    WATCHED = "watched"
    FREE = "free"


class ScreenOptions(LimitOptions):
    """``months`` after a penalty, ``warning_months`` after a warning; omitted: the rule book's. ``inside``: share of
    barred issuers inside a product above which the product is not bought either; omitted: products are not opened.
    """

    months: Annotated[int, Field(ge=0)] | None = None
    warning_months: Annotated[int, Field(ge=0)] | None = None
    inside: Annotated[Number, Field(ge=0, lt=1)] | None = None


def disclosure_cases(inputs: Inputs, options: ScreenOptions) -> pd.DataFrame:
    """Return the cases of issuers.csv.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : ScreenOptions
        The keys of the fund file.

    Returns
    -------
    DataFrame
        issuer, case, opened, closed, until (NaT while open), state (`State`).

    Raises
    ------
    InputError
        For a penalty or a warning without a date, whose end nobody knows, and a case closed before it was opened.
    """
    issuers = inputs.table("issuers")
    if issuers is None or "disclosure_case" not in issuers:
        return pd.DataFrame(columns=["issuer", "case", "opened", "closed", "until", "state"])
    rows = np.flatnonzero(issuers["disclosure_case"].notna())
    case = issuers["disclosure_case"].astype(object).to_numpy()[rows]
    opened, closed = (pd.to_datetime(issuers[f"disclosure_{name}"].iloc[rows]) for name in ("opened", "closed"))
    _check(inputs, rows, case != "investigation", opened, closed)
    as_of = pd.Timestamp(inputs.as_of)
    months = {
        "penalty": RULES.at("penalty.months", inputs.as_of).or_user(options.months).number,
        "warning": RULES.at("warning.months", inputs.as_of).or_user(options.warning_months).number,
    }
    begins, decided = opened.fillna(closed), closed.fillna(opened)
    # An investigation has no term: it ends the day it is closed.
    ends = [
        day + pd.DateOffset(months=int(months[name])) if name in months else end
        for name, day, end in zip(case, decided, closed, strict=True)
    ]
    until = pd.Series(pd.to_datetime(ends), index=opened.index)
    live = ((begins.isna() | (begins <= as_of)) & (until.isna() | (as_of < until))).to_numpy()
    state = np.where(~live, State.FREE, np.where(case == "warning", State.WATCHED, State.BARRED))
    frame = {"issuer": issuers["issuer"].iloc[rows], "case": case, "opened": opened, "closed": closed, "until": until}
    return pd.DataFrame({**frame, "state": state}).reset_index(drop=True)


def _check(
    inputs: Inputs, rows: NDArray[np.int64], needs_date: NDArray[np.bool_], opened: pd.Series, closed: pd.Series
) -> None:
    problems = Problems()
    undated = needs_date & (opened.isna() & closed.isna()).to_numpy()
    for row in rows[undated]:
        what = Text("a penalty or warning needs its date", "处罚或警示须填写日期")
        problems.add(what, inputs.where("issuers", int(row), "disclosure_opened"), EMPTY)
    for row in rows[(closed < opened).to_numpy()]:
        what = Text("a case closed before it was opened", "结案日期早于立案日期")
        problems.add(what, inputs.where("issuers", int(row), "disclosure_closed"))
    problems.raise_if_any()


def disclosure_screen(context: ModelContext, options: ScreenOptions) -> Sequence[Term]:
    """Target ≤ current on the rows of barred issuers; the same, monitored, on the watch-list.

    Parameters
    ----------
    context : ModelContext
        The fund as a term sees it.
    options : ScreenOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        Without a table of issuers, and as `disclosure_cases` does.
    """
    inputs = context.inputs
    if inputs.table("issuers") is None:
        raise InputError(
            Problem(
                Text("the screen needs the table of issuers", "信息披露筛查需要发行人表"),
                place(context, RULE),
                allowed="inputs.issuers",
            )
        )
    cases = disclosure_cases(inputs, options)
    figure = RULES.at("penalty.months", inputs.as_of).or_user(options.months)
    barred = Text(
        "Issuers under investigation or penalised for misleading disclosure are not bought.",
        "对因误导性信息披露被立案调查或处罚的发行人不得新增买入。",
    )
    watched = Text(
        "Watch-list: issuers warned about their disclosure are bought knowingly.",
        "观察名单：买入受到信息披露警示的发行人须知悉。",
    )
    terms = []
    for name, label, state, mode in (
        (RULE, barred, State.BARRED, None),
        (f"{RULE}:watch", watched, State.WATCHED, Mode.MONITOR),
    ):
        rows = _rows(inputs, set(cases.loc[cases["state"] == state, "issuer"]), options.inside)
        term = position_term(context, name, label, rows, Sense.AT_MOST, figure.source)
        if term is not None:
            # Today's holdings meet the rule, so there is nothing to relax.
            kept = options.model_copy(update={"no_worse": False})
            terms.append(bound(term, kept, context.space.current, mode))
    return tuple(terms)


def _rows(inputs: Inputs, issuers: set[str], inside: float | None) -> NDArray[np.bool_]:
    """Return the rows issued by one of ``issuers``, or holding more than ``inside`` of them."""
    own = contents(inputs, opened=False).column("issuer").isin(issuers).to_numpy(dtype=bool)
    if inside is None:
        return own
    found = contents(inputs)
    held = found.by_row(found.column("issuer").isin(issuers).to_numpy(dtype=bool).astype(float))
    return np.asarray(own | (held > inside))


CONSTRAINTS = (ConstraintSpec(RULE, Text("Disclosure screen", "信息披露筛查"), ScreenOptions, disclosure_screen),)
