"""Proportional limits of insurance funds: class ratios, concentration, private funds, conditions of purchase."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.tables import Table
from allocator.plugin.terms import ConstraintSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_limits.columns import ASSETS

    return (ASSETS,)


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_limits.classes import CLASSES
    from allocator_limits.concentration import CONCENTRATION
    from allocator_limits.conditions import CONDITIONS

    return (*CLASSES, *CONCENTRATION, *CONDITIONS)
