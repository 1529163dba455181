"""The concave envelope of an aggregate over a box of its modules.

A correlated aggregate P(y) is a norm, so over a box its least concave majorant is the interpolation of
its corners: y = Σ λₖ Vₖ, Σ λₖ = 1, λ ≥ 0, P ≤ Σ λₖ P(Vₖ). An aggregate inside an aggregate that grows
with it is looked through, which is tighter than two envelopes in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.nodes import Aggregate
from allocator.solve.program.affine import Affine, Rows
from allocator.solve.program.program import Cone
from allocator.solve.relaxation.boxes import Box, corners
from allocator.solve.relaxation.indexed_tree import IndexedTree

__all__ = ["NARROW", "Norm", "add_envelope", "slope_signs"]


WIDE = 6
"""Modules that are interpolated; the others of an aggregate, the narrowest ones, share one slope each."""

NARROW = 1e-11
"""Width of an interval, in the program's money, below which it counts as a point."""


def slope_signs(matrices: list[NDArray[np.float64]], lower: Vector, upper: Vector) -> NDArray[np.int64]:
    """Return +1 (−1) for every module in which sqrt(y′Ry) nowhere falls (rises) on the box, else 0.

    The derivative is (Ry)ᵢ / sqrt(y′Ry).

    Parameters
    ----------
    matrices : list of ndarray (k, k)
        Every R that is possible.
    lower, upper : ndarray (k,)
        The box of the modules y.
    """
    low, high = np.full(len(lower), np.inf), np.full(len(lower), -np.inf)
    for matrix in matrices:
        with np.errstate(invalid="ignore"):
            ends = np.where(matrix == 0, 0.0, matrix * lower), np.where(matrix == 0, 0.0, matrix * upper)
        low = np.minimum(low, np.minimum(*ends).sum(axis=1))
        high = np.maximum(high, np.maximum(*ends).sum(axis=1))
    return np.where(low >= 0, 1, np.where(high <= 0, -1, 0))


@dataclass(frozen=True, eq=False)
class Norm:
    """An aggregate as a function of the modules that are left after looking through.

    Parameters
    ----------
    form : Form
        The tree.
    position : int
        The aggregate.
    arguments : tuple of int
        Positions of its modules.
    signs : tuple of int
        +1, −1 or 0: how it moves with each module on the box it was made for.
    """

    form: IndexedTree
    position: int
    arguments: tuple[int, ...]
    signs: tuple[int, ...]

    @classmethod
    def over(cls, form: IndexedTree, position: int, box: Box) -> Norm:
        """Look through the aggregates below that it grows with everywhere on ``box``.

        Parameters
        ----------
        form : IndexedTree
            The tree.
        position : int
            The aggregate.
        box : Box
            Intervals that say which inner aggregates it grows with.
        """
        arguments: dict[int, int] = {}

        def visit(at: int, direction: int) -> None:
            below = list(form.children[at])
            matrices = form.matrices(at, box.allowed.get(form.selected.get(at, -1)))
            signs = slope_signs(matrices, box.lower[below], box.upper[below])
            for child, sign in zip(below, signs.tolist(), strict=True):
                inner = isinstance(form.nodes[child], Aggregate) and child not in form.selected
                if inner and sign > 0 and child not in arguments:
                    visit(child, direction)
                elif child in arguments:
                    arguments[child] = arguments[child] if arguments[child] == direction * sign else 0
                else:
                    arguments[child] = direction * sign

        visit(position, 1)
        return cls(form, position, tuple(arguments), tuple(arguments.values()))

    def values(self, points: NDArray[np.float64], possible: Mapping[int, tuple[int, ...]]) -> Vector:
        """Return the aggregate at ``points`` (count, arguments); the largest over matrices still possible.

        Parameters
        ----------
        points : ndarray (count, arguments)
            Amounts of the modules.
        possible : mapping of int to tuple of int
            Pieces that selectors may still pick.
        """
        count = len(self.arguments)
        known = np.empty((len(points), count + len(self._steps)))
        known[:, :count] = points
        for place, (at, columns) in enumerate(self._steps, count):
            below = known[:, columns]
            squares = np.zeros(len(points))  # nothing is less than zero but by rounding
            for matrix in self.form.matrices(at, possible.get(self.form.selected.get(at, -1))):
                np.maximum(squares, ((below @ matrix) * below).sum(axis=1), out=squares)
            np.sqrt(squares, out=known[:, place])
        return known[:, -1]

    @cached_property
    def _steps(self) -> tuple[tuple[int, list[int]], ...]:
        """The aggregates to work out, inner ones first, each with its modules' columns among arguments and steps."""
        columns = {argument: i for i, argument in enumerate(self.arguments)}
        steps: list[tuple[int, list[int]]] = []

        def visit(at: int) -> int:
            if at not in columns:
                below = [visit(child) for child in self.form.children[at]]
                columns[at] = len(self.arguments) + len(steps)
                steps.append((at, below))
            return columns[at]

        visit(self.position)
        return tuple(steps)


