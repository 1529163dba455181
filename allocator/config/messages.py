"""Validation errors of pydantic said as problems: place, got, allowed and hint, in both languages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from allocator.errors import Problem, did_you_mean
from allocator.types import Text

__all__ = ["Place", "translate"]

_LONGEST = 80
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Place:
    """How keys are named.

    Parameters
    ----------
    where : callable
        Dotted key → place in the file.
    hidden : tuple of str
        Fields of the outermost model that are no keys of the file.
    """

    where: Callable[[str], str]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wording:
    what: Text
    allowed: str | None = None
    hint: Text | None = None


_NUMBER = _Wording(Text("a number is needed", "应为数字"), "1.85, 1e8, 185%, 5bp")
_WHOLE = _Wording(Text("a whole number is needed", "应为整数"), "0, 1, 2 …")
_FLAG = _Wording(Text("neither true nor false", "应为 true 或 false"), "true | false")
_DATE = _Wording(Text("a date is needed", "应为日期"), "2026-06-30")
_LIST = _Wording(Text("a list is needed", "应为列表"), "[a, b]")
_SECTION = _Wording(Text("a section of keys is needed", "应为若干键组成的节"), "{key: value}")
_WORDINGS: Mapping[str, _Wording] = MappingProxyType(
    {
        "missing": _Wording(Text("a needed key is missing", "缺少必需的键")),
        "string_type": _Wording(Text("text is needed", "应为文本"), hint=Text("put quotes around it", "请加引号")),
        "path_type": _Wording(Text("a file name is needed", "应为文件名"), "assets.csv, book.xlsx#sheet"),
        "float_type": _NUMBER,
        "float_parsing": _NUMBER,
        "finite_number": _NUMBER,
        "int_type": _WHOLE,
        "int_parsing": _WHOLE,
        "int_parsing_size": _WHOLE,
        "int_from_float": _WHOLE,
        "bool_type": _FLAG,
        "bool_parsing": _FLAG,
        "date_type": _DATE,
        "date_parsing": _DATE,
        "date_from_datetime_parsing": _DATE,
        "date_from_datetime_inexact": _DATE,
        "list_type": _LIST,
        "tuple_type": _LIST,
        "set_type": _LIST,
        "frozen_set_type": _LIST,
        "dict_type": _SECTION,
        "mapping_type": _SECTION,
        "model_type": _SECTION,
        "model_attributes_type": _SECTION,
    }
)
_BOUNDS = MappingProxyType(
    {
        "greater_than": (">", "gt"),
        "greater_than_equal": ("≥", "ge"),
        "less_than": ("<", "lt"),
        "less_than_equal": ("≤", "le"),
    }
)


def translate(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], place: Place) -> list[Problem]:
    """Return one problem for each key at fault.

    Parameters
    ----------
    error : ValidationError
        Raised by ``model``.
    model : type of BaseModel
        What was validated against, for the keys it knows.
    data : mapping
        What was validated.
    place : Place
        Names the keys.
    """
    found: dict[str, list[Problem]] = {}
    for details in error.errors(include_url=False):
        parts = _parts(details, data)
        found.setdefault(".".join(parts), []).append(_problem(details, parts, model, place))
    return [_merge(problems) for problems in found.values()]


def _parts(details: ErrorDetails, data: Any) -> list[str]:
    """Return the keys of a location that the data has; union branches and the like drop out."""
    parts: list[str] = []
    at = data
    last = len(details["loc"]) - 1
    for position, part in enumerate(details["loc"]):
        inner = _item(at, part)
        if inner is not _ABSENT:
            at = inner
        elif not (position == last and details["type"] in ("missing", "extra_forbidden")):
            continue
        parts.append(str(part))
    return parts


def _item(at: Any, part: int | str) -> Any:
    if isinstance(at, Mapping):
        return at.get(part, _ABSENT)
    if isinstance(at, (list, tuple)) and isinstance(part, int) and part < len(at):
        return at[part]
    return _ABSENT


def _problem(details: ErrorDetails, parts: list[str], model: type[BaseModel], place: Place) -> Problem:
    where = place.where(".".join(parts).rstrip())
    kind, context = details["type"], details.get("ctx", {})
    got = None if kind == "missing" else _shown(details["input"])
    if kind == "extra_forbidden":
        known = [name for name in _keys_at(model, parts[:-1]) if not (len(parts) == 1 and name in place.hidden)]
        what = Text("an unknown key", "无法识别的键")
        return Problem(what, where, parts[-1].rstrip(), ", ".join(known) or None, did_you_mean(parts[-1], known))
    if kind in _BOUNDS:
        sign, name = _BOUNDS[kind]
        return Problem(Text("out of range", "超出允许范围"), where, got, f"{sign} {context[name]}")
    if kind in ("literal_error", "enum"):
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        near = did_you_mean(str(details["input"]), expected.split(", "))
        return Problem(Text("not one of the values allowed", "取值不在允许范围内"), where, got, expected, near)
    if kind == "value_error":
        return Problem(_said(context.get("error")), where, got)
    wording = _WORDINGS.get(kind, _Wording(Text("the value is not allowed", "取值无效")))
    return Problem(wording.what, where, got, wording.allowed, wording.hint)


def _said(error: object) -> Text:
    """Return what a validator said, in both languages when it raised with a `Text`."""
    said = error.args[0] if isinstance(error, Exception) and error.args else None
    if isinstance(said, Text):
        return said
    return Text(str(said), str(said)) if said else Text("the value is not allowed", "取值无效")


def _shown(value: object) -> str:
    """Return a value as a fund file would state it."""
    if isinstance(value, Mapping):
        text = "{" + ", ".join(map(str, value)) + "}"
    elif value is None or isinstance(value, bool):
        text = json.dumps(value)
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, float):
        text = f"{value:.12g}"
    else:
        text = value if isinstance(value, str) and value else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _merge(problems: list[Problem]) -> Problem:
    """Return one problem for a key that several branches of a union refused."""
    first = problems[0]
    allowed = list(dict.fromkeys(problem.allowed for problem in problems if problem.allowed))
    if len(problems) == 1 or len(allowed) < 2:
        return first
    return Problem(Text("the value is not allowed", "取值无效"), first.where, first.got, " | ".join(allowed))


def _keys_at(model: type[BaseModel], parts: Iterable[str]) -> list[str]:
    """Return the keys that the model (or each of a union's models) at a location knows."""
    found: list[Any] = [model]
    for part in parts:
        found = [inner for annotation in found for inner in _inside(annotation, part)]
    return [name for annotation in found for known in _models(annotation) for name in known.model_fields]


def _inside(annotation: Any, part: str) -> list[Any]:
    models = _models(annotation)
    if models:
        return [known.model_fields[part].annotation for known in models if part in known.model_fields]
    return [argument for option in _options(annotation) for argument in get_args(option)[-1:] or ()]


def _options(annotation: Any) -> tuple[Any, ...]:
    """Return a union's branches, or the annotation alone; the ellipsis of a tuple is dropped."""
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    if get_args(annotation)[-1:] == (Ellipsis,):
        return (list[get_args(annotation)[0]],)  # type: ignore[misc]
    return (annotation,)


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [option for option in _options(annotation) if isinstance(option, type) and issubclass(option, BaseModel)]
