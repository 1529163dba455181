"""Parquet: columns keep their types; a telling pandas index counts as a column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.raw import RawTable, TableQuery, series_of
from allocator.types import Text

__all__ = ["read_parquet"]

MOST_ROWS = 50_000_000
CLASS_BYTES = 3
_INDEX = "__index_level_"


def read_parquet(
    content: bytes | memoryview, file: str, fingerprint: str, wanted: TableQuery, errors: ErrorCollector
) -> RawTable | None:
    """Return the table of a Parquet file, or None with the reason in ``errors``. Rows count from 1.

    Parameters
    ----------
    content : bytes or memoryview
        The file.
    file, fingerprint : str
        Its name and hash.
    wanted : Wanted
        Not needed: headings and types are stated in the file.
    findings : Findings
        Receives the reason why the file cannot be read.
    """
    try:
        parquet = pq.ParquetFile(pa.BufferReader(content))
        if parquet.metadata.num_rows > MOST_ROWS:
            errors.add(Text("too many rows", "行数过多"), file, f"{parquet.metadata.num_rows:,}", f"≤ {MOST_ROWS:,}")
            return None
        classes = _class_columns(parquet)
        table = pq.read_table(pa.BufferReader(content), read_dictionary=classes) if classes else parquet.read()
        return _table(table, file, fingerprint)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")[:200]
        errors.add(Text("the file cannot be read as Parquet", "无法按 Parquet 读取该文件"), file, reason)
        return None


def _table(table: pa.Table, file: str, fingerprint: str) -> RawTable:
    columns = list(zip(table.column_names, table.columns, strict=True))
    telling = [
        ("index", column) for name, column in columns if _is_index(name) and not pa.types.is_integer(column.type)
    ]
    kept = telling + [(name, column) for name, column in columns if not _is_index(name)]
    rows = np.arange(1, table.num_rows + 1, dtype=np.int64)
    for _, column in kept:
        _expect_unicode(column)
    headings = tuple(name for name, _ in kept)
    return RawTable(file, headings, tuple(series_of(column) for _, column in kept), rows, fingerprint)


def _expect_unicode(column: pa.ChunkedArray) -> None:
    """Raise ArrowInvalid where text is not Unicode; no reader looks, and ASCII is told quickest."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        for chunk in column.chunks:
            if not pc.all(pc.string_is_ascii(chunk)).as_py():
                chunk.validate(full=True)


def _class_columns(parquet: pq.ParquetFile) -> list[str]:
    """Return the text columns that take so few bytes a row that they can only be classes, read as such."""
    schema = parquet.schema
    texts = {place: schema.column(place).path for place in range(len(schema))}
    texts = {place: path for place, path in texts.items() if schema.column(place).physical_type == "BYTE_ARRAY"}
    if not parquet.metadata.num_row_groups or not texts:
        return []
    # Of damaged columns a reader says so, while the metadata asked for them would end the process.
    next(parquet.iter_batches(batch_size=1, row_groups=[0], columns=list(texts.values())), None)
    group = parquet.metadata.row_group(0)
    most = CLASS_BYTES * group.num_rows
    return [path for place, path in texts.items() if group.column(place).total_uncompressed_size < most]


def _is_index(name: str) -> bool:
    return name.startswith(_INDEX)
