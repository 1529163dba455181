"""A mean of the worst scenarios, solved on few of them: the same optimum, proven by duals of the whole program."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.config.settings import SolveSettings
from allocator.model import (
    ConditionalValueAtRisk,
    Linear,
    Model,
    ObjectiveTerm,
    Quadratic,
    Sense,
    Space,
    Term,
    TradeCost,
)
from allocator.solve import solve
from allocator.solve.decomposition import cvar_decomposition
from allocator.solve.decomposition.cvar_decomposition import find_cvar_rows, solve_by_scenarios
from allocator.solve.program.program import ConeProgram, SolverResult, SolverStatus
from allocator.solve.relaxation.formulation import Formulation
from allocator.solve.solvers.backends import SolverChain
from allocator.types import Source
from tests.books import label

ROOM = 60.0


def model_of(size: int, *objective: ObjectiveTerm, least: float = 0.0) -> Model:
    """Return weights that add up to one, each between ``least`` and one, of most value."""
    zeros, even = np.zeros(size), np.full(size, 1.0 / size)
    names = np.char.add("a", np.arange(size).astype(str))
    lower = np.full(size, least)
    space = Space(names, np.full(size, ""), even, lower, np.ones(size), np.ones(size, dtype=bool), zeros, 1.0)
    everything = Linear.of(np.ones(size))
    one = np.ones(1)
    budget = Term("budget", label("budget"), everything, Sense.EQUAL, one, one, "share", Source("house"))
    return Model(space, objective, (budget,), TradeCost(zeros, zeros, zeros, even))


def tail_model(size: int, count: int, seed: int, least: float = 0.0) -> Model:
    rng = np.random.default_rng(seed)
    returns = rng.standard_t(4, (count, size)) * rng.uniform(0.05, 0.2, size) + 0.05
    probability = rng.dirichlet(np.full(count, 5.0))
    tail = ConditionalValueAtRisk(returns, probability, rng.uniform(0.7, 0.97), rng.normal(0.0, 0.05, count))
    gain = ObjectiveTerm("gain", label("gain"), Linear.of(rng.normal(0.05, 0.05, size)), 1.0)
    return model_of(size, gain, ObjectiveTerm("tail", label("tail"), tail, -1.0), least=least)


def program_of(model: Model) -> ConeProgram:
    return Formulation(model).plain.program


def whole(program: ConeProgram, seconds: float = ROOM) -> SolverResult:
    return SolverChain("highs").solve(program, seconds)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_few_scenarios_find_the_optimum_and_their_duals_prove_it(seed: int) -> None:
    program = program_of(tail_model(5, 200, seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cvar_decomposition, "LEAST", 10)
        patch.setattr(cvar_decomposition, "MANY", 15)
        patch.setattr(cvar_decomposition, "MOST", 1.0)
        answer = solve_by_scenarios(program, find_cvar_rows(program), whole, ROOM)
    assert answer is not None and answer.verdict is SolverStatus.SOLVED
    optimum = program.value(whole(program).primal)
    assert program.value(answer.primal) == pytest.approx(optimum, abs=1e-8)
    assert program.bound(answer.primal, answer.dual) == pytest.approx(optimum, abs=1e-8)
    # Its point and its multipliers are points of the whole program.
    slack = program.right - program.matrix @ answer.primal
    start = 0
    for block in program.blocks:
        part, price = slack[start : start + block.rows], answer.dual[start : start + block.rows]
        assert np.abs(part).max() < 1e-8 if block.cone.value == "zero" else min(part.min(), price.min()) > -1e-8
        start += block.rows


def test_masters_of_many_scenarios_stay_few_and_small() -> None:
    """What guards the speed: counts, not seconds."""
    count = 4_000
    program = program_of(tail_model(20, count, 0))
    seen = []

    def counted(master: ConeProgram, seconds: float) -> SolverResult:
        seen.append(find_cvar_rows(master).count)
        return whole(master, seconds)

    assert find_cvar_rows(program).count == count
    assert solve_by_scenarios(program, find_cvar_rows(program), counted, ROOM) is not None
    assert len(seen) <= 8
    assert max(seen) < count / 4


def test_the_library_takes_few_scenarios_by_itself() -> None:
    model = tail_model(30, 1_200, 1)
    answer = solve(model)
    assert "scenarios" in answer.solver
    assert answer.gap < 1e-8
    assert answer.objective == pytest.approx(solve(model, SolveSettings(solver="highs")).objective, abs=1e-8)
    assert "scenarios" not in solve(tail_model(30, 600, 1)).solver


def test_a_program_that_follows_one_of_its_shape_is_solved_whole_from_the_last_basis() -> None:
    chain = SolverChain()
    first, second = (program_of(tail_model(30, 1_200, seed)) for seed in (1, 2))
    assert "scenarios" in chain.solve(first, ROOM).solver
    assert "scenarios" not in chain.solve(second, ROOM).solver


def test_a_contradiction_is_one_of_the_whole_program() -> None:
    program = program_of(tail_model(5, 300, 2, least=0.3))
    answer = solve_by_scenarios(program, find_cvar_rows(program), SolverChain("clarabel").solve, ROOM)
    assert answer is not None and answer.verdict is SolverStatus.INFEASIBLE
    assert program.refuted_by(answer.dual)


def test_a_split_trade_is_no_scenario() -> None:
    size = 50
    cost = TradeCost(np.full(size, 0.01), np.zeros(size), np.zeros(size), np.full(size, 1.0 / size))
    gain = ObjectiveTerm("gain", label("gain"), Linear.of(np.linspace(0.0, 0.1, size)), 1.0)
    program = program_of(model_of(size, gain, ObjectiveTerm("cost", label("cost"), cost, -1.0)))
    assert find_cvar_rows(program).count == 0


@pytest.mark.parametrize("rows", [10, 15])
def test_a_covariance_from_factors_or_observations_is_never_a_dense_matrix(rows: int) -> None:
    size = 5_000
    rng = np.random.default_rng(rows)
    # Ten factors with own variances, or fifteen observations alone.
    specific = rng.uniform(0.01, 0.1, size) if rows == 10 else np.zeros(size)
    risk = Quadratic(rng.normal(0.0, 0.1, (rows, size)) / (1.0 if rows == 10 else rows**0.5), specific)
    model = model_of(size, ObjectiveTerm("variance", label("variance"), risk, -1.0))
    tracemalloc.start()
    try:
        solve(model)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size**2 * 8 / 10
