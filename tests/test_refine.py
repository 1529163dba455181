"""Answers brought to the optimality conditions, against optima known in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse

from allocator.solve.program.program import Block, Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers import backends, conditions
from allocator.solve.solvers.backends import SolverChain
from allocator.solve.solvers.conditions import Conditions
from allocator.solve.solvers.refine import MET, refined


def ball(slopes: np.ndarray) -> tuple[ConeProgram, np.ndarray]:
    """Minimize q′z over ‖z‖ ≤ 1, whose answer is −q / ‖q‖."""
    size = len(slopes)
    matrix = sparse.csc_array(np.vstack([np.zeros(size), -np.eye(size)]))
    program = ConeProgram(
        sparse.csc_array((size, size)),
        slopes,
        matrix,
        np.append(1.0, np.zeros(size)),
        (Block(Cone.SECOND_ORDER, size + 1),),
    )
    return program, -slopes / np.linalg.norm(slopes)


def near(program: ConeProgram, primal: np.ndarray, dual: np.ndarray, by: float) -> SolverResult:
    noise = np.random.default_rng(5)
    return SolverResult(
        SolverStatus.SOLVED,
        primal + by * noise.normal(size=len(primal)),
        dual + by * noise.normal(size=len(dual)),
        "test",
    )


def test_a_point_near_the_optimum_is_moved_onto_it() -> None:
    slopes = np.array([3.0, -4.0, 12.0])
    program, best = ball(slopes)
    dual = np.append(13.0, slopes)  # stationary: q − y₁ = 0, on the cone's surface: y₀ = ‖y₁‖
    answer = refined(program, near(program, best, dual, 1e-3))
    np.testing.assert_allclose(answer.primal, best, atol=1e-13)
    np.testing.assert_allclose(answer.dual, dual, atol=1e-12)


def test_what_an_interior_point_leaves_of_a_flat_optimum_is_removed() -> None:
    """Minimize ½ 1e-3 Σ dᵢ (zᵢ − tᵢ)² with Σ z = 1, z ≥ 0: by the multiplier, tᵢ − λ / dᵢ or zero."""
    pulls, targets = np.array([1.0, 2.0, 4.0, 1.0]), np.array([0.6, 0.5, 0.4, -0.9])
    matrix = sparse.csc_array(np.vstack([np.ones(4), -np.eye(4)]))
    flat = 1e-3
    program = ConeProgram(
        sparse.csc_array(flat * np.diag(pulls)),
        -flat * pulls * targets,
        matrix,
        np.append(1.0, np.zeros(4)),
        (Block(Cone.ZERO, 1), Block(Cone.NONNEGATIVE, 4)),
    )
    level = (targets[:3].sum() - 1.0) / (1.0 / pulls[:3]).sum()
    best = np.append(targets[:3] - level / pulls[:3], 0.0)
    rough = SolverChain("clarabel").solve(program, 10.0)
    assert np.abs(rough.primal - best).max() > 1e-10
    answer = refined(program, rough)
    np.testing.assert_allclose(answer.primal, best, atol=1e-13)
    assert answer.dual[0] == pytest.approx(flat * level, abs=1e-14)
    assert answer.dual[4] == pytest.approx(flat * (level + 0.9), abs=1e-14)


def test_multipliers_that_are_not_unique_do_no_harm() -> None:
    """Minimize −z with z ≤ 1 asked for three times: only the sum of the multipliers is determined."""
    program = ConeProgram(
        sparse.csc_array((1, 1)),
        np.array([-1.0]),
        sparse.csc_array(np.ones((3, 1))),
        np.ones(3),
        (Block(Cone.NONNEGATIVE, 3),),
    )
    answer = refined(program, near(program, np.ones(1), np.full(3, 1.0 / 3.0), 1e-4))
    assert answer.primal == pytest.approx([1.0], abs=1e-12)
    assert answer.dual.sum() == pytest.approx(1.0, abs=1e-12) and (answer.dual >= 0.0).all()


@pytest.mark.parametrize("verdict", [SolverStatus.INFEASIBLE, SolverStatus.UNBOUNDED, SolverStatus.FAILED])
def test_only_what_was_solved_is_moved(verdict: SolverStatus) -> None:
    program, best = ball(np.ones(2))
    answer = SolverResult(verdict, best, np.ones(3), "test")
    assert refined(program, answer) is answer


def test_cones_without_a_known_slope_are_left_as_they_are() -> None:
    program = ConeProgram(
        sparse.csc_array((3, 3)), np.ones(3), sparse.csc_array(-np.eye(3)), np.zeros(3), (Block(Cone.EXPONENTIAL, 3),)
    )
    answer = SolverResult(SolverStatus.SOLVED, np.ones(3), np.ones(3), "test")
    assert refined(program, answer) is answer


def test_a_point_far_from_any_optimum_is_not_made_worse() -> None:
    program, best = ball(np.array([3.0, -4.0]))
    answer = near(program, -best, np.zeros(3), 0.1)
    moved = refined(program, answer)

    def missed(one: SolverResult) -> float:
        stationary = program.linear + program.matrix.T @ one.dual
        return float(np.abs(stationary).max())

    assert moved is answer or missed(moved) <= missed(answer)


def test_factors_of_all_holdings_change_the_ordering_not_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minimize ½ (x′D x + Σ (f′x)²) with Σ x = 1: by the multiplier, x is in proportion to (D + F′F)⁻¹ 1."""
    size, shared, rng, seen = 400, 20, np.random.default_rng(3), []
    own, factors = rng.uniform(1.0, 2.0, size), rng.normal(size=(shared, size)) / 20.0
    rows = np.vstack([np.hstack([factors, -np.eye(shared)]), np.append(np.ones(size), np.zeros(shared))])
    program = ConeProgram(
        sparse.csc_array(np.diag(np.append(own, np.ones(shared)))),
        np.zeros(size + shared),
        sparse.csc_array(rows),
        np.append(np.zeros(shared), 1.0),
        (Block(Cone.ZERO, shared + 1),),
    )
    plain = conditions.linalg.splu
    monkeypatch.setattr(
        conditions.linalg, "splu", lambda system, permc_spec: (seen.append(permc_spec), plain(system, permc_spec))[1]
    )
    solved = np.linalg.solve(np.diag(own) + factors.T @ factors, np.ones(size))
    rough = SolverChain("clarabel").solve(program, 10.0)
    answer = refined(program, replace(rough, primal=rough.primal + 1e-7))
    np.testing.assert_allclose(answer.primal[:size], solved / solved.sum(), atol=1e-13)
    assert seen == ["COLAMD"]
    chain = _chain(size)
    np.testing.assert_allclose(refined(chain, near(chain, np.ones(size), np.zeros(size - 1), 1e-3)).primal, 1.0)
    assert seen[-1] == "MMD_AT_PLUS_A"


