"""Best-bound-first branch and bound over the capital tree.

A node of the search is a box of the tree's modules. Its relaxation gives a bound; its answer is judged by
the exact tree, and mended by the convex–concave procedure (`allocator.solve.local`) when it falls short.
Where relaxation and exact tree differ, the node that lies at the highest price is split: a piecewise
module by its active piece, an aggregate by the interval of the module that explains most of the error.
"""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from allocator.errors import SolverFailure
from allocator.model.model import Model
from allocator.settings import SolveSettings
from allocator.solve.backends import Chain
from allocator.solve.boxes import Box
from allocator.solve.branching import split
from allocator.solve.exact import AIM, ENOUGH, Exact
from allocator.solve.formulation import Assembled, Formulation
from allocator.solve.local import improve, repair
from allocator.solve.program import Answer, Verdict

__all__ = ["Candidate", "Outcome", "Search"]

Vector = NDArray[np.float64]

NEAR = 1e-5
"""A miss of a ratio up to which a relaxation's answer is polished and judged in full."""

PERIOD = 16
"""Nodes between two attempts at a better answer once the first nodes are done."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A point that meets every hard rule exactly, and its exact objective."""

    holdings: Vector
    objective: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a search ended; ``best`` is None when nothing compliant was found.

    ``proven`` is True when the bound settles the matter: the gap is within the tolerance, or without a
    candidate, that there is none.
    """

    best: Candidate | None
    bound: float
    proven: bool
    solves: int
    solver: str


@dataclass(order=True)
class _Node:
    priority: float
    number: int
    bound: float = field(compare=False)
    box: Box | None = field(compare=False)
    assembled: Assembled = field(compare=False)
    answer: Answer = field(compare=False)


class Search:
    """One run on one model.

    Parameters
    ----------
    model : Model
        The model, already checked.
    settings : SolveSettings
        Gap, limits and solver.
    """

    def __init__(self, model: Model, settings: SolveSettings) -> None:
        self.model = model
        self.settings = settings
        self.formulation = Formulation(model)
        self.exact = Exact(model)
        self.chain = Chain(settings.solver)
        self.solves = 0
        self.solver = ""
        self.best: Candidate | None = None
        self.price = self.formulation.price(model.capital_weight)
        self.deadline = time.monotonic() + settings.time_limit
        self._numbers = itertools.count()

    @property
    def tolerance(self) -> float:
        """The gap at which the search stops, in the objective's unit.

        `SolveSettings.gap` is an annual decimal of return; a minimized capital, which is money, is held to a
        tenth of it relative to its size.
        """
        if self.model.objective or self.best is None:
            return self.settings.gap
        return 0.1 * self.settings.gap * abs(self.best.objective)

    def solve(self, assembled: Assembled) -> Answer:
        """Solve one program and count it."""
        answer = self.chain.solve(assembled.program, self.deadline - time.monotonic())
        self.solves += 1
        self.solver = answer.solver
        return answer

    def run(self) -> Outcome:
        """Search until the gap is closed or a limit is reached."""
        root = self._node(self.formulation.whole)
        if root is None:
            return Outcome(None, -np.inf, True, self.solves, self.solver)
        heap = [root]
        counter = 0
        dropped = -np.inf
        while heap:
            node = heapq.heappop(heap)
            bound = max(node.bound, dropped)
            if self._settled(bound):
                return self._finished(bound, True)
            if self.solves >= self.settings.max_nodes or time.monotonic() > self.deadline:
                return self._finished(bound, False)
            point = self.formulation.holdings(node.answer.primal)
            if self.exact.room(point) > -NEAR:
                point = self.point(node.answer)
                self.offer(point)
            if self._settled(bound):
                return self._finished(bound, True)
            if counter < 3 or counter % PERIOD == 0:
                self._look_around(point)
            counter += 1
            if self._settled(bound):
                return self._finished(bound, True)
            branches = split(self.formulation, node.box, node.assembled, node.answer)
            if not branches or node.box is None:
                dropped = max(dropped, node.bound)
                continue
            for branch in branches:
                try:
                    child = self._node(self.formulation.root.box(branch, node.box), node.bound)
                except SolverFailure:
                    dropped = max(dropped, node.bound)
                    continue
                if child is not None and not self._hopeless(child.bound):
                    heapq.heappush(heap, child)
        proven = self.best is None or dropped <= self.best.objective + self.tolerance
        return self._finished(max(dropped, self.best.objective if self.best else -np.inf), proven)

    def _finished(self, bound: float, proven: bool) -> Outcome:
        if self.best is not None:
            bound = max(bound, self.best.objective)
        return Outcome(self.best, bound, proven, self.solves, self.solver)

    def _look_around(self, point: Vector) -> None:
        if not self.offer(improve(self, point)) and self.best is None:
            self.offer(repair(self, point))

    def _settled(self, bound: float) -> bool:
        return self.best is not None and bound <= self.best.objective + self.tolerance

    def _hopeless(self, bound: float) -> bool:
        return self.best is not None and bound <= self.best.objective

    def _node(self, box: Box | None, ceiling: float = np.inf) -> _Node | None:
        if box is not None and box.empty:
            return None
        assembled = self.formulation.relaxation(box, self.price, AIM)
        answer = self.solve(assembled)
        if answer.verdict is Verdict.INFEASIBLE:
            return None
        bound = min(ceiling, self._upper(assembled, answer))
        return _Node(-bound, next(self._numbers), bound, box, assembled, answer)

    def _upper(self, assembled: Assembled, answer: Answer) -> float:
        lower = assembled.program.bound(answer.primal, answer.dual, assembled.right)
        return -lower * self.formulation.plain.objective_scale

    def point(self, answer: Answer) -> Vector:
        """Return the polished holdings of an answer."""
        lower, upper = self.formulation.bound_multipliers(answer.dual)
        return self.exact.polished(self.formulation.holdings(answer.primal), lower, upper)

    def compliant(self, holdings: Vector) -> bool:
        """Return whether the exact tree and every hard term accept the point."""
        return self.exact.room(holdings) >= ENOUGH and self.exact.keeps_terms(holdings)

    def offer(self, holdings: Vector | None) -> bool:
        """Take the point as the best answer if it is one; return whether it was taken."""
        if holdings is None or not self.compliant(holdings):
            return False
        objective = self.exact.objective(holdings)
        if self.best is not None and objective <= self.best.objective:
            return False
        self.best = Candidate(holdings, objective)
        return True
