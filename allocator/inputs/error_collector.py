"""Collects what is wrong in tables: by cell, with a cap, so that a million bad cells stay readable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, Problem
from allocator.inputs.fund import TableSource
from allocator.language import counted
from allocator.types import Text

__all__ = ["CellError", "ErrorCollector"]

MOST_PROBLEMS = 200
MOST_OF_ONE_KIND = 20


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with a set of cells, and the cure."""

    what: Text
    allowed: str | None = None
    hint: Text | None = None


class ErrorCollector:
    """Problems found so far: at most 20 cells of one fault in one column, 200 problems in all.

    Everything beyond is counted and reported in one line. A cell is reported once, for the first fault found.
    ``notes`` are no problems: what a reader of the figures must know.
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._more = 0
        self._cells: dict[tuple[str, str], NDArray[np.int64]] = {}
        self.notes: list[Text] = []

    def __len__(self) -> int:
        return len(self._found) + self._more

    def add(
        self,
        what: Text,
        where: str = "",
        got: str | None = None,
        allowed: str | None = None,
        hint: Text | None = None,
    ) -> None:
        """Record one problem."""
        self.extend((Problem(what, where, got, allowed, hint),))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Record problems found elsewhere."""
        for problem in problems:
            if len(self._found) < MOST_PROBLEMS:
                self._found.append(problem)
            else:
                self._more += 1

    def cells(
        self,
        fault: CellError,
        source: TableSource,
        column: str,
        bad: NDArray[np.bool_],
        got: Callable[[int], str | None] = lambda row: None,
        hint: Callable[[int], Text | None] | None = None,
    ) -> None:
        """Record one fault of several cells of a column.

        Parameters
        ----------
        fault : Fault
            What is wrong.
        source : TableSource
            Names the cells.
        column : str
            Column name.
        bad : ndarray of bool (n,)
            Which rows of the frame.
        got, hint : callable
            By row position: the value as it stands in the file; a hint of its own.
        """
        rows = np.flatnonzero(bad)
        if not rows.size:
            return
        seen = self._cells.setdefault((source.file, column), np.zeros(0, np.int64))
        rows = rows[~np.isin(source.rows[rows], seen)]
        self._cells[source.file, column] = np.append(seen, source.rows[rows])
        for row in rows[:MOST_OF_ONE_KIND].tolist():
            cure = (hint(row) if hint else None) or fault.hint
            self.add(fault.what, source.where(row, column), got(row), fault.allowed, cure)
        rest = len(rows) - MOST_OF_ONE_KIND
        if rest > 0:
            more = Text(f"{fault.what.en} (and {counted(rest, 'more row')})", f"{fault.what.zh}（另有 {rest:,} 行）")
            self.add(more, source.where_column(column))

    def without_faults(self, frame: pd.DataFrame, source: TableSource) -> tuple[pd.DataFrame, TableSource]:
        """Return a table's rows in which no cell has a problem."""
        faulty = [rows for (file, _), rows in self._cells.items() if file == source.file]
        if not faulty or len(frame) != len(source.rows):
            return frame, source
        sound = ~np.isin(source.rows, np.concatenate(faulty))
        return frame[sound].reset_index(drop=True), replace(source, rows=source.rows[sound])

    def raise_if_any(self, partial: object = None) -> None:
        """Raise InputError with everything recorded; ``partial``: what could be read in spite of it.

        Raises
        ------
        InputError
            When anything was recorded.
        """
        if not self._found:
            return
        problems = list(self._found)
        if self._more:
            problems.append(Problem(Text(f"and {self._more:,} more problems", f"另有 {self._more:,} 个问题")))
        error = InputError(problems)
        error.partial = partial
        raise error
