"""A thousand badly scaled random funds, requirements at the edge, and solvers that lie.

Each answer is judged by the exact engine built anew; each refusal by books drawn at random. Prints the counts.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

from allocator import Infeasible, NotProven
from allocator.errors import SolverFailure, VerificationError
from allocator.result.result import Result
from allocator.solve.program.program import ConeProgram, SolverResult, SolverStatus
from allocator.solve.search.exact import Exact
from allocator.solve.solvers.backends import Backend, Clarabel, Highs, Scs
from tests.acceptance.random_funds import RandomFund, random_fund

pytestmark = pytest.mark.acceptance

FUNDS = 1000
EDGES = 100
LIES = 300
TOLERANCE = 1e-7
GAP = 1e-5
REFUSALS = (Infeasible, NotProven)


def books(made: RandomFund, seed: int, count: int = 40) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Return random books that keep every bound and budget: mixtures of the current one and moves inside pairs."""
    random = np.random.default_rng([7, seed])
    assets = made.assets
    low, high = assets["min"].to_numpy(), assets["max"].to_numpy()
    found = []
    for _ in range(count):
        held = assets["amount"].to_numpy().copy()
        for _ in range(3 * len(held)):
            first, second = random.integers(0, len(held), 2)
            if assets["account"].iloc[first] != assets["account"].iloc[second]:
                continue
            most = min(high[first] - held[first], held[second] - low[second])
            step = max(most, 0.0) * random.choice([0.5, 1.0])
            held[first] += step
            held[second] -= step
        found.append(np.clip(held, low, high))
    return found


def judge(made: RandomFund, seed: int, required: float) -> str:
    """Return what came of a fund, or a sentence that begins with WRONG."""
    fund, engine = made.fund(comprehensive=required), made.fund()
    others = [held for held in books(made, seed) if engine.position(held).ratio("comprehensive") >= required]
    try:
        result = fund.optimize().value
    except Infeasible:
        return "infeasible" if not others else f"WRONG: fund {seed} called infeasible, a random book is compliant"
    except NotProven:
        return "not proven"
    except (VerificationError, SolverFailure) as error:
        return f"refused: {type(error).__name__}"
    return wrong(made, result, required, others) or result.solution.status


def wrong(made: RandomFund, result: Result, required: float, others: list[Any]) -> str | None:
    """Judge an answer by an engine of its own."""
    held, solution = result.holdings, result.solution
    fresh = made.fund().position(held)
    assert fresh is not None
    name = made.settings["fund"]["name"]
    if not fresh.ratio("comprehensive") >= required - TOLERANCE:
        return f"WRONG: {name} reaches {fresh.ratio('comprehensive')} of {required}"
    total = made.assets["amount"].sum()
    low, high = made.assets["min"].to_numpy(), made.assets["max"].to_numpy()
    if np.any(held < low - 1e-6 * total) or np.any(held > high + 1e-6 * total):
        return f"WRONG: {name} leaves its bounds"
    for _, rows in made.assets.groupby("account"):
        if abs(held[rows.index].sum() - rows["amount"].sum()) > 1e-6 * total:
            return f"WRONG: {name} leaves a budget"
    if solution.status == "optimal" and not solution.gap <= GAP:
        return f"WRONG: {name} is called optimal with a gap of {solution.gap}"
    exact = Exact(result.model)
    best = max((exact.objective(book) for book in others), default=-np.inf)
    if best > solution.bound + 1e-9:
        return f"WRONG: {name}: a random book earns {best}, above the bound {solution.bound}"
    return None


def one(seed: int) -> str:
    made = random_fund(seed)
    return judge(made, seed, made.settings["capital"]["require"]["comprehensive"])