@dataclass(frozen=True, eq=False)
class _Corners:
    """The envelope over one box.

    ``shares`` (1 + wide, corners) interpolates 1 and the wide modules' distances from their low ends;
    ``heights`` (corners,) the aggregate; ``slopes`` belong to the modules ``rest``.
    """

    wide: list[int]
    rest: list[int]
    shares: NDArray[np.float64]
    heights: Vector
    slopes: list[float]
    lower: Vector


def add_envelope(rows: Rows, norm: Norm, box: Box, functions: Mapping[int, Affine], value: Affine) -> None:
    """Ask that ``value`` lies below the envelope; nothing is asked where the box is unbounded.

    The widest modules are interpolated. Along any other module yᵢ the aggregate is convex, so at each corner
    of the wide ones it lies below its value at yᵢ's low end, raised where needed, plus one common slope.

    Parameters
    ----------
    rows : Rows
        Receives rows and columns.
    norm : Norm
        The aggregate.
    box : Box
        The box of its modules.
    functions : mapping of int to Affine
        The modules as functions of the columns.
    value : Affine
        The aggregate's own column.
    """
    at = np.array(norm.arguments)
    lower, upper = box.lower[at], box.upper[at]
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return
    known = _find_corners(norm, lower, upper, box.allowed)
    count = len(known.heights)
    weights = rows.new_columns(count)
    rows.not_negative(weights)
    arguments = norm.arguments
    distances = [Affine.combine([(-1.0, functions[arguments[i]])], known.lower[i]) for i in known.wide]
    rows.add(rows.require(Cone.ZERO, [Affine({}, -1.0), *distances]), weights, known.shares)
    sloped = [(slope, functions[arguments[i]]) for i, slope in zip(known.rest, known.slopes, strict=True)]
    start = -sum(slope * known.lower[i] for i, slope in zip(known.rest, known.slopes, strict=True))
    rows.add(rows.at_least_zero(Affine.combine([(-1.0, value), *sloped], start)), weights, known.heights)


def _find_corners(norm: Norm, lower: Vector, upper: Vector, allowed: Mapping[int, tuple[int, ...]]) -> _Corners:
    width = np.maximum(upper - lower, 0.0)
    order = np.argsort(-width, kind="stable")
    wide = sorted(i for i in order[:WIDE].tolist() if width[i] > NARROW)
    rest = sorted(i for i in order[WIDE:].tolist() if width[i] > NARROW)
    grid = corners(len(wide))
    # A module whose interval is a point stands at its high end, which is where an over-estimate may put it.
    points = np.where(width > NARROW, lower, upper) + _ends(tuple(wide), tuple(rest), len(width)) * width
    heights = norm.values(points, allowed).reshape((len(grid), *([2] * len(rest))))
    slopes: list[float] = []
    # corners() counts with the first module fastest, so it is the last axis.
    for i in rest:
        low, high = heights[..., 0], heights[..., 1]
        span = float(width[i])
        rises = np.sort(high - low, axis=None)
        slope = 0.5 * float(rises[(len(rises) - 1) // 2] + rises[len(rises) // 2]) / span  # their median
        slopes.append(slope)
        heights = np.maximum(low, high - slope * span)
    shares = np.vstack([np.ones(len(grid)), grid.T * width[wide, None]])
    return _Corners(wide, rest, shares, heights, slopes, lower)


@lru_cache(maxsize=1024)
def _ends(wide: tuple[int, ...], rest: tuple[int, ...], size: int) -> NDArray[np.float64]:
    """Return the corners of the cube of the modules ``wide`` and ``rest``, the latter turning faster, others zero."""
    outer, inner = corners(len(wide)), corners(len(rest))
    found = np.zeros((len(outer) * len(inner), size))
    found[:, wide] = np.repeat(outer, len(inner), axis=0)
    found[:, rest] = np.tile(inner, (len(outer), 1))
    found.setflags(write=False)
    return found
