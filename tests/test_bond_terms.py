"""Rights to shares, ratings and tenors of science-and-technology innovation bonds; the index fund as alternative."""

from __future__ import annotations

from datetime import date
from typing import Any

import allocator_cross2
import allocator_liquidity
import allocator_tech_bonds
import numpy as np
import pandas as pd
import pytest
from allocator_liquidity.reserve import reserve_factors
from allocator_tech_bonds.report import term_tables
from allocator_tech_bonds.terms import bond_terms
from charging import ISSUERS, one
from support import make_inputs, make_registry

from allocator import Fund
from allocator.errors import InputError, Problems

BOND = {"kind": "tech_innovation_bond", "rating": "AAA", "modified_duration": 3.0}
REGISTRY = make_registry(
    ("tech_bonds", allocator_tech_bonds), ("cross2", allocator_cross2), ("liquidity", allocator_liquidity)
)
AS_OF = date(2026, 6, 30)


# ---- charges --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", ["convertible", "exchangeable", "warrant"])
@pytest.mark.parametrize("kind", ["tech_innovation_bond", "corporate_bond", "financial_bond"])
def test_a_right_to_shares_makes_a_bond_a_convertible(kind: str, terms: str) -> None:
    """R8 §34: 0.23 of equity price risk, whatever the rating; without it AAA at 3 years: 3 (0.0006 · 3 + 0.012)."""
    bond = {**BOND, "kind": kind}
    assert one({**bond, "equity_terms": terms}) == {"equity_price": pytest.approx(0.23)}
    assert one({**bond, "equity_terms": terms, "rating": None}) == {"equity_price": pytest.approx(0.23)}
    assert one(bond) == {"spread": pytest.approx(0.0414)}


def test_no_protection_is_credited_on_a_bond_with_a_right_to_shares() -> None:
    with pytest.raises(InputError, match="credit no protection"):
        one({**BOND, "equity_terms": "warrant", "protected_share": 0.5})


def test_a_pledge_and_a_guarantee_change_no_charge() -> None:
    assert one({**BOND, "pledge": "intellectual_property", "guarantor": "G"}) == one(BOND)


def test_protection_of_a_tech_bond_by_hand() -> None:
    """AA+ at 10 years: 0.20; AAA: 0.15. CRM of AA+ 40% on 80% protected, tool worth 2%: 0.34·0.15 + 0.68·0.20."""
    bond = {"kind": "tech_innovation_bond", "rating": "AA+", "modified_duration": 10.0}
    cover = {"protected_share": 0.8, "protection_rating": "AAA", "protection_book_value": 2.0}
    assert one({**bond, **cover}) == {"spread": pytest.approx(0.34 * 0.15 + 0.68 * 0.20)}


def test_the_issue_s_rating_comes_first_and_then_the_issuer_s() -> None:
    """R9 §5; AA at 3 years 3 (0.0009 · 3 + 0.025), AAA 0.0414."""
    issuers = [{**row, "rating": "AA" if row["issuer"] == "chips" else None} for row in ISSUERS]
    bond = {**BOND, "issuer": "chips"}
    assert one({**bond, "rating": None}, issuers=issuers)["spread"] == pytest.approx(0.0831)
    assert one(bond, issuers=issuers)["spread"] == pytest.approx(0.0414)
    with pytest.raises(InputError, match="column rating"):
        one({**bond, "rating": None, "issuer": "steel"}, issuers=issuers)


# ---- terms ----------------------------------------------------------------------------------------------


def bond(name: str, **other: Any) -> dict[str, Any]:
    terms = {"coupon": 0.03, "frequency": 1, "issue_date": "2026-04-01", "maturity": "2029-03-31", "rating": "AAA"}
    return {"asset_id": name, "kind": "tech_innovation_bond", "account": "traditional", "amount": 100.0} | terms | other


def fund_of(*rows: dict[str, Any], **settings: Any) -> Any:
    issuers = pd.DataFrame(
        {
            "issuer": ["F", "E", "B"],
            "type": ["technology_firm", "equity_investment_institution", "bank"],
            "rating": [None, "AA+", "AAA"],
        }
    )
    return make_inputs([dict(row) for row in rows], tables={"issuers": issuers}, registry=REGISTRY, settings=settings)


def test_the_tenor_at_issue_is_held_against_the_issuer_s_floor() -> None:
    """270 days for a technology firm, three years for an equity-investment institution, none for a bank."""
    found = bond_terms(
        fund_of(
            bond("SHORT", issuer="F", maturity="2026-12-26"),  # 269 days
            bond("LONG", issuer="F", maturity="2026-12-27"),  # 270 days
            bond("EQUITY", issuer="E", maturity="2029-03-30", rating=None),  # 1,094 days
            bond("BANK", issuer="B", maturity="2026-07-30"),
            bond("OLD", issuer="F", issue_date="2026-03-01", maturity="2026-07-30"),  # a day before the notice
        )
    )
    assert found["tenor_met"].tolist() == [False, True, False, pd.NA, pd.NA]
    assert found["tenor_at_issue"][1] == pytest.approx(270 / 365)
    assert found["rating"].tolist() == ["AAA", "AAA", "AA+", "AAA", "AAA"]
    assert found["rating_of"].tolist() == ["issue", "issue", "issuer", "issue", "issue"]


