"""The reference of the fund file, written from the settings' own models: every section, term and key.

A model's docstring says what its keys mean; the table below it says which values they take and what holds
without them. So the page cannot say what the program does not do.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from allocator_cross2.rule_books import every_figure
from pydantic import BaseModel

from allocator.config.settings import Section, Settings
from allocator.extension.registry import Registry, load_registry
from allocator.model.tilts import Budget, Floor, Rank, Reward

__all__ = ["figures_reference", "settings_reference"]

FILE_ONLY = ("folder", "file", "lines", "overrides", "given")
"""Fields of `Settings` that are no keys of the fund file."""

OFFERED = (
    ("regimes", "capital.regime", "Regimes", "the values of `capital.regime`; their keys stand beside it"),
    ("objectives", "objective", "Objectives", "the values of `objective.maximize` and `objective.minimize`"),
    ("constraints", "constraints", "Rules", "the names under `constraints:`"),
    ("tilts", "tilts", "Tilts", "the names under `tilts:`, beside the keys that say how they steer"),
    ("return_models", "models.returns", "Models of return", "the values of `models.returns`"),
    ("risk_models", "models.risk", "Models of risk", "the values of `models.risk`"),
    ("scenarios", "models.scenarios", "Scenarios", "the values of `models.scenarios`"),
    ("shocks", "stress.scenarios", "Shocks", "the keys of a scenario; a bare number is the key `all`"),
)

SIMPLE: Mapping[Any, str] = {
    float: "number",
    int: "whole number",
    bool: "`true` or `false`",
    str: "text",
    date: "date",
    Path: "file",
    Any: "anything",
}
BOUNDS = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))


def figures_reference(when: date = date(2027, 1, 1)) -> str:
    """Return a Markdown table of every figure of every rule book: article, grade, effective date, last checked."""
    lines = ["| plugin | figure | article | grade | in force from | last checked |", "|---|---|---|---|---|---|"]
    for item in every_figure(when):
        source = str(item.source).replace("|", "/")
        since, checked = item.source.effective or "–", item.checked or "–"
        lines.append(f"| {item.book} | `{item.key}` | {source} | {item.source.certainty} | {since} | {checked} |")
    return "\n".join(lines)


def settings_reference(registry: Registry | None = None) -> str:
    """Return the reference as Markdown; ``registry`` None takes the first-party plugins."""
    registry = load_registry() if registry is None else registry
    parts = ["## Sections", "### the file\n\n" + _keys(Settings, FILE_ONLY)]
    parts += [_section(f"`{name}`", model) for name, model in _nested(Settings)]
    parts += [_section(f"`tilts` with `mode: {mode.__name__.lower()}`", mode) for mode in (Reward, Floor, Budget, Rank)]
    for attribute, place, title, meaning in OFFERED:
        parts.append(f"## {title}\n\nUnder `{place}`: {meaning}.")
        specs = getattr(registry, attribute)
        for name in sorted(specs):
            label, model = specs[name].label, specs[name].options
            parts.append(_section(f"`{name}`", model, f"{label.en} · {label.zh}"))
            parts += [_section(f"`{name}`: `{key}`", inner, depth=4) for key, inner in _nested(model)]
            if attribute == "regimes":
                keys = specs[name].jurisdiction.balance_sheet
                rows = [f"| `{key.name}` | {key.label.en} · {key.label.zh} |" for key in keys]
                table = "\n".join(["| figure | what it is |", "|---|---|", *rows])
                parts.append(f"#### `{name}`: further keys of `balance_sheet`\n\n{table}")
    return "\n\n".join(parts) + "\n"


def _nested(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the sections inside a section, each once, with the key it stands under."""
    seen: set[type[BaseModel]] = set()
    for key, field in model.model_fields.items():
        for inner in _models(field.annotation):
            if inner not in seen and key not in ("constraints", "tilts"):
                seen.add(inner)
                yield key, inner
                yield from ((f"{key}.{below}", deeper) for below, deeper in _nested(inner))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _section(title: str, model: type[BaseModel], lead: str = "", depth: int = 3) -> str:
    """Return heading, meaning and table of one model's keys."""
    parts = ["#" * depth + f" {title}", lead, *_meaning(model), _keys(model)]
    return "\n\n".join(part for part in parts if part)


def _keys(model: type[BaseModel], skip: Sequence[str] = ()) -> str:
    fields = {field.alias or name: field for name, field in model.model_fields.items() if name not in skip}
    if not fields:
        return ""
    rows = [f"| `{key}` | {_allowed(field)} | {_default(field)} |" for key, field in fields.items()]
    return "\n".join(["| key | takes | without it |", "|---|---|---|", *rows])


def _meaning(model: type[BaseModel]) -> list[str]:
    """Return the docstrings of a model and of the models whose keys it takes over, as Markdown."""
    texts = []
    for kind in model.__mro__:
        if kind in (Section, BaseModel) or not issubclass(kind, BaseModel):
            continue
        if kind.__doc__ and kind.__doc__ not in texts:
            texts.append(kind.__doc__)
    return [_markdown(inspect.cleandoc(text)) for text in texts]


def _markdown(text: str) -> str:
    """Turn a numpydoc docstring into Markdown: names in code, parameters as a list."""
    body, _, parameters = text.partition("\nParameters\n")
    body = re.sub(r"``([^`]+)``", r"`\1`", body.strip()).replace("|", "\\|")
    items = []
    for line in parameters.splitlines():
        if not line or set(line) == {"-"}:
            continue
        if not line.startswith(" "):
            names = line.split(" : ")[0]
            items.append("- " + ", ".join(f"`{name.strip()}`" for name in names.split(",")) + ":")
        else:
            items[-1] += " " + re.sub(r"``([^`]+)``", r"`\1`", line.strip())
    return "\n\n".join(part for part in (body, "\n".join(items)) if part)


def _allowed(field: Any) -> str:
    bounds = [f"{sign} {limit:g}" for sign, limit in _bounds(field.metadata)]
    return " ".join([_takes(field.annotation), *bounds])


def _bounds(metadata: Sequence[Any]) -> Iterator[tuple[str, float]]:
    for item in metadata:
        for name, sign in BOUNDS:
            limit = getattr(item, name, None)
            if isinstance(limit, (int, float)):
                yield sign, limit
        yield from _bounds(getattr(item, "metadata", ()))


def _takes(annotation: Any) -> str:
    """Return in words what a key takes."""
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a section"
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return " ".join([_takes(inner[0]), *(f"{sign} {limit:g}" for sign, limit in _bounds(inner[1:]))])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_takes(part) for part in inner if part is not type(None)))
    if origin in (tuple, list):
        return f"list of {_takes(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"{_takes(inner[0])} → {_takes(inner[1])}"
    return str(getattr(annotation, "__name__", annotation))


def _default(field: Any) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}) or isinstance(value, BaseModel):
        return "—"
    if isinstance(value, Enum):
        value = value.value
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
