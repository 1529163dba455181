"""What simulated venture funds are worth deciding on: expected return, its doubt, losses, a reserve.

Expected return: the rate at which the expected flows have no present value (not the mean of the paths' rates,
which a few losses of everything pull down). Standard error: over the chunks of paths. Interval: the expected
return with every field's probabilities and multiples at the ends of their doubt, same random numbers.

Loss of a path: what was paid in less what came back, per unit paid in, negative when there was a profit.
CVaR at confidence α: the mean loss of the worst 1 − α of the paths. Suggested special risk reserve: what the
CVaR of all funds together exceeds the part that solvency capital covers already by, shared in proportion to the
funds' mean losses in those paths, so that the parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Vector
from allocator_venture.irr import internal_rate_of_return
from allocator_venture.parameters import Parameters
from allocator_venture.simulation import Outcome, VentureFund, build_portfolio, simulate

__all__ = ["Assessment", "annual_returns", "assess", "expected_return", "holding_years", "tail_mean"]


QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the rates of return that are reported."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """Figures of k funds; rates annual decimals, losses per unit paid in.

    Parameters
    ----------
    expected_return, standard_error, lowest, highest : ndarray (k,)
        Rate of the expected flows, its sampling error, and its interval under doubt about the parameters.
    rates : ndarray (len(QUANTILES), k)
        Quantiles of the paths' internal rates of return.
    several_rates : ndarray (k,)
        Share of paths without a single internal rate of return; the quantiles leave them out.
    loss_probability : ndarray (k,)
        Share of paths on which less came back than was paid in.
    value_at_risk, tail_loss : ndarray (k,)
        Loss quantile at the confidence, and the mean loss beyond it.
    reserve : ndarray (k,)
        Suggested special risk reserve.
    portfolio_tail_loss : float
        Mean loss of all funds together beyond their confidence, per unit paid in.
    """

    expected_return: Vector
    standard_error: Vector
    lowest: Vector
    highest: Vector
    rates: Vector
    several_rates: Vector
    loss_probability: Vector
    value_at_risk: Vector
    tail_loss: Vector
    reserve: Vector
    portfolio_tail_loss: float

    @property
    def uncertainty(self) -> Vector:
        """Half width of the interval under doubt about the parameters (k,): what ``return_uncertainty`` may state."""
        return (self.highest - self.lowest) / 2.0


def assess(
    funds: Sequence[VentureFund],
    parameters: Parameters,
    paths: int,
    seed: int,
    confidence: float = 0.95,
    covered: float = 0.0,
) -> Assessment:
    """Simulate the funds and return their figures.

    Parameters
    ----------
    funds, parameters, paths, seed
        As `simulate` takes them.
    confidence : float
        α in (0, 1).
    covered : float
        Loss per unit paid in that solvency capital covers, ≥ 0.
    """
    portfolio = build_portfolio(funds, parameters)
    outcome = simulate(portfolio, paths, seed)
    ends = [
        expected_return(simulate(build_portfolio(funds, parameters.doubted(sign)), paths, seed)) for sign in (-1, 1)
    ]
    loss = 1.0 - outcome.multiple
    together = loss @ (portfolio.total / portfolio.total.sum())
    worst = _worst(together, confidence)
    overall = float(together[worst].mean())
    return Assessment(
        expected_return=expected_return(outcome),
        standard_error=_standard_error(outcome),
        lowest=ends[0],
        highest=ends[1],
        rates=np.nanquantile(outcome.rate, QUANTILES, axis=0),
        several_rates=np.isnan(outcome.rate).mean(axis=0),
        loss_probability=(loss > 0.0).mean(axis=0),
        value_at_risk=np.quantile(loss, confidence, axis=0),
        tail_loss=np.array([tail_mean(column, confidence) for column in loss.T]),
        reserve=loss[worst].mean(axis=0) * (1.0 - covered / overall) if overall > covered else np.zeros(portfolio.size),
        portfolio_tail_loss=overall,
    )


def expected_return(outcome: Outcome) -> Vector:
    """Return r with Σ E[D(t)] (1 + r)^−t = Σ C(t) (1 + r)^−t for each fund (k,)."""
    return internal_rate_of_return(outcome.expected_distributions.T, outcome.portfolio.calls.T)


def holding_years(outcome: Outcome) -> Vector:
    """Return the mean time between payment and receipt of the expected flows, years (k,)."""
    received, paid = outcome.expected_distributions, outcome.portfolio.calls
    time = np.arange(paid.shape[1])
    return np.asarray(received @ time / received.sum(axis=1) - paid @ time / paid.sum(axis=1))


def annual_returns(outcome: Outcome) -> Vector:
    """Return one-year returns that carry the whole life's risk, (S, k).

    A fund's outcome unfolds over D years and its reported values lag. If the log of its multiple X built up in
    independent years, one year would hold 1/D of its variance, so the year's growth is taken as X^(1/√D),
    scaled to the expected return: 1 + r = (1 + μ) · X^(1/√D) / E[X^(1/√D)]. The mean is μ, the order of the
    paths that of the outcomes, and nothing is smoothed.
    """
    years = np.maximum(holding_years(outcome), 1.0)
    grown = outcome.multiple ** (1.0 / np.sqrt(years))
    return np.asarray((1.0 + expected_return(outcome)) * grown / grown.mean(axis=0) - 1.0)


def tail_mean(losses: Vector, confidence: float) -> float:
    """Return the mean of the worst ⌈(1 − α) S⌉ losses.

    Parameters
    ----------
    losses : ndarray (S,)
        Equally likely losses.
    confidence : float
        α in (0, 1).
    """
    return float(losses[_worst(losses, confidence)].mean())


def _worst(losses: Vector, confidence: float) -> NDArray[np.int64]:
    count = max(int(np.ceil((1.0 - confidence) * len(losses) - 1e-9)), 1)
    return np.argpartition(losses, -count)[-count:]


def _standard_error(outcome: Outcome) -> Vector:
    """Return the sampling error of the expected return (k,); NaN with fewer than two chunks of equal size."""
    full = outcome.paths == outcome.paths[0]
    if full.sum() < 2:
        return np.full(outcome.portfolio.size, np.nan)
    rates = np.array(
        [internal_rate_of_return(part.T, outcome.portfolio.calls.T) for part in outcome.distributions[full]]
    )
    return np.asarray(rates.std(axis=0, ddof=1) / np.sqrt(full.sum()))
