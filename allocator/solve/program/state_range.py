"""How much of a row the budgets leave room for, whatever its own bound says."""

from __future__ import annotations

import numpy as np

from allocator.arrays import Vector
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense

__all__ = ["reachable"]


def reachable(model: Model) -> Vector:
    """Return the most of each row that the hard budgets allow, money (n,); inf for a row in none.

    In Σ aⱼ xⱼ ≤ b with every aⱼ > 0 and every other row at its least, xᵢ is at most
    lᵢ + (b − Σ aⱼ lⱼ) / aᵢ.
    """
    lower = model.space.lower
    most = np.full(model.space.size, np.inf)
    for term in model.terms:
        linear = term.left.affine()
        if linear is None or term.mode is not Mode.HARD or term.sense is Sense.AT_LEAST:
            continue
        matrix, count = linear.matrix, len(term.right)
        row, member, weight = np.repeat(np.arange(count), np.diff(matrix.indptr)), matrix.indices, matrix.data
        fits = (weight > 0) & np.isfinite(lower[member])
        budget = np.bincount(row, ~fits, count)[row] == 0
        row, member, weight = row[budget], member[budget], weight[budget]
        room = term.right - linear.constant - np.bincount(row, weight * lower[member], count)
        np.minimum.at(most, member, lower[member] + room[row] / weight)
    return most
