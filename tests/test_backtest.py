"""The walk through history: nothing of the future is seen, money is counted, the exact ratio is what is reported."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund, InputError, cli
from allocator.study.backtest import STRATEGIES, BacktestStudy, backtest
from allocator.study.studies import STUDIES, NoOptions

DATA = Path(os.environ.get("ALLOCATOR_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
MONTHS = 60
ASSETS = [
    {"asset_id": "CASH", "kind": "cash", "amount": 300.0, "expected_return": 0.01},
    {
        **{"asset_id": "FUND", "kind": "equity_fund", "amount": 100.0, "expected_return": 0.06, "market": "domestic"},
        "transaction_cost": 0.002,
    },
    {"asset_id": "STATE", "kind": "bond_fund", "amount": 200.0, "expected_return": 0.03, "market": "domestic"},
]


def history(seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    dates = pd.date_range("2019-01-31", periods=MONTHS, freq="ME")
    returns = random.normal([0.001, 0.005, 0.003], [0.0002, 0.05, 0.01], size=(MONTHS, 3))
    return pd.DataFrame({"date": dates, **dict(zip(("CASH", "FUND", "STATE"), returns.T, strict=True))})


def curves(seed: int = 2) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    days = pd.bdate_range("2018-06-01", "2026-06-30")
    level = 0.025 + 0.0002 * random.normal(size=len(days)).cumsum() / 10.0
    return pd.DataFrame({"date": days, **{f"{tenor}y": level for tenor in range(1, 51)}})


def fund(returns: pd.DataFrame, curve: pd.DataFrame | None = None, **asked: Any) -> Fund:
    """Return a fund of 600 with own funds of 90 that must hold 150%."""
    settings: Mapping[str, Any] = {
        "fund": {"name": "tiny", "as_of": "2026-06-30", "frequency": 12},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": 90.0, "admitted_liabilities": 500.0},
        "capital": {
            **{"regime": "cross2", "life_insurance_risk": 20.0, "control_risk": 0.0, "size_factor": 1.0},
            "require": {"comprehensive": 1.5},
        },
        "objective": {"maximize": "expected_return"},
        "solve": {"time_limit": 2},
        "backtest": {"every": 12, "window": 24, **asked},
    }
    flows = pd.DataFrame({"account": ["traditional"], "year": [10], "outflow": [300.0], "inflow": [0.0]})
    frame = pd.DataFrame([{"account": "traditional", **row} for row in ASSETS])
    return Fund(settings, frame, returns=returns, curve_history=curves() if curve is None else curve, liabilities=flows)


def before(study: BacktestStudy, day: str) -> list[tuple[str, str, list[float], dict[str, float]]]:
    return [
        (item.strategy, item.date, item.holdings.tolist(), dict(item.ratios))
        for item in study.decisions
        if item.date <= day
    ]


def test_a_poisoned_future_changes_nothing_before_it() -> None:
    """Returns and curves after a decision are replaced by nonsense; every decision up to it stays to the last bit."""
    day = "2022-06-30"
    returns, curve = history(), curves()
    clean = backtest(fund(returns, curve))
    later = returns["date"] > day
    returns.loc[later, ["CASH", "FUND", "STATE"]] = np.random.default_rng(9).uniform(-0.5, 0.9, (int(later.sum()), 3))
    curve.loc[curve["date"] > day, curve.columns[1:]] = 0.3
    poisoned = backtest(fund(returns, curve))
    assert len(before(clean, day)) >= 2 * len(STRATEGIES)
    assert before(clean, day) == before(poisoned, day)
    assert clean.last != poisoned.last


def test_the_exact_strategy_holds_its_ratio_at_every_date() -> None:
    study = backtest(fund(history()))
    own = study.frame[study.frame["strategy"] == "exact"]
    assert own["answered"].all() and own["holds"].all()
    assert (own["comprehensive_ratio"] >= 1.5 - 1e-6).all()
    rows = STUDIES["backtest"].rows(fund(history()), NoOptions())
    assert [(row["strategy"], row["comprehensive_ratio"]) for row in rows] == list(
        study.frame[["strategy", "comprehensive_ratio"]].itertuples(index=False, name=None)
    )


def test_the_mix_kept_by_hand() -> None:
    """No costs: each period the account grows by the mix's return, and the mix is restored at each decision."""
    returns = history()
    study = backtest(fund(returns), {"hold": STRATEGIES["hold"]})
    mix = np.array([300.0, 100.0, 200.0]) / 600.0
    table = returns[["CASH", "FUND", "STATE"]].to_numpy()
    worth = 600.0
    for step in range(23, MONTHS - 1, 12):
        held = worth * mix
        if step > 23:
            traded = abs(held[1] - drifted[1])  # noqa: F821 - set at the end of the first pass
            held = held * (1.0 - 0.002 * traded / worth)
        drifted = held * np.prod(1.0 + table[step + 1 : min(step + 13, MONTHS)], axis=0)
        worth = float(drifted.sum())
    assert study.last["hold"] == pytest.approx(worth, rel=1e-9)