def _chain(size: int) -> ConeProgram:
    """Minimize ½ Σ (zᵢ − 1)² with neighbours equal."""
    return ConeProgram(
        sparse.csc_array(sparse.eye_array(size)),
        -np.ones(size),
        sparse.csc_array(sparse.diags_array([1.0, -1.0], offsets=[0, 1], shape=(size - 1, size))),
        np.zeros(size - 1),
        (Block(Cone.ZERO, size - 1),),
    )


def test_a_step_across_an_edge_that_misses_more_at_first_is_followed_by_one_that_does_not() -> None:
    """Minimize ½ Σ dᵢ (zᵢ − tᵢ)² with Σ z = 1, z ≥ 0, begun where multipliers and holdings do not agree."""
    pulls, targets = np.array([4.368, 1.822, 3.52]), np.array([0.405, 0.217, 0.621])
    program = ConeProgram(
        sparse.csc_array(np.diag(pulls)),
        -pulls * targets,
        sparse.csc_array(np.vstack([np.ones(3), -np.eye(3)])),
        np.append(1.0, np.zeros(3)),
        (Block(Cone.ZERO, 1), Block(Cone.NONNEGATIVE, 3)),
    )
    start = SolverResult(
        SolverStatus.SOLVED, np.array([0.3572, 0.0333, 0.6386]), np.array([0.2535, 0.0022, 0.0358, 0.0639]), "test"
    )
    level = (targets.sum() - 1.0) / (1.0 / pulls).sum()
    best = targets - level / pulls  # all three are held
    assert best.min() > 0.0
    np.testing.assert_allclose(refined(program, start).primal, best, atol=1e-14)


def projected(program: ConeProgram, side: np.ndarray) -> np.ndarray:
    """The point of K* nearest to u: itself, its positive part, or by the formula of the second-order cone."""
    found, start = side.copy(), 0
    for block in program.blocks:
        part = found[start : start + block.rows]
        start += block.rows
        if block.cone is Cone.NONNEGATIVE:
            part[:] = np.maximum(part, 0.0)
        elif block.cone is Cone.SECOND_ORDER:
            height, length = part[0], np.linalg.norm(part[1:])
            if length > abs(height):
                part[:] = 0.5 * (1.0 + height / length) * np.append(length, part[1:])
            elif height < 0.0:
                part[:] = 0.0
    return found


