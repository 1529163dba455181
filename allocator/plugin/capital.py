"""Solvency regimes: the nodes of a capital tree, and what a regime hands over."""

from allocator.capital import (
    Absolute,
    Aggregate,
    CapitalTree,
    Leaf,
    Maximum,
    Memorandum,
    Minimum,
    Node,
    WeightedSum,
    correlation_matrix,
)
from allocator.model.regime import BookState, OptionalBreach, OwnFunds, Regime, RegimeNote, RegimeSpec, Requirement

__all__ = [
    "Absolute",
    "Aggregate",
    "OptionalBreach",
    "BookState",
    "CapitalTree",
    "Leaf",
    "Maximum",
    "Memorandum",
    "Minimum",
    "Node",
    "OwnFunds",
    "Regime",
    "RegimeNote",
    "RegimeSpec",
    "Requirement",
    "WeightedSum",
    "correlation_matrix",
]
