"""From a fund to its best allocation, verified: model, solve, tilts, exact re-computation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible
from allocator.model import Model
from allocator.model.tilts import Tilt
from allocator.pipeline.fund import Fund
from allocator.pipeline.joined_state import JoinedState
from allocator.pipeline.scenario_requirements import ScenarioRequirements
from allocator.pipeline.tilting import alone_or_together, apply_tilts, price
from allocator.result.result import Result
from allocator.solve import RelaxedConstraint, relax_by_priority
from allocator.solve import solve as solve_model
from allocator.solve.search.exact import ENOUGH, Exact
from allocator.solve.search.solution import Solved
from allocator.solve.state.state import solve_with_state
from allocator.verify import verify

__all__ = ["optimize", "solve"]


EQUAL = 1e-10
"""Gain, an annual decimal or relative for money, below which two books are equally good."""


def optimize(fund: Fund) -> Result:
    """Return the best allocation of a fund, verified.

    Parameters
    ----------
    fund : Fund
        The fund.

    Raises
    ------
    Infeasible
        When no allocation meets the rules; names the rules in conflict.
    NotProven
        When none was found within the limits and infeasibility is not proven.
    VerificationError
        When the exact re-computation does not confirm the answer: a defect, never a result.
    """
    # Threads would add up in an order of their own: one makes the same files give the same bits.
    with threadpool_limits(limits=1):
        return _optimize(fund)


def _optimize(fund: Fund) -> Result:
    seconds: dict[str, float] = {}
    with _timed(seconds, "model"):
        model, before, survival = fund.model, fund.position(), ScenarioRequirements(fund)
    with _timed(seconds, "solve"):
        untilted, relaxed_constraints = _solve_or_relax(fund, model)
    with _timed(seconds, "tilts"):
        tilts = fund.tilts
        tilted = _tilted(fund, untilted, tilts)
        alone = alone_or_together(untilted, tilted, tilts, partial(_tilted, fund))
        prices = [price(untilted, *pair, fund.position, fund.context.expected_return) for pair in alone]
    solution = tilted.solution
    model = survival.applied(tilted.model, solution.holdings)
    solution.holdings.setflags(write=False)
    with _timed(seconds, "verify"):
        after = fund.position(solution.holdings)
        stressed = survival.study(after)
        if after is not None and model.tree is not None and survival.required:
            after = replace(after, tree=model.tree)
        verify(model, solution.holdings, None if after is None else after.tree, solution.objective)
    return Result(
        fund.inputs,
        model,
        fund.regime,
        solution,
        before,
        after,
        fund.context.expected_return,
        fund.context.risk if fund.context.risk_was_used else None,
        {tilt.spec.name: tilt.score for tilt in tilts},
        tuple(prices),
        seconds,
        relaxed_constraints,
        stressed,
        fund.unchecked,
    )


def solve(fund: Fund, model: Model, settings: SolveSettings | None = None, *, diagnose: bool = True) -> Solved:
    """Return the answer to a model over a fund's space, with the tree that is exact at it.

    Where charges depend on the book as a whole, the search branches on that too. The scenarios of
    ``capital.require_under`` are survived.

    Parameters
    ----------
    fund : Fund
        The fund.
    model : Model
        Its model, or one that differs in objective, terms or capital limits.
    settings : SolveSettings or None
        None takes the fund file's.
    diagnose : bool
        Whether an infeasible model is worth finding the rules in conflict.

    Raises
    ------
    Infeasible, NotProven
        As `optimize`.
    """
    settled = settings or fund.settings.solve
    solved = ScenarioRequirements(fund).hold(model, partial(_solve_alone, fund, settings=settled, diagnose=diagnose))
    return _stayed(fund, solved)


def _stayed(fund: Fund, solved: Solved) -> Solved:
    """Return the answer that keeps the book where nothing is gained by leaving it: among equals nobody trades."""
    model, solution, held = solved.model, solved.solution, fund.space.current
    space = model.space
    if fund.settings.capital is not None and fund.settings.capital.require_under:
        return solved
    if np.array_equal(solution.holdings, held) or np.any(held < space.lower) or np.any(held > space.upper):
        return solved
    staying = replace(model, tree=fund.tree_at(held))
    exact = Exact(staying)
    objective = exact.objective(held) if exact.keeps_terms(held) and exact.headroom(held) >= ENOUGH else -np.inf
    if objective < solution.objective - EQUAL * max(1.0, abs(solution.objective)):
        return solved
    bound = max(solution.bound, objective)
    return Solved(
        staying, replace(solution, holdings=held.copy(), objective=objective, bound=bound, gap=bound - objective)
    )


def _solve_or_relax(fund: Fund, model: Model) -> tuple[Solved, tuple[RelaxedConstraint, ...]]:
    """Solve; where the rules contradict each other and the user wants it, the lowest priorities give way."""
    if not fund.settings.solve.relax:
        return solve(fund, model), ()

    def ask(question: Model) -> Vector | None:
        try:
            return solve(fund, question, diagnose=False).solution.holdings
        except Infeasible:
            return None

    try:
        return solve(fund, model, diagnose=False), ()
    except Infeasible:
        relaxed, relaxed_constraints = relax_by_priority(model, ask=ask)
    return solve(fund, relaxed), relaxed_constraints


def _solve_alone(
    fund: Fund, model: Model, join: Callable[[CapitalTree], CapitalTree], settings: SolveSettings, diagnose: bool
) -> Solved:
    regime, state = fund.regime, fund.book_state
    if regime is None or state is None:
        return Solved(model, solve_model(model, settings, diagnose=diagnose))
    tree_at, joined = fund.ask_regime(regime.tree), JoinedState(state, join)
    tree, solution = solve_with_state(model, joined, lambda x: join(tree_at(x)), settings, diagnose=diagnose)
    return Solved(replace(model, tree=tree), solution)


def _tilted(fund: Fund, untilted: Solved, tilts: Sequence[Tilt]) -> Solved:
    return apply_tilts(untilted, tilts, partial(solve, fund), fund.settings.solve, fund.context.expected_return)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
