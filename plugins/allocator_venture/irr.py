"""Internal rates of return of many flows at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["internal_rate_of_return"]

Vector = NDArray[np.float64]

_LONGEST_STEP = 1.0
"""Newton moves ln(1 + r) by at most this: far out the two sides may run apart."""

_LAST_STEP = 1e-6
"""A step of this size leaves an error of about its square."""

_STEPS = 100


def internal_rate_of_return(received: Vector, paid: Vector) -> Vector:
    """Return r with Σ (received(t) − paid(t)) (1 + r)^−t = 0 along the first axis, t = 0, 1, 2 …

    Newton on ln Σ received · vᵗ − ln Σ paid · vᵗ in ln v, v = 1 / (1 + r): its slope is the mean time between
    payment and receipt, which hardly moves, so a few steps do.

    Parameters
    ----------
    received, paid : ndarray (T, …)
        Flows a year apart, ≥ 0.

    Returns
    -------
    ndarray (…)
        Annual rates; −1 where nothing is received, NaN where nothing is paid or no rate is found.
    """
    shape = received.shape[1:]
    received, paid = received.reshape(len(received), -1), paid.reshape(len(paid), -1)
    some, cost = received.any(axis=0), paid.any(axis=0)
    rates = np.where(cost & ~some, -1.0, np.nan)
    left = np.flatnonzero(some & cost)
    power = np.zeros(len(left))
    if len(left) < len(rates):
        received, paid = received[:, left], paid[:, left]
    # Years after the last payment need no arithmetic on the paid side.
    paid = paid[: int(np.flatnonzero(paid.any(axis=1)).max(initial=0)) + 1]
    for _ in range(_STEPS):
        value = np.exp(power)
        (got, late), (given, early) = _polynomial(received, value), _polynomial(paid, value)
        years = value * (late / got - early / given)
        # Where receipts come first on average, higher rates look for the payments that came before them.
        step = np.where(years > 0, -np.log(got / given) / np.where(years > 0, years, 1.0), -_LONGEST_STEP)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        power = power + step
        settled = np.abs(step) <= _LAST_STEP
        rates[left[settled]] = np.expm1(-power[settled])
        open_ = np.flatnonzero(~settled)
        if not len(open_):
            break
        if len(open_) < len(left) // 2:
            left, power, received, paid = left[open_], power[open_], received[:, open_], paid[:, open_]
    return rates.reshape(shape)


def _polynomial(coefficients: Vector, v: Vector) -> tuple[Vector, Vector]:
    """Return Σ c(t) vᵗ and its derivative by Horner's scheme."""
    value, slope = np.zeros_like(v), np.zeros_like(v)
    for coefficient in coefficients[::-1]:
        slope *= v
        slope += value
        value *= v
        value += coefficient
    return value, slope
