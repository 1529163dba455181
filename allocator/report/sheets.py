"""The workbook: text that can never start a formula, figures with their formats, written a row at a time.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end is written behind an apostrophe, the
spreadsheet's own mark of text, and every text cell has the string type: neither opening the file nor
editing the cell nor saving it as CSV can turn a name into a formula. Formulas are written by this room
alone, as `Formula`.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from allocator.report.formats import FORMATS, is_missing
from allocator.report.svg import text_width

__all__ = [
    "BOLD",
    "DANGEROUS",
    "PLAIN",
    "TOTAL",
    "Book",
    "Formula",
    "Look",
    "Sheet",
    "safe_text",
    "sheet_name",
]

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that a spreadsheet may read as the start of a formula."""

LONGEST = 32_000
"""Characters a cell is cut at; the format allows 32,767."""

ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot hold."""


@dataclass(frozen=True, eq=False)
class Look:
    """How cells of a row look besides their number format: properties of a format, by XlsxWriter's names."""

    properties: Mapping[str, object] = field(default_factory=dict)


PLAIN = Look()
BOLD = Look({"bold": True})
TITLE = Look({"bold": True, "font_size": 14})
QUIET = Look({"italic": True, "font_color": "#5B6878"})
TOTAL = Look({"bold": True, "bg_color": "#E8EDF4"})
HEAD = Look({"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F", "valign": "vcenter", "text_wrap": True})

COLOURS = ("#B6C2D1", "#1F5FA8")
"""Of a chart's series: before and after."""

BESIDE = (9, 6)
"""Row and column, from zero, where a chart stands."""

FIGURE = 12.0
"""Width of a column of figures."""


@cache
def _indented(depth: int) -> Look:
    return Look({"indent": 2 * depth})