@given(st.integers(0, 10_000))
def test_a_step_solves_the_whole_system_whatever_it_leaves_to_no_factors(seed: int) -> None:
    """[P, A′D; A, D − I] d = missed in full, D by differences: bounds met once and twice, idle rows, a cut cone."""
    rng = np.random.default_rng(seed)
    size, shared = 12, 2
    bounds = np.eye(size)[np.append(rng.permutation(size)[:5], rng.integers(size))]
    bounds *= rng.choice([-1.0, 1.0, 0.5], (len(bounds), 1))
    cone = np.vstack([rng.normal(size=(2, size)), np.eye(size)[rng.permutation(size)[:2]]])
    parts = [rng.normal(size=(shared, size)), rng.normal(size=(2, size)), bounds, cone]
    program = ConeProgram(
        sparse.csc_array(np.diag(rng.uniform(0.5, 2.0, size))),
        rng.normal(size=size),
        sparse.csc_array(np.vstack(parts)),
        rng.normal(size=sum(len(part) for part in parts)),
        (Block(Cone.ZERO, shared), Block(Cone.NONNEGATIVE, 2 + len(bounds)), Block(Cone.SECOND_ORDER, 4)),
    )
    side = rng.normal(size=len(program.right))
    tiny = 1e-6
    slope = np.column_stack(
        [
            (projected(program, side + tiny * unit) - projected(program, side - tiny * unit)) / (2 * tiny)
            for unit in np.eye(len(side))
        ]
    )
    dense = program.matrix.toarray()
    whole = np.block([[program.quadratic.toarray(), dense.T @ slope], [dense, slope - np.eye(len(side))]])
    assume(np.linalg.cond(whole) < 1e5 and np.abs(side).min() > 1e-3)
    missed = rng.normal(size=size + len(side))
    step = Conditions(program).step(side)
    assert step is not None
    np.testing.assert_allclose(step(missed), np.linalg.solve(whole, missed), rtol=1e-5, atol=1e-5)


def curved_book(size: int = 1_200, shared: int = 20) -> ConeProgram:
    """Minimize ½ Σ (f′x)² + ½ Σ d x² with Σ x = 1, x ≥ 0: all columns curved, all cones flat."""
    rng = np.random.default_rng(11)
    own, factors = rng.uniform(0.5, 2.0, size), rng.normal(size=(shared, size)) / 5.0
    exposures = np.hstack([factors, -np.eye(shared)])
    budget, floor = np.append(np.ones(size), np.zeros(shared)), -np.eye(size, size + shared)
    return ConeProgram(
        sparse.csc_array(sparse.diags_array(np.append(own, np.ones(shared)))),
        np.zeros(size + shared),
        sparse.csc_array(np.vstack([exposures, budget, floor])),
        np.concatenate([np.zeros(shared), [1.0], np.zeros(size)]),
        (Block(Cone.ZERO, shared + 1), Block(Cone.NONNEGATIVE, size)),
    )


def test_newtons_steps_from_a_rough_answer_end_where_the_finest_one_does() -> None:
    program = curved_book()
    chain = SolverChain("clarabel")
    answer = chain.solve(program, 10.0)
    assert chain._rough is not None and (chain._rough.setups, chain._backends[0].setups) == (1, 0)  # type: ignore[attr-defined]
    side = answer.dual - (program.right - program.matrix @ answer.primal)
    assert np.abs(Conditions(program).missed(answer.primal, side)[0]).max() <= MET
    fine = refined(program, chain._backends[0].solve(program, 10.0))
    np.testing.assert_allclose(answer.primal, fine.primal, atol=1e-12)


def test_where_newtons_steps_end_nowhere_the_program_is_solved_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    program = curved_book()
    monkeypatch.setattr(backends, "approached", lambda program, answer: (answer, np.inf))
    chain = SolverChain("clarabel")
    answer = chain.solve(program, 10.0)
    assert chain._backends[0].setups == 1  # type: ignore[attr-defined]
    assert program.value(answer.primal) - program.bound(answer.primal, answer.dual) < 1e-8


def test_a_program_without_a_solution_has_the_finest_certificate() -> None:
    program = curved_book()
    beyond = replace(program, right=np.where(program.right == 1.0, -1.0, program.right))  # Σ x = −1, x ≥ 0
    answer = SolverChain("clarabel").solve(beyond, 10.0)
    assert answer.verdict is SolverStatus.INFEASIBLE and beyond.refuted_by(answer.dual)


def test_a_row_whose_only_entry_is_nothing_settles_no_column() -> None:
    """Minimize ½ (z − 2)² with 0 z ≤ 0, whose multiplier at the start says it is active, and z ≤ 1."""
    entries = sparse.csc_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), shape=(2, 1))
    program = ConeProgram(
        sparse.csc_array(np.eye(1)), np.array([-2.0]), entries, np.array([0.0, 1.0]), (Block(Cone.NONNEGATIVE, 2),)
    )
    answer = refined(program, SolverResult(SolverStatus.SOLVED, np.array([0.99]), np.array([1e-4, 0.99]), "test"))
    assert answer.primal == pytest.approx([1.0], abs=1e-12) and answer.dual[1] == pytest.approx(1.0, abs=1e-12)
