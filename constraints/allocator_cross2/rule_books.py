"""Every rule book that is installed, at one date or between two: what changed, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import resources
from importlib.metadata import entry_points
from typing import Any

from allocator.plugin import InputError, Source, Text
from allocator.plugin.rules import RuleBook
from allocator_cross2.pack import RulePack
from allocator_cross2.plain import plain

__all__ = ["DatedFigure", "changes", "every_figure"]


@dataclass(frozen=True, slots=True)
class DatedFigure:
    """A figure of a rule book in the version in force at a date.

    Parameters
    ----------
    book : str
        The plugin that keeps it.
    key : str
        Its name there.
    label : Text
        What it is.
    value : object
        Numbers, lists and dictionaries.
    source : Source
        Document, article, effective date, certainty.
    checked : datetime.date or None
        When it was last compared with its document.
    """

    book: str
    key: str
    label: Text
    value: Any
    source: Source
    checked: date | None


def every_figure(when: date) -> Iterator[DatedFigure]:
    """Yield every figure of every installed rule book in force at ``when``; of a rule that lies ahead, nothing.

    Raises
    ------
    InputError
        For a date before the solvency rules.
    """
    pack = RulePack.at(when)
    for key in pack:
        value = plain(pack.figure(key))
        yield DatedFigure("cross2", key, pack.label(key), value, pack.source(key), pack.checked(key))
    for name, book in _books():
        for key in book.keys:
            try:
                figure = book.at(key, when)
            except InputError:  # not in force yet
                continue
            yield DatedFigure(name, key, figure.label, figure.value, figure.source, book.checked(figure.source))


def changes(before: date, after: date) -> list[Text]:
    """Return what changed between two dates, one sentence a figure, by plugin and name."""
    old, new = ({(item.book, item.key): item for item in every_figure(day)} for day in (before, after))
    return [_sentence(old.get(place), new.get(place)) for place in sorted({*old, *new}) if _moved(old, new, place)]


def _moved(old: dict[Any, DatedFigure], new: dict[Any, DatedFigure], place: tuple[str, str]) -> bool:
    return place not in old or place not in new or old[place].value != new[place].value


def _sentence(old: DatedFigure | None, new: DatedFigure | None) -> Text:
    found = new or old
    assert found is not None
    what = Text(f"{found.book} {found.key}: {found.label.en}", f"{found.book} {found.key}：{found.label.zh}")
    if old is None:
        since, source = found.source.effective, found.source.text
        shown = _shown(found)
        chinese = f"{what.zh}：新增，{shown}（{source.zh}，{since}）"
        return Text(f"{what.en}: new, {shown} ({source.en}, {since})", chinese)
    if new is None:
        return Text(f"{what.en}: no longer in force", f"{what.zh}：不再有效")
    was, is_, source = _shown(old), _shown(new), new.source.text
    return Text(
        f"{what.en}: from {was} to {is_} ({source.en}, {new.source.effective})",
        f"{what.zh}：由 {was} 调整为 {is_}（{source.zh}，{new.source.effective}）",
    )


def _shown(figure: DatedFigure) -> str:
    return json.dumps(figure.value, ensure_ascii=False)


def _books() -> Iterator[tuple[str, RuleBook]]:
    """Yield the rule books of the plugins installed: every YAML under ``rules/`` of their packages, in order."""
    for entry in sorted(entry_points(group="allocator"), key=lambda entry: entry.name):
        package = entry.value.split(":")[0]
        if package == __package__:
            continue
        folder = resources.files(package).joinpath("rules")
        if not folder.is_dir():
            continue
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith(".yaml"):
                yield entry.name, RuleBook.load(package, f"rules/{file.name}")
