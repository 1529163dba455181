"""From frames to a verified answer: hand-worked optima, costs, budgets, tilts, and what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import AllocatorError, Fund, Infeasible, InputError, NotProven
from allocator.errors import Problem
from allocator.model import TOLERANCE
from allocator.types import Text

HEAD = {"fund": {"name": "Test", "as_of": "2026-03-31", "unit": 1e8}}


def frame(**columns: Any) -> pd.DataFrame:
    size = len(columns["amount"])
    ids = [f"A{i}" for i in range(size)]
    kinds = ["tech_innovation_bond", *["government_bond"] * (size - 1)]
    return pd.DataFrame({"asset_id": ids, "name": ids, "kind": kinds, "account": ["traditional"] * size, **columns})


def covariance(matrix: Any) -> pd.DataFrame:
    ids = [f"A{i}" for i in range(len(matrix))]
    return pd.DataFrame(matrix, index=pd.Index(ids, name="asset_id"), columns=ids)


def test_the_best_return_fills_the_best_rows_first() -> None:
    assets = frame(amount=[50.0, 30.0, 20.0], max=[60.0, 30.0, 40.0], expected_return=[0.02, 0.03, 0.04])
    result = Fund(HEAD, assets).optimize().value
    assert result.holdings == pytest.approx([30e8, 30e8, 40e8], abs=1.0)
    assert result.solution.objective == pytest.approx(0.3 * 0.02 + 0.3 * 0.03 + 0.4 * 0.04, abs=1e-9)
    assert result.solution.status == "optimal"


def test_least_variance_of_independent_assets_is_inverse_to_their_variances() -> None:
    settings = {**HEAD, "objective": {"minimize": "variance"}}
    assets = frame(amount=[50.0, 50.0, 0.0], expected_return=[0.0, 0.0, 0.0])
    variances = np.array([0.01, 0.02, 0.04])
    result = Fund(settings, assets, covariance=covariance(np.diag(variances))).optimize().value
    assert result.shares == pytest.approx((1 / variances) / (1 / variances).sum(), abs=1e-6)
    assert result.objective == pytest.approx(1.0 / (1 / variances).sum(), rel=1e-6)
    assert result.status == "optimal"
    assert result.objective - result.bound == pytest.approx(result.gap)


def test_history_gives_the_sample_covariance() -> None:
    history = np.random.default_rng(3).normal(0.0, 0.01, (40, 3))
    dates = pd.date_range("2022-01-31", periods=40, freq="ME")
    returns = pd.DataFrame(history, columns=["A0", "A1", "A2"]).assign(date=dates)
    settings = {**HEAD, "fund": {**HEAD["fund"], "frequency": 12}, "objective": {"minimize": "variance"}}
    fund = Fund(settings, frame(amount=[1.0, 1.0, 1.0], expected_return=[0.0] * 3), returns=returns)
    weights = np.array([0.2, 0.5, 0.3])
    expected = weights @ np.cov(history, rowvar=False) @ weights * 12
    assert fund.context.risk.variance(weights) == pytest.approx(expected, rel=1e-12)


def test_factors_give_the_factor_covariance() -> None:
    exposures = pd.DataFrame(
        {"asset_id": ["A0", "A1", "A1", "A2"], "factor": ["f", "f", "g", "g"], "exposure": [1.0, 0.5, 2.0, -1.0]}
    )
    omega = pd.DataFrame({"factor": ["f", "f", "g"], "other": ["f", "g", "g"], "covariance": [0.04, 0.01, 0.09]})
    assets = frame(amount=[1.0, 1.0, 1.0], expected_return=[0.0] * 3, specific_volatility=[0.1, 0.0, 0.2])
    fund = Fund(HEAD, assets, factor_exposures=exposures, factor_covariance=omega)
    loading = np.array([[1.0, 0.5, 0.0], [0.0, 2.0, -1.0]])
    full = loading.T @ np.array([[0.04, 0.01], [0.01, 0.09]]) @ loading + np.diag([0.01, 0.0, 0.04])
    weights = np.array([0.2, 0.5, 0.3])
    assert fund.context.risk.variance(weights) == pytest.approx(weights @ full @ weights, rel=1e-12)


def test_a_trade_that_costs_more_than_it_earns_is_not_made() -> None:
    columns = {"amount": [50.0, 50.0], "expected_return": [0.02, 0.03]}
    dear = Fund(HEAD, frame(**columns, transaction_cost=[0.006, 0.006])).optimize().value
    cheap = Fund(HEAD, frame(**columns, transaction_cost=[0.004, 0.004])).optimize().value
    assert dear.traded == pytest.approx([0.0, 0.0], abs=TOLERANCE * 100e8)
    assert cheap.holdings == pytest.approx([0.0, 100e8], abs=TOLERANCE * 100e8)
    assert cheap.solution.objective == pytest.approx(0.03 - 0.5 * 0.008, abs=1e-9)


def test_a_quadratic_cost_stops_where_it_costs_what_it_earns() -> None:
    # max 0.01 w − 2·q·w²  (two legs)  ⇒  w = 0.01 / (4 q)
    settings = {**HEAD, "objective": {"maximize": "expected_return", "costs": {"quadratic": 0.05}}}
    result = Fund(settings, frame(amount=[50.0, 50.0], expected_return=[0.02, 0.03])).optimize().value
    assert result.traded[1] / 100e8 == pytest.approx(0.01 / (4 * 0.05), abs=1e-5)


def test_each_account_keeps_its_budget() -> None:
    assets = frame(amount=[50.0, 30.0, 20.0, 0.0], expected_return=[0.02, 0.03, 0.04, 0.05])
    assets["account"] = ["traditional", "traditional", "participating", "participating"]
    result = Fund(HEAD, assets).optimize().value
    assert result.holdings == pytest.approx([0.0, 80e8, 0.0, 20e8], abs=10.0)


def test_a_budget_given_replaces_the_current_sum() -> None:
    settings = {**HEAD, "accounts": {"traditional": {"budget": 120}}}
    result = Fund(settings, frame(amount=[50.0, 50.0], expected_return=[0.02, 0.03])).optimize().value
    assert result.holdings.sum() == pytest.approx(120e8, rel=1e-12)


def test_a_floor_on_return_and_its_price() -> None:
    # minimize variance with μ′w ≥ m: the price of the floor is −d variance / d m.
    variances, returns = np.diag([0.01, 0.04]), [0.02, 0.06]

    def solve(floor: float) -> Any:
        settings = {
            **HEAD,
            "objective": {"minimize": "variance"},
            "constraints": [{"expected_return": {"min": floor}}],
        }
        return (
            Fund(settings, frame(amount=[50.0, 50.0], expected_return=returns), covariance=covariance(variances))
            .optimize()
            .value
        )

    middle, up, down = solve(0.045), solve(0.045 + 1e-4), solve(0.045 - 1e-4)
    slope = (down.solution.objective - up.solution.objective) / 2e-4
    assert middle.solution.shadow_prices["expected_return"][0] == pytest.approx(slope, rel=1e-3)


def test_contradicting_rules_are_infeasible_and_named() -> None:
    settings = {**HEAD, "constraints": [{"expected_return": {"min": 0.05}}]}
    with pytest.raises(Infeasible, match="expected_return: in conflict"):
        Fund(settings, frame(amount=[50.0, 50.0], expected_return=[0.02, 0.03])).optimize()


def test_one_asset_in_two_accounts_is_one_risk() -> None:
    exposures = pd.DataFrame({"asset_id": ["A0", "A1"], "factor": ["f", "f"], "exposure": [1.0, 0.0]})
    omega = pd.DataFrame({"factor": ["f"], "other": ["f"], "covariance": [0.04]})
    assets = frame(amount=[1.0, 1.0, 1.0], expected_return=[0.0] * 3, specific_volatility=[0.1, 0.2, 0.1])
    assets["asset_id"], assets["kind"] = ["A0", "A1", "A0"], ["government_bond"] * 3
    assets["account"] = ["traditional", "traditional", "participating"]
    fund = Fund(HEAD, assets, factor_exposures=exposures, factor_covariance=omega)
    # A0 is held twice: 0.6² (0.04 + 0.01), A1 once: 0.4² · 0.04
    expected = 0.36 * 0.05 + 0.16 * 0.04
    assert fund.context.risk.variance(np.array([0.2, 0.4, 0.4])) == pytest.approx(expected, rel=1e-12)


def test_two_rules_of_one_name_are_refused() -> None:
    settings = {**HEAD, "constraints": [{"turnover": {"max": 0.1}}, {"turnover": {"max": 0.2}}]}
    with pytest.raises(InputError, match="turnover"):
        Fund(settings, frame(amount=[1.0, 1.0], expected_return=[0.0, 0.0])).optimize()


TILT = {**HEAD, "objective": {"maximize": "expected_return", "risk": {"measure": "variance", "aversion": 2.0}}}
BOOK = {"amount": [10.0, 50.0, 40.0], "expected_return": [0.02, 0.03, 0.04]}
SIGMA = covariance(np.diag([0.01, 0.02, 0.04]))


def tilted(**mode: Any) -> Any:
    settings = {**TILT, "tilts": [{"tech_innovation_bonds": mode}]} if mode else TILT
    return Fund(settings, frame(**BOOK), covariance=SIGMA).optimize().value


def test_the_price_of_a_tilt_is_the_difference_of_two_runs() -> None:
    plain, steered = tilted(), tilted(mode="floor", min=0.8)
    price = steered.tilts[0]
    assert price.objective_given_up == pytest.approx(plain.solution.objective - steered.solution.objective, abs=1e-9)
    assert price.return_given_up == pytest.approx(plain.return_after - steered.return_after, abs=1e-9)
    assert price.score_after == pytest.approx(0.8, abs=1e-6)
    assert price.moved == pytest.approx(steered.holdings - plain.holdings, abs=1e3)


def test_a_budget_is_spent_and_its_price_reproduces_it_as_a_reward() -> None:
    spent = tilted(mode="budget", cost="5bp")
    assert spent.tilts[0].objective_given_up == pytest.approx(5e-4, abs=1e-7)
    price = spent.solution.shadow_prices["tilt:tech_innovation_bonds"][0]
    assert tilted(mode="reward", reward=price).shares == pytest.approx(spent.shares, abs=1e-5)


def test_a_floor_without_figure_is_no_worse_than_now() -> None:
    result = tilted(mode="floor")
    assert result.tilts[0].score_after >= 0.1 - 1e-7


def test_an_unknown_tilt_mode_is_refused() -> None:
    with pytest.raises(InputError, match="tilts"):
        tilted(mode="wish")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"objective": {"maximize": "expected_retrun"}}, "did you mean 'expected_return'"),
        ({"objective": {"maximize": "expected_return", "minimize": "variance"}}, "maximize | minimize"),
        ({"constraints": ["turnovr"]}, "did you mean 'turnover'"),
        ({"models": {"risk": "historic"}, "objective": {"minimize": "variance"}}, "did you mean 'history'"),
        ({"capital": {"regime": "cros2"}}, "capital.regime"),
    ],
)
def test_wrong_names_are_located_with_the_nearest(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        Fund({**HEAD, **settings}, frame(amount=[1.0, 1.0], expected_return=[0.0, 0.0])).optimize()
    assert told in str(caught.value)


def test_every_row_without_expected_return_is_named() -> None:
    with pytest.raises(InputError) as caught:
        Fund(HEAD, frame(amount=[1.0, 1.0, 1.0], expected_return=[None, 0.02, None])).optimize()
    assert len(caught.value.problems) == 2


def test_validation_names_at_once_what_each_stage_misses() -> None:
    """A rating nobody knows, a return left out, a rule misspelt, one out of range, a tilt without a figure."""
    capital = {"regime": "cross2", "life_insurance_risk": 1, "loss_absorption_cap": 1, "sarmra_score": 80}
    settings = {
        **HEAD,
        "balance_sheet": {"total_assets": 100, "actual_capital": 20, "core_capital": 15},
        "capital": {**capital, "size_factor": 1},
        "constraints": ["turnovr", {"equity_ceiling": {"max": 2}}],
        "tilts": [{"tech_innovation_bonds": {"mode": "reward"}}],
    }
    assets = frame(amount=[50.0, 50.0], expected_return=[0.02, np.nan], rating=["AAB", None], coupon=[0.02, 0.02])
    assets = assets.assign(maturity="2030-03-31", issuer="X", **{"yield": 0.02})
    curve = pd.DataFrame({"tenor": [1, 50], "spot": [0.02, 0.02]})
    with pytest.raises(InputError) as refused:
        Fund(settings, assets, curve=curve).validate()
    said = [problem.render("en") for problem in refused.value.problems]
    for part in ("got AAB", "column expected_return", "got turnovr", "equity_ceiling.max", "tech_innovation_bonds."):
        assert sum(part in line for line in said) == 1, said


@pytest.mark.parametrize("given", [None, 3, [1], True])
def test_a_model_that_is_neither_a_name_nor_a_mapping_is_told(given: object) -> None:
    fund = Fund({**HEAD, "models": {"returns": given}}, frame(amount=[1.0], expected_return=[0.01]))
    with pytest.raises(InputError, match=r"models\.returns"):
        fund.validate()


@pytest.mark.parametrize("kind", [InputError, Infeasible, NotProven])
def test_an_error_crosses_to_another_process_whole(kind: type[AllocatorError]) -> None:
    """Studies run in processes of their own: an error that cannot be sent back would take the pool with it."""
    told = kind([Problem(Text("what", "何事"), "where", "got", "allowed", Text("hint", "建议"))])
    again = pickle.loads(pickle.dumps(told))
    assert type(again) is kind and again.problems == told.problems and str(again) == str(told)


@pytest.mark.parametrize("given", [3, True, [3], []])
def test_a_source_of_scenarios_that_is_none_is_told(given: object) -> None:
    settings = {**HEAD, "models": {"scenarios": given}, "objective": {"minimize": "cvar"}}
    fund = Fund(settings, frame(amount=[1.0], expected_return=[0.01]))
    with pytest.raises(InputError, match=r"models\.scenarios"):
        fund.validate()
