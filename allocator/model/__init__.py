"""The decision space and the terms over it."""

from allocator.model.expressions import Expression, Linear, Quadratic, TradeCost
from allocator.model.space import Space
from allocator.model.terms import ConstraintSpec, Mode, Objective, ObjectiveSpec, ObjectiveTerm, Sense, Term

__all__ = [
    "ConstraintSpec",
    "Expression",
    "Linear",
    "Mode",
    "Objective",
    "ObjectiveSpec",
    "ObjectiveTerm",
    "Quadratic",
    "Sense",
    "Space",
    "Term",
    "TradeCost",
]
