"""The programs that sifting solves: few holdings one by one, the others in bundles, at rest, or in a sample."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.solve.decomposition.groups import NONE, Groups
from allocator.solve.program.program import Block, Cone, ConeProgram, SolverResult, merged

__all__ = ["Bundles", "Master", "Parted", "bundled", "others", "sample_of", "scaled", "still"]

Places = NDArray[np.int64]

SEEN = 20
"""Members that a shared row must have in a sample, on average; the holdings of rarer rows are all in it."""

NOTHING = 1e-12
"""Way, in the program's units, below which a bundle does not move."""


@dataclass(frozen=True, eq=False)
class Bundles:
    """Lines of the holdings left out: z = base + Σ directionsⱼ tⱼ, 0 ≤ tⱼ ≤ capsⱼ.

    Parameters
    ----------
    base : ndarray (N,)
        Where they stand at t = 0; zero in all other columns.
    directions : csc_array (N, lines)
        Each one long in all.
    caps : ndarray (lines,)
        Infinite for a line without an end.
    """

    base: Vector
    directions: sparse.csc_array
    caps: Vector


@dataclass(frozen=True, eq=False)
class Parted:
    """A program parted into what its holdings share and what is each one's own: made once for all its masters.

    Parameters
    ----------
    program : ConeProgram
        The program.
    groups : Groups
        Its holdings.
    free : ndarray of bool (N,)
        The columns of no holding.
    shared : ndarray of int
        The rows of no holding.
    matrix : csc_array (shared, N)
        Those rows.
    curvature : ndarray (N,)
        The diagonal of P.
    """

    program: ConeProgram
    groups: Groups
    free: NDArray[np.bool_]
    shared: Places
    matrix: sparse.csc_array
    curvature: Vector

    @classmethod
    def of(cls, program: ConeProgram, groups: Groups) -> Parted:
        """Part a program whose first rows and columns are those the groups were found in.

        Parameters
        ----------
        program : ConeProgram
            The program, N columns and m rows.
        groups : Groups
            The groups among its first columns.
        """
        free = np.ones(program.size, dtype=bool)
        free[groups.columns[groups.columns != NONE]] = False
        common = np.ones(len(program.right), dtype=bool)
        common[: len(groups.owner)] = groups.owner == NONE
        rows = _rows_that_stay(program.matrix, common)
        return cls(program, groups, free, np.flatnonzero(common), rows, program.quadratic.diagonal())


@dataclass(frozen=True, eq=False)
class Master:
    """A program on few columns and how its answer reads in the whole one.

    Parameters
    ----------
    program : ConeProgram
        The kept columns, then one for each line; the kept rows, then the lines' ends.
    columns, rows : ndarray of int
        The whole program's columns and rows that are kept.
    bundles : Bundles
        What the further columns stand for.
    """

    program: ConeProgram
    columns: Places
    rows: Places
    bundles: Bundles

    @classmethod
    def of(cls, parted: Parted, working: Places, bundles: Bundles) -> Master:
        """Return the program on ``working``, the columns of no group, and the bundles.

        Parameters
        ----------
        parted : Parted
            The whole program.
        working : ndarray of int
            Groups that keep columns of their own.
        bundles : Bundles
            The other groups, moved together.
        """
        program, groups, lines = parted.program, parted.groups, len(bundles.caps)
        kept = parted.free.copy()
        own = groups.columns[:, working]
        kept[own[own != NONE]] = True
        columns = np.flatnonzero(kept)
        inside = np.zeros(groups.count + 1, dtype=bool)
        inside[working] = inside[NONE] = True
        stays = np.ones(len(program.right), dtype=bool)
        stays[: len(groups.owner)] = inside[groups.owner]
        rows = np.flatnonzero(stays)
        shared = np.searchsorted(rows, parted.shared)
        own_part = _rows_that_stay(sparse.csc_array(program.matrix[:, columns]), stays)
        # The lines meet shared rows alone.
        along = sparse.csc_array(parted.matrix @ bundles.directions)
        along = sparse.csc_array((along.data, shared[along.indices], along.indptr), shape=(len(rows), lines))
        capped = np.flatnonzero(np.isfinite(bundles.caps))
        ends = sparse.vstack([-sparse.eye_array(lines), sparse.eye_array(lines, format="csr")[capped]])
        below = sparse.hstack([sparse.csr_array((ends.shape[0], len(columns))), ends])
        right = program.right[rows]
        right[shared] -= parted.matrix @ bundles.base
        slope = program.linear + parted.curvature * bundles.base
        along_curvature = sparse.diags_array(bundles.directions.power(2).T @ parted.curvature)
        small = ConeProgram(
            sparse.block_diag([program.quadratic[:, columns][columns], along_curvature], format="csc"),
            np.concatenate([program.linear[columns], bundles.directions.T @ slope]),
            sparse.csc_array(sparse.vstack([sparse.hstack([own_part, along]), below])),
            np.concatenate([right, np.zeros(lines), bundles.caps[capped]]),
            merged((*_blocks_that_stay(program.blocks, stays), Block(Cone.NONNEGATIVE, lines + len(capped)))),
            program.constant + float(0.5 * (program.linear + slope) @ bundles.base),
        )
        return cls(small, columns, rows, bundles)

    def opened(self, answer: SolverResult, height: int) -> tuple[Vector, Vector]:
        """Return the point of the whole program, and its duals, zero in rows that belong to holdings left out.

        Parameters
        ----------
        answer : SolverResult
            Of the master.
        height : int
            Rows of the whole program, m.
        """
        count = len(self.columns)
        point = self.bundles.base + self.bundles.directions @ answer.primal[count:]
        point[self.columns] = answer.primal[:count]
        dual = np.zeros(height)
        dual[self.rows] = answer.dual[: len(self.rows)]
        return point, dual


