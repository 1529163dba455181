"""Tables of the report: one definition gives the CSV file, the sheet, the page and the console view.

Plugins add sections of such tables through the hook ``allocator_report_sections``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from allocator.types import Text

if TYPE_CHECKING:
    from allocator.result.result import Result

__all__ = ["ReportSectionSpec", "ReportTable"]


@dataclass(frozen=True, eq=False)
class ReportTable:
    """A table of a report.

    Parameters
    ----------
    name : str
        Sheet name in report.xlsx and anchor in report.html. A section's table named ``"commitments"`` is
        also written to commitments.csv.
    title : Text
        Heading.
    frame : DataFrame
        Money in CNY, rates in decimals.
    headings : mapping of str to Text
        Heading of each column; a column without one keeps its name.
    formats : mapping of str to str
        Column → ``"money"``, ``"percent"``, ``"points"`` (percentage points), ``"basis_points"``, ``"years"``,
        ``"number"``, ``"integer"``, ``"flag"``, ``"text"`` or ``"by_unit"`` (each row's column ``unit``
        decides). A column without one is text or a number by its dtype.
    note : Text or None
        A line below the heading.
    labels : mapping of str to mapping of str to Text
        Column → what a reader sees for each of its values; a value without a label is shown as it is.
    indent : mapping of str to int
        Row key (the first column's value) → depth in a tree; empty for a flat table.
    saved : bool
        Whether a section's table is also written to NAME.csv, for figures that others compute with.
    files_only : collection of str
        Columns that the page leaves to the CSV file and the workbook: raw names, or what another column says too.
    summed : collection of str
        Columns of figures whose total the workbook adds up by a formula.
    """

    name: str
    title: Text
    frame: pd.DataFrame
    headings: Mapping[str, Text] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    note: Text | None = None
    labels: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    indent: Mapping[str, int] = field(default_factory=dict)
    saved: bool = False
    files_only: Collection[str] = ()
    summed: Collection[str] = ()

    def heading(self, column: str) -> Text:
        """Return the heading of a column."""
        return self.headings.get(column) or Text(column, column)


@dataclass(frozen=True, slots=True)
class ReportSectionSpec:
    """``tables(result) -> sequence of ReportTable``, in the order shown; an empty sequence shows nothing."""

    name: str
    title: Text
    tables: Callable[[Result], Sequence[ReportTable]] = field(repr=False)
