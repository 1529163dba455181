"""Weights, returns, risk and scores count what is placed after trading, not what happens to be held today."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund

FUND = {"name": "F", "as_of": "2026-06-30"}
COVARIANCE = pd.DataFrame(
    {"A": [0.04, 0.0, 0.0], "B": [0.0, 0.01, 0.0], "C": [0.0, 0.0, 0.0025]}, index=["A", "B", "C"]
)


def held(amounts: list[float], returns: list[float], **more: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"asset_id": list("ABC"[: len(amounts)]), "kind": "cash", "amount": amounts, "expected_return": returns, **more}
    )


def test_no_portfolio_earns_more_than_its_best_asset() -> None:
    """Held 100, budget 110 at 5% and 4%: all of it earns 5%, not 110 · 5% / 100."""
    result = (
        Fund({"fund": FUND, "accounts": {"traditional": {"budget": 110}}}, held([100.0, 0.0], [0.05, 0.04]))
        .optimize()
        .value
    )
    assert result.return_after == pytest.approx(0.05)
    assert result.return_before == pytest.approx(0.05)
    np.testing.assert_allclose(result.solution.holdings / result.model.space.total, [1.0, 0.0], atol=1e-9)


def test_a_floor_of_return_counts_the_new_money() -> None:
    """4.8% of 110 needs 88 at 5%; of 100 it would need 38."""
    settings = {
        "fund": FUND,
        "accounts": {"traditional": {"budget": 110}},
        "objective": {"minimize": "variance"},
        "constraints": [{"expected_return": {"min": "4.8%"}}],
    }
    assets = held([100.0, 0.0], [0.05, 0.04], volatility=[0.2, 0.0])
    covariance = pd.DataFrame({"A": [0.04, 0.0], "B": [0.0, 0.0]}, index=["A", "B"])
    result = Fund(settings, assets, covariance=covariance).optimize().value
    np.testing.assert_allclose(result.solution.holdings, [88.0, 22.0], rtol=1e-5)


@pytest.mark.parametrize("now", [0.0, 1.0, 100.0])
def test_risk_aversion_does_not_depend_on_what_is_held_before_the_money_comes(now: float) -> None:
    """μ′w − w′Σw over w = x / 100: μ₁ − 2 σ₁² w₁ is one number for all that is held."""
    settings = {
        "fund": FUND,
        "accounts": {"traditional": {"budget": 100}},
        "objective": {"maximize": "expected_return", "risk": {"measure": "variance", "aversion": 1}},
    }
    result = Fund(settings, held([now, 0.0, 0.0], [0.06, 0.055, 0.05]), covariance=COVARIANCE).optimize().value
    weights = result.solution.holdings / 100.0
    marginal = np.array([0.06, 0.055, 0.05]) - 2 * np.array([0.04, 0.01, 0.0025]) * weights
    np.testing.assert_allclose(marginal[weights > 1e-6], marginal[weights > 1e-6][0], atol=1e-5)
    assert weights.sum() == pytest.approx(1.0)
    assert 0.0 < result.return_after < 0.06


def test_money_taken_out_counts_the_same_way() -> None:
    """Held 100, budget 40: turnover is ½ (60) / 40, weights sum to one."""
    result = (
        Fund({"fund": FUND, "accounts": {"traditional": {"budget": 40}}}, held([100.0, 0.0], [0.05, 0.04]))
        .optimize()
        .value
    )
    assert (result.solution.holdings / result.model.space.total).sum() == pytest.approx(1.0)
    assert result.return_after == pytest.approx(0.05)


def test_an_account_between_two_bounds_counts_with_what_it_holds_brought_inside_them() -> None:
    space = Fund(
        {"fund": FUND, "accounts": {"traditional": {"min": 120, "max": 150}}}, held([100.0, 0.0], [0.05, 0.04])
    ).space
    assert space.total == 120.0
    np.testing.assert_allclose(space.current_weights, [1.0, 0.0])
