"""What every limit shares: the keys that say how it binds, the denominators, and book values.

A rule builds a plain `Term`; `bound` then gives it the user's mode, price and priority, and with ``no_worse``
moves the right side of a row already in breach to the row's current value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy import sparse

from allocator.arrays import Vector
from allocator.config.settings import Number, Section
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.inputs.fund import Inputs
from allocator.inputs.headings import spelling
from allocator.inputs.terms import column
from allocator.model.context import ModelContext
from allocator.model.expressions import Linear
from allocator.model.terms import TOLERANCE, Mode, Sense, Term
from allocator.rulebook.book import USER
from allocator.types import Source, Text

__all__ = [
    "SHARE_OF_TOTAL_ASSETS",
    "Blank",
    "LimitOptions",
    "book_value_ratio",
    "bound",
    "grouped",
    "named_choices",
    "percent",
    "place",
    "position_term",
    "rules_without_rows",
    "total_assets",
]


SHARE_OF_TOTAL_ASSETS = "share of total assets"
"""Unit of every term whose ``per`` is `total_assets`."""


class Blank(StrEnum):
    """What a cell that the rule needs and the row leaves empty does: stops, or leaves the row out."""

    ERROR = "error"
    SKIP = "skip"


class LimitOptions(Section):
    """Keys every limit shares.

    ``mode`` hard, soft or monitor; ``price`` of a soft limit, annual return given up per unit shown of
    breach; ``priority``: lower gives way first, a rule without one never does; ``no_worse``: a row already in
    breach may stay as it is but not get worse.
    """

    mode: Mode = Mode.HARD
    price: Annotated[Number, Field(ge=0)] = 0.0
    priority: int | None = None
    no_worse: bool = False

    @model_validator(mode="after")
    def _soft_has_a_price(self) -> Self:
        if self.mode is Mode.SOFT and not self.price > 0:
            raise ValueError(
                Text(
                    "a soft limit needs a price above 0, or it binds nothing",
                    "软约束须给出大于 0 的 price，否则不起作用",
                )
            )
        return self


def bound(term: Term, options: LimitOptions, current: Vector, mode: Mode | None = None) -> Term:
    """Return the term with the user's keys.

    Parameters
    ----------
    term : Term
        As the rule says it.
    options : LimitOptions
        The keys given.
    current : ndarray (n,)
        Holdings before trading, money, at which ``no_worse`` looks.
    mode : Mode or None
        In place of ``options.mode``, for a monitoring line beside a limit.

    Raises
    ------
    ValueError
        For ``no_worse`` on an equality, which has no worse side.
    """
    term = replace(term, mode=mode or options.mode, price=options.price, priority=options.priority)
    if not options.no_worse:
        return term
    if term.sense is Sense.EQUAL:
        raise ValueError(f"{term.name}: an equality cannot be relaxed to its current value")
    held = term.left.value(current)
    relaxed = np.maximum(term.right, held) if term.sense is Sense.AT_MOST else np.minimum(term.right, held)
    if np.all(np.abs(relaxed - term.right) <= TOLERANCE * term.per):
        return term
    label = Text(
        f"{term.label.en} (in breach today: held at the present value)",
        f"{term.label.zh}（目前已超限：不得比现值更差）",
    )
    return replace(term, right=relaxed, label=label)


def grouped(groups: NDArray[np.int64], coefficients: ArrayLike, count: int | None = None) -> Linear:
    """Return one row per group: Σ over its members of coefficient × amount.

    Parameters
    ----------
    groups : ndarray of int (n,)
        Group of each row, −1 for none.
    coefficients : array_like (n,) or number
        Per unit of money of the row.
    count : int or None
        Number of groups; None takes as many as ``groups`` names.
    """
    values = np.broadcast_to(np.asarray(coefficients, dtype=float), groups.shape)
    chosen = np.flatnonzero(groups >= 0)
    rows = int(groups.max(initial=-1)) + 1 if count is None else count
    matrix = sparse.csr_array((values[chosen], (groups[chosen], chosen)), shape=(rows, len(groups)))
    return Linear(matrix, np.zeros(rows))


def position_term(
    context: ModelContext, name: str, label: Text, rows: NDArray[np.bool_], sense: Sense, source: Source
) -> Term | None:
    """Return ``target <sense> current`` for each chosen row: ≤ bars purchases, ≥ sales, == both.

    Derivatives are left out, as a signed notional is neither bought nor sold. None when no row is chosen.

    Parameters
    ----------
    context : ModelContext
        The fund.
    name : str
        Name of the term.
    label : Text
        A sentence for reports.
    rows : ndarray of bool (n,)
        Rows it speaks of.
    sense : Sense
        ``<=`` bars purchases, ``>=`` sales, ``==`` both.
    source : Source
        Where the rule comes from.
    """
    space = context.space
    chosen = np.flatnonzero(rows & space.funded)
    if not chosen.size:
        return None
    groups = np.full(space.size, -1)
    groups[chosen] = np.arange(chosen.size)
    names = tuple(f"{space.asset_id[row]}/{space.account[row]}".rstrip("/") for row in chosen)
    per = np.full(chosen.size, space.total)
    left = grouped(groups, 1.0)
    return Term(name, label, left, sense, space.current[chosen], per, "share of the portfolio", source, rows=names)


def total_assets(inputs: Inputs) -> float:
    """Return the company's total assets of the last quarter end, money.

    Raises
    ------
    InputError
        When the fund file does not give them, or not as a positive number.
    """
    total = inputs.balance_sheet.total_assets
    if total is None or not total > 0:
        raise InputError(
            Problem(
                Text("a rule needs the company's total assets", "规则需要公司总资产"),
                inputs.settings.where("balance_sheet.total_assets"),
                "missing" if total is None else f"{total:g}",
                "> 0",
                Text(
                    "give balance_sheet.total_assets of the last quarter end; it is never summed from the rows",
                    "请填写 balance_sheet.total_assets（上季末总资产）；系统不会由持仓加总推算",
                ),
            )
        )
    return total


def book_value_ratio(inputs: Inputs) -> Vector:
    """Return book value per unit of money of amount (n,): book_value / amount; 1 where either is blank or the amount 0.

    The ratio of today holds for the target amount too.
    """
    book, amount = column(inputs.assets, "book_value"), column(inputs.assets, "amount")
    known = ~np.isnan(book) & ~np.isnan(amount) & (amount != 0)
    return np.where(known, book / np.where(known, amount, 1.0), 1.0)


def named_choices(context: ModelContext, column: str, words: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the values that words name in a column of choices, Chinese ones and other spellings too.

    Parameters
    ----------
    context : ModelContext
        The fund.
    column : str
        A column of the assets table that holds choices.
    words : sequence of str
        As the fund file states them.
    where : str
        Their place, for the message.

    Raises
    ------
    InputError
        Naming each word that is no value of the column, with the nearest.
    """
    known = context.inputs.words(column)
    if not known:
        return tuple(words)
    problems = Problems()
    for word in words:
        if spelling(word) not in known:
            values = ", ".join(dict.fromkeys(known.values()))
            problems.add(
                Text(f"no such value of {column}", f"{column} 没有该取值"),
                where,
                word,
                values,
                did_you_mean(word, known),
            )
    problems.raise_if_any()
    return tuple(known[spelling(word)] for word in words)