def test_chinese_words_are_read() -> None:
    found = bond_terms(fund_of({**bond("W"), "权益条款": "附认股权证", "质押物": "知识产权", "担保人": "某担保公司"}))
    assert found[["equity_terms", "pledge", "guarantor"]].values.tolist() == [
        ["warrant", "intellectual_property", "某担保公司"]
    ]


def test_a_right_to_shares_takes_the_reserve_of_a_convertible() -> None:
    """R13 annex 2: AAA credit traded 0.80, convertibles rated AAA 0.65."""
    found = reserve_factors(fund_of(bond("P"), bond("W", equity_terms="warrant", rating="AAA")), Problems())
    assert found.tolist() == [0.80, 0.65]


# ---- line by line or by the index -----------------------------------------------------------------------

CURVE = pd.DataFrame({"tenor": np.arange(1.0, 51.0), "spot": 0.02})


def choice(
    maturity: str, liability_year: int, capital: float = 100.0, earned: float = 0.0215, **objective: Any
) -> Fund:
    """A bond against the fund of the whole index, which has no cash flows of its own; liabilities of 100."""
    assets = pd.DataFrame(
        [
            bond("LINE", issue_date="2026-06-30", maturity=maturity, **{"yield": 0.03}, expected_return=earned),
            {"asset_id": "INDEX", "kind": "bond_fund", "account": "traditional", "amount": 100.0}
            | {"expected_return": 0.0215},
        ]
    )
    liabilities = pd.DataFrame({"account": ["traditional"], "year": [liability_year], "outflow": [100.0]})
    settings = {
        "fund": {"name": "Line or index", "as_of": "2026-06-30", "unit": 1e8},
        "balance_sheet": {
            "total_assets": 200,
            "admitted_assets": 200,
            "actual_capital": capital,
            "core_capital": capital,
        },
        "capital": {
            "regime": "cross2",
            "life_insurance_risk": 1,
            "sarmra_score": 80,
            "loss_absorption_cap": 0,
            "require": {"comprehensive": 1.0},
        },
        "objective": objective or {"minimize": "capital"},
    }
    return Fund(settings, assets, curve=CURVE, liabilities=liabilities)


def scanned(fund: Fund, steps: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return holdings of the bond between none and all, and the exact minimum capital of each, CNY."""
    bonds = np.linspace(0.0, 200e8, steps + 1)
    needed = []
    for amount in bonds:
        position = fund.position(np.array([amount, 200e8 - amount]))
        assert position is not None
        needed.append(position.minimum_capital)
    return bonds, np.array(needed)


@pytest.mark.parametrize(
    ("maturity", "liability_year", "least", "most"),
    [
        # AAA to 3 years: 4.1% of spread risk and a hedge of the liabilities, against 6% of equity price risk.
        ("2029-06-30", 3, 0.5, 1.0),
        # AAA to 15 years: over 17% of spread risk, and nothing so long to hedge.
        ("2041-06-30", 1, 0.0, 0.3),
    ],
)
def test_the_optimizer_chooses_between_the_bond_and_the_index(
    maturity: str, liability_year: int, least: float, most: float
) -> None:
    """It finds the least capital that a scan of every split finds by the exact tree."""
    fund = choice(maturity, liability_year)
    result = fund.optimize().value
    bonds, needed = scanned(fund)
    share = result.holdings[0] / 200e8
    assert least <= share <= most
    assert result.after is not None
    assert result.after.minimum_capital <= needed.min() * (1 + 1e-6)
    assert abs(result.holdings[0] - bonds[needed.argmin()]) <= 3 * (bonds[1] - bonds[0])


def test_a_return_pickup_buys_the_line_until_the_ratio_binds() -> None:
    """The long bond yields more and is bought until the solvency requirement holds the index beside it."""
    fund = choice("2041-06-30", 1, capital=30.0, earned=0.03, maximize="expected_return")
    result = fund.optimize().value
    bonds, needed = scanned(fund, 2000)
    assert result.after is not None
    allowed = bonds[needed <= 30e8].max(initial=0.0)
    assert 0.0 < allowed < 200e8
    assert result.holdings[0] == pytest.approx(allowed, abs=2 * (bonds[1] - bonds[0]))


def test_the_report_shows_the_terms() -> None:
    result = choice("2029-06-30", 3).optimize().value
    (table,) = term_tables(result)
    assert table.frame["rating_of"].tolist() == ["issue"]
    assert table.frame["asset_id"].tolist() == ["LINE"]
