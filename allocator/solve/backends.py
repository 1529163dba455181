"""The solvers: each takes a `ConeProgram` and returns an `Answer`; the chain asks the next when one fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from allocator.errors import InputError, Problem, SolverFailure, did_you_mean
from allocator.solve.choice import linear_first, worth_sifting
from allocator.solve.groups import find_groups
from allocator.solve.highs import solve_linear
from allocator.solve.program import Answer, Block, Cone, ConeProgram, Verdict
from allocator.solve.sifting import Recall, Sifter, Sizes
from allocator.types import Text

__all__ = ["Backend", "Chain"]

ALMOST = 1e-6
"""Residuals at which an interior-point answer counts as solved when it gets no further."""

REGULARIZATION = 1e-8
"""Diagonal added to the interior-point system, the solver's own default."""

ROUGH = 1e-3
"""Primal residual up to which a stalled answer is still used: bounds rest on the dual point alone and charge
its residual, and the exact tree judges the primal one."""


class Backend(ABC):
    """A solver behind a common door."""

    name: ClassVar[str]
    package: ClassVar[str]

    @classmethod
    def installed(cls) -> bool:
        """Return whether its package can be imported."""
        return find_spec(cls.package) is not None

    @classmethod
    def label(cls) -> str:
        """Return name and version."""
        return f"{cls.name} {_version(cls.package)}"

    @abstractmethod
    def accepts(self, program: ConeProgram) -> bool:
        """Return whether it knows every cone of the program."""

    @abstractmethod
    def solve(self, program: ConeProgram, seconds: float) -> Answer:
        """Solve within ``seconds``."""


