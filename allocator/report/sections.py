"""Sections that plugins add to the report: one definition gives the page, the sheet and the notebook view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from allocator.types import Text

if TYPE_CHECKING:
    from allocator.result import Result

__all__ = ["ReportSectionSpec", "ReportTable"]


@dataclass(frozen=True, eq=False)
class ReportTable:
    """A table of a report.

    Parameters
    ----------
    name : str
        Sheet name in report.xlsx and anchor in report.html.
    title : Text
        Heading.
    frame : DataFrame
        Money in CNY.
    headings : mapping of str to Text
        Heading of each column; a column without one keeps its name.
    formats : mapping of str to str
        Column → ``"money"``, ``"percent"``, ``"number"`` or ``"text"``.
    note : Text or None
        A line below the heading.
    """

    name: str
    title: Text
    frame: pd.DataFrame
    headings: dict[str, Text] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class ReportSectionSpec:
    """``tables(result) -> sequence of ReportTable``, in the order shown; an empty sequence shows nothing."""

    name: str
    title: Text
    tables: Callable[[Result], Sequence[ReportTable]] = field(repr=False)
