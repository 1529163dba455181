"""Cells of the workbook: text that can never start a formula, figures with their formats.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end is written behind an apostrophe, the
spreadsheet's own mark of text, and every text cell has the string type: neither opening the file nor
editing the cell nor saving it as CSV can turn a name into a formula. Formulas are written by this room
alone, as `Formula`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from allocator.report.formats import FORMATS, is_missing
from allocator.report.svg import text_width

__all__ = ["DANGEROUS", "Formula", "Sheet", "safe_text", "sheet_name"]

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that a spreadsheet may read as the start of a formula."""

LONGEST = 32_000
"""Characters a cell is cut at; the format allows 32,767."""

HEAD = PatternFill("solid", fgColor="1F3A5F")
TOTAL = PatternFill("solid", fgColor="E8EDF4")
HEAD_FONT = Font(bold=True, color="FFFFFF")
BOLD = Font(bold=True)
TITLE = Font(bold=True, size=14)
QUIET = Font(italic=True, color="5B6878")


def safe_text(value: object) -> str:
    """Return text that a cell may hold: no control characters, not too long, never the start of a formula."""
    text: str = ILLEGAL_CHARACTERS_RE.sub(" ", str(value))
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
    """A formula of this room's own making; no data enters it."""

    text: str


@dataclass(eq=False)
class Sheet:
    """A sheet that is filled from top to bottom.

    Parameters
    ----------
    sheet : Worksheet
        Where rows go.
    row : int
        The last row written.
    """

    sheet: Worksheet
    row: int = 0
    widths: dict[int, float] = field(default_factory=dict)

    def append(self, values: Sequence[object], forms: Sequence[str], **style: Any) -> int:
        """Write a row, each value in its format (a name of `FORMATS`, or ``"text"``); return its number."""
        self.row += 1
        for place, (value, form) in enumerate(zip(values, forms, strict=True), 1):
            self._put(place, value, form, style)
        return self.row

    def heading(self, words: Sequence[str]) -> int:
        """Write a row of column headings, keep everything above in sight, and return its number."""
        middle = Alignment(vertical="center", wrap_text=True)
        self.append(words, ["text"] * len(words), fill=HEAD, font=HEAD_FONT, alignment=middle)
        return self.row

    def title(self, text: str, note: str | None = None) -> None:
        """Write the sheet's title, a line below it and an empty row."""
        self.line(text, TITLE)
        if note:
            self.line(note)
        self.row += 1

    def line(self, text: str, font: Font = QUIET) -> None:
        """Write a line of text that does not widen its column."""
        self.row += 1
        self._text(self.sheet.cell(self.row, 1), text)
        self.sheet.cell(self.row, 1).font = font

    def indent(self, depth: int) -> None:
        """Indent the first cell of the last row."""
        if depth:
            self.sheet.cell(self.row, 1).alignment = Alignment(indent=2 * depth)
            self.widths[1] = max(self.widths.get(1, 0.0), self._width(self.sheet.cell(self.row, 1).value) + 2.5 * depth)

    def fit(self, narrowest: float = 10.0, widest: float = 56.0) -> None:
        """Set the width of each column from the widest text in it, within reason."""
        for place, width in self.widths.items():
            letter = get_column_letter(place)
            self.sheet.column_dimensions[letter].width = min(max(width + 2.0, narrowest), widest)

    def _put(self, place: int, value: object, form: str, style: dict[str, Any]) -> None:
        cell = self.sheet.cell(self.row, place)
        if isinstance(value, Formula):
            cell.value = value.text
            cell.number_format = FORMATS[form].excel
        elif not is_missing(value):
            if form in FORMATS:
                cell.value = float(value)  # type: ignore[arg-type]
                cell.number_format = FORMATS[form].excel
                self.widths[place] = max(self.widths.get(place, 0.0), 12.0)
            else:
                self._text(cell, value)
                self.widths[place] = max(self.widths.get(place, 0.0), self._width(cell.value))
        for name, part in style.items():
            setattr(cell, name, part)

    @staticmethod
    def _text(cell: Any, value: object) -> None:
        cell.value = safe_text(value)
        cell.data_type = "s"

    @staticmethod
    def _width(value: object) -> float:
        return text_width(str(value), 1.75)
