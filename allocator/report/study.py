"""What a study shows: tables, charts and sentences of one definition, for the console, OUT/ and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from allocator.model.units import MoneyUnit, money_unit
from allocator.report.chart_parts import Chart
from allocator.report.csv_table import in_unit
from allocator.report.document import Part, document, evidence, footer, money_note
from allocator.report.manifest import Json, study_manifest
from allocator.report.page_table import page_table
from allocator.report.templating import render
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

if TYPE_CHECKING:
    from rich.console import Console

    from allocator.inputs.fund import Inputs
    from allocator.model.regime import Regime

__all__ = ["StudyReport", "records"]


@dataclass(frozen=True, eq=False)
class StudyReport:
    """One study, ready to be shown.

    Parameters
    ----------
    name : str
        ``"stress"``, ``"plan"`` …
    title : Text
        Heading.
    inputs : Inputs
        The fund studied.
    regime : Regime or None
        Its regime.
    tables : tuple of ReportTable
        In the order shown; money in CNY.
    charts : tuple of Chart
        Shown above the tables.
    lines : tuple of Text
        Sentences: findings first, then assumptions.
    entry : dict
        What JSON holds beside the tables.
    language : Language
        In which the page opens and the console speaks.
    screen : tuple of ReportTable
        What the console shows.
    record : dict or None
        run.json before it is said what it came from; None: ``entry`` and the tables.
    """

    name: str
    title: Text
    inputs: Inputs
    regime: Regime | None
    tables: tuple[ReportTable, ...]
    charts: tuple[Chart, ...] = ()
    lines: tuple[Text, ...] = ()
    entry: Json = field(default_factory=dict)
    language: Language = Language.ENGLISH
    screen: tuple[ReportTable, ...] = ()
    record: Json | None = None

    @property
    def unit(self) -> float:
        """CNY per unit of money in CSV files and workbook."""
        return self.inputs.unit

    @cached_property
    def money(self) -> MoneyUnit:
        """Unit of the money shown."""
        return money_unit(self.inputs.unit)

    @cached_property
    def json(self) -> Json:
        """The study as one JSON object; money in ``fund.unit``."""
        found: Json = {"study": self.name, **self.entry, "lines": [{"en": x.en, "zh": x.zh} for x in self.lines]}
        for item in self.tables:
            found[item.name] = records(item, self.inputs.unit)
        return found

    @cached_property
    def manifest(self) -> Json:
        """run.json."""
        return study_manifest(self.json if self.record is None else self.record, self.inputs, self.regime)

    @property
    def told(self) -> Json:
        """What ``--json`` prints: run.json where the study keeps a record of its own, else the study itself."""
        return self.json if self.record is None else self.manifest

    def page(self) -> str:
        """Return report.html."""
        return _page(self)

    def show(self, console: Console) -> None:
        """Print the sentences and the tables meant for the screen."""
        from allocator.report.console_table import print_table

        for item in self.screen:
            print_table(item, self.language, self.money, console)
        for line in self.lines:
            console.print(f"· {line[self.language]}", markup=False, highlight=False, soft_wrap=True)


def records(table: ReportTable, unit: float) -> list[dict[str, Any]]:
    """Return a table's rows for JSON, money in ``unit`` CNY."""
    return [{str(key): value for key, value in row.items()} for row in in_unit(table, unit).to_dict("records")]


def _page(report: StudyReport) -> str:
    fund = report.inputs.settings.fund
    day = fund.as_of.isoformat()
    title = Text(f"{fund.name}: {report.title.en}", f"{fund.name}：{report.title.zh}")
    tables = [
        Part(one.name, one.title, render("section.html", charts=(), tables=[shown], lines=()))
        for one in report.tables
        if not one.frame.empty
        for shown in (page_table(one, report.money, headed=False),)
    ]
    parts = [Part("overview", report.title, render("study.html", report=report)), *tables, evidence(report.manifest)]
    facts = [Text(day, day), money_note(report.money)]
    return document(title, report.language, fund.name, facts, parts, footer(report.manifest["created"]))