def others(count: int, taken: Places) -> Places:
    """Return the numbers below ``count`` that are not ``taken``.

    Parameters
    ----------
    count : int
        How many numbers there are.
    taken : ndarray of int
        Those that are left out.
    """
    kept = np.ones(count, dtype=bool)
    kept[taken] = False
    return np.flatnonzero(kept)


def still(groups: Groups, working: Places, stand: Vector, size: int) -> Bundles:
    """Return all holdings outside ``working`` at x = ``stand`` (g,) for good.

    Parameters
    ----------
    groups : Groups
        All g groups.
    working : ndarray of int
        Groups with columns of their own.
    stand : ndarray (g,)
        x of each group.
    size : int
        Columns of the whole program, N.
    """
    base = groups.point(stand, size)
    own = groups.columns[:, working]
    base[own[own != NONE]] = 0.0
    return Bundles(base, sparse.csc_array((size, 0)), np.zeros(0))


def bundled(groups: Groups, working: Places, stand: Vector, slopes: Vector, count: int) -> Bundles:
    """Return all holdings outside ``working`` at x = ``stand`` (g,), chunk by chunk free to move up and down.

    A chunk holds neighbours by ``slopes`` (N,), which are likely to change their minds together. A way ends at the
    next point where the holding's own cost bends, so that along the way it costs what it costs at the ends.

    Parameters
    ----------
    groups : Groups
        All g groups.
    working : ndarray of int
        Groups with columns of their own.
    stand : ndarray (g,)
        x of each group.
    slopes : ndarray (N,)
        q + A′y.
    count : int
        Chunks.
    """
    size = len(slopes)
    out = others(groups.count, working)
    out = out[groups.lower[out] < groups.upper[out]]
    count = max(min(count, len(out)), 1)
    chunk = np.full(groups.count, NONE)
    chunk[out] = _ranked(slopes[groups.columns[0, out]], count)
    endless = np.isinf(groups.upper)
    top = np.where(endless, stand + count / groups.count, groups.upper)
    middle = groups.middle
    free = np.zeros(count, dtype=bool)
    free[chunk[endless & (chunk != NONE)]] = True
    here = groups.point(stand, size)
    ways, caps = [], []
    for target, no_end in (
        (np.where(stand < middle, middle, top), free),
        (np.where(stand > middle, middle, groups.lower), np.zeros_like(free)),
    ):
        way, length = _lines(groups, chunk, groups.point(target, size) - here, count)
        ways.append(way)
        caps.append(np.where(no_end, np.inf, length)[length > NOTHING])
    base = still(groups, working, stand, size).base
    return Bundles(base, sparse.csc_array(sparse.hstack(ways)), np.concatenate(caps))


def _ranked(values: Vector, count: int) -> Places:
    """Return which of ``count`` equally large parts each value falls in, the smallest first; equal ones together."""
    places = np.arange(1, count) * len(values) // count
    return np.searchsorted(np.partition(values, places)[places], values, side="right")


