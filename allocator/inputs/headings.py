"""Which declared column a heading means, and the unit it carries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from allocator.inputs.raw import TableQuery
from allocator.parsing import normalise
from allocator.types import Column, Measure, Table

__all__ = ["ALLOWED_UNITS", "HeadingIndex", "Match", "spelling", "spellings", "stated_units"]

_IGNORED = re.compile(r"[\s_\-]+")
_MONEY_UNITS: Mapping[str, float] = MappingProxyType(
    {
        "元": 1.0,
        "千元": 1e3,
        "万": 1e4,
        "万元": 1e4,
        "百万": 1e6,
        "百万元": 1e6,
        "千万元": 1e7,
        "亿": 1e8,
        "亿元": 1e8,
        "yuan": 1.0,
        "cny": 1.0,
        "rmb": 1.0,
        "thousand": 1e3,
        "million": 1e6,
        "mn": 1e6,
        "billion": 1e9,
        "bn": 1e9,
    }
)
_COUNTED = frozenset({Measure.NUMBER, Measure.INTEGER})
_TYPED = frozenset({Measure.MONEY, Measure.RATE, Measure.NUMBER, Measure.INTEGER, Measure.DATE})
_RATE_UNITS: Mapping[str, float] = MappingProxyType({"%": 1e-2, "percent": 1e-2, "bp": 1e-4, "bps": 1e-4})
_UNITS: Mapping[Measure, Mapping[str, float]] = MappingProxyType(
    {
        Measure.MONEY: _MONEY_UNITS,
        Measure.RATE: _RATE_UNITS,
        Measure.NUMBER: dict.fromkeys(("年", "years", "year", "yrs"), 1.0),
        Measure.INTEGER: dict.fromkeys(("年", "次/年", "次", "年", "years", "peryear"), 1.0),
    }
)
ALLOWED_UNITS: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.MONEY: "元, 万元, 亿元, CNY million …",
        Measure.RATE: "%, bp",
        Measure.NUMBER: "年, years",
        Measure.INTEGER: "次/年, years",
    }
)
"""Units that a heading may carry, for messages."""
_MONEY_WORD = "|".join(sorted(_MONEY_UNITS, key=len, reverse=True))
_CURRENCY = r"(?:人民币|cny|rmb)?"
_UNIT = re.compile(
    rf"(?P<name>.+?)(?P<open>[(\[【/:,]?)(?:单位:?)?{_CURRENCY}(?P<unit>"
    + "|".join(sorted({unit for units in _UNITS.values() for unit in units}, key=len, reverse=True))
    + rf"){_CURRENCY}[)\]】]?"
)
_BRACKET = re.compile(r"(?P<name>.+?)(?:[(\[【].*[)\]】]|%)")
_QUALIFIER = re.compile(r"(当前|最新|现行|目前)(?P<name>.{2,})")
_STATED = re.compile(r"(?<![制报送管本])(?:单位|units?):?(?P<units>[^;)\]】]*)")
_APART = re.compile(r"[,、/和]|and")
_TITLE_UNIT = re.compile(rf"{_CURRENCY}(?P<unit>{_MONEY_WORD}){_CURRENCY}")
_OF_MONEY = re.compile(r"元|万|亿|%|cny|rmb|usd|million|billion|yuan|dollar|美|港|欧")


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
        Unit in the heading: CNY (money) or decimals (rates) per unit of the cells; None when it has none.
    """

    column: Column
    factor: float | None = None


class HeadingIndex:
    """All headings a table accepts.

    Parameters
    ----------
    table : Table
        Names and aliases of its columns; where two columns share an alias, the first declared has it.
    """

    def __init__(self, table: Table) -> None:
        self._table = table.name
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

        return TableQuery(self._table, lambda heading: self.find(heading) is not None, typed, percent, code)

    def find(self, heading: str) -> Match | None:
        """Return what a heading means, or None. The whole heading is tried before a unit is split off."""
        key = spelling(heading)
        qualified = _QUALIFIER.fullmatch(key)
        return self._find(key) or (self._find(qualified["name"]) if qualified else None)

    def unreadable(self, heading: str) -> Column | None:
        """Return the column that a heading names beside a unit or remark that is not understood, or None."""
        split = _BRACKET.fullmatch(spelling(heading)) or _UNIT.fullmatch(spelling(heading))
        return self._columns.get(split["name"]) if split else None

    def _find(self, key: str) -> Match | None:
        if key in self._columns:
            return Match(self._columns[key])
        split = _UNIT.fullmatch(key)
        column = self._columns.get(split["name"]) if split else None
        if split is None or column is None:
            return None
        factor = _UNITS.get(column.measure, {}).get(split["unit"])
        return None if factor is None else Match(column, None if column.measure in _COUNTED else factor)


def stated_units(titles: Iterable[str]) -> tuple[set[float], list[str]]:
    """Return what the lines above the headings say of the unit of money: CNY per unit, and what cannot be read."""
    found: set[float] = set()
    unreadable: list[str] = []
    for title in titles:
        for stated in _STATED.finditer(spelling(title)):
            for unit in _APART.split(stated["units"]):
                read = _TITLE_UNIT.fullmatch(unit)
                if read:
                    found.add(_MONEY_UNITS[read["unit"]])
                elif _OF_MONEY.search(unit):
                    unreadable.append(title.strip())
    return found, unreadable
