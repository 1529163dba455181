"""The frame of a page: policy, style, script, language switch, navigation, and where its figures come from.

A page may run its own script and style only: a content security policy names their hashes, so that a name
in the data that slipped through as markup could still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from allocator.report.html import both, plain, tag
from allocator.report.manifest import Json
from allocator.report.words import HEADINGS, STAGES
from allocator.types import Language, Text

__all__ = ["Part", "document", "evidence", "panel"]

Part = tuple[str, Text, str]
"""Anchor, title and HTML of a section."""

FIRST = "overview"
"""Anchor of the section that stands without a heading."""


def document(title: Text, language: Language, heading: str, parts: Sequence[Part], footer: Text) -> str:
    """Return a page as HTML, self-contained, in both languages, opening in ``language``."""
    locale = "zh-CN" if language is Language.CHINESE else "en"
    return "".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{locale}" data-lang="{language}" data-theme="light"',
            f' data-title-en="{plain(title.en)}" data-title-zh="{plain(title.zh)}"><head>',
            _head(title[language]),
            "</head><body>",
            tag("a", both(Text("To the content", "跳到正文")), class_="skip", href=f"#{FIRST}"),
            _top(parts),
            tag("main", [heading, *(_section(*part) for part in parts), tag("footer", both(footer))]),
            '<div id="hint" role="status" aria-live="polite"></div>',
            f"<script>{_asset('report.js')}</script></body></html>\n",
        ]
    )


def _head(title: str) -> str:
    policy = (
        f"default-src 'none'; style-src '{_hash('report.css')}'; script-src '{_hash('report.js')}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{plain(title)}</title><style>{_asset('report.css')}</style>"
    )


@cache
def _asset(name: str) -> str:
    return (files("allocator.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_asset(name).encode()).digest()).decode()


def _top(parts: Sequence[Part]) -> str:
    links = [tag("a", both(title), href=f"#{anchor}") for anchor, title, _ in parts]
    switches = [
        '<button type="button" data-speak="zh" lang="zh" aria-pressed="false">中文</button>',
        '<button type="button" data-speak="en" lang="en" aria-pressed="false">English</button>',
        tag("button", both(Text("Dark", "深色")), type="button", data_theme_switch="", aria_pressed="false"),
        tag("button", both(Text("Print", "打印")), type="button", data_print=""),
    ]
    bar = tag("nav", links, aria_label="sections") + tag("div", switches, class_="switches")
    return tag("header", tag("div", bar), class_="top")


def _section(anchor: str, title: Text, content: str) -> str:
    heading = "" if anchor == FIRST else tag("h2", both(title))
    return tag("section", heading + content, id=anchor)


def panel(content: str, class_: str = "panel") -> str:
    """Return a framed block."""
    return tag("div", content, class_=class_)


def evidence(entry: Json) -> Part:
    """Return where the figures come from: inputs with fingerprints, versions, settings."""
    rows = [
        tag(
            "tr",
            [
                tag("td", plain(name)),
                tag("td", plain(source["file"])),
                tag("td", plain("" if source["rows"] is None else f"{source['rows']:,}"), class_="figure"),
                tag("td", tag("code", plain(source["sha256"]))),
            ],
        )
        for name, source in entry["inputs"].items()
    ]
    heads = [tag("th", both(HEADINGS[name]), scope="col") for name in ("table", "file", "rows", "sha256")]
    inputs = tag("table", tag("thead", tag("tr", heads)) + tag("tbody", rows))
    versions = " · ".join(plain(f"{name} {version}") for name, version in entry["versions"].items())
    stages = entry.get("seconds", {}).items()
    seconds = " · ".join(both(STAGES.get(name) or Text(name, name)) + f" {value:.2f} s" for name, value in stages)
    settings = plain(json.dumps(entry["settings"], ensure_ascii=False, indent=2))
    fold = tag(
        "details", tag("summary", both(Text("Settings as understood", "设置（按程序理解）"))) + tag("pre", settings)
    )
    content = [
        tag("h3", both(Text("Inputs and their fingerprints", "输入文件及指纹"))),
        inputs,
        tag("p", f"{versions}<br>{seconds}", class_="note"),
        fold,
    ]
    return "evidence", Text("Evidence", "依据"), panel("".join(content), "panel long")
