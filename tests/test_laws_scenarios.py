"""An answer that must survive scenarios is called optimal only with its gap, and the gap is one that holds.

The fund is cash and one risky row, so that every answer there could be is a point of a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund
from allocator.solve.solution import Solution
from allocator.study.under import Survival
from allocator.tilting import Solved

LIFE, OWN = 30.0, 200.0
FALL = 0.5
LINE = np.linspace(0.0, 400.0, 4001)


def fund(row: Mapping[str, Any], under: float, core: float = OWN, gap: float = 1e-5) -> Fund:
    """Return 300 of cash and 100 of a row that falls by half in a crash, in which ``under`` is required."""
    settings = {
        "fund": {"name": "tiny", "as_of": "2026-06-30"},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": OWN, "core_capital": core},
        "capital": {
            **{"regime": "cross2", "life_insurance_risk": LIFE, "control_risk": 0.0, "size_factor": 1.0},
            **{"without_liabilities": True, "require": {"comprehensive": 1.0}},
            "require_under": {"crash": {"comprehensive": under}},
        },
        "objective": {"maximize": "expected_return"},
        "stress": {"scenarios": {"crash": {"equity": -FALL}}},
        "solve": {"gap": gap},
    }
    rows = [
        {"asset_id": "CASH", "kind": "cash", "amount": 300.0, "expected_return": 0.01},
        {"asset_id": "RISK", "amount": 100.0, "expected_return": 0.06, **row},
    ]
    return Fund(settings, pd.DataFrame([{"account": "traditional", **one} for one in rows]))


EQUITY_FUND = {"kind": "equity_fund", "market": "domestic"}
STOCK = {"kind": "listed_stock", "board": "main", "cost": 60.0}


def charge(amount: float) -> float:
    return sqrt(LIFE**2 + amount**2 + 0.6 * LIFE * amount)


def survives(held: float, under: float, core: float) -> bool:
    """By hand: RF 0.28; own funds lose what the fund does, and supplementary capital counts up to core capital."""
    left = core - FALL * held
    capital = left + min(OWN - core, max(left, 0.0))
    return charge(0.28 * held) <= OWN and capital >= under * charge(0.28 * (1.0 - FALL) * held)


@pytest.mark.parametrize("core", [OWN, 130.0, 105.0])
@pytest.mark.parametrize("under", [1.2, 1.6, 2.5])
def test_optimal_means_a_gap_within_what_was_asked_and_a_bound_that_nothing_passes(under: float, core: float) -> None:
    result = fund(EQUITY_FUND, under, core).optimize()
    solution = result.solution
    returns = (0.01 * (400.0 - LINE) + 0.06 * LINE) / 400.0
    best = max(value for value, held in zip(returns, LINE, strict=True) if survives(float(held), under, core))
    assert solution.bound >= best - 1e-12
    assert solution.gap == abs(solution.bound - solution.objective)
    if solution.status == "optimal":
        assert solution.gap <= 1e-5
        assert solution.objective >= best - 1e-5
    if core == OWN:  # no limit on a tier, nothing to ask twice for
        assert solution.status == "optimal"
    assert survives(float(result.target[1]) - 1e-4, under, core)


def test_where_charges_move_with_the_answer_it_is_not_called_optimal() -> None:
    """k1 of stock in the crash follows the gain of the book that the answer holds: nothing bounds that search."""
    result = fund(STOCK, 1.6).optimize()
    assert result.solution.status == "feasible"
    assert result.stress is not None
    lines = result.stress.frame.set_index("scenario")
    assert lines["comprehensive_ratio"]["crash"] >= 1.6 - 1e-7


@pytest.mark.parametrize(("more", "status"), [(0.0, "optimal"), (1e-6, "feasible")])
def test_an_answer_that_more_was_asked_of_is_not_called_optimal(more: float, status: str) -> None:
    book = fund(EQUITY_FUND, 1.6)
    result = book.optimize()
    survival = Survival(book)
    asked = {("crash", "comprehensive"): 1.6 + more}
    outcomes = survival._outcomes(result.target)
    judged = survival._judged(Solved(result.model, result.solution), outcomes, asked)
    assert judged.solution.status == status


def test_what_was_not_proven_is_not_called_so_for_surviving() -> None:
    book = fund(EQUITY_FUND, 1.6)
    result = book.optimize()
    survival = Survival(book)
    open_: Solution = replace(result.solution, status="feasible")
    asked = {("crash", "comprehensive"): 1.6}
    judged = survival._judged(Solved(result.model, open_), survival._outcomes(result.target), asked)
    assert judged.solution.status == "feasible"
