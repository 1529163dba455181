"""The examples: complete, calibrated to the filing by the library's own engine, solved and verified."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator import Fund
from allocator.model.position import CapitalPosition
from allocator.result.result import Result

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LIFE = EXAMPLES / "life_insurer"
FIRST = EXAMPLES / "first_fund"
DATA = Path(os.environ.get("ALLOCATOR_DATA", EXAMPLES.parent.parent / "shared" / "data"))
UNIT = 1e8

# China Life Insurance Company, solvency report summary (偿付能力季度报告摘要) of 2026 Q1, CNY 100 million.
FILED_BALANCE = {
    "admitted_assets": 78316.50,
    "admitted_liabilities": 65861.47,
    "actual_capital": 12455.03,
    "core_tier1": 9102.73,
    "core_tier2": 554.49,
    "supplementary_tier1": 2769.90,
    "supplementary_tier2": 27.91,
}
FILED_MODULES = {
    "interest_rate": 1578.17,
    "equity_price": 5273.46,
    "real_estate_price": 169.78,
    "overseas_fixed_income": 3.89,
    "overseas_equity": 709.53,
    "currency": 118.40,
    "spread": 611.05,
    "counterparty_default": 706.84,
}
FILED_TOTALS = {
    "market_risk": 5681.91,
    "credit_risk": 1043.53,
    "quantifiable_risk_capital": 6251.93,
    "minimum_capital": 6156.27,
}
FILED_ABSORPTION = 411.20
FILED_RATIOS = {"comprehensive": 2.0231, "core": 1.5687}

MODULE_TOLERANCE = 0.005
TOTAL_TOLERANCE = 0.002
ABSORPTION_TOLERANCE = 0.005


@pytest.fixture(scope="module")
def fund() -> Fund:
    return allocator.load(LIFE / "fund.yaml")


@pytest.fixture(scope="module")
def position(fund: Fund) -> CapitalPosition:
    found = fund.capital().value
    assert found is not None
    return found


@pytest.fixture(scope="module")
def modules(position: CapitalPosition) -> dict[str, float]:
    return {name: amount / UNIT for name, amount in position.tree.values(position.holdings).items()}


@pytest.fixture(scope="module")
def result(fund: Fund) -> Result:
    return fund.optimize().value


def test_the_balance_sheet_is_the_filed_one(fund: Fund) -> None:
    sheet = fund.inputs.balance_sheet
    for line, filed in FILED_BALANCE.items():
        assert sheet.figure(line) / UNIT == pytest.approx(filed, abs=0.005), line


def test_the_rows_are_a_part_of_total_assets(fund: Fund) -> None:
    assets = fund.inputs.assets
    assert 60 <= len(assets) <= 80
    assert set(assets["account"]) == {"traditional", "participating", "universal", "shareholder"}
    assert 0.9 < assets["amount"].sum() / fund.inputs.balance_sheet.total_assets < 1.0
    assert ((assets["min"] <= assets["amount"]) & (assets["amount"] <= assets["max"])).all()


def test_liabilities_run_sixty_years_with_a_duration_of_about_thirteen() -> None:
    flows = pd.read_csv(LIFE / "liabilities.csv")
    curve = pd.read_csv(LIFE / "curve.csv")
    assert flows.groupby("account")["year"].agg(["min", "max", "count"]).eq([1, 60, 60]).all(axis=None)
    rate = np.interp(flows["year"], curve["tenor"], curve["spot"])
    value = (flows["outflow"] - flows["inflow"]) * (1.0 + rate) ** -flows["year"]
    duration = (value * flows["year"] / (1.0 + rate)).sum() / value.sum()
    assert duration == pytest.approx(13.0, abs=0.5)


@pytest.mark.parametrize("module", FILED_MODULES)
def test_the_engine_gives_the_filed_module(modules: dict[str, float], module: str) -> None:
    assert modules[module] == pytest.approx(FILED_MODULES[module], rel=MODULE_TOLERANCE)


@pytest.mark.parametrize("total", FILED_TOTALS)
def test_the_engine_gives_the_filed_total(modules: dict[str, float], total: str) -> None:
    assert modules[total] == pytest.approx(FILED_TOTALS[total], rel=TOTAL_TOLERANCE)


def test_loss_absorption_is_computed_not_given(fund: Fund, modules: dict[str, float]) -> None:
    assert fund.settings.capital is not None
    assert "loss_absorption" not in fund.settings.capital.options
    assert modules["loss_absorption"] == pytest.approx(FILED_ABSORPTION, rel=ABSORPTION_TOLERANCE)
    assert modules["loss_absorption"] < modules["loss_absorption_cap"]


@pytest.mark.parametrize("name", FILED_RATIOS)
def test_the_ratios_are_the_filed_ones(position: CapitalPosition, name: str) -> None:
    assert position.ratio(name) == pytest.approx(FILED_RATIOS[name], rel=TOTAL_TOLERANCE)


def test_the_readme_states_what_the_engine_computes(position: CapitalPosition, modules: dict[str, float]) -> None:
    sys.path.insert(0, str(LIFE))
    try:
        from replica.readme import BEGIN, END, comparison
    finally:
        sys.path.remove(str(LIFE))
    ratios = {f"{name}_ratio": position.ratio(name) for name in FILED_RATIOS}
    computed = {name: amount * UNIT for name, amount in modules.items()} | ratios
    filed_money = {**FILED_MODULES, **FILED_TOTALS, "loss_absorption": FILED_ABSORPTION}
    filed = {name: amount * UNIT for name, amount in filed_money.items()}
    filed |= {f"{name}_ratio": ratio for name, ratio in FILED_RATIOS.items()}
    text = (LIFE / "README.md").read_text(encoding="utf-8")
    assert comparison(filed, computed) == text.split(BEGIN)[1].split(END)[0].strip()


def test_the_replica_is_solved_and_verified(result: Result) -> None:
    assert result.solution.status == "optimal"
    assert result.after is not None
    assert result.after.ratio("comprehensive") >= 2.0 - 1e-7
    assert result.after.ratio("core") >= 1.5 - 1e-7
    total = result.model.space.total
    gained = result.expected_return @ result.traded / total
    assert 0.0005 < gained < 0.005
    assert np.abs(result.traded).sum() / 2 / total <= 0.10 + 1e-7


def test_the_answer_trades_off_rather_than_running_into_every_bound(result: Result) -> None:
    space = result.model.space
    edge = 1e-6 * space.total
    free = space.upper - space.lower > edge
    between = (result.holdings > space.lower + edge) & (result.holdings < space.upper - edge) & free
    assert between.sum() >= 5
    assert result.after is not None and result.before is not None
    required = 2.0
    assert result.after.ratio("comprehensive") - required < 0.01, "the requirement should be what limits the answer"


def test_the_first_fund_is_small_and_solved() -> None:
    fund = allocator.load(FIRST / "fund.yaml")
    assert len(fund.inputs.assets) == 8
    result = fund.optimize().value
    assert result.solution.status == "optimal"
    assert result.after is not None
    assert result.after.ratio("comprehensive") >= 2.0 - 1e-7
    assert result.expected_return @ result.traded > 0.0


@pytest.mark.skipif(not DATA.is_dir(), reason="market data are not at hand (ALLOCATOR_DATA or ../shared/data)")
def test_the_script_makes_the_committed_tables(tmp_path: Path) -> None:
    command = [sys.executable, str(LIFE / "build.py"), "--output", str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "ALLOCATOR_DATA": str(DATA)})
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (LIFE / made.name).read_bytes(), made.name
