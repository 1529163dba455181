"""report.html of a run without an answer: what stands in the way, and what would open it."""

from __future__ import annotations

from pathlib import Path

from allocator.errors import AllocatorError
from allocator.inputs.fund import Inputs
from allocator.report.document import Part, document, evidence
from allocator.report.manifest import Json
from allocator.report.templating import render
from allocator.report.words import STATUS
from allocator.types import Language, LocalizedPhrase, Text

__all__ = ["write_failure_page"]


def write_failure_page(error: AllocatorError, inputs: Inputs, entry: Json, language: Language, path: Path) -> None:
    """Write the page; ``entry`` is run.json."""
    fund, written = inputs.settings.fund, entry["created"]
    title = Text(f"{fund.name}: no allocation", f"{fund.name}：未得出配置方案")
    rows = [(_said(one.where), one.what, _said(one.got), _said(one.allowed), one.hint) for one in error.problems]
    content = render("failure.html", error=error, rows=rows)
    parts = (Part("overview", Text("What stands in the way", "障碍所在"), content), evidence(entry))
    day = fund.as_of.isoformat()
    foot = Text(f"Written {written}.", f"生成时间 {written}。")
    chips = ((STATUS[entry["status"]], "bad"),)
    path.write_text(document(title, language, fund.name, [Text(day, day)], parts, foot, chips), encoding="utf-8")


def _said(text: str | None) -> Text | None:
    """Return a place or a value in both languages; None where there is none."""
    if not text:
        return None
    return Text(str(text), text.zh if isinstance(text, LocalizedPhrase) else text)
