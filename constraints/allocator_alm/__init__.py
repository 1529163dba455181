"""Assets against liabilities: hedge ratio, yield coverage, duration and DV01 gaps, key rates, cash-flow matching."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.hooks import hookimpl
from allocator.model import ConstraintSpec
from allocator.types import Table

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
