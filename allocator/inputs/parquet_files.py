"""Parquet: columns keep their types; a telling pandas index counts as a column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.packed import LARGEST, too_much
from allocator.inputs.raw import RawTable, TableQuery, series_of
from allocator.types import Text

__all__ = ["read_parquet"]

MOST_ROWS = 50_000_000
TEXT = "BYTE_ARRAY"
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, TEXT: 4}
"""Bytes that a value takes in memory at least, by physical type; others take 8."""
BATCH = 1 << 20
"""Bytes that rows read at once may take where one of them may be as long as its whole column."""
CLASS_BYTES = 3
_INDEX = "__index_level_"


def read_parquet(
    content: bytes | memoryview,
    file: str,
    fingerprint: str,
    wanted: TableQuery,
    errors: ErrorCollector,
    limit: int = LARGEST,
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
    limit : int
        Most bytes that the table may take in memory.
    """
    try:
        parquet = pq.ParquetFile(pa.BufferReader(content))
        if parquet.metadata.num_rows > MOST_ROWS:
            errors.add(Text("too many rows", "行数过多"), file, f"{parquet.metadata.num_rows:,}", f"≤ {MOST_ROWS:,}")
            return None
        size, heavy = _measured(content, parquet, limit)
        table = _unpacked(content, parquet, heavy, limit) if size <= limit else None
        if table is None:
            errors.add(*too_much(file, None if size <= limit else size, limit))
            return None
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


def _measured(content: bytes | memoryview, parquet: pq.ParquetFile, limit: int) -> tuple[int, list[str]]:
    """Return the bytes that the table takes in memory at least, and which text may take more than the limit.

    Text can be kept once and referred to by every row: then it may take as much as if each were the longest word. Of
    damaged columns a reader says so, while asking for their description would end the process: only those whose size
    it takes are asked for, once their first row was read, and only when the totals are no reason to refuse.
    """
    metadata = parquet.metadata
    leaves = {place: parquet.schema.column(place) for place in range(len(parquet.schema))}
    asked = {place: leaf for place, leaf in leaves.items() if leaf.max_repetition_level or leaf.physical_type == TEXT}
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    size = sum(WIDTHS.get(leaf.physical_type, 8) for leaf in leaves.values()) * int(metadata.num_rows)
    size = max(size, sum(int(group.total_byte_size) for group in groups))
    if size > limit or not asked:
        return size, []
    paths = [leaf.path for leaf in asked.values()]
    may_refer = [leaf.path for leaf in asked.values() if leaf.physical_type == TEXT and "." not in leaf.path]
    source = pq.ParquetFile(pa.BufferReader(content), read_dictionary=may_refer)
    counted, most = 0, dict.fromkeys(paths, 0)
    for number, group in enumerate(groups):
        first = next(source.iter_batches(batch_size=1, row_groups=[number], columns=paths), None)
        for path, column in zip(paths, map(group.column, asked), strict=True):
            width = WIDTHS.get(column.physical_type, 8)
            counted += max(int(column.total_uncompressed_size), int(column.num_values) * width)
            if column.physical_type == TEXT and column.has_dictionary_page:
                longest = column.total_uncompressed_size
                if path in may_refer and first is not None:  # its dictionary holds every word of the group
                    longest = pc.max(pc.binary_length(first.column(path).dictionary)).as_py() or 0
                most[path] += column.num_values * longest + column.total_uncompressed_size
    return max(size, counted), [path for path in paths if most[path] > limit]


def _unpacked(content: bytes | memoryview, parquet: pq.ParquetFile, heavy: list[str], limit: int) -> pa.Table | None:
    """Return the table; None where its text, written out, would take more than the limit.

    Text that could take more is read as references and measured first. Within lists that cannot be asked for: there
    a few rows are read at a time.
    """
    classes, every = _class_columns(parquet), parquet.schema_arrow.names
    if not heavy:
        return pq.read_table(pa.BufferReader(content), read_dictionary=classes) if classes else parquet.read()
    if len({*every}) < len(every):
        return None
    flat = [path for path in heavy if "." not in path]
    nested = {path.partition(".")[0] for path in heavy} - set(flat)
    references = [*classes, *(path for path in flat if path not in classes)]
    names = [name for name in every if name not in nested]
    table = pq.ParquetFile(pa.BufferReader(content), read_dictionary=references).read(columns=names)
    if sum(_written_size(table.column(name)) for name in flat) > limit:
        return None
    for name in set(flat) - set(classes):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(parquet.schema_arrow.field(name).type))
    for name in sorted(nested):
        column = _nested(parquet, name, limit - table.nbytes)
        if column is None:
            return None
        table = table.append_column(name, column)
    return table.select(every)


def _written_size(column: pa.Array | pa.ChunkedArray) -> int:
    """Return the bytes of a column, references counted as the text they stand for, within lists too."""
    if isinstance(column, pa.ChunkedArray):
        return sum(map(_written_size, column.chunks))
    if pa.types.is_dictionary(column.type) and pa.types.is_string(column.type.value_type):
        lengths = pc.fill_null(pc.binary_length(column.dictionary), 0).cast(pa.int64())
        return int(pc.sum(lengths.take(column.indices)).as_py() or 0)
    if pa.types.is_nested(column.type) and not pa.types.is_map(column.type):
        return sum(map(_written_size, column.flatten() if pa.types.is_struct(column.type) else [column.flatten()]))
    return int(column.nbytes)


def _nested(parquet: pq.ParquetFile, name: str, limit: int) -> pa.ChunkedArray | None:
    """Return a column of lists, read a few rows at a time; None as soon as it takes more than the limit."""
    group = parquet.metadata.row_group(0)
    longest = group.total_byte_size
    chunks: list[pa.Array] = []
    for batch in parquet.iter_batches(batch_size=max(1, min(8192, BATCH // max(longest, 1))), columns=[name]):
        chunks.append(batch.column(0))
        limit -= _written_size(batch.column(0))
        if limit < 0:
            return None
    return pa.chunked_array(chunks, type=parquet.schema_arrow.field(name).type)


def _class_columns(parquet: pq.ParquetFile) -> list[str]:
    """Return the text columns that take so few bytes a row that they can only be classes, read as such."""
    schema = parquet.schema
    texts = {place: schema.column(place).path for place in range(len(schema))}
    texts = {place: path for place, path in texts.items() if schema.column(place).physical_type == TEXT}
    if not parquet.metadata.num_row_groups or not texts:
        return []
    group = parquet.metadata.row_group(0)
    most = CLASS_BYTES * group.num_rows
    return [path for place, path in texts.items() if group.column(place).total_uncompressed_size < most]


def _is_index(name: str) -> bool:
    return name.startswith(_INDEX)
