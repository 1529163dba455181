"""Assets against liabilities: hedge ratio, yield coverage, duration and DV01 gaps, key rates, cash-flow matching."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.tables import Table
from allocator.plugin.terms import ConstraintSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_alm.columns import ASSETS

    return (ASSETS,)


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_alm.coverage import COVERAGE
    from allocator_alm.gaps import GAPS
    from allocator_alm.matching import MATCHING

    return (*GAPS, *COVERAGE, *MATCHING)
