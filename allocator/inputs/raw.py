"""A table as it was read: headings and cells as they stand, and where each came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Fits", "RawTable", "heading_row"]

Fits = Callable[[str], bool]
"""Whether a heading is known to the table that is looked for."""

HEADING_ROWS = 10


@dataclass(frozen=True, eq=False)
class RawTable:
    """Headings and cells of one table before any check.

    Parameters
    ----------
    file : str
        File name, with ``#sheet`` for Excel.
    headings : tuple of str
        As they stand in the file; may repeat or be empty.
    cells : tuple of Series
        One for each heading, equally long: text, numbers, dates or mixed.
    rows : ndarray of int (n,)
        File row of each row, 1-based, heading included.
    fingerprint : str
        SHA-256 of the file, hexadecimal.
    spreadsheet : bool
        Whether cells also have names such as C12.
    epoch_shift : int
        Days to add to a date serial (1462 for workbooks that count from 1904).
    """

    file: str
    headings: tuple[str, ...]
    cells: tuple[pd.Series, ...]
    rows: NDArray[np.int64]
    fingerprint: str
    spreadsheet: bool = False
    epoch_shift: int = 0


def heading_row(rows: list[list[str]], fits: Fits) -> tuple[int, int]:
    """Return the position of the row, among the first ten, with the most known headings, and how many.

    The first such row wins; (0, 0) when no row holds any.
    """
    counts = [len({cell for cell in row if cell.strip() and fits(cell)}) for row in rows[:HEADING_ROWS]]
    if not counts:
        return 0, 0
    best = max(range(len(counts)), key=lambda row: (counts[row], -row))
    return best, counts[best]
