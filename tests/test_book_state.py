"""Charges that depend on the stock book's gain: the rules searched with are kept by every book, and the bound holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator import Fund


def fund(required: Any = 1.5, costs: tuple[float, float] = (8.0, 33.0), **sections: Any) -> Fund:
    """Two stocks, one held at a gain of 25% (book 10, cost 8), one at a loss; the ratio binds."""
    assets = pd.DataFrame(
        {
            "asset_id": ["GAIN", "LOSS", "BOND"],
            "name": ["Gain", "Loss", "Bond"],
            "kind": ["listed_stock", "listed_stock", "government_bond"],
            "account": ["traditional"] * 3,
            "amount": [10.0, 30.0, 60.0],
            "max": [40.0, 40.0, 100.0],
            "cost": [*costs, None],
            "board": ["main", "chinext", None],
            "market": ["domestic"] * 3,
            "currency": ["CNY"] * 3,
            "expected_return": [0.062, 0.075, 0.02],
            "coupon": [None, None, 0.02],
            "yield": [None, None, 0.02],
            "frequency": [None, None, 1],
            "maturity": [None, None, "2036-03-31"],
        }
    )
    curve = pd.DataFrame({"tenor": range(1, 51), "spot": np.linspace(0.015, 0.024, 50)})
    liabilities = pd.DataFrame({"account": "traditional", "year": range(1, 31), "outflow": 3.0, "inflow": 0.2})
    return Fund(
        {
            "fund": {"name": "State", "as_of": "2026-03-31", "unit": 1e8},
            "balance_sheet": {"total_assets": 100, "actual_capital": 30, "core_capital": 25},
            "capital": {
                "regime": "cross2",
                "life_insurance_risk": 4,
                "nonlife_insurance_risk": 0,
                "sarmra_score": 80,
                "loss_absorption_cap": 0,
                "require": {"comprehensive": required},
            },
            **sections,
        },
        assets,
        curve=curve,
        liabilities=liabilities,
    )


POSITION = st.tuples(st.floats(0.0, 40e8), st.floats(0.0, 40e8), st.floats(0.0, 100e8)).map(np.array)


@given(POSITION, st.floats(0.0, 0.3), st.floats(0.0, 0.3))
@settings(max_examples=100, deadline=None)
def test_every_book_keeps_the_rules_of_the_interval_it_lies_in(held: np.ndarray, below: float, above: float) -> None:
    book = FUND
    state = book.regime.book_state(book.space)
    at = state.at(held)
    for term in state.rules(book.space, at - below, at + above):
        assert term.holds(held)


@given(POSITION, st.floats(0.0, 0.3), st.floats(0.0, 0.3))
@settings(max_examples=60, deadline=None)
def test_exact_coefficients_lie_between_the_two_trees(held: np.ndarray, below: float, above: float) -> None:
    book = FUND
    state = book.regime.book_state(book.space)
    at = state.at(held)
    least, greatest = state.trees(at - below, at + above)
    exact = book.regime.tree(held).coefficients.toarray()
    assert np.all(least.coefficients.toarray() <= exact + 1e-12)
    assert np.all(exact <= greatest.coefficients.toarray() + 1e-12)


FUND = fund()


def test_two_spaces_cover_the_one_they_split() -> None:
    state = FUND.regime.book_state(FUND.space)
    sold, bought = state.split(FUND.space, 0.1, FUND.space.upper * 0.5)
    assert np.minimum(sold.lower, bought.lower) == pytest.approx(FUND.space.lower)
    assert np.maximum(sold.upper, bought.upper) == pytest.approx(FUND.space.upper)


def test_the_certificate_holds_against_a_grid_of_all_trades() -> None:
    result = FUND.optimize()
    assert result.solution.status == "optimal"
    assert result.after.ratio("comprehensive") >= 1.5 - 1e-7
    best = -np.inf
    for gain in np.linspace(0.0, 40e8, 81):
        for loss in np.linspace(0.0, 40e8, 81):
            held = np.array([gain, loss, 100e8 - gain - loss])
            if held[2] < 0.0:
                continue
            if FUND.capital(held).ratio("comprehensive") >= 1.5:
                best = max(best, float(FUND.context.expected_return @ held) / 100e8)
    assert best <= result.solution.bound + 1e-9
    assert result.solution.objective >= best - 1e-5
