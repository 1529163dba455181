"""Linear programs by HiGHS: bounds taken out of the rows come back with their multipliers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from allocator.errors import SolverFailure
from allocator.solve.program.program import Block, Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers.backends import Highs, SolverChain

ROOM = 30.0


def drawn(seed: int) -> ConeProgram:
    """Return a bounded program with equalities, inequalities, bounds of any factor, and some twice."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(3, 12))
    inside = rng.uniform(-1.0, 1.0, size)
    dense = rng.normal(size=(int(rng.integers(1, 6)), size))
    equal = rng.normal(size=(1, size))
    factor = rng.uniform(0.5, 3.0, 2 * size)
    bounds = np.concatenate([np.diag(-factor[:size]), np.diag(factor[size:])])
    twice = bounds[rng.integers(0, 2 * size, 3)]
    fixed = np.eye(1, size, int(rng.integers(size))) * -2.0
    matrix = np.concatenate([equal, dense, bounds, twice, fixed])
    slack = np.concatenate([[0.0], rng.uniform(0.0, 0.5, len(matrix) - 2), [0.0]])
    blocks = (Block(Cone.ZERO, 1), Block(Cone.NONNEGATIVE, len(matrix) - 2), Block(Cone.ZERO, 1))
    right = matrix @ inside + slack
    return ConeProgram(sparse.csc_array((size, size)), rng.normal(size=size), sparse.csc_array(matrix), right, blocks)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_point_and_duals_certify_one_another(seed: int) -> None:
    program = drawn(seed)
    answer = SolverChain("highs").solve(program, ROOM)
    assert answer.verdict is SolverStatus.SOLVED
    left = program.right - program.matrix @ answer.primal
    linear = slice(1, len(left) - 1)
    assert left[linear].min() > -1e-7 and np.abs(left[[0, -1]]).max() < 1e-7
    assert answer.dual[linear].min() >= 0.0
    np.testing.assert_allclose(program.linear + program.matrix.T @ answer.dual, 0.0, atol=1e-8)
    assert program.bound(answer.primal, answer.dual) == pytest.approx(program.value(answer.primal), abs=1e-7)


@pytest.mark.parametrize(("right", "verdict"), [(-1.0, SolverStatus.INFEASIBLE), (1.0, SolverStatus.UNBOUNDED)])
def test_no_point_and_no_end_are_told_apart(right: float, verdict: SolverStatus) -> None:
    """x ≥ 0 and x + y ≤ right with y ≥ 0 hold nothing below zero; without y ≥ 0 nothing ends."""
    rows = np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])[: 3 if right < 0 else 2]
    program = ConeProgram(
        sparse.csc_array((2, 2)),
        np.array([0.0, 1.0]),
        sparse.csc_array(rows),
        np.append(right, np.zeros(len(rows) - 1)),
        (Block(Cone.NONNEGATIVE, len(rows)),),
    )
    assert SolverChain("highs").solve(program, ROOM).verdict is verdict


def test_a_contradiction_of_rows_and_bounds_comes_with_its_certificate() -> None:
    """2x + y ≥ 5, x ≤ 1, 3y ≤ 6: multipliers 1, 2, 1/3 add up to 0 ≤ −1."""
    rows = np.array([[-2.0, -1.0], [1.0, 0.0], [0.0, 3.0]])
    right, nothing = np.array([-5.0, 1.0, 6.0]), sparse.csc_array((2, 2))
    program = ConeProgram(nothing, np.zeros(2), sparse.csc_array(rows), right, (Block(Cone.NONNEGATIVE, 3),))
    answer = SolverChain("highs").solve(program, ROOM)
    assert answer.verdict is SolverStatus.INFEASIBLE
    assert answer.dual / answer.dual[0] == pytest.approx([1.0, 2.0, 1.0 / 3.0])


@pytest.mark.parametrize("certificate", [0.0, 1.0])
def test_a_solver_that_calls_a_program_infeasible_without_proof_is_not_believed(
    certificate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(self: Highs, program: ConeProgram, seconds: float) -> SolverResult:
        return SolverResult(
            SolverStatus.INFEASIBLE, np.zeros(program.size), np.full(len(program.right), certificate), "liar"
        )

    monkeypatch.setattr(Highs, "solve", lying)
    with pytest.raises(SolverFailure):
        SolverChain("highs").solve(drawn(1), ROOM)


def test_a_dual_point_outside_its_cone_proves_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """x ≥ 0 is least at 0; the row x / 1000 ≤ 100 with a multiplier of −1 would add 100 to the bound."""
    rows = np.array([[-1.0], [1e-3]])
    nothing, right = sparse.csc_array((1, 1)), np.array([0.0, 100.0])
    program = ConeProgram(nothing, np.ones(1), sparse.csc_array(rows), right, (Block(Cone.NONNEGATIVE, 2),))

    def lying(self: Highs, program: ConeProgram, seconds: float) -> SolverResult:
        return SolverResult(SolverStatus.SOLVED, np.zeros(1), np.array([1.0, -1.0]), "liar")

    monkeypatch.setattr(Highs, "solve", lying)
    answer = SolverChain("highs").solve(program, ROOM)
    assert program.bound(answer.primal, answer.dual) <= 0.0


@given(st.lists(st.floats(-3.0, 3.0), min_size=4, max_size=4), st.integers(0, 10_000))
def test_the_projected_point_is_the_nearest_of_the_dual_cone(dual: list[float], seed: int) -> None:
    """y − Π(y) is at no acute angle with the way from Π(y) to any other point of the cone."""
    blocks = (Block(Cone.NONNEGATIVE, 1), Block(Cone.SECOND_ORDER, 3))
    empty = sparse.csc_array((4, 1))
    program = ConeProgram(sparse.csc_array((1, 1)), np.zeros(1), empty, np.zeros(4), blocks)
    point, other = np.array(dual), np.random.default_rng(seed).normal(size=4)
    other[0], other[1] = abs(other[0]), float(np.linalg.norm(other[2:])) + abs(other[1])
    nearest = program.projected(point)
    assert nearest[0] >= 0.0 and nearest[1] >= np.linalg.norm(nearest[2:]) - 1e-12
    assert (point - nearest) @ (other - nearest) <= 1e-9
