"""Text cells still in a file's own encoding: most are ASCII or repeat, so that little of them need be decoded."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from allocator.inputs.raw import mostly_differs, one_array
from allocator.inputs.text_bytes import is_ascii

__all__ = ["decoded"]

_BETWEEN = "\0"
"""Stands between cells decoded together; in no encoding read here part of another character."""


def decoded(column: pa.ChunkedArray, encoding: str) -> pa.ChunkedArray:
    """Return a column with its text as Unicode: a distinct cell decoded once where the first cells repeat.

    Parameters
    ----------
    column : ChunkedArray
        Of any type; text as binary or, where the bytes happen to be UTF-8, as string.
    encoding : str
        Of the text: one that ASCII is the same in.

    Raises
    ------
    ValueError
        When a cell is not text in this encoding, or the cells cannot be told apart once decoded.
    """
    kind = column.type
    if not (pa.types.is_binary(kind) or pa.types.is_string(kind) and encoding != "utf-8"):
        return column
    held = column.cast(pa.binary())
    if all(is_ascii(chunk) for chunk in held.chunks):
        return pa.chunked_array([chunk.view(pa.string()) for chunk in held.chunks], pa.string())
    if mostly_differs(held):
        return pa.chunked_array([_together(one_array(held), encoding)])
    encoded = one_array(held.dictionary_encode())
    words = _together(encoded.dictionary, encoding)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(encoded.indices, words)])


def _together(cells: pa.Array, encoding: str) -> pa.Array:
    """Return the texts that cells stand for, decoded in one go."""
    rows = pa.ListArray.from_arrays(pa.array([0, len(cells)], pa.int32()), cells.cast(pa.large_binary()))
    joined = pc.binary_join(rows, pa.scalar(_BETWEEN.encode(), pa.large_binary()))[0].as_buffer()
    texts = pc.split_pattern(pa.array([str(joined, encoding)], pa.large_string()), _BETWEEN)[0].values
    if len(texts) != len(cells):
        raise ValueError("a cell holds what stands between cells")
    return texts
