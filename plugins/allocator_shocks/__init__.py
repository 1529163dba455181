"""Shocks that stress scenarios are made of: rates, spreads, prices, currencies, defaults, policyholders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from allocator.plugin import hookimpl

if TYPE_CHECKING:
    from allocator.plugin.stress import ShockSpec
    from allocator.plugin.tables import Table

__all__ = ["allocator_shocks", "allocator_tables"]

requires_api = "1"


@hookimpl
def allocator_shocks() -> Sequence[ShockSpec]:
    from allocator_shocks.liabilities import LIABILITY_SHOCKS
    from allocator_shocks.prices import PRICE_SHOCKS
    from allocator_shocks.rates import RATE_SHOCKS

    return (*RATE_SHOCKS, *PRICE_SHOCKS, *LIABILITY_SHOCKS)


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_shocks.prices import TABLES

    return TABLES
