"""The holdings of a program that meet the others only in shared rows, and what each would do at given prices.

Such a holding has columns x, or x, u₊, u₋ with x − u₊ + u₋ = r, and bounds of its own; P touches them on its diagonal
only. At prices y of the shared rows it minimizes, apart from all others, a convex function of x alone,

    s x + ½ d x² + s₊ (x − r)₊ + ½ d₊ (x − r)₊² + s₋ (r − x)₊ + ½ d₋ (r − x)₊²,   l ≤ x ≤ u,

with slopes s = q + A′y: two parabolas that meet at r. Its least value, summed over the holdings, is what the
Lagrangian bound needs of them, and the multipliers of their own rows follow in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.solve.program.program import Cone, ConeProgram

__all__ = ["NONE", "Groups", "Pricing", "find_groups"]

Places = NDArray[np.int64]
Kinds = NDArray[np.int8]
NONE = -1
"""The place of what is not there."""


@dataclass(frozen=True, eq=False)
class Pricing:
    """What each group would do at given prices.

    Parameters
    ----------
    best : ndarray (g,)
        The least point x; infinite where nothing but the shared rows bounds it.
    margin : ndarray (g,)
        By how much the price of x must move before the group leaves it; infinite for a group that cannot move.
    """

    best: Vector
    margin: Vector

    def within(self, here: Vector) -> Vector:
        """Return the least points, and ``here`` (g,) where there is none."""
        return np.where(np.isfinite(self.best), self.best, here)


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of columns as described in the module's head; −1 where a group has no such row or column.

    Parameters
    ----------
    columns : ndarray (3, g)
        Columns of x, u₊ and u₋.
    lower, upper, start : ndarray (g,)
        l, u and r; r is l where there are no trades.
    at_lower, at_upper, fixed, split, floors : ndarray (g,) or (2, g)
        Rows of the bounds x ≥ l, x ≤ u, x = l, of the trade's split, and of u₊ ≥ 0 and u₋ ≥ 0.
    owner : ndarray (m,)
        The group each row of the program belongs to; −1 for shared rows.
    """

    columns: Places
    lower: Vector
    upper: Vector
    start: Vector
    at_lower: Places
    at_upper: Places
    fixed: Places
    split: Places
    floors: Places
    owner: Places

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.lower)

    @property
    def middle(self) -> Vector:
        """Where each stands before trading, or the nearest point inside its bounds (g,)."""
        return np.clip(self.start, self.lower, self.upper)

    def point(self, at: Vector, size: int) -> Vector:
        """Return the point of ``size`` columns where the groups stand at x = ``at`` (g,) and all else is zero.

        Parameters
        ----------
        at : ndarray (g,)
            x of each group.
        size : int
            Columns of the program, N.
        """
        found = np.zeros(size)
        found[self.columns[0]] = at
        traded = self.columns[1] != NONE
        trade = (at - self.start)[traded]
        found[self.columns[1, traded]] = np.maximum(trade, 0.0)
        found[self.columns[2, traded]] = np.maximum(-trade, 0.0)
        return found

    def price(self, slopes: Vector, squares: Vector) -> Pricing:
        """Return the least points at ``slopes`` q + A′y, with ``squares`` the diagonal of P, both (N,).

        Parameters
        ----------
        slopes : ndarray (N,)
            q + A′y.
        squares : ndarray (N,)
            Diagonal of P.
        """
        curve = self._curve(slopes, squares)
        s, bought, sold = curve[0]
        d, d_bought, d_sold = curve[1]
        low, high, start, middle = self.lower, self.upper, self.start, self.middle
        rising = s + d * middle + bought + d_bought * (middle - start)
        falling = s + d * middle - sold - d_sold * (start - middle)
        with np.errstate(divide="ignore", invalid="ignore"):
            up = np.where(d + d_bought > 0, middle - rising / (d + d_bought), np.inf)
            down = np.where(d + d_sold > 0, middle - falling / (d + d_sold), -np.inf)
        upward = (rising < 0) & (high > middle) & (middle >= start)
        downward = (falling > 0) & (low < middle) & (middle <= start)
        best = np.where(upward, np.minimum(up, high), np.where(downward, np.maximum(down, low), middle))
        end = np.where(np.isfinite(high), high, middle)
        excess = np.maximum(end - start, 0.0), np.maximum(start - low, 0.0)
        at_end = np.where(end > start, bought + d_bought * excess[0], -sold - d_sold * (start - end))
        at_end = np.where(best >= end, -(s + d * end + at_end), 0.0)
        at_low = np.where(low < start, -sold - d_sold * excess[1], bought + d_bought * (low - start))
        at_low = np.where(best <= low, s + d * low + at_low, 0.0)
        at_kink = np.minimum(np.where(high > middle, rising, np.inf), np.where(low < middle, -falling, np.inf))
        still = ~(upward | downward)
        margin = np.where(still, at_kink, np.where(upward, at_end, at_low))
        return Pricing(best, np.maximum(margin, 0.0))

    def values(self, at: Vector, slopes: Vector, squares: Vector) -> Vector:
        """Return each group's function at x = ``at``.

        Parameters
        ----------
        at : ndarray (g,)
            x of each group.
        slopes : ndarray (N,)
            q + A′y.
        squares : ndarray (N,)
            Diagonal of P.
        """
        (s, bought, sold), (d, d_bought, d_sold) = self._curve(slopes, squares)
        more, less = np.maximum(at - self.start, 0.0), np.maximum(self.start - at, 0.0)
        return np.asarray(
            (s + 0.5 * d * at) * at + (bought + 0.5 * d_bought * more) * more + (sold + 0.5 * d_sold * less) * less
        )

    def cost(self, point: Vector, slopes: Vector, squares: Vector) -> Vector:
        """Return what each group's own columns cost at ``point`` (N,), however its trade is split.

        Parameters
        ----------
        point : ndarray (N,)
            A point of the program.
        slopes : ndarray (N,)
            q + A′y.
        squares : ndarray (N,)
            Diagonal of P.
        """
        total = np.zeros(self.count)
        for columns in self.columns:
            at = point[columns]
            total += np.where(columns != NONE, (slopes[columns] + 0.5 * squares[columns] * at) * at, 0.0)
        return total

    def add_duals(self, dual: Vector, groups: Places, primal: Vector, slopes: Vector, squares: Vector) -> None:
        """Write into ``dual`` (m,) the multipliers of the own rows of ``groups`` at ``primal`` (N,).

        They lie in the dual cone whatever the point; at a least point they leave no residual.

        Parameters
        ----------
        dual : ndarray (m,)
            Multipliers, written into.
        groups : ndarray of int
            Groups whose own rows are wanted.
        primal : ndarray (N,)
            The point.
        slopes : ndarray (N,)
            q + A′y.
        squares : ndarray (N,)
            Diagonal of P.
        """
        gradient = slopes + squares * primal
        x, bought, sold = self.columns[:, groups]
        slope = gradient[x]
        traded = bought != NONE
        buy, sell = (np.where(traded, gradient[columns], 0.0) for columns in (bought, sold))
        shift = np.where(traded, np.clip(-slope, -sell, buy), 0.0)
        rest = slope + shift
        for rows, values in (
            (self.split[groups], shift),
            (self.floors[0, groups], np.maximum(buy - shift, 0.0)),
            (self.floors[1, groups], np.maximum(sell + shift, 0.0)),
            (self.at_lower[groups], np.maximum(rest, 0.0)),
            (self.at_upper[groups], np.maximum(-rest, 0.0)),
            (self.fixed[groups], -rest),
        ):
            there = rows != NONE
            dual[rows[there]] = values[there]

    def _curve(self, slopes: Vector, squares: Vector) -> tuple[list[Vector], list[Vector]]:
        there = self.columns != NONE
        return tuple(  # type: ignore[return-value]
            [np.where(there[k], of[self.columns[k]], 0.0) for k in range(3)] for of in (slopes, squares)
        )


