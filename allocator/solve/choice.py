"""Which way a program is solved: the rules, in one place, with the figures they rest on."""

from __future__ import annotations

from allocator.solve.groups import Groups
from allocator.solve.program import ConeProgram

__all__ = ["linear_first", "worth_sifting"]

LARGE_LINEAR = 20_000
"""Non-zeros from which a linear program goes to HiGHS first: shortfall of 200 assets over 1,000 scenarios takes it
0.3 s, Clarabel 1.4 s."""

MANY = 1_500
"""Holdings from which a program is sifted: at 1,250 with trades one solve took as long either way, 0.06 s."""

RATIO = 4
"""Holdings for each shared row from which a working set is small beside them."""


def linear_first(program: ConeProgram) -> bool:
    """Return whether the simplex solver is asked first if the program is linear."""
    return bool(program.matrix.nnz > LARGE_LINEAR)


def worth_sifting(groups: Groups) -> bool:
    """Return whether programs of these holdings are sifted."""
    shared = int((groups.owner < 0).sum())
    return groups.count >= max(MANY, RATIO * shared)
