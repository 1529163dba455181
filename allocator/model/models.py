"""Models of return, risk and scenarios: the values that terms of the objective are built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from allocator.types import Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs

__all__ = ["ReturnModelSpec", "Risk", "RiskModelSpec", "ScenarioSpec", "Scenarios"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Risk:
    """Covariance of annual returns per row as F′F + diag(d).

    Parameters
    ----------
    factors : ndarray or sparse (k, n)
        F; a dense covariance Σ is held as its Cholesky-like root (k = n) only when Σ is what was given.
    specific : ndarray (n,)
        d ≥ 0, variance that nothing else shares.
    method : Text
        How it was estimated, for the report.
    """

    factors: Any
    specific: Vector
    method: Text

    def variance(self, weights: Vector) -> float:
        """Return w′(F′F + diag d)w."""
        exposure = self.factors @ weights
        return float(exposure @ exposure + self.specific @ weights**2)


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Joint annual returns.

    Parameters
    ----------
    returns : ndarray (scenarios, n)
        Return of each row in each scenario, decimal.
    probability : ndarray (scenarios,)
        Sums to one.
    method : Text
        Where they come from.
    """

    returns: Vector
    probability: Vector
    method: Text


@dataclass(frozen=True, slots=True)
class ReturnModelSpec:
    """``build(inputs, options) -> ndarray (n,)`` of annual expected returns before costs, decimal."""

    name: str
    label: Text
    options: type[BaseModel]
    build: Callable[[Inputs, Any], Vector] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RiskModelSpec:
    """``build(inputs, options) -> Risk``."""

    name: str
    label: Text
    options: type[BaseModel]
    build: Callable[[Inputs, Any], Risk] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """``build(inputs, options) -> Scenarios``; the same options and seed give the same scenarios."""

    name: str
    label: Text
    options: type[BaseModel]
    build: Callable[[Inputs, Any], Scenarios] = field(repr=False)
