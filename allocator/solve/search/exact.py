"""The exact objective and the exact promises at a point, by the expressions and the tree themselves."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense, Term

__all__ = ["AIM", "ENOUGH", "Exact"]


AIM = 1e-8
"""The ratio above the requirement that the solver aims at."""

ENOUGH = -1e-14
"""The exact ratio less the requirement from which an answer is taken: it is met as written, sums' rounding aside."""

SNAP = 1e-5
"""Weight within which a row is put on a bound that its multiplier says is binding."""

STRICT = 1.0 - 1e-6
"""Part of a term's tolerance that a point may use up here."""

DENSE = 1_000_000
"""Entries up to which the equalities are held as a plain array."""

ROUNDS = 4
"""Corrections of the equalities; the first one already meets them unless a row runs into its bound."""


@dataclass(frozen=True, eq=False)
class _Hard:
    """The hard terms: least ≤ A x ≤ greatest for all that are affine, in one product, and those that are not.

    ``terms`` are all of them, ``rows`` those of A, in its order.
    """

    terms: tuple[Term, ...]
    rows: tuple[Term, ...]
    curved: tuple[Term, ...]
    matrix: sparse.csr_array
    constant: Vector
    least: Vector
    greatest: Vector

    @classmethod
    def of(cls, terms: tuple[Term, ...]) -> _Hard:
        hard = [(term, term.left.affine()) for term in terms if term.mode is Mode.HARD]
        affine = [(term, found) for term, found in hard if found is not None]
        rows = tuple(term for term, _ in affine)
        matrix = sparse.csr_array(sparse.vstack([found.matrix for _, found in affine]) if affine else (0, 0))
        constant = np.concatenate([np.zeros(0), *(found.constant for _, found in affine)])
        curved = tuple(term for term, found in hard if found is None)
        return cls(terms, rows, curved, matrix, constant, *_sides(rows))

    def at(self, terms: tuple[Term, ...]) -> _Hard:
        """Return the same of other terms; where their left sides are the same, A stays."""
        if terms is self.terms:
            return self
        hard = [term for term in terms if term.mode is Mode.HARD]
        known = {id(term.left) for term in self.rows}
        rows = tuple(term for term in hard if id(term.left) in known)
        if len(rows) != len(self.rows) or any(a.left is not b.left for a, b in zip(rows, self.rows, strict=True)):
            return _Hard.of(terms)
        curved = tuple(term for term in hard if id(term.left) not in known)
        least, greatest = _sides(rows)
        return replace(self, terms=terms, rows=rows, curved=curved, least=least, greatest=greatest)

    def hold(self, holdings: Vector) -> bool:
        """Return whether every one of them holds."""
        if self.rows:
            left = self.matrix @ holdings + self.constant
            if not (np.all(left >= self.least) and np.all(left <= self.greatest)):
                return False
        return all(term.holds(holdings) for term in self.curved)


def _sides(terms: tuple[Term, ...]) -> tuple[Vector, Vector]:
    """Return the least and the greatest left side that each row may have, its tolerance included."""
    least, greatest = [np.zeros(0)], [np.zeros(0)]
    for term in terms:
        # A hair less than the tolerance: a term judged by itself rounds otherwise than one product of them all.
        miss = STRICT * term.tolerance() * term.per
        open_end = np.full(len(term.right), np.inf)
        least.append(-open_end if term.sense is Sense.AT_MOST else term.right - miss)
        greatest.append(open_end if term.sense is Sense.AT_LEAST else term.right + miss)
    return np.concatenate(least), np.concatenate(greatest)


class Exact:
    """Judges points of one model.

    Parameters
    ----------
    model : Model
        The model.
    """

    def __init__(self, model: Model) -> None:
        self._model, self._hard = model, _Hard.of(model.terms)
        counts = [len(term.right) for term in self._hard.rows]
        chosen = np.repeat([term.sense is Sense.EQUAL for term in self._hard.rows], counts).astype(bool)
        equal = self._hard.matrix[chosen] if chosen.any() else None
        # A few budgets over a few thousand rows are quicker as a plain array.
        small = equal is not None and equal.shape[0] * equal.shape[1] <= DENSE
        self._equal: Any = equal.toarray() if equal is not None and small else equal
        rights = [np.zeros(0), *(term.right for term in self._hard.rows if term.sense is Sense.EQUAL)]
        self._equal_right = np.concatenate(rights) - self._hard.constant[chosen]

    def moved(self, model: Model) -> Exact:
        """Return the judge of a model over the same space whose equalities are the same."""
        other = copy(self)
        other._model, other._hard = model, self._hard.at(model.terms)
        return other

    def with_tree(self, tree: CapitalTree | None) -> Exact:
        """Return the same judge with another tree, whose charges were taken at the point to be judged."""
        return self.moved(replace(self._model, tree=tree))

    def objective(self, holdings: Vector) -> float:
        """Return the maximized objective."""
        return self._model.objective_value(holdings)

    def headroom(self, holdings: Vector) -> float:
        """Return the least room of all capital limits as a ratio: slack over module; negative is a miss."""
        model = self._model
        if model.tree is None or not model.capital_limits:
            return np.inf
        values = model.tree.values(holdings, [limit.module for limit in model.capital_limits])
        cost = float(model.cost.value(holdings)[0])
        return min(
            limit.slack(values[limit.module], cost) / max(abs(values[limit.module]), 1e-12 * model.space.total)
            for limit in model.capital_limits
        )

    def keeps_terms(self, holdings: Vector) -> bool:
        """Return whether every hard term holds."""
        return self._hard.hold(holdings)

    def projected_to_bounds(self, holdings: Vector, at_lower: Vector, at_upper: Vector) -> Vector:
        """Return the solver's point with bounds and equalities met to machine precision.

        Rows whose multiplier (per unit of weight) outweighs their distance to the bound are put on it; what
        the equalities then miss is spread over the other rows in proportion to their room.

        Parameters
        ----------
        holdings : ndarray (n,)
            The solver's point, money.
        at_lower, at_upper : ndarray (n,)
            Multipliers of the bounds, per unit of weight.
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
