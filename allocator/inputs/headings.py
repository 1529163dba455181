"""Which declared column a heading means, and the unit it carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from allocator.inputs.raw import TableQuery
from allocator.jurisdiction import MONEY, Currency
from allocator.parsing import normalise
from allocator.types import Column, Measure, Table

__all__ = ["HeadingIndex", "Match", "spelling"]

_IGNORED = re.compile(r"[\s_\-]+")
_MONEY_UNITS: Mapping[str, float] = MappingProxyType(
    {"万": 1e4, "百万": 1e6, "亿": 1e8, "thousand": 1e3, "million": 1e6, "billion": 1e9}
)
"""Number words that are a unit of whatever currency."""
_TYPED = frozenset({Measure.MONEY, Measure.RATE, Measure.NUMBER, Measure.INTEGER, Measure.DATE})
_RATE_UNITS: Mapping[str, float] = MappingProxyType({"%": 1e-2, "percent": 1e-2, "bp": 1e-4, "bps": 1e-4})


@lru_cache
def _pattern(units: tuple[str, ...], words: tuple[str, ...]) -> re.Pattern[str]:
    """Return the form of a heading that ends in a unit, with the currency named before it or not."""
    named = "|".join((*map(re.escape, words), ""))
    known = "|".join(sorted((*units, *_RATE_UNITS), key=len, reverse=True))
    return re.compile(rf"(?P<name>.+?)(?P<open>[(\[【/:,]?)(?:单位:?)?(?:{named})(?P<unit>{known})[)\]】]?")


@lru_cache(maxsize=1 << 14)
def spelling(text: str) -> str:
    """Return the form in which headings and choices are compared: half-width, no case, space, ``_`` or ``-``."""
    return _IGNORED.sub("", normalise(text).casefold())


@dataclass(frozen=True, slots=True)
class Match:
    """A heading understood.

    Parameters
    ----------
    column : Column
        What it means.
    factor : float or None
        Unit in the heading: currency units (money) or decimals (rates) per unit of the cells; None when it has none.
    """

    column: Column
    factor: float | None = None


class HeadingIndex:
    """All headings a table accepts.

    Parameters
    ----------
    table : Table
        Names and aliases of its columns; where two columns share an alias, the first declared has it.
    currency : Currency
        Whose units headings may name.
    """

    def __init__(self, table: Table, currency: Currency = MONEY) -> None:
        self.table = table
        self._units: Mapping[str, float] = {**_MONEY_UNITS, **dict(currency.heading_units)}
        self._pattern = _pattern(tuple(self._units), currency.heading_words)
        self._columns: dict[str, Column] = {}
        for column in table.columns:
            self._columns[spelling(column.name)] = column
        for column in table.columns:
            for alias in column.aliases:
                self._columns.setdefault(spelling(alias), column)

    def wanted(self) -> TableQuery:
        """Return what a reader must know to find the table."""

        def typed(heading: str) -> bool:
            match = self.find(heading)
            return match is not None and match.column.measure in _TYPED

        def percent(heading: str) -> bool:
            match = self.find(heading)
            return match is not None and match.column.measure is Measure.RATE and match.factor is not None

        return TableQuery(self.table.name, lambda heading: self.find(heading) is not None, typed, percent)

    def find(self, heading: str) -> Match | None:
        """Return what a heading means, or None. The whole heading is tried before a unit is split off."""
        key = spelling(heading)
        if key in self._columns:
            return Match(self._columns[key])
        split = self._pattern.fullmatch(key)
        column = self._columns.get(split["name"]) if split else None
        if split is None or column is None:
            return None
        units = {Measure.MONEY: self._units, Measure.RATE: _RATE_UNITS}.get(column.measure)
        factor = units.get(split["unit"]) if units else None
        return None if factor is None else Match(column, factor)
