"""The programs of one search: what is solved, how an answer becomes holdings, and whether these comply."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from allocator.arrays import Vector
from allocator.config.settings import SolveSettings
from allocator.model.model import Model
from allocator.solve.decomposition.sifting import WarmStart
from allocator.solve.program.program import SolverResult
from allocator.solve.relaxation.formulation import Assembled, Formulation
from allocator.solve.search.exact import ENOUGH, Exact
from allocator.solve.search.objective_form import tolerance_of
from allocator.solve.solvers.backends import SolverChain

__all__ = ["Incumbent", "Subproblem"]


@dataclass(frozen=True, eq=False)
class Incumbent:
    """A point that meets every hard rule exactly, and its exact objective."""

    holdings: Vector
    objective: float


class Subproblem:
    """What a search and the local procedure share: one model, its programs, and the best answer so far.

    Parameters
    ----------
    model : Model
        The model, already checked.
    settings : SolveSettings
        Gap, limits and solver.
    warm_start : WarmStart or None
        Prices of an earlier search over the same holdings, brought up to date.
    """

    def __init__(self, model: Model, settings: SolveSettings, warm_start: WarmStart | None = None) -> None:
        self.model = model
        self.settings = settings
        self.formulation = Formulation(model)
        self.exact = Exact(model)
        plain = self.formulation.plain
        self.chain = SolverChain(settings.solver).sifting(plain.program, plain.holdings, warm_start or WarmStart())
        self.solves = 0
        self.solver = ""
        self.best: Incumbent | None = None
        self.deadline = time.monotonic() + settings.time_limit

    @property
    def price(self) -> float:
        """Price of the capital module in the programs' units."""
        return self.formulation.price(self.model.capital_weight)

    @property
    def tolerance(self) -> float:
        """The gap at which the search stops, in the objective's unit."""
        return tolerance_of(self.model, self.settings.gap, self.best.objective if self.best is not None else np.inf)

    def solve(self, assembled: Assembled, *, fine: bool = False) -> SolverResult:
        """Solve one program and count it; ``fine``: its point may be the answer as it is.

        Parameters
        ----------
        assembled : Assembled
            The program.
        fine : bool
            Whether the answer is refined.

        Raises
        ------
        SolverFailure
            When no solver of the chain answers.
        """
        answer = self.chain.solve(assembled.program, self.deadline - time.monotonic())
        self.solves += 1
        self.solver = answer.solver
        return self.chain.refined(assembled.program, answer) if fine else answer

    def point(self, answer: SolverResult) -> Vector:
        """Return the polished holdings of an answer."""
        lower, upper = self.formulation.bound_multipliers(answer.dual)
        holdings = self.formulation.holdings(answer.primal)
        polished = self.exact.projected_to_bounds(holdings, lower, upper)
        if not self.exact.keeps_terms(polished):
            # Thousands of rows put on their bounds may together move a limited sum: leave them where they are.
            unmoved = self.exact.projected_to_bounds(holdings, np.zeros_like(lower), np.zeros_like(upper))
            return unmoved if self.exact.keeps_terms(unmoved) else polished
        return polished

    def compliant(self, holdings: Vector) -> bool:
        """Return whether the exact tree and every hard term accept the point."""
        return self.exact.headroom(holdings) >= ENOUGH and self.exact.keeps_terms(holdings)
