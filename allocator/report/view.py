"""Everything the reports show of one result, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from allocator.extension.registry import Registry, enabled_plugins
from allocator.model.units import MoneyUnit, money_unit
from allocator.report.manifest import Json, manifest
from allocator.report.stress import StressParts, stress_parts
from allocator.report.tables import COMMITMENT_COLUMNS, account_labels, result_tables
from allocator.result.result import Result
from allocator.result.tables import ReportSectionSpec, ReportTable
from allocator.types import Language, Text

__all__ = ["Section", "View"]


@dataclass(frozen=True, eq=False)
class Section:
    """A plugin's section with its tables."""

    title: Text
    tables: tuple[ReportTable, ...]


@dataclass(frozen=True, eq=False)
class View:
    """What console, files and page show.

    Parameters
    ----------
    result : Result
        The verified answer.
    manifest : dict
        run.json, money in ``fund.unit``.
    tables : mapping of str to ReportTable
        The library's own tables, money in CNY.
    sections : tuple of Section
        What plugins add.
    language : Language
        For whatever speaks one language only.
    money : MoneyUnit
        The unit money is shown in.
    stress : StressParts or None
        The target in the scenarios in which it must hold its ratios; None where there are none.
    """

    result: Result
    manifest: Json
    tables: Mapping[str, ReportTable]
    sections: tuple[Section, ...]
    language: Language
    money: MoneyUnit
    stress: StressParts | None = None

    @classmethod
    def of(cls, result: Result, language: Language, registry: Registry | None = None) -> View:
        """Build the view; ``registry`` None loads the plugins of the result's fund.

        Raises
        ------
        PluginError
            When a plugin's section fails; names it.
        """
        registry = _registry(result) if registry is None else registry
        specs = [registry.report_sections[name] for name in sorted(registry.report_sections)]
        built = tuple(section for spec in specs if (section := _build(spec, result)).tables)
        tables = result_tables(result, {name: spec.label for name, spec in registry.tilts.items()})
        tables["commitments"] = _commitments(built)
        entry, stress = manifest(result), None if result.stress is None else stress_parts(result.stress)
        if stress is not None:
            tables |= {table.name: table for table in stress.tables}
            entry |= stress.entry(result.inputs.unit)
        return cls(result, entry, tables, built, language, money_unit(result.inputs.unit), stress)

    @property
    def unit(self) -> float:
        """CNY per unit of money in the files."""
        return self.result.inputs.unit

    def cny(self, amount: float | None) -> float | None:
        """Return CNY for a money figure of the manifest."""
        return None if amount is None else amount * self.result.inputs.unit


def _registry(result: Result) -> Registry:
    return enabled_plugins(result.inputs.settings.plugins)


def _build(spec: ReportSectionSpec, result: Result) -> Section:
    return Section(spec.title, tuple(_with_accounts(table) for table in spec.tables(result)))


def _with_accounts(table: ReportTable) -> ReportTable:
    """Name the usual accounts in a column ``account`` that brings no labels."""
    if "account" not in table.frame or "account" in table.labels:
        return table
    return replace(table, labels={**table.labels, "account": account_labels(table.frame["account"])})


def _commitments(sections: Sequence[Section]) -> ReportTable:
    for section in sections:
        for table in section.tables:
            if table.name == "commitments":
                return table
    return ReportTable("commitments", Text("Commitments", "认缴承诺"), pd.DataFrame(columns=list(COMMITMENT_COLUMNS)))