def find_groups(program: ConeProgram, holdings: slice) -> Groups:
    """Return the groups among the columns ``holdings`` of a program.

    A holding with several splits, with a curvature shared with other columns or without a finite lower bound is left
    out; rows that bound a column less tightly than another row does belong to it, too.

    Parameters
    ----------
    program : ConeProgram
        The program, N columns and m rows.
    holdings : slice
        Its columns of the holdings.
    """
    rows = sparse.csr_array(program.matrix)
    kinds = _kinds(program)
    lengths = np.diff(rows.indptr)
    size = program.size
    bounds = _Bounds.of(rows, kinds, lengths, program.right, size)
    split = _find_splits(rows, kinds, lengths, holdings, bounds)
    held = np.arange(holdings.start, holdings.stop)
    columns = np.full((3, size), NONE, dtype=np.int64)
    columns[0, held] = held
    split_row, start = np.full(size, NONE, dtype=np.int64), bounds.lower.copy()
    x = rows.indices[rows.indptr[split]]
    columns[1, x], columns[2, x] = rows.indices[rows.indptr[split] + 1], rows.indices[rows.indptr[split] + 2]
    split_row[x] = split
    start[x] = program.right[split]
    crossed = program.quadratic.tocoo()
    apart = np.ones(size, dtype=bool)
    across = crossed.row != crossed.col
    apart[crossed.row[across]] = apart[crossed.col[across]] = False
    fit = apart[held] & np.isfinite(bounds.lower[held])
    for side in columns[1:, held]:
        fit &= (side == NONE) | apart[side]
    held = held[fit]
    chosen = columns[:, held]
    owner = _owners(rows, bounds, chosen, split_row[held])
    floors = np.where(chosen[1:] == NONE, NONE, bounds.at_lower[chosen[1:]])
    return Groups(
        chosen,
        bounds.lower[held],
        bounds.upper[held],
        start[held],
        np.where(bounds.fixed[held] == NONE, bounds.at_lower[held], NONE),
        np.where(bounds.fixed[held] == NONE, bounds.at_upper[held], NONE),
        bounds.fixed[held],
        split_row[held],
        floors,
        owner,
    )


