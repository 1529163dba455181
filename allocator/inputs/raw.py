"""A table as it was read: headings and cells as they stand, and where each came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = [
    "SAMPLE",
    "SHEET",
    "STRING",
    "RawTable",
    "TableQuery",
    "array_of",
    "as_arrow",
    "as_text",
    "classes",
    "heading_row",
    "joined",
    "mostly_differs",
    "one_array",
    "series_of",
    "text_column",
    "tidy",
]

HEADING_ROWS = 10
SHEET = 1 << 32
"""What lies between the rows of one sheet and the next in a table of several."""


def _never(heading: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class TableQuery:
    """What a reader must know of the table it looks for.

    Parameters
    ----------
    name : str
        The table's key under ``inputs:``.
    fits : callable
        Whether a heading is known.
    typed : callable
        Whether a heading's cells are numbers or dates, so that plain ones need no parsing.
    percent : callable
        Whether a heading says that its cells are percentages.
    code : callable
        Whether a heading's cells are codes or other text, whose leading zeros count.
    """

    name: str
    fits: Callable[[str], bool]
    typed: Callable[[str], bool] = field(default=_never)
    percent: Callable[[str], bool] = field(default=_never)
    code: Callable[[str], bool] = field(default=_never)


@dataclass(frozen=True, eq=False)
class RawTable:
    """Headings and cells of one table before any check.

    Parameters
    ----------
    file : str
        File name, with ``#sheet`` for Excel.
    headings : tuple of str
        As they stand in the file; may repeat or be empty.
    cells : tuple of Series
        One for each heading, equally long: text, numbers, dates or mixed.
    rows : ndarray of int (n,)
        File row of each row, 1-based, heading included (a quoted line break does not begin a row).
    fingerprint : str
        SHA-256 of the file, hexadecimal.
    spreadsheet : bool
        Whether cells also have names such as C12.
    epoch_shift : int
        Days to add to a date serial (1462 for workbooks that count from 1904).
    plain : frozenset of int
        Positions of columns of text known to hold no empty cell, total or spreadsheet error, which need no look
        for these.
    titles : tuple of str
        What stands above the headings, cell by cell.
    sheets : tuple of str
        File and sheet of each part of a table of several sheets, whose rows then stand `SHEET` apart.
    """

    file: str
    headings: tuple[str, ...]
    cells: tuple[pd.Series, ...]
    rows: NDArray[np.int64]
    fingerprint: str
    spreadsheet: bool = False
    epoch_shift: int = 0
    plain: frozenset[int] = frozenset()
    titles: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()


def joined(parts: Sequence[RawTable], file: str) -> RawTable:
    """Return one table of the rows of several sheets, under every heading that one of them has."""
    headings = tuple(dict.fromkeys(heading.strip() for part in parts for heading in part.headings))
    frames = [
        pd.DataFrame(
            {name.strip(): cells.astype(object) for name, cells in zip(part.headings, part.cells, strict=True)}
        )
        for part in parts
    ]
    frame = pd.concat(frames, ignore_index=True).reindex(columns=list(headings)).astype(object)
    cells = tuple(tidy(frame[name].where(frame[name].notna(), None).infer_objects()) for name in headings)
    rows = np.concatenate([part.rows + at * SHEET for at, part in enumerate(parts)])
    titles = tuple(title for part in parts for title in part.titles)
    return RawTable(
        file,
        headings,
        cells,
        rows,
        parts[0].fingerprint,
        epoch_shift=parts[0].epoch_shift,
        titles=titles,
        sheets=tuple(part.file for part in parts),
    )


def heading_row(rows: Sequence[Sequence[str]], fits: Callable[[str], bool]) -> tuple[int, int]:
    """Return the position of the row, among the first ten, with the most known headings, and how many.

    The first such row wins; where no row holds any, the first row that is not empty.
    """
    counts = [len({cell for cell in row if cell.strip() and fits(cell)}) for row in rows[:HEADING_ROWS]]
    if not any(counts):
        filled = (place for place, row in enumerate(rows[:HEADING_ROWS]) if any(cell.strip() for cell in row))
        return next(filled, 0), 0
    best = max(range(len(counts)), key=lambda row: (counts[row], -row))
    return best, counts[best]


STRING = pd.StringDtype("pyarrow", na_value=np.nan)
"""How text is held: by Arrow, without Python objects; pandas' own ``str`` from version 3 on."""
SAMPLE = 1_000
"""Cells looked at to tell names, nearly all distinct, from classes."""


