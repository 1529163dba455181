"""Optimizing when charges depend on one number of the whole book, such as the gain of the stock book.

Inside an interval of that state the exact coefficients C(x) lie between those of two trees, C₋ ≤ C(x) ≤ C₊.
With D = C₊ − C₋ ≥ 0 the leaves are C₋ x + s, 0 ≤ s ≤ D x: columns s with one rule each turn "somewhere
between" into a model of the ordinary kind, a relaxation whatever the sign of the tree's slopes. Columns of D
that are equal in several leaves (the company's and its pool's) share their s. Best bound first, intervals are
halved near the state of the relaxed answer; answers come from charges frozen at a state and taken anew until
they agree with the holdings.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.capital.regime import BookState
from allocator.capital.tree import CapitalTree
from allocator.errors import Infeasible, NotProven, Problem
from allocator.model.choices import Choices
from allocator.model.epigraph import Epigraph
from allocator.model.expressions import Expression, Linear, TradeCost
from allocator.model.model import Model
from allocator.model.space import Space
from allocator.model.terms import Sense, Term
from allocator.settings import SolveSettings
from allocator.solve.entry import solve
from allocator.solve.exact import ENOUGH, Exact
from allocator.solve.sifting import Recall
from allocator.solve.solution import Solution, Status
from allocator.types import Source, Text

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["between", "branches", "solve_with_state"]

Vector = NDArray[np.float64]

INWARD = 0.3
"""How far an interval's cut is moved from the relaxed answer's state towards its middle."""

NEAR = 1e-4
"""Two states nearer than this start the search for an answer at the same charges."""

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
    return _StateSearch(model, state, tree_at, settings).run(diagnose)


@dataclass(order=True)
class _Node:
    priority: float
    number: int
    space: Space = field(compare=False)
    low: float = field(compare=False)
    high: float = field(compare=False)
    holdings: Vector = field(compare=False)


class _StateSearch:
    def __init__(
        self, model: Model, state: BookState, tree_at: Callable[[Vector], CapitalTree], settings: SolveSettings
    ) -> None:
        self.model, self.state, self.tree_at, self.settings = model, state, tree_at, settings
        self.deadline = time.monotonic() + settings.time_limit
        self.best: tuple[CapitalTree, Solution] | None = None
        self.nodes = 0
        self.tried: list[float] = []
        self.recall = Recall()
        self._numbers = itertools.count()

    def run(self, diagnose: bool) -> tuple[CapitalTree, Solution]:
        started = time.perf_counter()
        try:
            heap = [self._node(self.model.space, *self.state.reach(self.model.space))]
        except Infeasible:
            # Then it is so with charges frozen at any state: at the present one the rules can be named.
            if diagnose:
                solve(self.model, self.settings)
            raise
        self._answer(self.model.tree)
        self._answer_at(heap[0].holdings)
        dropped = -np.inf
        while heap and not self._late():
            if self._settled(max(-heap[0].priority, dropped)):
                break
            worst = heapq.heappop(heap)
            for space, low, high in branches(self.state, worst.space, worst.low, worst.high, worst.holdings):
                try:
                    heapq.heappush(heap, self._node(space, low, high, -worst.priority))
                except Infeasible:
                    continue
                except NotProven:
                    dropped = max(dropped, -worst.priority)
            if heap:
                self._answer_at(heap[0].holdings)
        bound = max([dropped, *(-item.priority for item in heap)])
        if self.best is None:
            raise NotProven(
                Problem(
                    Text(
                        "no compliant answer was found whose charges agree with its own holdings",
                        "未找到因子与自身持仓相一致的合规方案",
                    ),
                    got=f"{self.nodes} solves",
                    hint=Text(
                        "raise solve.time_limit or bound the stock positions", "请提高 solve.time_limit，或限制股票持仓"
                    ),
                )
            )
        tree, solution = self.best
        bound = max(bound, solution.objective)
        gap = bound - solution.objective
        status: Status = "optimal" if self._settled(bound) else "feasible"
        seconds = time.perf_counter() - started
        return tree, replace(solution, bound=bound, gap=gap, status=status, nodes=self.nodes, seconds=seconds)

    def _late(self) -> bool:
        return time.monotonic() > self.deadline or self.nodes >= self.settings.max_nodes

    def _settled(self, bound: float) -> bool:
        return self.best is not None and bound - self.best[1].objective <= self._tolerance()

    def _tolerance(self) -> float:
        """Money is held to the gap's relative counterpart, as `allocator.solve.search` does."""
        if self.model.objective or self.best is None:
            return self.settings.gap
        return 0.1 * self.settings.gap * abs(self.best[1].objective)

    def _solve(self, model: Model, share: float) -> Solution:
        left = max(self.deadline - time.monotonic(), 1.0)
        settings = self.settings.model_copy(update={"time_limit": left, "gap": share * self.settings.gap})
        solution = solve(model, settings, diagnose=False, recall=self.recall)
        self.nodes += solution.nodes
        return solution

    def _node(self, space: Space, low: float, high: float, ceiling: float = np.inf) -> _Node:
        least, greatest = self.state.trees(low, high)
        rules = self.state.rules(space, low, high)
        solution = self._solve(between(replace(self.model, space=space), least, greatest, rules), 0.5)
        holdings = solution.holdings[: space.size]
        return _Node(-min(solution.bound, ceiling), next(self._numbers), space, low, high, holdings)

    def _answer_at(self, holdings: Vector) -> None:
        state = self.state.at(holdings)
        if any(abs(state - other) <= NEAR for other in self.tried):
            return
        self.tried.append(state)
        self._answer(self.state.trees(state, state)[1])

    def _answer(self, tree: CapitalTree | None) -> None:
        """Solve with charges frozen, take them anew at the answer, and keep what is exact and better."""
        for _ in range(ROUNDS):
            if self._late() and self.best is not None:
                return
            try:
                solution = self._solve(replace(self.model, tree=tree), 0.25)
            except (Infeasible, NotProven):
                return
            tree = self.tree_at(solution.holdings)
            exact = Exact(replace(self.model, tree=tree))
            if exact.room(solution.holdings) < ENOUGH:
                continue
            objective = exact.objective(solution.holdings)
            if self.best is not None and objective <= self.best[1].objective + 0.01 * self._tolerance():
                return
            self.best = tree, replace(solution, objective=objective)


