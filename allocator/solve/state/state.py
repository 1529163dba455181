"""Optimizing when charges depend on the book as a whole: on one number of it, and on steps that it passes or not.

Inside an interval of the number, with some steps decided, the exact coefficients C(x) lie between those of two trees,
C₋ ≤ C(x) ≤ C₊ on the side of zero where x lies. With D = C₊ − C₋ the leaves are C₋ x + s, 0 ≤ s ≤ D x: columns s with
one rule each turn "somewhere between" into a model of the ordinary kind, a relaxation whatever the sign of the tree's
slopes. Columns of D that are equal in several leaves (the company's and its pool's) share their s. A row that may be
held on either side of zero and is charged by its side is x = p − (p − x) with p ≥ max(x, 0) below its chord. Best
bound first, a step that the relaxed answer lies beyond is decided both ways, then intervals are halved near its state;
answers come from charges frozen at a book, its steps kept by rules, and taken anew until they agree with the
holdings. Charges that are a choice of their own (`allocator.solve.state.alternatives`) are left to whole numbers in
each of these models.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible, InputError, NotProven, Problem, SolverFailure
from allocator.model.model import Model
from allocator.model.regime import BookState
from allocator.model.space import Space
from allocator.solve.api import prepare, run_search, with_duals
from allocator.solve.decomposition.sifting import WarmStart
from allocator.solve.infeasible.conflict import Conflict, find_conflicts, problems_of
from allocator.solve.search.discrete import search_for
from allocator.solve.search.exact import ENOUGH, Exact
from allocator.solve.search.objective_form import tolerance_of
from allocator.solve.search.ratio import best_ratio
from allocator.solve.search.search import Outcome, Search
from allocator.solve.search.solution import Solution, Status
from allocator.solve.search.subproblem import Incumbent
from allocator.solve.state.alternatives import with_alternatives
from allocator.solve.state.branches import branches
from allocator.solve.state.found import Best, Found, Node, trimmed
from allocator.solve.state.interval_relaxation import between
from allocator.types import Text

__all__ = ["solve_with_state"]


NEAR = 1e-4
"""Two states nearer than this start the search for an answer at the same charges."""

FEW = 20
"""Programs after which charges frozen at a relaxed answer are not solved for a proof of their own any more."""

ROUNDS = 6
"""How often charges are taken anew at an answer before another start is tried."""


def solve_with_state(
    model: Model,
    state: BookState,
    tree_at: Callable[[Vector], CapitalTree],
    settings: SolveSettings,
    *,
    diagnose: bool = True,
) -> tuple[CapitalTree, Solution]:
    """Return the best holdings and the tree that is exact at them.

    Parameters
    ----------
    model : Model
        With charges frozen at the current holdings.
    state : BookState
        What they depend on.
    tree_at : callable
        The exact tree at given holdings.
    settings : SolveSettings
        The gap and the limits hold for the whole search.
    diagnose : bool
        As for `allocator.solve.solve`.

    Raises
    ------
    Infeasible, NotProven
        As `allocator.solve.solve`.
    """
    if model.per_capital:

        def solved(plain: Model, limits: SolveSettings) -> tuple[CapitalTree | None, Solution]:
            return _StateSearch(plain, state, tree_at, limits).run(diagnose)

        tree, solution = best_ratio(model, settings, solved)
        assert tree is not None
        return tree, solution
    return _StateSearch(model, state, tree_at, settings).run(diagnose)


class _StateSearch:
    def __init__(
        self, model: Model, state: BookState, tree_at: Callable[[Vector], CapitalTree], settings: SolveSettings
    ) -> None:
        self.model, self.state, self.tree_at, self.settings = model, state, tree_at, settings
        self.deadline = time.monotonic() + settings.time_limit
        self.best: Best | None = None
        self.nodes = 0
        self.solver = ""
        self.tried: list[tuple[BookState, float]] = []
        self.warm_start = WarmStart()
        self.alternatives = state.alternatives(model.space)
        whole = self.alternatives or any(term.left.discrete for term in model.terms)
        self._descends = not whole
        self._numbers = itertools.count()

    def run(self, diagnose: bool) -> tuple[CapitalTree, Solution]:
        started = time.perf_counter()
        try:
            bound = self._search()
        except Infeasible:
            if diagnose:
                raise Infeasible(problems_of(self._conflicts(), self.model.space.money)) from None
            raise
        if self.best is None:
            raise self._unanswered()
        return self._ended(bound, started)

    def outcome(self) -> Outcome:
        """Return how the search ends: with an answer, a proof that there is none, or neither."""
        try:
            bound = self._search()
        except Infeasible:
            return Outcome(None, -np.inf, True, self.nodes, "")
        except (NotProven, SolverFailure):
            return Outcome(None, np.inf, False, self.nodes, "")
        if self.best is None:
            return Outcome(None, bound, False, self.nodes, "")
        held = self.best.found.holdings[: self.model.space.size]
        return Outcome(Incumbent(held, self.best.objective), bound, self._settled(bound), self.nodes, "")

    def _search(self) -> float:
        """Search until the gap is closed or a limit is reached; return the bound.

        Raises
        ------
        Infeasible
            Where no part of the books has an answer.
        """
        space, reach = self.model.space, self.state.reach(self.model.space)
        whole = self._relaxed(self.state, space, *reach)
        self.solver = whole.chain.first
        bound = self._glanced(whole) if self._descends else np.inf
        if self._settled(bound):
            self.nodes += whole.solves
            return bound
        heap = [self._concluded(whole, self.state, space, reach, np.inf)]
        self._answer_at(heap[0])
        if self.best is None:
            self._answer(heap[0], space.current)
        dropped = -np.inf
        while heap and not self._late():
            if self._settled(max(-heap[0].priority, dropped)):
                break
            worst = heapq.heappop(heap)
            size = space.size
            parts = list(branches(worst.state, worst.space, worst.low, worst.high, worst.found.holdings, size))
            if not parts:
                dropped = max(dropped, -worst.priority)
            for part in parts:
                try:
                    heapq.heappush(heap, self._node(*part, -worst.priority))
                except Infeasible:
                    continue
                except (InputError, NotProven, SolverFailure):
                    dropped = max(dropped, -worst.priority)
            if heap:
                self._answer_at(heap[0])
        bound = max([dropped, *(-item.priority for item in heap)])
        if self.best is None and bound == -np.inf:
            raise Infeasible(Problem(Text("the rules contradict each other", "各项规则相互矛盾")))
        return bound

    def _conflicts(self) -> tuple[Conflict, ...]:
        """Return the rules in conflict: each question is asked of all books, not of the charges of one."""

        def ask(model: Model, settings: SolveSettings) -> Outcome:
            return _StateSearch(model, self.state, self.tree_at, settings).outcome()

        return find_conflicts(self.model, self.settings, ask, self.tree_at)

    def _unanswered(self) -> NotProven:
        """Return what to say where the search ended without an answer or a proof that there is none."""
        hint = Text("bound the stock positions and derivatives", "请限制股票与衍生品持仓")
        if self._late():
            hint = Text("raise solve.time_limit or solve.max_nodes", "请提高 solve.time_limit 或 solve.max_nodes")
        return NotProven(
            Problem(
                Text(
                    "no compliant answer was found whose charges agree with its own holdings",
                    "未找到因子与自身持仓相一致的合规方案",
                ),
                got=f"{self.nodes} solves",
                hint=hint,
            )
        )

    def _glanced(self, whole: Search) -> float:
        """Return the bound of the relaxed program of all states, and look near its answer: mostly that is all."""
        with suppress(SolverFailure):
            glanced = whole.glance()
            if glanced is not None:
                bound, point = glanced
                self._descend(point[: self.model.space.size])
                return bound
        return np.inf

    def _ended(self, bound: float, started: float) -> tuple[CapitalTree, Solution]:
        assert self.best is not None
        tree, objective = self.best.tree, self.best.objective
        bound = max(bound, objective)
        status: Status = "optimal" if self._settled(bound) else "feasible"
        solution = replace(
            trimmed(self._priced(self.best), self.model),
            solver=self.best.found.outcome.solver or self.solver,
            objective=objective,
            bound=bound,
            gap=bound - objective,
            status=status,
            nodes=self.nodes,
        )
        return tree, replace(solution, seconds=time.perf_counter() - started)

    def _priced(self, best: Best) -> Solution:
        candidate = Incumbent(best.found.holdings, best.objective)
        return with_duals(best.found.search, replace(best.found.outcome, best=candidate))

    def _late(self) -> bool:
        return time.monotonic() > self.deadline or self.nodes >= self.settings.max_nodes

    def _settled(self, bound: float) -> bool:
        return self.best is not None and bound - self.best.objective <= self._tolerance()

    def _tolerance(self) -> float:
        """Return the gap in the objective's own measure, as the searches inside have it."""
        best = 0.0 if self.best is None else self.best.objective
        return tolerance_of(self.model, self.settings.gap, best)

    def _shared(self, share: float) -> SolveSettings:
        """Return the settings of a search inside this one, with a share of its gap."""
        left = max(self.deadline - time.monotonic(), 1.0)
        return self.settings.model_copy(update={"time_limit": left, "gap": share * self.settings.gap})

    def _solve(self, model: Model, share: float, *, settled: bool) -> Found:
        return self._found(prepare(model, self._shared(share), self.warm_start, settled=settled))

    def _found(self, search: Search) -> Found:
        try:
            outcome = run_search(search, diagnose=False)
        finally:
            self.nodes += search.solves
        assert outcome.best is not None
        return Found(search, outcome, outcome.best.holdings)

    def _relaxed(self, state: BookState, space: Space, low: float, high: float) -> Search:
        """Return the search of the relaxed model of the states between ``low`` and ``high``."""
        relaxed = between(replace(self.model, space=space), state, low, high)
        whole = with_alternatives(relaxed, self.alternatives)
        return prepare(whole, self._shared(0.5), self.warm_start, settled=not self._descends)

    def _node(self, state: BookState, space: Space, low: float, high: float, ceiling: float) -> Node:
        try:
            relaxed = self._relaxed(state, space, low, high)
        except InputError as error:  # the part's own bounds leave it no book
            raise Infeasible(error.problems) from error
        return self._concluded(relaxed, state, space, (low, high), ceiling)

    def _concluded(
        self, relaxed: Search, state: BookState, space: Space, reach: tuple[float, float], ceiling: float
    ) -> Node:
        outcome = relaxed.run()
        self.nodes += relaxed.solves
        point = outcome.best.holdings if outcome.best is not None else None
        if point is None and not outcome.proven:
            # A bound is all that a relaxed model is asked for: where its own answer misses, its parts may not.
            glanced = relaxed.glance()
            point = None if glanced is None else glanced[1]
        if point is None:
            raise Infeasible(Problem(Text("the rules contradict each other", "各项规则相互矛盾")))
        found = Found(relaxed, outcome, point)
        return Node(-min(found.outcome.bound, ceiling), next(self._numbers), state, space, *reach, found)

    def _answer_at(self, node: Node) -> None:
        """Offer a relaxed answer as it is, then what is best near it, then at its charges, which may lie elsewhere."""
        relaxed = node.holdings
        kept = self._offer(node.found, self.tree_at(relaxed))
        state = self.state.at(relaxed)
        if not kept and any(node.state is one and abs(state - other) <= NEAR for one, other in self.tried):
            return
        self.tried.append((node.state, state))
        if self._descends:
            self._descend(relaxed, node)
            if self._settled(-node.priority) or (self.best is not None and self.nodes > FEW):
                return
        self._answer(node, relaxed)
        if self.best is None:
            self._answer_safely(node)

    def _answer_safely(self, node: Node) -> None:
        """Solve at charges that are no lower than exact in the node's interval: what complies there complies."""
        for state, space in node.state.safe(node.space, node.low, node.high):
            tree, rules = state.trees(node.low, node.high)[1], state.rules(space, node.low, node.high)
            safe = replace(self.model, space=space, tree=tree, terms=(*self.model.terms, *rules))
            try:
                found = self._solve(with_alternatives(safe, self.alternatives), 0.25, settled=False)
            except (InputError, Infeasible, NotProven, SolverFailure):
                # An input error here is a bound that the rules just added contradict.
                continue
            held = found.holdings[: self.model.space.size]
            if self._offer(found, self.tree_at(held)) and self._descends:
                self._descend(held, node)

    def _descend(self, start: Vector, node: Node | None = None) -> None:
        """Improve ``start`` at its own charges, taken anew at each answer; no bound is asked for."""
        held, before = start, -np.inf
        for number in range(ROUNDS):
            if self._late() and self.best is not None:
                return
            search = search_for(self._around(held, node), self._shared(0.25), self.warm_start)
            outcome = search.descend(held, settled=number > 0)
            self.nodes += search.solves
            if outcome is None or outcome.best is None:
                return
            held, objective = outcome.best.holdings, outcome.best.objective
            # The local optimum is the answer even where it is no better than a point near it.
            self._offer(Found(search, outcome, held), self.tree_at(held), 0.01 if number == 0 else -0.01)
            if abs(objective - before) <= 0.01 * self._tolerance():
                return
            before = objective

    def _answer(self, node: Node, start: Vector) -> None:
        """Solve with charges frozen at ``start``, take them anew at the answer, and keep what is exact and better."""
        held = start
        for _ in range(ROUNDS):
            if self._late() and self.best is not None:
                return
            try:
                found = self._solve(with_alternatives(self._around(held, node), self.alternatives), 0.25, settled=True)
            except (InputError, Infeasible, NotProven, SolverFailure):
                return
            held = found.holdings[: self.model.space.size]
            if self._offer(found, self.tree_at(held)) is False:
                return

    def _around(self, holdings: Vector, node: Node | None) -> Model:
        """Return the model with charges frozen at ``holdings``, alternatives apart, and their steps kept by rules.

        What a node has decided stays so.
        """
        whole = (self.state, self.model.space) if node is None else (node.state, node.space)
        number = self.state.at(holdings)
        state, space = whole[0].around(whole[1], holdings)
        rules = state.rules(space, -np.inf, np.inf)
        return replace(self.model, space=space, tree=state.trees(number, number)[1], terms=(*self.model.terms, *rules))

    def _offer(self, found: Found, exact_tree: CapitalTree, better: float = 0.01) -> bool | None:
        """Keep an answer that is exact and ``better`` by a share of the tolerance; None where it is not exact."""
        exact, held = Exact(replace(self.model, tree=exact_tree)), found.holdings[: self.model.space.size]
        if exact.headroom(held) < ENOUGH or not exact.keeps_terms(held):
            return None
        objective = exact.objective(held)
        if self.best is not None and objective <= self.best.objective + better * self._tolerance():
            return False
        self.best = Best(exact_tree, objective, found)
        return True
