"""Runs side by side: what changed going in, by fingerprint and setting, and what changed coming out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError, Problem
from allocator.model.units import money_unit, unit_names
from allocator.register.place import Place
from allocator.register.runs import DONE, RUN, kind_of, recorded
from allocator.register.table import KINDS, OUTCOMES, minute
from allocator.report.csv_table import read_csv
from allocator.report.words import ACCOUNTS, HEADINGS, RATIOS
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

__all__ = ["Comparison", "Side", "compare", "find_side"]

MOST_TRADES = 30
NOISE = 1e-6
"""Differences of a target below this share of the total are the solver's rounding."""

MANIFESTS = ("run.json", "batch.json")
"""Files that say what wrote a folder."""

SHORT = 12
"""Digits of a fingerprint that are shown."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the runs compared: its name in the comparison, its manifest, its folder if it is still there."""

    name: str
    manifest: Json
    folder: Path | None = None

    @property
    def kind(self) -> str:
        """``"run"``, or the name of the study."""
        return kind_of(self.manifest)

    @property
    def unit(self) -> float:
        """CNY per unit of the run's money."""
        return float(self.manifest["fund"]["unit"])

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table of OUT, None when it is not there."""
        path = None if self.folder is None else self.folder / f"{name}.csv"
        return read_csv(path) if path is not None and path.is_file() else None


def find_side(given: str, place: Place | None) -> Side:
    """Return a run by its OUT folder, or by its number in the register.

    Raises
    ------
    InputError
        When there is no such folder, no manifest in it, or no such number.
    """
    path = Path(given)
    file = path if path.suffix == ".json" else next(filter(Path.is_file, map(path.joinpath, MANIFESTS)), path)
    try:
        if file.is_file():
            return Side(given, _manifest(file), file.parent)
    except (OSError, ValueError) as error:
        raise InputError(Problem(Text("not a run's manifest", "不是运行清单"), str(file), str(error))) from error
    run = recorded(place, int(given)) if given.isdecimal() and place is not None else None
    if run is None:
        what = Text("no run was written here", "此处没有运行结果")
        hint = Text(
            "name an OUT folder, or a run's number from 'allocator history'",
            "请给出结果目录，或 'allocator history' 中的编号",
        )
        raise InputError(Problem(what, given, hint=hint))
    return Side(f"#{given}", run.manifest)


def _manifest(file: Path) -> Json:
    entry: Json = json.loads(file.read_text(encoding="utf-8"))
    if "fund" not in entry or "inputs" not in entry:
        raise ValueError("run.json of another program")
    return entry


@dataclass(frozen=True)
class Comparison:
    """Two or more runs; what is equal in all of them is left out.

    Parameters
    ----------
    sides : tuple of Side
        In the order given; changes are the last less the first.
    """

    sides: tuple[Side, ...]

    @cached_property
    def tables(self) -> tuple[ReportTable, ...]:
        """The comparison as tables, money in CNY; a table without rows is left out."""
        built = (
            _runs(self.sides),
            _differing(
                "inputs", Text("Inputs that differ", "不同的输入"), HEADINGS["table"], self.sides, _fingerprints
            ),
            _differing("settings", Text("Settings that differ", "不同的设置"), _SETTING, self.sides, _settings),
            _differing("versions", Text("Versions that differ", "不同的版本"), _VERSION, self.sides, _versions),
            _measures(self.sides),
            _study_ratios(self.sides),
            _rules(self.sides),
            _targets(self.sides),
        )
        return tuple(table for table in built if not table.frame.empty)

    @property
    def entry(self) -> dict[str, Any]:
        """The comparison for JSON, money in the first run's ``fund.unit``."""
        unit = self.sides[0].unit
        found: dict[str, Any] = {"unit": unit}
        for table in self.tables:
            frame = table.frame.copy()
            money = [column for column, form in table.formats.items() if form == "money"]
            frame[money] = frame[money] / unit
            if "unit" in frame:
                rows = frame["unit"] == "CNY"
                figures = [column for column, form in table.formats.items() if form == "by_unit"]
                frame.loc[rows, figures] = frame.loc[rows, figures] / unit
            found[table.name] = frame.astype(object).where(frame.notna(), None).to_dict("records")
        return found


_SETTING, _VERSION = Text("Setting", "设置"), Text("Package", "软件包")


