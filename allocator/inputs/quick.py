"""Shortcuts for what most columns are: plain days, keys that differ. Whatever they cannot say is left to the checks."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.inputs.raw import as_arrow
from allocator.inputs.text_bytes import first_bytes, offsets_of

__all__ = ["may_begin", "order_of_different", "plain_days"]

_DAY = r"^(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})$"
_PLAIN_DAY = r"^\d{4}(-\d{1,2}-|/\d{1,2}/)\d{1,2}$"
_SPACES = frozenset(chr(code).encode()[0] for code in range(0x3001) if chr(code).isspace())
"""First bytes of white space."""
_LONGEST = 64
"""Bytes of a key up to which eight at a time are compared as one number."""


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


def may_begin(texts: pa.Array, words: Iterable[str]) -> bool:
    """Return False when surely no text is one of the words, as none begins with the first byte of any.

    Neither case nor white space around a text matters.
    """
    if texts.type != pa.large_string() or texts.buffers()[2] is None:
        return True
    firsts, every = first_bytes(texts)
    if not every and "" in words:
        return True
    looked_for = np.zeros(256, dtype=bool)
    looked_for[list(_SPACES)] = True
    looked_for[[form.encode()[0] for word in words if word for form in (word.lower(), word.upper())]] = True
    return bool(looked_for.take(firsts).any())


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
    offsets, data = offsets_of(array), array.buffers()[2]
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
