"""What a function of the holdings promises: convexity, one value in both forms, a true gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from allocator.arrays import Vector
from allocator.errors import AllocatorError
from allocator.model import Expression, Sense, Space
from allocator.testing.findings import Finding, Outcome
from allocator.types import Text

__all__ = ["Curvature", "Points", "check_expression", "curvature_of"]


AGREEMENT = 1e-9
"""Largest difference between the two forms, relative to the function's size."""

SOLVED = 1e-6
"""The same where the convex form has variables of its own, whose best a solver finds to its own accuracy."""

GRADIENT = 1e-5
"""Largest difference between gradient and finite differences, relative likewise."""

STEP = 1e-6
"""Step of the finite differences, relative to the total amount."""


class Curvature(StrEnum):
    """What a side of a rule or a part of an objective must be."""

    CONVEX = "convex"
    CONCAVE = "concave"
    AFFINE = "affine"


def curvature_of(sense: Sense) -> Curvature:
    """Return what the left side of a rule must be."""
    return {Sense.AT_MOST: Curvature.CONVEX, Sense.AT_LEAST: Curvature.CONCAVE, Sense.EQUAL: Curvature.AFFINE}[sense]


@dataclass(frozen=True, eq=False)
class Points:
    """Random holdings inside the bounds of a space.

    Parameters
    ----------
    holdings : ndarray (points, n)
        Currency units.
    total : float
        What all accounts hold, money.
    """

    holdings: Vector
    total: float

    @classmethod
    def of(cls, space: Space, seed: int, count: int = 6) -> Points:
        """Return random points; where a row has no upper bound, up to the total amount.

        Parameters
        ----------
        space : Space
            Bounds of the holdings (n,).
        seed : int
            Of the random numbers.
        count : int
            How many points.
        """
        random = np.random.default_rng(seed)
        upper = np.where(np.isfinite(space.upper), space.upper, space.total)
        lower = np.where(np.isfinite(space.lower), space.lower, -space.total)
        return cls(lower + random.random((count, space.size)) * np.maximum(upper - lower, 0.0), space.total)


def check_expression(subject: str, expression: Expression, curvature: Curvature, points: Points) -> Iterator[Finding]:
    """Yield one finding for each of convexity, agreement and gradient.

    Parameters
    ----------
    subject : str
        What it is a part of, for the finding.
    expression : Expression
        Over n holdings.
    curvature : Curvature
        What it must be.
    points : Points
        Where it is looked at.
    """
    for name, check in (("convexity", _convexity), ("agreement", _agreement), ("gradient", _gradient)):
        try:
            wrong = check(expression, curvature, points)
        except AllocatorError as error:
            wrong = Text(error.render("en"), error.render("zh"))
        yield Finding(name, subject, Outcome.FAILED if wrong else Outcome.PASSED, wrong)


def _convexity(expression: Expression, curvature: Curvature, points: Points) -> Text | None:
    """The solver's rules, and Jensen's inequality on the numpy value of random pairs."""
    import cvxpy as cp

    variable = cp.Variable(points.holdings.shape[1])
    form = expression.convex(variable, points.total)
    follows = {
        Curvature.CONVEX: form.is_convex,
        Curvature.CONCAVE: form.is_concave,
        Curvature.AFFINE: form.is_affine,
    }[curvature]()
    if not follows:
        found = str(form.curvature).lower()
        return Text(
            f"the convex form is {found} by the solver's rules, {curvature} is needed",
            f"按求解器规则凸表达式为 {found}，应为 {curvature}",
        )
    values = np.array([expression.value(point) for point in points.holdings])
    middles = np.array([expression.value(point) for point in 0.5 * (points.holdings[:-1] + points.holdings[1:])])
    bend = 0.5 * (values[:-1] + values[1:]) - middles
    if curvature is Curvature.CONCAVE:
        bend = -bend
    worst = float((-np.abs(bend) if curvature is Curvature.AFFINE else bend).min())
    if worst < -AGREEMENT * _size(values):
        return Text(
            f"the numpy value is not {curvature}: a midpoint is off by {-worst:.3g}",
            f"数值不满足 {curvature}：中点偏差 {-worst:.3g}",
        )
    return None


def _agreement(expression: Expression, curvature: Curvature, points: Points) -> Text | None:
    import cvxpy as cp

    linear = expression.affine()
    size = _size(np.array([expression.value(point) for point in points.holdings]))
    own = len(expression.convex(cp.Variable(points.holdings.shape[1]), points.total).variables()) > 1
    accuracy = SOLVED if own else AGREEMENT
    # A solver wants numbers near one, so that what it finds is asked for in two scales of about the total.
    for scale in (points.total, points.total / 4.0 if own else 1.0):
        variable = cp.Variable(points.holdings.shape[1])
        form = expression.convex(variable, scale)
        for point in points.holdings:
            variable.value = point / scale
            exact = np.asarray(expression.value(point))
            others = [_value(form, variable, curvature)] + ([] if linear is None else [linear.value(point)])
            for other in others:
                if other.shape != exact.shape:
                    return Text(
                        f"the numpy value has shape {exact.shape}, the convex form {other.shape}",
                        f"数值形状为 {exact.shape}，凸表达式为 {other.shape}",
                    )
                off = float(np.abs(other - exact).max(initial=0.0))
                if not off <= accuracy * size:
                    return Text(
                        f"at a random point with scale {scale:g} the forms differ by {off:.3g}",
                        f"随机点（scale {scale:g}）上两种形式相差 {off:.3g}",
                    )
    return None


def _value(form: Any, variable: Any, curvature: Curvature) -> Vector:
    """Return the convex form at the variable's value; variables of its own take their best, as in a problem."""
    import cvxpy as cp

    if all(one.id == variable.id for one in form.variables()):
        return np.asarray(form.value)
    aim = cp.Maximize if curvature is Curvature.CONCAVE else cp.Minimize
    held = variable.value
    cp.Problem(aim(cp.sum(form)), [variable == held]).solve(solver=cp.CLARABEL)
    found = np.asarray(form.value)
    variable.value = held
    return found


def _gradient(expression: Expression, curvature: Curvature, points: Points) -> Text | None:
    size = _size(np.array([expression.value(point) for point in points.holdings]))
    random = np.random.default_rng(len(points.holdings))
    for point in points.holdings:
        direction = random.standard_normal(len(point)) * points.total / np.sqrt(len(point))
        gradient = expression.gradient(point)
        rows = len(expression.value(point))
        if gradient.shape != (rows, len(point)):
            return Text(
                f"the gradient has shape {gradient.shape}, {(rows, len(point))} is needed",
                f"梯度形状为 {gradient.shape}，应为 {(rows, len(point))}",
            )
        slope = np.asarray(gradient @ direction)
        ahead, behind = expression.value(point + STEP * direction), expression.value(point - STEP * direction)
        off = float(np.abs(slope - (ahead - behind) / (2.0 * STEP)).max(initial=0.0))
        if not off <= GRADIENT * max(size, float(np.abs(slope).max(initial=0.0))):
            return Text(
                f"along a random direction the slope differs from finite differences by {off:.3g}",
                f"沿随机方向的斜率与有限差分相差 {off:.3g}",
            )
    return None


def _size(values: Vector) -> float:
    return max(float(np.abs(values).max(initial=0.0)), 1e-300)