def test_liabilities_cost_what_they_cost() -> None:
    """1.2% a year on 500 is 0.5 a month, whatever the assets do."""
    flat = history().assign(CASH=0.0, FUND=0.0, STATE=0.0)
    study = backtest(fund(flat, liability_rate=0.012), {"hold": STRATEGIES["hold"]})
    assert study.last["hold"] == pytest.approx(600.0 - 0.5 * (MONTHS - 24), rel=1e-9)
    assert study.decisions[1].own_funds == pytest.approx(90.0 - 6.0)


def test_the_naive_cone_never_claims_less_than_the_optimizer() -> None:
    """It is a relaxation or a mistake: at the first date, same estimates, it expects at least as much."""
    book = fund(history(), every=1000)
    first = {item.strategy: item for item in backtest(book).decisions}
    expected = np.array([0.01, 0.06, 0.03]) * 0.5 + 6.0 * history().iloc[:24, 1:].mean().to_numpy()
    assert expected @ first["naive"].holdings >= expected @ first["exact"].holdings - 1e-4


@pytest.mark.parametrize("asked", [{"window": 60}, {"window": 24, "start": "2030-01-01"}])
def test_a_short_history_is_named(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"backtest\.window"):
        backtest(fund(history(), **asked))


def test_a_fund_without_returns_is_told() -> None:
    book = fund(history())
    without = {name: table for name, table in book.inputs.tables.items() if name != "returns"}
    bare = Fund(
        {"fund": {"name": "x", "as_of": "2026-06-30"}}, without["assets"][["asset_id", "kind", "account", "amount"]]
    )
    with pytest.raises(InputError, match="history of returns"):
        backtest(bare)


def market() -> pd.DataFrame:
    """Monthly returns of a money fund, the CSI 300 and a bond index, 2004 to 2026."""
    file = DATA / "indices" / "china_assets_monthly_2002_2026.csv"
    if not file.is_file():
        pytest.skip(f"market data are not here: {file}")
    levels = pd.read_csv(file).set_index("month")[["money_fund_cba02201", "csi300_tr", "cbond_new_composite_wealth"]]
    levels.columns = pd.Index(["CASH", "FUND", "STATE"])
    returns = levels.dropna().pct_change(fill_method=None).dropna()
    dates = pd.to_datetime(returns.index) + pd.offsets.MonthEnd(0)
    return returns.reset_index(drop=True).assign(date=dates)[["date", "CASH", "FUND", "STATE"]]


def real_curves() -> pd.DataFrame:
    file = DATA / "curves" / "chinabond_cgb_spot_daily.csv"
    if not file.is_file():
        pytest.skip(f"market data are not here: {file}")
    frame = pd.read_csv(file, parse_dates=["date"])
    tenors = [name for name in frame.columns if name != "date"]
    rates = frame[tenors].ffill(axis=1) / 100.0
    return pd.concat([frame["date"], rates], axis=1).dropna()


def test_on_the_market_the_exact_ratio_never_falls_short_after_trading() -> None:
    book = fund(market(), real_curves(), every=24, window=96)
    study = backtest(book, {"exact": STRATEGIES["exact"]})
    exact = study.summary.set_index("strategy").loc["exact"]
    assert exact["dates"] >= 5
    assert exact["unanswered"] > 0 or exact["dates_short"] == 0
    answered = study.frame[(study.frame["strategy"] == "exact") & study.frame["answered"]]
    assert answered["holds"].all()


def test_the_command_tells_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "fund"
    folder.mkdir()
    pd.DataFrame([{"account": "traditional", **row} for row in ASSETS]).to_csv(folder / "assets.csv", index=False)
    history().to_csv(folder / "returns.csv", index=False)
    pd.DataFrame({"tenor": range(1, 51), "spot": [0.02] * 50}).to_csv(folder / "curve.csv", index=False)
    (folder / "fund.yaml").write_text(
        "fund: {name: tiny, as_of: 2026-06-30, frequency: 12}\n"
        "inputs: {assets: assets.csv, returns: returns.csv, curve: curve.csv}\n"
        "balance_sheet: {total_assets: 1000, actual_capital: 90}\n"
        "capital: {regime: cross2, life_insurance_risk: 20, control_risk: 0, size_factor: 1, "
        "without_liabilities: true, require: {comprehensive: 150%}}\n"
        "objective: {maximize: expected_return}\nbacktest: {every: 12, window: 24}\n",
        encoding="utf-8",
    )
    with pytest.raises(SystemExit) as end:
        cli.main(["backtest", str(folder / "fund.yaml"), "-o", str(tmp_path / "out"), "--json"])
    assert int(end.value.code or 0) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["strategy"] for row in told["backtest_summary"]} == {"exact", "hold", "naive"}
    table = pd.read_csv(tmp_path / "out" / "backtest.csv")
    assert len(table) == len(told["backtest"]) == 9
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "回测" in page and "<svg" in page
