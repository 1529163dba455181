"""HiGHS by its own interface: rows of one entry become bounds of columns, which its simplex handles for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.solve.program.program import Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers.backend import Backend

__all__ = ["Highs"]

Places = NDArray[np.int64]
NONE = -1
FEASIBLE = 1e-9
"""Tolerance of rows and reduced costs."""


@dataclass(frozen=True, eq=False)
class _Bounds:
    """Rows of one entry as bounds of columns: the tightest and the row it comes from."""

    lower: Vector
    upper: Vector
    at_lower: Places
    at_upper: Places
    rows: Places


class Highs(Backend):
    """Simplex for linear programs. It gives no certificate of infeasibility.

    A program with the rows and columns of the last one starts at its basis: when right sides or costs move a little,
    few pivots lead from one optimum to the next.

    Attributes
    ----------
    iterations : int
        Simplex iterations of the last program.
    """

    name = "HIGHS"
    package = "highspy"
    _order = (Cone.ZERO, Cone.NONNEGATIVE)

    def __init__(self) -> None:
        self.iterations = 0
        self._solver: Any = None
        self._shape = (NONE, NONE)

    def accepts(self, program: ConeProgram) -> bool:
        return program.quadratic.nnz == 0 and all(block.cone in self._order for block in program.blocks)

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        highspy: Any = import_module("highspy")
        cones, heights = [block.cone for block in program.blocks], [block.rows for block in program.blocks]
        equal = np.repeat([cone is Cone.ZERO for cone in cones], heights)
        rows = sparse.csr_array(program.matrix)
        bounds = _bounds_of(rows, equal, program)
        others = np.ones(len(program.right), dtype=bool)
        others[bounds.rows] = False
        kept = np.flatnonzero(others)
        matrix = sparse.csc_array(rows[kept])
        solver = self._loaded(highspy, _model(highspy, program, matrix, kept, equal[kept], bounds))
        solver.setOptionValue("time_limit", solver.getRunTime() + max(seconds, 0.01))
        solver.run()
        self.iterations = max(solver.getInfo().simplex_iteration_count, 0)
        verdict = {
            highspy.HighsModelStatus.kOptimal: SolverStatus.SOLVED,
            highspy.HighsModelStatus.kInfeasible: SolverStatus.INFEASIBLE,
            highspy.HighsModelStatus.kUnbounded: SolverStatus.UNBOUNDED,
        }.get(solver.getModelStatus(), SolverStatus.FAILED)
        dual = np.zeros(len(program.right))
        if verdict is SolverStatus.INFEASIBLE:
            _, found, ray = solver.getDualRay()
            if found:
                # A ray has the signs of the duals of a program without costs.
                dual[kept] = np.where(equal[kept], -ray, np.maximum(-ray, 0.0))
                _add_bound_duals(dual, -(matrix.T @ ray), bounds, equal, rows)
        if verdict is not SolverStatus.SOLVED:
            return SolverResult(verdict, np.zeros(program.size), dual, self.label())
        solution = solver.getSolution()
        # HiGHS' duals are d objective / d right; y is their opposite for A z + s = b.
        dual[kept] = -np.asarray(solution.row_dual)
        dual[kept] = np.where(equal[kept], dual[kept], np.maximum(dual[kept], 0.0))
        _add_bound_duals(dual, np.asarray(solution.col_dual), bounds, equal, rows)
        return SolverResult(verdict, np.asarray(solution.col_value), dual, self.label())

    def _loaded(self, highspy: Any, model: Any) -> Any:
        """Return the solver with the model in it, at the last basis where that fits."""
        shape = (model.num_row_, model.num_col_)
        basis = None
        if self._solver is None:
            # The class itself greets on standard output, which belongs to the command's answer; its base does not.
            self._solver = highspy.Highs.__base__()
            for option, value in _OPTIONS.items():
                self._solver.setOptionValue(option, value)
        elif shape == self._shape:
            basis = self._solver.getBasis()
        self._solver.passModel(model)
        if basis is not None and basis.valid:
            self._solver.setBasis(basis)
        self._shape = shape
        return self._solver


_OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "primal_feasibility_tolerance": FEASIBLE,
    "dual_feasibility_tolerance": FEASIBLE,
}


def _bounds_of(rows: sparse.csr_array, equal: NDArray[np.bool_], program: ConeProgram) -> _Bounds:
    single = np.flatnonzero(np.diff(rows.indptr) == 1)
    columns, factors = rows.indices[rows.indptr[single]], rows.data[rows.indptr[single]]
    ends = program.right[single] / factors
    lower, upper = np.full(program.size, -np.inf), np.full(program.size, np.inf)
    places = [np.full(program.size, NONE, dtype=np.int64) for _ in range(2)]
    for side, at, chosen, order in (
        (lower, places[0], equal[single] | (factors < 0), ends),
        (upper, places[1], equal[single] | (factors > 0), -ends),
    ):
        found = np.flatnonzero(chosen)
        found = found[np.argsort(order[found], kind="stable")]  # the tightest is written last
        side[columns[found]], at[columns[found]] = ends[found], single[found]
    return _Bounds(lower, upper, places[0], places[1], single)


def _model(
    highspy: Any,
    program: ConeProgram,
    matrix: sparse.csc_array,
    kept: Places,
    equal: NDArray[np.bool_],
    bounds: _Bounds,
) -> Any:
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = program.size, len(kept)
    model.col_cost_ = program.linear
    model.col_lower_, model.col_upper_ = bounds.lower, bounds.upper
    model.row_upper_ = program.right[kept]
    model.row_lower_ = np.where(equal, program.right[kept], -np.inf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    return model


def _add_bound_duals(
    dual: Vector, reduced: Vector, bounds: _Bounds, equal: NDArray[np.bool_], rows: sparse.csr_array
) -> None:
    """Give a column's reduced cost to the row that bounds it on that side."""
    for at, push in ((bounds.at_lower, reduced > 0), (bounds.at_upper, reduced < 0)):
        columns = np.flatnonzero(push & (at != NONE))
        factor = rows.data[rows.indptr[at[columns]]]
        dual[at[columns]] = -reduced[columns] / factor
