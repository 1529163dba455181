"""How large each module can get: intervals of the tree's nodes, at the root and inside a branch.

At the root an affine module's range over bounds and budgets is a fractional knapsack: fill each budget
with the rows that charge most. Everything above follows by interval arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.nodes import Aggregate, WeightedSum
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense
from allocator.solve.relaxation.indexed_tree import IndexedTree

__all__ = ["Box", "Branch", "Knapsack", "RootBox", "corners"]

Interval = tuple[float, float]

SINGULAR = 1e-6
"""Smallest eigenvalue from which a correlation matrix is inverted."""

MATRIX = 1_000_000
"""Entries of the slopes whose highest values are looked up together."""

MANY = 12
"""Children from which the corners of an aggregate's box are no longer listed."""


@dataclass(frozen=True, slots=True)
class Branch:
    """What a node of the search adds: narrower intervals of modules, fewer allowed pieces."""

    intervals: Mapping[int, Interval] = field(default_factory=lambda: MappingProxyType({}))
    pieces: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def narrowed(self, position: int, interval: Interval) -> Branch:
        """Return the branch with one more interval.

        Parameters
        ----------
        position : int
            A node of the tree.
        interval : (float, float)
            Where its amount lies, in the program's money.
        """
        return Branch({**self.intervals, position: interval}, self.pieces)

    def decided(self, position: int, pieces: tuple[int, ...]) -> Branch:
        """Return the branch with the pieces of one node restricted.

        Parameters
        ----------
        position : int
            A piecewise node.
        pieces : tuple of int
            Pieces that may still be the active one.
        """
        return Branch(self.intervals, {**self.pieces, position: pieces})


@dataclass(frozen=True, eq=False)
class Box:
    """Intervals by position, and for each piecewise node how far piece i can lie above piece j.

    Parameters
    ----------
    lower, upper : ndarray (nodes,)
        Bounds of the nodes' amounts; may be infinite.
    above : mapping of int to ndarray (pieces, pieces)
        Upper bound of ``piece i − piece j`` (signs as in `Pieces`) at ``[i, j]``.
    root_above : mapping of int to ndarray
        The same before any branching: what no row needs to ensure.
    allowed : mapping of int to tuple of int
        The pieces of each piecewise node that can still be the active one.
    branch : Branch
        The branch it belongs to.
    """

    lower: Vector
    upper: Vector
    above: Mapping[int, NDArray[np.float64]]
    root_above: Mapping[int, NDArray[np.float64]]
    allowed: Mapping[int, tuple[int, ...]]
    branch: Branch

    @property
    def empty(self) -> bool:
        """Whether an interval has nothing in it."""
        return bool(np.any(self.lower > self.upper + 1e-9))


class Knapsack:
    """Highest values of linear functions of the holdings over bounds and disjoint budgets.

    Parameters
    ----------
    model : Model
        Bounds and terms; hard terms whose row adds up rows of the space with one weight are budgets, those of several
        rows before those of one.
    scale : float
        Currency units per unit of money.
    """

    def __init__(self, model: Model, scale: float) -> None:
        self._lower = model.space.lower / scale
        self._upper = model.space.upper / scale
        self._groups: list[tuple[NDArray[np.int64], float, float]] = []
        free = np.ones(model.space.size, dtype=bool)
        for several, wanted in product((True, False), (Sense.EQUAL, Sense.AT_MOST)):
            for term in model.terms:
                linear = term.left.affine()
                if linear is None or term.sense is not wanted or term.mode is not Mode.HARD:
                    continue
                for row in range(len(term.right)):
                    span = slice(linear.matrix.indptr[row], linear.matrix.indptr[row + 1])
                    members, weights = linear.matrix.indices[span], linear.matrix.data[span]
                    if not len(members) or (len(members) > 1) is not several:
                        continue
                    uniform = weights[0] > 0 and bool(np.all(weights == weights[0]))
                    if not uniform or not free[members].all() or not np.isfinite(self._lower[members]).all():
                        continue
                    amount = float(term.right[row] - linear.constant[row]) / weights[0] / scale
                    floor = amount if wanted is Sense.EQUAL else float(self._lower[members].sum())
                    self._groups.append((np.asarray(members, dtype=np.int64), floor, amount))
                    free[members] = False
        self._free = np.flatnonzero(free)

    def highest(self, slopes: NDArray[np.float64]) -> Vector:
        """Return max slope′x of each row of ``slopes`` (k, n), shape (k,); inf when unbounded."""
        rest = slopes[:, self._free]
        at = np.where(rest > 0, self._upper[self._free], self._lower[self._free])
        total = np.multiply(rest, at, out=np.zeros_like(rest), where=rest != 0).sum(axis=1)
        used = np.any(slopes != 0.0, axis=0)
        for members, floor, amount in self._groups:
            rows, unused = members[used[members]], members[~used[members]]
            if not len(rows):
                continue
            room = max(amount - float(self._lower[members].sum()), 0.0)
            idle = float(np.minimum(self._upper[unused] - self._lower[unused], room).sum())
            # Largest slopes first; rows with a negative slope only as far as the budget must be spent, and after those
            # that cost nothing.
            picked = slopes[:, rows]
            order = np.argsort(-picked, axis=1, kind="stable")
            slope, lower = np.take_along_axis(picked, order, 1), self._lower[rows][order]
            width, rises = np.minimum(self._upper[rows][order] - lower, room), slope > 0
            before = np.cumsum(width, axis=1) - width + np.where(rises, 0.0, idle)
            spent = float(self._lower[members].sum())
            filled = np.clip(np.where(rises, amount, floor) - spent - before, 0.0, width)
            total += np.sum(slope * (lower + filled), axis=1)
        return np.asarray(total)


