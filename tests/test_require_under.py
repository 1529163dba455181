"""Allocations that survive stress scenarios: judged by the stress test, worked by hand, and no better than without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from allocator import Fund, InputError, NotProven, api, load
from allocator.errors import Infeasible
from allocator.pipeline.scenario_requirements import holding
from allocator.pipeline.scenarios import capital_of, scenario_named, shock_fund, stressed_fund
from allocator.result.result import Result

LIFE = 30.0
ROWS = [
    {"asset_id": "CASH", "kind": "cash", "amount": 300.0, "expected_return": 0.01},
    {"asset_id": "FUND", "kind": "equity_fund", "amount": 100.0, "expected_return": 0.06, "market": "domestic"},
]
CRASH = {"scenarios": {"crash": {"equity": -0.5}}}


def fund(*, under: Mapping[str, Any] | None = None, stress: Any = None, sheet: Any = None) -> Fund:
    """Return cash and an equity fund (RF 0.28), own funds 200, all of it core."""
    settings = {
        "fund": {"name": "tiny", "as_of": "2026-06-30"},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": 200.0, "core_capital": 200.0, **(sheet or {})},
        "capital": {
            **{"regime": "cross2", "life_insurance_risk": LIFE, "control_risk": 0.0, "size_factor": 1.0},
            **{"without_liabilities": True, "require": {"comprehensive": 1.0}, "require_under": under or {}},
        },
        "objective": {"maximize": "expected_return"},
        "stress": stress or CRASH,
    }
    return Fund(settings, pd.DataFrame([{"account": "traditional", **row} for row in ROWS]))


def after(book: Fund, result: Result, name: str) -> float:
    """Return the comprehensive ratio of an answer after a scenario, by the stress test."""
    held = book.with_inputs(holding(book.inputs, result.holdings))
    scenario = scenario_named(book, name, "capital")
    cost = float(result.model.cost.value(result.holdings)[0])
    return capital_of(stressed_fund(held, shock_fund(held, scenario).given(-cost), scenario)).ratio("comprehensive")


def largest(level: float) -> float:
    """Most of the equity fund s with (200 − 0.5 s) / sqrt(30² + q² + 2·0.3·30·q) ≥ level, q = 0.28 · 0.5 s."""
    low, high = 0.0, 400.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        charge = 0.14 * middle
        holds = 200.0 - 0.5 * middle >= level * sqrt(LIFE**2 + charge**2 + 0.6 * LIFE * charge)
        low, high = (middle, high) if holds else (low, middle)
    return low


def test_the_answer_by_hand() -> None:
    book = fund(under={"crash": {"comprehensive": 1.5}})
    result = book.optimize().value
    assert result.holdings[1] == pytest.approx(largest(1.5), rel=1e-6)
    assert after(book, result, "crash") == pytest.approx(1.5, abs=1e-6)
    assert result.solution.status == "optimal"


def test_without_the_promise_more_is_held() -> None:
    free, bound = fund().optimize().value, fund(under={"crash": {"comprehensive": 1.5}}).optimize().value
    assert free.holdings[1] > bound.holdings[1] + 1.0
    assert free.return_after > bound.return_after


def test_a_promise_that_is_kept_anyway_changes_nothing() -> None:
    mild = {"scenarios": {"crash": {"equity": -0.01}}}
    free = fund(stress=mild).optimize().value
    kept = fund(stress=mild, under={"crash": {"comprehensive": 0.5}}).optimize().value
    assert kept.holdings == pytest.approx(free.holdings, abs=1e-3)


def test_tier_limits_bite_in_the_scenario() -> None:
    """Core 110 of 200: after a loss of 0.5 s, supplementary capital counts up to 110 − 0.5 s (R1 §41)."""
    book = fund(under={"crash": {"comprehensive": 1.5}}, sheet={"core_capital": 110.0})
    result = book.optimize().value
    stock = float(result.holdings[1])
    core = 110.0 - 0.5 * stock
    charge = 0.14 * stock
    by_hand = (core + min(90.0, core)) / sqrt(LIFE**2 + charge**2 + 0.6 * LIFE * charge)
    assert by_hand == pytest.approx(after(book, result, "crash"), rel=1e-6)
    assert 1.5 - 1e-7 <= by_hand <= 1.5 + 1e-3


def test_no_answer_survives_what_nothing_survives() -> None:
    with pytest.raises((Infeasible, NotProven)):
        fund(under={"crash": {"comprehensive": 9.0}}).optimize()


@pytest.mark.parametrize(
    ("under", "words"),
    [
        ({"crsh": {"comprehensive": 1.0}}, ("capital.require_under.crsh", "crash")),
        ({"crash": {"solvency": 1.0}}, ("capital.require_under.crash", "solvency", "没有该充足率")),
        ({"annual_insurance": {"comprehensive": 1.0}}, ("annual_insurance", "not computed")),
    ],
)
def test_what_is_wrong_is_named(under: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        fund(under=under).optimize()
    told = caught.value.render("en") + caught.value.render("zh")
    assert all(word in told for word in words), told


def test_the_example_survives_and_reports_its_room(tmp_path: Path) -> None:
    path = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"
    book = load(path, ["capital.require_under={annual_macro: {comprehensive: 0.9}}"])
    result = book.optimize().value
    assert 0.9 - 1e-7 <= after(book, result, "annual_macro") <= 0.9 + 1e-3
    assert result.after is not None and result.after.ratio("comprehensive") >= 2.0 - 1e-7
    api.Result(result).report(tmp_path / "out")
    rows = pd.read_csv(tmp_path / "out" / "constraints.csv").set_index("name")
    line = rows.loc["annual_macro:comprehensive_required"]
    assert bool(line["binding"]) and line["slack"] >= -1e-6
    modules = pd.read_csv(tmp_path / "out" / "capital.csv")["module"]
    assert not modules.str.contains(":comprehensive").any()


def test_a_run_shows_its_answer_in_the_scenarios(tmp_path: Path) -> None:
    """By hand: 0.5 s is lost, the rest is charged 0.28; file, run.json, sheet and page say the same."""
    book = fund(under={"crash": {"comprehensive": 1.5}})
    result = book.optimize().value
    api.Result(result).report(tmp_path / "out", "en")
    stock = float(result.holdings[1])
    charge = 0.28 * 0.5 * stock
    minimum = sqrt(LIFE**2 + charge**2 + 0.6 * LIFE * charge)
    told = pd.read_csv(tmp_path / "out" / "stress.csv").set_index("scenario")
    base, crash = told.loc["base"], told.loc["crash"]
    assert base["comprehensive_ratio"] == pytest.approx(result.after.ratio("comprehensive"), rel=1e-12)  # type: ignore[union-attr]
    assert (base["comprehensive_required"], crash["comprehensive_required"]) == (1.0, 1.5)
    assert np.isnan(crash["core_required"])
    assert crash["asset_change"] == pytest.approx(-0.5 * stock, rel=1e-12)
    assert crash["minimum_capital"] == pytest.approx(minimum, rel=1e-9)
    assert crash["comprehensive_ratio"] == pytest.approx((200.0 - 0.5 * stock) / minimum, rel=1e-9)
    entry = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert [line["comprehensive_ratio"] for line in entry["stress"]] == told["comprehensive_ratio"].tolist()
    assert [item["en"] for item in entry["scenarios"]] == ["After the trades", "crash"]
    sheet = openpyxl.load_workbook(tmp_path / "out" / "report.xlsx")["stress"]
    assert [sheet.cell(row, 3).value for row in (5, 6)] == pytest.approx(
        told["comprehensive_ratio"].tolist(), rel=1e-15
    )
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    part = page[page.index('<section id="stress">') :]
    ratio = f"{crash['comprehensive_ratio']:.2%}"
    assert f'data-en="crash: Comprehensive solvency ratio {ratio}; required 150.00%; set by the rules 100.00%"' in part
    assert f'data-value="{float(crash["comprehensive_ratio"])!r}"' in part
    assert 'id="table-stress_modules"' in part
    drawn = api.Result(result).figure("stress", "zh").svg
    for ratio in told["comprehensive_ratio"]:
        assert f">{ratio:.2%}<" in drawn


def test_trading_costs_are_no_longer_capital_in_a_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS[1], "transaction_cost", 0.01)
    book = fund(under={"crash": {"comprehensive": 1.5}})
    result = book.optimize().value
    assert result.after is not None and result.stress is not None and result.after.costs > 0.1
    lines = result.stress.frame.set_index("scenario")
    lost = 0.5 * float(result.holdings[1])
    assert lines["actual_capital"]["base"] == pytest.approx(200.0 - result.after.costs, rel=1e-12)
    assert lines["actual_capital"]["crash"] == pytest.approx(200.0 - result.after.costs - lost, rel=1e-12)
    assert lines["comprehensive_ratio"]["crash"] == pytest.approx(after(book, result, "crash"), rel=1e-12)


def test_other_amounts_keep_average_cost_and_book_value() -> None:
    """Half of what cost 80 is sold: 40 is left of the cost; 50 is bought at book: 80 + 50."""
    rows = [{"account": "traditional", "asset_id": "S", "kind": "listed_stock", "amount": 100.0, "cost": 80.0}]
    book = Fund({"fund": {"name": "x", "as_of": "2026-06-30"}}, pd.DataFrame(rows))
    for amount, cost in ((50.0, 40.0), (150.0, 130.0)):
        assert holding(book.inputs, np.array([amount])).assets["cost"].tolist() == pytest.approx([cost])
