"""What the documentation site adds to the pages: their order, the generated reference, the examples' notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from build_house_page import drawing, graph_of
from house import House
from reference import figures_reference, settings_reference

ROOT = Path(__file__).resolve().parent.parent

MARK = "<!-- every key -->"
"""Where the generated reference begins in settings.md; `docs/build_settings_page.py` keeps it there."""

FIGURES = "<!-- every figure -->"
"""Where rules.md takes the table of every figure."""

ELSEWHERE = {"life-insurer.md": "examples/life_insurer/README.md", "contributing.md": "CONTRIBUTING.md"}
"""Pages that stand beside the files they are about, shown on the site as well: page and file."""

PARTS = {
    "Begin": ("first-fund", "examples", "cookbook", "check-your-filing"),
    "Method": ("mathematics", "optimizer", "technology-assets", "tilts", "securitised"),
    "Study": ("frontier", "stress", "plan", "batch"),
    "Reference": ("rules", "settings", "reports", "register", "speed", "reliability", "mutants"),
    "Plugins": ("plugins",),
    "Contribute": ("contributing", "house", "api"),
}
"""The pages of each part in order; a page that is named nowhere comes last, one that is absent is left out."""


def on_config(config: Any) -> Any:
    """Lay out the navigation from the pages that are there."""
    folder = Path(config["docs_dir"])
    there = [path.stem for path in sorted(folder.glob("*.md")) if path.stem != "index"] + ["contributing"]
    placed = {name for names in PARTS.values() for name in names}
    navigation: list[Any] = ["index.md"]
    for title, names in PARTS.items():
        pages: list[Any] = [f"{name}.md" for name in names if name in there]
        if title == "Plugins":
            pages += sorted(f"hooks/{path.name}" for path in (folder / "hooks").glob("*.md"))
        if pages:
            navigation.append({title: pages})
    rest = [f"{name}.md" for name in there if name not in placed]
    config["nav"] = [*navigation, *([{"More": rest}] if rest else [])]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that stand elsewhere."""
    from mkdocs.structure.files import File, InclusionLevel

    for page, path in ELSEWHERE.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Write the reference, and point links that leave the folder at their place on the site."""
    if MARK in markdown:
        markdown = markdown.partition(MARK)[0] + settings_reference()
    if FIGURES in markdown:
        markdown = markdown.replace(FIGURES, figures_reference())
    if "```mermaid" in markdown:  # the theme would fetch the script that draws it
        markdown = re.sub(r"```mermaid\n.*?\n```", lambda _: drawing(graph_of(House(ROOT))), markdown, flags=re.DOTALL)
    for name, path in ELSEWHERE.items():
        markdown = markdown.replace(f"(../{path})", f"({name})")
    return markdown.replace("(../../docs/", "(").replace("(docs/", "(")
