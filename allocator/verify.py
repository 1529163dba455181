"""The independent check: bounds, rules and capital recomputed in numpy from the inputs and the answer alone.

Nothing here comes from a solver: a term is judged by its own numpy value, a promise on capital by the
exact tree. The caller hands in a tree whose charges were taken at the answer's holdings, not at those the
model was built with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.errors import Problem, VerificationError
from allocator.model.model import Model
from allocator.model.terms import TOLERANCE, Mode
from allocator.types import Text

__all__ = ["Check", "Verification", "verify"]


WORST = 10
"""Failures listed in the error."""


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement, recomputed.

    Parameters
    ----------
    name : str
        The rule's row, capital limit, or ``"bounds"``.
    left, right : float
        Both sides in the unit shown; for a capital limit the ratio reached and the ratio required.
    slack : float
        Room left in that unit; negative is a miss.
    tolerance : float
        The miss that is allowed, in that unit.
    """

    name: str
    left: float
    right: float
    slack: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the requirement holds; a side that is not a number does not."""
        return bool(self.slack >= -self.tolerance)


@dataclass(frozen=True, slots=True)
class Verification:
    """Every requirement that was re-checked.

    Parameters
    ----------
    checks : tuple of Check
        One entry per row of every hard term, per capital limit, one for the bounds and, when one was claimed,
        one for the objective.
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all of them hold."""
        return all(check.passed for check in self.checks)


def verify(
    model: Model, holdings: Vector, tree: CapitalTree | None = None, objective: float | None = None
) -> Verification:
    """Re-check an answer.

    Parameters
    ----------
    model : Model
        Bounds, terms, trading cost and capital limits.
    holdings : ndarray (n,)
        Target amounts, money.
    tree : CapitalTree or None
        The exact tree with charges taken at ``holdings``; None takes the model's own.
    objective : float or None
        The objective that is claimed, in maximized form; None claims none.

    Returns
    -------
    Verification
        All checks, in the order bounds, terms, capital limits, objective.

    Raises
    ------
    VerificationError
        If any check fails; its problems name the worst failures first.
    """
    tree = model.tree if tree is None else tree
    checks = [_bounds(model, holdings), *_terms(model, holdings), *_capital(model, holdings, tree)]
    if objective is not None:
        reached = model.objective_value(holdings, tree)
        allowed = TOLERANCE * max(abs(reached), 1e-300 if model.in_money else 1.0)
        checks.append(Check("objective", reached, objective, -abs(reached - objective), allowed))
    failed = sorted((check for check in checks if not check.passed), key=_severity)
    if failed:
        raise VerificationError(_problem(check) for check in failed[:WORST])
    return Verification(tuple(checks))


def _bounds(model: Model, holdings: Vector) -> Check:
    """Shares of the total by which the worst row is inside (negative: outside) its bounds."""
    space = model.space
    unit = space.total or 1.0
    room = np.minimum(holdings - space.lower, space.upper - holdings) / unit
    worst = int(np.argmin(np.where(np.isnan(room), -np.inf, room)))
    name = f"bounds[{space.asset_id[worst]}, {space.account[worst]}]"
    near = space.lower if holdings[worst] - space.lower[worst] < space.upper[worst] - holdings[worst] else space.upper
    return Check(name, float(holdings[worst] / unit), float(near[worst] / unit), float(room[worst]), TOLERANCE)


def _terms(model: Model, holdings: Vector) -> Iterator[Check]:
    for term in model.terms:
        if term.mode is not Mode.HARD:
            continue
        left, right = term.shown(holdings)
        rows = zip(term.row_names(), left, right, term.slack_of(left), term.tolerance(), strict=True)
        for name, first, second, slack, tolerance in rows:
            yield Check(name, float(first), float(second), float(slack), float(tolerance))


def _capital(model: Model, holdings: Vector, tree: CapitalTree | None) -> Iterator[Check]:
    """A limit ``m · module + w · cost ≤ available`` is shown as the ratio ``(available − w · cost) / module ≥ m``."""
    if not model.capital_limits:
        return
    if tree is None:
        raise VerificationError(
            Problem(Text("capital is limited but there is no capital tree", "模型限制了资本，却没有资本计量树"))
        )
    values = tree.values(holdings, [limit.module for limit in model.capital_limits])
    cost = float(model.cost.value(holdings)[0])
    for limit in model.capital_limits:
        module = values[limit.module]
        slack = limit.slack(module, cost)
        if module == 0.0:
            yield Check(f"capital[{limit.name}]", 0.0, limit.available, slack, 0.0)
        else:
            reached = (limit.available - limit.cost_weight * cost) / abs(module)
            yield Check(
                f"capital[{limit.name}]", reached, limit.multiplier * np.sign(module), slack / abs(module), TOLERANCE
            )


def _severity(check: Check) -> tuple[float, str]:
    beyond = check.slack / max(check.tolerance, 1e-300)
    return (-np.inf if np.isnan(beyond) else beyond, check.name)


def _problem(check: Check) -> Problem:
    return Problem(
        Text("the recomputed value misses its requirement", "复算值不满足要求"),
        where=check.name,
        got=f"{check.left:.10g}",
        allowed=f"{check.right:.10g} ± {check.tolerance:.1g}",
    )
