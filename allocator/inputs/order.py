"""One order of rows, whatever the file's: sums in floating point then end in the same bits.

A table of a file is held sorted by what identifies its rows, so that the same rows in another order are the
same inputs, the same model and the same answer. A frame given in Python keeps its order, which the caller's
own vectors follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.inputs.fund import TableSource
from allocator.inputs.quick import order_of_different

__all__ = ["canonical_order", "in_canonical_order"]

IDENTITY = ("asset_id", "account", "issuer", "underlying_id", "date", "year", "tenor", "factor", "other")
"""Columns that tell rows apart, the first ones first; a table's own key comes before them."""


def canonical_order(frame: pd.DataFrame, key: Sequence[str]) -> NDArray[np.intp] | None:
    """Return the positions that sort the rows; None when they stand sorted already.

    Parameters
    ----------
    frame : DataFrame
        A checked table.
    key : sequence of str
        The columns of the table's key; rows alike in these and in `IDENTITY` are told apart by all other
        columns, so that only rows equal in every cell keep the order of the file.
    """
    leading = [name for name in dict.fromkeys((*key, *IDENTITY)) if name in frame]
    if leading and frame[leading[0]].is_monotonic_increasing and frame[leading[0]].is_unique:
        return None
    order = order_of_different(frame[leading[0]]) if leading else None
    if order is not None:
        return order
    columns = [*leading, *(name for name in frame.columns if name not in leading)]
    cells = pd.DataFrame({name: _comparable(frame[name]) for name in columns})
    order = cells.sort_values(columns, kind="stable", na_position="first").index.to_numpy()
    return None if np.array_equal(order, np.arange(len(frame))) else order.astype(np.intp)


def in_canonical_order(
    frame: pd.DataFrame, source: TableSource, key: Sequence[str]
) -> tuple[pd.DataFrame, TableSource]:
    """Return a table and its places in the file, sorted; see `canonical_order`."""
    order = canonical_order(frame, key)
    if order is None:
        return frame, source
    return frame.iloc[order].reset_index(drop=True), replace(source, rows=source.rows[order])


def _comparable(column: pd.Series) -> pd.Series:
    """Return cells that compare: lists as joined text, any text as plain objects' codes would."""
    return column.map(";".join) if column.dtype == object else column
