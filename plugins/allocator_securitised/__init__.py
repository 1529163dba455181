"""Securitised products as what they are: pools that amortise, prepay and default, cut into tranches.

Their expected loss is one of the parts from which the return model ``building_blocks`` builds.
"""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.report import ReportSectionSpec
from allocator.plugin.tables import Table
from allocator.plugin.terms import ReturnModelSpec, TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_securitised import building_blocks, deals, tilt

    return (*deals.TABLES, *building_blocks.TABLES, *tilt.TECHNOLOGY_TABLES)


@hookimpl
def allocator_return_models() -> Sequence[ReturnModelSpec]:
    from allocator_securitised.building_blocks import RETURN_MODELS

    return RETURN_MODELS


@hookimpl
def allocator_report_sections() -> Sequence[ReportSectionSpec]:
    from allocator_securitised.report import SECTIONS

    return SECTIONS


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_securitised.tilt import TILTS

    return TILTS
