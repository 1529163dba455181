"""Long-term holding: a tilt toward the holding periods that lower the charge, and what a sale that loses them costs."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.terms import TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_long_term_holding.tilt import TILTS

    return TILTS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_long_term_holding.report import SECTIONS

    return SECTIONS
