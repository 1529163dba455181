"""Which way a program is solved: the rules, in one place, with the figures they rest on."""

from __future__ import annotations

from allocator.solve.groups import Groups

__all__ = ["worth_sifting"]

MANY = 1_500
"""Holdings from which a program is sifted: at 1,250 with trades one solve took as long either way, 0.06 s."""

RATIO = 4
"""Holdings for each shared row from which a working set is small beside them."""


def worth_sifting(groups: Groups) -> bool:
    """Return whether programs of these holdings are sifted."""
    shared = int((groups.owner < 0).sum())
    return groups.count >= max(MANY, RATIO * shared)
