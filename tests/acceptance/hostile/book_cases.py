"""Hostile workbooks and Parquet files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from .cases import GOOD_FUND, GOOD_ROWS, HEADINGS, Case
from .csv_cases import CELLS, REFUSED

__all__ = ["excel_cases", "parquet_cases"]

ILLEGAL = frozenset(chr(code) for code in range(32)) - {"\t", "\n", "\r"}
"""Characters that no sheet can hold."""


def _book(change: Callable[[Any], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    for line in (HEADINGS, *GOOD_ROWS):
        page.append([cell or None for cell in line])
    if change is not None:
        change(page)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _shared(text: str, rows: int) -> bytes:
    """Return a workbook that holds a text once and refers to it in every row."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADINGS)
        for row in range(1, rows + 1):
            page.write_row(row, 0, [f"C{row}", text, "cash", "traditional", 1.0])
    return stream.getvalue()


def _set(cell: str, value: Any) -> Callable[[Any], None]:
    def change(page: Any) -> None:
        page[cell].value = value
        if isinstance(value, str) and not value.startswith("="):
            page[cell].data_type = "s"

    return change


def _merged(area: str) -> Callable[[Any], None]:
    return lambda page: page.merge_cells(area)


def _hidden(page: Any) -> None:
    page.row_dimensions[3].hidden = True
    page.column_dimensions["F"].hidden = True


def _far(page: Any) -> None:
    page["XFD1048576"] = 1


def _titled(page: Any) -> None:
    page.insert_rows(1, 2)
    page["A1"] = "持仓明细（单位：元）"
    page.merge_cells("A1:H1")


def _sheets(page: Any) -> None:
    for number in range(300):
        page.parent.create_sheet(f"s{number}")


def _rezipped(part: str, change: Callable[[bytes], bytes]) -> bytes:
    source, target = io.BytesIO(_book()), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.namelist():
            content = old.read(item)
            new.writestr(item, change(content) if item == part else content)
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><worksheet>&j;</worksheet>"
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>'


