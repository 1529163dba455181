"""The manifest of a past run, read back: what is damaged is reported with its place, never met later on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from allocator.errors import InputError, Problem
from allocator.types import Text

__all__ = ["parse_manifest", "read_manifest"]


class _Part(BaseModel):
    """A part of run.json or batch.json: the keys that are read back, beside whatever else was written."""

    model_config = ConfigDict(extra="allow")


Figure = Annotated[float, Field(strict=True)] | None


class _Fund(_Part):
    name: str
    as_of: str
    unit: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Source(_Part):
    file: str
    sha256: str


class _Recipe(_Part):
    fund: str | None = None
    set: list[str]


class _Pair(_Part):
    before: Figure = None
    after: Figure = None


class _Capital(_Part):
    minimum_capital: Figure = None
    actual_capital: Figure = None
    leaves: dict[str, dict[str, Any]] = {}


class _Manifest(_Part):
    fund: _Fund
    inputs: dict[str, _Source]
    settings: dict[str, Any]
    versions: dict[str, str]
    created: str
    status: str = ""
    study: str = ""
    replay: _Recipe | None = None
    files: dict[str, str] = {}
    aim: dict[str, str] = {}
    objective: Figure = None
    bound: Figure = None
    funded_total: Figure = None
    turnover: Figure = None
    trading_cost: Figure = None
    expected_return: _Pair = _Pair()
    volatility: _Pair | None = None
    solvency: dict[str, _Pair] = {}
    capital: _Capital = _Capital()
    stress: list[dict[str, Any]] = []
    plan: list[dict[str, Any]] = []
    backtest: list[dict[str, Any]] = []


def read_manifest(file: Path) -> dict[str, Any]:
    """Return the content of run.json or batch.json.

    Parameters
    ----------
    file : Path
        As a run wrote it.

    Raises
    ------
    InputError
        When there is no such file, or as `parse_manifest`.
    """
    try:
        text = file.read_bytes().decode() if file.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(str(file), str(error)) from error
    if text is None:
        what = Text("this folder holds no run", "该目录不含运行结果")
        hint = Text("give the folder that 'allocator run -o' wrote", "请给出 'allocator run -o' 写出的目录")
        raise InputError(Problem(what, str(file), hint=hint))
    return parse_manifest(text, str(file))


def parse_manifest(text: str, place: str) -> dict[str, Any]:
    """Return a manifest from its text.

    Parameters
    ----------
    text : str
        JSON.
    place : str
        Where it stands, for messages.

    Raises
    ------
    InputError
        When it is no JSON, or a key that is read back is missing or of another type.
    """
    try:
        entry: dict[str, Any] = json.loads(text)
        _Manifest.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        raise _damaged(f"{place}, {'.'.join(map(str, first['loc']))}", str(first["msg"])) from None
    except (ValueError, RecursionError) as error:
        raise _damaged(place, str(error)) from None
    return entry


def _damaged(place: str, reason: str) -> InputError:
    what = Text("not a run's manifest, or a damaged one", "不是运行清单，或清单已损坏")
    return InputError(Problem(what, place, reason[:200], hint=Text("run it again", "请重新运行")))
