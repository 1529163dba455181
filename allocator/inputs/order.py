"""One order of rows, whatever the file's: sums in floating point then end in the same bits.

A table of a file is held sorted by what identifies its rows, so that the same rows in another order are the
same inputs, the same model and the same answer. A frame given in Python keeps its order, which the caller's
own vectors follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["canonical_order"]

IDENTITY = ("asset_id", "account", "issuer", "underlying_id", "date", "year", "tenor", "factor", "other")
"""Columns that tell rows apart, the first ones first; a table's own key comes before them."""


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
