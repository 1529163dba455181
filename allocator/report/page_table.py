"""Report tables as the page shows them: headings, cells with the exact figure behind each, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from allocator.language import counted
from allocator.model.units import MoneyUnit
from allocator.report.formats import EMPTY, FORMATS, Format, column_format, format_name, is_missing
from allocator.report.templating import both
from allocator.report.words import BINDING
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["PageTable", "page_table"]

MOST_ROWS = 1500
"""Rows that a table of the page shows; the CSV files and the workbook hold more."""

SHORT, LONG = 16, 48
"""Texts up to the first length stand on one line in a table; those beyond the second take more room than others."""


class Heading(NamedTuple):
    """The heading of a column."""

    column: str
    text: Text
    is_figure: bool


class Cell(NamedTuple):
    """A cell: its class, the exact figure behind it, and what is shown."""

    class_: str
    value: float | None
    shown: str


@dataclass(frozen=True, eq=False)
class PageTable:
    """A table as the template lays it out.

    Parameters
    ----------
    name, title
        As the report table's.
    heads : tuple of Heading
        One for each column.
    rows : sequence of (int or None, tuple of Cell)
        Depth in the tree (None in a flat table) and cells.
    notes : tuple of Text
        Lines below it.
    headed : bool
        Whether its title stands above it.
    screen_only : bool
        Whether it stays out of print.
    """

    name: str
    title: Text
    heads: tuple[Heading, ...]
    rows: Sequence[tuple[int | None, tuple[Cell, ...]]]
    notes: tuple[Text, ...]
    headed: bool = True
    screen_only: bool = False


def page_table(source: ReportTable, money: MoneyUnit, *, headed: bool = True, screen_only: bool = False) -> PageTable:
    """Return a report table for the page; columns that are for files only are left out."""
    frame = source.frame.head(MOST_ROWS)
    columns = [str(column) for column in frame.columns if str(column) not in source.files_only]
    forms = {column: column_format(source.frame[column], source.formats.get(column)) for column in columns}
    heads = tuple(
        Heading(column, source.heading(column), forms[column] in FORMATS or forms[column] == "by_unit")
        for column in columns
    )
    cells = zip(*(_cells(source, frame, column, forms[column], money) for column in columns), strict=True)
    keys = frame.iloc[:, 0].tolist() if source.indent else ()
    depths = [source.indent.get(str(key), 0) for key in keys] if source.indent else repeat(None)
    notes = [] if source.note is None else [source.note]
    left = len(source.frame) - len(frame)
    if left:
        notes.append(Text(f"{counted(left, 'further row')} in the CSV file.", f"其余 {left:,} 行见 CSV 文件。"))
    rows = list(zip(depths, cells, strict=False))
    return PageTable(source.name, source.title, heads, rows, tuple(notes), headed, screen_only)


def _cells(source: ReportTable, frame: pd.DataFrame, column: str, form: str, money: MoneyUnit) -> list[Cell]:
    """Return the cells of a column; what repeats in it is written once."""
    values = frame[column].tolist()
    if form == "by_unit":
        shown = [FORMATS[format_name(form, unit)] for unit in frame["unit"].tolist()]
        return list(map(_figure, values, shown, repeat(money)))
    if form in FORMATS:
        return list(map(_figure, values, repeat(FORMATS[form]), repeat(money)))
    if form == "flag":
        return list(map(_flag, values))
    labels, written = source.labels.get(column, {}), dict[str, Cell]()
    cells = []
    for value in values:
        text = "" if is_missing(value) else str(value)
        if text not in written:
            written[text] = _text(text, labels.get(text))
        cells.append(written[text])
    return cells


def _figure(value: Any, form: Format, money: MoneyUnit) -> Cell:
    if is_missing(value):
        return Cell("figure", None, EMPTY)
    text = form.write(value, money)
    return Cell("figure negative" if text.startswith("−") else "figure", float(value), text)


def _flag(value: Any) -> Cell:
    if is_missing(value) or value == "":
        return Cell("", None, "")
    return Cell("yes" if value else "no", None, both(BINDING[bool(value)]))


def _text(text: str, label: Text | None) -> Cell:
    if not text and label is None:
        return Cell("", None, "")
    longest = text if label is None else max(label.en, label.zh, key=len)
    shown: str | Markup = text if label is None else both(label)
    return Cell("short" if len(longest) <= SHORT else "long" if len(longest) > LONG else "text", None, shown)
