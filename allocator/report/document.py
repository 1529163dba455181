"""The frame of a page, and where its figures come from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from allocator.model.units import MoneyUnit
from allocator.report.manifest import Json
from allocator.report.templating import render
from allocator.report.words import HEADINGS, STAGES
from allocator.types import Language, Text

__all__ = ["Chip", "Part", "document", "evidence", "footer", "money_note"]

Chip = tuple[Text, str]
"""A word beside the title and its mood: ``good``, ``warn`` or ``bad``."""


class Part(NamedTuple):
    """A section of a page; the first stands without a heading."""

    anchor: str
    title: Text
    content: Markup


def document(
    title: Text,
    language: Language,
    heading: str,
    facts: Sequence[Text],
    parts: Sequence[Part],
    foot: Text,
    chips: Sequence[Chip] = (),
) -> str:
    """Return a page as HTML, self-contained, in both languages, opening in ``language``."""
    return str(
        render(
            "document.html",
            **{"title": title, "language": language, "heading": heading, "facts": facts},
            **{"parts": parts, "footer": foot, "chips": chips},
        )
    )


def money_note(money: MoneyUnit) -> Text:
    """Return the unit that money is shown in, as a page's title says it."""
    return Text(f"money in {money.label.en}", f"金额单位：{money.label.zh}")


def footer(written: str) -> Text:
    """Return what stands below a page whose figures lie in files beside it."""
    return Text(
        f"Every figure equals run.json and the CSV files beside this page. Written {written}.",
        f"本页数字与同目录 run.json 及 CSV 文件一致。生成时间 {written}。",
    )


def evidence(entry: Json) -> Part:
    """Return where the figures come from: inputs with fingerprints, versions, settings."""
    heads = [HEADINGS[name] for name in ("table", "file", "rows", "sha256")]
    stages = [(STAGES.get(name) or Text(name, name), value) for name, value in entry.get("seconds", {}).items()]
    settings = json.dumps(entry["settings"], ensure_ascii=False, indent=2)
    content = render("evidence.html", entry=entry, heads=heads, stages=stages, settings=settings)
    return Part("evidence", Text("Evidence", "依据"), content)
