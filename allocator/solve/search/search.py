"""Best-bound-first branch and bound over the capital tree.

A node of the search is a box of the tree's modules. Its relaxation gives a bound; its answer is judged by
the exact tree, and mended by the convex–concave procedure (`allocator.solve.search.local`) when it falls short.
Where relaxation and exact tree differ, the node that lies at the highest price is split: a piecewise
module by its active piece, an aggregate by the interval of the module that explains most of the error.
"""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from allocator.arrays import Vector
from allocator.config.settings import SolveSettings
from allocator.errors import InputError, SolverFailure
from allocator.model.model import Model
from allocator.solve.decomposition.sifting import WarmStart
from allocator.solve.program.program import SolverResult, SolverStatus
from allocator.solve.relaxation.boxes import Box
from allocator.solve.relaxation.branching import split
from allocator.solve.relaxation.formulation import Assembled
from allocator.solve.search.checks import unbounded
from allocator.solve.search.exact import AIM, ENOUGH
from allocator.solve.search.local import improve, repair, settle
from allocator.solve.search.objective_form import tolerance_of
from allocator.solve.search.subproblem import Incumbent, Subproblem

__all__ = ["Node", "Outcome", "Search"]


NEAR = 1e-5
"""A miss of a ratio up to which a relaxation's answer is polished and judged in full."""

TIGHTER = 3
"""How often a relaxation is asked for more than its answer missed."""

ROUGH = 1e-2
"""Gap at which the least capital is sought where no answer was found otherwise: a thousandth of it."""

SHARE_OF_TIME = 0.1
"""Part of the time limit that this may take where none is left."""

NO_SOLVER = "—"
"""What stands for the solver where none was asked."""

PERIOD = 16
"""Nodes between two attempts at a better answer once the first nodes are done."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a search ended; ``best`` is None when nothing compliant was found.

    ``solves`` counts the programs up to the verdict. ``proven`` is True when the bound settles the matter:
    the gap is within the tolerance, or without a candidate, that there is none.
    """

    best: Incumbent | None
    bound: float
    proven: bool
    solves: int
    solver: str


@dataclass(order=True)
class Node:
    """A box of the tree's modules with the answer of its relaxation and the bound that it proves."""

    priority: float
    number: int
    bound: float = field(compare=False)
    box: Box | None = field(compare=False)
    assembled: Assembled = field(compare=False)
    answer: SolverResult = field(compare=False)


