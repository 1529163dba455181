"""All rules at once on the example of a life insurer: feasible, verified, quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import allocator
from allocator.api import Fund
from allocator.result.result import Result

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "life_insurer"
PLUGINS = ("limits", "eligibility", "alm", "liquidity")

# The rows of the example are baskets: they name no issuer, and a basket of local bonds is no single asset.
QUARTER = {
    **{"new_premiums": 400, "renewal_premiums": 1500, "surrenders": 150, "other_outflows": 900},
    **{"new_premiums_last_year": 400, "surrender_value": 20000},
}
YEAR = {
    **{"new_premiums": 1500, "renewal_premiums": 5000, "surrenders": 600, "other_outflows": 3600},
    **{"new_premiums_last_year": 1500, "surrender_value": 20000},
}
RULES: list[str | dict[str, Any]] = [
    {"turnover": {"max": 0.15}},
    *("equity_ceiling", "class_limits", "liquid_assets", "low_rated_bonds", "venture_total", "gold", "reit_solvency"),
    "solvency_gates",
    *("corporate_rating_floor", "buy_and_hold", "duration_gap"),
    {"leverage": {"borrowed": 3000}},
    {"single_asset": {"exempt_kinds": ["local_government_bond"]}},
    {"single_entity": {"blank": "skip"}},
    {"share_capital": {"blank": "skip"}},
    {"fund_size": {"blank": "skip"}},
    {"venture_conditions": {"blank": "skip"}},
    {"tech_bond_tenor": {"blank": "skip"}},
    {"limit": {"rule": 'for each asset_id where kind == "listed_stock": sum(amount) <= 5% of total_assets'}},
    {"no_purchase": {"where": 'transparency == "opaque"'}},
    {"no_sell": {"where": 'kind == "associate"'}},
    {"hold": {"where": 'kind == "policy_loan"'}},
    {"trade_size": {"max": "5%"}},
    {"group_turnover": {"where": 'kind == "listed_stock"', "max": 0.5}},
    {"allowed": {"account": "universal", "where": 'kind == "corporate_bond"', "min_rating": "AA"}},
    {"rate_hedge_ratio": {"no_worse": True}},
    {"dv01_gap": {"max": 0.9, "no_worse": True}},
    {"key_rate_durations": {"max": 0.6, "no_worse": True}},
    {"cash_flow_matching": {"buckets": [1, 2, 3], "rate": 0.015}},
    {"comprehensive_yield_coverage": {"income_history": [2000] * 4, "cost_history": [1900] * 4, "cost": 1900}},
    {"net_yield_coverage": {"income_history": [1800] * 2, "cost_history": [1500] * 2, "cost": 1500}},
    {"guaranteed_spread": {"rates": {"traditional": 0.02, "participating": 0.0175, "universal": 0.01}}},
    {"sale_limit": {"max": 0.5, "kinds": ["corporate_bond"]}},
    {"liquidity_coverage": {"months_3": QUARTER, "months_12": YEAR}},
]
DISTRIBUTED = 0.02
"""Dividends and rents a year of the rows without a yield of their own: an assumption of this test, no example's."""


def all_rules_file(folder: Path) -> Path:
    """Write the example's fund file with every rule on, and return it."""
    content = yaml.safe_load((EXAMPLE / "fund.yaml").read_text(encoding="utf-8"))
    assets = pd.read_csv(EXAMPLE / content["inputs"]["assets"])
    assets["net_yield"] = assets["yield"].fillna(DISTRIBUTED)
    assets.to_csv(folder / "assets.csv", index=False)
    content["inputs"] = {name: str(EXAMPLE / file) for name, file in content["inputs"].items()}
    content["inputs"]["assets"] = "assets.csv"
    content["constraints"] = RULES
    content.pop("tilts", None)
    file = folder / "fund.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def fund(tmp_path_factory: pytest.TempPathFactory) -> Fund:
    return allocator.load(all_rules_file(tmp_path_factory.mktemp("fund")))


@pytest.fixture(scope="module")
def result(fund: Fund) -> Result:
    return fund.optimize().value


def test_every_rule_of_the_four_plugins_is_on(fund: Fund) -> None:
    named = {entry.name for entry in fund.settings.constraints}
    ours = {name for name in fund.registry.constraints if fund.registry.owner("allocator_constraints", name) in PLUGINS}
    assert named - {"turnover"} == ours


def test_names_of_terms_are_distinct(fund: Fund) -> None:
    names = [term.name for term in fund.model.terms]
    assert len(names) == len(set(names))


def test_the_answer_meets_every_rule_by_numpy_alone(fund: Fund, result: Result) -> None:
    for term in result.model.terms:
        if term.mode == "hard":
            assert term.holds(result.holdings), term.name
    assert result.after is not None and result.after.ratio("comprehensive") >= 2.0 - 1e-7
    checks = fund.rule_checks(result.holdings)
    assert set(checks["certainty"]) <= {"A", "B", "C", "user"}
    assert {"hard", "monitor"} <= set(checks["mode"])
