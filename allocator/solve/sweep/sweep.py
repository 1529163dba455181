"""One model at many levels of its promises, each answered as exactly as a search of its own would.

The levels differ in right sides and capital limits alone. What they share is kept: the cone program and the
solver set up for it, the boxes and intervals the search was split into, and the dual points found so far.
A dual point y that is feasible at one level stays so at another (up to the scale of a moved limit's row, see
`Dual`), and by weak duality bounds the optimum there too:

    optimum(b′) ≤ −½ z′P z − b′y   for every right side b′,

the tangent of a concave function. So a part of the search that lost at one level is usually ruled out at the
next without being solved. Answers come from the relaxation of the most promising part, its capital limits
tightened by what the exact tree found missing at the level before; what is still missing is made up by a small
step towards the answer at the level before, which keeps every convex promise on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import SolverFailure
from allocator.model.model import Model
from allocator.model.regime import BookState
from allocator.model.space import Space
from allocator.model.terms import Mode
from allocator.solve.api import solve
from allocator.solve.decomposition.sifting import WarmStart
from allocator.solve.program.program import SolverResult, SolverStatus
from allocator.solve.relaxation.branching import split
from allocator.solve.relaxation.formulation import Assembled, Formulation
from allocator.solve.search.checks import check_model
from allocator.solve.search.exact import AIM, ENOUGH, Exact
from allocator.solve.search.prices import prices_of
from allocator.solve.search.solution import Solution
from allocator.solve.solvers.backends import SolverChain
from allocator.solve.state.branches import branches, stepped
from allocator.solve.state.interval_relaxation import between
from allocator.solve.state.state import solve_with_state
from allocator.solve.sweep.sweep_point import Dual, Subdomain, SweepPoint, multipliers

__all__ = ["SweepSolution", "Sweep"]


REMEMBERED = 4
"""Dual points kept of each part: the levels next to one another are the ones that help."""

SOLVES = 12
"""Programs solved at one level before it is handed to a search of its own."""

STEPS = 5
"""Steps of the secant towards the answer before."""

NARROW = 1e-3
"""Interval of the state below which the tree's boxes are split instead."""

CUSHION = 0.03
"""Part by which a limit is tightened beyond what was missing at the level before: it costs less than a step."""

WHOLE = 0.7
"""Part of the gap that a part's tree may lie by at the next level for what it was split into to be one again."""

MOST_TIGHTENED = 0.02
"""Ratio by which limits are tightened at most: a relaxation that lies by more is split, not tightened."""


@dataclass(frozen=True, eq=False)
class SweepSolution:
    """The answer at one level.

    Parameters
    ----------
    model : Model
        The level's model, its tree exact at the answer.
    solution : Solution
        ``nodes`` counts the cone programs of this level.
    alone : bool
        Whether the level was handed to a search of its own.
    """

    model: Model
    solution: Solution
    alone: bool


