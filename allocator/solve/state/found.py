"""What a search over the books keeps of the searches inside it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.model import Model
from allocator.model.regime import BookState
from allocator.model.space import Space
from allocator.solve.search.search import Outcome, Search
from allocator.solve.search.solution import Solution

__all__ = ["Best", "Found", "Node", "trimmed"]


@dataclass(frozen=True, eq=False)
class Found:
    """How a search with charges as they are not quite ended; what its answer costs is asked for last."""

    search: Search
    outcome: Outcome
    holdings: Vector


@dataclass(frozen=True, eq=False)
class Best:
    """An answer whose charges agree with it."""

    tree: CapitalTree
    objective: float
    found: Found


@dataclass(order=True)
class Node:
    """A part of the books with the answer of its relaxation and the bound that it proves."""

    priority: float
    number: int
    state: BookState = field(compare=False)
    space: Space = field(compare=False)
    low: float = field(compare=False)
    high: float = field(compare=False)
    found: Found = field(compare=False)

    @property
    def holdings(self) -> Vector:
        """The relaxed answer's, without further columns."""
        return self.found.holdings[: self.space.size]


def trimmed(solution: Solution, model: Model) -> Solution:
    """Return the solution of a model with further columns and rules in terms of another alone.

    Parameters
    ----------
    solution : Solution
        Of the larger model.
    model : Model
        The other one: its holdings come first, its rules keep their names.
    """
    size, names = model.space.size, {term.name for term in model.terms}
    return replace(
        solution,
        holdings=solution.holdings[:size],
        reduced_costs=solution.reduced_costs[:size],
        shadow_prices={name: price for name, price in solution.shadow_prices.items() if name in names},
    )
