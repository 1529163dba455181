"""A table as it was read: headings and cells as they stand, and where each came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["RawTable", "Wanted", "hashable", "heading_row", "series_of"]

HEADING_ROWS = 10


def _never(heading: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader must know of the table it looks for.

    Parameters
    ----------
    name : str
        The table's key under ``inputs:``.
    fits : callable
        Whether a heading is known.
    numeric : callable
        Whether a heading's cells are numbers, so that plain ones need no parsing.
    percent : callable
        Whether a heading says that its cells are percentages.
    """

    name: str
    fits: Callable[[str], bool]
    numeric: Callable[[str], bool] = field(default=_never)
    percent: Callable[[str], bool] = field(default=_never)


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
    """

    file: str
    headings: tuple[str, ...]
    cells: tuple[pd.Series, ...]
    rows: NDArray[np.int64]
    fingerprint: str
    spreadsheet: bool = False
    epoch_shift: int = 0


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


def hashable(cells: pd.Series) -> pd.Series:
    """Return cells with lists, sets and arrays as tuples, so that distinct cells can be told."""
    if cells.dtype != object or not pd.api.types.infer_dtype(cells, skipna=True).startswith("mixed"):
        return cells
    return cells.map(lambda cell: tuple(cell) if isinstance(cell, (list, set, np.ndarray)) else cell)


def series_of(column: pa.ChunkedArray) -> pd.Series:
    """Return an Arrow column as a Series: whole numbers with gaps stay whole, decimals become floats."""
    kind = column.type
    if pa.types.is_decimal(kind):
        column = pc.cast(column, pa.float64())
    elif pa.types.is_integer(kind) and column.null_count:
        series: pd.Series = column.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get)
        return series
    elif pa.types.is_null(kind):
        return pd.Series(np.full(len(column), np.nan))
    text = pd.StringDtype("pyarrow")
    series = column.to_pandas(types_mapper={pa.string(): text, pa.large_string(): text}.get, date_as_object=False)
    return series.astype(text) if pa.types.is_string_view(kind) else hashable(series)
