"""Named factors, their covariance, exposures and joint scenarios, against hand-worked cases and exact revaluation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import allocator_markets
import numpy as np
import pandas as pd
import pytest
from allocator_markets.covariance import exponential, shrunk
from allocator_markets.exposures import read_exposures
from allocator_markets.history import FACTORS, curve_loadings, read_history
from allocator_markets.report import factor_tables
from allocator_markets.risk import MarketOptions, market_risk
from allocator_markets.scenarios import MarketScenarioOptions, market_scenarios
from needed import package
from support import make_inputs, make_registry

from allocator import Fund
from allocator.errors import InputError
from allocator.inputs.fund import Inputs

DATA = Path(os.environ.get("ALLOCATOR_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
DECAY = 12 * 0.0609
TENORS = (1, 3, 5, 10, 20, 30)
REGISTRY = make_registry(("markets", allocator_markets))


def history(months: int = 60, seed: int = 4, **columns: Any) -> pd.DataFrame:
    """A made-up history whose curve is exactly level + slope + curvature."""
    rng = np.random.default_rng(seed)
    betas = np.array([0.03, -0.01, -0.005]) + np.cumsum(rng.normal(0, [0.001, 0.002, 0.003], (months, 3)), axis=0)
    yields = betas @ curve_loadings(TENORS, DECAY).T
    moves = rng.normal([0.005, 0.004, 0.002, 0.0], [0.05, 0.08, 0.03, 0.012], (months, 4))
    moves[:, 1] += moves[:, 0]
    levels = 1000 * np.exp(np.cumsum(moves, axis=0))
    frame = pd.DataFrame({"date": pd.date_range("2021-07-31", periods=months, freq="ME")})
    frame[[f"rate_{tenor}y" for tenor in TENORS]] = yields
    frame["credit_spread"] = 0.008 + np.cumsum(rng.normal(0, 0.0006, months))
    frame[["equity", "growth", "property", "currency"]] = levels
    return frame.assign(**columns)


ROW = {"account": "traditional", "amount": 100.0, "expected_return": 0.03}
ZERO = {"asset_id": "Z", "kind": "government_bond", "coupon": 0.0, "frequency": 1, "maturity": "2036-06-30"} | ROW
BOND = {"asset_id": "B", "kind": "corporate_bond", "coupon": 0.04, "frequency": 1, "maturity": "2031-06-30"} | ROW
STOCK = {"asset_id": "S", "kind": "listed_stock", "board": "main"} | ROW
TWO_PERCENT = {"yield": 0.02}


def fund(*rows: dict[str, Any], past: pd.DataFrame | None = None, **tables: pd.DataFrame) -> Inputs:
    known = {"market_history": history() if past is None else past, **tables}
    return make_inputs([dict(row) for row in rows], tables=known, registry=REGISTRY)


# ---- the factors ----------------------------------------------------------------------------------------


def test_the_loadings_are_those_of_the_paper() -> None:
    """Level 1 throughout; slope falls from 1; curvature is greatest at thirty months (Diebold and Li, 2006)."""
    months = np.arange(1, 121)
    loadings = curve_loadings(months / 12, DECAY)
    assert np.all(loadings[:, 0] == 1.0)
    assert loadings[0, 1] == pytest.approx(1.0, abs=0.035)
    assert np.all(np.diff(loadings[:, 1]) < 0)
    assert months[loadings[:, 2].argmax()] in (29, 30)


def test_a_curve_made_of_the_three_is_taken_apart_exactly() -> None:
    past = history()
    found = read_history(fund(STOCK, past=past))
    assert tuple(found.changes) == tuple(FACTORS)
    assert found.curve_fit == pytest.approx(1.0)
    yields = past[[f"rate_{tenor}y" for tenor in TENORS]].to_numpy()
    betas = np.linalg.solve(curve_loadings(TENORS, DECAY)[:3], yields[:, :3].T).T
    np.testing.assert_allclose(found.changes[["level", "slope", "curvature"]], np.diff(betas, axis=0), atol=1e-12)
    equity, growth = np.diff(np.log(past["equity"])), np.diff(np.log(past["growth"]))
    np.testing.assert_allclose(found.changes["growth"], growth - equity, rtol=1e-12)


def test_days_become_months_and_later_days_are_not_seen() -> None:
    daily = history(80).set_index("date").resample("D").ffill().reset_index()
    found = read_history(fund(STOCK, past=daily))
    assert found.changes.index[-1] == pd.Timestamp("2026-06-30")
    assert len(found.changes) == 59
    assert len(read_history(fund(STOCK, past=daily), window=24).changes) == 24


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"equity": np.where(np.arange(60) == 30, np.nan, 1000.0)}, "a month without a figure"),
        ({"credit_spread": np.where(np.arange(60) < 40, np.nan, 0.01)}, "credit_spread starts in 2024-11"),
        ({"equity": np.nan}, "growth is measured against the equity index"),
        ({f"rate_{tenor}y": np.nan for tenor in (3, 5, 10, 20, 30)}, "three tenors"),
    ],
)
def test_what_the_history_lacks_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_history(fund(STOCK, past=history(**change)))


def test_an_appraised_index_is_desmoothed_first() -> None:
    """Values that move half way to the market each month: taken out, the volatility is the market's."""
    past = history(240).assign(date=pd.date_range("2006-07-31", periods=240, freq="ME"))
    true = np.diff(np.log(past["property"]), prepend=np.log(past["property"].iloc[0]))
    reported = np.zeros(240)
    for t in range(1, 240):
        reported[t] = 0.5 * true[t] + 0.5 * reported[t - 1]
    inputs = fund(STOCK, past=past.assign(property=1000 * np.exp(np.cumsum(reported))))
    lagging, cleared = read_history(inputs).changes["property"], read_history(inputs, desmooth=("property",)).changes
    assert lagging.std() == pytest.approx(0.03 / np.sqrt(3), rel=0.15)
    assert cleared["property"].std() == pytest.approx(0.03, rel=0.15)
    assert len(cleared) == 238
    with pytest.raises(InputError, match="did you mean 'property'"):
        read_history(inputs, desmooth=("properties",))
    with pytest.raises(InputError, match="no valuation lag"):
        read_history(
            fund(STOCK, past=history(property=1000 * (1 + 0.1 * (-1.0) ** np.arange(60)))), None, ("property",)
        )


