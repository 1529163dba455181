"""A past run had again: what differs going in, and whether the same comes out, to the last bit or to rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from allocator.errors import Infeasible, InputError, NotProven, Problem
from allocator.pipeline.optimize import optimize
from allocator.register.comparison import Comparison, Side
from allocator.report.csvfiles import csv_frames
from allocator.report.manifest import failure_manifest
from allocator.report.run_folder import RunFolder
from allocator.report.view import View
from allocator.report.writer import dump_json
from allocator.types import Language, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["Past", "Replay", "Verdict", "replay"]

ROUNDING = 1e-6
"""Share of the funded total, or of 1 where the figure is no money, below which two answers are the same."""

KEYS = ("asset_id", "account")
SHOWN = ("allocation", "constraints")
"""Tables of an answer that are laid side by side."""

FIGURES: tuple[tuple[str, ...], ...] = (
    ("objective",),
    ("bound",),
    ("expected_return", "after"),
    ("capital", "minimum_capital"),
    ("capital", "actual_capital"),
    ("capital", "core_capital"),
    ("solvency", "comprehensive", "after"),
    ("solvency", "core", "after"),
)
"""Figures of run.json that are held against each other, by path."""


class Verdict(Enum):
    """What came of a replay, with the exit status of the command."""

    BITS = ("same_bits", 0)
    ROUNDED = ("same", 0)
    OTHER_QUESTION = ("other_inputs", 2)
    OTHER_VERSIONS = ("other_versions", 2)
    UNPROVEN = ("ended_by_a_limit", 4)
    OTHER_ANSWER = ("other_answer", 1)

    @property
    def word(self) -> str:
        """The verdict in JSON."""
        return str(self.value[0])

    @property
    def exit_status(self) -> int:
        """0 the same; 2 inputs, settings or versions differ; 4 a limit of the search decided; 1 a defect."""
        return int(self.value[1])


SENTENCES: Mapping[Verdict, Text] = MappingProxyType(
    {
        Verdict.BITS: Text("The same to the last bit.", "结果逐位一致。"),
        Verdict.ROUNDED: Text(
            f"The same to {ROUNDING:g} of the total, not to the last bit.",
            f"结果在总额的 {ROUNDING:g} 以内一致，但非逐位一致。",
        ),
        Verdict.OTHER_QUESTION: Text(
            "Inputs or settings are not those of the past run.", "输入或设置与该次运行不同。"
        ),
        Verdict.OTHER_VERSIONS: Text(
            "Another answer, by other versions of the software.", "结果不同，软件版本亦不同。"
        ),
        Verdict.UNPROVEN: Text(
            "Another answer; a limit of the search ended one of the runs before it was proven.",
            "结果不同；其中一次运行因搜索限制在证明最优之前结束。",
        ),
        Verdict.OTHER_ANSWER: Text(
            "The same inputs and versions give another answer: this is a defect.",
            "相同的输入与版本得出不同结果：这是程序缺陷。",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True)
class _Held(Side):
    """A run whose tables are in memory; those of a past run have been held to their hashes."""

    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame | None:
        return self.frames.get(name)


class Past:
    """A past run as its OUT tells of it.

    Parameters
    ----------
    path : Path
        run.json or its folder.

    Raises
    ------
    InputError
        When there is no run, or it does not say how it was made.
    """

    def __init__(self, path: Path) -> None:
        self.run = RunFolder(path.parent if path.name == "run.json" else path)
        self._recipe: Mapping[str, Any] = self.run.manifest.get("replay") or {}
        if "inputs" not in self.run.manifest or "set" not in self._recipe:
            what = Text("this run does not say how it was made", "该次运行未记录复现所需的信息")
            hint = Text("run it again with this version first", "请先用当前版本重新运行")
            raise InputError(Problem(what, str(path), hint=hint))

    @property
    def changes(self) -> tuple[str, ...]:
        """``KEY=VALUE`` of each setting changed on the command line."""
        return tuple(self._recipe["set"])

    def fund_file(self) -> Path:
        """Return where the fund file was, as seen from OUT.

        Raises
        ------
        InputError
            When the run does not say, or it is there no longer.
        """
        told = self._recipe.get("fund")
        path: Path | None = None if told is None else self.run.folder / told
        if path is not None and path.is_file():
            return path
        what = Text("the fund file of this run must be given", "须给出该次运行的组合文件")
        hint = Text("allocator run --replay OUT/run.json FUND.yaml", "allocator run --replay OUT/run.json FUND.yaml")
        raise InputError(Problem(what, str(self.run.folder / "run.json"), told, hint=hint))

    def side(self, name: str) -> Side:
        """Return the run as one side of a comparison."""
        answered = self.run.manifest["status"] in ("optimal", "feasible")
        frames = {table: self.run.table(table) for table in SHOWN} if answered else {}
        return _Held(name, self.run.manifest, None, frames)


@dataclass(frozen=True)
class Replay:
    """The past run and the same run made now.

    Parameters
    ----------
    comparison : Comparison
        Past, then now.
    """

    comparison: Comparison

    @property
    def verdict(self) -> Verdict:
        """What came of it."""
        tables = {table.name for table in self.comparison.tables}
        if tables & {"inputs", "settings"}:
            return Verdict.OTHER_QUESTION
        if not self.differences:
            return Verdict.BITS
        status = [side.manifest["status"] for side in self.comparison.sides]
        if status[0] == status[1] and max(self.differences.values()) <= ROUNDING:
            return Verdict.ROUNDED
        if "versions" in tables:
            return Verdict.OTHER_VERSIONS
        return Verdict.OTHER_ANSWER if set(status) <= {"optimal", "infeasible"} else Verdict.UNPROVEN

    @cached_property
    def differences(self) -> Mapping[str, float]:
        """What is not the same to the last bit, and by how much, largest first.

        Money is in shares of the funded total, other figures as they are; infinite where only one run has it.
        """
        past, now = self.comparison.sides
        total = float(past.manifest.get("funded_total") or 1.0)
        found = dict(_figures(past.manifest, now.manifest, total))
        first, second = past.table("allocation"), now.table("allocation")
        if first is not None and second is not None:
            found |= dict(_rows(first, second, total))
        return MappingProxyType(dict(sorted(found.items(), key=lambda item: -item[1])))

    @property
    def entry(self) -> dict[str, Any]:
        """The replay for JSON."""
        verdict = self.verdict
        finite = {name: None if np.isinf(size) else size for name, size in self.differences.items()}
        told = {"verdict": verdict.word, "exit_status": verdict.exit_status, "en": SENTENCES[verdict].en}
        return {**told, "zh": SENTENCES[verdict].zh, "differences": finite, **self.comparison.entry}

    def lines(self, language: Language, most: int = 10) -> Iterator[str]:
        """Yield the largest differences and the verdict as text."""
        for name, size in list(self.differences.items())[:most]:
            yield f"  {name}: {size:.3g}"
        if len(self.differences) > most:
            yield f"  … +{len(self.differences) - most}"
        yield SENTENCES[self.verdict][language]


def replay(past: Past, fund: Fund, language: Language) -> Replay:
    """Make a past run again, in memory, and lay the two side by side.

    Parameters
    ----------
    past : Past
        The past run.
    fund : Fund
        Its fund, with the settings it changed.
    language : Language
        For tables that speak one language only.
    """
    frames: dict[str, pd.DataFrame] = {}
    try:
        view = View.of(optimize(fund), language)
    except (Infeasible, NotProven) as error:
        manifest = failure_manifest(error, fund.inputs)
    else:
        manifest = view.manifest
        written = csv_frames(view)
        frames = {name: written[name] for name in SHOWN}
    names = Text("then", "当时"), Text("now", "现在")
    now = _Held(names[1][language], _as_written(manifest), None, frames)
    return Replay(Comparison((past.side(names[0][language]), now)))


def _as_written(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a manifest as its file would be read: what is not finite is null."""
    import json

    entry: Mapping[str, Any] = json.loads(dump_json(manifest))
    return entry