def rules_without_rows(terms: Iterable[Term]) -> tuple[Text, ...]:
    """Return a note for each rule of the fund's own in which no row counts, so that it holds whatever is bought."""
    idle = (
        term for term in terms if term.source == USER and isinstance(term.left, Linear) and not term.left.matrix.nnz
    )
    return tuple(
        Text(f"no row counts in the rule {term.name}: it always holds", f"规则 {term.name} 未选中任何资产，始终成立")
        for term in idle
    )


def place(context: ModelContext, rule: str, key: str = "", value: object = None) -> str:
    """Return where the fund file names a rule: ``"fund.yaml, line 31, constraints.2.limit.rule"``.

    Of several entries of one rule, the first whose ``key`` holds ``value``.

    Parameters
    ----------
    context : ModelContext
        The fund.
    rule : str
        Name of the rule.
    key : str
        Option of the rule that tells several entries apart; empty for the rule itself.
    value : object
        What that option holds.
    """
    settings = context.inputs.settings
    for entry in settings.constraints:
        if entry.name == rule and (value is None or entry.options.get(key) == value):
            return settings.where(".".join(filter(None, ("constraints", str(entry.position), rule, key))))
    return settings.where(".".join(filter(None, ("constraints", rule, key))))


def percent(share: float) -> str:
    """Return ``0.025`` as ``"2.5%"``."""
    return f"{100 * share:.6g}%"
