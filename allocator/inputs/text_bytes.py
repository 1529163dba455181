"""The bytes that a column of text is made of, seen through numpy: what one pass over them says of every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["bare_ends", "first_bytes", "is_ascii", "offsets_of"]

_OFFSETS = {
    **dict.fromkeys((pa.string(), pa.binary()), np.int32),
    **dict.fromkeys((pa.large_string(), pa.large_binary()), np.int64),
}
_FIRST_SHOWN, _SHOWN = 0x21, 0x5F
"""The ASCII characters that are no white space: 0x21 … 0x7F."""


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
