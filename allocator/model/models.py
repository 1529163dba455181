"""Models of return, risk and scenarios: the values that terms of the objective are built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from pydantic import BaseModel

from allocator.arrays import Vector
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs

__all__ = ["OfferedModels", "ReturnModelSpec", "Risk", "RiskModelSpec", "ScenarioSpec", "Scenarios"]


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
    names : tuple of str
        The factors a user may name; empty for a model without named factors.
    root : ndarray (len(names), len(names)) or None
        Ω^½: exposures b to the named factors stand as ``root @ b`` in the first rows of F.
    """

    factors: Any
    specific: Vector
    method: Text
    names: tuple[str, ...] = ()
    root: Vector | None = None

    def exposure(self, named: Mapping[str, float]) -> Vector:
        """Return what stands in the rows of F (k,) for something with these exposures to the named factors.

        Raises
        ------
        KeyError
            For a factor the model does not have.
        """
        loaded = np.zeros(self.factors.shape[0])
        if self.root is None:
            for name in named:
                raise KeyError(name)
            return loaded
        unknown = [name for name in named if name not in self.names]
        if unknown:
            raise KeyError(unknown[0])
        loaded[: len(self.names)] = self.root @ np.array([named.get(name, 0.0) for name in self.names])
        return loaded

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
    liabilities : ndarray (scenarios,) or None
        Growth of the liabilities' value, decimal; None where the source does not say.
    factors : mapping of str to ndarray (scenarios,)
        What drove the returns, by name, for sources that join these paths; empty where the source does not say.
    """

    returns: Vector
    probability: Vector
    method: Text
    liabilities: Vector | None = None
    factors: Mapping[str, Vector] = field(default_factory=lambda: MappingProxyType({}))


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
    """``build(inputs, options) -> Scenarios``; the same options and seed give the same scenarios.

    The column ``expected_return`` of the assets holds what the fund's return model says. A source with ``join``
    may stand behind others in ``models.scenarios``: ``join(inputs, options, scenarios) -> Scenarios`` puts its own
    rows on the paths that are there.
    """

    name: str
    label: Text
    options: type[BaseModel]
    build: Callable[[Inputs, Any], Scenarios] = field(repr=False)
    join: Callable[[Inputs, Any, Scenarios], Scenarios] | None = field(default=None, repr=False)


class OfferedModels(Protocol):
    """The models that the enabled plugins offer, whoever collected them."""

    @property
    def return_models(self) -> Mapping[str, ReturnModelSpec]:
        """Return models by name."""

    @property
    def risk_models(self) -> Mapping[str, RiskModelSpec]:
        """Risk models by name."""

    @property
    def scenarios(self) -> Mapping[str, ScenarioSpec]:
        """Scenario sources by name."""
