"""What a tranche receives: principal from the top, losses from the bottom.

A tranche stands on the pool from its attachment a (what is below it, the subordination) to its detachment
b = a + its own share. With P and L the cumulative principal and loss of the pool of balance 1,

    principal received = clip(P − (1 − b), 0, b − a)      written down = clip(L − a, 0, b − a)

Since P + L ≤ 1 the two never exceed the tranche, and over all tranches of a deal they add up to P and L.
Interest: senior tranches first, then min(coupon · balance, what the pool has left). Excess spread goes to the
residual and absorbs no losses, which is prudent for every tranche with a rating.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Vector
from allocator_securitised.pool import PoolFlows, Pools, pool_flows, yearly

__all__ = ["ExpectedLoss", "TrancheFlows", "Tranches", "expected_loss", "tranche_flows"]


_STATES = np.linspace(-6.0, 6.0, 121)
"""States of the common factor over which a tranche's loss is averaged."""

_WEIGHTS = np.exp(-0.5 * _STATES**2) / np.exp(-0.5 * _STATES**2).sum()
"""Their normal probabilities: the trapezoid rule, which no tail loss escapes."""


@dataclass(frozen=True, eq=False)
class Tranches:
    """Where k tranches stand on their pools, and what they pay.

    Parameters
    ----------
    attachment, detachment : ndarray (k,)
        Shares of the pool, 0 ≤ attachment < detachment ≤ 1.
    coupon, senior_coupon : ndarray (k,)
        Annual rates of the tranche and of what ranks before it, decimals.
    """

    attachment: Vector
    detachment: Vector
    coupon: Vector
    senior_coupon: Vector

    @property
    def size(self) -> Vector:
        """Share of the pool (k,)."""
        return self.detachment - self.attachment


@dataclass(frozen=True, eq=False)
class TrancheFlows:
    """Payments and balances by period, (k, T), per unit of the tranche.

    ``outstanding`` is the balance at the start of each period.
    """

    principal: Vector
    interest: Vector
    lost: Vector
    outstanding: Vector

    def average_life(self, frequency: NDArray[np.int64]) -> Vector:
        """Return Σ t · principal / Σ principal in years (k,); NaN where nothing is repaid."""
        time = np.arange(1, self.principal.shape[1] + 1) / frequency[:, None]
        repaid = self.principal.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.principal * time).sum(axis=1) / repaid)


@dataclass(frozen=True, eq=False)
class ExpectedLoss:
    """Expected loss of k tranches.

    Parameters
    ----------
    share : ndarray (k,)
        Over the whole life, per unit of the tranche.
    annual : ndarray (k,)
        Per year and unit outstanding: expected loss / expected balance-years.
    """

    share: Vector
    annual: Vector


def tranche_flows(tranches: Tranches, pool: PoolFlows, frequency: NDArray[np.int64]) -> TrancheFlows:
    """Return what each tranche receives of its pool; row j of ``pool`` is the pool of tranche j.

    Parameters
    ----------
    tranches : Tranches
        k tranches.
    pool : PoolFlows
        The flows of k pools, per CNY.
    frequency : ndarray of int (k,)
        Payments a year.
    """
    a, b, size = tranches.attachment[:, None], tranches.detachment[:, None], tranches.size[:, None]
    collected, losses = np.cumsum(pool.principal, axis=1), np.cumsum(pool.lost, axis=1)
    received = np.clip(collected - (1.0 - b), 0.0, size)
    written = np.clip(losses - a, 0.0, size)
    outstanding = _before(size - received - written, size)
    senior = _before(np.maximum(1.0 - b - collected, 0.0) - np.maximum(losses - b, 0.0), 1.0 - b)
    part = 1.0 / frequency[:, None]
    left = np.maximum(pool.interest - tranches.senior_coupon[:, None] * part * senior, 0.0)
    interest = np.minimum(tranches.coupon[:, None] * part * outstanding, left)
    return TrancheFlows(
        np.diff(received, axis=1, prepend=0.0) / size,
        interest / size,
        np.diff(written, axis=1, prepend=0.0) / size,
        outstanding / size,
    )


def expected_loss(pools: Pools, tranches: Tranches, correlation: Vector) -> ExpectedLoss:
    """Return the loss averaged over the states of one common factor M.

    The pool's default rates state its mean. Given M, with p the cumulative default probability they imply over
    the pool's life, p(M) = Φ((Φ⁻¹(p) − √ρ M) / √(1 − ρ)); every year's rate moves by the same hazard multiple
    h(M) = ln(1 − p(M)) / ln(1 − p), that is 1 − (1 − CDR)^h(M).
    Source: O. Vasicek, "Loan portfolio value", Risk, December 2002 (large homogeneous portfolio).

    Parameters
    ----------
    pools : Pools
        k pools.
    tranches : Tranches
        One of each pool.
    correlation : ndarray (k,)
        ρ in [0, 1): correlation of the pool's obligors.
    """
    from scipy import special  # its import is felt in every command

    survival = np.zeros(len(pools.periods))
    for t in range(pools.horizon):
        rate = np.log1p(-yearly(pools.default, t // pools.frequency)) / pools.frequency
        survival += np.where(t < pools.periods, rate, 0.0)
    certain = survival == 0.0
    threshold = special.ndtri(np.where(certain, 0.5, -np.expm1(survival)))
    lost, balance = np.zeros(len(survival)), np.zeros(len(survival))
    for state, weight in zip(_STATES, _WEIGHTS, strict=True):
        given = special.log_ndtr(-(threshold - np.sqrt(correlation) * state) / np.sqrt(1.0 - correlation))
        multiple = np.where(certain, 1.0, given / np.where(certain, 1.0, survival))
        stressed = -np.expm1(multiple[:, None] * np.log1p(-pools.default))
        flows = tranche_flows(tranches, pool_flows(pools.with_default(stressed)), pools.frequency)
        lost += weight * flows.lost.sum(axis=1)
        balance += weight * flows.outstanding.sum(axis=1) / pools.frequency
    return ExpectedLoss(lost, lost / balance)


def _before(after: Vector, first: Vector) -> Vector:
    """Return balances at the start of each period from those at its end."""
    return np.concatenate([np.broadcast_to(first, (len(after), 1)), after[:, :-1]], axis=1)
