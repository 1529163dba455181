"""From an untilted optimum to a steered one: rewards and floors in one solve, budgets one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError, Problem
from allocator.model.combination import Combination
from allocator.model.model import CapitalLimit, Model
from allocator.model.terms import ObjectiveTerm, Sense, Term
from allocator.model.tilts import Budget, Tilt
from allocator.solve.exact import Exact
from allocator.solve.solution import Solution
from allocator.types import Text

__all__ = ["Solved", "steer", "worth"]

Vector = NDArray[np.float64]

SCORE_SLACK = 1e-9
"""How much of a score already gained a later budget may give back: below what a solver resolves."""


@dataclass(frozen=True, eq=False)
class Solved:
    """A model with its answer."""

    model: Model
    solution: Solution


def worth(model: Model, holdings: Vector) -> float:
    """Return the model's own objective at ``holdings``, in maximized form."""
    return Exact(model).objective(holdings)


def steer(untilted: Solved, tilts: Sequence[Tilt], solve: Callable[[Model], Solved]) -> Solved:
    """Return the optimum under all tilts.

    Rewards and floors enter the model together. Budgets follow in the order given, each gaining as much
    score as its budget buys without giving back what an earlier one gained:

        maximize s′x / T  subject to  objective(x) ≥ objective(start) − Σ budgets so far.

    At last the objective itself is maximized once more under the scores gained, so that no tilt costs more
    than its score needs.
    """
    model = untilted.model
    for tilt in tilts:
        model = tilt.steer(model)
    start = untilted if model is untilted.model else solve(model)
    budgets = [(tilt, tilt.mode) for tilt in tilts if isinstance(tilt.mode, Budget)]
    if not budgets:
        return start
    if model.per_capital or model.capital_weight:
        raise InputError(
            Problem(
                Text(
                    "a tilt's budget needs an objective in annual return",
                    "预算型倾斜要求目标以年化收益率计量",
                ),
                f"tilts.{budgets[0][0].spec.name}",
                hint=Text("use mode reward or floor, or another objective", "请改用 reward 或 floor 模式，或更换目标"),
            )
        )
    objective = Combination(tuple((part.weight, part.expression) for part in model.objective))
    least = float(objective.value(start.solution.holdings)[0])
    terms, limits = model.terms, model.capital_limits
    for tilt, mode in budgets:
        least -= mode.cost
        if mode.capital is not None and model.tree is not None:
            ceiling = model.tree.value(start.solution.holdings) + mode.capital
            limits = (
                *limits,
                CapitalLimit(f"tilt:{tilt.spec.name}", tilt.spec.label, model.tree.root.name, 1.0, ceiling, 0.0),
            )
        aim = ObjectiveTerm(f"tilt:{tilt.spec.name}", tilt.spec.label, tilt.expression(model), unit="share")
        stage = replace(model, objective=(aim,), terms=(*terms, _budget(objective, least, tilt)), capital_limits=limits)
        gained = tilt.of(model, solve(stage).solution.holdings)
        terms = (*terms, tilt.term(model, gained - SCORE_SLACK))
    return solve(replace(model, terms=terms, capital_limits=limits))


def _budget(objective: Combination, least: float, tilt: Tilt) -> Term:
    return Term(
        "tilts:objective",
        Text("Objective kept within the tilts' budgets", "目标值保持在倾斜预算之内"),
        objective,
        Sense.AT_LEAST,
        np.array([least]),
        np.ones(1),
        "annual decimal",
        tilt.spec.source,
    )