# ---- covariance -----------------------------------------------------------------------------------------


def test_exponential_weights_by_hand() -> None:
    """Half-life of one month, changes 1, 2, 4: weights 1, 2, 4 sevenths, unbiased by 1 − Σw² = 28/49."""
    weights = np.array([1, 2, 4]) / 7
    moves = np.array([1.0, 2.0, 4.0])
    mean = weights @ moves
    expected = weights @ (moves - mean) ** 2 / (1 - weights @ weights) * 12
    assert exponential(pd.DataFrame({"a": moves}), 1.0)[0, 0] == pytest.approx(expected)


def test_shrinkage_keeps_variances_and_draws_correlations_in() -> None:
    package("sklearn", "shrunk covariances were not tried")
    changes = read_history(fund(STOCK)).changes
    found, shrinkage = shrunk(changes, "models.risk")
    sample = changes.cov().to_numpy() * 12
    np.testing.assert_allclose(np.diag(found), np.diag(sample), rtol=1e-10)
    apart = ~np.eye(len(sample), dtype=bool)
    np.testing.assert_allclose(found[apart], (1 - shrinkage) * sample[apart], rtol=1e-9)
    assert 0 < shrinkage < 1


def test_a_long_half_life_is_the_sample_covariance() -> None:
    changes = read_history(fund(STOCK)).changes
    np.testing.assert_allclose(exponential(changes, 1e9), changes.cov() * 12, rtol=1e-6)


# ---- exposures ------------------------------------------------------------------------------------------


