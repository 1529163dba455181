"""Where a figure of a past run comes from: down to factor, article, file and row, read from OUT alone.

Nothing is recomputed: every amount is the one the run wrote, and a file changed since then is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from allocator.errors import InputError, Problem, did_you_mean
from allocator.inputs.core_tables import ACCOUNTS
from allocator.model.units import money_unit
from allocator.report.leaves import BETWEEN
from allocator.report.run_folder import RunFolder
from allocator.report.trace_lines import Line, named
from allocator.report.trace_measures import MEASURES, WORDS, measure, tilt
from allocator.types import Language, LocalizedPhrase, Text

__all__ = ["Line", "Trace", "trace", "trace_lines"]

ROW = re.compile(r", row (\d+)$")
"""The row of a file at the end of a place."""

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
class Trace:
    """The lines a figure is made of, how each name reads in both languages, and the unit of money, CNY."""

    lines: tuple[Line, ...]
    labels: Mapping[str, Text]
    money: float


def trace(folder: Path, figure: str) -> Trace:
    """Return what a figure is made of.

    Parameters
    ----------
    folder : Path
        OUT of a run.
    figure : str
        ``capital`` or ``capital.MODULE``, ``solvency.RATIO``, ``constraints.RULE``, ``allocation.ASSET``,
        ``tilts.TILT``, or a measure of the first page such as ``expected_return``; the beginning of a name
        suffices where only one name begins so.

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
    return Trace(
        lines, MappingProxyType(_labels(run) | dict(OWN_WORDS) | dict(WORDS)), float(run.manifest["fund"]["unit"])
    )


def _labels(run: RunFolder) -> dict[str, Text]:
    """Return how modules and leaves read."""
    leaves = run.manifest.get("capital", {}).get("leaves", {})
    found = {name: Text(told["label"]["en"], told["label"]["zh"]) for name, told in leaves.items()}
    rows = run.table("capital")
    return found | {row["module"]: Text(row["label_en"], row["label_zh"]) for row in rows.to_dict("records")}


def _name(found: Trace, name: str, language: Language) -> str:
    label, (asset, slash, account) = found.labels.get(name), name.rpartition(" / ")
    if label is not None:
        return label[language]
    return f"{asset}{slash}{ACCOUNTS[account][language]}" if slash and account in ACCOUNTS else name


def trace_lines(found: Trace, language: Language) -> Iterator[str]:
    """Yield a trace as indented text: name, amount, how it is made, article, file and row."""
    zh = language is Language.CHINESE
    label = money_unit(found.money).label
    yield Text(f"Money in {label.en}", f"金额单位：{label.zh}")[language]
    for line in found.lines:
        name = _name(found, line.name, language)
        unit = "" if line.unit == "money" else line.unit
        amount = f"{line.amount:,.8g} {unit}".rstrip()
        place = ROW.sub(r"，第 \1 行", line.place) if zh else line.place
        told = (
            part.zh if zh and isinstance(part, LocalizedPhrase) else part for part in (line.how, line.source, place)
        )
        yield "  ".join(("  " * line.depth + name, amount, *filter(None, told)))


