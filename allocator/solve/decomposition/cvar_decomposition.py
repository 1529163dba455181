"""Sifting on rows: a program whose objective adds up the excesses of many scenarios, solved on few of them.

    minimize f(z) + Σ cₛ (hₛ − gₛ′z)₊

stands in a cone program as rows g′z + a u − a v = h with u, v ≥ 0 of their own, u at a cost. A *master* holds rows for
the scenarios in doubt and one column for the excess of all others. It is at least the sum of cₛ (hₛ − gₛ′z) over any
of them: each answer says which have an excess, and their sum becomes a further cut. So a master's optimum is a lower
bound; at its point every scenario is looked at in one product, and what the cuts miss there, scenario by scenario, is
exactly the distance between the bound and the point. Those that miss most get rows of their own. A scenario left out is
priced by the cuts it stands in: with the master's own multipliers that is a dual point of the whole program.

The first point comes from a random sample, which is solved in the same way when it is large.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.errors import SolverFailure
from allocator.solve.program.program import Block, Cone, ConeProgram, SolverResult, SolverStatus, merged

__all__ = ["CvarRows", "find_cvar_rows", "solve_by_scenarios"]

Places = NDArray[np.int64]
Direct = Callable[[ConeProgram, float], SolverResult]

CLOSE = 1e-9
"""What wrongly judged scenarios may miss in a solved program, relative to one plus its objective."""

MOST = 0.5
"""Share of the scenarios from which the program is solved as a whole."""

LONG = 5
"""Entries of a scenario's row; one of three splits the trade of a single holding."""

THINNED = 10
"""Scenarios of which one is in the first sample."""

LEAST, WIDEST = 100, 3_000
"""Scenarios in the smallest sample, and the most that join at once."""

MANY = 1_000
"""Scenarios in a sample from which it is solved by a sample of its own."""

ROUNDS = 60
"""Masters solved at most."""


@dataclass(frozen=True, eq=False)
class CvarRows:
    """The scenarios of a program.

    Parameters
    ----------
    rows : ndarray of int (s,)
        Their rows g′z + a u − a v = h.
    columns, floors : ndarray of int (2, s)
        Columns u and v, and the rows that hold each from zero up.
    slope : ndarray (s,)
        a > 0.
    cost : ndarray (s,)
        Of u.
    depth : ndarray (2, s)
        How steep the floors are.
    """

    rows: Places
    columns: Places
    floors: Places
    slope: Vector
    cost: Vector
    depth: Vector

    @property
    def count(self) -> int:
        """Number of scenarios."""
        return len(self.rows)


def find_cvar_rows(program: ConeProgram) -> CvarRows:
    """Return the scenarios of a program, none where nothing has their shape."""
    columns = sparse.csc_array(program.matrix)
    kinds = np.repeat(
        [{Cone.ZERO: 1, Cone.NONNEGATIVE: 2}.get(block.cone, 0) for block in program.blocks],
        [block.rows for block in program.blocks],
    )
    lengths = np.bincount(columns.indices, minlength=len(program.right))
    # Columns of two entries: one in an equality, one their floor.
    own = np.flatnonzero((np.diff(columns.indptr) == 2) & (program.quadratic.diagonal() == 0.0))
    own = own[np.diff(program.quadratic.indptr)[own] == 0]
    first = columns.indptr[own].astype(np.int64)
    entry = np.stack([first, first + 1])
    row, value = columns.indices[entry].astype(np.int64), columns.data[entry]
    swapped = lengths[row[0]] == 1
    row, value = np.where(swapped, row[::-1], row), np.where(swapped, value[::-1], value)
    fit = (kinds[row[0]] == 1) & (lengths[row[0]] > 1) & (kinds[row[1]] == 2) & (lengths[row[1]] == 1)
    fit &= (value[1] < 0.0) & (program.right[row[1]] == 0.0)
    own, row, value = own[fit], row[:, fit], value[:, fit]
    cost = program.linear[own]
    sides = []
    for side in ((value[0] > 0) & (cost >= 0.0), (value[0] < 0) & (cost == 0.0)):
        at = np.full(len(program.right), -1)
        at[row[0, side]] = np.flatnonzero(side)
        at[np.bincount(row[0, side], minlength=len(at)) != 1] = -1
        sides.append(at)
    rows = np.flatnonzero((sides[0] >= 0) & (sides[1] >= 0))
    pair = np.stack([side[rows] for side in sides])
    alike = (value[0, pair[0]] == -value[0, pair[1]]) & (lengths[rows] >= LONG)
    rows, pair = rows[alike], pair[:, alike]
    priced = cost[pair[0]] > 0.0
    rows, pair = rows[priced], pair[:, priced]
    return CvarRows(rows, own[pair], row[1, pair], value[0, pair[0]], cost[pair[0]], -value[1, pair])


