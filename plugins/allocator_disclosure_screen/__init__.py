"""Issuers investigated or penalised for misleading disclosure about hot themes: no new purchases, a watch-list."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.terms import ConstraintSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_disclosure_screen.screen import CONSTRAINTS

    return CONSTRAINTS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_disclosure_screen.report import SECTIONS

    return SECTIONS