def compare(sides: Sequence[Side]) -> Comparison:
    """Return runs side by side; runs of one name are numbered.

    Raises
    ------
    InputError
        When fewer than two are given, or they are of different kinds.
    """
    if len(sides) < 2:
        what = Text("two runs or more are compared", "至少需要两次运行才能比较")
        raise InputError(Problem(what, "allocator compare", str(len(sides)), "≥ 2"))
    kinds = list(dict.fromkeys(side.kind for side in sides))
    if len(kinds) > 1:
        told = {side.name: KINDS.get(side.kind, Text(side.kind, side.kind)) for side in sides}
        en, zh = (", ".join(f"{name}: {label[language]}" for name, label in told.items()) for language in Language)
        what = Text(f"what is compared must be of one kind ({en})", f"只能比较同一类型的结果（{zh}）")
        hint = Text("'allocator history' shows the kind of each", "'allocator history' 列出各次运行的类型")
        raise InputError(Problem(what, "allocator compare", ", ".join(kinds), hint=hint))
    names: list[str] = []
    for side in sides:
        names.append(side.name if side.name not in names else f"{side.name} ({len(names) + 1})")
    return Comparison(tuple(Side(name, s.manifest, s.folder) for name, s in zip(names, sides, strict=True)))


def _runs(sides: Sequence[Side]) -> ReportTable:
    rows = [
        (
            side.name,
            side.manifest["fund"]["name"],
            side.manifest["fund"]["as_of"],
            minute(side.manifest["created"]),
            side.manifest.get("status", DONE),
            bool(side.manifest.get("verified")),
        )
        for side in sides
    ]
    frame = pd.DataFrame(rows, columns=["run", "fund", "as_of", "created", "status", "verified"])
    if sides[0].kind != RUN:
        frame = frame.drop(columns="verified")
    headings = {
        "run": Text("Run", "运行"),
        "fund": Text("Fund", "组合"),
        "as_of": Text("As of", "估值日"),
        "created": Text("Written (UTC)", "生成时间（UTC）"),
        "status": Text("Status", "状态"),
        "verified": Text("Verified", "已复核"),
    }
    return ReportTable("runs", Text("Runs", "运行"), frame, headings, labels={"status": OUTCOMES})


def _differing(
    name: str, title: Text, heading: Text, sides: Sequence[Side], read: Callable[[Json], Mapping[str, str]]
) -> ReportTable:
    """Return what ``read`` finds in each manifest, where it is not the same in all."""
    found = [read(side.manifest) for side in sides]
    keys = sorted({key for one in found for key in one})
    rows = [(key, *(one.get(key, "") for one in found)) for key in keys if len({one.get(key) for one in found}) > 1]
    frame = pd.DataFrame(rows, columns=["key", *(side.name for side in sides)])
    return ReportTable(name, title, frame, {"key": heading})


def _fingerprints(manifest: Json) -> Mapping[str, str]:
    return {name: source["sha256"][:SHORT] for name, source in manifest["inputs"].items()}


def _versions(manifest: Json) -> Mapping[str, str]:
    return dict(manifest["versions"])


def _settings(manifest: Json) -> Mapping[str, str]:
    settings = {key: value for key, value in manifest["settings"].items() if key != "overrides"}
    return dict(_flat(settings, ""))


