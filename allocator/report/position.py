"""Capital without an optimizer: of a fund's current holdings, or of filed module amounts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.errors import InputError, Problem
from allocator.extension.registry import load_registry
from allocator.jurisdiction import Jurisdiction
from allocator.model.regime import RegimeNote
from allocator.model.terms import Term
from allocator.model.units import MoneyUnit, money_unit, unit_names
from allocator.report.csv_table import guarded, rules_in_unit
from allocator.report.formats import FORMATS
from allocator.report.manifest import capital_summary, note_entry
from allocator.report.tables import RULE_LABELS, capital_table, source_labels, term_labels
from allocator.report.warnings import unchecked_lines
from allocator.report.words import HEADINGS
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

if TYPE_CHECKING:
    from rich.console import Console

    from allocator.model.position import CapitalPosition
    from allocator.model.regime import RegimeSpec
    from allocator.pipeline.fund import Fund

__all__ = ["CapitalOutcome", "aggregate_filed", "capital_report"]


@dataclass(frozen=True, eq=False)
class CapitalOutcome:
    """What ``allocator capital`` found.

    Parameters
    ----------
    entry : dict
        The JSON object, money in the file's unit.
    frame : DataFrame
        What ``-o FILE.csv`` writes, money in the file's unit.
    tables : tuple of ReportTable
        What the console shows, money in currency units.
    lines : tuple of Text
        Sentences shown above the tables.
    money : MoneyUnit
        Unit of the console's money.
    formulas : bool
        Whether texts of the CSV file stay as they are even where a spreadsheet takes them for formulas.
    """

    entry: dict[str, Any]
    frame: pd.DataFrame
    tables: tuple[ReportTable, ...]
    lines: tuple[Text, ...]
    money: MoneyUnit
    formulas: bool = False

    def save(self, path: Path) -> None:
        """Write the JSON object to a ``.json`` file, else the frame as CSV; the file appears whole or not at all."""
        from allocator.folders import write_whole
        from allocator.report.writer import dump_json

        if path.suffix.lower() == ".json":
            write_whole(path, dump_json(self.entry) + "\n")
        else:
            write_whole(
                path, (self.frame if self.formulas else guarded(self.frame)).to_csv(index=False, lineterminator="\n")
            )

    def show(self, console: Console, language: Language) -> None:
        """Print sentences and tables."""
        from allocator.report.console_table import print_table

        for line in self.lines:
            console.print(line[language], markup=False, highlight=False, soft_wrap=True)
        for table in self.tables:
            print_table(table, language, self.money, console)


def capital_report(book: Fund) -> CapitalOutcome:
    """Return capital, ratios and rule checks of the current holdings.

    Raises
    ------
    InputError
        When the fund file has no ``capital`` section.
    """
    position, unit = book.position(), book.inputs.unit
    if position is None:
        raise InputError(
            Problem(
                Text("the fund has no solvency regime", "该组合未设定偿付能力监管制度"),
                book.inputs.settings.where("capital"),
                hint=Text("add a capital section", "请增加 capital 部分"),
            )
        )
    rules, formulas = book.rule_checks(), book.inputs.settings.csv_formulas == "keep"
    entry = capital_summary(position, book.inputs.jurisdiction, book.regime, unit)
    table = capital_table(position.tree, position.holdings)
    frame = table.frame.assign(amount=table.frame["amount"] / unit)
    entry["capital"]["modules"] = frame.to_dict("records")
    entry["capital"]["assets"] = _attributed(book, position)
    entry["capital"]["charges"] = _charges(book, unit)
    jurisdiction = book.inputs.jurisdiction
    money = money_unit(unit, jurisdiction.currency)
    entry["rules"] = rules_in_unit(rules, money).to_dict("records")
    lines = [
        Text(
            f"Minimum capital {FORMATS['money'].write(position.minimum_capital, money)} ({money.label.en})",
            f"最低资本 {FORMATS['money'].write(position.minimum_capital, money)}（{money.label.zh}）",
        )
    ]
    for item in position.requirements:
        label = item.ratio.label
        ratio = FORMATS["percent"].write(position.ratio(item.name), money)
        asked = item.statutory if item.required is None else item.required
        needed = FORMATS["percent"].write(asked, money)
        lines.append(Text(f"{label.en} {ratio}, required ≥ {needed}", f"{label.zh} {ratio}，要求 ≥ {needed}"))
    entry["notes"] = [note_entry(RegimeNote(text)) for text in book.inputs.notes] + entry["notes"]
    notes = [*book.inputs.notes, *(note.text for note in (book.regime.notes() if book.regime else ()))]
    return CapitalOutcome(
        entry,
        frame,
        (table, _rules_table(rules, money, book.terms, jurisdiction)),
        (*unchecked_lines(book.unchecked), *lines, *notes),
        money,
        formulas,
    )


def _attributed(book: Fund, position: CapitalPosition) -> list[dict[Hashable, Any]]:
    """Return each row's amount, capital for one more and freed by one less, Euler contribution, in the file's unit."""
    shares, unit = position.tree.attribute(position.holdings), book.inputs.unit
    more, less = position.marginals
    frame = book.inputs.assets[["asset_id", "account"]].assign(
        amount=position.holdings / unit, marginal=more, freed=less, contribution=shares.contribution / unit
    )
    return frame.to_dict("records")


def _charges(book: Fund, unit: float) -> list[dict[Hashable, Any]]:
    """Return how each row is charged, with its derivation; money in the file's unit."""
    assert book.regime is not None
    frame = book.regime.charges()
    money = {name: frame[name] / unit for name in ("exposure", "charge")}
    return frame.assign(**money).to_dict("records")


