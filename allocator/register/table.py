"""The register as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from allocator.register.runs import Run
from allocator.report.sections import ReportTable
from allocator.report.words import RATIOS, STATUS
from allocator.types import Text

__all__ = ["history_table"]

HEADINGS = {
    "number": Text("No.", "编号"),
    "created": Text("Written", "生成时间"),
    "fund": Text("Fund", "基金"),
    "as_of": Text("As of", "估值日"),
    "status": Text("Status", "状态"),
    "expected_return": Text("Expected return", "预期收益率"),
    "comprehensive": RATIOS["comprehensive"],
    "minimum_capital": Text("Minimum capital", "最低资本"),
    "folder": Text("Folder", "目录"),
    "unchanged": Text("Unchanged", "未被改动"),
}


def history_table(runs: Sequence[Run]) -> ReportTable:
    """Return one line for each run, in the order given; money in CNY."""
    frame = pd.DataFrame([_line(run) for run in runs], columns=list(HEADINGS))
    formats = {"number": "integer", "expected_return": "percent", "comprehensive": "percent"}
    formats |= {"minimum_capital": "money", "unchanged": "flag"}
    return ReportTable("history", Text("Runs", "运行"), frame, HEADINGS, formats, labels={"status": STATUS})


def _line(run: Run) -> tuple[object, ...]:
    row, entry = run.row, run.manifest
    minimum = entry.get("capital", {}).get("minimum_capital")
    return (
        row.number,
        row.created,
        row.fund,
        row.as_of,
        row.status,
        entry.get("expected_return", {}).get("after"),
        entry.get("solvency", {}).get("comprehensive", {}).get("after"),
        None if minimum is None else minimum * entry["fund"]["unit"],
        row.folder,
        run.unchanged,
    )
