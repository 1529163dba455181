"""CSV: encoding, delimiter and heading row are found, never guessed past a check; ragged rows are named."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.raw import HEADING_ROWS, RawTable, TableQuery, heading_row, mostly_differs, one_array, series_of
from allocator.types import LocalizedPhrase, Text

__all__ = ["decode", "read_csv"]

DELIMITERS = (",", ";", "\t")
_UNMARKED = ("utf-8", "gb18030")
"""Encodings of a file without a byte order mark, tried in this order."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEXADECIMAL = re.compile(rb"0[xX]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_SAMPLE = 100_000
_COMMON = 0.8
"""Share of the Chinese characters of a GB18030 file that must be among the 6,763 of GB 2312."""
_BLOCK = 1 << 21
_LARGEST_BLOCK = 1 << 30


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the headings stand: delimiter, cells, row from 1, and the text's offset of the row after.

    ``seen`` is the offset up to which text was looked at for them.
    ``endless`` is the row, among those that could be headings, with a cell beyond csv's limit; 0 without one.
    ``quoted``: some cell below stands in quotation marks, so that a line end need not be a row's; looking for those
    that are not takes Arrow as long as all else.
    """

    delimiter: str
    headings: tuple[str, ...]
    row: int
    offset: int
    seen: int
    endless: int = 0
    quoted: bool = True
    titles: tuple[str, ...] = ()


def read_csv(
    content: bytes | memoryview, file: str, fingerprint: str, wanted: TableQuery, errors: ErrorCollector
) -> RawTable | None:
    """Return the table of a CSV file, or None with the reason in ``errors``.

    Encodings: UTF-8 (with or without byte order mark), UTF-16 with one, GB18030 (GBK, GB 2312). Delimiter:
    comma, semicolon or tab, whichever makes the most known headings. Title lines above the headings are
    skipped.

    Parameters
    ----------
    content : bytes or memoryview
        The file.
    file, fingerprint : str
        Its name and hash.
    wanted : Wanted
        The table looked for.
    findings : Findings
        Receives rows with too many or too few cells, quotes left open, an unknown encoding.
    """
    quick = _undecoded(memoryview(content), wanted)
    if quick is not None:
        head, columns = quick
        rows = np.arange(1, len(columns[0]) + 1, dtype=np.int64) + head.row
        return RawTable(file, head.headings, tuple(map(series_of, columns)), rows, fingerprint, titles=head.titles)
    found = decode(content, file, errors)
    if found is None:
        return None
    text, encoding = found
    head, known = _heads(text, wanted)[0]
    if head.endless and known < 1:
        _report_endless(head.endless, file, errors)
        return None
    if not any(heading.strip() for heading in head.headings):
        errors.add(Text("the file is empty", "文件为空"), file)
        return None
    utf8 = bytes(content).removeprefix(codecs.BOM_UTF8) if encoding == "utf-8" else text.encode()
    body = memoryview(utf8)[len(text[: head.offset].encode()) :]
    quotes = _quotes(body)
    if quotes % 2:
        errors.add(
            Text("a quotation mark is not closed", "引号未闭合"),
            _row_place(file, _open_quote(text[head.offset :], head)),
            hint=Text('double a quotation mark inside a cell: ""', '单元格内的引号须写成两个：""'),
        )
        return None
    empty = RawTable(file, head.headings, (), np.zeros(0, np.int64), fingerprint, titles=head.titles)
    return _body(text, replace(head, quoted=quotes > 0), body, wanted, errors, empty)


def decode(content: bytes | memoryview, file: str, errors: ErrorCollector) -> tuple[str, str] | None:
    """Return a file's text and encoding, or None with the encodings tried in ``errors``.

    Parameters
    ----------
    content : bytes or memoryview
        The whole file.
    file : str
        Its name, for ``errors``.
    errors : ErrorCollector
        Takes the problem when no encoding fits.
    """
    marked = next((encoding for mark, encoding in _BOMS if bytes(content[:3]).startswith(mark)), None)
    for encoding in (marked,) if marked else _UNMARKED:
        try:
            text = str(content, "utf-8-sig" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text[:_SAMPLE] and (encoding != "gb18030" or _reads_as_chinese(text)):
            return text, encoding
    errors.add(
        Text("the file's encoding is not known", "无法识别文件编码"),
        file,
        None,
        LocalizedPhrase(
            "UTF-8, UTF-16 with byte order mark, GB18030 (GBK)", "UTF-8、带字节顺序标记的 UTF-16、GB18030 (GBK)"
        ),
        Text("save it as “CSV UTF-8”", "请另存为“CSV UTF-8”格式"),
    )
    return None


def _reads_as_chinese(text: str) -> bool:
    """Return whether text decoded as GB18030 is Chinese, not another encoding's bytes.

    GB 2312 holds the characters in use, those of place and company names (圳, 鑫, 晟) too; wrongly decoded bytes
    spread over the 20,000 others.
    """
    characters = np.frombuffer(text[:_SAMPLE].encode("utf-32-le", errors="replace"), dtype="<u4")
    foreign = characters[characters > 0x2E7F].tobytes().decode("utf-32-le")
    known = len(foreign.encode("gb2312", errors="ignore")) // 2
    return bool(foreign) and known >= _COMMON * len(foreign)


def _undecoded(content: memoryview, wanted: TableQuery) -> tuple[_Head, list[pa.ChunkedArray]] | None:
    """Return head and columns of a file, decoded no further than must be; None where anything is unusual.

    In UTF-8 and GB18030 neither delimiters nor quotation marks nor line ends are bytes of another character, so that
    Arrow tells the cells apart as they stand.
    """
    marked = bytes(content[:3]) == codecs.BOM_UTF8
    content = content[3:] if marked else content
    start = _start(content, ("utf-8",) if marked else _UNMARKED)
    if start is None or "\0" in start[0]:
        return None
    text, encoding, whole = start
    heads = [head for head, _ in _heads(text, wanted)]
    head = heads[0]
    above = text[: head.offset].encode(encoding)
    sure = all(not other.endless and (whole or other.seen < len(text)) for other in heads)
    if not sure or content[: len(above)] != above:
        return None
    body = content[len(above) :]
    quotes = _quotes(body)
    if quotes % 2 or not any(heading.strip() for heading in head.headings) or not text[head.offset :].strip():
        return None
    words = pa.string() if encoding == "utf-8" else pa.binary()
    try:
        table = _arrow(body, replace(head, quoted=quotes > 0), wanted, None, True, words)
        return head, [_decoded(column, encoding) for column in table.columns]
    except ValueError:  # of Arrow too: a row or a byte that is not as it should be
        return None


def _start(content: memoryview, encodings: Sequence[str]) -> tuple[str, str, bool] | None:
    """Return the text that a file begins with, the first encoding it is in, and whether this is the whole text."""
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        text, read = "", 0
        try:
            while len(text) < _SAMPLE and read < len(content):
                part = content[read : read + _SAMPLE - len(text)]
                read += len(part)
                text += decoder.decode(bytes(part), final=read == len(content))
        except UnicodeDecodeError:
            continue
        return (text, encoding, read == len(content)) if encoding != "gb18030" or _reads_as_chinese(text) else None
    return None


def _decoded(column: pa.ChunkedArray, encoding: str) -> pa.ChunkedArray:
    """Return a column with its text as Unicode: a distinct cell decoded once where the first cells repeat.

    Raises ValueError where a cell is not text in this encoding, or the cells cannot be distinguished once decoded.
    """
    kind = column.type
    if not (pa.types.is_binary(kind) or pa.types.is_string(kind) and encoding != "utf-8"):
        return column
    held = one_array(column.cast(pa.binary()))
    if pc.all(pc.string_is_ascii(held.view(pa.string()))).as_py():
        return pa.chunked_array([held.view(pa.string())])
    if mostly_differs(pa.chunked_array([held])):
        return pa.chunked_array([_decoded_together(held, encoding)])
    encoded = held.dictionary_encode()
    words = _decoded_together(encoded.dictionary, encoding)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(encoded.indices, words)])


def _decoded_together(cells: pa.Array, encoding: str) -> pa.Array:
    """Return the texts that cells stand for, decoded in one go with a character between that no cell holds."""
    rows = pa.ListArray.from_arrays(pa.array([0, len(cells)], pa.int32()), cells.cast(pa.large_binary()))
    joined = pc.binary_join(rows, pa.scalar(b"\0", pa.large_binary()))[0].as_buffer()
    texts = pc.split_pattern(pa.array([str(joined, encoding)], pa.large_string()), "\0")[0].values
    if len(texts) != len(cells):
        raise ValueError("a cell holds what stands between cells")
    return texts


def _quotes(body: memoryview) -> int:
    """Return how many quotation marks stand in a text."""
    blocks = (np.frombuffer(body[at : at + _BLOCK], np.uint8) for at in range(0, len(body), _BLOCK))
    return sum(int(np.count_nonzero(block == ord('"'))) for block in blocks)


def _lines(text: str) -> Iterator[str]:
    return (match.group() for match in _LINE.finditer(text))


def _heads(text: str, wanted: TableQuery) -> list[tuple[_Head, int]]:
    """Return the heading row under each delimiter and how many of its headings are known, the most first."""
    return sorted((_head(text, delimiter, wanted) for delimiter in DELIMITERS), key=lambda pair: -pair[1])


def _head(text: str, delimiter: str, wanted: TableQuery) -> tuple[_Head, int]:
    """Return the heading row under a delimiter, and how many headings are known."""
    rows: list[list[str]] = []
    offsets: list[int] = []
    consumed = 0

    def counted() -> Iterator[str]:
        nonlocal consumed
        for line in _lines(text):
            consumed += len(line)
            yield line

    endless = 0
    try:
        for record in csv.reader(counted(), delimiter=delimiter):
            rows.append(record)
            offsets.append(consumed)
            if len(rows) == HEADING_ROWS:
                break
    except csv.Error:  # a cell beyond csv's limit: no heading from there on, the rows above may hold it
        endless = len(rows) + 1
    if not rows:
        return _Head(delimiter, (), 1, len(text), consumed, endless), -1
    place, count = heading_row(rows, wanted.fits)
    titles = tuple(cell for row in rows[:place] for cell in row if cell.strip())
    return _Head(delimiter, tuple(rows[place]), place + 1, offsets[place], consumed, endless, titles=titles), count


def _report_endless(row: int, file: str, errors: ErrorCollector) -> None:
    errors.add(
        Text("no headings stand above a cell too long to be one", "在一个过长的单元格之前没有表头"),
        _row_place(file, row),
        allowed=LocalizedPhrase(f"≤ {csv.field_size_limit():,} characters", f"≤ {csv.field_size_limit():,} 个字符"),
        hint=Text("look for a quotation mark that is not closed", "请检查是否有未闭合的引号"),
    )


def _body(
    text: str, head: _Head, body: memoryview, wanted: TableQuery, errors: ErrorCollector, empty: RawTable
) -> RawTable | None:
    """Return the rows below the headings; ``body`` is what stands there, in UTF-8."""
    width = len(head.headings)
    if not text[head.offset : head.offset + _SAMPLE].strip() and not text[head.offset :].strip():
        return replace(empty, cells=tuple(pd.Series([], dtype=object) for _ in range(width)))
    ragged: list[tuple[int, int, str]] = []

    def refuse(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns, row.text))
        return "skip"

    table, reason = None, ""
    # fast, refusing ragged rows; then with their numbers; then as text, when a late cell is of another type
    for typed, handler in ((True, None), (True, refuse), (False, refuse)):
        ragged.clear()
        try:
            table = _arrow(body, head, wanted, handler, typed, pa.string())
            break
        except pa.ArrowInvalid as error:
            reason = str(error)[:200]
    if table is None:
        errors.add(Text("the file cannot be read as CSV", "无法按 CSV 读取该文件"), empty.file, reason)
        return None
    _report_ragged(ragged, head, empty.file, width, errors)
    rows = np.arange(1, table.num_rows + len(ragged) + 1, dtype=np.int64)
    rows = np.delete(rows, [number - 1 for number, _, _ in ragged]) + head.row
    return replace(empty, cells=tuple(series_of(column) for column in table.columns), rows=rows)


def _arrow(
    body: memoryview,
    head: _Head,
    wanted: TableQuery,
    handler: arrow_csv.InvalidRowHandler | None,
    typed: bool,
    words: pa.DataType,
) -> pa.Table:
    """Parse the rows; with ``typed``, columns of numbers and dates are read as such where every cell is plain.

    ``words``: what all others are read as.
    """
    names = [str(position) for position in range(len(head.headings))]
    text = {
        name: words for name, heading in zip(names, head.headings, strict=True) if not (typed and wanted.typed(heading))
    }
    # Where a block ends inside a cell, Arrow loses the line feed of a line end within quotation marks.
    whole = handler is not None or head.quoted
    block = min(len(body) + 1, _LARGEST_BLOCK) if whole else _BLOCK
    table = arrow_csv.read_csv(
        pa.BufferReader(body),
        arrow_csv.ReadOptions(column_names=names, use_threads=handler is None, block_size=block),
        arrow_csv.ParseOptions(
            delimiter=head.delimiter,
            newlines_in_values=head.quoted,
            ignore_empty_lines=False,
            invalid_row_handler=handler,
        ),
        arrow_csv.ConvertOptions(column_types=text, null_values=[""], strings_can_be_null=False),
    )
    if typed and not _in_our_grammar(table, body):
        raise pa.ArrowInvalid("numbers that Arrow reads and the library does not")
    return table


def _in_our_grammar(table: pa.Table, body: memoryview) -> bool:
    """Return whether every typed cell is a number of `allocator.parsing` too: Arrow reads nan and 0x1F as well."""
    if any(pa.types.is_integer(kind) for kind in table.schema.types) and _HEXADECIMAL.search(body):
        return False
    floats = (column for column in table.columns if pa.types.is_floating(column.type))
    return not any(pc.any(pc.is_nan(column)).as_py() for column in floats)


def _report_ragged(
    ragged: list[tuple[int, int, str]], head: _Head, file: str, width: int, errors: ErrorCollector
) -> None:
    for number, count, shown in ragged:
        errors.add(
            Text("the row has more or fewer cells than the headings", "该行单元格数与表头不一致"),
            _row_place(file, number + head.row),
            LocalizedPhrase(f"{count} cells: {shown[:60]}", f"{count} 个单元格：{shown[:60]}"),
            LocalizedPhrase(f"{width} cells", f"{width} 个单元格"),
            Text(
                f"put a cell that holds {head.delimiter!r} in quotation marks",
                f"含有 {head.delimiter!r} 的单元格须加引号",
            ),
        )


def _row_place(file: str, row: int) -> str:
    return LocalizedPhrase(f"{file}, row {row}", f"{file}，第 {row} 行")


def _open_quote(body: str, head: _Head) -> int:
    """Return the row from which everything is swallowed by an open quotation mark."""
    row = head.row
    try:
        for _ in csv.reader(_lines(body), delimiter=head.delimiter):
            row += 1
    except csv.Error:
        row += 1
    return row
