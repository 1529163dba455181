"""An answer that must survive scenarios is called optimal only with its gap, and the gap is one that holds.

The fund is cash and one risky row, so that every answer there could be is a point of a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund, Infeasible, NotProven
from allocator.pipeline.scenario_requirements import ScenarioRequirements

LIFE, OWN = 30.0, 200.0
FALL = 0.5
LINE = np.linspace(0.0, 400.0, 4001)


def fund(row: Mapping[str, Any], under: float, core: float = OWN, fall: float = FALL) -> Fund:
    """Return 300 of cash and 100 of a row that falls by ``fall`` in a crash, in which ``under`` is required."""
    settings = {
        "fund": {"name": "tiny", "as_of": "2026-06-30"},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": OWN, "core_capital": core},
        "capital": {
            **{"regime": "cross2", "life_insurance_risk": LIFE, "control_risk": 0.0, "size_factor": 1.0},
            **{"without_liabilities": True, "require": {"comprehensive": 1.0}},
            "require_under": {"crash": {"comprehensive": under}},
        },
        "objective": {"maximize": "expected_return"},
        "stress": {"scenarios": {"crash": {"equity": -fall}}},
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
    result = fund(EQUITY_FUND, under, core).optimize().value
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
    assert survives(float(result.holdings[1]) - 1e-4, under, core)


@pytest.mark.parametrize(("cost", "under"), [(40.0, 1.2), (90.0, 2.5), (250.0, 1.6)])
def test_where_charges_move_with_the_answer_the_bound_still_holds(cost: float, under: float) -> None:
    """k1 of stock follows the gain of the book that the answer holds: buying at market dilutes it, in the crash too."""
    book = fund({**STOCK, "cost": cost}, under)
    solution = book.optimize().value.solution
    scenarios = ScenarioRequirements(book)
    best = -np.inf
    for held in np.linspace(100.0, 400.0, 31):
        point = np.array([400.0 - held, held])
        position = book.position(point)
        assert position is not None
        if position.ratio("comprehensive") >= 1.0 and not scenarios._short(scenarios._outcomes(point)):
            best = max(best, (0.01 * (400.0 - held) + 0.06 * held) / 400.0)
    assert solution.bound >= best - 1e-12
    assert solution.gap == solution.bound - solution.objective
    assert (solution.status == "optimal") == (solution.gap <= 1e-5)
    # What is bought at charges taken before buying leaves room: the next model uses it.
    assert solution.objective >= best - 2e-5


def test_a_scenario_that_binds_nothing_leaves_the_answer_optimal() -> None:
    """The crash asks for so little that the bound without it is reached."""
    result = fund(STOCK, 0.1, fall=0.01).optimize().value
    assert result.solution.status == "optimal"
    assert result.solution.gap <= 1e-5


def test_no_proof_comes_of_a_model_that_asks_for_more_than_is_asked() -> None:
    """A fifth of the fund must be stock: at today's k1 nothing survives; the answer dilutes it or nothing is proven."""
    with pytest.raises(NotProven, match="require_under") as caught:
        fund({**STOCK, "min": 80.0}, 9.0).optimize()
    # What is in conflict at the charges tried is named all the same.
    assert any("crash" in problem.where for problem in caught.value.problems[1:])


def test_what_no_book_survives_without_moving_charges_is_proven_so() -> None:
    with pytest.raises(Infeasible):
        fund({**EQUITY_FUND, "min": 80.0}, 9.0).optimize()


@pytest.mark.parametrize(
    ("row", "more", "exact"), [(EQUITY_FUND, 0.0, True), (EQUITY_FUND, 1e-6, False), (STOCK, 0.0, False)]
)
def test_only_a_model_of_charges_that_stay_and_of_what_is_required_proves(
    row: Mapping[str, Any], more: float, exact: bool
) -> None:
    book = fund(row, 1.6)
    scenarios = ScenarioRequirements(book)
    outcomes = scenarios._outcomes(np.array([300.0, 100.0]))
    assert scenarios._exact(outcomes, {("crash", "comprehensive"): 1.6 + more}) == exact


def test_what_trading_costs_is_in_the_model_from_the_first() -> None:
    """Else the answer would miss its ratio after the crash, and more would be asked of the next."""
    result = fund({**EQUITY_FUND, "transaction_cost": 0.01}, 1.6).optimize().value
    assert result.solution.status == "optimal" and result.stress is not None
    reached = result.stress.frame.set_index("scenario")["comprehensive_ratio"]["crash"]
    assert reached == pytest.approx(1.6, abs=1e-6)
