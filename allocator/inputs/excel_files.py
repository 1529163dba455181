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
from allocator.inputs.findings import Findings
from allocator.inputs.packed import LARGEST, too_much
from allocator.inputs.raw import HEADING_ROWS, RawTable, Wanted, heading_row, tidy
from allocator.types import Phrase, Text

__all__ = ["read_excel"]

SUSPICIOUS = 10 << 20
MOST_PACKED = 200
"""A part of more than `SUSPICIOUS` bytes may be packed by at most this factor."""
MOST_COLUMNS = 16_384
EPOCH_1904_SHIFT = 1462

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_UNSAVED = re.compile(
    rb'<(?:\w+:)?c\s(?![^>]*t="str")[^>]*?r="([A-Z]+\d+)"[^>]*?><(?:\w+:)?f(?:\s[^>]*?)?(?:/>|>[^<]*</(?:\w+:)?f>)'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?</(?:\w+:)?c>"
)


def read_excel(
    content: bytes | memoryview,
    file: str,
    fingerprint: str,
    sheet: str,
    wanted: Wanted,
    findings: Findings,
    limit: int = LARGEST,
) -> RawTable | None:
    """Return the table of a workbook, or None with the reason in ``findings``.

    Parameters
    ----------
    content : bytes or memoryview
        The file.
    file, fingerprint : str
        Its name and hash.
    sheet : str
        Sheet wanted; empty: the only one, the one named as the table, else the visible one whose headings
        fit best. Hidden rows and columns are read like any other.
    wanted : Wanted
        The table looked for.
    findings : Findings
        Receives the reason, merged cells and formulas without a saved value.
    limit : int
        Most bytes that its parts, and its cells with the shared text written out, may take.
    """
    if not _openable(content, file, findings, limit):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of drawings, validations and the like that are not read
            page = _page(content, file, sheet, wanted, findings, limit)
    except Exception as error:  # whatever a damaged part makes the parsers below openpyxl raise
        findings.add(
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
        findings.add(Text("the sheet is empty", "工作表为空"), name)
        return None
    raw = _table(page, name, fingerprint)
    _report_sheet(page.xml, raw, page.heading + 1, findings)
    return raw


@dataclass(frozen=True, slots=True)
class _Page:
    """One sheet as saved: rows of values, where the headings stand, its XML, and how dates count."""

    name: str
    rows: list[list[Any]]
    heading: int
    xml: bytes
    epoch_shift: int


def _page(
    content: bytes | memoryview, file: str, sheet: str, wanted: Wanted, findings: Findings, limit: int
) -> _Page | None:
    """Return the sheet wanted; None when it is not to be told which, with the reason in ``findings``."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    name = _choose(book, file, sheet, wanted, findings)
    if name is None:
        return None
    page = book[name]
    page.reset_dimensions()
    rows = [_trimmed(row) for row in page.iter_rows(values_only=True)]
    # Cells refer to one table of text: so far each text is there once, below it is written out.
    size = sum(len(cell) for row in rows for cell in row if isinstance(cell, str))
    if size > limit:
        findings.add(*too_much(f"{file}#{name}", size, limit))
        return None
    heading, _ = heading_row([[plain_text(cell) for cell in row] for row in rows[:HEADING_ROWS]], wanted.fits)
    if rows:
        _as_shown(rows, heading, page, wanted)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read(page._worksheet_path)
    return _Page(name, rows, heading, xml, EPOCH_1904_SHIFT if book.epoch == datetime(1904, 1, 1) else 0)


def _openable(content: bytes | memoryview, file: str, findings: Findings, limit: int) -> bool:
    """Return whether the file is a workbook of bearable size."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        findings.add(
            Text("not an .xlsx workbook", "不是 .xlsx 工作簿"),
            file,
            hint=Text("remove the password or save it as .xlsx", "请去除密码或另存为 .xlsx"),
        )
        return False
    size = sum(part.file_size for part in parts)
    packed = [
        part for part in parts if part.file_size > SUSPICIOUS and part.file_size > MOST_PACKED * part.compress_size
    ]
    if size > limit or packed:
        findings.add(*too_much(file, size, limit))
        return False
    return True


def _choose(book: Any, file: str, sheet: str, wanted: Wanted, findings: Findings) -> str | None:
    """Return the sheet to read."""
    names = [page.title for page in book.worksheets]
    if sheet:
        if sheet in names:
            return sheet
        findings.add(Text("no such sheet", "工作表不存在"), file, sheet, ", ".join(names), did_you_mean(sheet, names))
        return None
    if len(names) == 1:
        return str(names[0])
    if wanted.name in names:
        return wanted.name
    counts: dict[str, int] = {}
    for page in book.worksheets:
        if page.sheet_state == "visible":
            page.reset_dimensions()
            top = [[plain_text(cell) for cell in row] for row in page.iter_rows(max_row=HEADING_ROWS, values_only=True)]
            counts[page.title] = heading_row(top, wanted.fits)[1]
    best = max(counts.values(), default=0)
    fitting = [name for name, count in counts.items() if count == best]
    if best > 0 and len(fitting) == 1:
        return fitting[0]
    findings.add(
        Text(f"which sheet holds the table {wanted.name}?", f"无法确定表 {wanted.name} 所在的工作表"),
        file,
        None,
        ", ".join(names),
        Text(f"name it: {file}#{names[0] if names else 'sheet'}", f"请指明：{file}#{names[0] if names else 'sheet'}"),
    )
    return None


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
    return RawTable(file, headings, cells, numbers, fingerprint, spreadsheet=True, epoch_shift=page.epoch_shift)


def _report_sheet(xml: bytes, raw: RawTable, heading: int, findings: Findings) -> None:
    """Report merged cells from the heading row on, and formulas saved without their value."""
    for match in _MERGED.finditer(xml):
        left, top, right, bottom = (part.decode() for part in match.groups())
        if int(bottom) >= heading:
            findings.add(
                Text("merged cells", "合并单元格"),
                Phrase(
                    f"{raw.file}, cells {left}{top}:{right}{bottom}", f"{raw.file}，单元格 {left}{top}:{right}{bottom}"
                ),
                hint=Text("unmerge them and fill every cell", "请取消合并并填写每个单元格"),
            )
    unsaved = [match.group(1).decode() for match in _UNSAVED.finditer(xml)]
    for cell in unsaved[:20]:
        findings.add(
            Text("the formula has no saved value", "公式没有已保存的计算结果"),
            Phrase(f"{raw.file}, cell {cell}", f"{raw.file}，单元格 {cell}"),
            hint=Text("open the file in Excel and save it, or paste values", "请用 Excel 打开并保存，或粘贴为数值"),
        )
    if len(unsaved) > 20:
        more = len(unsaved) - 20
        findings.add(Text(f"and {more:,} more such formulas", f"另有 {more:,} 个此类公式"), raw.file)


def _as_shown(rows: list[list[Any]], heading: int, page: Any, wanted: Wanted) -> None:
    """Under a heading with %, a cell formatted as a percentage holds 0.035 and shows 3.5%: take what it shows."""
    for position, name in enumerate(map(plain_text, rows[heading])):
        if not wanted.percent(name):
            continue
        column = page.iter_rows(min_row=heading + 2, min_col=position + 1, max_col=position + 1)
        for row, (cell,) in zip(rows[heading + 1 :], column, strict=False):
            if position < len(row) and isinstance(cell.value, (int, float)) and "%" in (cell.number_format or ""):
                row[position] = f"{Decimal(repr(float(cell.value))) * 100}%"
