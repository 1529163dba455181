"""Venture and private-equity funds: commitments, not amounts; scenarios where no history exists."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.hooks import hookimpl
from allocator.model import ConstraintSpec, ReturnModelSpec, ScenarioSpec
from allocator.report.sections import ReportSectionSpec
from allocator.types import Table

__all__: list[str] = []


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_venture.technology import TABLES

    return TABLES


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_venture.commitments import CONSTRAINTS

    return CONSTRAINTS


@hookimpl
def allocator_scenarios() -> Sequence[ScenarioSpec]:
    from allocator_venture.scenarios import SCENARIOS

    return SCENARIOS


@hookimpl
def allocator_return_models() -> Sequence[ReturnModelSpec]:
    from allocator_venture.returns import RETURN_MODELS

    return RETURN_MODELS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_venture.report import SECTIONS

    return SECTIONS