@dataclass(frozen=True, eq=False)
class _Bounds:
    """The tightest bound of each column by rows of one entry ±1, and those rows; ``rows`` are all of them."""

    lower: Vector
    upper: Vector
    at_lower: Places
    at_upper: Places
    fixed: Places
    rows: Places

    @classmethod
    def of(
        cls, matrix: sparse.csr_array, kinds: NDArray[np.int8], lengths: Places, right: Vector, size: int
    ) -> _Bounds:
        single = np.flatnonzero((lengths == 1) & (kinds != CURVED))
        single = single[np.abs(matrix.data[matrix.indptr[single]]) == 1.0]
        columns, sign = matrix.indices[matrix.indptr[single]], matrix.data[matrix.indptr[single]]
        ends, equal = right[single] * sign, kinds[single] == EQUAL
        lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
        places = [np.full(size, NONE, dtype=np.int64) for _ in range(3)]
        for at, side, tighten, end in (
            (places[0], lower, np.maximum, ~equal & (sign < 0)),
            (places[1], upper, np.minimum, ~equal & (sign > 0)),
        ):
            chosen = np.flatnonzero(end)
            tighten.at(side, columns[chosen], ends[chosen])
            tight = chosen[ends[chosen] == side[columns[chosen]]]
            at[columns[tight]] = single[tight]
        fixed = np.flatnonzero(equal)
        lower[columns[fixed]] = upper[columns[fixed]] = ends[fixed]
        places[2][columns[fixed]] = single[fixed]
        return cls(lower, upper, places[0], places[1], places[2], single)


INEQUAL, EQUAL, CURVED = np.int8(0), np.int8(1), np.int8(2)


def _kinds(program: ConeProgram) -> Kinds:
    """Return for each row whether it is an inequality, an equality or part of a curved cone."""
    kind = {Cone.NONNEGATIVE: INEQUAL, Cone.ZERO: EQUAL}
    kinds = [kind.get(block.cone, CURVED) for block in program.blocks]
    return np.repeat(np.array(kinds, dtype=np.int8), [block.rows for block in program.blocks])


def _find_splits(rows: sparse.csr_array, kinds: Kinds, lengths: Places, holdings: slice, bounds: _Bounds) -> Places:
    """Return the rows x − u₊ + u₋ = r of holdings that have one."""
    found = np.flatnonzero((lengths == 3) & (kinds == EQUAL))
    entries = rows.indptr[found][:, None] + np.arange(3)
    columns, data = rows.indices[entries], rows.data[entries]
    trade = np.all(data == np.array([1.0, -1.0, 1.0]), axis=1)
    trade &= (columns[:, 0] >= holdings.start) & (columns[:, 0] < holdings.stop) & (columns[:, 1] >= holdings.stop)
    sides = columns[:, 1:]
    trade &= np.all((bounds.lower[sides] == 0.0) & (bounds.upper[sides] == np.inf), axis=1)
    found, columns = found[trade], columns[trade]
    uses = np.bincount(columns.ravel(), minlength=rows.shape[1])
    return np.asarray(found[np.all(uses[columns] == 1, axis=1)])


def _owners(rows: sparse.csr_array, bounds: _Bounds, columns: Places, split: Places) -> Places:
    group = np.full(rows.shape[1] + 1, NONE, dtype=np.int64)
    for side in columns:
        there = side != NONE
        group[side[there]] = np.flatnonzero(there)
    owner = np.full(rows.shape[0], NONE, dtype=np.int64)
    owner[bounds.rows] = group[rows.indices[rows.indptr[bounds.rows]]]
    there = split != NONE
    owner[split[there]] = np.flatnonzero(there)
    return owner