def tidy(cells: pd.Series) -> pd.Series:
    """Return a column as the checks want it.

    Columns of nothing but text become categories (classes: few distinct values, each looked at once) or
    stay Arrow text (names); in mixed columns lists, sets and arrays become tuples.
    """
    if cells.dtype != object and not isinstance(cells.dtype, pd.StringDtype):
        return cells
    kind = "string" if cells.dtype != object else pd.api.types.infer_dtype(cells, skipna=True)
    if kind == "string":
        try:
            return _text(pa.chunked_array([as_arrow(cells)]))
        except UnicodeEncodeError:  # half a character pair: left to the checks as it is
            return cells.astype(object)
    if kind.startswith("mixed"):
        return cells.map(lambda cell: tuple(cell) if isinstance(cell, (list, set, np.ndarray)) else cell)
    return cells


def as_arrow(cells: pd.Series | pd.Index) -> pa.Array:
    """Return a column of text as Arrow holds it."""
    return one_array(pa.array(cells.array, from_pandas=True)).cast(pa.large_string())


def mostly_differs(column: pa.ChunkedArray) -> bool:
    """Return whether a column holds names rather than classes: whether its first cells differ."""
    return bool(pc.count_distinct(column.slice(0, SAMPLE)).as_py() > SAMPLE // 2)


def one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    joined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def text_column(words: pa.Array) -> pd.Series:
    """Return text as the checked tables hold it."""
    return pd.Series(STRING.__from_arrow__(words.cast(pa.large_string())))  # type: ignore[attr-defined]


def classes(codes: NDArray[Any], words: pa.Array) -> pd.Series:
    """Return the text ``words[code]`` of each code as categories; none for −1. Words may repeat and be null."""
    encoded = words.cast(pa.large_string()).dictionary_encode()
    if encoded.null_count or len(encoded.dictionary) < len(encoded):
        codes = np.append(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), -1)[codes]
    names = pd.Index(text_column(encoded.dictionary).array)
    return pd.Series(pd.Categorical.from_codes(codes, categories=names, validate=False))


def array_of(column: pd.Series) -> Any:
    """Return what a column is made of: a frame of these needs no look at the index of each."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def as_text(column: pd.Series, order: NDArray[np.intp] | None = None) -> Any:
    """Return the array of a column, categories as the text they stand for; its rows in another order if given."""
    array = array_of(column)
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return array if order is None else array.take(order)
    codes = array.codes if order is None else array.codes[order]
    words = as_arrow(array.categories)
    missing = codes < 0
    return array_of(text_column(words.take(pa.array(codes, mask=missing if missing.any() else None))))


def series_of(column: pa.ChunkedArray) -> pd.Series:
    """Return an Arrow column as a Series: whole numbers with gaps stay whole, decimals become floats."""
    kind = column.type
    words = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_string(words) or pa.types.is_large_string(words) or pa.types.is_string_view(words):
        return _text(column)
    if pa.types.is_decimal(kind):
        column = pc.cast(column, pa.float64())
    elif pa.types.is_null(kind):
        return pd.Series(np.full(len(column), np.nan))
    elif pa.types.is_integer(kind) and column.null_count:
        series: pd.Series = column.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get)
        return series
    return tidy(column.to_pandas(date_as_object=False))


def _text(column: pa.ChunkedArray) -> pd.Series:
    """Return text without surrounding white space: categories where the first cells repeat, else Arrow text."""
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    if not pa.types.is_dictionary(column.type):
        if mostly_differs(column):
            return text_column(pc.utf8_trim_whitespace(one_array(column)))
        column = column.dictionary_encode()
    encoded = one_array(column)
    codes = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
    return classes(codes.to_numpy(zero_copy_only=False), pc.utf8_trim_whitespace(encoded.dictionary))
