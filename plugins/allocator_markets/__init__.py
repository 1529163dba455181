"""Market history as named factors: a risk model, joint scenarios of assets and liabilities, and what they show."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.tables import Table
from allocator.plugin.terms import RiskModelSpec, ScenarioSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_markets.history import TABLES

    return TABLES


@hookimpl
def allocator_risk_models() -> Sequence[RiskModelSpec]:
    from allocator_markets.risk import RISK_MODELS

    return RISK_MODELS


@hookimpl
def allocator_scenarios() -> Sequence[ScenarioSpec]:
    from allocator_markets.scenarios import SCENARIOS

    return SCENARIOS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_markets.report import SECTIONS

    return SECTIONS
