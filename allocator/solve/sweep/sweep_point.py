"""What a sweep knows: of the parts its search was split into, from level to level, and of the level it is at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.model import Model
from allocator.model.regime import BookState
from allocator.model.space import Space
from allocator.solve.program.program import SolverResult
from allocator.solve.relaxation.boxes import Box
from allocator.solve.relaxation.formulation import Assembled, Formulation
from allocator.solve.search.exact import Exact
from allocator.solve.search.objective_form import tolerance_of
from allocator.solve.solvers.backends import SolverChain

__all__ = ["Dual", "SweepPoint", "Subdomain", "multipliers"]


@dataclass(frozen=True, eq=False)
class Dual:
    """A dual point of a part; ``multipliers`` are those of the capital limits where it was found.

    The row of a limit, m · M + w · cost ≤ A, changes its coefficients with m. Its multiplier y is carried over
    as y · m / m′, which leaves the column of M as it was; the rest enters the bound as residual.
    """

    answer: SolverResult
    multipliers: Vector


@dataclass(eq=False)
class Subdomain:
    """A part of the search that outlives its level: an interval of the state, a box of the tree.

    Parameters
    ----------
    state : BookState or None
        What its charges depend on.
    space : Space
        Bounds of the holdings in it.
    low, high : float
        The interval of the state.
    formulation : Formulation
        Of the relaxed model there.
    box : Box or None
        The box of the tree.
    chain : Chain
        Solvers set up for its programs.
    assembled : Assembled or None
        Its last program, of which the next level's differs in numbers.
    duals : list of Dual
        Found so far, the latest first.
    margin : float
        Ratio by which its tree lay at the last answer.
    halves : list of Part
        What it was split into, kept for when it must be again.
    splits : int
        How often it had to be.
    """

    state: BookState | None
    space: Space
    low: float
    high: float
    formulation: Formulation
    box: Box | None
    chain: SolverChain
    assembled: Assembled | None = None
    duals: list[Dual] = field(default_factory=list)
    margin: float = 0.0
    halves: list[Subdomain] = field(default_factory=list)
    splits: int = 0


@dataclass(eq=False)
class SweepPoint:
    """What is known at one level; parts go by their ``id``.

    Parameters
    ----------
    model : Model
        The level's.
    gap : float
        `SolveSettings.gap`.
    exact : Exact
        The judge of points.
    best : (ndarray, CapitalTree or None, float) or None
        The best answer so far, the tree that is exact there, its objective.
    bounds : dict of int to float
        What is proven of each part.
    formulations : dict of int to Formulation
        Of the parts' formulations, moved to the level.
    programs, solved : dict of int to tuple
        Each part's program, and its answer where it was asked for.
    solves : int
        Programs solved.
    solver : str
        Who answered last.
    """

    model: Model
    gap: float
    exact: Exact
    best: tuple[Vector, CapitalTree | None, float] | None = None
    bounds: dict[int, float] = field(default_factory=dict)
    formulations: dict[int, Formulation] = field(default_factory=dict)
    programs: dict[int, tuple[Formulation, Assembled]] = field(default_factory=dict)
    solved: dict[int, tuple[Formulation, Assembled, SolverResult]] = field(default_factory=dict)
    solves: int = 0
    solver: str = ""

    @property
    def tolerance(self) -> float:
        """The gap at which the level is done, in the objective's unit."""
        return tolerance_of(self.model, self.gap, self.best[2] if self.best is not None else np.inf)

    def settled(self, bound: float) -> bool:
        """Return whether nothing up to ``bound`` is better than the best answer by more than the gap."""
        return self.best is not None and bound <= self.best[2] + self.tolerance


def multipliers(model: Model) -> Vector:
    """Return the multiplier of each capital limit."""
    return np.array([limit.multiplier for limit in model.capital_limits])
