"""The instruments a Chinese insurer holds: kinds of asset, their columns and the tables beside them."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.tables import AssetKind, Table

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_asset_kinds() -> Sequence[AssetKind]:
    from allocator_instruments.kinds import KINDS

    return KINDS


@hookimpl
def allocator_tables() -> Sequence[Table]:
    from allocator_instruments.assets import ASSETS
    from allocator_instruments.tables import CASH_FLOWS, CURVE, CURVE_HISTORY, FUNDS, ISSUERS, LIABILITIES, UNDERLYING

    return (ASSETS, ISSUERS, UNDERLYING, CASH_FLOWS, FUNDS, LIABILITIES, CURVE, CURVE_HISTORY)
