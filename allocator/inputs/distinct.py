"""The distinct cells of a column: what most columns are made of is looked at once a value, not once a cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.arrays import Mask
from allocator.inputs.raw import as_arrow, classes, text_column

__all__ = ["EMPTY", "Distinct", "distinct_of", "factorized", "plain_days"]

EMPTY = object()
"""What an empty cell reads as."""

_PLAIN_DAY = r"^\d{4}(-\d{1,2}-|/\d{1,2}/)\d{1,2}$"

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct cells of a column or, where nearly all differ, simply its cells (``codes`` is None).

    ``values`` is an Arrow array when all are text, else a list. An empty cell is null, or has code −1.
    """

    values: pa.Array | list[object]
    codes: NDArray[np.integer[Any]] | None

    def spread(self, table: Array) -> Array:
        """Return a table of what each distinct value is, with one last place for empty cells, row by row."""
        return table[:-1] if self.codes is None else table.take(self.codes)

    def marked(self, table: Mask) -> Mask:
        """Return the same of a table of marks; quick where none is set."""
        if self.codes is None or table[:-1].any() or (table[-1] and self.codes.min(initial=0) < 0):
            return np.asarray(self.spread(table))
        return np.zeros(len(self.codes), dtype=bool)

    def spread_text(self, table: pa.Array) -> pd.Series:
        """Return texts, one for each distinct value, row by row; categories where the values are."""
        return text_column(table) if self.codes is None else classes(self.codes, table)

    def read(self, convert: Callable[[object], object]) -> list[object]:
        """Return what each distinct value is, `EMPTY` for the empty cells last."""
        values = self.values.to_pylist() if isinstance(self.values, pa.Array) else self.values
        return [EMPTY if value is None else convert(value) for value in values] + [EMPTY]


def distinct_of(cells: pd.Series, few: bool = False) -> Distinct:
    """Return the distinct cells; ``few`` says that they must be few, whatever the first ones look like."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        codes, values = cells.cat.codes.to_numpy(), cells.cat.categories
        if isinstance(values.dtype, pd.StringDtype):
            return Distinct(as_arrow(values), codes)
        texts = all(isinstance(value, str) for value in values)
        return Distinct(pa.array(values.tolist(), pa.large_string()) if texts else values.tolist(), codes)
    if isinstance(cells.dtype, pd.StringDtype):
        array = as_arrow(cells)
        if not few:
            return Distinct(array, None)
        encoded = array.dictionary_encode()
        codes = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
        return Distinct(encoded.dictionary, codes.to_numpy(zero_copy_only=False))
    found, distinct = factorized(cells)
    return Distinct(list(distinct), found)


def factorized(cells: pd.Series) -> tuple[NDArray[np.int64], Any]:
    """Return codes and distinct cells; a cell that holds a mapping or the like is told as its text would be."""
    try:
        return pd.factorize(cells)
    except TypeError:
        return pd.factorize(cells.map(lambda value: value if pd.api.types.is_scalar(value) else repr(value)))


def plain_days(texts: pa.Array) -> NDArray[np.datetime64]:
    """Return the days of texts such as 2026-06-30 and 2026/6/30, NaT for all others and for days that do not exist."""
    days = np.full(len(texts), np.datetime64("NaT", "s"))
    plain = pc.match_substring_regex(texts, _PLAIN_DAY).fill_null(False)
    written = pc.replace_substring(texts.filter(plain), "/", "-").to_pandas()
    read = pd.to_datetime(written, format="%Y-%m-%d", errors="coerce")
    days[plain.to_numpy(zero_copy_only=False)] = read.to_numpy().astype("datetime64[s]")
    days[days < np.datetime64("0001-01-01", "s")] = np.datetime64("NaT")
    return days
