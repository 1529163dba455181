"""Payment schedules: on which days a fixed-income contract pays, and which part of its principal and coupon.

Days are whole days after the valuation date. Coupon dates run backwards from maturity in steps of
12 / frequency months, on maturity's day of the month (the month's last day where it has fewer). A contract
that ends before maturity (called, put, reset) pays the coupon accrued since the last coupon date, by days.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.inputs.curves import DAYS_IN_YEAR

__all__ = ["Amortisation", "Contracts", "Flows", "contract_flows"]

Days = NDArray[np.int64]


class Amortisation(StrEnum):
    """How the principal is repaid: at the end, in equal parts, or by equal payments of principal and coupon."""

    BULLET = "bullet"
    EQUAL_PRINCIPAL = "equal_principal"
    ANNUITY = "annuity"


@dataclass(frozen=True, eq=False)
class Contracts:
    """Terms of k contracts, one entry each.

    Parameters
    ----------
    as_of : datetime64[D]
        Valuation date.
    maturity : ndarray of datetime64[D]
        Day from which coupon dates run backwards, after ``as_of``.
    end : ndarray of datetime64[D]
        Last day of the contract, in (as_of, maturity].
    resets : ndarray of bool
        Whether it ends at its next coupon date (a floater is worth par there).
    frequency : ndarray of int
        Coupons a year: 0, 1, 2, 3, 4, 6 or 12. 0 pays simple interest since ``issued`` at the end.
    issued : ndarray of datetime64[D]
        First day of interest; read for frequency 0 only.
    coupon : ndarray
        Annual coupon, decimal.
    redemption : ndarray
        Paid per unit of principal outstanding at ``end``.
    amortisation : ndarray of str
        A value of `Amortisation`.
    prepayment : ndarray (k, years)
        Share of the balance prepaid in each year (CPR), in [0, 1); the last one holds from then on.
    """

    as_of: np.datetime64
    maturity: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    resets: NDArray[np.bool_]
    frequency: NDArray[np.int64]
    issued: NDArray[np.datetime64]
    coupon: Vector
    redemption: Vector
    amortisation: NDArray[np.str_]
    prepayment: Vector


@dataclass(frozen=True, eq=False)
class Flows:
    """Payments per unit of principal outstanding, sorted by contract and day: arrays of one length."""

    contract: NDArray[np.int64]
    day: NDArray[np.int64]
    principal: Vector
    interest: Vector


@dataclass(frozen=True, eq=False)
class _Dates:
    """Coupon dates of the distinct schedules, flattened: ``start[g]`` … ``start[g] + count[g]``."""

    group: NDArray[np.int64]
    start: NDArray[np.int64]
    count: NDArray[np.int64]
    periods: NDArray[np.int64]
    day: NDArray[np.int64]
    fraction: Vector


def contract_flows(contracts: Contracts, axis: Vector | None = None) -> Flows:
    """Return all payments after the valuation date.

    With B the balance, b the scheduled share of it and s(t) what prepayment leaves, (1 − CPR)^t at one rate,

        Bⱼ = bⱼ s(tⱼ),  principalⱼ = Bⱼ₋₁ − Bⱼ,  interestⱼ = Bⱼ₋₁ · coupon / frequency · accrued part,

    and at the end principal = Bₘ₋₁ · redemption.

    Parameters
    ----------
    contracts : Contracts
        The contracts.
    axis : ndarray (days,) or None
        Years of each day after the valuation date; None: days / 365.
    """
    dates = _coupon_dates(contracts)
    count = dates.count[dates.group]
    begin = np.cumsum(count) - count
    contract = np.repeat(np.arange(count.size), count)
    place = np.arange(contract.size) + np.repeat(dates.start[dates.group] - begin, count)
    day = dates.day[place]
    per_period = contracts.coupon / np.maximum(contracts.frequency, 1)
    interest = per_period[contract] * dates.fraction[place]
    simple = np.flatnonzero(contracts.frequency == 0)
    life = (contracts.end - contracts.issued)[simple].astype("timedelta64[D]").astype(np.int64) / DAYS_IN_YEAR
    interest[begin[simple]] = per_period[simple] * life
    principal = np.zeros(contract.size)
    last = begin + count - 1
    principal[last] = contracts.redemption
    shrinking = (contracts.amortisation != Amortisation.BULLET) | np.any(contracts.prepayment > 0, axis=1)
    if not shrinking.any():
        return Flows(contract, day, principal, interest)
    step = np.arange(contract.size) - begin[contract]
    before, after = _balances(contracts, dates.periods[dates.group], contract, step, day, axis)
    repaid = before - after
    repaid[last] = before[last] * contracts.redemption
    return Flows(contract, day, repaid, before * interest)


def _balances(
    contracts: Contracts,
    periods: NDArray[np.int64],
    contract: NDArray[np.int64],
    step: Days,
    day: Days,
    axis: Vector | None,
) -> tuple[Vector, Vector]:
    """Return the balance before and after each payment, per unit outstanding at the valuation date.

    Scheduled share after j of n payments: 1 (bullet), 1 − j/n (equal principal),
    1 − ((1+i)ʲ − 1) / ((1+i)ⁿ − 1) (annuity at the periodic coupon i; 1 − j/n where i = 0).
    """
    kind, total = contracts.amortisation[contract], periods[contract].astype(float)
    rate = (contracts.coupon / np.maximum(contracts.frequency, 1))[contract]
    time = day / DAYS_IN_YEAR if axis is None else axis[day]
    earlier = np.where(step == 0, 0.0, np.concatenate([[0.0], time[:-1]]))
    annuity = (kind == Amortisation.ANNUITY) & (rate != 0)
    linear = (kind != Amortisation.BULLET) & ~annuity
    force = np.where(annuity, np.log1p(rate), 1.0 / total)

    def scheduled(done: NDArray[np.floating]) -> Vector:
        by_payment = 1.0 - np.expm1(done * force) / np.expm1(total * force)
        return np.where(annuity, by_payment, np.where(linear, 1.0 - done / total, 1.0))

    before = scheduled(step.astype(float)) * _not_prepaid(contracts.prepayment, contract, earlier)
    return before, scheduled(step + 1.0) * _not_prepaid(contracts.prepayment, contract, time)


def _not_prepaid(prepayment: Vector, contract: NDArray[np.int64], time: Vector) -> Vector:
    """Return s(t) = Π (1 − CPR_y) over the whole years y before t, times (1 − CPR)^(part of the year begun)."""
    force = np.log1p(-prepayment)
    before = np.concatenate([np.zeros((len(force), 1)), np.cumsum(force, axis=1)], axis=1)
    year = np.minimum(time.astype(np.int64), force.shape[1] - 1)
    return np.asarray(np.exp(before[contract, year] + force[contract, year] * (time - year)))


def _coupon_dates(contracts: Contracts) -> _Dates:
    """Return the dates of each distinct (maturity, end, frequency, reset): few, however many contracts."""
    origin = contracts.as_of
    key = np.column_stack(
        [
            (contracts.maturity - origin).astype(np.int64),
            (contracts.end - origin).astype(np.int64),
            contracts.frequency,
            contracts.resets.astype(np.int64),
        ]
    )
    distinct, group = _unique_rows(key)
    maturity, end, frequency, resets = distinct.T
    # Months between coupons; a contract that pays once has one period, as long as it likes.
    months = np.where(frequency > 0, 12 // np.maximum(frequency, 1), 0)
    periods = _periods_left(origin, maturity, months)
    owner = np.repeat(np.arange(len(distinct)), periods)
    position = np.arange(periods.sum()) - np.repeat(np.cumsum(periods) - periods, periods)
    back = periods[owner] - 1 - position
    day = _months_before(origin, maturity[owner], back * months[owner])
    previous = _months_before(origin, maturity[owner], (back + 1) * months[owner])
    stop = np.where((resets == 1) & (frequency > 0), np.minimum(end, day[np.cumsum(periods) - periods]), end)
    keep = previous < stop[owner]
    keep |= frequency[owner] == 0
    paid = np.minimum(day, stop[owner])
    paid = np.where(frequency[owner] == 0, stop[owner], paid)
    fraction = (paid - previous) / np.maximum(day - previous, 1)
    fraction = np.where(paid == day, 1.0, fraction)
    count = np.bincount(owner[keep], minlength=len(distinct))
    return _Dates(group, np.cumsum(count) - count, count, periods, paid[keep], fraction[keep])


def _unique_rows(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return distinct rows and each row's place among them, by packing a row into one integer."""
    width = key.max(axis=0, initial=0) + 1
    packed = key[:, 0]
    for column in range(1, key.shape[1]):
        packed = packed * width[column] + key[:, column]
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    return key[first], inverse


def _periods_left(origin: np.datetime64, maturity: Days, months: Days) -> NDArray[np.int64]:
    """Return how many coupon dates lie after the valuation date, maturity included."""
    apart = ((origin + maturity).astype("datetime64[M]") - origin.astype("datetime64[M]")).astype(np.int64)
    whole = apart // np.maximum(months, 1)
    earliest = _months_before(origin, maturity, whole * months)
    left: NDArray[np.int64] = np.maximum(whole + (earliest > 0), 1)
    left[months == 0] = 1
    return left


def _months_before(origin: np.datetime64, day: Days, months: Days) -> NDArray[np.int64]:
    """Return the day ``months`` months before ``day``, on the same day of the month or the month's last."""
    date = origin + day
    month = date.astype("datetime64[M]")
    of_month = (date - month.astype("datetime64[D]")).astype(np.int64)
    target = month - months
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    landed = target.astype("datetime64[D]") + np.minimum(of_month, length - 1)
    back: Days = (landed - origin).astype(np.int64)
    return back
