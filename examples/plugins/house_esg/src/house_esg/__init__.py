"""A house's own ESG rules: two columns, a limit and a tilt."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.tables import Table
from allocator.plugin.terms import ConstraintSpec, TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from house_esg.columns import TABLES

    return TABLES


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from house_esg.limit import CONSTRAINTS

    return CONSTRAINTS


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from house_esg.tilt import TILTS

    return TILTS
