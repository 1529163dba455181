"""Issuers investigated or penalised for misleading disclosure about hot themes: no new purchases, a watch-list."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.hooks import hookimpl
from allocator.model import ConstraintSpec
from allocator.result.tables import ReportSectionSpec

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
