"""Reads a report back: a page's texts with their language, its tables with the exact figures behind the cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import yaml

__all__ = ["Reader", "Tables", "given_names", "left_in_a_page", "left_in_a_workbook"]

VOID = frozenset({"meta", "link", "input", "br", "rect", "line", "circle", "path"})
WORD = re.compile(r"[A-Za-z]{3,}")
CHINESE = re.compile("[\u4e00-\u9fff]")
DOCUMENTS = tuple(
    document["name"]
    for path in sorted(Path(__file__).resolve().parent.parent.glob("*/*/rules/*.yaml"))
    for document in (yaml.safe_load(path.read_text(encoding="utf-8")).get("documents") or {}).values()
    if isinstance(document["name"], str)
)
"""Documents of the regulators, which keep their own names in every language."""


class Reader(HTMLParser):
    """Collects tags, attributes and texts, the latter with the language they are marked with."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag not in VOID:
            marks = {"en", "zh"} & set((values.get("class") or "").split())
            self.stack.append((tag, marks.pop() if marks else ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.stack:
            language = next((mark for _, mark in reversed(self.stack) if mark), "")
            self.texts.append((self.stack[-1][0], language, data.strip()))


class Tables(HTMLParser):
    """For each table its columns and, row by row, the exact figures behind the cells shown."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.columns: dict[str, list[str]] = {}
        self.rows: dict[str, list[list[float | None]]] = {}
        self.name = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "table":
            self.name = (values.get("id") or "").removeprefix("table-")
            self.columns[self.name], self.rows[self.name] = [], []
        elif tag == "th" and "data-column" in values:
            self.columns[self.name].append(str(values["data-column"]))
        elif tag == "tr":
            self.rows[self.name].append([])
        elif tag == "td":
            shown = values.get("data-value")
            self.rows[self.name][-1].append(None if shown is None else float(shown))

    def column(self, table: str, column: str) -> list[float | None]:
        place = self.columns[table].index(column)
        return [row[place] for row in self.rows[table] if row]


def given_names(entry: Mapping[str, Any]) -> list[str]:
    """Return what run.json says of the fund, its files and the versions of programs: names in any language."""
    files = [name for key, source in entry["inputs"].items() for name in (key, source["file"])]
    versions = [f"{name} {version}" for name, version in entry["versions"].items()]
    return [entry["fund"]["name"], *files, *versions]


def left_in_a_page(page: str, names: Iterable[str] = ()) -> list[str]:
    """Return the texts of a page that a reader of one language would meet in the other.

    Outside a language mark stand figures and codes, and inside one of either language the ``names`` that the data
    bring. The words of the drawings, their names and the hints of their marks count too.
    """
    reader = Reader(page)
    known = {word for name in names for word in WORD.findall(name)}
    said: Mapping[str, list[str]] = {
        language: [text for _, mark, text in reader.texts if mark == language] for language in ("en", "zh")
    }
    for kind in ("", "label-"):
        marks = [values for _, values in reader.tags if f"data-{kind}en" in values or f"data-{kind}zh" in values]
        for language, texts in said.items():
            texts += [values.get(f"data-{kind}{language}") or "missing" for values in marks]
    aside = {"style", "script", "title", "code", "pre"}
    plain = [text for tag, mark, text in reader.texts if not mark and tag not in aside]
    foreign = [text for text in said["en"] + plain if CHINESE.search(_without(text, names))]
    return foreign + [text for text in said["zh"] + plain if set(WORD.findall(text)) - known]


def left_in_a_workbook(path: Path, language: str, names: Iterable[str] = ()) -> list[str]:
    """Return the texts of a workbook, the inputs' sheet aside, that its reader meets in the other language."""
    known = {word for name in names for word in WORD.findall(name)}
    found = []
    for sheet in openpyxl.load_workbook(path):
        if sheet.title in ("inputs", "输入与依据"):
            continue
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if not isinstance(cell.value, str) or cell.data_type == "f":
                continue
            is_left = (
                CHINESE.search(_without(cell.value, names))
                if language == "en"
                else set(WORD.findall(cell.value)) - known
            )
            if is_left:
                found.append(f"{sheet.title}!{cell.coordinate}: {cell.value}")
    return found


def _without(text: str, names: Iterable[str]) -> str:
    """Return a text without documents and the names that the data bring."""
    if not CHINESE.search(text):
        return ""
    for name in sorted({*names, *DOCUMENTS} - {""}, key=len, reverse=True):
        text = text.replace(name, "")
    return text
