"""Rules that give way in order: the lowest priority first, each level by as little as possible.

What never gives way: a rule without a priority, an equality (a budget), a promise on capital.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.errors import Infeasible, NotProven, Problem
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense, Term
from allocator.settings import SolveSettings
from allocator.solve.search import Outcome, Search
from allocator.types import Text

__all__ = ["Concession", "relax_by_priority"]

GIVE = 1e-9
"""What a right side is moved beyond the least breach, relative to the row's size: the solver's rounding."""


@dataclass(frozen=True, slots=True)
class Concession:
    """A row that gave way.

    Parameters
    ----------
    name : str
        The row's name as constraints.csv prints it.
    amount : float
        By how much, in the unit shown.
    unit : str
        That unit.
    priority : int
        The term's priority.
    """

    name: str
    amount: float
    unit: str
    priority: int


def relax_by_priority(model: Model, settings: SolveSettings | None = None) -> tuple[Model, tuple[Concession, ...]]:
    """Return the model with the right sides of low-priority rules moved until something is feasible.

    Levels are opened from the lowest priority up until the rest can hold; then, from the highest opened
    level down, the sum of breaches (in the units shown) is made least and kept.

    Raises
    ------
    Infeasible
        When no level that may give way makes the model feasible.
    NotProven
        When a question stayed open within the limits.
    """
    settings = settings or SolveSettings()
    if _ask(model, settings).best is not None:
        return model, ()
    levels = sorted({term.priority for term in model.terms if term.priority is not None and _may_give_way(term)})
    for count in range(1, len(levels) + 1):
        if _ask(_without(model, levels[:count]), settings).best is not None:
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
    concessions: list[Concession] = []
    for position in range(count - 1, -1, -1):
        model, given = _settle(model, levels[position], levels[:position], settings)
        concessions += given
    return model, tuple(concessions)


def _may_give_way(term: Term) -> bool:
    return term.mode is Mode.HARD and term.sense is not Sense.EQUAL and term.priority is not None


def _without(model: Model, levels: list[int]) -> Model:
    terms = tuple(term for term in model.terms if not (_may_give_way(term) and term.priority in levels))
    return replace(model, terms=terms)


def _ask(model: Model, settings: SolveSettings) -> Outcome:
    asked = replace(model, objective=(), capital_module="", capital_weight=0.0, per_capital=False)
    outcome = Search(asked, settings).run()
    if outcome.best is None and not outcome.proven:
        raise NotProven(Problem(Text("feasibility stayed open within the limits", "在限定范围内未能判定可行性")))
    return outcome


def _settle(model: Model, level: int, free: list[int], settings: SolveSettings) -> tuple[Model, list[Concession]]:
    """Make the breaches of one level least while lower levels are left out; move its right sides there."""
    terms = [
        replace(term, mode=Mode.SOFT, price=1.0) if _may_give_way(term) and term.priority == level else term
        for term in model.terms
    ]
    outcome = _ask(_without(replace(model, terms=tuple(terms)), free), settings)
    assert outcome.best is not None
    moved: list[Term] = []
    concessions: list[Concession] = []
    for term in model.terms:
        breach = np.maximum(-term.slack(outcome.best.holdings), 0.0)
        if not (_may_give_way(term) and term.priority == level and np.any(breach > term.tolerance())):
            moved.append(term)
            continue
        breach = np.where(
            breach > term.tolerance(), breach + GIVE * np.maximum(1.0, np.abs(term.right / term.per)), 0.0
        )
        sign = 1.0 if term.sense is Sense.AT_MOST else -1.0
        moved.append(replace(term, right=term.right + sign * breach * term.per))
        names = term.row_names()
        concessions += [
            Concession(names[row], float(breach[row]), term.unit, level) for row in np.flatnonzero(breach).tolist()
        ]
    return replace(model, terms=tuple(moved)), concessions