@dataclass(frozen=True, eq=False)
class RootBox:
    """Boxes of the whole tree and of branches of it."""

    form: IndexedTree
    knapsack: Knapsack

    def _highest(self, weights: list[Vector]) -> Vector:
        """Return the highest value of each weighted sum of leaves, a few at a time where there are many holdings."""
        tree, scale = self.form.tree, self.form.scale
        stacked = np.stack(weights)
        step = max(MATRIX // tree.coefficients.shape[1], 1)
        found = [
            self.knapsack.highest(np.ascontiguousarray((tree.coefficients.T @ stacked[start : start + step].T).T))
            for start in range(0, len(stacked), step)
        ]
        return np.concatenate(found) + stacked @ tree.constants / scale

    @cached_property
    def _affine(self) -> dict[int, Interval]:
        over = self.form.over_leaves
        ends = self._highest([sign * weights for weights in over.values() for sign in (-1.0, 1.0)]).reshape(-1, 2)
        return {position: (-float(low), float(high)) for position, (low, high) in zip(over, ends, strict=True)}

    @cached_property
    def _above(self) -> dict[int, NDArray[np.float64]]:
        found, places, differences = {}, [], []
        for position, pieces in self.form.pieces.items():
            count = len(pieces.children)
            found[position] = np.full((count, count), np.inf)
            np.fill_diagonal(found[position], 0.0)
            affine = [self.form.over_leaves.get(child) for child in pieces.children]
            for i, first in enumerate(affine):
                for j, second in enumerate(affine):
                    if i != j and first is not None and second is not None:
                        places.append((position, i, j))
                        differences.append(pieces.sign * (pieces.weights[i] * first - pieces.weights[j] * second))
        for (position, i, j), high in zip(places, self._highest(differences) if places else (), strict=True):
            found[position][i, j] = high
        return found

    @cached_property
    def whole(self) -> Box:
        """The intervals of all nodes before any branching."""
        size = len(self.form.nodes)
        blank = Box(np.full(size, -np.inf), np.full(size, np.inf), {}, {}, {}, Branch())
        return self._refreshed(blank, Branch(), range(size))

    def box(self, branch: Branch, parent: Box, watched: frozenset[int]) -> Box:
        """Return the intervals inside a branch that adds one decision to that of ``parent``.

        Only nodes that are ``watched`` are narrowed; the others keep the parent's intervals.

        Parameters
        ----------
        branch : Branch
            The branch.
        parent : Box
            The box of the branch it adds to.
        watched : frozenset of int
            Nodes whose intervals matter.
        """
        changed = [
            position
            for now, before in ((branch.intervals, parent.branch.intervals), (branch.pieces, parent.branch.pieces))
            for position in now
            if now[position] != before.get(position)
        ]
        affected = set(changed)
        for position in changed:
            # The pieces of a maximum feel its interval, and so does whatever else they feed.
            for node in (position, *(self.form.children[position] if position in self.form.pieces else ())):
                affected.update(self.form.ancestors[node])
        return self._refreshed(parent, branch, sorted(affected & watched | set(changed)))

    def _refreshed(self, parent: Box, branch: Branch, positions: Iterable[int]) -> Box:
        """Return the box with the intervals at ``positions`` worked out anew, each inside the parent's."""
        lower, upper = parent.lower.copy(), parent.upper.copy()
        above, allowed = dict(parent.above), dict(parent.allowed)
        for position in positions:
            if position in self.form.pieces:
                above[position] = self._differences(position, lower, upper)
                allowed[position] = self._possible(position, above[position], branch)
            low, high = self._natural(position, lower, upper, allowed)
            for other in (self._affine.get(position), branch.intervals.get(position)):
                if other is not None:
                    low, high = max(low, other[0]), min(high, other[1])
            lower[position], upper[position] = max(low, lower[position]), min(high, upper[position])
            if position in branch.intervals or position in branch.pieces:
                if position not in self.form.pieces:
                    continue
                self._hand_down(position, lower, upper, allowed[position])
                above[position] = self._differences(position, lower, upper)
                allowed[position] = self._possible(position, above[position], branch)
        return Box(lower, upper, above, parent.root_above or above, allowed, branch)

    def _possible(self, position: int, above: NDArray[np.float64], branch: Branch) -> tuple[int, ...]:
        """Drop every piece that lies below another one everywhere.

        Where pieces are equal the first of them picks an aggregate's matrix: it may only be dropped for an earlier one.
        """
        kept = list(branch.pieces.get(position, range(len(above))))
        picks = position in self.form.selected.values()

        def is_below(piece: int, other: int) -> bool:
            most = above[piece, other]
            return bool(most < 0.0 or (most == 0.0 and (other < piece or not picks)))

        for piece in list(kept):
            if any(is_below(piece, other) for other in kept if other != piece):
                kept.remove(piece)
        return tuple(kept)

    def _natural(self, position: int, lower: Vector, upper: Vector, allowed: Mapping[int, tuple[int, ...]]) -> Interval:
        """Return what the children's intervals say about a node."""
        below = list(self.form.children[position])
        node = self.form.nodes[position]
        pieces = self.form.pieces.get(position)
        if pieces is not None:
            children = list(pieces.children)
            lows, highs = _pieces_range(pieces.sign, pieces.weights, lower[children], upper[children])
            ends = float(lows.max()), float(highs[list(allowed[position])].max())
            return ends if pieces.sign > 0 else (-ends[1], -ends[0])
        if isinstance(node, WeightedSum):
            weights = np.asarray(node.weights)
            low = np.where(weights >= 0, lower[below], upper[below])
            high = np.where(weights >= 0, upper[below], lower[below])
            used = weights != 0
            return float(weights[used] @ low[used]), float(weights[used] @ high[used])
        if isinstance(node, Aggregate):
            picked = allowed.get(self.form.selected.get(position, -1))
            ranges = [
                _norm_range(matrix, lower[below], upper[below]) for matrix in self.form.matrices(position, picked)
            ]
            return min(r[0] for r in ranges), max(r[1] for r in ranges)
        return -np.inf, np.inf

    def _hand_down(self, position: int, lower: Vector, upper: Vector, allowed: tuple[int, ...]) -> None:
        """Narrow the pieces to what the node's own interval leaves them: none above it, the only one equal to it."""
        pieces = self.form.pieces[position]
        ends = (lower[position], upper[position]) if pieces.sign > 0 else (-upper[position], -lower[position])
        for piece, (child, weight) in enumerate(zip(pieces.children, pieces.weights, strict=True)):
            low = ends[0] if allowed == (piece,) else -np.inf
            at = (low, ends[1]) if pieces.sign * weight > 0 else (-ends[1], -low)
            lower[child] = max(lower[child], at[0] / abs(weight))
            upper[child] = min(upper[child], at[1] / abs(weight))

    def _differences(self, position: int, lower: Vector, upper: Vector) -> NDArray[np.float64]:
        pieces = self.form.pieces[position]
        children = list(pieces.children)
        lows, highs = _pieces_range(pieces.sign, pieces.weights, lower[children], upper[children])
        with np.errstate(invalid="ignore"):
            return np.fmin(self._above[position], highs[:, None] - lows[None, :])


def _pieces_range(sign: float, weights: tuple[float, ...], lower: Vector, upper: Vector) -> tuple[Vector, Vector]:
    factor = sign * np.asarray(weights)
    first, second = factor * lower, factor * upper
    return np.minimum(first, second), np.maximum(first, second)


@cache
def corners(count: int) -> NDArray[np.float64]:
    """Return the corners of the unit cube, shape (2^count, count), of zeros and ones."""
    return ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(float)


def _norm_range(matrix: NDArray[np.float64], lower: Vector, upper: Vector) -> Interval:
    """Range of sqrt(y′Ry) over a box: the highest value lies at a corner, the lowest is bounded from below.

    min over the other modules of y′Ry is y_i² / (R⁻¹)_ii; with R ≥ 0 and y ≥ 0 the low corner itself is it.
    """
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return 0.0, np.inf
    if bool(np.all(matrix >= 0)) and bool(np.all(lower >= 0)):
        return Aggregate.value_with(lower, matrix), Aggregate.value_with(upper, matrix)
    nearest = np.where(lower > 0, lower, np.where(upper < 0, -upper, 0.0))
    low = 0.0
    if nearest.any() and np.linalg.eigvalsh(matrix)[0] > SINGULAR:
        low = float(np.max(nearest / np.sqrt(np.diag(np.linalg.inv(matrix)))))
    if len(lower) > MANY:
        size = np.maximum(np.abs(lower), np.abs(upper))
        return low, float(np.sqrt(size @ np.abs(matrix) @ size))
    points = lower + corners(len(lower)) * (upper - lower)
    return low, float(np.sqrt(max(float(((points @ matrix) * points).sum(axis=1).max()), 0.0)))
