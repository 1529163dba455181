"""Constraint and objective terms: left and right side apart, so that the hard form, the soft form, the
slack, the shadow price and the numpy check all come from one definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from allocator.arrays import Vector
from allocator.errors import InputError, Problem
from allocator.model.expressions import Expression, Selected
from allocator.types import Source, Text

__all__ = [
    "Mode",
    "Objective",
    "ObjectiveTerm",
    "Sense",
    "Term",
    "TOLERANCE",
    "refuse_repeated",
]


TOLERANCE = 1e-7
"""The one tolerance: a side may miss by this fraction of the term's ``per``, or of its right side if larger."""


class Sense(StrEnum):
    """How the sides compare."""

    AT_MOST = "<="
    AT_LEAST = ">="
    EQUAL = "=="

    @property
    def sign(self) -> str:
        """The sign that people read."""
        return {"<=": "≤", ">=": "≥"}.get(self.value, "=")


class Mode(StrEnum):
    """What a term does to the optimizer: binds it, costs a price per unit of breach, or is only reported."""

    HARD = "hard"
    SOFT = "soft"
    MONITOR = "monitor"


@dataclass(frozen=True, eq=False)
class Term:
    """``left(x) <sense> right``, row by row.

    Parameters
    ----------
    name : str
        Term name, e.g. ``"equity_ceiling"``.
    label : Text
        A sentence for reports.
    left : Expression
        Left side, shape (rows,), in currency units or the term's raw unit. Convex for ``<=``, concave for ``>=``,
        affine for ``==``.
    sense : Sense
        Comparison.
    right : ndarray (rows,)
        Right side, same unit as ``left``.
    per : ndarray (rows,)
        Positive divisor that turns both sides into the unit shown (total assets for a share, liabilities
        for a hedge ratio, 1 for a plain number). It also sets the tolerance: a side may miss by
        ``TOLERANCE × max(per, |right|)``.
    unit : str
        Unit shown after division: ``"ratio"``, ``"money"``, ``"years"``, ``"share"`` …
    source : Source
        Where the limit comes from.
    mode : Mode
        Hard, soft or monitor.
    price : float
        Soft only: objective given up (annual decimal) per unit shown of breach.
    rows : tuple of str
        A name per row when there are several (an issuer, a bucket), a `LocalizedPhrase` where the languages differ;
        empty for one row.
    priority : int or None
        Terms with the lowest priority give way first when the user asks for it; None never gives way.
    """

    name: str
    label: Text
    left: Expression
    sense: Sense
    right: Vector
    per: Vector
    unit: str
    source: Source
    mode: Mode = Mode.HARD
    price: float = 0.0
    rows: tuple[str, ...] = ()
    priority: int | None = None

    def shown(self, holdings: Vector) -> tuple[Vector, Vector]:
        """Return both sides in the unit shown, by numpy alone."""
        return self.left.value(holdings) / self.per, self._right_shown

    def slack(self, holdings: Vector) -> Vector:
        """Return the room left in the unit shown; negative is a breach."""
        return self.slack_of(self.shown(holdings)[0])

    def slack_of(self, left: Vector) -> Vector:
        """Return the room that a left side in the unit shown leaves."""
        right = self._right_shown
        if self.sense is Sense.AT_MOST:
            return right - left
        if self.sense is Sense.AT_LEAST:
            return left - right
        return -np.abs(left - right)

    def holds(self, holdings: Vector) -> bool:
        """Return whether every row holds within `TOLERANCE`."""
        return bool(np.all(self.slack(holdings) >= -self.tolerance()))

    def tolerance(self) -> Vector:
        """Return by how much each row may miss, in the unit shown."""
        return self._tolerance

    @cached_property
    def _right_shown(self) -> Vector:
        return np.asarray(self.right / self.per)

    @cached_property
    def _tolerance(self) -> Vector:
        return np.asarray(TOLERANCE * np.maximum(1.0, np.abs(self._right_shown)))

    def only(self, rows: Sequence[int]) -> Term:
        """Return the term with some of its rows."""
        kept = list(rows)
        return replace(
            self,
            left=Selected(self.left, tuple(kept)),
            right=self.right[kept],
            per=np.broadcast_to(self.per, self.right.shape)[kept],
            rows=tuple(self.rows[row] for row in kept) if self.rows else (),
        )

    def row_names(self) -> tuple[str, ...]:
        """Return the name of each row as constraints.csv prints it."""
        return self._row_names

    @cached_property
    def _row_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}[{row}]" for row in self.rows) if self.rows else (self.name,)


@dataclass(frozen=True, eq=False)
class ObjectiveTerm:
    """One part of the objective, in annual decimals per `Space.total` unless said otherwise.

    Parameters
    ----------
    name : str
        Name, e.g. ``"expected_return"``.
    label : Text
        For reports.
    expression : Expression
        One row. Concave parts are added, convex parts subtracted: see ``weight``.
    weight : float
        What the expression is multiplied by in a maximized objective: positive with a concave
        expression, negative with a convex one.
    unit : str
        Unit of ``weight × expression``.
    per_yield : float
        What one more of a row's expected return adds to ``weight × expression`` per unit of the row's weight;
        0 where the expression does not look at expected returns.
    """

    name: str
    label: Text
    expression: Expression
    weight: float = 1.0
    unit: str = "annual decimal"
    per_yield: float = 0.0


@dataclass(frozen=True, eq=False)
class Objective:
    """A whole objective in maximized form: parts over the holdings, and what it says of capital.

    Parameters
    ----------
    terms : tuple of ObjectiveTerm
        Parts that are added up.
    capital_weight : float
        Objective given up per unit of money of capital, ≥ 0.
    per_capital : bool
        Whether the sum of the parts is divided by capital (return on capital).
    capital_module : str
        Module that the two speak of; empty means minimum capital.
    """

    terms: tuple[ObjectiveTerm, ...] = ()
    capital_weight: float = 0.0
    per_capital: bool = False
    capital_module: str = ""


def refuse_repeated(named: Sequence[Any], where: str) -> None:
    """Refuse two rules or tilts of one name: prices and checks go by it, so that one would hide the other.

    Parameters
    ----------
    named : sequence
        Objects with a ``name``.
    where : str
        Place in the fund file, for the message.

    Raises
    ------
    InputError
        When a name stands twice.
    """
    repeated = [name for name, count in Counter(one.name for one in named).items() if count > 1]
    if repeated:
        raise InputError(
            Problem(
                Text("two rules or tilts have one name", "两条规则或倾斜重名"),
                where,
                ", ".join(repeated),
                hint=Text("keep one, or give each a name of its own", "请只保留一条，或各取不同名称"),
            )
        )
