"""The solvers alone on the same problems, through the same factors: what nothing built on them can beat."""

from __future__ import annotations

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.solve.program.program import Block, Cone, ConeProgram
from benchmarks.problems import CONFIDENCE, Market

Vector = NDArray[np.float64]


def settings() -> clarabel.DefaultSettings:
    """Return the solver's settings: quiet, one thread, and no presolve, which would switch data updates off."""
    chosen = clarabel.DefaultSettings()
    chosen.verbose = False
    chosen.presolve_enable = False
    chosen.max_threads = 1
    return chosen


def minimum_variance(of: Market, unit: float = 1.0, chosen: clarabel.DefaultSettings | None = None) -> Vector:
    """Minimize the variance in ``unit``; the solver's tolerances are of that, one by default."""
    factors, size = of.factors.shape
    quadratic = sparse.diags_array(np.concatenate([2.0 * of.specific, np.full(factors, 2.0)]) / unit, format="csc")
    matrix = sparse.vstack([_exposures(of), _budget(size, factors), -sparse.eye_array(size, size + factors)])
    right = np.concatenate([np.zeros(factors), [1.0], np.zeros(size)])
    cones = [clarabel.ZeroConeT(factors + 1), clarabel.NonnegativeConeT(size)]
    linear = np.zeros(size + factors)
    return _solved(clarabel.DefaultSolver(quadratic, linear, matrix.tocsc(), right, cones, chosen or settings()), size)


class SameGap:
    """The solver alone, asked for what the library proves: its own default ends at 1e-8 of a variance near 1e-5."""

    @staticmethod
    def minimum_variance(of: Market) -> Vector:
        chosen = settings()
        chosen.tol_gap_abs = chosen.tol_gap_rel = chosen.tol_feas = 1e-9
        size = len(of.expected)
        return minimum_variance(of, of.variance(np.full(size, 1.0 / size)), chosen)


def maximum_return(of: Market, variance: float) -> Vector:
    return _solved(_return_solver(of, variance), len(of.expected))


def frontier(of: Market, variances: Vector) -> list[Vector]:
    """Return the frontier by one solver whose right side is changed from point to point."""
    factors, size = of.factors.shape
    solver = _return_solver(of, variances[0])
    found = [_solved(solver, size)]
    right = _return_right(of)
    for variance in variances[1:]:
        right[factors + 1 + size] = np.sqrt(variance)
        solver.update(b=right)
        found.append(_solved(solver, size))
    return found


def least_shortfall(returns: Vector) -> Vector:
    import highspy

    program = shortfall_program(returns)
    matrix, size = program.matrix, returns.shape[1]
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = program.size, 1 + returns.shape[0]
    kept = sparse.csc_array(matrix.tocsr()[: model.num_row_])
    model.col_cost_ = program.linear
    model.col_lower_ = np.where(np.arange(program.size) == size, -np.inf, 0.0)
    model.col_upper_ = np.full(program.size, np.inf)
    model.row_lower_ = np.append(1.0, np.full(returns.shape[0], -np.inf))
    model.row_upper_ = np.append(1.0, np.zeros(returns.shape[0]))
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = kept.indptr, kept.indices, kept.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(model)
    solver.run()
    return np.array(solver.getSolution().col_value)[:size]


def shortfall_program(returns: Vector) -> ConeProgram:
    """Return a + Σ uₛ / ((1 − β) S) over w ≥ 0, Σw = 1, u ≥ 0, u ≥ −r′w − a, columns (w, a, u)."""
    count, size = returns.shape
    columns = size + 1 + count
    budget = sparse.hstack([sparse.csr_array(np.ones((1, size))), sparse.csr_array((1, 1 + count))])
    losses = sparse.hstack([-returns, -np.ones((count, 1)), -sparse.eye_array(count)])
    floor = -sparse.eye_array(columns, format="csr")[np.append(np.arange(size), np.arange(size + 1, columns))]
    cost = np.concatenate([np.zeros(size), [1.0], np.full(count, 1.0 / ((1.0 - CONFIDENCE) * count))])
    return ConeProgram(
        sparse.csc_array((columns, columns)),
        cost,
        sparse.csc_array(sparse.vstack([budget, losses, floor])),
        np.concatenate([[1.0], np.zeros(count + columns - 1)]),
        (Block(Cone.ZERO, 1), Block(Cone.NONNEGATIVE, count + columns - 1)),
    )


def solvency(size: int) -> float:
    """Solve the relaxation of the library's own model as it stands: the same cones, by the solver alone."""
    from allocator.config.settings import SolveSettings
    from allocator.solve.relaxation.formulation import Formulation
    from allocator.solve.solvers.backends import SolverChain
    from benchmarks.universe import universe

    formulation = Formulation(universe(size))
    program = formulation.relaxation(formulation.whole).program
    answer = SolverChain("clarabel").solve(program, SolveSettings(time_limit=3000).time_limit)
    return -program.value(answer.primal) * formulation.plain.objective_scale


def _return_solver(of: Market, variance: float) -> clarabel.DefaultSolver:
    factors, size = of.factors.shape
    width = size + factors
    risk = sparse.vstack(
        [
            sparse.csr_array((1, width)),
            sparse.hstack([sparse.csr_array((factors, size)), -sparse.eye_array(factors)]),
            sparse.hstack([-sparse.diags_array(np.sqrt(of.specific)), sparse.csr_array((size, factors))]),
        ]
    )
    matrix = sparse.vstack([_exposures(of), _budget(size, factors), -sparse.eye_array(size, width), risk]).tocsc()
    right = _return_right(of)
    right[factors + 1 + size] = np.sqrt(variance)
    cones = [clarabel.ZeroConeT(factors + 1), clarabel.NonnegativeConeT(size), clarabel.SecondOrderConeT(1 + width)]
    linear = np.concatenate([-of.expected, np.zeros(factors)])
    return clarabel.DefaultSolver(sparse.csc_array((width, width)), linear, matrix, right, cones, settings())


def _return_right(of: Market) -> Vector:
    factors, size = of.factors.shape
    return np.concatenate([np.zeros(factors), [1.0], np.zeros(size), np.zeros(1 + factors + size)])


def _exposures(of: Market) -> sparse.csr_array:
    return sparse.csr_array(sparse.hstack([sparse.csr_array(of.factors), -sparse.eye_array(len(of.factors))]))


def _budget(size: int, factors: int) -> sparse.csr_array:
    return sparse.csr_array(np.concatenate([np.ones(size), np.zeros(factors)])[None, :])


def _solved(solver: clarabel.DefaultSolver, size: int) -> Vector:
    return np.array(solver.solve().x)[:size]
