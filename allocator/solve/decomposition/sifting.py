"""Sifting: a program of many holdings solved on few of them, the others priced by the duals.

A *master* holds the shared rows, the columns that belong to no holding, a working set of holdings, and a few bundles:
all others in chunks, each free to move together along one line. Its answer is a point of the whole program; its duals
price every holding left out, in one sparse product. What those could gain, each for itself, is exactly the distance
between the point and the bound that the duals certify. So those that gain most join the working set, the others go
where they gain, until nothing is left to gain.

The first prices come from a random sample in which each holding stands for many, and which is sifted itself when it is
large; later programs, which differ in a few rows only, start at the last ones, and mostly one master is enough.

What comes out is a primal and a dual point of the whole program, as from any solver: bounds, prices and certificates
of infeasibility are read from it in the same way and judged by the same code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.errors import SolverFailure
from allocator.solve.decomposition.groups import NONE, Groups, Pricing, find_groups
from allocator.solve.decomposition.master import Bundles, Master, Parted, bundled, others, sample_of, scaled
from allocator.solve.program.program import ConeProgram, SolverResult, SolverStatus

__all__ = ["WarmStart", "Sifter", "Sizes"]

Places = NDArray[np.int64]
Direct = Callable[[ConeProgram, float], SolverResult]

CLOSE = 1e-9
"""What may be left to gain in a solved program, relative to one plus its objective."""

MOST = 0.5
"""Share of the holdings from which the working set is not small any more and the program is solved as a whole."""

UNSURE = 3.0
"""Prices of a sample err by about one part in its root: this many such parts of the holdings are looked at one by one
next. Of a million, a tenth of them in the sample, the right ones were among them; with one such part they were not."""

ROUNDS = 50
"""Masters solved at most for one program."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many holdings are looked at one by one.

    Parameters
    ----------
    near : int
        Nearest to a change of mind, in the first working set when the last prices are known.
    sample : int
        Least in the sample of a first solve, and in the first working set after it; a first program of at most twice
        as many holdings is solved whole.
    thinned : int
        Holdings of which one is in the sample at least.
    bundles : int
        Chunks of the holdings left out.
    """

    near: int = 150
    sample: int = 4_000
    thinned: int = 10
    bundles: int = 100


@dataclass(eq=False)
class WarmStart:
    """Where the last program ended, handed from solve to solve of models over the same first holdings.

    Parameters
    ----------
    linear : ndarray (n,)
        What each holding's x cost in the program's own objective; another objective is not started from.
    slopes : ndarray (3, n)
        What its columns x, u₊ and u₋ cost at the last prices.
    at : ndarray (n,)
        Where it stood.
    """

    linear: Vector = field(default_factory=lambda: np.zeros(0))
    slopes: Vector = field(default_factory=lambda: np.zeros((3, 0)))
    at: Vector = field(default_factory=lambda: np.zeros(0))

    def fits(self, linear: Vector) -> bool:
        """Return whether there is something to start from for holdings that cost ``linear``."""
        count = min(len(self.linear), len(linear))
        return count > 0 and bool(np.array_equal(self.linear[:count], linear[:count]))


@dataclass(frozen=True, eq=False)
class _Start:
    """Where a solve begins: who is looked at one by one, and the others' lines."""

    working: Places
    bundles: Bundles
    width: int


