"""Each structure of securitised and technology capital: the charge it earns and the rate-hedge credit it gets.

The figures are those of R7 §14–34, R8 §18, §30, §34, §38 and R9 §15, and of 金规〔2023〕5号 (5) and (7), by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from allocator_alm.sides import AlmOptions, Sides

from allocator import Fund

# One contract under every structure: AAA to AA+, quarterly, three years, modified duration given as 2.
TERMS = {"coupon": 0.03, "frequency": 4, "maturity": "2029-06-30", "yield": 0.028, "modified_duration": 2.0}
LOAN = {"kind": "loan", "loan_class": "normal"}
COMPANY = {"kind": "unlisted_equity", "strategic_emerging": True}
PARK = {"kind": "property", "city_tier": "municipality"}
SPREAD = 2 * (0.0006 * 2 + 0.012)
PLAN = {"rating": "AA+", **TERMS}
AA = 2 * (0.0009 * 2 + 0.025)
PROTECTED = {"protected_share": 0.8, "protection_rating": "AAA", "protection_book_value": 2.0}
OTHERS = {"equity_price": 0.41 * 1.1}
EXEMPT = {"transparency": "exempt", "underlying_count": 500, "largest_underlying_share": 0.05}

# kind, attributes, what lies under it with its share, charge per CNY by module, share of its cash flows that hedge
STRUCTURES: list[tuple[str, dict[str, Any], list[tuple[float, dict[str, Any]]], dict[str, float], float]] = [
    ("credit_abs", {"rating": "AAA", **TERMS}, [], {"spread": SPREAD}, 1.0),
    ("exchange_abs", {"rating": "AAA", **TERMS}, [], {"spread": SPREAD}, 1.0),
    ("abn", {"rating": "AAA", **TERMS}, [], {"spread": SPREAD}, 1.0),
    ("abn", {"rating": "AA", **TERMS}, [], {"spread": AA}, 1.0),
    ("abs_plan", PLAN | EXEMPT, [], {"counterparty_default": 0.13}, 1.0),
    ("abs_plan", PLAN | EXEMPT | {"layers": 4}, [], {"counterparty_default": 0.13}, 0.0),
    # Looked through: normal loans 0.085, K_p = 0.1 (n − 1) = 0, and the surface of AA+ 0.015.
    ("abs_plan", PLAN | {"transparency": "look_through"}, [(1.0, LOAN)], {"counterparty_default": 0.100}, 1.0),
    (
        "abs_plan",
        PLAN | {"transparency": "look_through"},
        [(0.6, LOAN), (0.4, COMPANY)],
        {"counterparty_default": 0.6 * 0.085 + 0.015, "equity_price": 0.4 * 0.40},
        0.6,
    ),
    # What is not listed is opaque, by the list of R7 §32 default risk.
    (
        "abs_plan",
        PLAN | {"transparency": "look_through"},
        [(0.6, LOAN)],
        {"counterparty_default": 0.6 * 0.085 + 0.4 * 0.6 + 0.015},
        0.6,
    ),
    ("abs_plan", PLAN | {"transparency": "opaque"}, [], {"counterparty_default": 0.6}, 0.0),
    # 0.15 (1 − 0.2 + 0.1): k1 of public infrastructure REITs, one layer.
    ("reit", {"transparency": "look_through"}, [(1.0, PARK)], {"real_estate_price": 0.135}, 0.0),
    ("reit", {"transparency": "opaque"}, [], {"equity_price": 0.5}, 0.0),
    ("reit", {"transparency": "base", "city_tier": "municipality"}, [], {"real_estate_price": 0.15}, 0.0),
    ("venture_fund", {"transparency": "look_through"}, [(1.0, COMPANY)], {"equity_price": 0.44}, 0.0),
    ("venture_fund", {"transparency": "look_through"}, [(1.0, COMPANY | {"strategic_emerging": False})], OTHERS, 0.0),
    ("venture_fund", {"transparency": "look_through", "layers": 2}, [(1.0, COMPANY)], {"equity_price": 0.48}, 0.0),
    ("venture_fund", {"transparency": "opaque"}, [], {"equity_price": 0.6}, 0.0),
    ("tech_innovation_bond", {"rating": "AAA", **TERMS}, [], {"spread": SPREAD}, 1.0),
    ("tech_innovation_bond", {"equity_terms": "exchangeable", **TERMS}, [], {"equity_price": 0.23}, 0.0),
    ("tech_innovation_bond", {"equity_terms": "warrant", **TERMS}, [], {"equity_price": 0.23}, 0.0),
    # R9 §8, spread risk: EX_A = 50% · 80 + 2 at AAA, EX_B = 50% · 80 + 20 at AA.
    ("tech_innovation_bond", {"rating": "AA", **TERMS, **PROTECTED}, [], {"spread": 0.42 * SPREAD + 0.60 * AA}, 1.0),
    ("credit_abs", {"rating": "AA", **TERMS, **PROTECTED}, [], {"spread": 0.42 * SPREAD + 0.60 * AA}, 1.0),
    # R9 §8, default risk: 100% of what is protected, EX_A = 80 + 2 at AAA 0.10, EX_B = 20 at AA+ 0.13.
    ("abs_plan", PLAN | EXEMPT | PROTECTED, [], {"counterparty_default": 0.82 * 0.10 + 0.20 * 0.13}, 1.0),
    ("exchange_abs", {"rating": "AAA", "green": True, **TERMS}, [], {"spread": 0.9 * SPREAD}, 1.0),
    ("bond_fund", {}, [], {"equity_price": 0.06}, 0.0),
]


BASE = ("credit_abs", "exchange_abs", "abn", "tech_innovation_bond")
"""Kinds whose contract counts for the hedge ratio of the asset-liability rules; a plan does when a fund says so."""


@pytest.mark.parametrize(("kind", "row", "below", "charge", "hedges"), STRUCTURES)
def test_the_charge_and_the_hedge_of_each_structure(
    kind: str, row: dict[str, Any], below: list[tuple[float, dict[str, Any]]], charge: dict[str, float], hedges: float
) -> None:
    common = {"account": "traditional", "amount": 100.0, "expected_return": 0.0}
    assets = pd.DataFrame(
        [
            {"asset_id": "P", "kind": kind, **common, **row},
            {"asset_id": "PLAIN", "kind": "government_bond", **common, **TERMS},
        ]
    )
    tables = {"curve": pd.DataFrame({"tenor": np.arange(1.0, 51.0), "spot": 0.02})}
    if below:
        tables["underlying"] = pd.DataFrame([{"asset_id": "P", "share": share, **other} for share, other in below])
    settings = {
        "fund": {"name": "Structure", "as_of": "2026-06-30", "mandate": True},
        "balance_sheet": {"total_assets": 1e12, "admitted_assets": 1e12, "actual_capital": 1e9},
        "capital": {
            "regime": "cross2",
            "life_insurance_risk": 0,
            "sarmra_score": 80,
            "loss_absorption_cap": 0,
            "without_liabilities": True,
        },
    }
    fund = Fund(settings, assets, **tables)
    regime: Any = fund.regime
    lines = regime.charges()
    own = lines[(lines["asset_id"] == "P") & ~lines["module"].str.startswith("interest_rate")]
    found = own.groupby("module")["charge"].sum() / 100.0
    assert found[found > 0].to_dict() == pytest.approx(charge)
    rate = regime.basis.rate
    assert rate.up[0] == pytest.approx(hedges * rate.up[1], rel=1e-12)
    assert rate.down[0] == pytest.approx(hedges * rate.down[1], rel=1e-12)
    assert rate.up[1] > 0 > rate.down[1]
    base = kind in BASE and "equity_terms" not in row
    found, plain = Sides(fund.context, AlmOptions()).sensitivity
    assert found == pytest.approx(plain if base else 0.0, rel=1e-12)
    if kind == "abs_plan":
        named = Sides(fund.context, AlmOptions(kinds=("government_bond", "abs_plan")))
        assert named.sensitivity == pytest.approx([plain, plain], rel=1e-12)
