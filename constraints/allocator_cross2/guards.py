"""Charges that depend on the book as a whole: rules that keep them true while the holdings move."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from allocator.plugin import Mask, Source, Text
from allocator.plugin.capital import CapitalTree, OptionalBreach
from allocator.plugin.terms import TOLERANCE, Linear, Sense, Space, Term
from allocator_cross2.charges import Charges, ChargeTable
from allocator_cross2.concentration import Family

__all__ = ["MARGIN", "concentration_choice", "concentration_guards", "holding_guards", "reachable_tests"]


_TITLES = {
    Family.COUNTERPARTY: Text("Counterparties below their concentration threshold", "交易对手集中度低于计量阈值"),
    Family.CLASS: Text("Asset classes below their concentration threshold", "大类资产集中度低于计量阈值"),
    Family.PROPERTY: Text("Property below its concentration threshold", "房地产集中度低于计量阈值"),
}
MARGIN = 2.0 * TOLERANCE
"""An answer may miss a limit by the tolerance and must still lie below the threshold, where the charge steps."""


_SEASONED_MARGIN = 1e-6
"""Relative distance kept from the amount at which a position loses its factor: wider than the tolerance of a limit."""


def concentration_guards(charges: Charges, space: Space, total_assets: float | None, spared: Mask) -> tuple[Term, ...]:
    """Return one term per family: Σ book value of each counterparty, class or property at most its threshold.

    Tests that no holdings inside the bounds can fail are left out, and so are those in ``spared`` (tests,).
    """
    tests = charges.tests
    if total_assets is None or not tests.family:
        return ()
    sign = np.where(space.current < 0, -1.0, 1.0)
    matrix = sparse.csr_array(tests.matrix.multiply(sign[None, :]))
    guarded = reachable_tests(charges, space) & ~spared
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
                tests.threshold[chosen] - MARGIN * total_assets,
                np.full(chosen.size, total_assets),
                "share",
                Source(charges.pack.source("concentration.counterparty.k").document, tests.article[chosen[0]]),
                rows=tuple(tests.name[place] for place in chosen),
            )
        )
    return tuple(terms)


def holding_guards(charges: Charges, space: Space) -> tuple[Term, ...]:
    """Return the rule that no purchase costs a position its factor for long holding: h < a y / L, row by row."""
    seasoned = charges.seasoned
    reached = (space.upper[seasoned.row] >= seasoned.limit) & (space.current[seasoned.row] < seasoned.limit)
    chosen = np.flatnonzero(reached)
    if not chosen.size:
        return ()
    rows = seasoned.row[chosen]
    shape = (chosen.size, space.size)
    matrix = sparse.csr_array((np.ones(chosen.size), (np.arange(chosen.size), rows)), shape=shape)
    limit = seasoned.limit[chosen]
    return (
        Term(
            "holding_period",
            Text("Purchases leave the average holding period above its mark", "增持后加权平均持仓年限仍高于规定年限"),
            Linear(matrix, np.zeros(chosen.size)),
            Sense.AT_MOST,
            limit * (1.0 - _SEASONED_MARGIN),
            limit,
            "share",
            charges.pack.source("equity.listed.index_long"),
            rows=tuple(f"{space.asset_id[row]}@{space.account[row]}" for row in rows),
        ),
    )


def concentration_choice(
    charges: Charges,
    build: Callable[[ChargeTable, Mask | None], CapitalTree],
    used: Mask | None,
    space: Space,
    stock_k1: tuple[float, float],
    total_assets: float | None,
    where: str,
) -> tuple[Mask, tuple[OptionalBreach, ...]]:
    """Return which tests (tests,) may be failed on purpose, and what failing each of them charges.

    Offered is what the bounds can fail, what no short position belongs to, and what costs the same whichever other
    tests are failed and whatever the gain of the stock book (``stock_k1``: the least and the greatest k1): where
    the largest factor cuts a charge off it does not, and the threshold is kept as without a choice.
    """
    tests, held = charges.tests, space.current
    nothing = np.zeros(len(tests.family), dtype=bool)
    if total_assets is None or not tests.family:
        return nothing, ()
    short = (tests.matrix != 0).astype(float) @ ((space.lower < 0) | (held < 0)).astype(float) > 0
    candidates = reachable_tests(charges, space) & ~short
    offered, found = nothing.copy(), []
    least, greatest = stock_k1
    plain = charges.at(held, stock_k1=least, over=nothing)
    every = charges.at(held, stock_k1=greatest, over=candidates)
    base = build(plain, used).coefficients
    for test in np.flatnonzero(candidates).tolist():
        alone, others = nothing.copy(), candidates.copy()
        alone[test], others[test] = True, False
        one = charges.at(held, stock_k1=least, over=alone)
        last = every.factor - charges.at(held, stock_k1=greatest, over=others).factor
        if not np.allclose(one.factor - plain.factor, last, rtol=0.0, atol=1e-12):
            continue
        offered[test] = True
        found.append(
            OptionalBreach(
                f"{tests.family[test]}: {tests.name[test]}",
                tests.matrix[[test]].toarray().ravel(),
                float(tests.threshold[test]) - MARGIN * total_assets,
                sparse.csr_array(build(one, used).coefficients - base),
                where,
            )
        )
    return offered, tuple(found)


def reachable_tests(charges: Charges, space: Space) -> Mask:
    """Return which tests (tests,) some holdings inside the bounds can fail."""
    tests = charges.tests
    largest = np.maximum(np.abs(space.lower), np.abs(space.upper))
    held = sparse.csr_array((tests.matrix != 0).astype(float))
    open_ended = held @ np.isinf(largest).astype(float) > 0
    within = abs(tests.matrix) @ np.where(np.isinf(largest), 0.0, largest) > tests.threshold
    return np.asarray(open_ended | within)
