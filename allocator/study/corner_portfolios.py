"""Where a frontier bends, and why: segments with the same binding rules, and the kinks between them.

A segment is a run of levels with the same binding rules and no jump of the slope; between two segments is a kink, at
the level where the tangents of its two neighbours meet. What is named as its cause is the first of these that changes
there: the binding rules; assets at a bound of their own; assets that begin or cease to be traded, where trading costs;
modules of the capital tree of which another piece is the largest. Where none does, the curve itself bends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.model import Model

if TYPE_CHECKING:
    from allocator.study.frontier_point import FrontierPoint

__all__ = ["CornerPortfolio", "Segment", "find_corner_portfolios", "find_segments"]

Signs = NDArray[np.int64]

NEAR = 1e-6
"""Share of the total within which a row is at its bound, or not traded."""

JUMP = 0.25
"""Change of the slope from one point to the next, as a part of the larger, that is a kink whatever the rules."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of levels with the same binding rules.

    Parameters
    ----------
    first, last : int
        Its points, by number.
    low, high : float
        Its levels.
    binding : tuple of str
        Rows of rules and capital limits that bind on it, highest price first.
    """

    first: int
    last: int
    low: float
    high: float
    binding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CornerPortfolio:
    """Where the binding rules or the slope change.

    Parameters
    ----------
    low, high : float
        The levels between which it is.
    at : float
        Where the tangents of the two points meet; their middle when they meet outside.
    slopes : (float, float)
        Slope before and after it.
    enters, leaves : tuple of str
        Rules that bind after it and not before, and the other way round.
    rows : tuple of str
        Assets that reach or leave a bound of their own there.
    traded : tuple of str
        Where no rule changes: assets with a cost of trading that begin or cease to be bought or sold there.
    modules : tuple of str
        Where nothing of that changes: modules of the capital tree of which another piece counts.
    """

    low: float
    high: float
    at: float
    slopes: tuple[float, float]
    enters: tuple[str, ...]
    leaves: tuple[str, ...]
    rows: tuple[str, ...]
    traded: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


def find_segments(points: Sequence[FrontierPoint]) -> Iterator[Segment]:
    """Yield the segments of points in order of their levels."""
    first = 0
    for place, point in enumerate(points):
        last = place + 1 == len(points)
        if last or set(points[place + 1].prices) != set(point.prices) or _jumps(point, points[place + 1]):
            binding = tuple(points[(first + place) // 2].prices)
            yield Segment(first, place, points[first].level, point.level, binding)
            first = place + 1


def find_corner_portfolios(
    model: Model,
    points: Sequence[FrontierPoint],
    segments: Sequence[Segment],
    tree_at: Callable[[Vector], CapitalTree | None],
) -> Iterator[CornerPortfolio]:
    """Yield the kinks between the stretches; ``tree_at`` returns the exact capital tree at given holdings.

    Parameters
    ----------
    model : Model
        The model of the frontier.
    points : sequence of FrontierPoint
        In order of the level.
    segments : sequence of Segment
        Between them.
    tree_at : callable
        ``tree_at(holdings)``: the exact capital tree at holdings (n,).
    """
    for before, after in zip(segments, segments[1:], strict=False):
        yield _kink(model, (points[before.last], points[after.first]), (before, after), tree_at)


def _kink(
    model: Model,
    points: tuple[FrontierPoint, FrontierPoint],
    segments: tuple[Segment, Segment],
    tree_at: Callable[[Vector], CapitalTree | None],
) -> CornerPortfolio:
    (left, right), (before, after) = points, segments
    enters = tuple(name for name in after.binding if name not in before.binding)
    leaves = tuple(name for name in before.binding if name not in after.binding)
    rows = _changed(model, _at_bound(model, left.holdings), _at_bound(model, right.holdings))
    traded: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    if not (enters or leaves):
        traded = _changed(model, _trade(model, left.holdings), _trade(model, right.holdings))
        if not (rows or traded):
            modules = _picked_anew(tree_at(left.holdings), tree_at(right.holdings), points)
    slopes = left.slope, right.slope
    return CornerPortfolio(
        left.level, right.level, _meeting(left, right), slopes, enters, leaves, rows, traded, modules
    )


def _meeting(left: FrontierPoint, right: FrontierPoint) -> float:
    """Return the level where the tangents of two points meet; their middle when they meet outside."""
    if left.slope != right.slope:
        meet = (right.value - left.value + left.slope * left.level - right.slope * right.level) / (
            left.slope - right.slope
        )
        if left.level <= meet <= right.level:
            return meet
    return 0.5 * (left.level + right.level)


def _jumps(left: FrontierPoint, right: FrontierPoint) -> bool:
    return abs(right.slope - left.slope) > JUMP * max(abs(left.slope), abs(right.slope))


def _at_bound(model: Model, holdings: Vector) -> Signs:
    """Return −1, 0 or 1 for each row: at its lower bound, between, at its upper one."""
    space, near = model.space, NEAR * model.space.total
    return np.where(holdings <= space.lower + near, -1, np.where(holdings >= space.upper - near, 1, 0))


def _trade(model: Model, holdings: Vector) -> Signs:
    """Return −1, 0 or 1 for each row: sold, kept, bought; 0 where trading it is free."""
    trade, near = holdings - model.cost.reference, NEAR * model.space.total
    priced = (model.cost.buy > 0) | (model.cost.sell > 0)
    return np.where(priced & (np.abs(trade) > near), np.sign(trade), 0).astype(np.int64)


def _changed(model: Model, left: Signs, right: Signs) -> tuple[str, ...]:
    return tuple(dict.fromkeys(model.space.asset_id[left != right].tolist()))


def _picked_anew(
    before: CapitalTree | None, after: CapitalTree | None, points: tuple[FrontierPoint, FrontierPoint]
) -> tuple[str, ...]:
    """Return the modules of which another piece counts at the second point."""
    if before is None or after is None:
        return ()
    first, second = before.picked(points[0].holdings), after.picked(points[1].holdings)
    return tuple(name for name, piece in second.items() if first.get(name, piece) != piece)