@lru_cache(100_000, typed=True)
def safe_text(value: object) -> str:
    """Return text that a cell may hold: no control characters, not too long, never the start of a formula."""
    text = ILLEGAL.sub(" ", str(value))
    if text.startswith(DANGEROUS):
        text = "'" + text
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def sheet_name(wanted: str, taken: Sequence[str]) -> str:
    """Return a name a workbook accepts, made unique without regard to case."""
    base = re.sub(r"[\[\]:*?/\\]", "_", wanted).strip("'")[:28] or "sheet"
    name, number, used = base, 2, {other.lower() for other in taken}
    while name.lower() in used:
        name, number = f"{base}_{number}", number + 1
    return name


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of this room's own making, into which no text of the user enters, and what it comes to.

    The value is for whoever opens the file without recomputing it: a preview, a script, LibreOffice.
    """

    text: str
    value: float


class Book:
    """A workbook that is filled sheet by sheet."""

    def __init__(self) -> None:
        # Packed in memory: a disk that fills up then leaves no half-closed archive behind.
        self._packed = io.BytesIO()
        self._book = Workbook(self._packed, {"in_memory": True})
        self._formats: dict[tuple[str, Look], Format] = {}

    def add(self, name: str) -> Sheet:
        """Return a new sheet at the end, landscape A4, as wide as the page."""
        made = self._book.add_worksheet(sheet_name(name, [sheet.name for sheet in self._book.worksheets()]))
        made.hide_gridlines(2)
        made.set_landscape()
        made.set_paper(9)  # A4
        made.fit_to_pages(1, 0)
        return Sheet(made, self)

    def style(self, form: str, look: Look) -> Format:
        """Return a format: a name of `FORMATS`, else text, and a look."""
        found = self._formats.get((form, look))
        if found is None:
            number = {"num_format": FORMATS[form].excel} if form in FORMATS else {}
            found = self._formats[form, look] = self._book.add_format({**number, **look.properties})
        return found

    def bars(self) -> Any:
        """Return a bar chart to fill."""
        return self._book.add_chart({"type": "bar"})

    def save(self, path: Path, title: str) -> None:
        """Write the workbook; spreadsheets recompute its formulas when they open it."""
        self._book.set_properties({"author": "allocator", "title": safe_text(title)})
        self._book.close()
        path.write_bytes(self._packed.getvalue())


@dataclass(eq=False)
class Sheet:
    """A sheet that is filled from top to bottom.

    Parameters
    ----------
    sheet : Worksheet
        What is set for the sheet as a whole.
    book : Book
        Where it belongs.
    row : int
        The last row written.
    """

    sheet: Worksheet
    book: Book
    row: int = 0
    widths: dict[int, float] = field(default_factory=dict)
    drawn: int = 0

    def append(self, values: Sequence[object], forms: Sequence[str], look: Look = PLAIN, depth: int = 0) -> int:
        """Write a row, each value in its format (a name of `FORMATS`, or ``"text"``); return its number.

        Parameters
        ----------
        values : sequence
            Figures, texts, `Formula`; a missing value leaves the cell empty.
        forms : sequence of str
            One for each value.
        look : Look
            Of all cells of the row.
        depth : int
            Steps by which the first cell is indented.
        """
        return self.extend([[value] for value in values], [[form] for form in forms], [depth], look)

    def extend(
        self,
        columns: Sequence[Sequence[object]],
        forms: Sequence[Iterable[str]],
        depths: Iterable[int] = (),
        look: Look = PLAIN,
    ) -> int:
        """Write rows given by columns and return the last one's number.

        Parameters
        ----------
        columns : sequence of sequence
            The cells of each column, as many in each.
        forms : sequence of iterable of str
            The format of each cell, column by column; may go on for longer than the cells.
        depths : iterable of int
            Steps by which the first cell of each row is indented; none beyond its end.
        look : Look
            Of all cells.
        """
        for place, (values, shown) in enumerate(zip(columns, forms, strict=True)):
            self._column(place, values, shown, depths if place == 0 else (), look)
        self.row += len(columns[0])
        return self.row

    def heading(self, words: Sequence[str]) -> int:
        """Write a row of column headings and return its number."""
        return self.append(words, ["text"] * len(words), HEAD)

    def title(self, text: str, note: str | None = None) -> None:
        """Write the sheet's title, a line below it and an empty row."""
        self.line(text, TITLE)
        if note:
            self.line(note)
        self.row += 1

    def line(self, text: str, look: Look = QUIET) -> None:
        """Write a line of text that does not widen its column."""
        widths, self.widths = self.widths, {}
        self.append([text], ["text"], look)
        self.widths = widths

    def fit(self, narrowest: float = 10.0, widest: float = 56.0) -> None:
        """Set the width of each column from the widest text in it, within reason."""
        for place, width in self.widths.items():
            self.sheet.set_column(place, place, min(max(width + 2.0, narrowest), widest))
        if self.row and self.widths:
            self.sheet.print_area(0, 0, self.row - 1, max(*self.widths, self.drawn))

    def chart(self, title: str, rows: tuple[int, int], names: Sequence[str]) -> None:
        """Draw columns B, C … of these rows (from zero) as bars to the right of the first table, headings in A."""
        drawn = self.book.bars()
        first, last = rows
        name = self.sheet.get_name()
        for place, series in enumerate(names, 1):
            cells = [name, first, place, last, place]
            colour = COLOURS[(place - 1) % len(COLOURS)]
            drawn.add_series(
                {"name": series, "categories": [name, first, 0, last, 0], "values": cells, "fill": {"color": colour}}
            )
        drawn.set_title({"name": title, "name_font": {"size": 11}})
        drawn.set_y_axis({"reverse": True})
        drawn.set_legend({"position": "bottom"})
        drawn.set_size({"width": 620, "height": 140 + 26 * (last - first + 1)})
        self.sheet.insert_chart(BESIDE[0], BESIDE[1], drawn)
        self.drawn = BESIDE[1] + 8

    def freeze(self, head: int) -> None:
        """Keep the first column and the rows down to ``head`` in sight, on the screen and on paper."""
        self.sheet.freeze_panes(head, 1)
        self.sheet.repeat_rows(head - 1)

    def filter(self, head: int, columns: int) -> None:
        """Let the reader filter the rows below ``head``."""
        if self.row > head:
            self.sheet.autofilter(head - 1, 0, self.row - 1, columns - 1)

    def _column(
        self, place: int, values: Sequence[object], forms: Iterable[str], depths: Iterable[int], look: Look
    ) -> None:
        sheet, widest = self.sheet, self.widths.get(place, 0.0)
        for row, (value, form, depth) in enumerate(
            zip(values, forms, chain(depths, repeat(0)), strict=False), self.row
        ):
            style = self.book.style(form, look if not depth else _indented(depth))
            if is_missing(value) or value == "":
                if look is not PLAIN:
                    sheet.write_blank(row, place, None, style)
            elif isinstance(value, Formula):
                sheet.write_formula(row, place, value.text, style, value.value)
            elif form in FORMATS:
                widest = max(widest, FIGURE)
                figure = float(value)  # type: ignore[arg-type]
                if math.isfinite(figure):
                    sheet.write_number(row, place, figure, style)
            else:
                widest = max(widest, _width(value) + 2.5 * depth)
                sheet.write_string(row, place, safe_text(value), style)
        if widest:
            self.widths[place] = widest


@lru_cache(100_000)
def _width(value: object) -> float:
    return text_width(str(value), 1.75)
