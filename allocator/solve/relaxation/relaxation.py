"""The capital tree as convex rows that every true value satisfies: the source of certified bounds.

Walking down from the modules that are limited, each node is needed from below (its column must not fall
short of the true value), from above (must not exceed it), or both: an aggregate hands its own side to a
module it grows with, the other side to one it falls with, both where the sign is open. The convex side
of a node is exact. The other side is an envelope over the node's box, exact once the box is a point or
the active piece is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from allocator.capital.nodes import Absolute, Aggregate, Leaf, WeightedSum
from allocator.solve.program.affine import Affine, Fragment, Rows
from allocator.solve.program.program import Cone
from allocator.solve.relaxation.boxes import Box
from allocator.solve.relaxation.envelope import NARROW, Norm, add_envelope, slope_signs
from allocator.solve.relaxation.indexed_tree import OVER, UNDER, IndexedTree, Side

__all__ = ["Relaxation", "Sides", "add_norm", "find_sides", "flipped"]

BOTH: Side = UNDER | OVER

REMEMBERED = 4096
"""Rows of single nodes kept."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Which side of each node is needed, and the aggregates needed from above, looked through.

    Parameters
    ----------
    needed : dict of int to Side
        By position; nodes that nobody needs are left out.
    norms : dict of int to Norm
        Aggregates needed from above.
    """

    needed: dict[int, Side]
    norms: dict[int, Norm]


def flipped(side: Side) -> Side:
    """Return the other side; both stay both."""
    return {UNDER: OVER, OVER: UNDER}.get(side, side)


def _through(side: Side, sign: int) -> Side:
    """Return the side of a module that an aggregate moves with by ``sign``."""
    if sign == 0:
        return BOTH if side else 0
    return side if sign > 0 else flipped(side)


def find_sides(form: IndexedTree, box: Box, targets: dict[int, Side]) -> Sides:
    """Return which side of every node is needed so that ``targets`` are.

    Parameters
    ----------
    form : IndexedTree
        The tree.
    box : Box
        Its intervals.
    targets : dict of int to Side
        Sides asked for, by position.
    """
    needed = dict.fromkeys(range(len(form.nodes)), 0)
    needed.update(targets)
    norms: dict[int, Norm] = {}
    for position in range(len(form.nodes) - 1, -1, -1):
        side = needed[position]
        node = form.nodes[position]
        below = list(form.children[position])
        if not side:
            continue
        if isinstance(node, WeightedSum):
            for child, weight in zip(below, node.weights, strict=True):
                needed[child] |= _through(side, int(np.sign(weight))) if weight else 0
        elif isinstance(node, Absolute):
            sign = 1 if box.lower[below[0]] >= 0 else -1 if box.upper[below[0]] <= 0 else 0
            needed[below[0]] |= _through(side, sign)
        elif isinstance(node, Aggregate):
            selector = form.selected.get(position, -1)
            allowed = box.allowed.get(selector)
            if side & UNDER:
                signs = slope_signs(form.matrices(position, allowed), box.lower[below], box.upper[below])
                for child, sign in zip(below, signs.tolist(), strict=True):
                    needed[child] |= _through(UNDER, sign)
            if side & OVER:
                norms[position] = norm = Norm.over(form, position, box)
                for argument, sign in zip(norm.arguments, norm.signs, strict=True):
                    needed[argument] |= _through(OVER, sign)
            if selector >= 0:
                needed[selector] = BOTH
        else:
            for child in below:
                needed[child] |= side
    return Sides({position: side for position, side in needed.items() if side}, norms)


@dataclass(frozen=True, eq=False)
class _Piece:
    """The rows that hold one node inside its box, and whether it may lie there."""

    rows: Fragment
    relaxed_nodes: bool


class Relaxation:
    """The tree's columns, placed once, and its rows inside any box.

    Parameters
    ----------
    form : Form
        The tree.
    sides : Sides
        Which sides are needed on the whole box.
    leaves : slice
        Columns of the leaves.
    width : int
        Columns that stand before the tree's other ones.
    """

    def __init__(self, form: IndexedTree, sides: Sides, leaves: slice, width: int) -> None:
        self._form = form
        self._sides = sides
        self.functions: dict[int, Affine] = {}
        self._held: list[int] = []
        self.width = width
        for position in sorted(sides.needed):
            node = form.nodes[position]
            if isinstance(node, Leaf):
                self.functions[position] = Affine.column(leaves.start + node.row)
            elif isinstance(node, WeightedSum):
                parts = zip(node.weights, form.children[position], strict=True)
                used = [(weight, self.functions[child]) for weight, child in parts if weight]
                self.functions[position] = Affine.combine(used)
            else:
                self.functions[position] = Affine.column(self.width)
                self.width += 1
                self._held.append(position)
        self._dependence = {position: np.array(self._depends_on(position)) for position in sides.needed}
        self.watched = self._find_watched()
        self._known: dict[object, _Piece] = {}

    def _find_watched(self) -> frozenset[int]:
        """Return the nodes whose intervals the rows look at, and what lies between them."""
        seen = {argument for norm in self._sides.norms.values() for argument in norm.arguments}
        for position in self._held:
            pieces = self._form.pieces.get(position)
            relaxation_error = pieces is not None and self._sides.needed[position] & (
                OVER if pieces.sign > 0 else UNDER
            )
            if relaxation_error or position in self._form.selected:
                seen |= {position, *self._form.children[position]}
        between = {at for at in self.functions if seen.intersection(self._form.ancestors[at])}
        return frozenset(seen | between)

    def _depends_on(self, position: int) -> list[int]:
        norm = self._sides.norms.get(position)
        return [position, *self._form.children[position], *(norm.arguments if norm is not None else ())]

    def rows(self, box: Box) -> tuple[list[Fragment], list[int]]:
        """Return the rows inside ``box`` and the nodes that an envelope holds there, so that they may lie.

        A branch leaves most nodes' boxes as they were; their rows are remembered.
        """
        fragments, relaxed_nodes = [], []
        selectors = tuple(box.allowed[selector] for selector in self._form.selected.values())
        for position in self._held + [at for at in box.branch.intervals if at not in self._held]:
            watched = self._dependence[position]
            key = (
                position,
                box.lower[watched].tobytes(),
                box.upper[watched].tobytes(),
                box.allowed.get(position),
                box.branch.intervals.get(position),
                selectors,
            )
            if key not in self._known:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[key] = self._piece(position, box)
            piece = self._known[key]
            fragments.append(piece.rows)
            if piece.relaxed_nodes:
                relaxed_nodes.append(position)
        return fragments, relaxed_nodes

    def _piece(self, position: int, box: Box) -> _Piece:
        rows = Rows(self.width)
        side = self._sides.needed[position]
        relaxed_nodes = False
        if position in self._form.pieces:
            relaxed_nodes = self._add_pieces(rows, position, box, side)
        elif isinstance(self._form.nodes[position], Aggregate):
            relaxed_nodes = self._add_aggregate(rows, position, box, side)
        if position in box.branch.intervals:
            low, high = box.branch.intervals[position]
            for sign, end in ((1.0, low), (-1.0, high)):
                if np.isfinite(end):
                    rows.at_least_zero(Affine.combine([(sign, self.functions[position])], -sign * end))
        return _Piece(rows.frozen(), relaxed_nodes)

    def _add_pieces(self, rows: Rows, position: int, box: Box, side: Side) -> bool:
        """Add max(p₁, p₂, …) (a minimum is minus a maximum of minus the pieces); return whether it may lie.

        From below: v ≥ pᵢ. From above, for every piece j still possible: v ≤ pⱼ + Σᵢ chord of (pᵢ − pⱼ)₊ over
        the known range of the difference, which is zero once piece j is known to be the largest.
        """
        pieces = self._form.pieces[position]
        sign = pieces.sign
        signed = [
            Affine.combine([(sign * weight, self.functions[child])])
            for weight, child in zip(pieces.weights, pieces.children, strict=True)
        ]
        value = Affine.combine([(sign, self.functions[position])])
        allowed = box.allowed[position]
        if len(allowed) == 1:
            # The node is its one piece; where bounds and budgets alone do not say so, the others must lie below.
            chosen = signed[allowed[0]]
            certain = box.root_above[position][:, allowed[0]]
            rows.zero(value.minus(chosen))
            others = [chosen.minus(piece) for piece, above in zip(signed, certain, strict=True) if above > 0.0]
            if others:
                rows.require(Cone.NONNEGATIVE, others)
            return False
        rows.require(Cone.NONNEGATIVE, [value.minus(piece) for piece in signed])
        if not side & (OVER if sign > 0 else UNDER):
            return False
        above = box.above[position]
        for j in allowed:
            parts, constant = [(1.0, signed[j]), (-1.0, value)], 0.0
            for i in allowed:
                high, low = float(above[i, j]), -float(above[j, i])
                if i == j or high <= 0.0:
                    continue
                # The chord of max(d, 0) over low ≤ d ≤ high.
                slope = 1.0 if low >= 0.0 else high / (high - low)
                parts += [(slope, signed[i]), (-slope, signed[j])]
                constant -= slope * min(low, 0.0)
            if np.isfinite(constant) and all(np.isfinite(weight) for weight, _ in parts):
                rows.at_least_zero(Affine.combine(parts, constant))
        return True

    def _add_aggregate(self, rows: Rows, position: int, box: Box, side: Side) -> bool:
        """Add v ≥ sqrt(y′Ry), a cone, and below its envelope; return whether it may lie.

        With several matrices still possible the cone takes their entrywise least, if that is one.
        """
        value = self.functions[position]
        if side & OVER and box.upper[position] - box.lower[position] <= NARROW:
            rows.zero(Affine.combine([(1.0, value)], -float(box.upper[position])))
            return False
        if side & UNDER or position in box.branch.intervals:
            # Needed from above only, a node still has to lift its interval's end to what is below it.
            below = list(self._form.children[position])
            matrices = self._form.matrices(position, box.allowed.get(self._form.selected.get(position, -1)))
            matrix = np.min(matrices, axis=0)
            if len(matrices) > 1:
                rows.at_least_zero(Affine.combine([(1.0, value)], -box.lower[position]))
            sound = len(matrices) == 1 or (np.linalg.eigvalsh(matrix)[0] >= 0 and bool(np.all(box.lower[below] >= 0)))
            if sound:
                add_norm(rows, value, matrix, [self.functions[child] for child in below])
        if side & OVER:
            add_envelope(rows, self._sides.norms[position], box, self.functions, value)
            return True
        return False


def add_norm(rows: Rows, value: Affine, matrix: NDArray[np.float64], modules: list[Affine]) -> int:
    """Ask that ``value ≥ sqrt(y′Ry)``, y the ``modules``; return the cone's first row.

    Parameters
    ----------
    rows : Rows
        Receives the cone.
    value : Affine
        What is not to fall short.
    matrix : ndarray (k, k)
        R, positive semidefinite.
    modules : list of Affine
        y (k).
    """
    root = _root(np.ascontiguousarray(matrix).tobytes(), len(matrix))
    spread = [Affine.combine(zip(column.tolist(), modules, strict=True)) for column in root.T]
    return rows.require(Cone.SECOND_ORDER, [value, *spread])


@lru_cache(maxsize=256)
def _root(matrix: bytes, size: int) -> NDArray[np.float64]:
    """Return L with L L′ = R, also for a singular R."""
    correlation = np.frombuffer(matrix).reshape(size, size)
    values, vectors = np.linalg.eigh(correlation)
    if values[0] > 1e-9:
        return np.asarray(np.linalg.cholesky(correlation), dtype=float)
    kept = values > 1e-12
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))
