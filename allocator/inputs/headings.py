"""Which declared column a heading means, and the unit it carries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from allocator.inputs.raw import TableQuery
from allocator.jurisdiction import MONEY, Currency
from allocator.parsing import normalise
from allocator.types import Column, Measure, Table

__all__ = ["HeadingIndex", "Match", "allowed_units", "spelling", "spellings", "stated_units"]

_IGNORED = re.compile(r"[\s_\-]+")
_NUMBERS: Mapping[str, float] = MappingProxyType(
    {"万": 1e4, "百万": 1e6, "亿": 1e8, "thousand": 1e3, "million": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9}
)
"""Number words that are a unit of whatever currency."""
_COUNTED = frozenset({Measure.NUMBER, Measure.INTEGER})
_TYPED = frozenset({Measure.MONEY, Measure.RATE, Measure.NUMBER, Measure.INTEGER, Measure.DATE})
_RATE_UNITS: Mapping[str, float] = MappingProxyType({"%": 1e-2, "percent": 1e-2, "bp": 1e-4, "bps": 1e-4})
_UNITS: Mapping[Measure, Mapping[str, float]] = MappingProxyType(
    {
        Measure.RATE: _RATE_UNITS,
        Measure.NUMBER: dict.fromkeys(("年", "years", "year", "yrs"), 1.0),
        Measure.INTEGER: dict.fromkeys(("年", "次/年", "次", "年", "years", "peryear"), 1.0),
    }
)
_ALLOWED: Mapping[Measure, str] = MappingProxyType(
    {Measure.RATE: "%, bp", Measure.NUMBER: "年, years", Measure.INTEGER: "次/年, years"}
)


def allowed_units(measure: Measure, currency: Currency) -> str | None:
    """Return units that the heading of a column may carry, for messages; None where it carries none."""
    if measure is not Measure.MONEY:
        return _ALLOWED.get(measure)
    return ", ".join((*(name for name, _ in currency.heading_units[:3]), f"{currency.code} million …"))


_BRACKET = re.compile(r"(?P<name>.+?)(?:[(\[【].*[)\]】]|%)")
_QUALIFIER = re.compile(r"(当前|最新|现行|目前)(?P<name>.{2,})")
_STATED = re.compile(r"(?<![制报送管本])(?:单位|units?):?(?P<units>[^;)\]】]*)")
_APART = re.compile(r"[,、/和]|and")


@dataclass(frozen=True, slots=True)
class _Money:
    """How headings and titles name units of a currency."""

    units: Mapping[str, float]
    heading: re.Pattern[str]
    title: re.Pattern[str]
    spoken_of: re.Pattern[str]

    @classmethod
    def of(cls, currency: Currency) -> _Money:
        """Return the units and forms of a currency."""
        units = {**_NUMBERS, **dict(currency.heading_units)}
        named = "(?:" + "|".join((*map(re.escape, currency.heading_words), "")) + ")"
        every = {*units, *(unit for known in _UNITS.values() for unit in known)}
        known, money = ("|".join(map(re.escape, sorted(names, key=len, reverse=True))) for names in (every, set(units)))
        return cls(
            units,
            re.compile(rf"(?P<name>.+?)(?P<open>[(\[【/:,]?)(?:单位:?)?{named}(?P<unit>{known}){named}[)\]】]?"),
            re.compile(rf"{named}(?P<unit>{money}){named}"),
            re.compile("|".join(("%|usd|dollar|美|港|欧", money, *map(re.escape, currency.heading_words)))),
        )


_money = lru_cache(_Money.of)


@lru_cache(maxsize=1 << 14)
def spelling(text: str) -> str:
    """Return the form in which headings and choices are compared: half-width, no case, space, ``_`` or ``-``."""
    return _IGNORED.sub("", normalise(text).casefold())


def spellings(choices: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the values of a column of choices by every spelling that names one."""
    known = {spelling(alias): name for name, aliases in choices.items() for alias in aliases}
    return {**known, **{spelling(name): name for name in choices}}


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
        self.currency = currency
        self._money = _money(currency)
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

        def code(heading: str) -> bool:
            match = self.find(heading)
            return match is not None and match.column.measure is Measure.TEXT

        return TableQuery(self.table.name, lambda heading: self.find(heading) is not None, typed, percent, code)

    def find(self, heading: str) -> Match | None:
        """Return what a heading means, or None. The whole heading is tried before a unit is split off."""
        key = spelling(heading)
        qualified = _QUALIFIER.fullmatch(key)
        return self._find(key) or (self._find(qualified["name"]) if qualified else None)

    def unreadable(self, heading: str) -> Column | None:
        """Return the column that a heading names beside a unit or remark that is not understood, or None."""
        split = _BRACKET.fullmatch(spelling(heading)) or self._money.heading.fullmatch(spelling(heading))
        return self._columns.get(split["name"]) if split else None

    def _find(self, key: str) -> Match | None:
        if key in self._columns:
            return Match(self._columns[key])
        split = self._money.heading.fullmatch(key)
        column = self._columns.get(split["name"]) if split else None
        if split is None or column is None:
            return None
        units = self._money.units if column.measure is Measure.MONEY else _UNITS.get(column.measure, {})
        factor = units.get(split["unit"])
        return None if factor is None else Match(column, None if column.measure in _COUNTED else factor)


def stated_units(titles: Iterable[str], currency: Currency) -> tuple[set[float], list[str]]:
    """Return what the lines above the headings say of the unit of money: its size, and what cannot be read."""
    money = _money(currency)
    found: set[float] = set()
    unreadable: list[str] = []
    for title in titles:
        for stated in _STATED.finditer(spelling(title)):
            for unit in _APART.split(stated["units"]):
                read = money.title.fullmatch(unit)
                if read:
                    found.add(money.units[read["unit"]])
                elif money.spoken_of.search(unit):
                    unreadable.append(title.strip())
    return found, unreadable
