"""Write a run to the register, read runs back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from allocator.config.settings import Settings
from allocator.errors import Problem
from allocator.register.place import Place, register_place
from allocator.register.rows import RegisterError, Row, Store
from allocator.types import Text

__all__ = ["DONE", "RUN", "RegisterWarning", "Run", "history", "kind_of", "record", "recorded"]

RUN, DONE = "run", "done"
"""Kind of an optimization; status of a study that proves nothing."""


class RegisterWarning(UserWarning):
    """A run's results are written and whole, but the register does not hold the run."""


@dataclass(frozen=True)
class Run:
    """A run as the register knows it."""

    row: Row

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """run.json of the run."""
        entry: dict[str, Any] = json.loads(self.row.manifest)
        return entry

    @property
    def kind(self) -> str:
        """What was done: an optimization (``"run"``), or the name of the study."""
        return kind_of(self.manifest)

    @property
    def unchanged(self) -> bool:
        """Whether the manifest still has the fingerprint it was registered with."""
        return _fingerprint(self.row.manifest) == self.row.sha256


def kind_of(manifest: Mapping[str, Any]) -> str:
    """Return what wrote a manifest: ``"run"``, or the name of the study."""
    return str(manifest.get("study", RUN))


def record(
    folder: Path, settings: Settings | None, environ: Mapping[str, str] = os.environ, file: str = "run.json"
) -> Problem | None:
    """Register the run or study that wrote ``folder``; return what prevented it, None when done or switched off.

    The results are written by then and stay as they are whatever happens here. ``file`` holds the manifest;
    ``settings`` are those of its fund, None for a batch of many.
    """
    place = register_place(environ, settings)
    if place is None:
        return None
    try:
        text = (folder / file).read_text(encoding="utf-8")
        entry = json.loads(text)
        fund = entry["fund"]
        where = str(folder.resolve())
        status = entry.get("status", DONE)
        row = Row(0, entry["created"], fund["name"], fund["as_of"], status, where, _fingerprint(text), text)
        _store(place).append(row)
    except RegisterError as error:
        return error.problems[0]
    except (OSError, ValueError, KeyError) as error:
        what = Text("the run cannot be registered", "无法登记本次运行")
        return Problem(what, str(folder), f"{type(error).__name__}: {error}")
    return None


def history(place: Place, fund: str | None = None, most: int = 20) -> tuple[Run, ...]:
    """Return the newest runs first, of one fund (by its name) or of all.

    Raises
    ------
    RegisterError
        When the register cannot be read.
    """
    return tuple(Run(row) for row in _store(place).newest(fund, most))


def recorded(place: Place, number: int) -> Run | None:
    """Return one run by its number, None when the register has none.

    Raises
    ------
    RegisterError
        When the register cannot be read.
    """
    row = _store(place).row(number)
    return None if row is None else Run(row)


def _store(place: Place) -> Store:
    if place.file is not None:
        from allocator.register.sqlite import SqliteRegister

        return SqliteRegister(place.file)
    from allocator.register.database import SharedRegister

    return SharedRegister(place)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
