"""Liquidity: coverage ratios LCR1–3 over three and twelve months, and limits on what may be sold."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.tables import Table
from allocator.plugin.terms import ConstraintSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_liquidity.columns import ASSETS

    return (ASSETS,)


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_liquidity.coverage import LIQUIDITY

    return LIQUIDITY