def edge(seed: int) -> list[str]:
    """Ask for a ratio that the least capital reaches, a little less, and a little more than any book can reach.

    Costs come out of actual capital, so that a book of more capital and less trading may reach a higher ratio than the
    book of the least; none reaches actual capital before costs over the certified bound of the least.
    """
    made = random_fund(10_000 + seed)
    least = made.minimizing_capital().optimize().value
    assert least.before is not None
    assert least.after is not None
    reached = least.after.ratio("comprehensive")
    (free,) = (item.capital for item in least.before.requirements if item.name == "comprehensive")
    asked = {
        "at the edge": reached * (1 - 1e-9),
        "just inside": reached * (1 - 1e-5),
        "just outside": free / least.bound * (1 + 1e-3),
    }
    return [f"{place}: {judge(made, seed, ratio)}" for place, ratio in asked.items()]


def tried(found: Counter[str], what: str) -> None:
    print(f"{what}: {dict(sorted(found.items()))}")
    assert not [outcome for outcome in found if "WRONG" in outcome]


def test_a_thousand_funds_give_no_wrong_answer() -> None:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = Counter(pool.map(one, range(FUNDS), chunksize=10))
    tried(found, f"{FUNDS} funds of 1 to 1e14 CNY")
    assert found["optimal"] > FUNDS / 3


def test_requirements_at_the_edge_of_what_can_be_reached() -> None:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = Counter(outcome for outcomes in pool.map(edge, range(EDGES)) for outcome in outcomes)
    tried(found, f"{EDGES} funds at the edge")
    assert found["just outside: optimal"] == found["just outside: feasible"] == 0


HONEST: dict[type[Backend], Any] = {backend: backend.solve for backend in (Clarabel, Scs, Highs)}


class Liar:
    """A solver that now and then returns nonsense under a straight face, or none at all."""

    def __init__(self, seed: int) -> None:
        self.random, self.told = np.random.default_rng([13, seed]), Counter[str]()

    def __call__(self, backend: Backend, program: ConeProgram, seconds: float) -> SolverResult:
        answer = HONEST[type(backend)](backend, program, seconds)
        lie = self.random.choice(["", "nan", "noise", "status", "failed", "late", "dual"], p=[0.4, *[0.1] * 6])
        self.told[str(lie)] += 1
        if lie == "nan":
            return SolverResult(SolverStatus.SOLVED, np.full_like(answer.primal, np.nan), answer.dual, answer.solver)
        if lie == "noise":
            noise = self.random.normal(0.0, 0.1, len(answer.primal))
            return SolverResult(SolverStatus.SOLVED, answer.primal + noise, answer.dual, answer.solver)
        if lie == "status":
            return SolverResult(
                self.random.choice([SolverStatus.SOLVED, SolverStatus.INFEASIBLE]),
                answer.primal,
                answer.dual,
                answer.solver,
            )
        if lie in ("failed", "late"):
            return SolverResult(SolverStatus.FAILED, answer.primal, answer.dual, answer.solver)
        if lie == "dual":
            noise = self.random.normal(0.0, 1.0, len(answer.dual))
            return SolverResult(answer.verdict, answer.primal, answer.dual + noise, answer.solver)
        return answer


def lied_to(seed: int) -> tuple[str, Counter[str]]:
    """Judge a fund under lying solvers; return with it how many lies of each kind were told."""
    made, liar = random_fund(seed), Liar(seed)
    with pytest.MonkeyPatch.context() as patched:
        for backend in HONEST:
            patched.setattr(backend, "solve", lambda self, program, seconds: liar(self, program, seconds))
        return judge(made, seed, made.settings["capital"]["require"]["comprehensive"]), liar.told


def test_solvers_that_lie_never_make_a_wrong_answer() -> None:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lied_to, range(LIES), chunksize=5))
    told = sum((lies for _, lies in outcomes), Counter[str]())
    lies = sum(told.values()) - told[""]
    assert lies > LIES
    tried(Counter(outcome for outcome, _ in outcomes), f"{LIES} funds under lying solvers ({lies} lies)")
