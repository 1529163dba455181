"""Where a figure of a past run comes from: down to factor, article, file and row, read from OUT alone.

Nothing is recomputed: every amount is the one the run wrote, and a file changed since then is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from allocator.errors import InputError, Problem, did_you_mean
from allocator.report.manifest import file_hash
from allocator.types import Language, Text

__all__ = ["Line", "RunFolder", "Trace", "trace", "trace_lines"]

FILES = ("capital", "charges", "constraints", "allocation")
"""What a run under a regime writes for a reader of its figures."""

OWN_WORDS: Mapping[str, Text] = MappingProxyType(
    {
        "liabilities_and_constants": Text("Liabilities and constants", "负债与常数项"),
        "capital_after_costs": Text("Capital after costs", "扣除成本后的资本"),
        "limit": Text("Limit", "限额"),
        "slack": Text("Slack", "余量"),
        "shadow_price": Text("Shadow price", "影子价格"),
    }
)
"""Lines that are neither module, rule nor asset."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trace.

    Parameters
    ----------
    depth : int
        How deep it stands in the tree; 0 is the figure asked for.
    name : str
        Module, rule, ``asset / account``, or a key of `OWN_WORDS`.
    amount : float
        In ``unit``.
    unit : str
        ``"money"`` (``fund.unit``) or the rule's own unit.
    source : str
        Article or document.
    how : str
        What it is made of, in the regime's words; empty for an aggregate of the lines below.
    place : str
        File and row of the input; empty where there is none.
    """

    depth: int
    name: str
    amount: float
    unit: str
    source: str = ""
    how: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """The lines a figure is made of, how each name reads in both languages, and the unit of money, CNY."""

    lines: tuple[Line, ...]
    labels: Mapping[str, Text]
    money: float


class RunFolder:
    """The files of a past run.

    Parameters
    ----------
    folder : Path
        OUT of a run with an answer.

    Raises
    ------
    InputError
        When it holds no run, the run had no answer, or a file is not the one that was written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            what = Text("this folder holds no run", "该目录不含运行结果")
            hint = Text("give the folder that 'allocator run -o' wrote", "请给出 'allocator run -o' 写出的目录")
            raise InputError(Problem(what, str(folder / "run.json"), hint=hint)) from error

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as the run wrote it."""
        return pd.read_csv(self.file(name), dtype={"asset_id": str}, keep_default_na=False, na_values=[""])

    def file(self, name: str) -> Path:
        """Return the file of a table, the very one that the run wrote."""
        path = self.folder / f"{name}.csv"
        written = self.manifest.get("files", {}).get(path.name)
        if not path.is_file() or written is None:
            what = Text("the run wrote no such file", "该次运行未写出此文件")
        elif file_hash(path) != written:
            what = Text("the file has changed since the run", "文件在运行之后被改动")
        else:
            return path
        raise InputError(Problem(what, str(path), hint=Text("run it again", "请重新运行")))


def trace(folder: Path, figure: str) -> Trace:
    """Return what a figure is made of.

    Parameters
    ----------
    folder : Path
        OUT of a run.
    figure : str
        ``capital`` or ``capital.MODULE``, ``solvency.RATIO``, ``constraints.RULE``, ``allocation.ASSET``; the
        beginning of a name suffices where only one name begins so.

    Raises
    ------
    InputError
        When the folder holds no run or no such figure.
    """
    run = RunFolder(folder)
    family, _, name = figure.partition(".")
    if family not in _FAMILIES:
        what = Text("no figures of this family", "没有该类数字")
        raise InputError(Problem(what, figure, family, ", ".join(_FAMILIES), did_you_mean(family, _FAMILIES)))
    lines = tuple(_FAMILIES[family](run, name, figure))
    labels = {row["module"]: Text(row["label_en"], row["label_zh"]) for row in run.table("capital").to_dict("records")}
    return Trace(lines, MappingProxyType(labels | dict(OWN_WORDS)), float(run.manifest["fund"]["unit"]))


def trace_lines(found: Trace, language: Language) -> Iterator[str]:
    """Yield a trace as indented text: name, amount, how it is made, article, file and row."""
    yield Text(f"Money in CNY {found.money:,.0f}", f"金额单位：{found.money:,.0f} 元")[language]
    for line in found.lines:
        label = found.labels.get(line.name)
        name = line.name if label is None else label[language]
        unit = "" if line.unit == "money" else line.unit
        amount = f"{line.amount:,.8g} {unit}".rstrip()
        yield "  ".join(("  " * line.depth + name, amount, *filter(None, (line.how, line.source, line.place))))


def _capital(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    modules = run.table("capital").fillna({"parent": "", "article": ""})
    if modules.empty:
        raise InputError(Problem(Text("the run has no solvency regime", "该次运行未设偿付能力制度"), figure))
    names = modules["module"].tolist()
    charges = {str(module): rows for module, rows in run.table("charges").groupby("module", sort=False)}
    return _module(modules, charges, _named(name, names, figure) if name else names[0], 0)


def _module(modules: pd.DataFrame, charges: Mapping[str, pd.DataFrame], name: str, depth: int) -> Iterator[Line]:
    """Yield a module, the modules below it, and the charges it sums; what they do not sum to is not the assets'."""
    row = modules[modules["module"] == name].iloc[0]
    amount, article = float(row["amount"]), str(row["article"])
    yield Line(depth, name, amount, "money", article)
    for child in modules.loc[modules["parent"] == name, "module"]:
        yield from _module(modules, charges, child, depth + 1)
    charged = charges.get(name)
    if charged is None:
        return
    yield from (_charge(charge, depth + 1) for charge in charged.to_dict("records"))
    rest = amount - float(charged["charge"].sum())
    if abs(rest) > 1e-9 * max(abs(amount), float(charged["charge"].abs().max())):
        yield Line(depth + 1, "liabilities_and_constants", rest, "money", article)