def exact(row: dict[str, Any], move: np.ndarray) -> float:
    """Revalue the payments of a bond at its yield of 2% plus the move of the curve at each of them."""
    if row["coupon"]:
        time = np.arange(1.0, 6.0)
        paid = np.array([0.04] * 4 + [1.04])
    else:
        time, paid = np.array([10.0]), np.array([1.0])
    shift = curve_loadings(time, DECAY) @ move
    return float(paid @ (1.02 + shift) ** -time / (paid @ 1.02**-time))


@pytest.mark.parametrize("row", [ZERO, BOND])
@pytest.mark.parametrize("move", [(0.01, 0, 0), (0, -0.01, 0), (0, 0, 0.01), (-0.01, 0.008, -0.006)])
def test_a_bond_moves_as_its_exact_revaluation_to_the_second_order(
    row: dict[str, Any], move: tuple[float, float, float]
) -> None:
    """What is left is the third order, (10/3) · 0.01³ = 3.3e-6 for the zero bond."""
    inputs = fund({**row, **TWO_PERCENT})
    found = read_exposures(inputs, read_history(inputs))
    f = np.array(move)
    log = found.loading[:3, 0] @ f + f @ found.convexity[:, :, 0] @ f
    assert np.exp(log) == pytest.approx(exact(row, f), abs=5e-6)


def test_the_first_order_of_a_zero_bond_by_hand() -> None:
    """Ten years at 2%: −10/1.02 a level move; slope and curvature by their loadings at ten years; no credit."""
    inputs = fund({**ZERO, **TWO_PERCENT})
    found = read_exposures(inputs, read_history(inputs))
    np.testing.assert_allclose(found.loading[:3, 0], -10 / 1.02 * curve_loadings(10.0, DECAY), rtol=1e-9)
    assert not found.loading[3:, 0].any()


def test_credit_growth_and_currency_by_hand() -> None:
    """AA corporate: 1.6 times its duration; a STAR stock: market and growth; an overseas stock: 0.7 and currency."""
    rows = (
        {**ZERO, **TWO_PERCENT, "kind": "corporate_bond", "rating": "AA"},
        {**STOCK, "board": "star"},
        {**STOCK, "asset_id": "O", "kind": "overseas_stock", "currency": "USD", "market": "developed"},
        {**STOCK, "asset_id": "W", "kind": "tech_innovation_bond", "modified_duration": 3.0, "equity_terms": "warrant"},
    )
    inputs = fund(*rows)
    loading = pd.DataFrame(read_exposures(inputs, read_history(inputs)).loading, index=list(FACTORS))
    assert loading.loc["credit", 0] == pytest.approx(1.6 * -10 / 1.02)
    assert loading[1][loading[1] != 0].to_dict() == {"equity": 1.0, "growth": 1.0}
    assert loading[2][loading[2] != 0].to_dict() == {"equity": 0.7, "currency": 1.0}
    assert loading.loc["equity", 3] == 0.4
    assert loading.loc["level", 3] == pytest.approx(-3.0, rel=1e-3)


def test_a_proxy_is_regressed_and_an_override_replaces_one_exposure() -> None:
    """A series that is 0.8 of the market less 3 times the level: least squares find both, and nothing is left over."""
    past = history()
    found = read_history(fund(STOCK, past=past)).changes
    moves = 0.8 * found["equity"] - 3.0 * found["level"] + 0.001
    past["dividend"] = 100 * np.exp(np.concatenate([[0.0], np.cumsum(moves)]))
    inputs = fund({**STOCK, "proxy": "dividend"}, past=past)
    exposures = read_exposures(inputs, read_history(inputs))
    expected = np.zeros(8)
    expected[[0, 4]] = -3.0, 0.8
    np.testing.assert_allclose(exposures.loading[:, 0], expected, atol=1e-8)
    assert exposures.specific[0] == pytest.approx(0.0, abs=1e-8)
    given = pd.DataFrame({"asset_id": ["S"], "factor": ["equity"], "exposure": [1.3]})
    inputs = fund({**STOCK, "proxy": "dividend"}, past=past, factor_exposures=given)
    assert read_exposures(inputs, read_history(inputs)).loading[4, 0] == 1.3
    with pytest.raises(InputError, match="did you mean 'dividend'"):
        wrong = fund({**STOCK, "proxy": "dividends"}, past=past)
        read_exposures(wrong, read_history(wrong))


