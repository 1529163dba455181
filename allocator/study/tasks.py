"""STUDY.yaml: which question is asked of which funds under which settings, and the tasks that makes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from allocator.config.settings import Section
from allocator.errors import InputError, Problem, did_you_mean
from allocator.study.studies import STUDIES, StudySpec
from allocator.types import Text

__all__ = ["BatchSettings", "Plan", "Task"]


class Count(Section):
    """``{first: 0, count: 100}``: whole numbers in a row, for seeds."""

    first: int = 0
    count: int = Field(gt=0)


class Case(Section):
    """A named set of changes: ``{name: stressed, set: [KEY=VALUE, …]}``."""

    name: str
    set: tuple[str, ...] = ()


class BatchSettings(Section):
    """STUDY.yaml.

    ``study`` is the question; ``options`` its own keys; ``funds`` fund files or patterns such as
    ``funds/*/fund.yaml``, relative to this file; ``cases`` named sets of changes; ``vary`` settings by dotted
    key, each with its values. Every fund is asked under every case and every combination of values.
    """

    study: str
    funds: tuple[str, ...] = Field(min_length=1)
    options: dict[str, Any] = {}
    cases: tuple[Case, ...] = (Case(name="base"),)
    vary: dict[str, tuple[Any, ...] | Count] = {}


@dataclass(frozen=True, slots=True)
class Task:
    """One question.

    Parameters
    ----------
    number : int
        Place in the plan.
    fund : str
        Path of the fund file.
    case : str
        Name of the case.
    varied : tuple of str
        Value of each varied key, as text.
    overrides : tuple of str
        ``KEY=VALUE`` of case and varied keys.
    """

    number: int
    fund: str
    case: str
    varied: tuple[str, ...]
    overrides: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """All tasks of a batch; they are made when asked for, one at a time.

    Parameters
    ----------
    settings : BatchSettings
        STUDY.yaml.
    funds : tuple of str
        Fund files found, in order.
    spec : StudySpec
        The question.
    options : BaseModel
        Its options, validated.
    """

    settings: BatchSettings
    funds: tuple[str, ...]
    spec: StudySpec
    options: Any

    @classmethod
    def of(cls, settings: BatchSettings, folder: Path) -> Plan:
        """Return the plan of a study file in ``folder``.

        Parameters
        ----------
        settings : BatchSettings
            The study file.
        folder : Path
            Where it lies; funds are named from there.

        Raises
        ------
        InputError
            For a study that nothing offers, options it does not know, funds that are not there.
        """
        spec = STUDIES.get(settings.study)
        if spec is None:
            raise InputError(
                Problem(
                    Text("there is no study of this name", "没有该名称的研究"),
                    "study",
                    settings.study,
                    ", ".join(STUDIES),
                    did_you_mean(settings.study, STUDIES),
                )
            )
        funds: list[str] = []
        for pattern in settings.funds:
            found = [folder / pattern] if (folder / pattern).is_file() else sorted(folder.glob(pattern))
            if not found:
                raise InputError(Problem(Text("no such fund file", "没有该组合文件"), "funds", pattern))
            funds += [path.as_posix() for path in found]
        return cls(settings, tuple(dict.fromkeys(funds)), spec, spec.validated(settings.options))

    @property
    def keys(self) -> tuple[str, ...]:
        """The varied keys."""
        return tuple(self.settings.vary)

    def __len__(self) -> int:
        sizes = [len(_values(self.settings.vary[key])) for key in self.keys]
        return len(self.funds) * len(self.settings.cases) * math.prod(sizes)

    def task(self, number: int) -> Task:
        """Return one task by its number: funds vary slowest, the last key fastest."""
        rest = number
        values: list[str] = []
        for key in reversed(self.keys):
            choices = _values(self.settings.vary[key])
            rest, place = divmod(rest, len(choices))
            values.append(_text(choices[place]))
        fund, case = divmod(rest, len(self.settings.cases))
        varied = tuple(reversed(values))
        chosen = self.settings.cases[case]
        changes = tuple(f"{key}={value}" for key, value in zip(self.keys, varied, strict=True))
        return Task(number, self.funds[fund], chosen.name, varied, (*chosen.set, *changes))

    def tasks(self) -> Iterator[Task]:
        """Yield every task in order."""
        return map(self.task, range(len(self)))

    @property
    def fingerprint(self) -> str:
        """What makes two plans the same: the study file's content and the fund files' paths."""
        content = json.dumps([self.settings.model_dump(mode="json"), self.funds], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()


def _values(choices: tuple[Any, ...] | Count) -> Any:
    return range(choices.first, choices.first + choices.count) if isinstance(choices, Count) else choices


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str).strip('"')