def _capital(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    modules = run.table("capital").fillna({"parent": "", "article": ""})
    if modules.empty:
        raise InputError(Problem(Text("the run has no solvency regime", "该次运行未设偿付能力制度"), figure))
    names = modules["module"].tolist()
    leaves: dict[str, list[_Leaf]] = {}
    charges = _charges(run)
    if "leaves" not in run.manifest["capital"]:
        what = Text("this run does not say what its modules sum", "该次运行未记录各模块的构成")
        hint = Text("run it again with this version first", "请先用当前版本重新运行")
        raise InputError(Problem(what, str(run.folder / "run.json"), hint=hint))
    for leaf, told in run.manifest["capital"]["leaves"].items():
        leaves.setdefault(told["module"], []).append(_Leaf(leaf, told, charges.get(leaf, [])))
    return _module(modules, leaves, named(name, names, figure) if name else names[0], 0)


def _charges(run: RunFolder) -> Mapping[str, list[dict[Any, Any]]]:
    """Return the charges by the leaf that sums them."""
    found: dict[str, list[dict[Any, Any]]] = {}
    for charge in run.table("charges").to_dict("records") if run.wrote("charges") else ():
        for leaf in str(charge["leaves"]).split(BETWEEN):
            found.setdefault(leaf, []).append(charge)
    return found


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf of the capital tree: what run.json tells of it, and the charges that it sums."""

    name: str
    told: Mapping[str, Any]
    charges: Sequence[Mapping[Any, Any]]

    def lines(self, depth: int, article: str) -> Iterator[Line]:
        """Yield the charges and the part that is not the assets'."""
        yield from (_charge(charge, depth) for charge in self.charges)
        constant = float(self.told["constant"])
        if constant:
            yield Line(depth, "liabilities_and_constants", constant, "money", article, place=str(self.told["place"]))


def _module(modules: pd.DataFrame, leaves: Mapping[str, list[_Leaf]], name: str, depth: int) -> Iterator[Line]:
    """Yield a module, the modules below it, and what its leaves sum; a leaf of another name is a line of its own."""
    row = modules[modules["module"] == name].iloc[0]
    amount, article = float(row["amount"]), str(row["article"])
    below = leaves.get(name, [])
    given = next((leaf for leaf in below if leaf.name == name and not leaf.charges), None)
    yield Line(depth, name, amount, "money", article, place="" if given is None else str(given.told["place"]))
    for child in modules.loc[modules["parent"] == name, "module"]:
        yield from _module(modules, leaves, child, depth + 1)
    for leaf in below if given is None else ():
        if leaf.name != name:
            yield Line(depth + 1, leaf.name, float(leaf.told["amount"]), "money", article)
        yield from leaf.lines(depth + 1 + (leaf.name != name), article)


def _charge(charge: Mapping[Any, Any], depth: int) -> Line:
    product = f"{charge['exposure']:,.8g} × {charge['factor']:.6g}"
    how = LocalizedPhrase(f"{product}; {charge['derivation']}", f"{product}；{charge['derivation_zh']}")
    name, place = f"{charge['asset_id']} / {charge['account']}", str(charge["place"])
    return Line(depth, name, float(charge["charge"]), "money", str(charge["article"]), how, place)


def _solvency(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    ratios = run.manifest.get("solvency", {})
    chosen = named(name, list(ratios), figure)
    ratio, capital = ratios[chosen], run.manifest["capital"]
    available = float(capital["actual_capital" if chosen == "comprehensive" else f"{chosen}_capital"])
    how = f"{available:,.10g} / {capital['minimum_capital']:,.10g}"
    yield Line(0, chosen, float(ratio["after"]), "ratio", str(ratio["article"]), how)
    source = run.manifest["inputs"].get("fund", {}).get("file")
    yield Line(1, "capital_after_costs", available, "money", place=", ".join(filter(None, (source, "balance_sheet"))))
    yield from (replace(line, depth=line.depth + 1) for line in _capital(run, "", figure))


def _constraint(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    rules = run.table("constraints").fillna({"source": ""})
    rule = rules[rules["name"] == named(name, rules["name"].tolist(), figure)].iloc[0]
    unit, source = str(rule["unit"]), f"{rule['source']} ({rule['certainty']})"
    how = f"{rule['lhs']:.10g} {rule['sense']} {rule['rhs']:.10g}"
    yield Line(0, str(rule["name"]), float(rule["lhs"]), unit, source, how)
    yield Line(1, "limit", float(rule["rhs"]), unit, source)
    yield Line(1, "slack", float(rule["slack"]), unit)
    yield Line(1, "shadow_price", float(rule["shadow_price"]), f"objective per {unit}")


def _allocation(run: RunFolder, name: str, figure: str) -> Iterator[Line]:
    held = run.table("allocation")
    asset = named(name, list(dict.fromkeys(held["asset_id"])), figure)
    charges = run.table("charges").to_dict("records") if run.wrote("charges") else []
    for row in held[held["asset_id"] == asset].to_dict("records"):
        mine = [one for one in charges if one["asset_id"] == asset and one["account"] == row["account"]]
        how = f"{row['current']:,.10g} {row['trade']:+,.10g}"
        yield Line(0, f"{asset} / {row['account']}", float(row["target"]), "money", how=how, place=run.place(row))
        for charge in mine:
            yield replace(_charge(charge, 1), name=str(charge["module"]))


_FAMILIES: Mapping[str, Callable[[RunFolder, str, str], Iterator[Line]]] = MappingProxyType(
    {
        **{"capital": _capital, "solvency": _solvency, "constraints": _constraint, "allocation": _allocation},
        **{"tilts": tilt, **dict.fromkeys(MEASURES, measure)},
    }
)
