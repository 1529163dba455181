"""Shortcuts for what most columns are: plain days, keys that differ. Whatever they cannot say is left to the checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.inputs.raw import as_arrow

__all__ = ["all_differ", "plain_days"]

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
    if not isinstance(cells.dtype, pd.StringDtype):
        return False
    array = as_arrow(cells).combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    if array.null_count or not len(array) or array.type != pa.large_string():
        return False
    if pc.all(pc.less(array[:-1], array[1:])).as_py():
        return True
    _, ends, data = array.buffers()
    offsets = np.frombuffer(ends, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    if lengths.max() > _LONGEST or data is None:
        return False
    # Eight bytes of nothing behind, so that the last key can be read in whole words.
    padded = np.append(np.frombuffer(data, dtype=np.uint8)[: offsets[-1]], np.zeros(8, np.uint8))
    words = np.ndarray(len(padded) - 7, dtype="<u8", buffer=padded, strides=(1,))
    mixed = lengths.astype(np.uint64)
    for start in range(0, int(lengths.max()), 8):
        left = np.clip(lengths - start, 0, 8)
        word = words[np.minimum(offsets[:-1] + start, len(words) - 1)]
        word = np.where(left < 8, word & ((np.uint64(1) << (8 * left.astype(np.uint64))) - np.uint64(1)), word)
        mixed = (mixed ^ word) * _MIXER
        mixed ^= mixed >> np.uint64(29)
    mixed.sort()
    return not bool(np.any(mixed[1:] == mixed[:-1]))
