"""Rules that give way in order: the lowest priority first, each level by as little as possible.

What never gives way: a rule without a priority, an equality (a budget), a promise on capital.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible, NotProven, Problem
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense, Term
from allocator.solve.search.discrete import search_for
from allocator.types import Text

__all__ = ["Ask", "RelaxedConstraint", "relax_by_priority"]

Ask = Callable[[Model], NDArray[np.float64] | None]
"""Returns the best holdings (n,) of a model, None when it is proven infeasible; raises NotProven."""

GIVE = 1e-9
"""What a right side is moved beyond the least breach, relative to the row's size: the solver's rounding."""


@dataclass(frozen=True, slots=True)
class RelaxedConstraint:
    """A row that gave way.

    Parameters
    ----------
    name : str
        The row's name as constraints.csv prints it.
    label : Text
        The term's sentence.
    amount : float
        By how much, in the unit shown.
    unit : str
        That unit.
    priority : int
        The term's priority.
    """

    name: str
    label: Text
    amount: float
    unit: str
    priority: int


def relax_by_priority(
    model: Model, settings: SolveSettings | None = None, ask: Ask | None = None
) -> tuple[Model, tuple[RelaxedConstraint, ...]]:
    """Return the model with the right sides of low-priority rules moved until something is feasible.

    Levels are opened from the lowest priority up until the rest can hold; then, from the highest opened
    level down, the sum of breaches (in the units shown) is made least and kept.

    Parameters
    ----------
    model : Model
        A model that may be infeasible.
    settings : SolveSettings or None
        Limits of every question; None takes the defaults.
    ask : callable or None
        Answers one question; None searches with the charges the model has.

    Raises
    ------
    Infeasible
        When no level that may give way makes the model feasible.
    NotProven
        When a question stayed open within the limits.
    """
    found: Ask = ask if ask is not None else _searching(settings or SolveSettings())
    if found(_bare(model)) is not None:
        return model, ()
    levels = sorted({term.priority for term in model.terms if term.priority is not None and _may_give_way(term)})
    for count in range(1, len(levels) + 1):
        if found(_bare(_without(model, levels[:count]))) is not None:
            break
    else:
        raise Infeasible(
            Problem(
                Text(
                    "no allocation exists even if every rule with a priority gives way",
                    "即使放宽全部可放宽的规则，仍无可行方案",
                )
            )
        )
    relaxed_constraints: list[RelaxedConstraint] = []
    for position in range(count - 1, -1, -1):
        model, given = _settle(model, levels[position], levels[:position], found)
        relaxed_constraints += given
    return model, tuple(relaxed_constraints)


def _may_give_way(term: Term) -> bool:
    return (
        term.mode is Mode.HARD
        and term.sense is not Sense.EQUAL
        and not term.left.discrete
        and term.priority is not None
    )


def _without(model: Model, levels: list[int]) -> Model:
    terms = tuple(term for term in model.terms if not (_may_give_way(term) and term.priority in levels))
    return replace(model, terms=terms)


def _bare(model: Model) -> Model:
    """Return the model without its aim."""
    return replace(model, objective=(), capital_module="", capital_weight=0.0, per_capital=False)


def _searching(settings: SolveSettings) -> Ask:
    def ask(model: Model) -> NDArray[np.float64] | None:
        outcome = search_for(model, settings).run()
        if outcome.best is None and not outcome.proven:
            raise NotProven(Problem(Text("feasibility stayed open within the limits", "在限定范围内未能判定可行性")))
        return None if outcome.best is None else outcome.best.holdings

    return ask


def _settle(model: Model, level: int, free: list[int], ask: Ask) -> tuple[Model, list[RelaxedConstraint]]:
    """Make the breaches of one level least while lower levels are left out; move its right sides there."""
    terms = [
        replace(term, mode=Mode.SOFT, price=1.0) if _may_give_way(term) and term.priority == level else term
        for term in model.terms
    ]
    holdings = ask(_bare(_without(replace(model, terms=tuple(terms)), free)))
    assert holdings is not None
    moved: list[Term] = []
    relaxed_constraints: list[RelaxedConstraint] = []
    for term in model.terms:
        breach = np.maximum(-term.slack(holdings), 0.0)
        if not (_may_give_way(term) and term.priority == level and np.any(breach > term.tolerance())):
            moved.append(term)
            continue
        breach = np.where(
            breach > term.tolerance(), breach + GIVE * np.maximum(1.0, np.abs(term.right / term.per)), 0.0
        )
        sign = 1.0 if term.sense is Sense.AT_MOST else -1.0
        moved.append(replace(term, right=term.right + sign * breach * term.per))
        names = term.row_names()
        relaxed_constraints += [
            RelaxedConstraint(names[row], term.label, float(breach[row]), term.unit, level)
            for row in np.flatnonzero(breach).tolist()
        ]
    return replace(model, terms=tuple(moved)), relaxed_constraints
