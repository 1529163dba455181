"""What the house itself allows: limits in words, positions that may not be traded, what an account may hold."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.terms import ConstraintSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_constraints() -> Sequence[ConstraintSpec]:
    from allocator_eligibility.accounts import ACCOUNTS
    from allocator_eligibility.house import HOUSE
    from allocator_eligibility.trading import TRADING

    return (*HOUSE, *TRADING, *ACCOUNTS)
