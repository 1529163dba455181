"""Solvency capital: the tree of risk modules and the door a regime enters by."""

from allocator.capital.nodes import (
    Absolute,
    Aggregate,
    Leaf,
    Maximum,
    Minimum,
    Node,
    WeightedSum,
    correlation_matrix,
)
from allocator.capital.tree import Attribution, CapitalTree, Memorandum
from allocator.model.regime import Alternative, BookState, OwnFunds, Regime, RegimeNote, RegimeSpec, Requirement

__all__ = [
    "Absolute",
    "Aggregate",
    "Alternative",
    "Attribution",
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
