"""Calls, distributions and net asset values of closed-end funds.

The model of D. Takahashi and S. Alexander, "Illiquid Alternative Asset Fund Modeling", Yale University
Investments Office, January 2001, and Journal of Portfolio Management 28(2), 2002, 90–100. With CC the
commitment, PIC what is paid in, t the year of the fund's life 1 … L, B the bow, G the growth, Y the yield:

    C(t)   = RC(t) · (CC − PIC(t−1))
    RD(t)  = max(Y, (t/L)^B)
    D(t)   = RD(t) · NAV(t−1) · (1 + G)
    NAV(t) = NAV(t−1) · (1 + G) + C(t) − D(t)

Years after L (the paper has none): nothing more is called and what is left is paid out. Years before 1 (a
fund still to be raised): nothing happens. A running fund continues from its actual paid-in and NAV.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Vector

__all__ = ["FundTerms", "Projection", "growth_curve", "project"]


@dataclass(frozen=True, eq=False)
class FundTerms:
    """Terms and present state of k funds; money in CNY.

    Parameters
    ----------
    commitment : ndarray (k,)
        CC ≥ 0.
    paid_in : ndarray (k,)
        PIC at the valuation date, in [0, CC].
    nav : ndarray (k,)
        Net asset value at the valuation date, ≥ 0.
    age : ndarray of int (k,)
        Years of the fund's life already over; negative for a fund still to be raised.
    life : ndarray (k,)
        L > 0, years.
    bow : ndarray (k,)
        B > 0; the higher, the later the distributions.
    growth : ndarray (k,)
        G, annual return net of fees, decimal > −1.
    income : ndarray (k,)
        Y, lowest share of the grown NAV distributed in a year, in [0, 1].
    rates : ndarray (k, m)
        RC by year of life, in [0, 1]; the last one holds for all later years.
    """

    commitment: Vector
    paid_in: Vector
    nav: Vector
    age: NDArray[np.int64]
    life: Vector
    bow: Vector
    growth: Vector
    income: Vector
    rates: Vector

    def new_commitment(self) -> FundTerms:
        """Return the same terms for one CNY newly committed: to a fund that starts now, or when it is raised."""
        none = np.zeros_like(self.commitment)
        one = np.ones_like(self.commitment)
        return replace(self, commitment=one, paid_in=none, nav=none, age=np.minimum(self.age, 0))

    def taken(self, places: NDArray[np.int64]) -> FundTerms:
        """Return the funds at these places, repeated where a place repeats."""
        return FundTerms(**{part.name: getattr(self, part.name)[places] for part in fields(self)})


@dataclass(frozen=True, eq=False)
class Projection:
    """Yearly flows and year-end balances, each (k, years), CNY.

    Parameters
    ----------
    calls, distributions : ndarray (k, years)
        Paid by and to the investor during the year, ≥ 0.
    nav, unfunded : ndarray (k, years)
        Net asset value and uncalled commitment at the year's end.
    """

    calls: Vector
    distributions: Vector
    nav: Vector
    unfunded: Vector

    @property
    def net(self) -> Vector:
        """Distributions less calls (k, years)."""
        return self.distributions - self.calls

    @property
    def j_curve(self) -> Vector:
        """Cumulative net cash to the investor (k, years): negative first, positive once the fund has paid back."""
        return np.cumsum(self.net, axis=1)


def project(terms: FundTerms, years: int) -> Projection:
    """Return the next ``years`` years of every fund.

    Parameters
    ----------
    terms : FundTerms
        Of every fund.
    years : int
        How far.
    """
    shape = (len(terms.commitment), years)
    calls, distributions, navs, unfunded = (np.zeros(shape) for _ in range(4))
    uncalled, nav = terms.commitment - terms.paid_in, terms.nav
    for year in range(years):
        t = terms.age + year + 1
        called = _contribution_rate(terms, t) * uncalled
        grown = nav * (1.0 + terms.growth)
        paid = _distribution_rate(terms, t) * grown
        uncalled, nav = uncalled - called, grown + called - paid
        calls[:, year], distributions[:, year], navs[:, year], unfunded[:, year] = called, paid, nav, uncalled
    return Projection(calls, distributions, navs, unfunded)


def growth_curve(terms: FundTerms) -> Vector:
    """Return the year-end NAV of one CNY newly committed, by year of life (k, ⌈max L⌉)."""
    started = replace(terms.new_commitment(), age=np.zeros_like(terms.age))
    return project(started, int(np.ceil(terms.life.max(initial=1.0)))).nav


def _contribution_rate(terms: FundTerms, t: NDArray[np.int64]) -> Vector:
    column = np.clip(t - 1, 0, terms.rates.shape[1] - 1)
    rate = terms.rates[np.arange(len(t)), column]
    # A life of 7½ years still calls in its eighth year.
    return np.where((t >= 1) & (t < terms.life + 1.0), rate, 0.0)


def _distribution_rate(terms: FundTerms, t: NDArray[np.int64]) -> Vector:
    part = np.clip(t / terms.life, 0.0, 1.0)
    return np.where(t >= 1, np.maximum(terms.income, part**terms.bow), 0.0)
