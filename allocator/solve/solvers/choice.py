"""Which way a program is solved: the rules, in one place, with the figures they rest on."""

from __future__ import annotations

from allocator.solve.decomposition.cvar_decomposition import CvarRows
from allocator.solve.decomposition.groups import Groups
from allocator.solve.program.program import Cone, ConeProgram

__all__ = ["linear_first", "worth_few_scenarios", "worth_rough_start", "worth_sifting"]

LARGE_LINEAR = 20_000
"""Non-zeros from which a linear program goes to HiGHS first: shortfall of 200 assets over 1,000 scenarios takes it
0.3 s, Clarabel 1.4 s."""

MANY = 1_500
"""Holdings from which a program is sifted: at 1,250 with trades one solve took as long either way, 0.06 s."""

SCENARIOS = 1_000
"""Scenarios from which a program is solved on few of them: 1,000 of 200 assets took HiGHS 0.25 s, their masters 0.15 s;
5,000 5.6 s and 1.1 s."""

AGAIN = 10_000
"""Scenarios below which a linear program that follows one of its shape is solved whole, from the last basis: 1,000 of
200 assets took 0.05 s, their masters 0.17 s."""

RATIO = 4
"""Holdings for each shared row from which a working set is small beside them."""


def linear_first(program: ConeProgram) -> bool:
    """Return whether the simplex solver is asked first if the program is linear."""
    return bool(program.matrix.nnz > LARGE_LINEAR)


def worth_rough_start(program: ConeProgram) -> bool:
    """Return whether an answer is had sooner by Newton's steps from a rough one: where all columns are curved and all
    cones flat the active rows settle themselves; below 20,000 entries there is little to save."""
    return bool(
        program.matrix.nnz > LARGE_LINEAR
        and all(block.cone in (Cone.ZERO, Cone.NONNEGATIVE) for block in program.blocks)
        and (program.quadratic.diagonal() > 0.0).all()
    )


def worth_sifting(groups: Groups) -> bool:
    """Return whether programs of these holdings are sifted."""
    shared = int((groups.owner < 0).sum())
    return groups.count >= max(MANY, RATIO * shared)


def worth_few_scenarios(cvar_rows: CvarRows, again: bool) -> bool:
    """Return whether a program of these scenarios is solved on few of them; ``again``: after one of the same shape,
    by a solver that starts at its last basis.

    Parameters
    ----------
    cvar_rows : CvarRows
        The scenarios.
    again : bool
        Whether the program follows one of its shape.
    """
    return cvar_rows.count >= (AGAIN if again else SCENARIOS)