def branches(
    state: BookState, space: Space, low: float, high: float, holdings: Vector
) -> Iterator[tuple[Space, float, float]]:
    """Halve the interval when the relaxed answer lies in it, else the space where the rules are too loose."""
    at = state.at(holdings)
    nearest = min(max(at, low), high)
    spaces = None if low <= at <= high else state.split(space, nearest, holdings)
    if spaces is not None:
        for part in spaces:
            least, greatest = state.reach(part)
            lowest, highest = max(low, least), min(high, greatest)
            if lowest <= highest:
                yield part, lowest, highest
        return
    middle = 0.5 * (low + high) if np.isfinite(high) else low + 1.0
    cut = (1.0 - INWARD) * nearest + INWARD * middle
    yield space, low, cut
    yield space, cut, high


def between(model: Model, least: CapitalTree, greatest: CapitalTree, rules: tuple[Term, ...]) -> Model:
    """Return the model whose leaves may lie anywhere between the two trees (see the module's head)."""
    size = model.space.size
    difference = sparse.csc_array(greatest.coefficients - least.coefficients)
    # Below zero only by rounding: a slack's ceiling would follow it below its floor.
    difference.data = np.maximum(difference.data, 0.0)
    difference.eliminate_zeros()
    groups = _groups(difference)
    placed: list[tuple[NDArray[np.int64], Vector]] = []
    for rows, columns in groups:
        block = difference[:, columns].toarray()[rows]
        if np.allclose(block, block[:1], rtol=1e-12, atol=0.0):
            placed.append((rows, _scattered(size, columns, block[0])))
        else:
            placed += [(rows[[i]], _scattered(size, columns, block[i])) for i in range(len(rows))]
    extra = len(placed)
    if not extra:
        return replace(model, tree=least, terms=(*model.terms, *rules))
    leaves = least.coefficients.shape[0]
    into = np.concatenate([rows for rows, _ in placed])
    column = np.repeat(np.arange(extra), [len(rows) for rows, _ in placed])
    unit = sparse.csr_array((np.ones(len(into)), (into, column)), shape=(leaves, extra))
    tree = CapitalTree(least.root, sparse.csr_array(sparse.hstack([least.coefficients, unit])), least.constants)
    # sₖ − Dₖ x ≤ 0
    reach = -sparse.csr_array(np.stack([row for _, row in placed]))
    within = Term(
        "state",
        Text("Charges between their least and greatest", "因子介于最小值与最大值之间"),
        Linear(sparse.csr_array(sparse.hstack([reach, sparse.eye_array(extra)])), np.zeros(extra)),
        Sense.AT_MOST,
        np.zeros(extra),
        np.full(extra, model.space.total),
        "share",
        Source("model"),
        rows=tuple(str(k) for k in range(extra)),
    )
    wide = [replace(term, left=_extended(term.left, extra)) for term in (*model.terms, *rules)]
    # No holding exceeds what its bounds and all the money allow.
    most = np.minimum(model.space.upper, model.space.total + np.maximum(model.space.current, 0.0))
    ceiling = np.array([float(row @ np.maximum(most, 0.0)) for _, row in placed])
    return replace(
        model,
        space=_widened(model.space, ceiling),
        objective=tuple(replace(part, expression=_extended(part.expression, extra)) for part in model.objective),
        terms=(*wide, within),
        cost=_wide_cost(model, extra),
        tree=tree,
    )