def _lines(groups: Groups, chunk: Places, way: Vector, count: int) -> tuple[sparse.csc_array, Vector]:
    """Return the way of each chunk that has one, one long, and how long all ways are."""
    parts = []
    for side in groups.columns:
        there = np.flatnonzero((side != NONE) & (chunk != NONE))
        there = there[way[side[there]] != 0.0]
        parts.append((side[there], chunk[there]))
    rows, columns = np.concatenate([rows for rows, _ in parts]), np.concatenate([columns for _, columns in parts])
    length = np.bincount(columns, np.abs(way[rows]), minlength=count).astype(float)
    moves = length > NOTHING
    used = moves[columns]
    rows, columns = rows[used], columns[used]
    shape = len(way), int(moves.sum())
    return sparse.csc_array((way[rows] / length[columns], (rows, (np.cumsum(moves) - 1)[columns])), shape=shape), length


def sample_of(parted: Parted, count: int) -> tuple[Places, Vector]:
    """Return holdings drawn at random and how many each stands for.

    Those in rows that the draw might miss stand for themselves. The weights add up to the number of all holdings.

    Parameters
    ----------
    parted : Parted
        The whole program.
    count : int
        Holdings to draw.
    """
    groups, rows = parted.groups, parted.matrix
    place = np.full(rows.shape[1], NONE)
    place[groups.columns[0]] = np.arange(groups.count)
    member = np.repeat(place, np.diff(rows.indptr))
    holders = np.bincount(rows.indices[member != NONE], minlength=rows.shape[0])
    rare = (holders < SEEN * groups.count / count)[rows.indices]
    alone = np.unique(member[rare & (member != NONE)])[:count]
    rest = others(groups.count, alone)
    drawn = np.random.default_rng(0).choice(rest, min(count, len(rest)), replace=False)
    sample = np.concatenate([alone, drawn])
    weight = np.concatenate([np.ones(len(alone)), np.full(len(drawn), len(rest) / max(len(drawn), 1))])
    order = np.argsort(sample)
    return sample[order], weight[order]


def scaled(parted: Parted, sample: Places, weight: Vector) -> Master:
    """Return a master of ``sample`` with each holding as ``weight`` equal ones.

    Equal holdings move together: their sum has bounds and a start ``weight`` times as large and a curvature
    ``weight`` times as small. Where they stand now, all holdings weigh on the shared rows what they weigh in truth.

    Parameters
    ----------
    parted : Parted
        The whole program.
    sample : ndarray of int (k,)
        Holdings drawn.
    weight : ndarray (k,)
        How many each stands for.
    """
    program, groups = parted.program, parted.groups
    master = Master.of(parted, sample, still(groups, sample, groups.middle, program.size))
    columns, factor = np.ones(program.size), np.zeros(groups.count + 1)
    for side in groups.columns[:, sample]:
        columns[side[side != NONE]] = weight[side != NONE]
    factor[sample], factor[NONE] = weight, 1.0
    rows = np.ones(len(program.right))
    rows[: len(groups.owner)] = factor[groups.owner]
    stand = groups.point(groups.middle, program.size)
    quadratic = master.program.quadratic.copy()
    quadratic.data = quadratic.data / columns[master.columns][quadratic.indices]
    right = master.program.right * rows[master.rows]
    right[np.searchsorted(master.rows, parted.shared)] -= parted.matrix @ (stand * (1.0 - columns))
    return replace(master, program=replace(master.program, quadratic=quadratic, right=right))


def _rows_that_stay(matrix: sparse.csc_array, stays: NDArray[np.bool_]) -> sparse.csc_array:
    number = np.cumsum(stays) - 1
    kept = stays[matrix.indices]
    pointers = np.append(0, np.cumsum(kept))[matrix.indptr]
    shape = (int(stays.sum()), matrix.shape[1])
    return sparse.csc_array((matrix.data[kept], number[matrix.indices[kept]], pointers), shape=shape)


def _blocks_that_stay(blocks: tuple[Block, ...], stays: NDArray[np.bool_]) -> list[Block]:
    """Return the cones of the rows that stay; only rows of linear ones ever go."""
    ends = np.cumsum([block.rows for block in blocks])
    counts = np.diff(np.append(0, np.append(0, np.cumsum(stays))[ends]))
    return [
        replace(block, size=int(count)) if block.cone in (Cone.ZERO, Cone.NONNEGATIVE) else block
        for block, count in zip(blocks, counts, strict=True)
    ]
