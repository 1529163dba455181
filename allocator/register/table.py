"""The register as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from allocator.register.runs import DONE, RUN, Run
from allocator.report.words import STATUS
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["KINDS", "OUTCOMES", "history_table", "minute"]

KINDS = {
    RUN: Text("run", "优化"),
    "frontier": Text("frontier", "有效前沿"),
    "stress": Text("stress test", "压力测试"),
    "plan": Text("plan", "多期规划"),
    "backtest": Text("backtest", "回测"),
    "batch": Text("batch", "批量研究"),
}
"""What a manifest may be of."""

OUTCOMES = {**STATUS, DONE: Text("done", "已完成")}
"""How it may have ended."""

HEADINGS = {
    "number": Text("No.", "编号"),
    "created": Text("Written (UTC)", "生成时间（UTC）"),
    "kind": Text("Kind", "类型"),
    "fund": Text("Fund", "组合"),
    "as_of": Text("As of", "估值日"),
    "status": Text("Status", "状态"),
    "expected_return": Text("Expected return", "预期收益率"),
    "comprehensive": Text("Ratio", "综合充足率"),
    "minimum_capital": Text("Minimum capital", "最低资本"),
    "folder": Text("Folder", "目录"),
    "unchanged": Text("Unchanged", "未被改动"),
}


def history_table(runs: Sequence[Run]) -> ReportTable:
    """Return one line for each run, in the order given; money in CNY.

    A column says which manifests no longer have their fingerprint; it is there only when there is one.
    """
    frame = pd.DataFrame([_line(run) for run in runs], columns=list(HEADINGS))
    if frame["unchanged"].all():
        frame = frame.drop(columns="unchanged")
    formats = {"number": "integer", "expected_return": "percent", "comprehensive": "percent"}
    formats |= {"minimum_capital": "money", "unchanged": "flag"}
    return ReportTable(
        "history", Text("Runs", "运行"), frame, HEADINGS, formats, labels={"status": OUTCOMES, "kind": KINDS}
    )


def minute(created: str) -> str:
    """Return a time of a manifest to the minute, as people write it."""
    return created[:16].replace("T", " ")


def _line(run: Run) -> tuple[object, ...]:
    row, entry = run.row, run.manifest
    minimum = entry.get("capital", {}).get("minimum_capital")
    return (
        row.number,
        minute(row.created),
        run.kind,
        row.fund,
        row.as_of,
        row.status,
        entry.get("expected_return", {}).get("after"),
        entry.get("solvency", {}).get("comprehensive", {}).get("after"),
        None if minimum is None else minimum * entry["fund"]["unit"],
        row.folder,
        run.unchanged,
    )
