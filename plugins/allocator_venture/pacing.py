"""How much to commit each year so that the net asset value follows a target.

With n(a) the NAV of one CNY committed, a years later, and R(t) the run-off of what is held, commitments c(v)
of the years v = 1 … T give NAV(t) = R(t) + Σ_{v ≤ t} c(v) · n(t − v + 1). The schedule is the least-squares
one, min Σ (NAV(t) − target(t))² + λ Σ (c(v) − c(v−1))², 0 ≤ c(v) ≤ vintage limit: λ > 0 trades tracking for
even vintages, which is what diversification over vintages asks for. The schedules of many funds are one program:
they share nothing, so that P is a block for each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from allocator.plugin import Vector
from allocator.plugin.programs import Block, Cone, ConeProgram, SolverChain

__all__ = ["CommitmentSchedule", "commitment_schedule", "steady_commitment"]


SECONDS = 60.0
"""What the program may take; that of 400 funds over ten years takes 0.15 s."""

ROUNDING = 1e-12
"""Share of a fund's largest NAV that is no commitment."""


@dataclass(frozen=True, eq=False)
class CommitmentSchedule:
    """Commitments by vintage year and the NAV they lead to, each (T,) or (k, T), CNY."""

    commitments: Vector
    nav: Vector


def steady_commitment(target: float, unit_nav: Vector) -> float:
    """Return the commitment a year that holds ``target`` NAV for ever: target / Σ n(a), CNY.

    Parameters
    ----------
    target : float
        NAV, CNY.
    unit_nav : ndarray (years,)
        n(a): NAV per CNY committed, by the age of a fund.
    """
    return target / float(unit_nav.sum())


def commitment_schedule(
    target: Vector, run_off: Vector, unit_nav: Vector, vintage_limit: float | Vector = np.inf, evenness: float = 0.1
) -> CommitmentSchedule:
    """Return the commitments of the next T years, of one fund or of k at once.

    Parameters
    ----------
    target, run_off : ndarray (T,) or (k, T)
        NAV wanted and NAV left of today's funds at each year's end, CNY.
    unit_nav : ndarray (L,) or (k, L)
        Year-end NAV of one CNY committed, by year of life; zero afterwards.
    vintage_limit : float or ndarray (k,)
        Most that may be committed in one year, CNY, > 0.
    evenness : float
        λ ≥ 0.
    """
    wanted, left = np.broadcast_arrays(target, run_off)
    shape, years = wanted.shape, wanted.shape[-1]
    scale = np.maximum(np.abs(np.atleast_2d(wanted)), np.abs(np.atleast_2d(left))).max(axis=1, initial=1.0)
    response = _responses(np.broadcast_to(unit_nav, (len(scale), np.shape(unit_nav)[-1])), years)
    gap = np.atleast_2d(wanted - left) / scale[:, None]
    limit = np.broadcast_to(np.asarray(vintage_limit, dtype=float) / scale, scale.shape)
    commitments = scale[:, None] * _nearest(response, gap, limit, evenness)
    nav = left + np.einsum("kts,ks->kt", response, commitments).reshape(shape)
    return CommitmentSchedule(commitments.reshape(shape), nav)


def _responses(unit_nav: Vector, years: int) -> Vector:
    """Return what one CNY committed in year s is worth in year t, (k, t, s)."""
    by_age = np.zeros((len(unit_nav), years))
    kept = min(years, unit_nav.shape[1])
    by_age[:, :kept] = unit_nav[:, :kept]
    age = np.subtract.outer(np.arange(years), np.arange(years))
    return np.where(age >= 0, by_age[:, np.maximum(age, 0)], 0.0)


def _nearest(response: Vector, gap: Vector, limit: Vector, evenness: float) -> Vector:
    """Return the c (k, T) in [0, limit] with the least ‖response c − gap‖² + evenness ‖changes of c‖²."""
    count, years = gap.shape
    if not count:
        return gap
    change = np.diff(np.eye(years), axis=0)
    square = response.transpose(0, 2, 1) @ response + evenness * change.T @ change
    row, column = np.triu_indices(years)
    first = years * np.arange(count)[:, None]
    places = ((first + row).ravel(), (first + column).ravel())
    size = count * years
    limited = np.flatnonzero(np.repeat(np.isfinite(limit), years))
    bounds = sparse.vstack([-sparse.eye_array(size), sparse.eye_array(size, format="csr")[limited]])
    program = ConeProgram(
        sparse.csc_array((square[:, row, column].ravel(), places), shape=(size, size)),
        -np.einsum("kts,kt->ks", response, gap).ravel(),
        sparse.csc_array(bounds),
        np.concatenate([np.zeros(size), np.repeat(limit, years)[limited]]),
        (Block(Cone.NONNEGATIVE, size + len(limited)),),
    )
    chain = SolverChain()
    found = chain.refined(program, chain.solve(program, SECONDS)).primal.reshape(count, years)
    return np.minimum(np.where(found < ROUNDING, 0.0, found), limit[:, None])
