"""The technology fund's example: it runs, keeps the venture rules over the horizon, and shows what it promises."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator.extension.registry import load_registry
from allocator.report.view import View
from allocator.result.result import Result
from allocator.types import Language

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "technology_fund"
HORIZON = 10
LIQUID = (
    "cash",
    "reverse_repo",
    "money_market_fund",
    "deposit",
    "government_bond",
    "central_bank_bill",
    "policy_bank_bond",
)


@pytest.fixture(scope="module")
def result() -> Result:
    return allocator.load(FOLDER / "fund.yaml").optimize().value


@pytest.fixture(scope="module")
def view(result: Result) -> View:
    return View.of(result, Language.ENGLISH, load_registry())


def table(view: View, name: str) -> pd.DataFrame:
    return next(table.frame for section in view.sections for table in section.tables if table.name == name)


def recursion(terms: Any, commitment: float, paid: float, nav: float, age: int, years: int) -> tuple[Any, Any]:
    """Takahashi and Alexander's equations for one fund, year by year."""
    rates = [float(rate.rstrip("%")) / 100 for rate in terms["contribution_rates"]]
    navs, calls = [], []
    for t in range(age + 1, age + years + 1):
        call = rates[min(t - 1, len(rates) - 1)] * (commitment - paid) if t <= terms["life"] else 0.0
        grown = nav * (1 + terms["growth"])
        nav = grown + call - min(t / terms["life"], 1.0) ** terms["bow"] * grown
        paid += call
        navs.append(nav)
        calls.append(call)
    return np.array(navs), np.array(calls)


def test_the_answer_is_proven_and_commits_within_the_rules_in_every_year(result: Result) -> None:
    """2% of total assets, 0.6% a vintage, and all calls so far within a fifth of the liquid assets."""
    assert result.solution.gap <= 1e-5
    funds, assets = result.inputs.tables["funds"].set_index("asset_id"), result.inputs.assets
    nav, calls, new = np.zeros(HORIZON + 1), np.zeros(HORIZON), 0.0
    for name, terms in funds.iterrows():
        row = int(np.flatnonzero(assets["asset_id"] == name)[0])
        held, target = assets["amount"].iloc[row], result.holdings[row]
        per_cny = 1 / recursion(terms, 1.0, 0.0, 0.0, 0, 12)[0].max()
        added = max(target - held, 0.0) * per_cny
        kept = min(target / held, 1.0) if held else 1.0
        old_nav, old_calls = recursion(
            terms, terms["commitment"], terms["paid_in"], held, int(2026 - terms["vintage"]), HORIZON
        )
        new_nav, new_calls = recursion(terms, added, 0.0, 0.0, 0, HORIZON)
        nav += np.concatenate([[target], kept * old_nav + new_nav])
        calls += kept * old_calls + new_calls
        new += added
    total = result.inputs.balance_sheet.total_assets
    assert total is not None
    assert nav.max() <= 0.02 * total
    assert new == pytest.approx(0.006 * total, rel=1e-6)
    liquid = result.holdings[assets["kind"].isin(LIQUID).to_numpy()].sum()
    assert calls.sum() <= 0.2 * liquid


def test_every_section_shows_its_rows(view: View) -> None:
    lines = table(view, "bond_lines").iloc[0]
    assert (lines["asset_id"], lines["issues"]) == ("TECH_CHIPS_5Y", 2)
    assert lines["cost_price"] == pytest.approx(100 * (15 + 5.06) / 20)
    terms = table(view, "tech_bond_terms").set_index("asset_id")
    assert terms.loc["TECH_INVESTOR_5Y", ["rating", "rating_of"]].tolist() == ["AA+", "issuer"]
    assert terms["tenor_met"].dropna().all()
    prices = table(view, "tech_bond_prices").set_index("asset_id")
    assert prices.loc["TECH_BIO_5P5", "price"] == max(prices.loc["TECH_BIO_5P5", ["price_maturity", "price_put"]])
    assert set(table(view, "securitised")["asset_id"]) == {
        *("CREDIT_ABS_A", "EXCHANGE_ABS_M", "ABN_IP", "ABS_PLAN_SME", "ABS_PLAN_IP")
    }
    factors = table(view, "factors")
    assert len(factors) == 8
    assert factors["share_after"].sum() == pytest.approx(1.0)
    assert {"VENTURE_CHIPS", "VENTURE_QUANTUM"} == set(table(view, "technology")["asset_id"])
    parts = table(view, "return_parts")
    columns = parts.columns.drop(["asset_id", "account", "expected_return"])
    np.testing.assert_allclose(parts[columns].sum(axis=1), parts["expected_return"], atol=1e-15)


def test_one_set_of_paths_drives_everything() -> None:
    fund = allocator.load(FOLDER / "fund.yaml")
    scenarios = fund.context.scenarios
    assert scenarios.returns.shape == (2000, 25)
    assert scenarios.liabilities is not None
    names = fund.inputs.assets["asset_id"].tolist()
    long, star, venture = (
        scenarios.returns[:, names.index(name)] for name in ("GOV_30Y", "STOCK_STAR", "VENTURE_CHIPS")
    )
    assert np.corrcoef(long, scenarios.liabilities)[0, 1] > 0.8
    assert np.corrcoef(star, venture)[0, 1] > 0.1


def test_the_invented_history_is_the_one_that_build_draws() -> None:
    drawn = runpy.run_path(str(FOLDER / "build.py"))["invented"]()
    given = pd.read_csv(FOLDER / "market_history.csv")
    pd.testing.assert_frame_equal(drawn, given, check_exact=False, rtol=1e-9)
