"""Internal rates of return of many flows at once, and rates that are unique whatever the flows.

Flows whose sign changes more than once may have several internal rates, each as good as the other: then none is
returned. The test is exact: a rate r of the flows is the only one above −100% if and only if the balances that
the flows leave when compounded at r, Σ_{s ≤ t} c(s) (1 + r)^(t − s), as coefficients of a polynomial in
v = 1 / (1 + r), have no positive root; where the balances keep one sign (a pure investment) there is none.

Source: Teichroew, Robichek and Montalbano, An analysis of criteria for investment and financing decisions under
certainty, Management Science 12 (1965); Lin, The modified internal rate of return, Engineering Economist 21 (1976).
"""

from __future__ import annotations

import numpy as np

from allocator.plugin import Vector

__all__ = ["internal_rate_of_return", "internal_rates", "modified_rate"]


_LONGEST_STEP = 1.0
"""Newton moves ln(1 + r) by at most this: far out the two sides may run apart."""

_LAST_STEP = 1e-6
"""A step of this size leaves an error of about its square."""

_STEPS = 100

_REAL = 1e-7
"""Roots of a polynomial with an imaginary part below this share of their size are real."""


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
        Annual rates; −1 where nothing is received, NaN where nothing is paid, no rate is found, or several are.
    """
    found = _one_rate(received, paid)
    flows = (received - paid).reshape(len(received), -1)
    rates = found.reshape(-1)
    known = np.flatnonzero(rates > -1.0)
    balances = np.zeros((len(flows), len(known)))
    for time, flow in enumerate(flows[:, known]):
        balances[time] = flow + (balances[time - 1] * (1.0 + rates[known]) if time else 0.0)
    signs = balances[:-1] > _LAST_STEP * np.abs(flows[:, known]).max(axis=0, initial=0.0)
    below = balances[:-1] < -_LAST_STEP * np.abs(flows[:, known]).max(axis=0, initial=0.0)
    for mixed in known[np.flatnonzero(signs.any(axis=0) & below.any(axis=0))]:
        if len(internal_rates(flows[:, mixed])) > 1:
            rates[mixed] = np.nan
    return found


def internal_rates(flows: Vector) -> Vector:
    """Return every real internal rate of return above −100% of one series of flows, ascending.

    Parameters
    ----------
    flows : ndarray (T,)
        Received less paid, a year apart.

    Returns
    -------
    ndarray (m,)
        Annual rates: none, one, or several.
    """
    roots = np.roots(flows[::-1])  # of Σ c(t) vᵗ
    real = roots.real[(np.abs(roots.imag) <= _REAL * np.abs(roots)) & (roots.real > 0.0)]
    rates = np.sort(1.0 / real - 1.0)
    return rates[np.diff(rates, prepend=-np.inf) > _REAL * (1.0 + rates)]


def modified_rate(received: Vector, paid: Vector, rate: float) -> Vector:
    """Return the modified internal rate of return along the first axis: unique whatever the flows.

    What is received is invested at ``rate`` until the last flow, what is paid is set aside at ``rate`` from the
    beginning: (Σ received(t) (1 + g)^(T − t) / Σ paid(t) (1 + g)^−t)^(1 / T) − 1.

    Parameters
    ----------
    received, paid : ndarray (T + 1, …)
        Flows a year apart, ≥ 0.
    rate : float
        g, annual decimal, above −1.

    Returns
    -------
    ndarray (…)
        Annual rates; NaN where nothing is paid.
    """
    last = len(received) - 1
    growth = (1.0 + rate) ** np.arange(last + 1.0)
    end, start = np.tensordot(growth[::-1], received, 1), np.tensordot(1.0 / growth, paid, 1)
    return np.asarray(np.where(start > 0.0, end / np.where(start > 0.0, start, 1.0), np.nan) ** (1.0 / last) - 1.0)


def _one_rate(received: Vector, paid: Vector) -> Vector:
    """Return one rate of each flow, as `internal_rate_of_return` without regard to others."""
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
