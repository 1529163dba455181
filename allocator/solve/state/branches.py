"""Where a part of the books is divided: at a step of their charges, in the interval of their state, in its bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from allocator.arrays import Vector
from allocator.model.regime import BookState
from allocator.model.space import Space

__all__ = ["branches", "stepped"]


INWARD = 0.3
"""How far an interval's cut is moved from the relaxed answer's state towards its middle."""

NARROW = 1e-9
"""An interval is halved no further: what its relaxation still misses does not come from the state."""


def branches(
    state: BookState, space: Space, low: float, high: float, holdings: Vector, size: int
) -> Iterator[tuple[BookState, Space, float, float]]:
    """Decide a step that the relaxed answer lies beyond, else halve the interval or a space where rules are too loose.

    Parameters
    ----------
    state, space, low, high
        The part to divide.
    holdings : ndarray
        The relaxed answer: the holdings, then what it counts as held long of the straddling rows.
    size : int
        Number of holdings n.
    """
    held = holdings[:size]
    at = state.at(held)
    nearest = min(max(at, low), high)
    rows = state.straddling(space)
    decided = tuple(state.decide(space, held, holdings[size : size + len(rows)]))
    if not decided and not low <= at <= high:
        decided = tuple((state, part) for part in state.split(space, nearest, held) or ())
    yield from _reached(decided, low, high)
    if decided or high - low <= NARROW:
        return
    middle = 0.5 * (low + high) if np.isfinite(high) else low + 1.0
    cut = (1.0 - INWARD) * nearest + INWARD * middle
    yield state, space, low, cut
    yield state, space, cut, high


def stepped(
    state: BookState, space: Space, low: float, high: float, holdings: Vector, size: int
) -> Iterator[tuple[BookState, Space, float, float]]:
    """Decide a step that the relaxed answer lies beyond, where there is one.

    Parameters
    ----------
    state : BookState
        The state.
    space : Space
        Bounds of the holdings (n,).
    low, high : float
        Ends of the interval of the state.
    holdings : ndarray (size + further columns,)
        The relaxed answer, money: holdings, then what is held long of each straddling row.
    size : int
        Number of holdings n.
    """
    rows = state.straddling(space)
    yield from _reached(state.decide(space, holdings[:size], holdings[size : size + len(rows)]), low, high)


def _reached(
    parts: Iterable[tuple[BookState, Space]], low: float, high: float
) -> Iterator[tuple[BookState, Space, float, float]]:
    """Yield the parts with the interval of the state that their bounds leave."""
    for state, space in parts:
        least, greatest = state.reach(space)
        lowest, highest = max(low, least), min(high, greatest)
        if lowest <= highest:
            yield state, space, lowest, highest
