"""Firms that carry national major science-and-technology projects: a tilt on evidence, and what the evidence is."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.terms import TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_national_projects.tilt import TILTS

    return TILTS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_national_projects.report import SECTIONS

    return SECTIONS
