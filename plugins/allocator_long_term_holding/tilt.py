"""The tilt ``long_term_holding``: how near directly held stock is to the holding period that lowers its charge.

With y the weighted average holding period of a row, m its mark and h the horizon,

    score = 1 where y ≥ m,   max(0, 1 − (m − y) / h) before:

stock that has reached its mark counts fully, stock that will reach it within h years the more the nearer it is, and
what was bought today counts by how short the way is. A row's period is that of what it holds now: money newly placed
goes to a row of its own with ``holding_years`` 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from allocator.plugin import Number, Section, Text, Vector
from allocator.plugin.rules import Figure, RuleBook
from allocator.plugin.tables import Inputs, column, contents
from allocator.plugin.terms import PartScore, TiltSpec

__all__ = ["NAME", "RULES", "TILTS", "HoldingOptions", "Marks", "marks", "parts"]


NAME = "long_term_holding"
RULES = RuleBook.load("allocator_long_term_holding", "rules/marks.yaml")


class HoldingOptions(Section):
    """``horizon``: years before the mark from which nearing it scores; ``cost_of_capital``: a year, for the price
    of sales in the report; omitted: the rule book's."""

    horizon: Annotated[Number, Field(gt=0)] | None = None
    cost_of_capital: Annotated[Number, Field(ge=0)] | None = None


@dataclass(frozen=True, eq=False)
class Marks:
    """The mark of each of n rows; NaN where a row has none.

    Parameters
    ----------
    years : ndarray (n,)
        Holding period above which the charge is lower.
    held : ndarray (n,)
        Holding period now; an empty cell counts as bought today.
    saving : ndarray (n,)
        Charge factor before the mark less after it.
    """

    years: Vector
    held: Vector
    saving: Vector

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Rows past their mark; NaN compares False."""
        return np.asarray(self.held > self.years)


def marks(inputs: Inputs) -> Marks:
    """Return the marks in force of directly held listed stock."""
    assets = inputs.assets
    stock = (assets["kind"] == "listed_stock").to_numpy(dtype=bool)
    years, saving = np.full(len(assets), np.nan), np.full(len(assets), np.nan)
    for figure in _figures(inputs):
        mark, rows = figure.table, stock
        if "board" in mark:
            rows = rows & assets["board"].eq(mark["board"]).fillna(False).to_numpy(dtype=bool)
        if "indices" in mark:
            members = frozenset(mark["indices"])
            rows = rows & np.array([bool(members.intersection(cell)) for cell in assets["indices"]], dtype=bool)
        years[rows], saving[rows] = mark["years"], mark["factor"] - mark["held"]
    return Marks(years, np.nan_to_num(column(assets, "holding_years")), saving)


def _figures(inputs: Inputs) -> tuple[Figure, ...]:
    """Return the marks that are in force on the valuation date, the more special ones last."""
    names = ("mark.index", "mark.star")
    figures = (RULES.at(key, inputs.as_of, early=True) for key in names)
    return tuple(figure for figure in figures if date.fromisoformat(figure.source.effective) <= inputs.as_of)


def parts(inputs: Inputs, options: HoldingOptions) -> PartScore:
    """Score directly held stock by how near it is to its mark; the rule does not look inside products.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : HoldingOptions
        The keys of the fund file.
    """
    found, horizon = marks(inputs), RULES.at("horizon", inputs.as_of).or_user(options.horizon).number
    nearness = 1.0 - np.maximum(found.years - found.held, 0.0) / horizon
    return PartScore(contents(inputs, opened=False), np.nan_to_num(np.maximum(nearness, 0.0)))


TILTS = (
    TiltSpec.opened(
        NAME,
        Text("Stock held towards the period that lowers its charge", "长期持有（接近或达到降低因子的持仓年限）"),
        HoldingOptions,
        parts,
        RULES.at("mark.index", date.max).source,
    ),
)
