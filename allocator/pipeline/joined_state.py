"""The state of a book whose capital trees carry those of scenarios too."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.regime import BookState, OptionalBreach
from allocator.model.space import Space
from allocator.model.terms import Term

__all__ = ["JoinedState"]


class JoinedState(BookState):
    """The state of a book whose trees carry further ones.

    Parameters
    ----------
    inner : BookState
        The state.
    join : callable
        Adds the further trees to one of its own.
    """

    def __init__(self, inner: BookState, join: Callable[[CapitalTree], CapitalTree]) -> None:
        self._inner, self._join = inner, join

    def reach(self, space: Space) -> tuple[float, float]:
        return self._inner.reach(space)

    def at(self, holdings: Vector) -> float:
        return self._inner.at(holdings)

    def trees(self, low: float, high: float) -> tuple[CapitalTree, CapitalTree]:
        least, greatest = self._inner.trees(low, high)
        return self._join(least), self._join(greatest)

    def rules(self, space: Space, low: float, high: float) -> tuple[Term, ...]:
        return self._inner.rules(space, low, high)

    def straddling(self, space: Space) -> NDArray[np.int64]:
        return self._inner.straddling(space)

    def held_short(self) -> JoinedState:
        return JoinedState(self._inner.held_short(), self._join)

    def decide(self, space: Space, holdings: Vector, long: Vector) -> tuple[tuple[JoinedState, Space], ...]:
        return tuple((JoinedState(one, self._join), part) for one, part in self._inner.decide(space, holdings, long))

    def around(self, space: Space, holdings: Vector) -> tuple[JoinedState, Space]:
        state, part = self._inner.around(space, holdings)
        return JoinedState(state, self._join), part

    def safe(self, space: Space, low: float, high: float) -> Iterator[tuple[JoinedState, Space]]:
        for state, part in self._inner.safe(space, low, high):
            yield JoinedState(state, self._join), part

    def split(self, space: Space, state: float, holdings: Vector) -> tuple[Space, Space] | None:
        return self._inner.split(space, state, holdings)

    def alternatives(self, space: Space) -> tuple[OptionalBreach, ...]:
        return self._inner.alternatives(space)