def _figures(past: Mapping[str, Any], now: Mapping[str, Any], total: float) -> Iterator[tuple[str, float]]:
    if past["status"] != now["status"]:
        yield f"status: {past['status']}, {now['status']}", np.inf
    for path in FIGURES:
        first, second = _at(past, path), _at(now, path)
        money = path[0] == "capital" or (path[0] in ("objective", "bound") and _at(past, ("aim", "unit")) == "money")
        if first != second:
            known = first is not None and second is not None
            yield ".".join(path), abs(second - first) / (total if money else 1.0) if known else np.inf


def _at(manifest: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = manifest
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _rows(past: pd.DataFrame, now: pd.DataFrame, total: float) -> Iterator[tuple[str, float]]:
    """Yield the rows whose target, or any other figure of theirs, is not the same to the last bit."""
    first, second = (frame.set_index(list(KEYS)) for frame in (past, now))
    for asset, account in first.index.symmetric_difference(second.index):
        yield f"{asset} / {account}", np.inf
    first = first.loc[first.index.isin(second.index)]
    second = second.loc[first.index]
    change = (second["target"] - first["target"]).abs() / total
    figures = first.select_dtypes("number").columns.intersection(second.columns)
    left, right = first[figures].to_numpy(np.float64), second[figures].to_numpy(np.float64)
    other = ~((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1)
    for (asset, account), size in change[other].items():
        yield f"{asset} / {account}", float(size)
