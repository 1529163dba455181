"""Cash flows of asset pools: scheduled principal, prepayment, default, recovery.

Per period of 1/f year, with B the performing balance and i = coupon / f,

    prepayment  s = 1 − (1 − CPR)^(1/f)        default  d = 1 − (1 − CDR)^(1/f)
    defaulted   = d · B                         performing P = B − defaulted
    interest    = i · P                         recovered = (1 − severity) · defaulted
    scheduled   = share(t) · P                  prepaid = s · (P − scheduled)
    B′          = P − scheduled − prepaid       lost = severity · defaulted

    share(t) of period t of n: bullet 0, and 1 at t = n; equal principal 1 / (n − t + 1);
    annuity i / ((1 + i)^(n − t + 1) − 1).

Source: the standard constant-prepayment and constant-default conventions (SIFMA, "Standard Formulas for the
Analysis of Mortgage-Backed Securities"), with recovery in the period of default.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Vector
from allocator.plugin.cash_flows import Amortisation

__all__ = ["PoolFlows", "Pools", "pool_flows", "yearly"]


@dataclass(frozen=True, eq=False)
class Pools:
    """Terms of k pools of balance 1.

    Parameters
    ----------
    periods : ndarray of int (k,)
        Payments until the last, n ≥ 1.
    frequency : ndarray of int (k,)
        Payments a year, f ≥ 1.
    coupon : ndarray (k,)
        Annual rate of the pool, decimal.
    amortisation : ndarray of str (k,)
        A value of `Amortisation`.
    prepayment, default : ndarray (k, years)
        CPR and CDR by year, in [0, 1); the last year's holds for all later ones.
    severity : ndarray (k,)
        Share of a defaulted balance that is lost, in [0, 1].
    """

    periods: NDArray[np.int64]
    frequency: NDArray[np.int64]
    coupon: Vector
    amortisation: NDArray[np.str_]
    prepayment: Vector
    default: Vector
    severity: Vector

    @property
    def horizon(self) -> int:
        """Periods of the longest pool."""
        return int(self.periods.max(initial=0))

    def with_default(self, default: Vector) -> Pools:
        """Return the same pools under other default rates."""
        return replace(self, default=default)


@dataclass(frozen=True, eq=False)
class PoolFlows:
    """Payments of each period, (k, T), per unit of the initial balance; zero after a pool's last period."""

    interest: Vector
    scheduled: Vector
    prepaid: Vector
    recovered: Vector
    lost: Vector

    @property
    def principal(self) -> Vector:
        """All principal collected (k, T)."""
        return self.scheduled + self.prepaid + self.recovered


def pool_flows(pools: Pools) -> PoolFlows:
    """Return the payments of every pool; principal and losses of a pool add up to 1."""
    shape = (len(pools.periods), pools.horizon)
    interest, scheduled, prepaid, recovered, lost = (np.zeros(shape) for _ in range(5))
    part = 1.0 / pools.frequency
    balance = np.ones(shape[0])
    for t in range(1, shape[1] + 1):
        year = (t - 1) // pools.frequency
        defaulted = balance * -np.expm1(part * np.log1p(-yearly(pools.default, year)))
        performing = balance - defaulted
        due = performing * _scheduled_share(pools, t)
        early = (performing - due) * -np.expm1(part * np.log1p(-yearly(pools.prepayment, year)))
        interest[:, t - 1] = performing * pools.coupon * part
        scheduled[:, t - 1], prepaid[:, t - 1] = due, early
        lost[:, t - 1] = pools.severity * defaulted
        recovered[:, t - 1] = defaulted - lost[:, t - 1]
        balance = performing - due - early
    return PoolFlows(interest, scheduled, prepaid, recovered, lost)


def yearly(rates: Vector, year: NDArray[np.int64]) -> Vector:
    """Return each row's rate of its ``year`` (0, 1 …), the last one when the vector is shorter.

    Parameters
    ----------
    rates : ndarray (k, years)
        Rates of each year, decimals.
    year : ndarray of int (k,)
        The year wanted, from 0.
    """
    return np.asarray(rates[np.arange(len(rates)), np.minimum(year, rates.shape[1] - 1)])


def _scheduled_share(pools: Pools, t: int) -> Vector:
    left = np.maximum(pools.periods - t + 1, 1).astype(float)
    rate = pools.coupon / pools.frequency
    annuity = (pools.amortisation == Amortisation.ANNUITY) & (rate != 0)
    safe = np.where(annuity, rate, 1.0)
    share = np.where(annuity, safe / np.expm1(left * np.log1p(safe)), 1.0 / left)
    bullet = pools.amortisation == Amortisation.BULLET
    return np.where(bullet, (t >= pools.periods).astype(float), share)
