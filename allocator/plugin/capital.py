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
from allocator.jurisdiction import Account, BalanceSheetKey, Currency, Jurisdiction, Ratio
from allocator.model.regime import BookState, OptionalBreach, OwnFunds, Regime, RegimeNote, RegimeSpec, Requirement

__all__ = [
    "Absolute",
    "Account",
    "Aggregate",
    "BalanceSheetKey",
    "BookState",
    "CapitalTree",
    "Currency",
    "Jurisdiction",
    "Leaf",
    "Maximum",
    "Memorandum",
    "Minimum",
    "Node",
    "OptionalBreach",
    "OwnFunds",
    "Ratio",
    "Regime",
    "RegimeNote",
    "RegimeSpec",
    "Requirement",
    "WeightedSum",
    "correlation_matrix",
]
