"""Solvency capital: the tree of risk modules, its value, its attribution and its table."""

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

__all__ = [
    "Absolute",
    "Aggregate",
    "Attribution",
    "CapitalTree",
    "Leaf",
    "Maximum",
    "Memorandum",
    "Minimum",
    "Node",
    "WeightedSum",
    "correlation_matrix",
]
