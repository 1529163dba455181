"""The bytes that a column of text is made of, seen through numpy: what one pass over them says of every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["bare_ends", "first_bytes", "is_ascii", "laid_out", "offsets_of"]

_OFFSETS = {
    **dict.fromkeys((pa.string(), pa.binary()), np.int32),
    **dict.fromkeys((pa.large_string(), pa.large_binary()), np.int64),
}
_FIRST_SHOWN, _SHOWN = 0x21, 0x5F
"""The ASCII characters that are no white space: 0x21 … 0x7F."""

_MANY_ROWS = 10_000
"""Rows from which it pays to put words together."""
_MOST_TOGETHER = 2_000
"""Words put together at most."""


def laid_out(words: pa.Array, codes: NDArray[Any]) -> pa.Array:
    """Return the text ``words[code]`` of each code, a large string.

    Taking texts costs by the row, not by the byte. Of up to a dozen words three or four rows are taken as one text, all
    of theirs together, in two thirds of the time.
    """
    group = next((group for group in (4, 3) if len(words) ** group <= _MOST_TOGETHER), 1)
    if group == 1 or len(codes) < _MANY_ROWS or not len(words):
        return words.take(pa.array(codes))
    following = np.indices((len(words),) * group).reshape(group, -1)
    nothing = pa.scalar("", words.type)
    together = pc.binary_join_element_wise(*(words.take(pa.array(each)) for each in following), nothing)
    rows = np.append(codes, np.zeros(-len(codes) % group, codes.dtype)).reshape(-1, group)
    places = np.zeros(len(rows), dtype=np.int32)
    for each in rows.T:
        places *= len(words)
        places += each
    offsets = np.zeros(len(codes) + 1, dtype=np.int64)
    np.cumsum(np.diff(offsets_of(words)).take(codes), out=offsets[1:])
    data = together.take(pa.array(places)).buffers()[2]
    return pa.LargeStringArray.from_buffers(len(codes), pa.py_buffer(offsets), data)


def offsets_of(texts: pa.Array) -> NDArray[Any]:
    """Return where in their data texts begin, and where the last ends."""
    width = _OFFSETS[texts.type]
    return np.frombuffer(texts.buffers()[1], dtype=width)[texts.offset : texts.offset + len(texts) + 1]


def first_bytes(texts: pa.Array) -> tuple[NDArray[np.uint8], bool]:
    """Return the first byte of each text that has one, and whether all have."""
    offsets = offsets_of(texts)
    begins, filled = offsets[:-1], offsets[1:] > offsets[:-1]
    every = bool(filled.all())
    data = texts.buffers()[2]
    if data is None:
        return np.zeros(0, np.uint8), every
    return np.frombuffer(data, dtype=np.uint8).take(begins if every else begins[filled]), every


def bare_ends(texts: pa.Array) -> bool:
    """Return True when every text surely begins and ends with an ASCII character that is no white space."""
    data = texts.buffers()[2]
    if texts.type not in _OFFSETS or not len(texts) or data is None:
        return False
    offsets = offsets_of(texts)
    if not (offsets[1:] > offsets[:-1]).all():
        return False
    held = np.frombuffer(data, dtype=np.uint8)
    return all(bool((held.take(at) - np.uint8(_FIRST_SHOWN) < _SHOWN).all()) for at in (offsets[:-1], offsets[1:] - 1))


def is_ascii(texts: pa.Array) -> bool:
    """Return whether texts are ASCII."""
    data, offsets = texts.buffers()[2], offsets_of(texts)
    return data is None or bool(np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]].max(initial=0) < 0x80)
