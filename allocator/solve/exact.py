"""The exact objective and the exact promises at a point, by the expressions and the tree themselves."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.capital.tree import CapitalTree
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense

__all__ = ["AIM", "ENOUGH", "Exact"]

Vector = NDArray[np.float64]

AIM = 1e-8
"""The ratio above the requirement that the solver aims at."""

ENOUGH = -5e-8
"""The exact ratio less the requirement from which an answer is taken as it is; half of the promise's tolerance."""

SNAP = 1e-5
"""Weight within which a row is put on a bound that its multiplier says is binding."""


DENSE = 1_000_000
"""Entries up to which the equalities are held as a plain array."""

ROUNDS = 4
"""Corrections of the equalities; the first one already meets them unless a row runs into its bound."""


class Exact:
    """Judges points of one model.

    Parameters
    ----------
    model : Model
        The model.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        rows, rights = [], []
        for term in model.terms:
            linear = term.left.affine()
            if term.mode is Mode.HARD and term.sense is Sense.EQUAL and linear is not None:
                rows.append(linear.matrix)
                rights.append(term.right - linear.constant)
        equal = sparse.csr_array(sparse.vstack(rows)) if rows else None
        # A few budgets over a few thousand rows are quicker as a plain array.
        small = equal is not None and equal.shape[0] * equal.shape[1] <= DENSE
        self._equal: Any = equal.toarray() if equal is not None and small else equal
        self._equal_right = np.concatenate(rights) if rights else np.empty(0)
        # One point is judged several times in a row.
        self._judged: tuple[bytes, float] | None = None

    def moved(self, model: Model) -> Exact:
        """Return the judge of a model over the same space whose equalities are the same."""
        other = copy(self)
        other._model, other._judged = model, None
        return other

    def with_tree(self, tree: CapitalTree | None) -> Exact:
        """Return the same judge with another tree, whose charges were taken at the point to be judged."""
        return self.moved(replace(self._model, tree=tree))

    def module(self, holdings: Vector) -> float:
        """Return the module that the objective speaks of, CNY; zero when it speaks of none."""
        return self._model.module(holdings)

    def objective(self, holdings: Vector) -> float:
        """Return the maximized objective."""
        return self._model.worth(holdings)

    def room(self, holdings: Vector) -> float:
        """Return the least room of all capital limits as a ratio: slack over module; negative is a miss."""
        model = self._model
        if model.tree is None or not model.capital_limits:
            return np.inf
        seen = holdings.tobytes()
        if self._judged is not None and self._judged[0] == seen:
            return self._judged[1]
        values = model.tree.values(holdings, [limit.module for limit in model.capital_limits])
        cost = float(model.cost.value(holdings)[0])
        room = min(
            limit.slack(values[limit.module], cost) / max(abs(values[limit.module]), 1e-12 * model.space.total)
            for limit in model.capital_limits
        )
        self._judged = seen, room
        return room

    def keeps_terms(self, holdings: Vector) -> bool:
        """Return whether every hard term holds."""
        return all(term.holds(holdings) for term in self._model.terms if term.mode is Mode.HARD)

    def polished(self, holdings: Vector, at_lower: Vector, at_upper: Vector) -> Vector:
        """Return the solver's point with bounds and equalities met to machine precision.

        Rows whose multiplier (per unit of weight) outweighs their distance to the bound are put on it; what
        the equalities then miss is spread over the other rows in proportion to their room.
        """
        space = self._model.space
        scale = space.total or 1.0
        point = holdings.copy()
        for bound, multiplier in ((space.lower, at_lower), (space.upper, at_upper)):
            distance = np.abs(point - bound) / scale
            point = np.where((distance < SNAP) & (distance < multiplier), bound, point)
        point = np.clip(point, space.lower, space.upper)
        if self._equal is None:
            return point
        for _ in range(ROUNDS):
            missing = self._equal_right - self._equal @ point
            if np.all(np.abs(missing) <= 1e-15 * scale):
                break
            room = np.minimum(np.minimum(point - space.lower, space.upper - point), scale)
            spread = (self._equal * room).T
            system = self._equal @ spread
            system = system.toarray() if sparse.issparse(system) else system
            unit = np.sqrt(np.maximum(system.diagonal(), 1e-300))
            step, *_ = np.linalg.lstsq(system / unit / unit[:, None], missing / unit, rcond=1e-12)
            point = np.clip(point + spread @ (step / unit), space.lower, space.upper)
        return point