class Sifter:
    """Solves programs that share their first rows and columns, each from where the last one ended.

    Parameters
    ----------
    shared : ConeProgram
        The rows and columns that all programs begin with.
    groups : Groups
        Its holdings.
    direct : callable
        Solves a program as a whole.
    warm_start : WarmStart
        Where to start from, and where to say how it ended.
    sizes : Sizes
        How many holdings are looked at one by one.

    Attributes
    ----------
    masters, widest : int
        Masters solved, and the most holdings that one of them held: what the solves cost, in counts.
    """

    def __init__(
        self, shared: ConeProgram, groups: Groups, direct: Direct, warm_start: WarmStart, sizes: Sizes | None = None
    ) -> None:
        self._shared, self._groups, self._direct = shared, groups, direct
        self._recall, self._sizes = warm_start, sizes or Sizes()
        self._drawn = max(self._sizes.sample, groups.count // self._sizes.thinned)
        self._open = max(self._sizes.sample, int(UNSURE * groups.count / self._drawn**0.5))
        self.masters = self.widest = 0

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        """Solve a program that begins with the shared rows and columns.

        Parameters
        ----------
        program : ConeProgram
            The program, N columns and m rows.
        seconds : float
            Time limit.
        """
        deadline = time.monotonic() + seconds
        try:
            answer = self._sifted(program, deadline)
        except SolverFailure:
            # A master that no solver can answer says nothing about the program itself.
            answer = None
        if answer is None:
            answer = self._direct(program, deadline - time.monotonic())
            if answer.verdict is SolverStatus.SOLVED:
                self._remember(program, answer)
        return answer

    def _sifted(self, program: ConeProgram, deadline: float) -> SolverResult | None:
        """Return the answer; None when sifting finds no start or does not get small working sets."""
        groups, parted = self._groups, Parted.of(program, self._groups)
        start = self._start(parted, deadline)
        if start is None:
            return None
        working, bundles, width = start.working, start.bundles, start.width
        for _ in range(ROUNDS):
            if len(working) > MOST * groups.count:
                return None
            master = Master.of(parted, working, bundles)
            answer = self._answered(master, len(working), deadline)
            point, dual = master.opened(answer, len(program.right))
            if answer.verdict is SolverStatus.SOLVED:
                curves, slopes = parted.curvature, program.linear + program.matrix.T @ dual
            elif answer.verdict is SolverStatus.INFEASIBLE:
                point, curves, slopes = bundles.base, np.zeros(program.size), program.matrix.T @ dual
            else:
                return None
            pricing = groups.price(slopes, curves)
            gains = _gains(groups, working, point, pricing, slopes, curves)
            stand = pricing.within(point[groups.columns[0]])
            if answer.verdict is SolverStatus.INFEASIBLE:
                refuting = self._completed(dual, working, groups.point(stand, program.size), slopes, curves)
                if program.refuted_by(refuting):
                    return _sifted_answer(answer, point, refuting)
            elif gains.sum() <= CLOSE * (1.0 + abs(program.value(point))):
                found = _sifted_answer(answer, point, self._completed(dual, working, point, slopes, curves))
                self._remember(program, found)
                return found
            width = min(2 * width, self._open)
            working = np.union1d(working, _largest(gains, width))
            bundles = bundled(groups, working, stand, slopes, self._sizes.bundles)
        return None

    def _answered(self, master: Master, holdings: int, deadline: float) -> SolverResult:
        self.masters, self.widest = self.masters + 1, max(self.widest, holdings)
        return self._direct(master.program, deadline - time.monotonic())

    def _completed(self, dual: Vector, working: Places, point: Vector, slopes: Vector, curves: Vector) -> Vector:
        """Return the duals with those of the rows that belong to holdings left out."""
        completed = dual.copy()
        self._groups.add_duals(completed, others(self._groups.count, working), point, slopes, curves)
        return completed

    def _remember(self, program: ConeProgram, answer: SolverResult) -> None:
        """Keep an answer for the next program; one to another objective would mislead it."""
        shared, groups = self._shared, self._groups
        if not np.array_equal(program.linear[: shared.size], shared.linear):
            return
        dual = np.where(groups.owner == NONE, answer.dual[: len(shared.right)], 0.0)
        slopes = shared.linear + shared.matrix.T @ dual
        self._recall.linear = shared.linear[groups.columns[0]]
        self._recall.slopes = np.where(groups.columns == NONE, 0.0, slopes[groups.columns])
        self._recall.at = answer.primal[groups.columns[0]]

    def _start(self, parted: Parted, deadline: float) -> _Start | None:
        groups, warm_start, program = self._groups, self._recall, parted.program
        slopes, here = program.linear.copy(), groups.middle
        if warm_start.fits(self._shared.linear[groups.columns[0]]):
            known = min(groups.count, len(warm_start.at))
            for columns, values in zip(groups.columns[:, :known], warm_start.slopes, strict=True):
                slopes[columns[columns != NONE]] = values[:known][columns != NONE]
            here[:known] = warm_start.at[:known]
            return self._from(parted, slopes, here, self._sizes.near)
        if groups.count <= 2 * self._sizes.sample:
            return None
        sample, weight = sample_of(parted, self._drawn)
        master = scaled(parted, sample, weight)
        answer = self._sampled(master, len(sample), deadline)
        if answer.verdict is not SolverStatus.SOLVED:
            return None
        _, dual = master.opened(answer, len(program.right))
        dual[: len(groups.owner)][groups.owner != NONE] = 0.0
        return self._from(parted, slopes + program.matrix.T @ dual, here, self._open)

    def _sampled(self, master: Master, holdings: int, deadline: float) -> SolverResult:
        """Solve a sample, one that is large by a sample of its own."""
        if holdings <= 2 * self._sizes.sample:
            return self._answered(master, holdings, deadline)
        x, drawn = self._groups.columns[0], master.program
        groups = find_groups(drawn, slice(*np.searchsorted(master.columns, [x.min(), x.max() + 1]).tolist()))
        inner = Sifter(drawn, groups, self._direct, WarmStart(), self._sizes)
        answer = inner.solve(drawn, deadline - time.monotonic())
        self.masters, self.widest = self.masters + inner.masters, max(self.widest, inner.widest)
        return answer

    def _from(self, parted: Parted, slopes: Vector, here: Vector, width: int) -> _Start:
        """Start at known prices, with the holdings nearest to a change of mind one by one."""
        pricing = self._groups.price(slopes, parted.curvature)
        working = _smallest(pricing.margin, width)
        return _Start(working, bundled(self._groups, working, pricing.within(here), slopes, self._sizes.bundles), width)


def _sifted_answer(answer: SolverResult, point: Vector, dual: Vector) -> SolverResult:
    return SolverResult(answer.verdict, point, dual, f"{answer.solver}, sifted")


def _gains(groups: Groups, working: Places, point: Vector, pricing: Pricing, slopes: Vector, curves: Vector) -> Vector:
    """Return what each holding left out could gain at these prices; zero for the others."""
    best = pricing.within(point[groups.columns[0]])
    gains = groups.cost(point, slopes, curves) - groups.values(best, slopes, curves)
    gains[np.isinf(pricing.best)] = np.inf
    gains[working] = 0.0
    return gains


def _smallest(margin: Vector, count: int) -> Places:
    """Return those between two bends of their cost, whose margin is none, and the ``count`` next."""
    count += int((margin == 0.0).sum())
    end = np.partition(margin, count)[count] if count < len(margin) else np.inf
    return np.flatnonzero((margin <= end) & np.isfinite(margin))


def _largest(gains: Vector, count: int) -> Places:
    end = -np.partition(-gains, count)[count] if count < len(gains) else 0.0
    return np.flatnonzero((gains >= end) & (gains > 0.0))
