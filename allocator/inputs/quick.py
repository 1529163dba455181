"""Shortcuts for what most columns are: plain days, keys that differ. Whatever they cannot say is left to the checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.inputs.raw import as_arrow

__all__ = ["all_differ", "order_of_different", "plain_days"]

_DAY = r"^(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})$"
_PLAIN_DAY = r"^\d{4}(-\d{1,2}-|/\d{1,2}/)\d{1,2}$"
_LONGEST = 64
"""Bytes of a key up to which eight at a time are mixed into one number."""
_MIXER = np.uint64(0x9E3779B97F4A7C15)


def plain_days(texts: pa.Array) -> NDArray[np.datetime64]:
    """Return the days of texts such as 2026-06-30 and 2026/6/30, NaT for all others and for days that do not exist."""
    days = np.full(len(texts), np.datetime64("NaT", "s"))
    plain = pc.match_substring_regex(texts, _PLAIN_DAY).fill_null(False)
    parts = pc.extract_regex(texts.filter(plain), _DAY)
    if not len(parts):
        return days
    year, month, day = (
        pc.cast(pc.struct_field(parts, name), pa.int64()).to_numpy(zero_copy_only=False)
        for name in ("year", "month", "day")
    )
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    found = months.astype("datetime64[D]") + (day - 1)
    exists = (month >= 1) & (month <= 12) & (year >= 1) & (found.astype("datetime64[M]") == months)
    days[plain.to_numpy(zero_copy_only=False)] = np.where(exists, found, np.datetime64("NaT")).astype("datetime64[s]")
    return days


def all_differ(cells: pd.Series) -> bool:
    """Return True when all texts surely differ: each is greater than the one before, or their fingerprints differ.

    False says nothing.
    """
    array = _texts(cells)
    if array is None:
        return False
    if pc.all(pc.less(array[:-1], array[1:])).as_py():
        return True
    mixed = np.zeros(len(array), dtype=np.uint64)
    for word in _words(array):
        mixed = (mixed ^ word) * _MIXER
        mixed ^= mixed >> np.uint64(29)
    mixed.sort()
    return not bool(np.any(mixed[1:] == mixed[:-1]))


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
    array = as_arrow(cells).combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    if array.null_count or not len(array) or array.type != pa.large_string() or array.buffers()[2] is None:
        return None
    return array if pc.max(pc.binary_length(array)).as_py() <= _LONGEST else None


def _words(array: pa.Array) -> list[NDArray[np.uint64]]:
    """Return texts as numbers of eight bytes that compare as the texts do, nothing in them being zero."""
    _, ends, data = array.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    # Eight bytes of nothing behind, so that the last text can be read in whole words.
    padded = np.append(np.frombuffer(data, dtype=np.uint8)[: offsets[-1]], np.zeros(8, np.uint8))
    at = np.ndarray(len(padded) - 7, dtype=">u8", buffer=padded, strides=(1,))
    words = []
    for start in range(0, max(int(lengths.max()), 1), 8):
        left = np.clip(lengths - start, 0, 8).astype(np.uint64)
        word = at[np.minimum(offsets[:-1] + start, len(at) - 1)].astype(np.uint64)
        gone = np.uint64(8) * (np.uint64(8) - np.maximum(left, np.uint64(1)))
        words.append(np.where(left == 0, np.uint64(0), word >> gone << gone))
    return words
