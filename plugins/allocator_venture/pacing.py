"""How much to commit each year so that the net asset value follows a target.

With n(a) the NAV of one CNY committed, a years later, and R(t) the run-off of what is held, commitments c(v)
of the years v = 1 … T give NAV(t) = R(t) + Σ_{v ≤ t} c(v) · n(t − v + 1). The schedule is the least-squares
one, min Σ (NAV(t) − target(t))² + λ Σ (c(v) − c(v−1))², 0 ≤ c(v) ≤ vintage limit: λ > 0 trades tracking for
even vintages, which is what diversification over vintages asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

__all__ = ["CommitmentSchedule", "commitment_schedule", "steady_commitment"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CommitmentSchedule:
    """Commitments by vintage year and the NAV they lead to, each (T,), CNY."""

    commitments: Vector
    nav: Vector


def steady_commitment(target: float, unit_nav: Vector) -> float:
    """Return the commitment a year that holds ``target`` NAV for ever: target / Σ n(a), CNY."""
    return target / float(unit_nav.sum())


def commitment_schedule(
    target: Vector, run_off: Vector, unit_nav: Vector, vintage_limit: float = np.inf, evenness: float = 0.1
) -> CommitmentSchedule:
    """Return the commitments of the next T years.

    Parameters
    ----------
    target, run_off : ndarray (T,)
        NAV wanted and NAV left of today's funds at each year's end, CNY.
    unit_nav : ndarray (L,)
        Year-end NAV of one CNY committed, by year of life; zero afterwards.
    vintage_limit : float
        Most that may be committed in one year, CNY, > 0.
    evenness : float
        λ ≥ 0.
    """
    years = len(target)
    by_age = np.zeros(years)
    by_age[: min(years, len(unit_nav))] = unit_nav[:years]
    response = linalg.toeplitz(by_age, np.zeros(years))
    change = np.sqrt(evenness) * np.diff(np.eye(years), axis=0)
    scale = max(float(np.abs(target).max(initial=0.0)), 1.0)
    gap = np.concatenate([(target - run_off) / scale, np.zeros(years - 1)])
    commitments: Vector = scale * _bounded(np.vstack([response, change]), gap, vintage_limit / scale)
    return CommitmentSchedule(commitments, run_off + response @ commitments)


def _bounded(matrix: Vector, wanted: Vector, limit: float) -> Vector:
    """Return the x in [0, limit] nearest to ``matrix @ x = wanted``, by active sets: exact, and quick when small."""
    from scipy import optimize  # its import is felt in every command

    nearest: Vector = optimize.nnls(matrix, wanted)[0]
    if np.any(nearest > limit):  # else what is nearest without the limit is so with it, and forty times quicker found
        nearest = optimize.lsq_linear(matrix, wanted, bounds=(0.0, limit), method="bvls").x
    return nearest
