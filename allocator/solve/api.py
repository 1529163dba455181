"""The door of the room: a model in, an answer with its certificate out."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from allocator.capital.tree import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible, NotProven, Problem
from allocator.model.model import Model
from allocator.solve.decomposition.sifting import WarmStart
from allocator.solve.infeasible.conflict import find_conflicts, problems_of
from allocator.solve.search.checks import check_model
from allocator.solve.search.discrete import search_for
from allocator.solve.search.prices import find_prices
from allocator.solve.search.ratio import best_ratio
from allocator.solve.search.search import Outcome, Search
from allocator.solve.search.solution import Solution
from allocator.types import Text

__all__ = ["prepare", "run_search", "with_duals", "solve"]


def solve(
    model: Model,
    settings: SolveSettings | None = None,
    *,
    diagnose: bool = True,
    warm_start: WarmStart | None = None,
    settled: bool = True,
) -> Solution:
    """Return the best holdings of a model, exact and certified.

    Parameters
    ----------
    model : Model
        What is maximized under which promises.
    settings : SolveSettings or None
        Gap, time and node limits, solver; None takes the defaults.
    diagnose : bool
        Whether an infeasible model is worth finding the rules in conflict; a search that only needs the
        verdict says no.
    warm_start : WarmStart or None
        Prices of an earlier solve over the same holdings, brought up to date: a sweep of large models starts each
        from the last.
    settled : bool
        Whether the answer is moved to the local optimum that it belongs to, to rounding, which costs some more
        programs: a study that solves again around its answer says no.

    Returns
    -------
    Solution
        Status ``"optimal"`` only when the certified gap is within ``settings.gap``.

    Raises
    ------
    InputError
        Crossing bounds, rows that nothing bounds, an objective without end.
    Infeasible
        No allocation meets the rules: proven. The problems name an irreducible set of rules in conflict and
        how far each alone must give way.
    NotProven
        Limits were reached before a compliant answer or a proof that there is none.
    SolverFailure
        No solver of the chain answered.
    """
    if model.per_capital:

        def solved(plain: Model, limits: SolveSettings) -> tuple[CapitalTree | None, Solution]:
            return plain.tree, solve(plain, limits, diagnose=diagnose, warm_start=warm_start, settled=settled)

        return best_ratio(model, settings or SolveSettings(), solved)[1]
    started = time.perf_counter()
    search = prepare(model, settings or SolveSettings(), warm_start, settled=settled)
    return replace(with_duals(search, run_search(search, diagnose=diagnose)), seconds=time.perf_counter() - started)


def prepare(model: Model, settings: SolveSettings, warm_start: WarmStart | None, *, settled: bool) -> Search:
    """Return the search for the answer of a model that has been checked; the rest as for `solve`.

    Parameters
    ----------
    model : Model
        What is maximized under which promises.
    settings : SolveSettings
        Gap, time and node limits, solver.
    warm_start : WarmStart or None
        Prices of an earlier solve over the same holdings.
    settled : bool
        Whether the answer is moved to its local optimum.

    Raises
    ------
    InputError
        Crossing bounds, rows that nothing bounds, budgets out of reach.
    """
    check_model(model)
    return search_for(model, settings, warm_start, settled=settled)


def run_search(search: Search, *, diagnose: bool) -> Outcome:
    """Return how a search ends, with an answer; the rest as for `solve`.

    Parameters
    ----------
    search : Search
        Not yet run.
    diagnose : bool
        Whether the rules in conflict are named where the model is infeasible.

    Raises
    ------
    Infeasible
        No allocation meets the rules: proven.
    NotProven
        Limits were reached before a compliant answer or a proof that there is none.
    """
    outcome = search.run()
    if outcome.best is None:
        raise _without_answer(search, outcome, diagnose)
    return outcome


def with_duals(search: Search, outcome: Outcome) -> Solution:
    """Return the outcome of a search that found an answer, with the prices there.

    Parameters
    ----------
    search : Search
        The search, run.
    outcome : Outcome
        How it ended, with an answer.
    """
    assert outcome.best is not None
    prices = find_prices(search.continuous, outcome.best.holdings)
    return Solution(
        holdings=outcome.best.holdings,
        status="optimal" if outcome.proven else "feasible",
        objective=outcome.best.objective,
        bound=outcome.bound,
        gap=abs(outcome.bound - outcome.best.objective),
        nodes=outcome.solves,
        solver=outcome.solver,
        seconds=0.0,
        # Rules in whole numbers have no price: they are decided, not relaxed.
        shadow_prices={
            term.name: prices.shadow.get(term.name, np.zeros(len(term.right))) for term in search.model.terms
        },
        capital_prices=prices.capital,
        reduced_costs=prices.reduced,
    )


def _without_answer(search: Search, outcome: Outcome, diagnose: bool) -> Infeasible | NotProven:
    if outcome.proven and not diagnose:
        return Infeasible(Problem(Text("the rules contradict each other", "各项规则相互矛盾")))
    if outcome.proven:
        return Infeasible(problems_of(find_conflicts(search.model, search.settings), search.model.space.money))
    return NotProven(
        Problem(
            Text(
                "no compliant allocation was found, nor proof that there is none",
                "未找到合规方案，也未能证明其不存在",
            ),
            got=f"{outcome.solves} solves",
            hint=Text("raise solve.time_limit or solve.max_nodes", "请提高 solve.time_limit 或 solve.max_nodes"),
        )
    )
