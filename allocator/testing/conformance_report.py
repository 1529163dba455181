"""What ``allocator plugins check`` shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from allocator.types import Language, Text

if TYPE_CHECKING:
    from rich.console import Console

    from allocator.testing.findings import Finding

__all__ = ["finding_entries", "print_findings"]

_OUTCOMES = {"passed": Text("passed", "通过"), "failed": Text("FAILED", "未通过"), "noted": Text("noted", "提示")}


def finding_entries(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return one entry for each finding."""
    return [
        {
            "check": finding.check,
            "subject": finding.subject,
            "outcome": finding.outcome.value,
            "detail": None if finding.detail is None else {"en": finding.detail.en, "zh": finding.detail.zh},
        }
        for finding in findings
    ]


def print_findings(name: str, findings: Sequence[Finding], console: Console, language: Language) -> None:
    """Print a line for each check, and below it whatever did not pass.

    Parameters
    ----------
    name : str
        Of the plugin.
    findings : sequence of Finding
        What the suite found.
    console : Console
        Where to.
    language : Language
        Of the words.
    """
    from allocator.testing.findings import CHECKS, Outcome

    for check, promise in CHECKS.items():
        found = [finding for finding in findings if finding.check == check]
        if not found:
            continue
        counts = Counter(finding.outcome for finding in found)
        told = ", ".join(f"{counts[outcome]} {_OUTCOMES[outcome][language]}" for outcome in Outcome if counts[outcome])
        console.print(f"{promise[language]}: {told}", markup=False, highlight=False)
        for finding in found:
            if finding.detail is not None:
                word = _OUTCOMES[finding.outcome][language]
                line = f"  {word}: {finding.subject}: {finding.detail[language]}"
                console.print(line, markup=False, highlight=False)
    failed = sum(finding.outcome is Outcome.FAILED for finding in findings)
    verdict = (
        Text(f"{name}: {failed} findings to fix", f"{name}：{failed} 项须修正")
        if failed
        else Text(f"{name} conforms", f"{name} 符合约定")
    )
    console.print(verdict[language], markup=False, highlight=False)
