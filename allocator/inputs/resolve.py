"""Which columns of a file are which columns of the table; what is unknown, doubled or missing is reported."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from allocator.errors import did_you_mean
from allocator.inputs.cells import blank
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.fund import TableSource, column_place
from allocator.inputs.headings import ALLOWED_UNITS, HeadingIndex, Match, spelling
from allocator.inputs.raw import RawTable
from allocator.parsing import normalise
from allocator.types import Column, LocalizedPhrase, Table, Text

__all__ = ["HeadingPlace", "Unknown", "column_letter", "resolve_headings", "source_of", "unknown_heading"]

NEAR = 0.6
"""Likeness from which a declared heading is named beside one that is not understood."""
MISSPELT = 0.8
"""Likeness from which an undeclared heading of an open table counts as a misspelt declared one."""
LONG = 4
"""Letters from which on a heading but for one letter like another counts as misspelt."""
_WORDS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, eq=False)
class HeadingPlace:
    """A heading understood, at its position in the file."""

    position: int
    match: Match


@dataclass(frozen=True, slots=True)
class Unknown:
    """A heading that no plugin declares, and the declared one it is most like, if any is like it."""

    heading: str
    nearest: str | None


def unknown_heading(heading: str, absent: Sequence[Column]) -> Unknown:
    """Return a heading with the nearest among the columns that the file does not have.

    A column whose name is a word of the heading is nearer than any likeness of letters.
    """
    words = set(_WORDS.split(normalise(heading).casefold()))
    for column in absent:
        if words & {column.name, *(alias.casefold() for alias in column.aliases)}:
            return Unknown(heading, column.name)
    names = {spelling(name): column.name for column in absent for name in (*column.aliases, column.name)}
    near = difflib.get_close_matches(spelling(heading), names, n=1, cutoff=NEAR)
    return Unknown(heading, names[near[0]] if near else None)


def resolve_headings(raw: RawTable, table: Table, errors: ErrorCollector) -> tuple[dict[str, HeadingPlace], list[int]]:
    """Return the declared columns found, and the positions of columns to keep as they are (open tables)."""
    index = HeadingIndex(table)
    found: dict[str, HeadingPlace] = {}
    unknown: list[int] = []
    for position, heading in enumerate(raw.headings):
        match = index.find(heading)
        if match is None:
            if heading.strip() or not blank(raw.cells[position]).all():
                unknown.append(position)
        elif match.column.name in found:
            other = raw.headings[found[match.column.name].position]
            errors.add(
                Text("two headings mean the same column", "两个表头对应同一列"),
                column_place(raw.file, heading),
                f"{other}, {heading}",
                hint=Text(f"keep one of them for {match.column.name}", f"{match.column.name} 只保留其中一列"),
            )
        else:
            found[match.column.name] = HeadingPlace(position, match)
    free = _unknown_headings(raw, table, index, found, unknown, errors)
    names = [raw.headings[position].strip() for position in unknown]
    for column in table.columns:
        if column.required and column.name not in found:
            errors.add(
                Text("a needed column is missing", "缺少必需的列"),
                raw.file,
                f"{column.name} ({column.label.zh})",
                ", ".join((column.name, *column.aliases[:3])),
                _nearest(column, names),
            )
    return found, free


def _unknown_headings(
    raw: RawTable,
    table: Table,
    index: HeadingIndex,
    found: Mapping[str, HeadingPlace],
    unknown: list[int],
    errors: ErrorCollector,
) -> list[int]:
    """Report headings that cannot be kept; return the positions of those that can."""
    absent = [column for column in table.columns if column.name not in found]
    taken = {column.name for column in table.columns}
    free: list[int] = []
    for position in unknown:
        heading = raw.headings[position].strip()
        place = column_place(raw.file, heading or column_letter(position))
        if not heading:
            errors.add(
                Text("a column with cells but no heading", "该列有数据但没有表头"),
                place,
                hint=Text("give it a heading or delete it", "请补充表头或删除该列"),
            )
        elif (column := index.unreadable(heading)) is not None and column.name not in found:
            errors.add(
                Text(
                    f"the unit or remark beside {column.name} is not understood",
                    f"{column.label.zh}的单位或备注无法识别",
                ),
                place,
                None,
                ALLOWED_UNITS.get(column.measure) or LocalizedPhrase("no remark", "不加备注"),
                Text(f"write {column.name}, with a unit or without", f"请写 {column.label.zh}，可带上述单位"),
            )
        elif not table.open:
            names = [column.name for column in table.columns]
            spellings = [*names, *(alias for column in table.columns for alias in column.aliases)]
            errors.add(
                Text("an unknown column", "无法识别的列"),
                place,
                None,
                ", ".join(names),
                did_you_mean(heading, spellings),
            )
        elif (near := _misspelt(heading, absent)) is not None:
            errors.add(
                Text("a heading looks like a misspelt column", "表头疑似拼写错误"),
                place,
                hint=Text(
                    f"did you mean {near!r}? If not, use a name less like it",
                    f"是否想写 {near!r}？如不是，请换一个不易混淆的名称",
                ),
            )
        elif heading in taken:
            errors.add(Text("two columns share a heading", "两列表头相同"), place)
        else:
            taken.add(heading)
            free.append(position)
    return free


def _misspelt(heading: str, absent: Sequence[Column]) -> str | None:
    """Return the declared heading that this one misspells: a name much like it, or an alias but for one letter."""
    key = spelling(heading)
    names = {spelling(column.name): column.name for column in absent}
    near = difflib.get_close_matches(key, names, n=1, cutoff=MISSPELT)
    if near:
        return names[near[0]]
    aliases = (alias for column in absent for alias in column.aliases)
    return next((alias for alias in aliases if _one_letter_apart(key, spelling(alias))), None)


def _one_letter_apart(one: str, other: str) -> bool:
    return len(one) == len(other) >= LONG and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _nearest(column: Column, headings: list[str]) -> Text:
    for name in (column.name, *column.aliases):
        near = difflib.get_close_matches(name, headings, n=1, cutoff=0.6)
        if near:
            return Text(f"is it the column {near[0]!r}?", f"是否为 {near[0]!r} 列？")
    return Text(f"add a column {column.name}", f"请添加 {column.name} 列")


def column_letter(position: int) -> str:
    """Return the spreadsheet name of a column: 0 → A, 26 → AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def source_of(raw: RawTable, positions: Mapping[str, int]) -> TableSource:
    headings = {name: raw.headings[position].strip() or name for name, position in positions.items()}
    letters = {name: column_letter(position) for name, position in positions.items()} if raw.spreadsheet else {}
    return TableSource(
        raw.file, raw.rows, MappingProxyType(headings), raw.fingerprint, MappingProxyType(letters), raw.sheets
    )