class Search(Subproblem):
    """One run on one model.

    Parameters
    ----------
    model : Model
        The model, already checked.
    settings : SolveSettings
        Gap, limits and solver.
    warm_start : WarmStart or None
        Prices of an earlier search over the same holdings, brought up to date.
    settled : bool
        Whether the answer is moved to its local optimum at the end.
    """

    margin = AIM
    """Ratio above the requirement that relaxations aim at, so that their answers are compliant as they are."""

    def __init__(
        self, model: Model, settings: SolveSettings, warm_start: WarmStart | None = None, *, settled: bool = True
    ) -> None:
        super().__init__(model, settings, warm_start)
        self._settles = settled
        self._numbers = itertools.count()
        self._rough = False

    @property
    def continuous(self) -> Search:
        """The search whose programs have prices."""
        return self

    def run(self) -> Outcome:
        """Search until the gap is closed or a limit is reached."""
        if np.array_equal(self.model.space.lower, self.model.space.upper):
            return self._only_book()
        root = self._root
        heap, count, dropped = [root] if root is not None else [], 0, -np.inf
        while heap:
            node = heapq.heappop(heap)
            bound = max(node.bound, dropped)
            if self._settled(bound):
                return self._finished(bound, True)
            if self.solves >= self.settings.max_nodes or time.monotonic() > self.deadline:
                return self._finished(bound, False)
            self._look_around(node, bound, thorough=count < 3 or count % PERIOD == 0)
            count += 1
            if self._settled(bound):
                return self._finished(bound, True)
            branches = split(self.formulation, node.box, node.assembled, node.answer)
            if not branches or node.box is None:
                dropped = max(dropped, node.bound)
                continue
            for branch in branches:
                dropped = max(dropped, self._push(heap, self.formulation.box(branch, node.box), node.bound))
        proven = dropped == -np.inf if self.best is None else self._settled(dropped)
        return self._finished(dropped, proven)

    def _only_book(self) -> Outcome:
        """Judge the one book that there is: no solver is needed."""
        self.offer(self.model.space.lower)
        bound = -np.inf if self.best is None else self.best.objective
        return Outcome(self.best, bound, True, 0, NO_SOLVER)

    def glance(self) -> tuple[float, Vector] | None:
        """Return the bound of the root's relaxation and its answer; None where it has none."""
        root = self._root
        return None if root is None else (root.bound, self.point(root.answer))

    @cached_property
    def _root(self) -> Node | None:
        try:
            return self._node(self.formulation.whole, fine=True)
        except SolverFailure as failure:
            if self.settings.solver == "auto":
                raise
            raise InputError(failure.problems) from failure  # the user chose a solver that cannot do it

    def descend(self, start: Vector, *, settled: bool) -> Outcome | None:
        """Return a compliant answer near ``start``, without a bound; None where none is found.

        ``settled``: the local optimum there, else the first point met.

        Parameters
        ----------
        start : ndarray (n,)
            Holdings, money.
        settled : bool
            Whether the local optimum is wanted.
        """
        point = settle(self, start) if settled else improve(self, start, -np.inf)
        if not self.offer(point) and not self.offer(repair(self, start)):
            return None
        return Outcome(self.best, np.inf, False, self.solves, self.solver)

    def _push(self, heap: list[Node], box: Box | None, ceiling: float) -> float:
        """Solve a node and queue it; return the bound that stays open because no solver could answer."""
        try:
            node = self._node(box, ceiling)
        except SolverFailure:
            return ceiling
        if node is not None and not self._hopeless(node.bound):
            heapq.heappush(heap, node)
        return -np.inf

    def _finished(self, bound: float, proven: bool) -> Outcome:
        solves = self.solves
        # A single program's answer is settled already, unless it is only exact by chance; sifted ones cost too much.
        by_chance = self._rough and self.chain.sifter is None
        if self.best is not None and self._settles and (solves > 1 or by_chance):
            # Even where its objective is a little lower: another answer uses the margin that this one keeps.
            point = settle(self, self.best.holdings)
            settled = Incumbent(point, self.exact.objective(point))
            if not proven or bound <= settled.objective + tolerance_of(
                self.model, self.settings.gap, settled.objective
            ):
                self.best = settled
        if self.best is None and not proven:
            self._seek_least_miss()
            proven = self._settled(bound)
        if self.best is not None:
            bound = max(bound, self.best.objective)
        return Outcome(self.best, bound, proven, solves, self.solver)

    def _seek_least_miss(self) -> None:
        """Look for any answer from the books that need least capital for a limit, under all the other rules."""
        for limit in self.model.capital_limits if self._settles else ():
            others = tuple(other for other in self.model.capital_limits if other is not limit)
            left = max(self.deadline - time.monotonic(), SHARE_OF_TIME * self.settings.time_limit)
            settings = self.settings.model_copy(update={"gap": ROUGH, "time_limit": left})
            lean = replace(
                self.model,
                objective=(),
                capital_limits=others,
                capital_module=limit.module,
                capital_weight=abs(limit.multiplier),
            )
            outcome = Search(lean, settings, settled=False).run()
            self.solves += outcome.solves
            if outcome.best is not None and self.offer(outcome.best.holdings):
                self.offer(improve(self, outcome.best.holdings))
                return

    def _look_around(self, node: Node, bound: float, thorough: bool) -> None:
        """Judge a relaxation's answer; ``thorough``: and look for a better one from there."""
        answer = node.answer
        point = self.formulation.holdings(answer.primal)
        if self.exact.headroom(point) > -NEAR:
            point = self.point(answer)
            if not self.offer(point) and -NEAR < self.exact.headroom(point) < ENOUGH:
                point = self._tightened(node, point)
        if self._settled(bound) or not thorough:
            return
        if not self.offer(improve(self, point, bound - self.tolerance)) and self.best is None:
            self.offer(repair(self, point))

    def _tightened(self, node: Node, point: Vector) -> Vector:
        """Ask the node for more than it missed by rounding; return the last answer, which is offered too."""
        margin = self.margin
        for _ in range(TIGHTER):
            margin += AIM + 1.5 * max(-self.exact.headroom(point), 0.0)
            assembled = self.formulation.relaxation(node.box, self.price, margin)
            answer = self.solve(assembled, fine=not self._rough)
            if answer.verdict is not SolverStatus.SOLVED:
                break
            point = self.point(answer)
            if self.offer(point) or self.exact.headroom(point) >= ENOUGH:
                break
        return point

    def _settled(self, bound: float) -> bool:
        return self.best is not None and bound <= self.best.objective + self.tolerance

    def _hopeless(self, bound: float) -> bool:
        return self.best is not None and bound <= self.best.objective

    def _node(self, box: Box | None, ceiling: float = np.inf, *, fine: bool = False) -> Node | None:
        if box is not None and box.empty:
            return None
        assembled = self.formulation.relaxation(box, self.price, self.margin)
        # Where nothing lies the root's answer is the answer.
        self._rough = bool(assembled.relaxed_nodes) or not fine
        answer = self.solve(assembled, fine=not self._rough)
        if answer.verdict is SolverStatus.INFEASIBLE and self.margin:
            # What cannot be had with the margin may be had without it.
            loose = replace(assembled.program, right=assembled.right)
            if not loose.refuted_by(answer.dual):
                assembled = replace(assembled, program=loose)
                answer = self.solve(assembled, fine=not self._rough)
        if answer.verdict is SolverStatus.INFEASIBLE:
            return None
        if answer.verdict is SolverStatus.UNBOUNDED:
            raise InputError(unbounded(self.model, self.formulation.holdings(answer.primal)))
        lower = answer.bound
        if lower is None:
            lower = assembled.program.bound(answer.primal, answer.dual, assembled.right)
        bound = min(ceiling, -lower * self.formulation.plain.objective_scale)
        return Node(-bound, next(self._numbers), bound, box, assembled, answer)

    def offer(self, holdings: Vector | None) -> bool:
        """Take the point as the best answer if it is one; return whether it was taken."""
        if holdings is None or not self.compliant(holdings):
            return False
        objective = self.exact.objective(holdings)
        if self.best is not None and objective <= self.best.objective:
            return False
        self.best = Incumbent(holdings, objective)
        return True
