"""Long tables in the workbook: whole columns turned into the sheet's XML at once.

XlsxWriter keeps every cell as an object and writes it by a dozen calls, which for some thousand rows is most of what
a report costs. Rows whose columns have one format each need none of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

__all__ = ["LongSheet", "figure_cells"]


class LongSheet(Worksheet):  # type: ignore[misc]
    """A sheet that takes rows as XML beside cells; each block stands above the cells that are written after it."""

    dim_rowmin: int | None
    dim_rowmax: int | None

    def __init__(self) -> None:
        super().__init__()
        self._blocks: list[tuple[int, int, str]] = []

    def write_block(self, first: int, columns: Sequence[Sequence[str]]) -> None:
        """Add rows from the row ``first`` on, counted from zero: for each column its cells, ready made.

        No cell may be written into these rows.
        """
        lines = map("".join, zip(*columns, strict=True))
        rows = [f'<row r="{row}">{cells}</row>' for row, cells in enumerate(lines, first + 1)]
        self._blocks.append((first, len(rows), "".join(rows)))
        self._check_dimensions(first, 0)
        self._check_dimensions(first + len(rows) - 1, len(columns) - 1)

    def text_cells(self, values: Sequence[str], column: int, first: int, style: Format) -> list[str]:
        """Return the cells of a column of texts, none where a text is empty; the rest as for `figure_cells`."""
        letter, number = xl_col_to_name(column), style._get_xf_index()
        known = {value: self._content(value, number) for value in dict.fromkeys(values)}
        return [f'<c r="{letter}{row}{known[value]}' if value else "" for row, value in enumerate(values, first + 1)]

    def _content(self, value: str, style: int) -> str:
        return f'" s="{style}" t="s"><v>{self.str_table._get_shared_string_index(value)}</v></c>' if value else ""

    def _write_rows(self) -> None:
        start, end = self.dim_rowmin, self.dim_rowmax
        for first, count, rows in self._blocks:
            self.dim_rowmax = first - 1
            super()._write_rows()
            self.fh.write(rows)
            self.dim_rowmin = first + count
        self.dim_rowmax = end
        super()._write_rows()
        self.dim_rowmin = start


def figure_cells(values: Iterable[float | None], column: int, first: int, style: Format) -> list[str]:
    """Return the cells of a column of figures; none where a figure is missing or not finite.

    Parameters
    ----------
    values : iterable of float or None
        One for each row.
    column, first : int
        The column, and the row of the first value, counted from zero.
    style : Format
        Of every cell.
    """
    letter, number = xl_col_to_name(column), style._get_xf_index()
    return [
        ""
        if value is None or not math.isfinite(value)
        else f'<c r="{letter}{row}" s="{number}"><v>{value:.16G}</v></c>'
        for row, value in enumerate(values, first + 1)
    ]
