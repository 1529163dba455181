"""Emerging and future industries: two tilts by audited revenue, and what each issuer's figures count for."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.tables import Table
from allocator.plugin.terms import TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_future_industries.tilt import TABLES

    return TABLES


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_future_industries.tilt import TILTS

    return TILTS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_future_industries.report import SECTIONS

    return SECTIONS