def _excel_files() -> Iterator[tuple[str, bytes, bool]]:
    good = _book()
    yield from (
        ("as it should be", good, True),
        ("empty file", b"", False),
        ("cut in half", good[: len(good) // 2], False),
        ("the end missing", good[:-30], False),
        ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, False),
        ("a zip of nothing", b"PK\x05\x06" + b"\0" * 18, False),
        ("text", b"asset_id,amount\nA,1\n", False),
        ("no sheet", _rezipped(SHEET, lambda _: b""), False),
        ("broken sheet", _rezipped(SHEET, lambda text: text[: len(text) // 2]), False),
        ("entity bomb", _rezipped(SHEET, lambda _: ENTITIES), False),
        ("an outside entity", _rezipped(SHEET, lambda _: OUTSIDE), False),
        ("zip bomb", _rezipped(SHEET, lambda text: text + b" " * 300_000_000), False),
        ("deep markup", _rezipped(SHEET, lambda _: b"<a>" * 50_000 + b"</a>" * 50_000), False),
        ("broken styles", _rezipped("xl/styles.xml", lambda text: text.replace(b"<", b"<<")), False),
        ("no list of sheets", _rezipped("xl/workbook.xml", lambda _: b"<workbook/>"), False),
        ("merged cells in the table", _book(_merged("B2:B4")), False),
        ("merged amounts", _book(_merged("E2:E3")), False),
        ("merged headings", _book(_merged("A1:B1")), False),
        ("a merged title above", _book(_titled), True),
        ("hidden rows and columns", _book(_hidden), True),
        ("a cell at the end of the sheet", _book(_far), True),
        ("three hundred empty sheets", _book(_sheets), True),
        ("a formula without a result", _book(_set("E3", "=SUM(E4:E5)")), False),
        ("a formula in a name", _book(_set("B3", '=HYPERLINK("http://x","y")')), False),
        ("a repeated heading", _book(_set("F1", "amount")), False),
        ("an amount as a date", _book(_set("E3", pd.Timestamp("2026-01-01").to_pydatetime())), False),
        ("a date as a time", _book(_set("L3", pd.Timestamp("2036-06-30").to_pydatetime().time())), False),
        ("a flag as an amount", _book(_set("E3", True)), False),
        ("a huge number", _book(_set("E3", 1e300)), True),
        ("one long text in every cell", _shared("名" * 32_000, 6_000), False),
    )
    for column, heading in enumerate(HEADINGS):
        for cell in CELLS:
            if ILLEGAL & set(cell) or len(cell) > 32_000 or cell.startswith("="):
                continue
            place = f"{chr(65 + column)}3"
            yield f"{heading} ← {cell[:30]!r}", _book(_set(place, cell)), cell not in REFUSED.get(heading, ())


def excel_cases() -> Iterator[Case]:
    """Yield hostile workbooks."""
    for name, content, may_pass in _excel_files():
        yield Case(name, lambda folder, content=content: _named(folder, "assets.xlsx", content), may_pass)


def _frame() -> pd.DataFrame:
    frame = pd.DataFrame([list(row) for row in GOOD_ROWS], columns=list(HEADINGS))
    return frame.assign(amount=[50.0, 30.0, 20.0, 1000.0])


def _parquet(table: pa.Table | pd.DataFrame, **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), stream, **options)
    return stream.getvalue()


def _columns(amount: pa.Array) -> bytes:
    table = pa.Table.from_pandas(_frame().head(len(amount)), preserve_index=False)
    return _parquet(table.set_column(table.schema.get_field_index("amount"), "amount", amount))


def _parquet_files() -> Iterator[tuple[str, bytes, bool]]:
    good, frame = _parquet(_frame()), _frame()
    nested = pa.array([{"a": 1.0}] * 4)
    yield from (
        ("as it should be", good, True),
        ("empty file", b"", False),
        ("magic alone", b"PAR1PAR1", False),
        ("a footer that lies", good[:-8] + b"\xff\xff\xff\x7fPAR1", False),
        ("text", b"asset_id,amount\n", False),
        ("a workbook", _book(), False),
        ("no rows", _parquet(frame.head(0)), False),
        ("no columns", _parquet(pd.DataFrame(index=range(3))), False),
        ("a map in a column", _columns(nested), False),
        ("lists in a column", _columns(pa.array([[1.0], [2.0], [3.0], [4.0]])), False),
        ("bytes in a column", _columns(pa.array([b"1", b"2", b"3", b"\xff"])), False),
        ("decimals", _columns(pa.array([50, 30, 20, 10]).cast(pa.decimal128(38, 2))), True),
        ("half floats", _columns(pa.array([50.0, 30.0, 20.0, 10.0]).cast(pa.float16())), True),
        ("infinite amounts", _columns(pa.array([50.0, float("inf"), 20.0, 10.0])), False),
        ("missing amounts", _columns(pa.array([50.0, None, 20.0, 10.0])), True),
        ("dates as amounts", _columns(pa.array([1, 2, 3, 4], pa.int32()).cast(pa.date32())), False),
        ("times with a zone", _columns(pa.array([1, 2, 3, 4]).cast(pa.timestamp("ns", "UTC"))), False),
        ("durations", _columns(pa.array([1, 2, 3, 4]).cast(pa.duration("s"))), False),
        ("flags as amounts", _columns(pa.array([True, False, True, True])), False),
        ("dictionary", _parquet(frame.astype({"kind": "category", "account": "category"})), True),
        ("an index that is a column", _parquet(frame.set_index("asset_id")), True),
        ("a repeated column", _repeated(), False),
        ("many row groups", _parquet(frame, row_group_size=1), True),
        ("brotli", _parquet(frame, compression="brotli"), True),
        ("one long word by reference", _parquet(pa.table({"name": _referred("x" * 1_000_000, 20_000)})), False),
        ("one long word in lists", _parquet(pa.table({"indices": _lists("x" * 100_000, 20_000)})), False),
        ("zeros by the million", _many(pa.table({f"x{k}": np.zeros(50_000) for k in range(80)}), 20), False),
        ("text that packs well", _many(pa.table({"name": ["0" * 200_000 + str(k) for k in range(100)]}), 32), False),
    )
    yield from ((f"cut at {cut}", good[:cut], False) for cut in range(4, len(good) - 4, max(1, len(good) // 120)))
    for place in range(4, len(good) - 4, max(1, len(good) // 180)):
        spoiled = bytearray(good)
        spoiled[place] ^= 0xFF
        yield f"bits turned at {place}", bytes(spoiled), True


def _many(table: pa.Table, times: int) -> bytes:
    """Return a file of the same rows over and over, written a group at a time."""
    stream = io.BytesIO()
    with pq.ParquetWriter(stream, table.schema, compression="zstd") as writer:
        for _ in range(times):
            writer.write_table(table)
    return stream.getvalue()


def _referred(word: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array([word]))


def _lists(word: str, rows: int) -> pa.Array:
    """Return lists of one word; written a few at a time, so that making the case takes little memory."""
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32)), _referred(word, rows))


def _repeated() -> bytes:
    table = pa.Table.from_pandas(_frame(), preserve_index=False)
    return _parquet(table.append_column("amount", pa.array([1.0, 2.0, 3.0, 4.0])))


def parquet_cases() -> Iterator[Case]:
    """Yield hostile Parquet files."""
    for name, content, may_pass in _parquet_files():
        yield Case(name, lambda folder, content=content: _named(folder, "assets.parquet", content), may_pass)


def _named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    (folder / "fund.yaml").write_text(GOOD_FUND.replace("assets.csv", name), encoding="utf-8")
