"""Liquidity: coverage ratios LCR1–3 over three and twelve months, and limits on what may be sold."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.hooks import hookimpl
from allocator.model import ConstraintSpec
from allocator.types import Table

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
