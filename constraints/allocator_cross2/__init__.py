"""The C-ROSS II solvency regime: dated rule packs, classification and charges of assets, the capital tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocator.plugin import hookimpl

if TYPE_CHECKING:
    from allocator.plugin import CommandSpec
    from allocator.plugin.capital import RegimeSpec
    from allocator.plugin.report import ReportSectionSpec
    from allocator.plugin.stress import ShockSpec, StressSpec
    from allocator.plugin.tables import AssetKind, Table

__all__ = [
    "allocator_asset_kinds",
    "allocator_commands",
    "allocator_regimes",
    "allocator_shocks",
    "allocator_report_sections",
    "allocator_stresses",
    "allocator_tables",
]

requires_api = "1"


@hookimpl
def allocator_asset_kinds() -> Sequence[AssetKind]:
    from allocator_cross2.columns import KINDS

    return KINDS


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_cross2.columns import TABLES

    return TABLES


@hookimpl
def allocator_regimes() -> Sequence[RegimeSpec]:
    from allocator.plugin.capital import RegimeSpec
    from allocator_cross2.capital_options import CapitalOptions
    from allocator_cross2.filed import aggregate_filed, summarise_filed
    from allocator_cross2.regime import Cross2Regime, build_regime

    return (RegimeSpec("cross2", Cross2Regime.label, CapitalOptions, build_regime, aggregate_filed, summarise_filed),)


@hookimpl
def allocator_shocks() -> Sequence[ShockSpec]:
    from allocator_cross2.stress import RULE_10

    return (RULE_10,)


@hookimpl
def allocator_stresses() -> Sequence[StressSpec]:
    from allocator_cross2.stress import STRESSES

    return STRESSES


@hookimpl
def allocator_commands() -> Sequence[CommandSpec]:
    from allocator_cross2.commands import COMMANDS

    return COMMANDS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_cross2.sections import SECTIONS

    return SECTIONS
