"""Venture and private-equity funds: commitments, not amounts; scenarios where no history exists."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.stress import CommitmentSpec
from allocator.plugin.tables import Table
from allocator.plugin.terms import ConstraintSpec, ReturnModelSpec, ScenarioSpec, TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_venture.technology import TABLES
    from allocator_venture.tilt import TILT_TABLES

    return (*TABLES, *TILT_TABLES)


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_venture.commitments import CONSTRAINTS
    from allocator_venture.tolerance import TOLERANCES

    return (*CONSTRAINTS, *TOLERANCES)


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_venture.tilt import TILTS

    return TILTS


@hookimpl
def allocator_scenarios() -> Sequence[ScenarioSpec]:
    from allocator_venture.scenarios import SCENARIOS

    return SCENARIOS


@hookimpl
def allocator_return_models() -> Sequence[ReturnModelSpec]:
    from allocator_venture.returns import RETURN_MODELS

    return RETURN_MODELS


@hookimpl
def allocator_commitments() -> Sequence[CommitmentSpec]:
    from allocator_venture.plan_flows import COMMITMENTS

    return COMMITMENTS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_venture.report import SECTIONS

    return SECTIONS
