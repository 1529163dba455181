"""Tables on the console."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text as Line

from allocator.report.formats import EMPTY, FORMATS, MoneyUnit, column_format, format_name, is_missing
from allocator.report.words import BINDING
from allocator.result.tables import ReportTable
from allocator.types import Language

__all__ = ["print_table", "table_cell", "QUIET", "GOOD", "BAD"]


GOOD = "green"


BAD = "red"


QUIET = "dim"


def print_table(table: ReportTable, language: Language, money: MoneyUnit, console: Console, most: int = 200) -> None:
    """Print a report table; further rows than ``most`` are counted, not shown."""
    console.print(Line(table.title[language], style="bold"))
    if table.note is not None:
        console.print(Line(table.note[language], style=QUIET))
    console.print(_rich_table(table, language, money, most))


def _rich_table(table: ReportTable, language: Language, money: MoneyUnit, most: int) -> Table:
    columns = [str(column) for column in table.frame.columns if not (table.indent and column == "parent")]
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    forms = {column: column_format(table.frame[column], table.formats.get(column)) for column in columns}
    for column in columns:
        justify: Any = "left" if forms[column] in {"text", "flag"} else "right"
        grid.add_column(escape(table.heading(column)[language]), justify=justify, overflow="fold")
    for record in table.frame.head(most).to_dict("records"):
        line = {str(key): value for key, value in record.items()}
        depth = table.indent.get(str(line[columns[0]]), 0)
        cells = [table_cell(table, column, line, language, money) for column in columns]
        grid.add_row(*(escape("  " * depth * (position == 0) + cell) for position, cell in enumerate(cells)))
    if len(table.frame) > most:
        grid.add_row(f"… +{len(table.frame) - most}")
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
    return label[language] if label is not None else str(value)
