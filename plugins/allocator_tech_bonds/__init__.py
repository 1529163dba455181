"""Science-and-technology innovation bonds: terms, taps as one position, prices to their worst date, the tilt."""

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
    from allocator_tech_bonds import pricing, terms

    return (*pricing.TABLES, *terms.TABLES)


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_tech_bonds.tilt import TILTS

    return TILTS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_tech_bonds.report import SECTIONS

    return SECTIONS