class Sweep:
    """Solves one model at many levels.

    Parameters
    ----------
    model : Model
        The loosest of the models that will be asked for: its boxes hold for all of them.
    settings : SolveSettings
        Gap, limits and solver, for each level.
    state : BookState or None
        What charges depend on.
    tree_at : callable or None
        The exact tree at given holdings; None where the model's own tree is exact everywhere.

    Raises
    ------
    InputError
        As `allocator.solve.solve` for a model that cannot be solved at all.
    """

    def __init__(
        self,
        model: Model,
        settings: SolveSettings,
        state: BookState | None = None,
        tree_at: Callable[[Vector], CapitalTree | None] | None = None,
    ) -> None:
        check_model(model)
        self._loosest, self._settings, self._state, self._tree_at = model, settings, state, tree_at
        self._exact = Exact(model)
        self._safe: tuple[Vector, CapitalTree | None] | None = None
        self._parts: list[Subdomain] = []
        self._divided: list[Subdomain] = []
        self._recall = WarmStart()
        chosen = state is not None and bool(state.alternatives(model.space))
        whole = any(term.left.discrete for term in model.terms if term.mode is Mode.HARD)
        self._apart = model.per_capital or chosen or whole  # no dual point of one level bounds another
        if not self._apart:
            low, high = (-np.inf, np.inf) if state is None else state.reach(model.space)
            self._parts.append(self._part(state, model.space, low, high))

    def know(self, holdings: Vector) -> None:
        """Take note of an allocation that meets the levels to come, such as the answer at a tighter one."""
        self._safe = holdings, self._tree(holdings)

    def solve(self, model: Model) -> SweepSolution:
        """Return the best allocation at one level; tighter levels are best asked for first.

        Parameters
        ----------
        model : Model
            The loosest model with other right sides or capital limits.

        Raises
        ------
        Infeasible, NotProven, SolverFailure
            As `allocator.solve.solve`.
        """
        started = time.perf_counter()
        if self._apart:
            return self._alone(model)
        level = SweepPoint(model, self._settings.gap, self._exact.moved(model))
        while True:
            if level.solves and level.best is None and self._safe is not None:
                holdings, tree = self._safe
                self._offer(level, holdings, tree, level.exact.with_tree(tree).headroom(holdings))
            for part in self._parts if level.solves else ():
                if id(part) not in level.bounds:
                    level.bounds[id(part)] = self._known_bound(part, level)
            part = max(self._parts, key=lambda one: level.bounds.get(id(one), np.inf))
            bound = level.bounds.get(id(part), np.inf)
            if level.solves and level.settled(bound):
                break
            if level.solves >= SOLVES or bound == -np.inf:
                return self._alone(model)
            try:
                if id(part) not in level.solved:
                    self._solve_part(part, level)
                elif not self._split(part, level):
                    return self._alone(model)
            except SolverFailure:
                return self._alone(model)
        return self._reached(level, bound, time.perf_counter() - started)

    def _reached(self, level: SweepPoint, bound: float, seconds: float) -> SweepSolution:
        assert level.best is not None
        holdings, tree, objective = level.best
        self._safe = holdings, tree
        nearest = max(level.solved, key=lambda key: level.bounds.get(key, -np.inf))
        # The part that won is asked first at the next level: its neighbours are then ruled out by what is known.
        self._parts.sort(key=lambda part: id(part) != nearest)
        formulation, assembled, answer = level.solved[nearest]
        self._join(level, formulation, assembled, answer)
        prices = prices_of(level.model, formulation, assembled, answer.dual, holdings)
        bound = max(bound, objective)
        solution = Solution(
            holdings,
            "optimal",
            objective,
            bound,
            bound - objective,
            level.solves,
            level.solver,
            seconds,
            prices.shadow,
            prices.capital,
            prices.reduced,
        )
        return SweepSolution(replace(level.model, tree=tree), solution, False)

    def _alone(self, model: Model) -> SweepSolution:
        """Hand the level to a search of its own."""
        if self._state is None:
            reached = SweepSolution(model, solve(model, self._settings, diagnose=False), True)
        else:
            tree, solution = solve_with_state(model, self._state, self._exact_tree, self._settings)
            reached = SweepSolution(replace(model, tree=tree), solution, True)
        self._safe = reached.solution.holdings, reached.model.tree
        return reached

    def _join(self, level: SweepPoint, formulation: Formulation, assembled: Assembled, answer: SolverResult) -> None:
        """Make parts one again whose split will not be needed at the next level.

        A part's bound is too high by what its tree lies, ``margin``, at the price of the limits; where that falls
        below the gap, one program does for all its halves. A part that had to be split twice stays so.
        """
        if not self._divided:
            return
        price = float(answer.dual[list(assembled.limits)] @ formulation.references) * formulation.plain.objective_scale
        for whole in [*self._divided]:
            lie = whole.margin * price
            if whole.splits == 1 and lie <= WHOLE * level.tolerance and all(one in self._parts for one in whole.halves):
                self._parts = [whole, *(part for part in self._parts if part not in whole.halves)]
                self._divided.remove(whole)

    def _part(self, state: BookState | None, space: Space, low: float, high: float) -> Subdomain:
        model = replace(self._loosest, space=space)
        if state is not None:
            model = between(model, state, low, high)
        formulation = Formulation(model)
        return Subdomain(state, space, low, high, formulation, formulation.whole, self._chain(formulation))

    def _chain(self, formulation: Formulation) -> SolverChain:
        plain = formulation.plain
        return SolverChain(self._settings.solver).sifting(plain.program, plain.holdings, self._recall)

    def _tree(self, holdings: Vector) -> CapitalTree | None:
        return self._loosest.tree if self._state is None else self._exact_tree(holdings)

    def _exact_tree(self, holdings: Vector) -> CapitalTree:
        assert self._tree_at is not None
        tree = self._tree_at(holdings)
        assert tree is not None
        return tree

    def _program(self, part: Subdomain, level: SweepPoint) -> tuple[Formulation, Assembled]:
        if id(part) not in level.programs:
            base = part.formulation
            if id(base) not in level.formulations:
                level.formulations[id(base)] = base.at(level.model)
            formulation = level.formulations[id(base)]
            price = formulation.price(level.model.capital_weight)
            part.assembled = formulation.relaxation(part.box, price, like=part.assembled)
            level.programs[id(part)] = formulation, part.assembled
        return level.programs[id(part)]

    def _known_bound(self, part: Subdomain, level: SweepPoint) -> float:
        """Return a bound that the dual points known so far prove at this level; −∞ where none can be met.

        The first that settles the part will do; where none does, it is the best of them.
        """
        least = np.inf
        for dual in part.duals:
            formulation, assembled = self._program(part, level)
            least = min(least, self._bound(level, formulation, assembled, dual))
            if level.settled(least):
                break
        return least

    def _bound(self, level: SweepPoint, formulation: Formulation, assembled: Assembled, known: Dual) -> float:
        dual = known.answer.dual.copy()
        rows = list(assembled.limits)
        dual[rows] *= known.multipliers / multipliers(level.model)
        program = assembled.program
        if known.answer.verdict is SolverStatus.INFEASIBLE:
            return -np.inf if program.refuted_by(dual) else np.inf
        lower = program.bound(known.answer.primal, dual)
        return -lower * formulation.plain.objective_scale

    def _solve_part(self, part: Subdomain, level: SweepPoint) -> None:
        """Solve the part's relaxation, tightened; keep its dual point; offer what it proposes."""
        formulation, assembled = self._program(part, level)
        program = assembled.program
        right = program.right.copy()
        for row, limit in zip(assembled.limits, level.model.capital_limits, strict=True):
            right[row] -= (part.margin + AIM) * formulation.reference(limit)
        answer = part.chain.solve(replace(program, right=right), self._settings.time_limit)
        level.solves += 1
        level.solver = answer.solver
        if answer.verdict is SolverStatus.INFEASIBLE and part.margin and not program.refuted_by(answer.dual):
            part.margin = 0.0
            answer = part.chain.solve(program, self._settings.time_limit)
            level.solves += 1
        known = Dual(answer, multipliers(level.model))
        part.duals = [known, *part.duals][:REMEMBERED]
        bound = min(level.bounds.get(id(part), np.inf), self._bound(level, formulation, assembled, known))
        level.bounds[id(part)] = bound
        if answer.verdict is SolverStatus.SOLVED:
            level.solved[id(part)] = formulation, assembled, answer
            room = self._propose(level, formulation, answer)
            missing = (part.margin - room) * (1.0 + CUSHION)
            part.margin = float(np.clip(missing, 0.0, MOST_TIGHTENED)) if np.isfinite(room) else 0.0

    def _propose(self, level: SweepPoint, formulation: Formulation, answer: SolverResult) -> float:
        """Offer the answer of a relaxation, moved towards the answer before as far as need be; return its room."""
        size = level.model.space.size
        lower, upper = (side[:size] for side in formulation.bound_multipliers(answer.dual))
        point = level.exact.projected_to_bounds(formulation.holdings(answer.primal)[:size], lower, upper)
        tree = self._tree(point)
        room = level.exact.with_tree(tree).headroom(point)
        if room >= ENOUGH:
            self._offer(level, point, tree, room)
        elif self._safe is not None:
            self._step(level, point, room)
        return room

    def _step(self, level: SweepPoint, point: Vector, room: float) -> None:
        """Offer the point nearest to ``point`` on the way to the safe one that has room."""
        assert self._safe is not None
        safe, tree = self._safe
        behind, ahead = (0.0, room), (1.0, level.exact.with_tree(tree).headroom(safe))
        if ahead[1] < ENOUGH:
            return
        for _ in range(STEPS):
            rise = ahead[1] - behind[1]
            share = min(behind[0] + (ahead[0] - behind[0]) * (AIM - behind[1]) / rise, ahead[0]) if rise > 0 else 1.0
            at = point + share * (safe - point)
            tree = self._tree(at)
            reached = level.exact.with_tree(tree).headroom(at)
            if reached >= ENOUGH:
                self._offer(level, at, tree, reached)
                return
            behind = share, reached

    def _offer(self, level: SweepPoint, holdings: Vector, tree: CapitalTree | None, room: float) -> None:
        """Take the point as the level's best answer if it is one; ``room`` is what the exact tree leaves there."""
        exact = level.exact.with_tree(tree)
        if room < ENOUGH or not exact.keeps_terms(holdings):
            return
        objective = exact.objective(holdings)
        if level.best is None or objective > level.best[2]:
            level.best = holdings, tree, objective

    def _split(self, part: Subdomain, level: SweepPoint) -> bool:
        """Replace a part by smaller ones; return whether there was anything to split."""
        halves = part.halves or self._halves(part, *level.solved[id(part)])
        if not halves:
            return False
        self._parts.remove(part)
        part.halves, part.splits = halves, part.splits + 1
        self._divided.insert(0, part)
        self._parts += halves
        level.bounds |= {id(one): level.bounds[id(part)] for one in halves}
        return True

    def _halves(
        self, part: Subdomain, formulation: Formulation, assembled: Assembled, answer: SolverResult
    ) -> list[Subdomain]:
        parts: list[Subdomain] = []
        if part.state is not None:
            held, size = formulation.holdings(answer.primal), part.space.size
            inside = (part.low, part.high)
            wide = part.high - part.low > NARROW
            found = branches if wide else stepped
            parts = [self._part(*one) for one in found(part.state, part.space, *inside, held, size)]
        if not parts and part.box is not None:
            base, margin = part.formulation, part.margin
            boxes = [base.box(branch, part.box) for branch in split(formulation, part.box, assembled, answer)]
            parts = [
                Subdomain(part.state, part.space, part.low, part.high, base, box, self._chain(base), margin=margin)
                for box in boxes
            ]
        return [one for one in parts if one.box is None or not one.box.empty]
