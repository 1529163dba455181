"""What a fund may maximize or minimize. Weights are w = x / Σ current, so figures are annual decimals."""

from __future__ import annotations

from allocator.model import Linear, ModelContext, Objective, ObjectiveSpec, ObjectiveTerm, Quadratic
from allocator.settings import Section
from allocator.types import Text

__all__ = ["OBJECTIVES", "variance_of"]


class NoOptions(Section):
    """No keys."""


def variance_of(context: ModelContext) -> Quadratic:
    """Return w′Σw as a function of the amounts: ‖F x / T‖² + Σ d (x / T)², T = Σ current."""
    total = context.space.total
    return Quadratic(context.risk.factors / total, context.risk.specific / total**2)


def expected_return(context: ModelContext, options: NoOptions) -> Objective:
    """Maximize μ′w."""
    part = ObjectiveTerm(
        "expected_return",
        Text("Expected return", "预期收益率"),
        Linear.of(context.expected_return / context.space.total),
    )
    return Objective((part,))


def variance(context: ModelContext, options: NoOptions) -> Objective:
    """Minimize w′Σw."""
    return Objective((ObjectiveTerm("variance", Text("Variance of return", "收益率方差"), variance_of(context), -1.0),))


def capital(context: ModelContext, options: NoOptions) -> Objective:
    """Minimize the minimum capital, CNY."""
    return Objective(capital_weight=1.0)


def return_on_capital(context: ModelContext, options: NoOptions) -> Objective:
    """Maximize μ′x / minimum capital: what a year earns on the capital it ties up."""
    part = ObjectiveTerm(
        "expected_return", Text("Expected return", "预期收益率"), Linear.of(context.expected_return), unit="CNY a year"
    )
    return Objective((part,), per_capital=True)


OBJECTIVES = (
    ObjectiveSpec("expected_return", Text("Expected return", "预期收益率"), "maximize", NoOptions, expected_return),
    ObjectiveSpec(
        "return_on_capital", Text("Return on capital", "资本收益率"), "maximize", NoOptions, return_on_capital
    ),
    ObjectiveSpec("variance", Text("Variance of return", "收益率方差"), "minimize", NoOptions, variance),
    ObjectiveSpec("capital", Text("Minimum capital", "最低资本"), "minimize", NoOptions, capital),
)
