"""Programs that follow one another are handed to a solver that stays set up: new numbers, the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from allocator.config.settings import SolveSettings
from allocator.model import Linear, Model, ObjectiveTerm, Quadratic, Sense, Space, Term, TradeCost
from allocator.solve import Sweep, solve
from allocator.solve.program.program import Block, Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers.highs import Highs
from allocator.solve.solvers.interior import Clarabel
from allocator.types import Source, Text
from tests.test_linear_solver import drawn

ROOM = 30.0


def _curved(seed: int) -> ConeProgram:
    """Return a bounded program with curvature and a second-order cone, ‖C z‖ ≤ 50."""
    program, rng = drawn(seed), np.random.default_rng(seed)
    cone = np.vstack([np.zeros(program.size), rng.normal(size=(2, program.size))])
    return replace(
        program,
        quadratic=sparse.csc_array(sparse.diags_array(rng.uniform(0.5, 2.0, program.size))),
        matrix=sparse.csc_array(sparse.vstack([program.matrix, cone])),
        right=np.append(program.right, [50.0, 0.0, 0.0]),
        blocks=(*program.blocks, Block(Cone.SECOND_ORDER, 3)),
    )


def _one_number(program: ConeProgram) -> ConeProgram:
    data = program.matrix.data.copy()
    data[0] *= 1.5
    return program.with_numbers(data, program.right)


def _wider(program: ConeProgram) -> ConeProgram:
    right = program.right.copy()
    right[1:-4] += 0.3
    return replace(program, right=right)


MOVES: dict[str, Callable[[ConeProgram], ConeProgram]] = {
    "costs": lambda program: replace(program, linear=program.linear[::-1].copy()),
    "curvature": lambda program: replace(program, quadratic=3.0 * program.quadratic),
    "coefficients": lambda program: replace(program, matrix=2.0 * program.matrix, right=2.0 * program.right),
    "right sides": _wider,
    "one number": _one_number,
}


@pytest.mark.parametrize("move", MOVES)
def test_a_kept_interior_point_solver_answers_as_a_new_one(move: str) -> None:
    kept = Clarabel()
    for seed in range(5):
        first = _curved(seed)
        assert kept.solve(first, ROOM).verdict is SolverStatus.SOLVED
        program = MOVES[move](first)
        again, anew = kept.solve(program, ROOM), Clarabel().solve(program, ROOM)
        assert again.verdict is anew.verdict is SolverStatus.SOLVED
        assert program.value(again.primal) == pytest.approx(program.value(anew.primal), abs=1e-7)
        assert program.bound(again.primal, again.dual) == pytest.approx(program.value(again.primal), abs=1e-6)
    assert kept.setups == 5


def test_a_program_is_worth_what_its_whole_quadratic_says() -> None:
    first, rng = _curved(4), np.random.default_rng(4)
    root = rng.normal(size=(first.size, first.size))
    whole = root @ root.T
    program = replace(first, quadratic=sparse.csc_array(np.triu(whole)))
    point = rng.normal(size=first.size)
    expected = 0.5 * point @ whole @ point + program.linear @ point + program.constant
    assert program.value(point) == pytest.approx(expected, rel=1e-12)


def test_a_program_of_another_pattern_is_set_up_anew() -> None:
    kept, first = Clarabel(), _curved(1)
    dense = first.matrix.toarray()
    dense[-1, -1] = 0.0
    other = replace(first, matrix=sparse.csc_array(dense))
    assert [kept.solve(each, ROOM).verdict for each in (first, other, first)] == [SolverStatus.SOLVED] * 3
    assert kept.setups == 3


def test_a_contradiction_among_new_numbers_is_certified() -> None:
    kept, first = Clarabel(), _curved(2)
    right = first.right.copy()
    right[-3] = -1.0
    kept.solve(first, ROOM)
    impossible = replace(first, right=right)
    answer = kept.solve(impossible, ROOM)
    assert answer.verdict is SolverStatus.INFEASIBLE and impossible.refuted_by(answer.dual)
    assert kept.solve(first, ROOM).verdict is SolverStatus.SOLVED


def test_a_kept_solver_that_fails_is_set_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, first = Clarabel(), _curved(3)
    kept.solve(first, ROOM)
    answer, told = Clarabel._answer, []

    def failing(self: Clarabel, solver: object, program: ConeProgram) -> SolverResult:
        told.append(answer(self, solver, program))
        return told[-1] if len(told) > 1 else replace(told[-1], verdict=SolverStatus.FAILED)

    monkeypatch.setattr(Clarabel, "_answer", failing)
    assert kept.solve(first, ROOM).verdict is SolverStatus.SOLVED
    assert (kept.setups, len(told)) == (2, 2)


def _linear(seed: int) -> ConeProgram:
    """Return a linear program of forty rows and sixty columns between zero and one."""
    rng = np.random.default_rng(seed)
    rows = rng.uniform(size=(40, 60))
    bounds = np.concatenate([-np.eye(60), np.eye(60)])
    right = np.concatenate([rows.sum(axis=1) / 3.0, np.zeros(60), np.ones(60)])
    matrix = sparse.csc_array(np.concatenate([rows, bounds]))
    return ConeProgram(
        sparse.csc_array((60, 60)), -rng.uniform(size=60), matrix, right, (Block(Cone.NONNEGATIVE, len(right)),)
    )


@pytest.mark.parametrize("what", ["costs", "right sides"])
def test_the_simplex_starts_at_the_last_basis(what: str) -> None:
    kept = warm = cold = 0
    solver = Highs()
    program = _linear(0)
    for step in range(6):
        shift = 1.0 + 0.01 * step
        if what == "costs":
            moved = replace(program, linear=program.linear + 0.01 * step * np.linspace(-1.0, 1.0, 60))
        else:
            moved = replace(program, right=np.concatenate([shift * program.right[:40], program.right[40:]]))
        alone = Highs()
        again, anew = solver.solve(moved, ROOM), alone.solve(moved, ROOM)
        assert moved.value(again.primal) == pytest.approx(moved.value(anew.primal), abs=1e-8)
        assert moved.bound(again.primal, again.dual) == pytest.approx(moved.value(again.primal), abs=1e-8)
        if step:
            warm, cold, kept = warm + solver.iterations, cold + alone.iterations, kept + 1
    assert kept == 5 and warm < 0.5 * cold


def test_a_basis_of_another_program_is_not_taken_up() -> None:
    solver = Highs()
    solver.solve(_linear(0), ROOM)
    other = drawn(5)
    answer, anew = solver.solve(other, ROOM), Highs().solve(other, ROOM)
    assert other.value(answer.primal) == pytest.approx(other.value(anew.primal), abs=1e-9)


def _risky(size: int) -> Model:
    """Return most return under a variance limit, long only and fully invested."""
    rng = np.random.default_rng(size)
    zeros, name, own = np.zeros(size), Text("Test", "测试"), Source("test")
    space = Space(
        np.char.add("a", np.arange(size).astype(str)),
        np.full(size, ""),
        np.full(size, 1.0 / size),
        zeros,
        np.ones(size),
        np.ones(size, dtype=bool),
        zeros,
        1.0,
    )
    budget = Term("budget", name, Linear.of(np.ones(size)), Sense.EQUAL, np.ones(1), np.ones(1), "share", own)
    curve = Quadratic(rng.normal(0.0, 0.1, (3, size)), rng.uniform(0.1, 0.3, size) ** 2)
    risk = Term("risk", name, curve, Sense.AT_MOST, np.array([0.05]), np.ones(1), "variance", own)
    aim = ObjectiveTerm("return", name, Linear.of(rng.uniform(0.01, 0.1, size)))
    return Model(space, (aim,), (budget, risk), TradeCost(zeros, zeros, zeros, space.current))


def test_a_sweep_of_a_limit_takes_one_set_up_and_one_program_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    setups: list[ConeProgram] = []
    set_up = Clarabel._set_up

    def counted(self: Clarabel, program: ConeProgram, seconds: float) -> object:
        setups.append(program)
        return set_up(self, program, seconds)

    monkeypatch.setattr(Clarabel, "_set_up", counted)
    model, settings = _risky(40), SolveSettings(gap=1e-9)
    budget, risk = model.terms
    levels = [replace(model, terms=(budget, replace(risk, right=np.array([each])))) for each in (0.01, 0.02, 0.05)]
    sweep = Sweep(model, settings)
    swept = [sweep.solve(level).solution for level in levels]
    assert len(setups) == 1
    assert [solution.nodes for solution in swept] == [1, 1, 1]
    for level, solution in zip(levels, swept, strict=True):
        assert solution.objective == pytest.approx(solve(level, settings).objective, abs=1e-8)
        assert solution.shadow_prices["risk"] == pytest.approx(solve(level, settings).shadow_prices["risk"], rel=1e-4)


def test_a_program_that_stalls_is_tried_with_a_firmer_diagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []
    program = _curved(0)
    plain = Clarabel._set_up

    def noted(self: Clarabel, program: ConeProgram, seconds: float, regularization: float = 1e-8) -> Any:
        tried.append(regularization)
        return plain(self, program, seconds, regularization)

    stalled = SolverResult(SolverStatus.FAILED, np.zeros(program.size), np.zeros(len(program.right)), "test")
    monkeypatch.setattr(Clarabel, "_set_up", noted)
    monkeypatch.setattr(Clarabel, "_answer", lambda self, solver, program: stalled)
    assert Clarabel().solve(program, 10.0).verdict is SolverStatus.FAILED
    assert tried == [1e-8, 1e-7]
    tried.clear()
    Clarabel(rough=True).solve(program, 10.0)
    assert tried == [1e-8]