def test_money_without_a_market_price_does_not_move() -> None:
    rows = [{**STOCK, "asset_id": kind, "kind": kind, "board": None} for kind in ("cash", "deposit", "policy_loan")]
    risk = market_risk(fund(*rows), MarketOptions())
    assert risk.variance(np.full(3, 1 / 3)) == 0.0


def test_what_an_exposure_lacks_is_named() -> None:
    no_duration = fund({**STOCK, "kind": "corporate_bond"})
    with pytest.raises(InputError, match="moves with the curve is not known"):
        read_exposures(no_duration, read_history(no_duration))
    no_property = fund({**STOCK, "kind": "property"}, past=history(property=np.nan))
    with pytest.raises(InputError, match="a factor that the history does not hold"):
        read_exposures(no_property, read_history(no_property))


# ---- risk and scenarios ---------------------------------------------------------------------------------

ROWS = (
    {**ZERO, **TWO_PERCENT},
    {**BOND, **TWO_PERCENT, "rating": "AA+"},
    STOCK,
    {**STOCK, "account": "participating"},
    {**STOCK, "asset_id": "V", "kind": "venture_fund", "expected_return": 0.1},
)
LIABILITIES = pd.DataFrame({"account": ["traditional"], "year": [10], "outflow": [100.0]})
CURVE = pd.DataFrame({"tenor": [1.0, 50.0], "spot": [0.02, 0.02]})


@pytest.mark.parametrize("estimator", ["exponential", "ledoit_wolf"])
def test_the_risk_model_is_factor_by_factor(estimator: str) -> None:
    if estimator == "ledoit_wolf":
        package("sklearn", "shrunk covariances were not tried")
    inputs = fund(*ROWS)
    risk = market_risk(inputs, MarketOptions(estimator=estimator))
    past = read_history(inputs)
    found = read_exposures(inputs, past)
    omega = exponential(past.changes, 36.0) if estimator == "exponential" else shrunk(past.changes, "")[0]
    weights = np.array([0.3, 0.2, 0.1, 0.15, 0.25])
    own = np.array([0.3, 0.2, 0.25, 0.25])  # the stock in two accounts is one risk
    specific = found.specific[[0, 1, 2, 4]]
    expected = weights @ found.loading.T @ omega @ found.loading @ weights + (own * specific) @ (own * specific)
    assert risk.variance(weights) == pytest.approx(expected)
    assert risk.names == tuple(FACTORS)


@pytest.mark.parametrize("draws", ["normal", "history"])
def test_paths_average_to_the_expected_returns_and_vary_as_the_risk_model_says(draws: str) -> None:
    inputs = fund(*ROWS, liabilities=LIABILITIES, curve=CURVE)
    options = MarketScenarioOptions(paths=40_000, draws=draws, half_life=1e6)
    found = market_scenarios(inputs, options)
    np.testing.assert_allclose(found.returns.mean(axis=0), [0.03, 0.03, 0.03, 0.03, 0.1], atol=1e-12)
    assert found.returns.min() > -1.0
    risk = market_risk(inputs, MarketOptions(half_life=1e6))
    logs = np.log1p(found.returns)
    expected = np.sqrt([risk.variance(row) for row in np.eye(5)])
    np.testing.assert_allclose(logs.std(axis=0), expected, rtol=0.03)
    np.testing.assert_array_equal(found.returns[:, 2], found.returns[:, 3])