def _rules_table(
    rules: pd.DataFrame, money: MoneyUnit, terms: Sequence[Term], jurisdiction: Jurisdiction
) -> ReportTable:
    formats = dict.fromkeys(("lhs", "rhs", "slack"), "by_unit")
    headings = {**HEADINGS, "name": HEADINGS["rule"]}
    labels = RULE_LABELS | {
        "name": {name: text for term in terms for name, text in term_labels(term, jurisdiction.account_labels).items()},
        "source": source_labels(terms),
        "unit": unit_names(money),
    }
    return ReportTable("constraints", Text("Rules", "约束与限额"), rules, headings, formats, labels=labels)


def aggregate_filed(path: Path, unit: float, size_factor: str, regime: str | None) -> CapitalOutcome:
    """Return filed module amounts aggregated by a regime, computed beside filed.

    Parameters
    ----------
    path : Path
        CSV with the columns of the disclosures.
    unit : float
        Currency units per unit of its amounts.
    size_factor : str
        ``"auto"`` or a number.
    regime : str or None
        Which regime aggregates; None is allowed while one offers to.
    """
    spec = _filed_regime(load_registry().regimes.values(), regime)
    assert spec.filed is not None
    frame = spec.filed(path, unit, size_factor)
    summary = tuple(spec.summarise_filed(frame)) if spec.summarise_filed is not None else ()
    entry = {
        "regime": spec.name,
        "unit": unit,
        "summary": [{"en": line.en, "zh": line.zh} for line in summary],
        "rows": frame.to_dict("records"),
    }
    table = ReportTable("filed", Text("Computed beside filed", "计算值与披露值"), _computed(frame))
    return CapitalOutcome(
        entry, frame, () if summary else (table,), summary, MoneyUnit(unit, Text("file unit", "文件单位"))
    )


def _computed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the text columns and each computed aggregate beside the filed one."""
    shown = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]
    for column in frame.columns:
        if str(column).endswith("_computed"):
            shown += [name for name in (str(column).removesuffix("_computed"), column) if name in frame.columns]
    return frame[shown]


def _filed_regime(specs: Sequence[RegimeSpec] | Any, name: str | None) -> RegimeSpec:
    able = {spec.name: spec for spec in specs if spec.filed is not None}
    if name is None and len(able) == 1:
        return next(iter(able.values()))
    if name in able:
        return able[name]
    raise InputError(
        Problem(
            Text("name the regime that aggregates filed amounts", "请指定汇总披露金额的监管制度"),
            "--regime",
            name,
            ", ".join(sorted(able)) or "none",
        )
    )
