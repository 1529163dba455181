"""Every objective by its name in the fund file, against a calculation of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog, minimize

from allocator import Fund, Infeasible, InputError
from tests.test_portfolio_dependent_charges import fund as stock_fund

HEAD: dict[str, Any] = {"fund": {"name": "Test", "as_of": "2026-03-31", "unit": 1e8}}
NAMES = ["A0", "A1", "A2", "A3"]
MEAN = [0.02, 0.03, 0.045, 0.06]


def assets(**columns: Any) -> pd.DataFrame:
    base = {"asset_id": NAMES, "name": NAMES, "kind": "government_bond", "account": "traditional"}
    return pd.DataFrame({**base, "amount": [40.0, 30.0, 20.0, 10.0], "expected_return": MEAN, **columns})


def scenarios(**columns: Any) -> pd.DataFrame:
    random = np.random.default_rng(7)
    common = random.normal(size=80)
    spread = np.array([0.01, 0.03, 0.08, 0.15])
    returns = np.array(MEAN) + spread * (0.6 * common[:, None] + 0.8 * random.normal(size=(80, 4)))
    return pd.DataFrame(returns, columns=NAMES).assign(**columns)


def floor(least: float) -> list[dict[str, Any]]:
    return [{"expected_return": {"min": least}}]


def tail_mean(losses: np.ndarray, probability: np.ndarray, room: float) -> float:
    """Mean of the worst losses, one by one, until ``room`` of probability is used up."""
    total, left = 0.0, room
    for place in np.argsort(-losses):
        taken = min(probability[place], left)
        total, left = total + taken * losses[place], left - taken
    return total / room


def test_cvar_is_the_mean_of_the_worst_and_the_least_there_is() -> None:
    weights = np.random.default_rng(2).dirichlet(np.ones(80))
    table = scenarios(probability=weights)
    settings = {**HEAD, "objective": {"minimize": "cvar", "confidence": 0.9}, "constraints": floor(0.035)}
    result = Fund(settings, assets(), scenarios=table).optimize().value
    returns = table[NAMES].to_numpy()
    reached = tail_mean(-returns @ result.shares, weights, 0.1)
    assert -result.solution.objective == pytest.approx(reached, abs=1e-12)
    # Rockafellar and Uryasev's program, written out: weights, quantile, excesses.
    cost = np.concatenate([np.zeros(4), [1.0], weights / 0.1])
    beyond = np.hstack([-returns, -np.ones((80, 1)), -np.eye(80)])
    earned = np.concatenate([-np.array(MEAN), np.zeros(81)])[None, :]
    best = linprog(
        cost,
        A_ub=np.vstack([beyond, earned]),
        b_ub=np.append(np.zeros(80), -0.035),
        A_eq=np.concatenate([np.ones(4), np.zeros(81)])[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * 4 + [(None, None)] + [(0, None)] * 80,
    )
    assert reached == pytest.approx(best.fun, abs=1e-8)
    assert result.solution.status == "optimal"
    assert best.fun >= -result.solution.bound - 1e-9


def test_cvar_as_a_measure_of_risk_takes_its_own_confidence() -> None:
    risk = {"measure": "cvar", "aversion": 0.2, "confidence": 0.8}
    table = scenarios()
    result = (
        Fund({**HEAD, "objective": {"maximize": "expected_return", "risk": risk}}, assets(), scenarios=table)
        .optimize()
        .value
    )
    losses = -table[NAMES].to_numpy() @ result.shares
    worst = np.sort(losses)[-16:].mean()
    assert result.solution.objective == pytest.approx(MEAN @ result.shares - 0.2 * worst, abs=1e-10)


def test_a_ceiling_on_cvar_binds() -> None:
    table = scenarios()
    settings = {**HEAD, "constraints": [{"cvar": {"max": 0.08, "confidence": 0.9}}]}
    result = Fund(settings, assets(), scenarios=table).optimize().value
    losses = -table[NAMES].to_numpy() @ result.shares
    assert np.sort(losses)[-8:].mean() == pytest.approx(0.08, abs=1e-7)


def test_a_key_that_the_measure_does_not_know_is_refused() -> None:
    risk = {"measure": "variance", "aversion": 1, "confidence": 0.9}
    with pytest.raises(InputError, match="confidence"):
        Fund({**HEAD, "objective": {"maximize": "expected_return", "risk": risk}}, assets()).optimize()


def test_surplus_variance_on_scenarios_is_the_variance_of_assets_less_liabilities() -> None:
    random = np.random.default_rng(3)
    weights = random.dirichlet(np.ones(80))
    table = scenarios()
    growth = 0.03 + 0.7 * (table["A2"] - 0.045) + random.normal(0, 0.01, 80)
    table = table.assign(liabilities=growth, probability=weights)
    settings = {**HEAD, "objective": {"minimize": "surplus_variance", "value": 80}}
    result = Fund(settings, assets(), scenarios=table).optimize().value

    def spread(held: np.ndarray) -> float:
        surplus = table[NAMES].to_numpy() @ held - 0.8 * growth.to_numpy()
        return float(weights @ (surplus - weights @ surplus) ** 2)

    assert -result.solution.objective == pytest.approx(spread(result.shares), rel=1e-9)
    best = minimize(
        lambda held: 1e4 * spread(held),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda held: held.sum() - 1},
        options={"ftol": 1e-14},
    )
    assert spread(result.shares) == pytest.approx(best.fun / 1e4, rel=1e-5)
    assert best.fun / 1e4 >= -result.solution.bound - 1e-12


FACTORS = {
    "factor_exposures": pd.DataFrame(
        {
            "asset_id": ["A0", "A1", "A2", "A3"],
            "factor": ["rate", "rate", "rate", "equity"],
            "exposure": [-1.0, -6.0, -15.0, 1.0],
        }
    ),
    "factor_covariance": pd.DataFrame(
        {
            "factor": ["rate", "rate", "equity"],
            "other": ["rate", "equity", "equity"],
            "covariance": [1e-4, 2e-4, 0.04],
        }
    ),
}


def test_surplus_variance_by_factors_matches_duration_times_value() -> None:
    # Liabilities of 90 with an exposure of −10 to the yield: the surplus is immune where Σ amount × duration
    # is 900. Durations 1, 6 and 15 over 100 reach it, and equity is not held.
    settings = {**HEAD, "objective": {"minimize": "surplus_variance", "value": 90, "exposures": {"rate": -10}}}
    result = Fund(settings, assets(specific_volatility=0.0), **FACTORS).optimize().value
    exposure = result.holdings / 1e8 @ np.array([1.0, 6.0, 15.0, 0.0])
    assert exposure == pytest.approx(900.0, abs=0.1)
    assert -result.solution.objective == pytest.approx(0.0, abs=1e-9)
    held = result.shares
    omega = np.array([[1e-4, 2e-4], [2e-4, 0.04]])
    gap = np.array([-held @ [1.0, 6.0, 15.0, 0.0] + 0.9 * 10, held[3]])
    assert -result.solution.objective == pytest.approx(gap @ omega @ gap, abs=1e-14)


def test_the_liabilities_duration_is_taken_from_their_cash_flows() -> None:
    # One payment of 121 in two years on a flat curve of 10%: worth 100, duration 2 / 1.1.
    liabilities = pd.DataFrame({"account": ["traditional"], "year": [2], "outflow": [121.0], "inflow": [0.0]})
    curve = pd.DataFrame({"tenor": range(1, 31), "spot": 0.10})
    settings = {**HEAD, "objective": {"minimize": "surplus_variance", "rate_factor": "rate"}}
    fund = Fund(settings, assets(specific_volatility=0.0), liabilities=liabilities, curve=curve, **FACTORS)
    result = fund.optimize().value
    exposure = result.holdings / 1e8 @ np.array([1.0, 6.0, 15.0, 0.0])
    assert exposure == pytest.approx(100 * 2 / 1.1, abs=0.1)
    nothing = fund.model.objective[0].expression.value(np.zeros(4))[0]
    assert nothing == pytest.approx(1e-4 * (2 / 1.1) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"value": 90}, "nothing says how the liabilities move"),
        ({"value": 90, "exposures": {"rat": -10}}, "did you mean 'rate'"),
        ({"exposures": {"rate": -10}}, "objective.value"),
        ({"rate_factor": "rate"}, "inputs.liabilities"),
    ],
)
def test_what_the_surplus_lacks_is_named(options: dict[str, Any], told: str) -> None:
    settings = {**HEAD, "objective": {"minimize": "surplus_variance", **options}}
    with pytest.raises(InputError, match=told):
        Fund(settings, assets(specific_volatility=0.0), **FACTORS).optimize()


def robust(settings: dict[str, Any], frame: pd.DataFrame, **tables: Any) -> Any:
    return Fund({**HEAD, "objective": {"maximize": "robust_expected_return", **settings}}, frame, **tables)


def test_the_box_takes_each_return_at_its_low_end() -> None:
    # Low ends 1.9%, 2.5%, 3.0% and 2.0%: the third row is best, not the fourth.
    fund = robust({}, assets(return_uncertainty=[0.001, 0.005, 0.015, 0.04]))
    result = fund.optimize().value
    np.testing.assert_allclose(result.shares, [0, 0, 1, 0], atol=1e-7)
    assert result.solution.objective == pytest.approx(0.030, abs=1e-9)


def test_the_ellipsoid_is_the_worst_mean_of_a_sphere_of_errors() -> None:
    error = np.array([0.001, 0.005, 0.015, 0.04])
    result = robust({"box": 0, "ellipsoid": 1.5}, assets(return_uncertainty=error)).optimize().value

    def worst(held: np.ndarray) -> float:
        return float(MEAN @ held - 1.5 * np.sqrt(np.sum((error * held) ** 2)))

    assert result.solution.objective == pytest.approx(worst(result.shares), abs=1e-12)
    best = minimize(
        lambda held: -worst(held),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda held: held.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert result.solution.objective == pytest.approx(-best.fun, abs=1e-7)
    assert -best.fun <= result.solution.bound + 1e-9


def test_one_asset_in_two_accounts_is_wrong_by_the_same_amount() -> None:
    frame = pd.concat(
        [assets(return_uncertainty=0.02), assets(return_uncertainty=0.02).assign(account="participating")]
    )
    fund = robust({"box": 0, "ellipsoid": 1}, frame.reset_index(drop=True))
    held = np.array([0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5]) * 200e8
    # All in A3, half in each account: 6% − 2%, with no diversification between the accounts.
    assert fund.model.objective[0].expression.value(held)[0] == pytest.approx(0.04, abs=1e-12)


def test_uncertainty_comes_from_the_column_then_the_history_then_the_setting() -> None:
    history = np.random.default_rng(1).normal(0.0, 0.02, (48, 2))
    dates = pd.date_range("2022-01-31", periods=48, freq="ME")
    returns = pd.DataFrame(history, columns=["A1", "A2"]).assign(date=dates)
    frame = assets(return_uncertainty=[0.004, None, 0.01, None])
    settings = {"without_history": 0.05}
    fund = Fund(
        {
            **HEAD,
            "fund": {**HEAD["fund"], "frequency": 12},
            "objective": {"maximize": "robust_expected_return", **settings},
        },
        frame,
        returns=returns,
    )
    # Four years of months: the annual mean is 12 times a mean of 48, its error 12 s / √48.
    error = 12 * history[:, 0].std(ddof=1) / np.sqrt(48)
    slope = fund.model.objective[0].expression.gradient(np.full(4, 1.0)).toarray()[0] * fund.space.total
    np.testing.assert_allclose(slope, np.array(MEAN) - [0.004, error, 0.01, 0.05], rtol=1e-12)


def test_an_asset_that_nothing_is_known_of_is_named() -> None:
    with pytest.raises(InputError, match="without_history") as caught:
        robust({}, assets(return_uncertainty=[0.01, 0.01, None, None])).optimize()
    assert len(caught.value.problems) == 2


def test_a_robust_objective_without_uncertainty_is_refused() -> None:
    with pytest.raises(InputError, match="box or ellipsoid"):
        robust({"box": 0}, assets()).optimize()


def test_a_module_of_the_tree_can_be_limited() -> None:
    free = stock_fund().optimize().value
    assert free.after is not None
    equity = free.after.tree.values(free.holdings)["equity_price"]
    limited = stock_fund(constraints=[{"capital_module": {"module": "equity_price", "max": 0.8 * equity / 1e8}}])
    result = limited.optimize().value
    assert result.after is not None
    assert result.after.tree.values(result.holdings)["equity_price"] == pytest.approx(0.8 * equity, rel=1e-6)
    assert result.solution.objective < free.solution.objective
    assert result.solution.status == "optimal"


def test_a_module_of_the_tree_can_be_minimized() -> None:
    lowest = (
        stock_fund(objective={"minimize": "capital", "module": "equity_price"}, constraints=floor(0.03))
        .optimize()
        .value
    )
    assert lowest.after is not None
    least = lowest.after.tree.values(lowest.holdings)["equity_price"]
    assert -lowest.solution.objective == pytest.approx(least, rel=1e-9)
    # A little less than that is out of reach.
    with pytest.raises(Infeasible):
        stock_fund(
            constraints=[*floor(0.03), {"capital_module": {"module": "equity_price", "max": 0.999 * least / 1e8}}],
        ).optimize()


def test_capital_as_a_measure_of_risk_is_its_cost() -> None:
    priced = (
        stock_fund(
            objective={"maximize": "expected_return", "risk": {"measure": "capital", "aversion": 0.08}},
        )
        .optimize()
        .value
    )
    assert priced.after is not None
    expected = priced.return_after - 0.08 * priced.after.minimum_capital / priced.model.space.total
    assert priced.solution.objective == pytest.approx(expected, abs=1e-10)
    free = stock_fund().optimize().value
    assert free.after is not None
    charged = free.return_after - 0.08 * free.after.minimum_capital / free.model.space.total
    assert priced.solution.objective >= charged - 1e-9


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"constraints": [{"capital_module": {"module": "equity_prise", "max": 1}}]}, "did you mean 'equity_price'"),
        ({"objective": {"minimize": "capital", "module": "equity_prise"}}, "did you mean 'equity_price'"),
    ],
)
def test_a_module_that_does_not_exist_is_refused(sections: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        stock_fund(**sections).optimize()


def test_capital_without_a_regime_is_refused() -> None:
    with pytest.raises(InputError, match="without a solvency regime"):
        Fund({**HEAD, "objective": {"minimize": "capital"}}, assets()).optimize()


@pytest.mark.parametrize("required", [{"free_capital": 14.0}, "no_worse"])
def test_targets_as_free_capital_and_as_no_worse_than_now(required: Any) -> None:
    result = stock_fund(required).optimize().value
    assert result.before is not None
    assert result.after is not None
    free = result.after.own_funds.comprehensive - result.after.minimum_capital
    if required == "no_worse":
        assert result.after.ratio("comprehensive") >= result.before.ratio("comprehensive") - 1e-7
        assert result.after.ratio("comprehensive") == pytest.approx(result.before.ratio("comprehensive"), abs=1e-5)
    else:
        assert free >= 14e8 - 1e-7 * result.after.minimum_capital
        assert free == pytest.approx(14e8, rel=1e-5)
    assert result.solution.status == "optimal"
