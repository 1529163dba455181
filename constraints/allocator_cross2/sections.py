"""Sections of the report: minimum capital laid out as a quarterly filing, own funds, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from allocator.plugin import LocalizedPhrase, Text
from allocator.plugin.report import ReportSectionSpec, ReportTable
from allocator_cross2.labels import FILING_ORDER, label
from allocator_cross2.regime import Cross2Regime

if TYPE_CHECKING:
    from allocator.plugin.report import Result

__all__ = ["SECTIONS", "filing_table", "rate_table"]

_HEADINGS = {
    "line": Text("Line", "行次"),
    "module": Text("Item", "项目"),
    "before": Text("Before", "调整前"),
    "after": Text("After", "调整后"),
    "change": Text("Change", "变动"),
}


def filing_table(before: Mapping[str, float], after: Mapping[str, float]) -> ReportTable:
    """Return minimum capital in the order of a quarterly report's table, before and after, CNY."""
    lines = [name for name in FILING_ORDER if name in after]
    frame = pd.DataFrame(
        {
            "module": lines,
            "before": [before.get(name, 0.0) for name in lines],
            "after": [after[name] for name in lines],
        }
    )
    frame["change"] = frame["after"] - frame["before"]
    return ReportTable(
        "cross2_filing",
        Text("Minimum capital as filed", "最低资本（按偿付能力报告格式）"),
        frame,
        _HEADINGS,
        dict.fromkeys(("before", "after", "change"), "money"),
        labels={"module": {name: label(name) for name in lines}},
    )


def _notes_table(regime: Cross2Regime) -> ReportTable:
    notes = regime.notes()
    frame = pd.DataFrame(
        {
            "number": [str(number) for number in range(1, len(notes) + 1)],
            "article": [note.article for note in notes],
            "rule": [note.rule for note in notes],
        }
    )
    return ReportTable(
        "cross2_notes",
        Text("Readings and assumptions", "口径与假设"),
        frame,
        {"number": Text("Note", "说明"), "article": Text("Article", "条款"), "rule": Text("By the rules", "符合规则")},
        {"rule": "flag"},
        labels={
            "number": {str(number): note.text for number, note in enumerate(notes, 1)},
            "article": {
                note.article: Text(note.article, note.article.zh)
                for note in notes
                if isinstance(note.article, LocalizedPhrase)
            },
        },
    )


def rate_table(regime: Cross2Regime, result: Result) -> ReportTable:
    """Return interest rate risk account by account, before and after, CNY."""
    accounts = result.model.space.account
    before = regime.basis.rate.by_account(result.model.space.current, accounts)
    after = regime.basis.rate.by_account(result.holdings, accounts)
    frame = pd.DataFrame(
        [(name, before[name][2], *after[name]) for name in after], columns=["account", "before", "up", "down", "after"]
    )
    return ReportTable(
        "cross2_rate_by_account",
        Text("Interest rate risk by account", "分账户利率风险"),
        frame,
        {
            "account": Text("Account", "账户"),
            "before": Text("Before", "调整前"),
            "up": Text("Rates up, after", "利率上行（调整后）"),
            "down": Text("Rates down, after", "利率下行（调整后）"),
            "after": Text("After", "调整后"),
        },
        dict.fromkeys(("before", "up", "down", "after"), "money"),
        note=Text(
            "Each account on its own; the company's module nets all accounts first (R8 §18).",
            "各账户单独计量；公司整体利率风险先合并全部账户现金流（规则第8号第十八条）。",
        ),
    )


def _tables(result: Result) -> tuple[ReportTable, ...]:
    if not isinstance(result.regime, Cross2Regime) or result.before is None or result.after is None:
        return ()
    before = result.before.tree.values(result.before.holdings)
    after = result.after.tree.values(result.after.holdings)
    return (filing_table(before, after), rate_table(result.regime, result), _notes_table(result.regime))


SECTIONS = (ReportSectionSpec("cross2", Text("Solvency under C-ROSS II", "偿二代二期偿付能力"), _tables),)
"""What the plugin's hook ``allocator_report_sections`` returns."""