def solve_by_scenarios(
    program: ConeProgram, cvar_rows: CvarRows, direct: Direct, seconds: float
) -> SolverResult | None:
    """Return the answer; None when the masters have none or do not stay small.

    Parameters
    ----------
    program : ConeProgram
        The program.
    cvar_rows : CvarRows
        Its scenarios, some of them at a cost.
    direct : callable
        Solves a program as a whole.
    seconds : float
        Time limit.
    """
    deadline = time.monotonic() + seconds
    whole, cuts = _Whole(program, cvar_rows), [np.ones(cvar_rows.count, dtype=bool)]
    drawn = min(max(cvar_rows.count // THINNED, LEAST), cvar_rows.count)
    width = min(drawn, WIDEST)
    working = np.sort(np.random.default_rng(0).choice(cvar_rows.count, drawn, replace=False))
    master = whole.master(working, [], float(cvar_rows.cost.sum() / cvar_rows.cost[working].sum()))
    for turn in range(ROUNDS):
        left = deadline - time.monotonic()
        within = find_cvar_rows(master.program) if not turn and drawn >= MANY else None
        try:
            answer = solve_by_scenarios(master.program, within, direct, left) if within is not None else None
            answer = direct(master.program, deadline - time.monotonic()) if answer is None else answer
        except SolverFailure:
            return None
        if answer.verdict is SolverStatus.INFEASIBLE and not turn:
            # Scenarios' rows refuse nothing, so the others do without them.
            return whole.refuted(answer, master)
        if answer.verdict is not SolverStatus.SOLVED:
            return None
        point = master.opened(answer, program.size)
        excess = whole.excess(point)
        if turn:
            share = master.shares(answer)
            missed = cvar_rows.cost * (np.maximum(excess, 0.0) - share * excess)
            missed[working] = 0.0
            if missed.sum() <= CLOSE * (1.0 + abs(master.program.value(answer.primal))):
                return whole.answer(answer, point, excess, share, master)
            wrong = np.flatnonzero(missed > 0.0)
            working = np.union1d(working, wrong[np.argsort(-missed[wrong], kind="stable")[:width]])
        else:
            working = np.sort(np.argsort(np.abs(excess), kind="stable")[:width])
        if len(working) > MOST * cvar_rows.count:
            return None
        cuts.append(excess > 0.0)
        master = whole.master(working, cuts, 1.0)
    return None


@dataclass(frozen=True, eq=False)
class _Master:
    """A program with rows for few scenarios, a column for the excess of the others and a row for each cut below it."""

    program: ConeProgram
    columns: Places
    rows: Places
    cuts: tuple[NDArray[np.bool_], ...]

    def opened(self, answer: SolverResult, size: int) -> Vector:
        """Return the point of the whole program, without the columns of scenarios left out."""
        point = np.zeros(size)
        point[self.columns] = answer.primal[: len(self.columns)]
        return point

    def shares(self, answer: SolverResult) -> Vector:
        """Return by how much of its cost each scenario left out is priced (s,)."""
        first = len(self.rows)
        prices = np.maximum(answer.dual[first : first + len(self.cuts)], 0.0)
        share: Vector = np.clip(prices @ np.array(self.cuts), 0.0, 1.0)
        return share


class _Whole:
    """A program and its scenarios' rows without their own columns."""

    def __init__(self, program: ConeProgram, cvar_rows: CvarRows) -> None:
        self._program, self._cvar_rows = program, cvar_rows
        self._by_row = sparse.csr_array(program.matrix)
        keep = np.ones(program.size)
        keep[cvar_rows.columns.ravel()] = 0.0
        self._shared = sparse.csr_array(self._by_row[cvar_rows.rows] @ sparse.diags_array(keep))
        self._ends = np.cumsum([block.rows for block in program.blocks])

    def excess(self, point: Vector) -> Vector:
        """Return (h − g′z) / a."""
        return np.asarray((self._program.right[self._cvar_rows.rows] - self._shared @ point) / self._cvar_rows.slope)

    def master(self, working: Places, cuts: list[NDArray[np.bool_]], weight: float) -> _Master:
        """Return the program with rows for ``working``, at ``weight`` times their cost, and cuts over the others."""
        program, cvar_rows = self._program, self._cvar_rows
        out = np.ones(cvar_rows.count, dtype=bool)
        out[working] = False
        columns, rows = np.ones(program.size, dtype=bool), np.ones(len(program.right), dtype=bool)
        columns[cvar_rows.columns[:, out]] = False
        rows[cvar_rows.rows[out]] = False
        rows[cvar_rows.floors[:, out]] = False
        linear = program.linear.copy()
        linear[cvar_rows.columns[0]] *= weight
        kept, height = np.flatnonzero(columns), np.flatnonzero(rows)
        counts = np.diff(np.append(0, np.append(0, np.cumsum(rows))[self._ends]))
        blocks = [
            replace(block, size=int(count)) if block.cone in (Cone.ZERO, Cone.NONNEGATIVE) else block
            for block, count in zip(program.blocks, counts, strict=True)
        ]
        small = ConeProgram(
            program.quadratic[:, kept][kept],
            linear[kept],
            sparse.csc_array(self._by_row[height])[:, kept],
            program.right[height],
            merged(blocks),
            program.constant,
        )
        # The excess of those left out is at least that of any of them, and at least none.
        over = tuple(cut & out for cut in cuts)
        per = np.array([np.where(cut, cvar_rows.cost / cvar_rows.slope, 0.0) for cut in over]).reshape(
            len(over), cvar_rows.count
        )
        count = len(over)
        excess = np.hstack([-(per @ self._shared)[:, kept], -np.ones((count, 1))])
        below = sparse.coo_array(np.vstack([excess, -np.eye(1, len(kept) + 1, len(kept))]))
        small = small.extended(
            1,
            (below.row.astype(np.int64), below.col.astype(np.int64), below.data),
            np.append(-(per @ program.right[cvar_rows.rows]), 0.0),
            [Block(Cone.NONNEGATIVE, count + 1)],
            np.append(np.zeros(len(kept)), 1.0),
        )
        return _Master(small, kept, height, over)

    def refuted(self, answer: SolverResult, master: _Master) -> SolverResult:
        """Return that the whole program is infeasible, by the same multipliers."""
        dual = np.zeros(len(self._program.right))
        dual[master.rows] = answer.dual[: len(master.rows)]
        return SolverResult(answer.verdict, np.zeros(self._program.size), dual, answer.solver)

    def answer(
        self, answer: SolverResult, point: Vector, excess: Vector, share: Vector, master: _Master
    ) -> SolverResult:
        """Return the answer of the whole program: what scenarios left out are worth, and their multipliers."""
        cvar_rows = self._cvar_rows
        primal, dual = point.copy(), np.zeros(len(self._program.right))
        primal[cvar_rows.columns[0]], primal[cvar_rows.columns[1]] = np.maximum(excess, 0.0), np.maximum(-excess, 0.0)
        price = share * cvar_rows.cost
        dual[cvar_rows.rows] = -price / cvar_rows.slope
        dual[cvar_rows.floors[0]] = (cvar_rows.cost - price) / cvar_rows.depth[0]
        dual[cvar_rows.floors[1]] = price / cvar_rows.depth[1]
        dual[master.rows] = answer.dual[: len(master.rows)]
        return SolverResult(answer.verdict, primal, dual, f"{answer.solver}, sifted by scenarios")
