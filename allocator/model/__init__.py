"""The decision space and the terms over it: what plugins import to add rules, objectives, models and tilts."""

from allocator.model.context import ModelContext
from allocator.model.expressions import Expression, Linear, Quadratic, TradeCost
from allocator.model.factor_risk import factor_risk
from allocator.model.model import CapitalLimit, Model
from allocator.model.models import OfferedModels, ReturnModelSpec, Risk, RiskModelSpec, Scenarios, ScenarioSpec
from allocator.model.scores import PartScore
from allocator.model.space import Space
from allocator.model.specs import ConstraintSpec, ObjectiveSpec
from allocator.model.terms import TOLERANCE, Mode, Objective, ObjectiveTerm, Sense, Term
from allocator.model.tilts import TiltSpec, options_of
from allocator.model.uncertain import ConditionalValueAtRisk, RobustReturn

__all__ = [
    "TOLERANCE",
    "CapitalLimit",
    "ConditionalValueAtRisk",
    "ConstraintSpec",
    "Expression",
    "Linear",
    "Mode",
    "Model",
    "ModelContext",
    "Objective",
    "ObjectiveSpec",
    "ObjectiveTerm",
    "PartScore",
    "Quadratic",
    "OfferedModels",
    "ReturnModelSpec",
    "Risk",
    "RobustReturn",
    "RiskModelSpec",
    "ScenarioSpec",
    "Scenarios",
    "Sense",
    "Space",
    "Term",
    "TiltSpec",
    "options_of",
    "TradeCost",
    "factor_risk",
]
