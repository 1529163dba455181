"""The time of a plan: steps that follow one another, and branches on which a scenario has happened.

A node is a moment on one branch. Decisions are taken at nodes, so those before a split cannot know its outcome.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from allocator.config.settings import PlanSettings
from allocator.errors import InputError, Problem
from allocator.pipeline.scenarios import scenario_named
from allocator.stress.shocks import Scenario
from allocator.types import Text

if TYPE_CHECKING:
    from datetime import date

    from allocator.pipeline.fund import Fund

__all__ = ["BASE_BRANCH", "Node", "step_date", "timeline"]

BASE_BRANCH = "base"
"""Name of a branch on which nothing happens."""


@dataclass(frozen=True, eq=False)
class Node:
    """A moment of the plan.

    Parameters
    ----------
    number : int
        Its place in the sequence, from 0; parents stand before children.
    parent : int
        Number of the moment before, −1 for the present.
    step : int
        1 … steps.
    branch : str
        Names of the scenarios that have happened, joined by ``/``; ``"base"`` for none.
    probability : float
        Of being here.
    scenarios : tuple of Scenario
        What has happened so far, in order.
    fresh : Scenario or None
        What happens between the parent and here.
    """

    number: int
    parent: int
    step: int
    branch: str
    probability: float
    scenarios: tuple[Scenario, ...]
    fresh: Scenario | None

    def day(self, as_of: date, per_year: int) -> date:
        """Return the date.

        Parameters
        ----------
        as_of : date
            Valuation date.
        per_year : int
            Steps a year.
        """
        return step_date(as_of, self.step, per_year)


def step_date(as_of: date, step: int, per_year: int) -> date:
    """Return the date of a step by the calendar: whole months on, from a month's last day to a month's last day.

    Parameters
    ----------
    as_of : date
        Valuation date.
    step : int
        Number of the step.
    per_year : int
        Steps a year.
    """
    ahead = as_of.year * 12 + as_of.month - 1 + 12 // per_year * step
    year, month = divmod(ahead, 12)
    last = monthrange(year, month + 1)[1]
    ends = as_of.day == monthrange(as_of.year, as_of.month)[1]
    return as_of.replace(year=year, month=month + 1, day=last if ends else min(as_of.day, last))


def timeline(fund: Fund, settings: PlanSettings) -> tuple[Node, ...]:
    """Return the nodes of a plan, step by step.

    Parameters
    ----------
    fund : Fund
        The fund.
    settings : PlanSettings
        The fund file's ``plan`` section.

    Raises
    ------
    InputError
        For a scenario that nobody offers, or one whose effect is not computed, and splits beyond the last step.
    """
    splits = {branch.at: branch for branch in settings.branches}
    if len(splits) < len(settings.branches) or any(at > settings.steps for at in splits):
        what = Text("a split stands at one step of the plan, once", "每次分支须在计划步数之内，且每步至多一次")
        raise InputError(Problem(what, fund.settings.where("plan.branches"), allowed=f"1 … {settings.steps}"))
    nodes: list[Node] = []
    open_ends = [Node(-1, -1, 0, BASE_BRANCH, 1.0, (), None)]
    for step in range(1, settings.steps + 1):
        outcomes = splits[step].scenarios if step in splits else {BASE_BRANCH: 1.0}
        found: list[Node] = []
        for parent in open_ends:
            for name, probability in outcomes.items():
                fresh = None if name == BASE_BRANCH else _computable(fund, name)
                happened = parent.scenarios if fresh is None else (*parent.scenarios, fresh)
                branch = "/".join(item.name for item in happened) or BASE_BRANCH
                number = len(nodes) + len(found)
                found.append(
                    Node(number, parent.number, step, branch, parent.probability * probability, happened, fresh)
                )
        nodes += found
        open_ends = found
    assert all(later.step - earlier.step in (0, 1) for earlier, later in pairwise(nodes))
    return tuple(nodes)


def _computable(fund: Fund, name: str) -> Scenario:
    scenario = scenario_named(fund, name, "plan.branches")
    if scenario.missing is not None:
        raise InputError(Problem(scenario.missing, fund.settings.where("plan.branches"), name))
    return scenario
