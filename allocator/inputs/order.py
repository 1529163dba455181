"""One order of rows, whatever the file's: sums in floating point then end in the same bits.

A table of a file is held sorted by what identifies its rows, so that the same rows in another order are the
same inputs, the same model and the same answer. A frame given in Python keeps its order, which the caller's
own vectors follow.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.inputs.raw import as_arrow

__all__ = ["canonical_order", "order_of_different"]

IDENTITY = ("asset_id", "account", "issuer", "underlying_id", "date", "year", "tenor", "factor", "other")
"""Columns that tell rows apart, the first ones first; a table's own key comes before them."""
_LONGEST = 64
"""Bytes of a key up to which eight at a time are compared as one number."""


def canonical_order(frame: pd.DataFrame, key: Sequence[str]) -> NDArray[np.intp] | None:
    """Return the positions that sort the rows; None where they are seen to stand sorted already.

    Parameters
    ----------
    frame : DataFrame
        A checked table; text may stand as categories.
    key : sequence of str
        The columns of the table's key; rows alike in these and in `IDENTITY` are told apart by all other
        columns, so that only rows equal in every cell keep the order of the file.
    """
    leading = [name for name in dict.fromkeys((*key, *IDENTITY)) if name in frame]
    first = _comparable(frame[leading[0]]) if leading else None
    if first is not None and first.is_monotonic_increasing and first.is_unique:
        return None
    cells = pd.DataFrame({name: _comparable(frame[name]) for name in leading})
    columns = leading
    if not leading or cells.duplicated().any():
        columns = [*leading, *(name for name in frame.columns if name not in leading)]
        cells = pd.DataFrame({name: _comparable(frame[name]) for name in columns})
    return cells.sort_values(columns, kind="stable", na_position="first").index.to_numpy().astype(np.intp)


def _comparable(column: pd.Series) -> pd.Series:
    """Return cells that compare as text does: lists as joined text, categories as the ranks of their names."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        ranks = np.append(np.argsort(np.argsort(column.cat.categories.to_numpy())), -1)
        return pd.Series(ranks[column.cat.codes.to_numpy()])
    return column.map(";".join) if column.dtype == object else column


def order_of_different(cells: pd.Series) -> NDArray[np.intp] | None:
    """Return the positions that sort texts of which no two are equal; None where that is not known."""
    array = _texts(cells)
    if array is None:
        return None
    words = _words(array)
    order = np.lexsort(words[::-1])
    same = np.ones(max(len(array) - 1, 0), dtype=bool)
    for word in words:
        placed = word[order]
        same &= placed[1:] == placed[:-1]
    return None if same.any() else order


def _texts(cells: pd.Series) -> pa.Array | None:
    """Return a column of short texts without gaps as one Arrow array; None for any other."""
    if not isinstance(cells.dtype, pd.StringDtype):
        return None
    array = as_arrow(cells)
    if array.null_count or not len(array) or array.type != pa.large_string() or array.buffers()[2] is None:
        return None
    return array if pc.max(pc.binary_length(array)).as_py() <= _LONGEST else None


def _words(array: pa.Array) -> list[NDArray[np.uint64]]:
    """Return texts as numbers of eight bytes that compare as the texts do, nothing in them being zero."""
    data = array.buffers()[2]
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    longest = max(int(lengths.max()), 1)
    # Nothing behind, so that the last text too can be read in whole words, as many as the longest takes.
    padded = np.append(np.frombuffer(data, dtype=np.uint8)[: offsets[-1]], np.zeros(longest + 8, np.uint8))
    at = np.ndarray(len(padded) - 7, dtype=np.uint64, buffer=padded, strides=(1,))
    # What of a word belongs to a text, by how many of its bytes do.
    own = ~np.uint64(0) << np.arange(64, -1, -8, dtype=np.uint64)
    own[0] = 0
    words = []
    for start in range(0, longest, 8):
        word = at[start:][offsets[:-1]]
        if sys.byteorder == "little":
            word.byteswap(inplace=True)
        word &= own.take(lengths if start == 0 else lengths - start, mode="clip")
        words.append(word)
    return words
