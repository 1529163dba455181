"""The workbook: text that can never start a formula, figures with their formats, written a row at a time.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end is written behind an apostrophe, the
spreadsheet's own mark of text, and every text cell has the string type: neither opening the file nor
editing the cell nor saving it as CSV can turn a name into a formula. Formulas are written by this room
alone, as `Formula`.

openpyxl writes the workbook: styles, sheets, names, filters, print settings. The rows themselves are laid
into its sheets as the few XML elements they consist of: an object a cell costs ten times as much, and
openpyxl would round figures to 16 digits, of which a double needs 17.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

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

ROWS = re.compile(rb"<sheetData\s*/>|<sheetData>.*?</sheetData>", re.DOTALL)
"""Where a sheet holds its rows."""


@dataclass(frozen=True, eq=False)
class Look:
    """How cells of a row look besides their number format."""

    font: Font | None = None
    fill: PatternFill | None = None
    alignment: Alignment | None = None


PLAIN = Look()
BOLD = Look(Font(bold=True))
TITLE = Look(Font(bold=True, size=14))
QUIET = Look(Font(italic=True, color="5B6878"))
TOTAL = Look(Font(bold=True), PatternFill("solid", fgColor="E8EDF4"))
HEAD = Look(
    Font(bold=True, color="FFFFFF"),
    PatternFill("solid", fgColor="1F3A5F"),
    Alignment(vertical="center", wrap_text=True),
)


@cache
def _indented(depth: int) -> Look:
    return Look(alignment=Alignment(indent=2 * depth))


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
    """A formula of this room's own making; no data enters it."""

    text: str


class Book:
    """A workbook that is filled sheet by sheet."""

    def __init__(self) -> None:
        self._book = Workbook()
        self._book.remove(self._book.active)
        self._styles: dict[tuple[str, Look], str] = {}
        self._sheets: list[Sheet] = []

    def add(self, name: str) -> Sheet:
        """Return a new sheet at the end, landscape A4, as wide as the page."""
        made = self._book.create_sheet(sheet_name(name, self._book.sheetnames))
        made.sheet_view.showGridLines = False
        made.page_setup.orientation, made.page_setup.paperSize = "landscape", made.PAPERSIZE_A4
        made.page_setup.fitToHeight = 0
        made.sheet_properties.pageSetUpPr.fitToPage = True
        self._sheets.append(Sheet(made, self))
        return self._sheets[-1]

    def style(self, form: str, look: Look) -> str:
        """Return the attribute that gives a cell a format (a name of `FORMATS`, else text) and a look."""
        known = self._styles.get((form, look))
        if known is None:
            cell = WriteOnlyCell(self._sheets[0].sheet)
            if form in FORMATS:
                cell.number_format = FORMATS[form].excel
            for name, part in vars(look).items():
                if part is not None:
                    setattr(cell, name, part)
            known = self._styles[form, look] = f' s="{cell.style_id}"' if cell.has_style else ""
        return known

    def save(self, path: Path, title: str) -> None:
        """Write the workbook.

        It is packed in memory: a disk that fills up then leaves no half-closed archive behind.
        """
        self._book.properties.creator = "allocator"
        self._book.properties.title = title
        self._book.calculation.fullCalcOnLoad = True
        for sheet in self._sheets:
            sheet.reserve()
        bare, packed = io.BytesIO(), io.BytesIO()
        self._book.save(bare)
        rows = {sheet.sheet.path.removeprefix("/"): sheet for sheet in self._sheets}
        with ZipFile(bare) as source, ZipFile(packed, "w") as target:
            for entry in source.infolist():
                content = source.read(entry)
                if entry.filename in rows:
                    content = _filled(content, rows[entry.filename].xml())
                target.writestr(entry, content)
        path.write_bytes(packed.getvalue())


def _filled(sheet: bytes, rows: bytes) -> bytes:
    """Return a sheet's XML with its rows replaced."""
    filled, count = ROWS.subn(lambda _: rows, sheet)
    if count != 1:
        raise ValueError(f"a sheet should hold its rows in one place, found {count}")
    return filled


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
    _rows: list[str] = field(default_factory=list)
    _texts: dict[str, tuple[str, float]] = field(default_factory=dict)
    _letters: list[str] = field(default_factory=list)

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
        self.row += 1
        for place in range(len(self._letters) + 1, len(values) + 1):
            self._letters.append(get_column_letter(place))
        cells = [
            self._cell(place, value, form, look if place or not depth else _indented(depth))
            for place, (value, form) in enumerate(zip(values, forms, strict=True))
        ]
        self._rows.append(f'<row r="{self.row}">{"".join(cells)}</row>')
        if depth:
            self.widths[0] = max(self.widths.get(0, 0.0), self._text(values[0])[1] + 2.5 * depth)
        return self.row

    def extend(self, columns: Sequence[Iterable[object]], forms: Sequence[Iterable[str]], depths: Iterable[int]) -> int:
        """Write rows given by columns and return the last one's number.

        Parameters
        ----------
        columns : sequence of iterable
            The cells of each column.
        forms : sequence of iterable of str
            The format of each cell, column by column; may go on for longer than the cells.
        depths : iterable of int
            Steps by which each row is indented; likewise.
        """
        rows = zip(zip(*columns, strict=True), zip(*forms, strict=False), depths, strict=False)
        for values, shown, depth in rows:
            self.append(values, shown, depth=depth)
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
            letter = self._letters[place]
            self.sheet.column_dimensions[letter].width = min(max(width + 2.0, narrowest), widest)

    def reserve(self) -> None:
        """Let the workbook know how far the rows reach."""
        if self.row:
            self.sheet.cell(self.row, len(self._letters))

    def xml(self) -> bytes:
        """Return the rows."""
        return f"<sheetData>{''.join(self._rows)}</sheetData>".encode()

    def _cell(self, place: int, value: object, form: str, look: Look) -> str:
        """Return the XML of a cell; nothing for an empty one without a look of its own."""
        style = self.book.style(form, look)
        where = f'<c r="{self._letters[place]}{self.row}"{style}'
        if isinstance(value, Formula):
            return f"{where}><f>{escape(value.text[1:])}</f><v/></c>"
        empty = "" if look is PLAIN else f"{where}/>"
        if is_missing(value):
            return empty
        if form in FORMATS:
            figure = float(value)  # type: ignore[arg-type]
            self.widths[place] = max(self.widths.get(place, 0.0), 12.0)
            return f"{where}><v>{figure!r}</v></c>" if math.isfinite(figure) else empty
        text, width = self._text(value)
        self.widths[place] = max(self.widths.get(place, 0.0), width)
        return f'{where} t="inlineStr"><is>{text}</is></c>' if text else empty

    def _text(self, value: object) -> tuple[str, float]:
        """Return the XML of a text, none for an empty one, and its width."""
        said = str(value)
        known = self._texts.get(said)
        if known is None:
            text = safe_text(said)
            kept = ' xml:space="preserve"' if text != text.strip() else ""
            xml = f"<t{kept}>{escape(text)}</t>" if text else ""
            known = self._texts[said] = xml, text_width(text, 1.75)
        return known
