"""Checked tables, handed to plugins so that what a plugin does to a frame reaches nobody else.

A frame is lent as a shallow copy: it shares the memory of the original until somebody writes to it, and then
pandas copies what is written (copy-on-write), so lending costs microseconds whatever the number of rows.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["LentTables", "changed_column"]


class LentTables(Mapping[str, pd.DataFrame]):
    """Tables by name: the originals outside `lending`, copies of them inside.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        The originals.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        # Looked at after every call that had a table lent to it.
        self._columns = {name: list(frame.items()) for name, frame in frames.items()}
        self._frames = {name: _frozen(frame, self._columns[name]) for name, frame in frames.items()}
        self._open = _Open()

    def __getitem__(self, name: str) -> pd.DataFrame:
        frame = self._frames[name]
        if not self._open.calls:
            return frame
        lent = self._open.calls[-1]
        if name not in lent:
            lent[name] = frame.copy(deep=False)
        return lent[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __reduce__(self) -> tuple[type[LentTables], tuple[dict[str, pd.DataFrame]]]:
        return LentTables, (self._frames,)

    @contextmanager
    def lending(self) -> Iterator[list[str]]:
        """Lend copies until the block ends; the list then names every ``table.column`` that was changed."""
        changes: list[str] = []
        lent: dict[str, pd.DataFrame] = {}
        self._open.calls.append(lent)
        try:
            yield changes
        finally:
            self._open.calls.pop()
            for name, frame in lent.items():
                column = changed_column(self._frames[name], frame, self._columns[name])
                if column is not None:
                    changes.append(f"{name}.{column}")


def _frozen(frame: pd.DataFrame, columns: Sequence[tuple[Hashable, pd.Series]]) -> pd.DataFrame:
    """Return the frame over the arrays of its ``columns``, which cannot be written to, without copying them."""
    # to_numpy gives a read-only view, and a frame made of it keeps it so.
    held = [column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array for _, column in columns]
    frozen = pd.DataFrame(dict(enumerate(held)), index=frame.index, copy=False)
    frozen.columns = frame.columns
    return frozen


class _Open(threading.local):
    """The calls under way in this thread, innermost last."""

    def __init__(self) -> None:
        self.calls: list[dict[str, pd.DataFrame]] = []


def changed_column(
    original: pd.DataFrame, lent: pd.DataFrame, columns: Sequence[tuple[Hashable, pd.Series]]
) -> str | None:
    """Return the first column that a shallow copy no longer shares with its original, or None.

    ``columns`` are the original's by name: making a Series of each takes as long as all else. Whoever writes to a
    shallow copy gets memory of its own, so that looking at addresses suffices.
    """
    if not lent.columns.equals(original.columns):
        return str(next(iter(lent.columns.symmetric_difference(original.columns, sort=False)), "columns"))
    if not lent.index.equals(original.index):
        return "index"
    for (name, mine), (_, theirs) in zip(columns, lent.items(), strict=True):
        if not _shared(mine, theirs):
            return str(name)
    return None


def _shared(original: pd.Series, lent: pd.Series) -> bool:
    if original.dtype != lent.dtype:
        return False
    if isinstance(original.dtype, np.dtype):
        return np.may_share_memory(original.to_numpy(), lent.to_numpy()) or original.empty
    if isinstance(original.dtype, pd.StringDtype) and original.dtype.storage == "pyarrow":
        mine, theirs = original.array.__arrow_array__(), lent.array.__arrow_array__()
        return mine is theirs or _addresses(mine) == _addresses(theirs)
    return bool(original.equals(lent))


def _addresses(column: pa.Array | pa.ChunkedArray) -> list[int]:
    array = pa.chunked_array(column)
    return [buffer.address for chunk in array.chunks for buffer in chunk.buffers() if buffer is not None]
