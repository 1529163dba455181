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
from allocator.solve.affine import Affine, Rows
from allocator.solve.boxes import Box
from allocator.solve.envelope import NARROW, Norm, add_envelope, slope_signs
from allocator.solve.form import OVER, UNDER, Form, Side
from allocator.solve.program import Cone

__all__ = ["Relaxed", "Sides", "add_norm", "find_sides", "flipped", "relax"]

Vector = NDArray[np.float64]
BOTH: Side = UNDER | OVER


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


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Rows of the tree over the leaves' columns and new ones.

    Parameters
    ----------
    rows : Rows
        What to add below the plain program.
    functions : dict of int to Affine
        Each needed node as a function of the columns.
    loose : list of int
        Nodes that an envelope holds on their non-convex side, so that they may lie.
    """

    rows: Rows
    functions: dict[int, Affine]
    loose: list[int]


def flipped(side: Side) -> Side:
    """Return the other side; both stay both."""
    return {UNDER: OVER, OVER: UNDER}.get(side, side)


def _through(side: Side, sign: int) -> Side:
    """Return the side of a module that an aggregate moves with by ``sign``."""
    if sign == 0:
        return BOTH if side else 0
    return side if sign > 0 else flipped(side)


def find_sides(form: Form, box: Box, targets: dict[int, Side]) -> Sides:
    """Return which side of every node is needed so that ``targets`` are."""
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


def relax(form: Form, box: Box, sides: Sides, leaves: slice, width: int) -> Relaxed:
    """Return the rows of the tree inside ``box``; ``width`` columns stand before the new ones."""
    rows = Rows(width)
    functions: dict[int, Affine] = {}
    loose: list[int] = []
    for position, side in sorted(sides.needed.items()):
        node = form.nodes[position]
        below = form.children[position]
        if isinstance(node, Leaf):
            functions[position] = Affine.column(leaves.start + node.row)
        elif isinstance(node, WeightedSum):
            used = [(weight, functions[child]) for weight, child in zip(node.weights, below, strict=True) if weight]
            functions[position] = Affine.combine(used)
        elif position in form.pieces:
            if _relax_pieces(rows, form, position, box, side, functions):
                loose.append(position)
        elif box.upper[position] - box.lower[position] <= NARROW and side & OVER:
            functions[position] = Affine({}, float(box.upper[position]))
        else:
            functions[position] = Affine.column(rows.new_column())
            if side & UNDER or position in box.branch.intervals:
                # Needed from above only, a node still has to lift its interval's end to what is below it.
                _relax_aggregate(rows, form, position, box, functions)
            if side & OVER:
                add_envelope(rows, sides.norms[position], box, functions, functions[position])
                loose.append(position)
        if position in box.branch.intervals:
            _add_interval(rows, functions[position], *box.branch.intervals[position])
    return Relaxed(rows, functions, loose)


def _add_interval(rows: Rows, function: Affine, low: float, high: float) -> None:
    if np.isfinite(low):
        rows.at_least_zero(Affine.combine([(1.0, function)], -low))
    if np.isfinite(high):
        rows.at_least_zero(Affine.combine([(-1.0, function)], high))


def _relax_pieces(rows: Rows, form: Form, position: int, box: Box, side: Side, functions: dict[int, Affine]) -> bool:
    """Add max(p₁, p₂, …) (a minimum is minus a maximum of minus the pieces); return whether it may lie.

    From below: v ≥ pᵢ. From above, for every piece j still possible: v ≤ pⱼ + Σᵢ chord of (pᵢ − pⱼ)₊ over
    the known range of the difference, which is zero once piece j is known to be the largest.
    """
    pieces = form.pieces[position]
    sign = pieces.sign
    signed = [
        Affine.combine([(sign * weight, functions[child])])
        for weight, child in zip(pieces.weights, pieces.children, strict=True)
    ]
    allowed = box.allowed[position]
    above, certain = box.above[position], box.root_above[position]
    if len(allowed) == 1:
        # The node is its one piece; where bounds and budgets alone do not say so, the others must lie below.
        chosen = signed[allowed[0]]
        others = [chosen.minus(piece) for i, piece in enumerate(signed) if certain[i, allowed[0]] > 0.0]
        if others:
            rows.require(Cone.NONNEGATIVE, others)
        functions[position] = Affine.combine([(sign, chosen)])
        return False
    functions[position] = Affine.column(rows.new_column())
    value = Affine.combine([(sign, functions[position])])
    rows.require(Cone.NONNEGATIVE, [value.minus(piece) for piece in signed])
    if not side & (OVER if sign > 0 else UNDER):
        return False
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


def _relax_aggregate(rows: Rows, form: Form, position: int, box: Box, functions: dict[int, Affine]) -> None:
    """Add v ≥ sqrt(y′Ry), a cone. With several matrices still possible: their entrywise least, if it is one."""
    below = list(form.children[position])
    matrices = form.matrices(position, box.allowed.get(form.selected.get(position, -1)))
    value = functions[position]
    matrix = matrices[0]
    if len(matrices) > 1:
        rows.at_least_zero(Affine.combine([(1.0, value)], -box.lower[position]))
        matrix = np.min(matrices, axis=0)
        if np.linalg.eigvalsh(matrix)[0] < 0 or np.any(box.lower[below] < 0):
            return
    add_norm(rows, value, matrix, [functions[child] for child in below])


def add_norm(rows: Rows, value: Affine, matrix: NDArray[np.float64], modules: list[Affine]) -> int:
    """Ask that ``value ≥ sqrt(y′Ry)``, y the ``modules``; return the cone's first row."""
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