def test_assets_and_liabilities_of_the_same_payments_move_together() -> None:
    """A zero bond of ten years against one payment in ten years, on the same paths: 3,650 days, 2%."""
    quiet = {**ZERO, **TWO_PERCENT, "expected_return": 0.02, "specific_volatility": 0.0}
    found = market_scenarios(fund(quiet, liabilities=LIABILITIES, curve=CURVE), MarketScenarioOptions(paths=500))
    assert found.liabilities is not None
    np.testing.assert_allclose(found.returns[:, 0], found.liabilities, atol=1e-12)
    assert found.liabilities.std() > 0.02


def test_the_same_seed_gives_the_same_paths() -> None:
    inputs = fund(*ROWS)
    one, same = (market_scenarios(inputs, MarketScenarioOptions(paths=300, seed=7)) for _ in range(2))
    np.testing.assert_array_equal(one.returns, same.returns)
    assert (market_scenarios(inputs, MarketScenarioOptions(paths=300, seed=8)).returns != one.returns).any()
    assert one.liabilities is None
    assert set(one.factors) == set(FACTORS)


def test_a_fund_runs_on_named_factors_and_reports_them() -> None:
    settings = {
        "fund": {"name": "Factors", "as_of": "2026-06-30"},
        "objective": {"maximize": "expected_return", "risk": {"measure": "variance", "aversion": 5}},
        "models": {"risk": {"name": "market", "half_life": 24}},
    }
    rows = pd.DataFrame([row for row in ROWS if row["account"] == "traditional"])
    result = Fund(settings, rows, market_history=history()).optimize().value
    factors, exposures = factor_tables(result)
    assert factors.frame["factor"].tolist() == list(FACTORS)
    assert factors.frame["after"].abs().sum() > 0
    assert exposures.frame["asset_id"].tolist() == ["Z", "B", "S", "V"]
    assert result.risk is not None and "half-life of 24 months" in result.risk.method.en


def test_scenarios_lie_around_what_the_return_model_says() -> None:
    """The bond's 2% yield less nothing on a flat curve, not the 3% of its column."""
    settings = {
        "fund": {"name": "Blocks", "as_of": "2026-06-30"},
        "models": {"returns": "building_blocks", "scenarios": {"name": "market", "paths": 200}},
    }
    rows = pd.DataFrame([{**ZERO, **TWO_PERCENT}, STOCK])
    found = Fund(settings, rows, market_history=history(), curve=CURVE).context.scenarios
    np.testing.assert_allclose(found.returns.mean(axis=0), [0.02, 0.03], atol=1e-12)


# ---- published history ----------------------------------------------------------------------------------


@pytest.mark.skipif(not (DATA / "curves").exists(), reason="needs the published histories in ../shared/data")
def test_published_histories_give_factors_of_the_known_order() -> None:
    """ChinaBond government and AAA curves, CSI 300, STAR 50, CSI REITs: three factors explain 95% of the curve;
    CSI 300 has an annual volatility between 14% and 24%, the AAA spread rises when stocks fall or is unrelated."""
    government = _series("curves/chinabond_cgb_spot_daily.csv") / 100
    credit = _series("curves/chinabond_corp_aaa_spot_daily.csv")["5y"] / 100 - government["5y"]
    indices = _series("indices/equity_price_indices_daily.csv")
    past = government[["1y", "3y", "5y", "7y", "10y", "20y", "30y"]].add_prefix("rate_")
    past["credit_spread"] = credit
    past["equity"], past["growth"] = indices["csi300_000300"], indices["star50_000688"]
    past["property"] = indices["csi_reits_932006"]
    found = read_history(fund(STOCK, past=past.reset_index()))
    assert found.curve_fit > 0.9
    assert len(found.changes) >= 24
    spread = found.changes.std() * np.sqrt(12)
    assert 0.14 < spread["equity"] < 0.24
    assert 0.001 < spread["level"] < 0.01
    assert found.changes["credit"].corr(found.changes["equity"]) < 0.2


def _series(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / name, index_col="date", parse_dates=True).loc["2019-12-31":"2026-06-30"]