def _flat(value: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values; terms of a list go by their names, what is not set is left out."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        seen: dict[str, int] = {}
        for item in value:
            count = seen[item["name"]] = seen.get(item["name"], 0) + 1
            place = f"{prefix}.{item['name']}" + ("" if count == 1 else f"[{count}]")
            yield from _flat(item.get("options") or "on", place)
    elif value is not None and value not in ({}, []):
        yield prefix, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


MEASURES: tuple[tuple[tuple[str, ...], Text, str], ...] = (
    (("objective",), Text("Objective", "目标值"), "aim"),
    (("expected_return", "after"), Text("Expected return", "预期收益率"), "share"),
    (("volatility", "after"), Text("Volatility", "波动率"), "share"),
    (("solvency", "comprehensive", "after"), RATIOS["comprehensive"], "ratio"),
    (("solvency", "core", "after"), RATIOS["core"], "ratio"),
    (("capital", "minimum_capital"), Text("Minimum capital", "最低资本"), "CNY"),
    (("capital", "actual_capital"), Text("Actual capital after costs", "实际资本（扣除成本后）"), "CNY"),
    (("turnover",), Text("Turnover (one way)", "换手率（单边）"), "share"),
    (("trading_cost",), Text("Trading cost", "交易成本"), "CNY"),
)
"""Path in run.json, label, unit; the objective's unit is the aim's own."""


def _measures(sides: Sequence[Side]) -> ReportTable:
    rows = []
    for path, _, unit in MEASURES:
        figures = [_figure(side, path, unit) for side in sides]
        if any(np.isfinite(figures)):
            rows.append((".".join(path), _unit(sides[0], unit), *figures, figures[-1] - figures[0]))
    columns = [side.name for side in sides] + ["change"]
    frame = pd.DataFrame(rows, columns=["measure", "unit", *columns])
    labels = {"measure": {".".join(path): label for path, label, _ in MEASURES}, "unit": _units(sides)}
    headings = {"measure": Text("Measure", "指标"), "unit": HEADINGS["unit"], "change": HEADINGS["change"]}
    title = Text("What came out", "结果")
    return ReportTable("measures", title, frame, headings, dict.fromkeys(columns, "by_unit"), labels=labels)


STUDY_KEYS = {"stress": ("scenario",), "plan": ("step", "branch"), "backtest": ("strategy", "date")}
"""Columns that name a line of a study's table, the one that has the study's own name."""


def _study_ratios(sides: Sequence[Side]) -> ReportTable:
    """Return every solvency ratio of a study's lines where it is not the same in all."""
    keys = STUDY_KEYS.get(sides[0].kind, ())
    found: dict[tuple[str, str], dict[str, float]] = {}
    for side in sides if keys else ():
        for line in side.manifest.get(side.kind, ()):
            name = ", ".join(str(line[key]) for key in keys)
            for column, value in line.items():
                if column.endswith("_ratio") and value is not None:
                    found.setdefault((name, column.removesuffix("_ratio")), {})[side.name] = float(value)
    names = [side.name for side in sides]
    rows = []
    for (line, ratio), values in found.items():
        figures = [values.get(name, np.nan) for name in names]
        if not np.ptp(figures) <= NOISE:
            rows.append((line, ratio, *figures, figures[-1] - figures[0]))
    frame = pd.DataFrame(rows, columns=["line", "ratio", *names, "change"])
    headings = {"line": Text("Line", "行"), "ratio": Text("Ratio", "充足率"), "change": HEADINGS["change"]}
    title = Text("Ratios that differ", "不同的充足率")
    formats = dict.fromkeys([*names, "change"], "percent")
    return ReportTable("ratios", title, frame, headings, formats, labels={"ratio": RATIOS})


def _unit(side: Side, unit: str) -> str:
    if unit != "aim":
        return unit
    return "CNY" if side.manifest.get("aim", {}).get("unit") == "money" else "annual decimal"


def _figure(side: Side, path: tuple[str, ...], unit: str) -> float:
    value: Any = side.manifest
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None:
        return float("nan")
    return float(value) * (side.unit if _unit(side, unit) == "CNY" else 1.0)


def _units(sides: Sequence[Side]) -> Mapping[str, Text]:
    return unit_names(money_unit(sides[0].unit))


def _rules(sides: Sequence[Side]) -> ReportTable:
    """Return the shadow price of each rule that binds in some run, empty where it does not bind."""
    prices: dict[str, dict[str, float]] = {}
    labels = dict(RATIOS)
    for side in sides:
        frame = side.table("constraints")
        if frame is not None:
            for line in frame[frame["binding"]].to_dict("records"):
                prices.setdefault(line["name"], {})[side.name] = float(line["shadow_price"])
                if "label_zh" in line:  # a run of a former version does not say
                    labels.setdefault(line["name"], Text(line["label_en"], line["label_zh"]))
    rows = [(name, *(found.get(side.name, np.nan) for side in sides)) for name, found in prices.items()]
    names = [side.name for side in sides]
    frame = pd.DataFrame(rows, columns=["name", *names])
    title = Text("Rules that bind, with their prices", "起约束作用的规则及其影子价格")
    headings, formats = {"name": HEADINGS["rule"]}, dict.fromkeys(names, "number")
    return ReportTable("rules", title, frame, headings, formats, labels={"name": labels})


def _targets(sides: Sequence[Side]) -> ReportTable:
    """Return the rows whose target differs most between the last run and the first."""
    found = []
    for side in sides:
        frame = side.table("allocation")
        if frame is not None:
            keyed = frame.set_index(["asset_id", "account"])["target"] * side.unit
            found.append(keyed.rename(side.name))
    names = [str(series.name) for series in found]
    columns = ["asset_id", "account", *names, "change"]
    title = Text("Targets that differ most", "目标持仓差异最大的资产")
    headings = {name: HEADINGS[name] for name in ("asset_id", "account", "change")}
    if len(found) < 2:
        return ReportTable("targets", title, pd.DataFrame(columns=columns), headings)
    joined = pd.concat(found, axis=1).fillna(0.0)
    joined["change"] = joined[names[-1]] - joined[names[0]]
    total = float(joined[names[0]].abs().sum())
    joined = joined[joined["change"].abs() > NOISE * total]
    order = np.argsort(-joined["change"].abs().to_numpy(), kind="stable")[:MOST_TRADES]
    frame = joined.iloc[order].reset_index()[columns]
    formats = dict.fromkeys([*names, "change"], "money")
    return ReportTable("targets", title, frame, headings, formats, labels={"account": ACCOUNTS})
