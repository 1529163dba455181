"""A study as people use it: its tables in ``fund.unit``, its charts, its page and files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.api.writing import registered

if TYPE_CHECKING:
    from allocator.report.figures import Figure
    from allocator.report.study import StudyReport

__all__ = ["Study"]


class Study:
    """A frontier, a stress test or a plan: many verified answers about one fund.

    Parameters
    ----------
    value : Frontier, StressStudy or PlanStudy
        What was computed; money in currency units.
    report : StudyReport
        The same as tables, charts and sentences.
    """

    def __init__(self, value: Any, report: StudyReport) -> None:
        self.value, self._report = value, report

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tables by name, as the study's CSV files hold them: money in ``fund.unit``."""
        from allocator.report.csv_table import in_unit

        return {table.name: in_unit(table, self._report.unit) for table in self._report.tables}

    @property
    def frame(self) -> pd.DataFrame:
        """The first table: one line a level, a scenario or a step."""
        return next(iter(self.tables.values()))

    def figure(self, number: int = 0) -> Figure:
        """Return a chart of the study as SVG, which a notebook shows; ``save`` writes it to a file.

        Parameters
        ----------
        number : int
            0 is the first, as on the page.

        Raises
        ------
        IndexError
            When the study has no such chart.
        """
        from allocator.report.figures import Figure

        chart = self._report.charts[number]
        return Figure(chart.picture.alone(chart.title, self._report.language))

    def report(self, folder: str | Path) -> Path:
        """Write the study's folder whole or not at all, register it, and return its path."""
        from allocator.report.writer import write_study

        return registered(write_study(self._report, folder), self._report.inputs.settings)

    def summary(self) -> str:
        """Return the sentences of the study, findings first."""
        return "\n".join(line[self._report.language] for line in self._report.lines)

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {len(frame)}" for name, frame in self.tables.items())
        return f"<{self._report.title[self._report.language]}: {rows}>"

    def _repr_html_(self) -> str:
        return str(self.figure().svg) if self._report.charts else str(self.frame.to_html())
