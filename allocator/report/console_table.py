"""Tables on the console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text as Line

from allocator.model.units import MoneyUnit
from allocator.report.formats import EMPTY, FORMATS, column_format, format_name, is_missing
from allocator.report.words import BINDING
from allocator.result.tables import ReportTable
from allocator.types import Language, visible

__all__ = ["print_table", "table_cell", "QUIET", "GOOD", "BAD"]


GOOD = "green"


BAD = "red"


QUIET = "dim"


TEXT, NARROW, GAP = 30, 20, 3
"""Characters that a column of texts takes before its words go on below, where the table fits the screen and where
it does not; and blanks between two columns."""


def print_table(table: ReportTable, language: Language, money: MoneyUnit, console: Console, most: int = 200) -> None:
    """Print a report table; further rows than ``most`` are counted, not shown.

    Where the screen is too narrow the columns go on below in a table of their own, each with the first column:
    no figure is ever cut.
    """
    console.print(Line(table.title[language], style="bold"))
    if table.note is not None:
        console.print(Line(table.note[language], style=QUIET))
    columns = [_column(table, str(name), language, money, most) for name in table.frame if _is_shown(table, str(name))]
    is_narrow = sum(column.width + GAP for column in columns) - GAP > console.width
    if is_narrow:
        columns = [replace(one, width=min(one.width, NARROW)) if one.is_text else one for one in columns]
    for block in _blocks(columns, console.width):
        console.print(_rich_table(block, len(table.frame) - most, is_narrow))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it is printed: heading, cells, whether they are texts, and the width it needs."""

    heading: str
    cells: list[str]
    is_text: bool
    width: int


def _is_shown(table: ReportTable, column: str) -> bool:
    return not (table.indent and column == "parent")


def _column(table: ReportTable, column: str, language: Language, money: MoneyUnit, most: int) -> _Column:
    frame, is_key = table.frame.head(most), column == table.frame.columns[0]
    records = [{str(key): value for key, value in record.items()} for record in frame.to_dict("records")]
    cells = [table_cell(table, column, record, language, money) for record in records]
    if is_key and table.indent:
        depths = [table.indent.get(str(record[column]), 0) for record in records]
        cells = ["  " * depth + cell for depth, cell in zip(depths, cells, strict=True)]
    heading = visible(table.heading(column)[language])
    is_text = column_format(table.frame[column], table.formats.get(column)) in {"text", "flag"}
    widest = max(map(cell_len, cells), default=0)
    words = max((cell_len(word) for word in heading.split()), default=0)
    width = min(max(widest, cell_len(heading)), TEXT) if is_text else max(widest, min(cell_len(heading), words))
    return _Column(heading, cells, is_text, width)


def _blocks(columns: Sequence[_Column], width: int) -> Iterator[list[_Column]]:
    """Yield the columns that fit beside each other, in every block those first that tell the rows apart."""
    keys = next(
        (count for count in range(1, len(columns)) if _tell_apart(columns[:count])),
        1,
    )
    head = list(columns[:keys])
    if sum(column.width + GAP for column in head) > 0.75 * width:
        head = list(columns[:1])
    block, taken = list(head), sum(column.width for column in head) + GAP * (len(head) - 1)
    start = taken
    for column in columns[len(head) :]:
        if taken + GAP + column.width > width and len(block) > len(head):
            yield block
            block, taken = list(head), start
        block.append(column)
        taken += GAP + column.width
    yield block


def _tell_apart(columns: Sequence[_Column]) -> bool:
    """Return whether no two rows have the same cells in these columns."""
    rows = list(zip(*(column.cells for column in columns), strict=True))
    return len(set(rows)) == len(rows)


def _rich_table(columns: Sequence[_Column], left: int, is_narrow: bool) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        justify: Any = "left" if column.is_text else "right"
        least = None if column.is_text else column.width
        most = column.width if column.is_text and is_narrow and len(columns) > 2 else None
        grid.add_column(escape(column.heading), justify=justify, overflow="fold", min_width=least, max_width=most)
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*map(escape, row))
    if left > 0:
        grid.add_row(f"… +{left}")
    return grid


def table_cell(table: ReportTable, column: str, line: dict[str, Any], language: Language, money: MoneyUnit) -> str:
    """Return one cell of a report table as text."""
    value = line[column]
    if is_missing(value):
        return "" if column_format(table.frame[column], table.formats.get(column)) == "text" else EMPTY
    form = format_name(column_format(table.frame[column], table.formats.get(column)), line.get("unit"))
    if form == "flag":
        return BINDING[bool(value)][language]
    if form in FORMATS:
        return FORMATS[form].write(value, money)
    label = table.labels.get(column, {}).get(str(value))
    return label[language] if label is not None else visible(str(value))
