"""HTML pieces of the report page: every text escaped, every sentence in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import repeat
from typing import Any

import pandas as pd

from allocator.report.formats import FORMATS, Format, MoneyUnit, column_format, format_name, is_missing
from allocator.report.words import BINDING
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["attributes", "both", "figure", "plain", "table", "tag"]

MOST_ROWS = 1500
"""Rows that a table of the page shows; the CSV files and the workbook hold more."""

CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
"""Control characters but the end of a line."""

EMPTY = "<td></td>"

SHORT, LONG = 16, 48
"""Texts up to the first length stand on one line in a table; those beyond the second take more room than others."""


def plain(value: object) -> str:
    """Return text that is safe inside an element or a quoted attribute; control characters become spaces."""
    return escape(CONTROL.sub(" ", str(value)), quote=True)


def both(text: Text) -> str:
    """Return a text in both languages; the page shows the one that is switched on."""
    if text.en == text.zh:
        return plain(text.en)
    return f'<span class="en" lang="en">{plain(text.en)}</span><span class="zh" lang="zh">{plain(text.zh)}</span>'


def attributes(values: Mapping[str, object]) -> str:
    """Return attributes with escaped values; an underscore in a name stands for a hyphen, None leaves it out."""
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{plain(value)}"' for name, value in values.items() if value is not None
    )


def tag(name: str, content: str | Iterable[str] = "", **values: object) -> str:
    """Return an element; ``content`` is HTML already, attribute values are escaped here."""
    inner = content if isinstance(content, str) else "".join(content)
    return f"<{name}{attributes(values)}>{inner}</{name}>"


def figure(title: Text, picture: str, note: Text | None = None, *, wide: bool = False) -> str:
    """Return a chart with its heading and a line below; a ``wide`` one takes the page's whole width."""
    below = tag("p", both(note), class_="note") if note is not None else ""
    return tag("figure", [tag("figcaption", both(title)), picture, below], class_="chart wide" if wide else "chart")


def table(source: ReportTable, money: MoneyUnit, *, tools: bool = True) -> str:
    """Return a report table that sorts by its headings and, with ``tools``, filters by a text."""
    frame = source.frame.head(MOST_ROWS)
    columns = [str(column) for column in frame.columns if str(column) not in source.files_only]
    forms = {column: column_format(source.frame[column], source.formats.get(column)) for column in columns}
    head = "".join(_heading(source, column, forms[column]) for column in columns)
    cells = zip(*(_cells(source, frame, column, forms[column], money) for column in columns), strict=True)
    depths = [source.indent.get(str(key), 0) for key in frame.iloc[:, 0].tolist()] if source.indent else repeat(None)
    body = [tag("tr", line, data_depth=depth) for line, depth in zip(cells, depths, strict=False)]
    caption = [] if source.note is None else [tag("p", both(source.note), class_="note")]
    if len(source.frame) > len(frame):
        left = len(source.frame) - len(frame)
        text = Text(f"{left:,} further rows are in the CSV file.", f"其余 {left:,} 行见 CSV 文件。")
        caption.append(tag("p", both(text), class_="note"))
    grid = tag("table", [tag("thead", tag("tr", head)), tag("tbody", body)], class_="data", id=f"table-{source.name}")
    search = _search(source, len(frame)) if tools and len(frame) > 8 else ""
    return search + tag("div", grid, class_="scroll", tabindex="0", role="region") + "".join(caption)


def _search(source: ReportTable, rows: int) -> str:
    label = Text("Filter rows", "筛选")
    box = tag("label", both(label) + f'<input type="search" data-filter="table-{plain(source.name)}">')
    return tag("div", box + tag("span", str(rows), class_="count", aria_live="polite"), class_="tools")


def _heading(source: ReportTable, column: str, form: str) -> str:
    is_figure = form in FORMATS or form == "by_unit"
    # Not a <button>: Chromium leaves those blank where a printed table repeats its heading.
    button = tag("span", both(source.heading(column)), role="button", tabindex="0")
    figure_class = "figure" if is_figure else None
    return tag("th", button, scope="col", class_=figure_class, aria_sort="none", data_column=column)


def _cells(source: ReportTable, frame: pd.DataFrame, column: str, form: str, money: MoneyUnit) -> list[str]:
    """Return the cells of a column; what repeats in it is written once."""
    values = frame[column].tolist()
    if form == "by_unit":
        shown = [FORMATS[format_name(form, unit)] for unit in frame["unit"].tolist()]
        return list(map(_figure, values, shown, repeat(money)))
    if form in FORMATS:
        return list(map(_figure, values, repeat(FORMATS[form]), repeat(money)))
    if form == "flag":
        return list(map(_flag, values))
    labels, written = source.labels.get(column, {}), dict[str, str]()
    cells = []
    for value in values:
        text = "" if is_missing(value) else str(value)
        if text not in written:
            written[text] = _text(text, labels.get(text))
        cells.append(written[text])
    return cells


def _figure(value: Any, form: Format, money: MoneyUnit) -> str:
    if is_missing(value):
        return '<td class="figure">—</td>'
    text = form.write(value, money)
    sign = " negative" if text.startswith("−") else ""
    return f'<td class="figure{sign}" data-value="{float(value)!r}">{text}</td>'


def _flag(value: Any) -> str:
    if is_missing(value) or value == "":
        return EMPTY
    return tag("td", both(BINDING[bool(value)]), class_="yes" if value else "no")


def _text(text: str, label: Text | None) -> str:
    if not text and label is None:
        return EMPTY
    longest = text if label is None else max(label.en, label.zh, key=len)
    said = plain(text) if label is None else both(label)
    return tag("td", said, class_="short" if len(longest) <= SHORT else "long" if len(longest) > LONG else "text")
