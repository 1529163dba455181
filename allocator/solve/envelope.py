"""The concave envelope of an aggregate over a box of its modules.

A correlated aggregate P(y) is a norm, so over a box its least concave majorant is the interpolation of
its corners: y = Σ λₖ Vₖ, Σ λₖ = 1, λ ≥ 0, P ≤ Σ λₖ P(Vₖ). An aggregate inside an aggregate that grows
with it is looked through, which is tighter than two envelopes in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.capital.nodes import Aggregate
from allocator.solve.affine import Affine, Rows
from allocator.solve.boxes import Box, corners
from allocator.solve.form import Form
from allocator.solve.program import Cone

__all__ = ["Norm", "add_envelope", "slope_signs"]

Vector = NDArray[np.float64]

WIDE = 6
"""Modules that are interpolated; the others of an aggregate, the narrowest ones, share one slope each."""

NARROW = 1e-9
"""Width of an interval, in the program's money, below which it counts as a point."""


def slope_signs(matrices: list[NDArray[np.float64]], lower: Vector, upper: Vector) -> NDArray[np.int64]:
    """Return +1 (−1) for every module in which sqrt(y′Ry) nowhere falls (rises) on the box, else 0.

    The derivative is (Ry)ᵢ / sqrt(y′Ry).
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

    form: Form
    position: int
    arguments: tuple[int, ...]
    signs: tuple[int, ...]

    @classmethod
    def over(cls, form: Form, position: int, box: Box) -> Norm:
        """Look through the aggregates below that it grows with everywhere on ``box``."""
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
        """Return the aggregate at ``points`` (count, arguments); the largest over matrices still possible."""
        known = {argument: points[:, i] for i, argument in enumerate(self.arguments)}

        def visit(at: int) -> Vector:
            if at in known:
                return known[at]
            below = np.stack([visit(child) for child in self.form.children[at]], axis=1)
            allowed = possible.get(self.form.selected.get(at, -1))
            squares = [np.einsum("ki,ij,kj->k", below, matrix, below) for matrix in self.form.matrices(at, allowed)]
            return np.asarray(np.sqrt(np.maximum(np.max(squares, axis=0), 0.0)))

        return visit(self.position)


def add_envelope(rows: Rows, norm: Norm, box: Box, functions: Mapping[int, Affine], value: Affine) -> None:
    """Ask that ``value`` lies below the envelope; nothing is asked where the box is unbounded.

    The widest modules are interpolated. Along any other module yᵢ the aggregate is convex, so at each corner
    of the wide ones it lies below its value at yᵢ's low end, raised where needed, plus one common slope.
    """
    arguments = np.array(norm.arguments)
    lower, upper = box.lower[arguments], box.upper[arguments]
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return
    width = np.maximum(upper - lower, 0.0)
    wide = np.sort(np.argsort(-width, kind="stable")[:WIDE])
    wide = wide[width[wide] > NARROW]
    rest = np.setdiff1d(np.arange(len(arguments)), wide)
    grid = corners(len(wide))
    height, slopes = _heights(norm, box, wide, rest, grid)
    weights = [rows.new_column() for _ in range(len(grid))]
    columns = np.array(weights)
    rows.require(Cone.NONNEGATIVE, [Affine.column(column) for column in weights])
    rows.zero(Affine(dict.fromkeys(weights, 1.0), -1.0))
    for i, bits in zip(wide.tolist(), grid.T, strict=True):
        chosen = columns[bits > 0]
        share = Affine(dict.fromkeys(chosen.tolist(), float(width[i])), float(lower[i]))
        rows.zero(functions[norm.arguments[i]].minus(share))
    top = Affine(dict(zip(weights, height.tolist(), strict=True)))
    parts = [(1.0, top), (-1.0, value)]
    constant = 0.0
    for i, slope in zip(rest.tolist(), slopes, strict=True):
        parts.append((slope, functions[norm.arguments[i]]))
        constant -= slope * float(lower[i])
    rows.at_least_zero(Affine.combine(parts, constant))


def _heights(
    norm: Norm, box: Box, wide: NDArray[np.int64], rest: NDArray[np.int64], grid: NDArray[np.float64]
) -> tuple[Vector, list[float]]:
    """Return the height at each corner of the wide modules and the slope along each of the rest."""
    arguments = np.array(norm.arguments)
    lower, width = box.lower[arguments], np.maximum(box.upper[arguments] - box.lower[arguments], 0.0)
    inner = corners(len(rest))
    points = np.tile(lower, (len(grid) * len(inner), 1))
    points[:, wide] += np.repeat(grid, len(inner), axis=0) * width[wide]
    points[:, rest] += np.tile(inner, (len(grid), 1)) * width[rest]
    heights = norm.values(points, box.allowed).reshape((len(grid), *([2] * len(rest))), order="C")
    slopes: list[float] = []
    # corners() counts with the first module fastest, so it is the last axis.
    for i in rest.tolist():
        low, high = heights[..., 0], heights[..., 1]
        span = float(width[i])
        slope = float(np.median(high - low)) / span if span > NARROW else 0.0
        slopes.append(slope)
        heights = np.maximum(low, high - slope * span)
    return heights, slopes