@cache
def _version(package: str) -> str:
    return version(package)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A solver that is set up, and the program it was set up for."""

    solver: Any
    program: ConeProgram
    regularization: float

    def takes(self, program: ConeProgram, regularization: float) -> bool:
        """Return whether ``program`` differs in numbers of A and b alone, so that a data update suffices."""
        old = self.program
        return (
            regularization == self.regularization
            and program.blocks == old.blocks
            and np.array_equal(program.matrix.indptr, old.matrix.indptr)
            and np.array_equal(program.matrix.indices, old.matrix.indices)
            and np.array_equal(program.linear, old.linear)
            and np.array_equal(program.quadratic.data, old.quadratic.data)
        )


class Clarabel(Backend):
    """Interior point; every cone. Presolve stays off so that the duals are those of the rows given.

    Parameters
    ----------
    keep : bool
        Whether the solver is kept between programs: one that differs in numbers of A and b alone then needs
        no new ordering and factor pattern. There is no warm start from an earlier point.
    """

    name = "CLARABEL"
    package = "clarabel"

    def __init__(self, keep: bool = False) -> None:
        self._keep = keep
        self._kept: _Kept | None = None

    def accepts(self, program: ConeProgram) -> bool:
        return True

    def solve(self, program: ConeProgram, seconds: float) -> Answer:
        answer = self._attempt(program, seconds, REGULARIZATION)
        if answer.verdict is Verdict.FAILED:
            # Programs that are only just infeasible stall; a firmer diagonal lets the certificate come out.
            answer = self._attempt(program, seconds, 10.0 * REGULARIZATION)
        return answer

    def _attempt(self, program: ConeProgram, seconds: float, regularization: float) -> Answer:
        solver = self._solver(program, seconds, regularization)
        result = solver.solve()
        verdict = _VERDICTS.get(str(result.status), Verdict.FAILED)
        if verdict is Verdict.FAILED and result.r_prim < ROUGH and result.r_dual < ALMOST:
            verdict = Verdict.SOLVED
        dual = np.array(result.z)
        if verdict is Verdict.INFEASIBLE and not program.refuted_by(dual):
            verdict = Verdict.FAILED
        return Answer(verdict, np.array(result.x), dual, self.label())

    def _solver(self, program: ConeProgram, seconds: float, regularization: float) -> Any:
        import clarabel

        if self._kept is not None and self._kept.takes(program, regularization):
            self._kept.solver.update(A=program.matrix.data, b=program.right)
            return self._kept.solver
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.presolve_enable = False
        settings.max_threads = 1
        settings.max_iter = 100
        settings.time_limit = max(seconds, 0.01)
        settings.static_regularization_constant = regularization
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-9
        settings.reduced_tol_gap_abs = settings.reduced_tol_gap_rel = settings.reduced_tol_feas = ALMOST
        cones = [_clarabel_cone(clarabel, block) for block in program.blocks if block.rows]
        solver = clarabel.DefaultSolver(
            program.quadratic, program.linear, program.matrix, program.right, cones, settings
        )
        if self._keep:
            self._kept = _Kept(solver, program, regularization)
        return solver


_VERDICTS = {
    "Solved": Verdict.SOLVED,
    "AlmostSolved": Verdict.SOLVED,
    "PrimalInfeasible": Verdict.INFEASIBLE,
    "AlmostPrimalInfeasible": Verdict.INFEASIBLE,
    "DualInfeasible": Verdict.UNBOUNDED,
    "AlmostDualInfeasible": Verdict.UNBOUNDED,
}


def _clarabel_cone(clarabel: Any, block: Block) -> Any:
    if block.cone is Cone.EXPONENTIAL:
        return clarabel.ExponentialConeT()
    if block.cone is Cone.POWER:
        return clarabel.PowerConeT(block.power)
    return getattr(clarabel, _CLARABEL_CONES[block.cone])(block.size)


_CLARABEL_CONES = {
    Cone.ZERO: "ZeroConeT",
    Cone.NONNEGATIVE: "NonnegativeConeT",
    Cone.SECOND_ORDER: "SecondOrderConeT",
    Cone.SEMIDEFINITE: "PSDTriangleConeT",
}


class Scs(Backend):
    """First-order splitting: less exact, so its answers lean on the tightening step; a last resort."""

    name = "SCS"
    package = "scs"
    _order = (Cone.ZERO, Cone.NONNEGATIVE, Cone.SECOND_ORDER)

    def accepts(self, program: ConeProgram) -> bool:
        return all(block.cone in self._order for block in program.blocks)

    def solve(self, program: ConeProgram, seconds: float) -> Answer:
        scs: Any = import_module("scs")

        order = _rows_by_cone(program, self._order)
        sizes = {cone: [block.size for block in program.blocks if block.cone is cone] for cone in self._order}
        data = {"A": program.matrix.tocsr()[order].tocsc(), "b": program.right[order], "c": program.linear}
        if program.quadratic.nnz:
            data["P"] = program.quadratic
        cone = {"z": sum(sizes[Cone.ZERO]), "l": sum(sizes[Cone.NONNEGATIVE]), "q": sizes[Cone.SECOND_ORDER]}
        solver = scs.SCS(
            data,
            cone,
            verbose=False,
            eps_abs=1e-9,
            eps_rel=1e-9,
            eps_infeas=1e-9,
            max_iters=200_000,
            time_limit_secs=max(seconds, 0.01),
        )
        result = solver.solve()
        verdicts = {1: Verdict.SOLVED, -2: Verdict.INFEASIBLE, -1: Verdict.UNBOUNDED}
        verdict = verdicts.get(int(result["info"]["status_val"]), Verdict.FAILED)
        dual = np.empty(len(order))
        dual[order] = result["y"]
        return Answer(verdict, np.asarray(result["x"]), dual, self.label())


class Highs(Backend):
    """Simplex for linear programs. It gives no certificate of infeasibility."""

    name = "HIGHS"
    package = "highspy"
    _order = (Cone.ZERO, Cone.NONNEGATIVE)

    def accepts(self, program: ConeProgram) -> bool:
        return program.quadratic.nnz == 0 and all(block.cone in self._order for block in program.blocks)

    def solve(self, program: ConeProgram, seconds: float) -> Answer:
        return solve_linear(program, seconds, self.label())


class Scip(Backend):
    """Branch and cut through cvxpy, for programs with whole-number columns; its bound is by its own account."""

    name = "SCIP"
    package = "pyscipopt"
    _order = (Cone.ZERO, Cone.NONNEGATIVE, Cone.SECOND_ORDER)

    def accepts(self, program: ConeProgram) -> bool:
        return bool(program.whole) and all(block.cone in self._order for block in program.blocks)

    def solve(self, program: ConeProgram, seconds: float) -> Answer:
        import cvxpy as cp

        point = cp.Variable(program.size)
        numbers = cp.Variable(len(program.whole), integer=True)
        rules = [point[list(program.whole)] == numbers]
        rows, start = program.matrix.tocsr(), 0
        for block in program.blocks:
            span = slice(start, start + block.rows)
            rest = program.right[span] - rows[span] @ point
            if block.cone is Cone.SECOND_ORDER:
                rules.append(cp.SOC(rest[0], rest[1:]))
            else:
                rules.append(rest == 0 if block.cone is Cone.ZERO else rest >= 0)
            start += block.rows
        aim = program.linear @ point
        if program.quadratic.nnz:
            whole = program.quadratic + sparse.triu(program.quadratic, 1).T
            aim = aim + 0.5 * cp.quad_form(point, cp.psd_wrap(whole))
        problem = cp.Problem(cp.Minimize(aim), rules)
        limits = {"limits/time": max(seconds, 0.01), "numerics/feastol": ALMOST / 100.0}
        nothing = np.zeros(len(program.right))
        try:
            problem.solve(solver=cp.SCIP, scip_params=limits)
        except cp.SolverError:
            return Answer(Verdict.FAILED, np.zeros(program.size), nothing, self.label())
        verdict = _CVXPY_VERDICTS.get(str(problem.status), Verdict.FAILED)
        if verdict is not Verdict.SOLVED or point.value is None:
            return Answer(verdict, np.zeros(program.size), nothing, self.label())
        bound = float(problem.solver_stats.extra_stats["model"].getDualbound()) + program.constant
        return Answer(verdict, np.asarray(point.value), nothing, self.label(), bound)


_CVXPY_VERDICTS = {
    "optimal": Verdict.SOLVED,
    "optimal_inaccurate": Verdict.SOLVED,
    "infeasible": Verdict.INFEASIBLE,
    "unbounded": Verdict.UNBOUNDED,
}


def _finite(answer: Answer) -> bool:
    """Return whether what the verdict rests on are numbers: a solver may say "solved" over NaN."""
    solved = answer.verdict is not Verdict.SOLVED or np.isfinite(answer.primal).all()
    return bool(solved and np.isfinite(answer.dual).all())


def _rows_by_cone(program: ConeProgram, order: tuple[Cone, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
    starts = np.cumsum([0, *(block.rows for block in program.blocks)])
    spans = [
        np.arange(start, start + block.rows)
        for cone in order
        for start, block in zip(starts, program.blocks, strict=False)
        if block.cone is cone
    ]
    return np.concatenate(spans) if spans else np.empty(0, dtype=np.int64)


class Chain:
    """Asks the solvers in turn until one answers.

    Parameters
    ----------
    choice : str
        ``"auto"`` or the name of one solver.
    keep : bool
        Whether programs of one shape follow one another, so that a solver may stay set up.
    """

    _all: ClassVar[tuple[type[Backend], ...]] = (Clarabel, Scs, Highs)

    def __init__(self, choice: str = "auto", keep: bool = False) -> None:
        self._auto = choice == "auto"
        self.sifter: Sifter | None = None
        # Without a capital tree every question of a search is the same program.
        self._known: tuple[ConeProgram, Answer] | None = None
        found = {backend.name: backend for backend in self._all if backend.installed()}
        if not self._auto and choice.upper() not in found:
            raise InputError(
                Problem(
                    Text(f"no solver named {choice!r} is installed", f"未安装名为 {choice!r} 的求解器"),
                    where="solve.solver",
                    allowed=", ".join(["auto", *found]),
                    hint=did_you_mean(choice.upper(), found),
                )
            )
        names = list(found) if self._auto else [choice.upper()]
        self._backends = [Clarabel(keep) if found[name] is Clarabel else found[name]() for name in names]

    def sifting(self, shared: ConeProgram, holdings: slice, recall: Recall) -> Chain:
        """Return the chain for programs that begin with ``shared``: they are sifted where that is quicker."""
        groups = find_groups(shared, holdings) if self._auto and not shared.whole else None
        if groups is not None and worth_sifting(groups):
            self.sifter = Sifter(shared, groups, self._directly, recall, Sizes())
        return self

    def solve(self, program: ConeProgram, seconds: float) -> Answer:
        """Return the first usable answer; SolverFailure when no solver gives one."""
        if self._known is None or self._known[0] is not program:
            solve = self._directly if self.sifter is None else self.sifter.solve
            self._known = program, solve(program, seconds)
        return self._known[1]

    def _directly(self, program: ConeProgram, seconds: float) -> Answer:
        tried = []
        for backend in self._ordered(program):
            answer = backend.solve(program, seconds)
            if answer.verdict is not Verdict.FAILED and _finite(answer):
                return answer
            tried.append(backend.label())
        names = ", ".join(tried) or "—"
        raise SolverFailure(
            Problem(
                Text("no solver returned a usable answer", "没有求解器给出可用的结果"),
                got=names,
                hint=Text("raise solve.time_limit or set solve.solver", "请提高 solve.time_limit 或指定 solve.solver"),
            )
        )

    def _ordered(self, program: ConeProgram) -> list[Backend]:
        if program.whole:
            return [self._mixed_integer()]
        fitting = [backend for backend in self._backends if backend.accepts(program)]
        if self._auto and linear_first(program):
            fitting.sort(key=lambda backend: not isinstance(backend, Highs))
        return fitting

    @staticmethod
    def _mixed_integer() -> Backend:
        if Scip.installed():
            return Scip()
        raise InputError(
            Problem(
                Text(
                    "rules in whole numbers need a mixed-integer solver, and none is installed",
                    "整数规则需要混合整数求解器，但尚未安装",
                ),
                "constraints",
                "minimum_ticket, lots, max_names",
                hint=Text(
                    "pip install 'allocator-insurance[mip]', or leave these rules out",
                    "请执行 pip install 'allocator-insurance[mip]'，或去掉这些规则",
                ),
            )
        )
