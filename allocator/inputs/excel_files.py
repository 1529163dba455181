"""Excel (.xlsx): values as saved, never formulas; merged cells and formulas without a value are errors."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import did_you_mean
from allocator.inputs.cells import plain_text
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.raw import HEADING_ROWS, RawTable, TableQuery, heading_row, tidy
from allocator.types import LocalizedPhrase, Text

__all__ = ["read_excel"]

LARGEST = 512 << 20
"""Most bytes a workbook may unpack to."""
SUSPICIOUS = 10 << 20
MOST_PACKED = 200
"""A part of more than `SUSPICIOUS` bytes may be packed by at most this factor."""
MOST_COLUMNS = 16_384
EPOCH_1904_SHIFT = 1462

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_STRICT = b"purl.oclc.org/ooxml"
_STALE = re.compile(rb"""<(?:\w+:)?calcPr\b[^>]*\b(?:fullCalcOnLoad=["'](?:1|true)|calcMode=["']manual)["']""")
_HAS_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ZEROS = re.compile(r"0{2,}")
_UNSAVED = re.compile(
    rb'<(?:\w+:)?c\s(?![^>]*t="str")[^>]*?r="([A-Z]+\d+)"[^>]*?><(?:\w+:)?f(?:\s[^>]*?)?(?:/>|>[^<]*</(?:\w+:)?f>)'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?</(?:\w+:)?c>"
)


def read_excel(
    content: bytes | memoryview,
    file: str,
    fingerprint: str,
    sheet: str,
    wanted: TableQuery,
    errors: ErrorCollector,
    sheets: dict[str, bool] | None = None,
) -> RawTable | None:
    """Return the table of a workbook, or None with the reason in ``errors``.

    Parameters
    ----------
    content : bytes or memoryview
        The file.
    file, fingerprint : str
        Its name and hash.
    sheet : str
        Sheet wanted; empty: among the visible ones the only one, the one named as the table, else the one whose
        headings fit best; a hidden one where none is visible. Hidden rows and columns are read like any other.
    wanted : Wanted
        The table looked for.
    findings : Findings
        Receives the reason, merged cells and formulas without a saved value.
    sheets : dict of str to bool or None
        Receives the workbook's sheets that hold something, and which of them were read.
    """
    if not _openable(content, file, errors):
        return None
    sheets = {} if sheets is None else sheets
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of drawings, validations and the like that are not read
            page = _page(content, file, sheet, wanted, errors, sheets)
    except Exception as error:  # whatever a damaged part makes the parsers below openpyxl raise
        errors.add(
            Text("the workbook is damaged", "工作簿已损坏"),
            file,
            f"{type(error).__name__}: {error}"[:200],
            hint=Text("open it in Excel and save it again", "请用 Excel 打开后重新保存"),
        )
        return None
    if page is None:
        return None
    name = f"{file}#{page.name}"
    if not any(page.rows):
        errors.add(Text("the sheet is empty", "工作表为空"), name)
        return None
    raw = _table(page, name, fingerprint)
    _report_sheet(page.xml, raw, page.heading + 1, errors)
    if page.uncalculated:
        _report_uncalculated(content, page, raw, wanted, errors)
    return raw


@dataclass(frozen=True, slots=True)
class _Page:
    """One sheet as saved: rows of values, where the headings stand, its XML, and how dates count.

    ``uncalculated``: the workbook says that its formulas are to be calculated when it is opened, or by hand only.
    """

    name: str
    rows: list[list[Any]]
    heading: int
    xml: bytes
    epoch_shift: int
    uncalculated: bool


def _page(
    content: bytes | memoryview,
    file: str,
    sheet: str,
    wanted: TableQuery,
    errors: ErrorCollector,
    sheets: dict[str, bool],
) -> _Page | None:
    """Return the sheet wanted; None when it is not to be told which, with the reason in ``errors``."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    name = _choose(book, file, sheet, wanted, errors)
    if name is None:
        return None
    for other in book.worksheets:
        if other.title not in sheets and _fit(other, TableQuery("", lambda heading: True)):
            sheets[other.title] = False
    sheets[name] = True
    page = book[name]
    page.reset_dimensions()
    rows = [_trimmed(row) for row in page.iter_rows(values_only=True)]
    heading, _ = heading_row([[plain_text(cell) for cell in row] for row in rows[:HEADING_ROWS]], wanted.fits)
    if rows:
        _as_shown(rows, heading, page, wanted)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read(page._worksheet_path)
        stale = _STALE.search(archive.read("xl/workbook.xml")) if "xl/workbook.xml" in archive.namelist() else None
    shift = EPOCH_1904_SHIFT if book.epoch == datetime(1904, 1, 1) else 0
    return _Page(name, rows, heading, xml, shift, stale is not None and _HAS_FORMULA.search(xml) is not None)


def _openable(content: bytes | memoryview, file: str, errors: ErrorCollector) -> bool:
    """Return whether the file is a workbook of bearable size."""
    strict = False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            book = next((part for part in parts if part.filename == "xl/workbook.xml"), None)
            strict = book is not None and book.file_size < SUSPICIOUS and _STRICT in archive.read(book)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        errors.add(
            Text("not an .xlsx workbook", "不是 .xlsx 工作簿"),
            file,
            hint=Text("remove the password or save it as .xlsx", "请去除密码或另存为 .xlsx"),
        )
        return False
    if strict:
        errors.add(
            Text("a workbook saved as “Strict Open XML”", "工作簿以“Strict Open XML”格式保存"),
            file,
            hint=Text("save it as an ordinary Excel workbook (.xlsx)", "请另存为普通的 Excel 工作簿（.xlsx）"),
        )
        return False
    size = sum(part.file_size for part in parts)
    packed = [
        part for part in parts if part.file_size > SUSPICIOUS and part.file_size > MOST_PACKED * part.compress_size
    ]
    if size > LARGEST or packed:
        errors.add(
            Text("the workbook unpacks to too much", "工作簿解压后过大"),
            file,
            f"{size >> 20:,} MiB",
            f"≤ {LARGEST >> 20} MiB",
            Text("save large tables as CSV or Parquet", "大表请另存为 CSV 或 Parquet"),
        )
        return False
    return True


def _choose(book: Any, file: str, sheet: str, wanted: TableQuery, errors: ErrorCollector) -> str | None:
    """Return the sheet to read."""
    names = [page.title for page in book.worksheets]
    if sheet:
        if sheet in names:
            return sheet
        errors.add(Text("no such sheet", "工作表不存在"), file, sheet, ", ".join(names), did_you_mean(sheet, names))
        return None
    visible = [page.title for page in book.worksheets if page.sheet_state == "visible"] or names
    if len(visible) == 1:
        return str(visible[0])
    if wanted.name in visible:
        return wanted.name
    counts = {name: _fit(book[name], wanted) for name in visible}
    best = max(counts.values(), default=0)
    fitting = [name for name, count in counts.items() if count == best]
    if best > 0 and len(fitting) == 1:
        return str(fitting[0])
    errors.add(
        Text(f"which sheet holds the table {wanted.name}?", f"无法确定表 {wanted.name} 所在的工作表"),
        file,
        None,
        ", ".join(names),
        Text(f"name it: {file}#{names[0] if names else 'sheet'}", f"请指明：{file}#{names[0] if names else 'sheet'}"),
    )
    return None


def _fit(page: Any, wanted: TableQuery) -> int:
    """Return how many headings of a sheet are known."""
    page.reset_dimensions()
    top = [[plain_text(cell) for cell in row] for row in page.iter_rows(max_row=HEADING_ROWS, values_only=True)]
    return heading_row(top, wanted.fits)[1]


def _trimmed(row: tuple[Any, ...]) -> list[Any]:
    """Return a row without its empty tail."""
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return list(row[:end])


def _table(page: _Page, file: str, fingerprint: str) -> RawTable:
    rows, place = page.rows, page.heading
    width = min(max(len(row) for row in rows[place:]), MOST_COLUMNS)
    headings = tuple(plain_text(cell) for cell in [*rows[place], *[None] * width][:width])
    # Rows that hold nothing are left out here: a stray cell at a sheet's end brings a million of them.
    filled = [(number, row) for number, row in enumerate(rows[place + 1 :], place + 2) if row]
    body = [[*row, *[None] * width][:width] for _, row in filled]
    cells = tuple(
        tidy(pd.Series(list(column), dtype=object).infer_objects())
        for column in (zip(*body, strict=True) if body else [()] * width)
    )
    numbers = np.array([number for number, _ in filled], dtype=np.int64)
    titles = tuple(plain_text(cell) for row in rows[:place] for cell in row if cell is not None)
    return RawTable(
        file, headings, cells, numbers, fingerprint, spreadsheet=True, epoch_shift=page.epoch_shift, titles=titles
    )


def _report_sheet(xml: bytes, raw: RawTable, heading: int, errors: ErrorCollector) -> None:
    """Report merged cells from the heading row on, and formulas saved without their value."""
    for match in _MERGED.finditer(xml):
        left, top, right, bottom = (part.decode() for part in match.groups())
        if int(bottom) >= heading:
            errors.add(
                Text("merged cells", "合并单元格"),
                LocalizedPhrase(
                    f"{raw.file}, cells {left}{top}:{right}{bottom}", f"{raw.file}，单元格 {left}{top}:{right}{bottom}"
                ),
                hint=Text("unmerge them and fill every cell", "请取消合并并填写每个单元格"),
            )
    unsaved = [match.group(1).decode() for match in _UNSAVED.finditer(xml)]
    for cell in unsaved[:20]:
        errors.add(
            Text("the formula has no saved value", "公式没有已保存的计算结果"),
            LocalizedPhrase(f"{raw.file}, cell {cell}", f"{raw.file}，单元格 {cell}"),
            hint=Text("open the file in Excel and save it, or paste values", "请用 Excel 打开并保存，或粘贴为数值"),
        )
    if len(unsaved) > 20:
        more = len(unsaved) - 20
        errors.add(Text(f"and {more:,} more such formulas", f"另有 {more:,} 个此类公式"), raw.file)


def _report_uncalculated(
    content: bytes | memoryview, page: _Page, raw: RawTable, wanted: TableQuery, errors: ErrorCollector
) -> None:
    """Report formulas below known headings whose saved values nobody has calculated, or not since they changed."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    known = {at for at, heading in enumerate(raw.headings) if wanted.fits(heading)}
    sheet = book[page.name]
    sheet.reset_dimensions()
    cells = [
        f"{cell.column_letter}{cell.row}"
        for row in sheet.iter_rows(min_row=page.heading + 2)
        for cell in row
        if cell.value is not None and cell.data_type == "f" and cell.column - 1 in known
    ]
    if cells:
        more = f" … ({len(cells)})" if len(cells) > 20 else ""
        errors.add(
            Text("formulas that nobody has calculated since they were written", "公式写入后尚未重新计算"),
            raw.file,
            ", ".join(cells[:20]) + more,
            hint=Text(
                "open the file in Excel, calculate it (F9) and save it, or paste values",
                "请用 Excel 打开、重新计算（F9）并保存，或粘贴为数值",
            ),
        )


def _as_shown(rows: list[list[Any]], heading: int, page: Any, wanted: TableQuery) -> None:
    """Take what a cell shows where that is meant: 3.5% under a heading with %, a code with its leading zeros."""
    for position, name in enumerate(map(plain_text, rows[heading])):
        percent, code = wanted.percent(name), wanted.code(name)
        if not (percent or code):
            continue
        column = page.iter_rows(min_row=heading + 2, min_col=position + 1, max_col=position + 1)
        for row, (cell,) in zip(rows[heading + 1 :], column, strict=False):
            if position >= len(row) or not isinstance(cell.value, (int, float)):
                continue
            form = cell.number_format or ""
            if percent and "%" in form:
                row[position] = f"{Decimal(repr(float(cell.value))) * 100}%"
            elif code and _ZEROS.fullmatch(form) and float(cell.value).is_integer():
                row[position] = f"{int(cell.value):0{len(form)}d}"
