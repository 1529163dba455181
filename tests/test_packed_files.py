"""Files that are small on the disk and large in memory: refused by a limit that the fund file sets."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from support import make_registry

from allocator.config.load import load_settings
from allocator.errors import InputError
from allocator.inputs import load_inputs
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.parquet_files import read_parquet
from allocator.inputs.raw import TableQuery

WANTED = TableQuery("assets", lambda heading: True)
ROWS = 20_000
LIMIT = 4 << 20


def packed(**columns: pa.Array) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def repeated(length: int, rows: int = ROWS) -> pa.Array:
    """Text of one long word, which the file holds once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array(["x" * length]))


def lists(length: int, written_out: bool = True) -> pa.Array:
    words = repeated(length).cast(pa.string()) if written_out else repeated(length)
    return pa.ListArray.from_arrays(pa.array(np.arange(ROWS + 1, dtype=np.int32)), words)


LARGE: dict[str, Callable[[], bytes]] = {
    "one long word": lambda: packed(asset_id=repeated(10_000)),
    "one long word, few rows": lambda: packed(asset_id=repeated(1_000_000, 100)),
    "one long word in lists": lambda: packed(indices=lists(10_000)),
    "one long word in lists, by reference": lambda: packed(indices=lists(10_000, written_out=False)),
    "numbers": lambda: packed(**{f"x{k}": pa.array(np.zeros(ROWS)) for k in range(40)}),
    "lists of numbers": lambda: packed(x=pa.array([np.zeros(50)] * ROWS)),
    "text packed well": lambda: packed(name=pa.array([f"{'0' * 1_000}{k}" for k in range(ROWS)])),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_file_that_unpacks_to_too_much_is_refused(kind: str) -> None:
    content = LARGE[kind]()
    assert len(content) < LIMIT / 4, "small on the disk"
    findings = ErrorCollector()
    assert read_parquet(content, "a.parquet", "", WANTED, findings, LIMIT) is None
    with pytest.raises(InputError, match=r"a\.parquet: the file unpacks to too much.*≤ 4 MiB.*unpack_limit"):
        findings.raise_if_any()
    assert read_parquet(content, "a.parquet", "", WANTED, findings, 1 << 30) is not None


def test_references_are_read_as_the_text_they_stand_for() -> None:
    """Names that could be as long as their column are measured first, and come out as they went in."""
    names = [f"BOND{k:06d}" for k in range(ROWS)]
    kinds = [["a", "b"][k % 2] for k in range(ROWS)]
    words = [[f"csi{k % 700}", "x"] if k % 3 else None for k in range(ROWS)]
    content = packed(
        asset_id=pa.array(names), kind=pa.array(kinds), indices=pa.array(words), amount=pa.array(range(ROWS))
    )
    small = 8 << 20
    read = read_parquet(content, "a.parquet", "", WANTED, ErrorCollector(), small)
    plain = read_parquet(content, "a.parquet", "", WANTED, ErrorCollector(), 1 << 40)
    assert read is not None and plain is not None
    assert read.headings == plain.headings == ("asset_id", "kind", "indices", "amount")
    for one, other in zip(read.cells, plain.cells, strict=True):
        pd.testing.assert_series_equal(one, other)
    assert list(read.cells[0]) == names


def fund(folder: Path, assets: str, limit: str = "") -> None:
    text = f"fund: {{name: f, as_of: 2026-06-30}}\ninputs: {{assets: {assets}}}\n{limit}"
    (folder / "fund.yaml").write_text(text, encoding="utf-8")
    load_inputs(load_settings(folder / "fund.yaml"), make_registry())


def test_the_fund_file_sets_the_limit(tmp_path: Path) -> None:
    columns = {"asset_id": [f"A{k}" for k in range(100)], "kind": ["cash"] * 100, "amount": [1.0] * 100}
    columns |= {"expected_return": [0.01] * 100, "name": ["x" * 50_000] * 100}
    pd.DataFrame(columns).to_parquet(tmp_path / "a.parquet")
    fund(tmp_path, "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: the file unpacks to too much.*≤ 1 MiB"):
        fund(tmp_path, "a.parquet", "unpack_limit: 1\n")
    with pytest.raises(InputError, match="unpack_limit: out of range"):
        fund(tmp_path, "a.parquet", "unpack_limit: 0\n")


def test_the_shared_text_of_a_workbook_counts_as_often_as_it_is_used(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["asset_id", "kind", "amount", "expected_return", "name"])
        for row in range(1, 401):
            sheet.write_row(row, 0, [f"A{row}", "cash", 1.0, 0.01, "名" * 30_000])
    assert (tmp_path / "a.xlsx").stat().st_size < 50_000
    fund(tmp_path, "a.xlsx")
    with pytest.raises(InputError, match=r"a\.xlsx#Sheet1: the file unpacks to too much, got 11 MiB, allowed ≤ 1 MiB"):
        fund(tmp_path, "a.xlsx", "unpack_limit: 1\n")