def _charge(charge: Mapping[Any, Any], depth: int) -> Line:
    how = f"{charge['exposure']:,.8g} × {charge['factor']:.6g}; {charge['derivation']}"
    name, place = f"{charge['asset_id']} / {charge['account']}", str(charge["place"])
    return Line(depth, name, float(charge["charge"]), "money", str(charge["article"]), how, place)


def _solvency(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    ratios = run.manifest.get("solvency", {})
    chosen = _named(name, list(ratios), figure)
    ratio, capital = ratios[chosen], run.manifest["capital"]
    available = float(capital["actual_capital" if chosen == "comprehensive" else f"{chosen}_capital"])
    how = f"{available:,.10g} / {capital['minimum_capital']:,.10g}"
    yield Line(0, chosen, float(ratio["after"]), "ratio", str(ratio["article"]), how)
    yield Line(1, "capital_after_costs", available, "money", place="balance_sheet")
    yield from (replace(line, depth=line.depth + 1) for line in _capital(run, "", figure))


def _constraint(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    rules = run.table("constraints").fillna({"source": ""})
    rule = rules[rules["name"] == _named(name, rules["name"].tolist(), figure)].iloc[0]
    unit, source = str(rule["unit"]), f"{rule['source']} ({rule['certainty']})"
    how = f"{rule['lhs']:.10g} {rule['sense']} {rule['rhs']:.10g}"
    yield Line(0, str(rule["name"]), float(rule["lhs"]), unit, source, how)
    yield Line(1, "limit", float(rule["rhs"]), unit, source)
    yield Line(1, "slack", float(rule["slack"]), unit)
    yield Line(1, "shadow_price", float(rule["shadow_price"]), f"objective per {unit}")


def _allocation(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    held, charges = run.table("allocation"), run.table("charges")
    asset = _named(name, list(dict.fromkeys(held["asset_id"])), figure)
    for row in held[held["asset_id"] == asset].to_dict("records"):
        mine = charges[(charges["asset_id"] == asset) & (charges["account"] == row["account"])]
        how, place = f"{row['current']:,.10g} {row['trade']:+,.10g}", "".join(mine["place"].head(1))
        yield Line(0, f"{asset} / {row['account']}", float(row["target"]), "money", how=how, place=place)
        for charge in mine.to_dict("records"):
            yield replace(_charge(charge, 1), name=str(charge["module"]))


_FAMILIES: Mapping[str, Callable[[RunFolder, str, str], Iterator[Line]]] = MappingProxyType(
    {"capital": _capital, "solvency": _solvency, "constraints": _constraint, "allocation": _allocation}
)


def _named(name: str, known: Sequence[str], figure: str) -> str:
    """Return the one name that is meant: itself, itself and ``_risk``, or the only one that begins so."""
    for whole in (name, f"{name}_risk"):
        if whole in known:
            return whole
    beginning = [one for one in known if name and one.startswith(name)]
    if len(beginning) == 1:
        return beginning[0]
    what = Text("several figures begin so", "有多个数字以此开头") if beginning else Text("no such figure", "没有该数字")
    raise InputError(Problem(what, figure, name, ", ".join(beginning or known), did_you_mean(name, known)))
