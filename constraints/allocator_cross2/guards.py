"""Charges that depend on the book as a whole: rules that keep them true while the holdings move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.model import Linear, Sense, Space, Term
from allocator.model.terms import TOLERANCE
from allocator.types import Source, Text
from allocator_cross2.charges import Charges
from allocator_cross2.concentration import Family

__all__ = ["concentration_guards", "largest_positions"]

_TITLES = {
    Family.COUNTERPARTY: Text("Counterparties below their concentration threshold", "交易对手集中度低于计量阈值"),
    Family.CLASS: Text("Asset classes below their concentration threshold", "大类资产集中度低于计量阈值"),
    Family.PROPERTY: Text("Property below its concentration threshold", "房地产集中度低于计量阈值"),
}
_MARGIN = 2.0 * TOLERANCE
"""An answer may miss a limit by the tolerance and must still lie below the threshold, where the charge steps."""


_ENDLESS = 1e30
"""CNY that stand for a position without a bound: above every threshold."""


def largest_positions(space: Space) -> NDArray[np.float64]:
    """Return the largest position of each row on the side it is on now, CNY (n,)."""
    end = np.where(space.current < 0, space.lower, space.upper)
    return np.where(np.isinf(end), np.copysign(_ENDLESS, end), end)


def concentration_guards(charges: Charges, space: Space, total_assets: float | None) -> tuple[Term, ...]:
    """Return one term per family: Σ book value of each counterparty, class or property at most its threshold.

    Tests that no holdings inside the bounds can fail are left out, and so are those that the current book
    fails already: their coefficient is charged until the book comes down by itself.
    """
    tests = charges.tests
    if total_assets is None or not tests.family:
        return ()
    sign = np.where(space.current < 0, -1.0, 1.0)
    matrix = sparse.csr_array(tests.matrix.multiply(sign[None, :]))
    largest = np.maximum(np.abs(space.lower), np.abs(space.upper))
    held = sparse.csr_array((tests.matrix != 0).astype(float))
    open_ended = held @ np.isinf(largest).astype(float) > 0
    reachable = open_ended | (abs(tests.matrix) @ np.where(np.isinf(largest), 0.0, largest) > tests.threshold)
    guarded = reachable & (tests.amounts(space.current) <= tests.threshold)
    terms = []
    for family, title in _TITLES.items():
        chosen = np.flatnonzero(guarded & np.array([one is family for one in tests.family], dtype=bool))
        if not chosen.size:
            continue
        terms.append(
            Term(
                f"{family}_concentration",
                title,
                Linear(sparse.csr_array(matrix[chosen]), np.zeros(chosen.size)),
                Sense.AT_MOST,
                tests.threshold[chosen] - _MARGIN * total_assets,
                np.full(chosen.size, total_assets),
                "share",
                Source(charges.pack.source("concentration.counterparty.k").document, tests.article[chosen[0]]),
                rows=tuple(tests.name[place] for place in chosen),
            )
        )
    return tuple(terms)
