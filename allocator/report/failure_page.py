"""report.html of a run without an answer: what stands in the way, and what would open it."""

from __future__ import annotations

from pathlib import Path

from allocator.errors import AllocatorError, Problem
from allocator.inputs.fund import Inputs
from allocator.report.document import document, evidence, panel
from allocator.report.html import both, plain, tag
from allocator.report.manifest import Json
from allocator.report.words import STATUS
from allocator.types import Language, LocalizedPhrase, Text

__all__ = ["write_failure_page"]


def write_failure_page(error: AllocatorError, inputs: Inputs, entry: Json, language: Language, path: Path) -> None:
    """Write the page; ``entry`` is run.json."""
    fund = inputs.settings.fund
    name, written = fund.name, entry["created"]
    title = Text(f"{name}: no allocation", f"{name}：未得出配置方案")
    heading = tag("h1", plain(name)) + tag("p", plain(fund.as_of.isoformat()))
    chip = tag("span", both(STATUS[entry["status"]]), class_="chip bad")
    head = tag("div", [tag("div", heading), tag("div", chip, class_="chips")], class_="title")
    lead = tag("p", both(error.title), class_="lead")
    content = panel(lead + tag("table", [_heading(), tag("tbody", [_row(one) for one in error.problems])]))
    parts = [("overview", Text("What stands in the way", "障碍所在"), content), evidence(entry)]
    footer = Text(f"Written {written}.", f"生成时间 {written}。")
    path.write_text(document(title, language, head, parts, footer), encoding="utf-8")


def _heading() -> str:
    words = (
        Text("Where", "位置"),
        Text("What", "问题"),
        Text("SweepSolution", "可达"),
        Text("Asked", "要求"),
        Text("What would open it", "如何放松"),
    )
    return tag("thead", tag("tr", [tag("th", both(word), scope="col") for word in words]))


def _row(problem: Problem) -> str:
    cells = (_said(problem.where), problem.what, _said(problem.got), _said(problem.allowed), problem.hint)
    return tag("tr", [tag("td", both(cell) if cell is not None else "") for cell in cells])


def _said(text: str | None) -> Text | None:
    """Return a place or a value in both languages; None where there is none."""
    if not text:
        return None
    return Text(str(text), text.zh if isinstance(text, LocalizedPhrase) else text)