def _groups(difference: sparse.csc_array) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (leaf rows, columns) of the columns that differ in the same leaves."""
    pattern: dict[tuple[int, ...], list[int]] = {}
    for column in np.flatnonzero(np.diff(difference.indptr)).tolist():
        rows = difference.indices[difference.indptr[column] : difference.indptr[column + 1]]
        pattern.setdefault(tuple(sorted(rows.tolist())), []).append(column)
    return [(np.array(rows), np.array(columns)) for rows, columns in pattern.items()]


def _scattered(size: int, columns: NDArray[np.int64], values: Vector) -> Vector:
    row = np.zeros(size)
    row[columns] = values
    return row


def _widened(space: Space, ceiling: Vector) -> Space:
    extra = len(ceiling)
    names = np.array([f"state {k}" for k in range(extra)])
    zeros = np.zeros(extra)
    return Space(
        np.concatenate([space.asset_id, names]),
        np.concatenate([space.account, np.full(extra, "")]),
        np.concatenate([space.current, zeros]),
        np.concatenate([space.lower, zeros]),
        np.concatenate([space.upper, ceiling]),
        np.concatenate([space.funded, np.zeros(extra, dtype=bool)]),
        np.concatenate([space.linear_cost, zeros]),
        space.total,
    )


def _wide_cost(model: Model, extra: int) -> TradeCost:
    cost, zeros = model.cost, np.zeros(extra)
    return replace(
        cost,
        buy=np.concatenate([cost.buy, zeros]),
        sell=np.concatenate([cost.sell, zeros]),
        quadratic=np.concatenate([cost.quadratic, zeros]),
        reference=np.concatenate([cost.reference, zeros]),
        least=None if cost.least is None else np.concatenate([cost.least, zeros]),
        greatest=None if cost.greatest is None else np.concatenate([cost.greatest, zeros + np.inf]),
    )


def _extended(expression: Expression, extra: int) -> Expression:
    affine = expression.affine()
    if affine is not None:
        empty = sparse.csr_array((affine.matrix.shape[0], extra))
        return Linear(sparse.csr_array(sparse.hstack([affine.matrix, empty])), affine.constant)
    return _Narrow(expression, extra)


@dataclass(frozen=True)
class _Narrow(Expression):
    """An expression of the first columns only."""

    inner: Expression
    extra: int

    def value(self, holdings: Vector) -> Vector:
        return self.inner.value(holdings[: -self.extra])

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return self.inner.convex(variable[: -self.extra], scale)

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        inner = self.inner.gradient(holdings[: -self.extra])
        return sparse.csr_array(sparse.hstack([inner, sparse.csr_array((inner.shape[0], self.extra))]))

    def epigraph(self, sign: float) -> Epigraph | None:
        inner = self.inner.epigraph(sign)
        return None if inner is None else inner.widened(self.extra)

    @property
    def discrete(self) -> bool:
        return self.inner.discrete

    def choices(self, upper: Vector) -> Choices:
        return self.inner.choices(upper[: -self.extra]).widened(self.extra)
