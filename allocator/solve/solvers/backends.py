"""The solvers: each takes a `ConeProgram` and returns an `SolverResult`; the chain asks the next when one fails."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from allocator.errors import InputError, Problem, SolverFailure, did_you_mean
from allocator.solve.decomposition.cvar_decomposition import find_cvar_rows, solve_by_scenarios
from allocator.solve.decomposition.groups import find_groups
from allocator.solve.decomposition.sifting import Sifter, Sizes, WarmStart
from allocator.solve.program.program import Cone, ConeProgram, SolverResult, SolverStatus
from allocator.solve.solvers.backend import ALMOST, Backend
from allocator.solve.solvers.choice import linear_first, worth_few_scenarios, worth_rough_start, worth_sifting
from allocator.solve.solvers.highs import Highs
from allocator.solve.solvers.interior import Clarabel
from allocator.solve.solvers.refine import MET, approached, refinable, refined
from allocator.types import LocalizedPhrase, Text

__all__ = ["Backend", "SolverChain"]


ABLE = LocalizedPhrase(
    "auto; CLARABEL: every model; SCS: every model, less exactly; HIGHS: linear models without a capital requirement",
    "auto；CLARABEL：全部模型；SCS：全部模型，精度较低；HIGHS：无资本要求的线性模型",
)
"""What each solver can do."""


class Scs(Backend):
    """First-order splitting: less exact, so its answers lean on the tightening step; a last resort."""

    name = "SCS"
    package = "scs"
    _order = (Cone.ZERO, Cone.NONNEGATIVE, Cone.SECOND_ORDER)

    def accepts(self, program: ConeProgram) -> bool:
        return all(block.cone in self._order for block in program.blocks)

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
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
        verdicts = {1: SolverStatus.SOLVED, -2: SolverStatus.INFEASIBLE, -1: SolverStatus.UNBOUNDED}
        verdict = verdicts.get(int(result["info"]["status_val"]), SolverStatus.FAILED)
        dual = np.empty(len(order))
        dual[order] = result["y"]
        return SolverResult(verdict, np.asarray(result["x"]), dual, self.label())


class Scip(Backend):
    """Branch and cut through cvxpy, for programs with whole-number columns; its bound is by its own account."""

    name = "SCIP"
    package = "pyscipopt"
    _order = (Cone.ZERO, Cone.NONNEGATIVE, Cone.SECOND_ORDER)

    def accepts(self, program: ConeProgram) -> bool:
        return bool(program.whole) and all(block.cone in self._order for block in program.blocks)

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
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
            return SolverResult(SolverStatus.FAILED, np.zeros(program.size), nothing, self.label())
        verdict = _CVXPY_VERDICTS.get(str(problem.status), SolverStatus.FAILED)
        if verdict is not SolverStatus.SOLVED or point.value is None:
            return SolverResult(verdict, np.zeros(program.size), nothing, self.label())
        bound = float(problem.solver_stats.extra_stats["model"].getDualbound()) + program.constant
        return SolverResult(verdict, np.asarray(point.value), nothing, self.label(), bound)


_CVXPY_VERDICTS = {
    "optimal": SolverStatus.SOLVED,
    "optimal_inaccurate": SolverStatus.SOLVED,
    "infeasible": SolverStatus.INFEASIBLE,
    "unbounded": SolverStatus.UNBOUNDED,
}


def _judged(answer: SolverResult, program: ConeProgram) -> SolverResult | None:
    """Return an answer with its dual point moved into K*; None where it is of no use.

    That is one that failed, one over NaN under a straight face, and a program called infeasible without a certificate
    (whole numbers have none to show).
    """
    solved = answer.verdict is SolverStatus.SOLVED
    if answer.verdict is SolverStatus.FAILED or not np.isfinite(answer.dual).all():
        return None
    if solved and not np.isfinite(answer.primal).all():
        return None
    if program.whole:
        return answer
    answer = replace(answer, dual=program.projected(answer.dual))
    return None if answer.verdict is SolverStatus.INFEASIBLE and not program.refuted_by(answer.dual) else answer


def _rows_by_cone(program: ConeProgram, order: tuple[Cone, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
    starts = np.cumsum([0, *(block.rows for block in program.blocks)])
    spans = [
        np.arange(start, start + block.rows)
        for cone in order
        for start, block in zip(starts, program.blocks, strict=False)
        if block.cone is cone
    ]
    return np.concatenate(spans) if spans else np.empty(0, dtype=np.int64)


class SolverChain:
    """Asks the solvers in turn until one answers. They stay set up from program to program.

    Parameters
    ----------
    choice : str
        ``"auto"`` or the name of one solver.
    """

    _all: ClassVar[tuple[type[Backend], ...]] = (Clarabel, Scs, Highs)

    def __init__(self, choice: str = "auto") -> None:
        self._auto = choice == "auto"
        self.sifter: Sifter | None = None
        # Without a capital tree every question of a search is the same program.
        self._known: tuple[ConeProgram, SolverResult] | None = None
        self._shape: tuple[int, ...] = ()
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
        self._backends = [found[name]() for name in names]
        self._rough = Clarabel(rough=True) if Clarabel.name in names else None

    @property
    def first(self) -> str:
        """Name and version of the solver that is asked first."""
        return self._backends[0].label()

    def sifting(self, shared: ConeProgram, holdings: slice, warm_start: WarmStart) -> SolverChain:
        """Return the chain for programs that begin with ``shared``: they are sifted where that is quicker.

        Parameters
        ----------
        shared : ConeProgram
            Rows and columns that all programs begin with.
        holdings : slice
            Its columns of the holdings.
        warm_start : WarmStart
            Prices of an earlier search; brought up to date.
        """
        groups = find_groups(shared, holdings) if self._auto and not shared.whole else None
        if groups is not None and worth_sifting(groups):
            self.sifter = Sifter(shared, groups, self._directly, warm_start, Sizes())
        return self

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        """Return the first usable answer; SolverFailure when no solver gives one.

        Parameters
        ----------
        program : ConeProgram
            The program, N columns and m rows.
        seconds : float
            Time limit of each solver.

        Raises
        ------
        SolverFailure
            When no solver gives a usable answer.
        """
        if self._known is None or self._known[0] is not program:
            solve = self._directly if self.sifter is None else self.sifter.solve
            self._known = program, solve(program, seconds)
        return self._known[1]

    def refined(self, program: ConeProgram, answer: SolverResult) -> SolverResult:
        """Return the answer to a program refined; asked again, the program has this one.

        Parameters
        ----------
        program : ConeProgram
            The program, N columns and m rows.
        answer : SolverResult
            Its answer.
        """
        better = refined(program, answer)
        if self._known is not None and self._known[0] is program:
            self._known = program, better
        return better

    def _directly(self, program: ConeProgram, seconds: float) -> SolverResult:
        """Solve a program as it is, or on few of its scenarios where it has many."""
        cvar_rows = find_cvar_rows(program) if self._auto and linear_first(program) and not program.whole else None
        answer, before, self._shape = None, self._shape, program.matrix.shape
        again = program.matrix.shape == before and isinstance(self._ordered(program)[0], Highs)
        if cvar_rows is not None and worth_few_scenarios(cvar_rows, again):
            answer = solve_by_scenarios(program, cvar_rows, self._asked, seconds)
        return self._asked(program, seconds) if answer is None else answer

    def _asked(self, program: ConeProgram, seconds: float) -> SolverResult:
        answer = self._by_steps(program, seconds)
        if answer is not None:
            return answer
        tried = []
        for backend in self._ordered(program):
            answer = _judged(backend.solve(program, seconds), program)
            if answer is not None:
                return answer
            tried.append(backend.label())
        if not self._auto:
            raise SolverFailure(
                Problem(
                    Text("this solver gave no usable answer to this model", "该求解器未能给出此模型的可用结果"),
                    "solve.solver",
                    tried[0],
                    ABLE,
                    Text("write auto: another is asked where one fails", "请改为 auto：一个失败时改用其他求解器"),
                )
            )
        raise SolverFailure(
            Problem(
                Text("no solver returned a usable answer", "没有求解器给出可用的结果"),
                got=", ".join(tried),
                hint=Text("raise solve.time_limit or set solve.solver", "请提高 solve.time_limit 或指定 solve.solver"),
            )
        )

    def _by_steps(self, program: ConeProgram, seconds: float) -> SolverResult | None:
        """Return the optimum that Newton's steps reach from a rough answer; None where they are no help."""
        if self._rough is None or not (worth_rough_start(program) and refinable(program)):
            return None
        answer = _judged(self._rough.solve(program, seconds), program)
        if answer is None:
            return None
        answer, missed = approached(program, answer)
        return answer if missed <= MET else None

    def _ordered(self, program: ConeProgram) -> list[Backend]:
        if program.whole:
            return [self._mixed_integer()]
        fitting = [backend for backend in self._backends if backend.accepts(program)]
        if not fitting:
            raise InputError(
                Problem(
                    Text("this solver does not solve a model of this kind", "该求解器无法求解此类模型"),
                    "solve.solver",
                    self._backends[0].name,
                    ABLE,
                    Text("write auto: the fitting one is chosen", "请改为 auto，由程序选择合适的求解器"),
                )
            )
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
