"""The problems that are measured: their data, and what an answer is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONFIDENCE", "POINTS", "Market", "market", "scenarios", "shortfall", "targets"]

Vector = NDArray[np.float64]
FACTORS = 20
POINTS = 30
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Market:
    """Expected returns (n,), factors F (k, n) and specific variances d (n,): Σ = F′F + diag(d), annual."""

    expected: Vector
    factors: Vector
    specific: Vector

    @property
    def covariance(self) -> Vector:
        """Σ as a dense matrix, for those who take no other."""
        return self.factors.T @ self.factors + np.diag(self.specific)

    def variance(self, weights: Vector) -> float:
        """Return w′Σw."""
        exposure = self.factors @ weights
        return float(exposure @ exposure + self.specific @ weights**2)


def market(size: int) -> Market:
    """Return one market factor, nineteen of styles and industries, and what is left of each asset."""
    rng = np.random.default_rng(size)
    factors = rng.normal(0.0, 0.05, (FACTORS, size))
    factors[0] = rng.uniform(0.08, 0.25, size)
    return Market(0.02 + 0.3 * factors[0] * rng.uniform(0.3, 1.2, size), factors, rng.uniform(0.05, 0.4, size) ** 2)


def targets(of: Market) -> Vector:
    """Return variance limits between those of the least risky and of the most promising portfolio."""
    least = np.linalg.solve(of.covariance, np.ones(len(of.expected)))
    low = of.variance(np.maximum(least, 0) / np.maximum(least, 0).sum())
    high = of.variance(np.eye(1, len(of.expected), int(np.argmax(of.expected)))[0])
    return np.geomspace(1.2 * low, 0.9 * high, POINTS)


def scenarios(size: int, count: int = 1_000) -> Vector:
    """Return ``count`` equally likely returns of ``size`` assets, with tails."""
    rng = np.random.default_rng(size)
    of = market(size)
    shocks = rng.standard_t(4, (count, FACTORS)) @ of.factors + rng.standard_t(4, (count, size)) * np.sqrt(of.specific)
    return (of.expected + shocks) / 252**0.5


def shortfall(returns: Vector, weights: Vector) -> float:
    """Return the mean loss of the worst scenarios, by Rockafellar and Uryasev's formula."""
    losses = np.sort(-returns @ weights)
    beyond = (1.0 - CONFIDENCE) * len(losses)
    whole = int(np.floor(beyond))
    tail = losses[len(losses) - whole :].sum() + (beyond - whole) * losses[len(losses) - whole - 1]
    return float(tail / beyond)
