"""QOCO beside Clarabel on the programs the library really solves. Run: ``python -m benchmarks.second_solver``.

QOCO comes with the extra ``bench``. Programs are taken down while the library solves; then each solver gets each of
them, set-up included. Clarabel is kept from program to program, as the library does. A point counts as exact when it
misses the program's own rows by 1e-8 at most and its objective is Clarabel's to 1e-8 of one plus it: what the search of
the capital tree asks of its solver.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import qoco
from scipy import sparse

import allocator
from allocator.config.settings import SolveSettings
from allocator.solve import solve
from allocator.solve.program.program import Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers.interior import Clarabel
from benchmarks import ours
from benchmarks.large_fund import write_large_fund
from benchmarks.problems import market, targets
from tests.books import book

EXAMPLE = Path(__file__).parents[1] / "examples" / "life_insurer" / "fund.yaml"
EXACT = 1e-8
RUNS = 3
TOLERANCES = (1e-7, 1e-9)


def taken_down(work: Callable[[], Any]) -> list[ConeProgram]:
    """Return the programs of second-order cones that Clarabel is handed during ``work``."""
    found: list[ConeProgram] = []
    honest = Clarabel.solve

    def noted(self: Clarabel, program: ConeProgram, seconds: float) -> SolverResult:
        found.append(program)
        return honest(self, program, seconds)

    with patch.object(Clarabel, "solve", noted):
        work()
    return found


def by_qoco(program: ConeProgram, tolerance: float) -> tuple[str, np.ndarray[Any, Any]]:
    """Return the status and the point of QOCO, whose cones stand in another order."""
    kinds = np.repeat([block.cone.value for block in program.blocks], [block.rows for block in program.blocks])
    rows = program.matrix.tocsr()
    equal, flat, curved = (
        np.flatnonzero(kinds == cone.value) for cone in (Cone.ZERO, Cone.NONNEGATIVE, Cone.SECOND_ORDER)
    )
    inside = np.concatenate([flat, curved])
    cones = np.array(
        [block.size for block in program.blocks if block.cone is Cone.SECOND_ORDER and block.size], dtype=int
    )
    quadratic = program.quadratic + sparse.triu(program.quadratic, 1).T
    solver = qoco.QOCO()
    solver.setup(
        program.size,
        len(inside),
        len(equal),
        sparse.csc_matrix(quadratic) if quadratic.nnz else None,
        program.linear,
        sparse.csc_matrix(rows[equal]) if len(equal) else None,
        program.right[equal] if len(equal) else None,
        sparse.csc_matrix(rows[inside]),
        program.right[inside],
        len(flat),
        len(cones),
        cones if len(cones) else None,
        abstol=tolerance,
        reltol=tolerance,
        max_iters=200,
        verbose=0,
    )
    result = solver.solve()
    return str(result.status), np.asarray(result.x)


def missed(program: ConeProgram, point: np.ndarray[Any, Any]) -> float:
    """Return by how much a point misses the program's rows at most."""
    rest, worst, start = program.right - program.matrix @ point, 0.0, 0
    for block in program.blocks:
        part = rest[start : start + block.rows]
        start += block.rows
        if block.cone is Cone.ZERO:
            worst = max(worst, float(np.abs(part).max(initial=0.0)))
        elif block.cone is Cone.NONNEGATIVE:
            worst = max(worst, float(-part.min(initial=0.0)))
        elif block.rows:
            worst = max(worst, float(np.linalg.norm(part[1:]) - part[0]))
    return worst


def compare(title: str, programs: list[ConeProgram]) -> None:
    """Print what the solvers take for the programs, and how many of QOCO's points are exact."""
    answers, seconds = [], []
    for _ in range(RUNS):
        start = time.process_time()
        kept = Clarabel()  # as the library does: set up once while patterns are the same
        answers = [kept.solve(program, 60.0) for program in programs]
        seconds.append(time.process_time() - start)
    clarabel = float(np.median(seconds))
    infeasible = sum(answer.verdict is not SolverStatus.SOLVED for answer in answers)
    print(f"{title}: {len(programs)} programs, {infeasible} of them without a solution; Clarabel {clarabel:.3f} s")
    for tolerance in TOLERANCES:
        seconds, found = [], []
        for _ in range(RUNS):
            start = time.process_time()
            found = [by_qoco(program, tolerance) for program in programs]
            seconds.append(time.process_time() - start)
        exact = wrong = 0
        for program, answer, (status, point) in zip(programs, answers, found, strict=True):
            if answer.verdict is SolverStatus.SOLVED:
                value = program.value(answer.primal)
                near = abs(program.value(point) - value) <= EXACT * (1.0 + abs(value))
                exact += status == "QOCO_SOLVED" and near and missed(program, point) <= EXACT
            else:
                wrong += status == "QOCO_SOLVED"
        took = float(np.median(seconds))
        print(
            f"  QOCO at {tolerance:g}: {took:.3f} s, {took / clarabel:.2f} of Clarabel's; exact {exact} of "
            f"{len(programs) - infeasible}; of those without a solution called solved {wrong}"
        )


def main() -> None:
    """Compare on the nodes of the example, random books, a frontier of 500 assets, and a fund of 5,000 rows."""
    compare("Nodes of the life insurer", taken_down(lambda: allocator.load(EXAMPLE).optimize().value))
    books = [book(seed) for seed in range(4)]
    compare("Four random books", taken_down(lambda: [solve(one.model, SolveSettings(gap=1e-7)) for one in books]))
    of = market(500)
    compare("Three points of a frontier of 500 assets", taken_down(lambda: ours.frontier(of, targets(of)[:3])))
    with TemporaryDirectory() as folder:
        fund = write_large_fund(Path(folder) / "fund", 5_000)
        whole, *masters = taken_down(lambda: allocator.load(fund).optimize().value)
    compare("A fund of 5,000 rows, as a whole", [whole])
    compare("A fund of 5,000 rows, masters", masters)


if __name__ == "__main__":
    sys.exit(main())
