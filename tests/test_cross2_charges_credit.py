"""Every cell of the tables of R9, derivatives under R8 and R9, and what EX is, written out from the regulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from allocator_cross2.accrued import accrued_parts
from allocator_cross2.pack import RulePack
from allocator_cross2.rate import rate_risk
from charging import (
    BOND,
    TODAY,
    Row,
    deposit,
    factors,
    forward,
    future,
    one,
    stock,
    table,
)
from rule_funds import context

from allocator.errors import InputError, Problems

# ---- R9 §10-17 ------------------------------------------------------------------------------------------

STANDARDISED = {
    "AAA": (0.0006, 0.012, 0.015),
    "AA+": (0.0007, 0.0165, 0.02),
    "AA": (0.0009, 0.025, 0.0295),
    "AA-": (0.001, 0.033, 0.038),
    "A+": (0.002, 0.04, 0.05),
    "A": (0.003, 0.045, 0.06),
    "A-": (0.004, 0.05, 0.07),
    "BBB+": (0.005, 0.05, 0.075),
    "BBB": (0.01, 0.05, 0.1),
    "BBB-": (0.01, 0.05, 0.1),
    "NR": (0.01, 0.05, 0.1),
    "BB": (0.01, 0.05, 0.1),
}
BONDS = (
    "corporate_bond",
    "financial_bond",
    "interbank_certificate_of_deposit",
    "tech_innovation_bond",
    "credit_abs",
    "exchange_abs",
    "abn",
)


@pytest.mark.parametrize("duration", [0.25, 3.0, 5.0, 5.01, 8.0])
@pytest.mark.parametrize(("rating", "curve"), STANDARDISED.items())
def test_spread_risk_of_standardised_debt(rating: str, curve: tuple[float, float, float], duration: float) -> None:
    slope, level, beyond = curve
    factor = duration * (slope * duration + level) if duration <= 5 else beyond * duration
    row = {"kind": "corporate_bond", "rating": rating, "modified_duration": duration}
    assert one(row) == {"spread": pytest.approx(factor, abs=1e-14)}


@pytest.mark.parametrize("kind", BONDS)
def test_all_standardised_debt_shares_one_table(kind: str) -> None:
    assert one({"kind": kind, "rating": "AA+", "modified_duration": 4.0})["spread"] == pytest.approx(0.0772)


@pytest.mark.parametrize(
    ("kind", "duration", "factor"),
    [
        ("policy_bank_bond", 2.0, 2 * (-0.0012 * 2 + 0.012)),
        ("policy_bank_bond", 5.0, 5 * (-0.0012 * 5 + 0.012)),
        ("policy_bank_bond", 10.0, 0.001 * 10 + 0.025),
        ("agency_bond", 2.0, 2 * (-0.001 * 2 + 0.012)),
        ("agency_bond", 5.0, 5 * (-0.001 * 5 + 0.012)),
        ("agency_bond", 10.0, 0.001 * 10 + 0.03),
        ("government_bond", 10.0, 0.0),
        ("local_government_bond", 10.0, 0.0),
        ("central_bank_bill", 0.5, 0.0),
    ],
)
def test_spread_risk_of_policy_banks_agencies_and_governments(kind: str, duration: float, factor: float) -> None:
    assert one({"kind": kind, "modified_duration": duration}) == {"spread": pytest.approx(factor, abs=1e-15)}


def test_green_bonds_have_k1() -> None:
    row = {"kind": "policy_bank_bond", "modified_duration": 10.0, "green": True}
    assert one(row)["spread"] == pytest.approx(0.035 * 0.9)
    row = {"kind": "corporate_bond", "rating": "AAA", "modified_duration": 10.0, "green": True}
    assert one(row)["spread"] == pytest.approx(0.15 * 0.9)


def test_a_factor_is_at_most_one() -> None:
    row = {"kind": "corporate_bond", "rating": "NR", "modified_duration": 12.0}
    assert one(row)["spread"] == 1.0


# ---- R9 §8 ----------------------------------------------------------------------------------------------

CRM = {"AAA": 0.30, "AA+": 0.40, "AA": 0.50, "AA-": 0.55, "A+": 0.57, "A": 0.60, "A-": 0.65, "BBB+": 0.70, "NR": 0.70}


@pytest.mark.parametrize(("rating", "mitigation"), CRM.items())
def test_credit_protection_moves_part_of_the_charge_to_the_better_rating(rating: str, mitigation: float) -> None:
    bond = {"kind": "corporate_bond", "rating": rating, "modified_duration": 10.0}
    own, aaa = one(bond)["spread"], 0.15
    cover = {"protected_share": 0.8, "protection_rating": "AAA", "protection_book_value": 2.0}
    moved = mitigation * 0.8
    assert one({**bond, **cover})["spread"] == pytest.approx((moved + 0.02) * aaa + (1 - moved) * own)


def test_protection_by_a_worse_issuer_changes_no_rating() -> None:
    bond = {"kind": "corporate_bond", "rating": "AA+", "modified_duration": 10.0}
    cover = {"protected_share": 1.0, "protection_rating": "A", "protection_book_value": 0.0}
    assert one({**bond, **cover})["spread"] == pytest.approx(0.20)


def test_protection_of_default_risk_moves_the_whole_protected_part() -> None:
    plan = {"kind": "abs_plan", "transparency": "exempt", "rating": "AA", "underlying_count": 200}
    cover = {"protected_share": 0.5, "protection_rating": "AAA", "protection_book_value": 1.0}
    got = one({**plan, "largest_underlying_share": 0.1, **cover})
    assert got == {"counterparty_default": pytest.approx(0.51 * 0.10 + 0.5 * 0.18)}


@pytest.mark.parametrize("kind", ["policy_bank_bond", "agency_bond", "government_bond", "cash"])
def test_no_protection_is_credited_where_the_rule_gives_no_part(kind: str) -> None:
    with pytest.raises(InputError, match="credit no protection"):
        one({"kind": kind, "modified_duration": 3.0, "protected_share": 0.5})


def test_no_protection_is_credited_on_a_plan_that_is_looked_through() -> None:
    plan = {"kind": "abs_plan", "rating": "AA", "transparency": "opaque", "protected_share": 0.5}
    with pytest.raises(InputError, match="credit no protection"):
        one(plan)


@pytest.mark.parametrize("column", ["protection_rating", "protection_book_value"])
def test_protection_needs_its_rating_and_book_value(column: str) -> None:
    cover = {"protected_share": 0.5, "protection_rating": "AAA", "protection_book_value": 1.0}
    with pytest.raises(InputError, match=f"column {column}"):
        one({"kind": "corporate_bond", "rating": "AA", "modified_duration": 3.0, **cover, column: None})


# ---- R9 §18-39 ------------------------------------------------------------------------------------------


DEFAULT = [
    ({"kind": "cash"}, 0.0),
    ({"kind": "reverse_repo"}, 0.0),
    ({"kind": "policy_loan"}, 0.05),
    (deposit("large_state"), 0.005),
    (deposit("policy"), 0.005),
    (deposit("joint_stock", 0.12), 0.03),
    (deposit("joint_stock", 0.1199), 0.05),
    (deposit("joint_stock", 0.0), 0.05),
    (deposit("city", 0.135), 0.04),
    (deposit("city", 0.1349), 0.08),
    (deposit("city", 0.125), 0.08),
    (deposit("city", 0.1249), 0.10),
    (deposit("city", 0.12), 0.10),
    (deposit("city", 0.1199), 0.15),
    (deposit("foreign", 0.135, "A"), 0.04),
    (deposit("foreign", 0.125, "AA+"), 0.08),
    (deposit("foreign", 0.12, "A+"), 0.10),
    (deposit("foreign", 0.11, "A"), 0.15),
    (deposit("foreign", 0.135, "A-"), 0.10),
    (deposit("foreign", 0.134, "NR"), 0.18),
    (deposit("rural", 0.145), 0.08),
    (deposit("rural", 0.1449), 0.10),
    (deposit("rural", 0.135), 0.10),
    (deposit("rural", 0.1349), 0.15),
    (deposit("rural", 0.125), 0.15),
    (deposit("rural", 0.1249), 0.18),
    (deposit("other", 0.135), 0.10),
    (deposit("other", 0.1349), 0.18),
    (deposit("finance_company"), 0.10),
    ({"kind": "loan", "loan_class": "normal"}, 0.085),
    ({"kind": "loan", "loan_class": "special_mention"}, 0.135),
    ({"kind": "loan", "loan_class": "substandard"}, 0.3),
    ({"kind": "loan", "loan_class": "doubtful"}, 0.5),
    ({"kind": "loan", "loan_class": "loss"}, 1.0),
]


@pytest.mark.parametrize(("row", "factor"), DEFAULT)
def test_counterparty_default_risk(row: Row, factor: float) -> None:
    assert one(row) == {"counterparty_default": factor}


PACK_TABLES = {
    "default.derivative": (0.08, 0.13, 0.18, 0.23, 0.33, 0.33, 0.33, 0.45, 0.45, 0.45, 0.45),
    "default.interest_receivable": (0.006, *[0.015] * 3, *[0.025] * 3, *[0.030] * 4),
    "look_through.surface": (0.010, 0.015, 0.020, 0.025, *[0.075] * 3, *[0.150] * 4),
    "exempt.abs_plan": (0.10, 0.13, 0.18, 0.23, *[0.33] * 3, *[0.45] * 4),
    "protection.spread": (0.30, 0.40, 0.50, 0.55, 0.57, 0.60, 0.65, *[0.70] * 4),
}


@pytest.mark.parametrize("key", PACK_TABLES)
def test_tables_by_rating(key: str) -> None:
    got = RulePack.at(TODAY).table(key)
    ratings = ("AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-", "unrated")
    assert dict(got) == dict(zip(ratings, PACK_TABLES[key], strict=True))


@pytest.mark.parametrize(
    ("key", "x", "value"),
    [
        ("default.structured_deposit.large", 0.0, 0.055),
        ("default.structured_deposit.joint_stock", 0.12, 0.08),
        ("default.structured_deposit.joint_stock", 0.119, 0.10),
        ("default.structured_deposit.city", 0.135, 0.10),
        ("default.structured_deposit.city", 0.125, 0.13),
        ("default.structured_deposit.city", 0.12, 0.15),
        ("default.structured_deposit.city", 0.119, 0.20),
        ("default.structured_deposit.rural", 0.145, 0.13),
        ("default.structured_deposit.rural", 0.135, 0.15),
        ("default.structured_deposit.rural", 0.125, 0.20),
        ("default.structured_deposit.rural", 0.124, 0.23),
        ("default.structured_deposit.other", 0.135, 0.15),
        ("default.structured_deposit.other", 0.134, 0.23),
        ("default.reinsurer.domestic", 2.0, 0.008),
        ("default.reinsurer.domestic", 1.5, 0.013),
        ("default.reinsurer.domestic", 1.0, 0.047),
        ("default.reinsurer.domestic", 0.5, 0.261),
        ("default.reinsurer.domestic", 0.49, 0.745),
        ("default.reinsurer.domestic", np.nan, 0.745),
    ],
)
def test_ladders_of_assets_outside_the_table(key: str, x: float, value: float) -> None:
    assert RulePack.at(TODAY).ladder(key).at(np.array([x]))[0] == value


def test_factors_of_assets_outside_the_table() -> None:
    pack = RulePack.at(TODAY)
    assert {key: pack.value(key) for key in PACK_VALUES} == PACK_VALUES
    assert {key: dict(pack.table(key)) for key in PACK_AGES} == PACK_AGES


PACK_VALUES = {
    "default.interbank_lending": 0.03,
    "default.third_party_payment": 0.05,
    "default.structured_deposit.not_guaranteed": 0.5,
    "default.interest_receivable.policy": 0.006,
    "default.guarantee": 0.3,
    "default.reinsurer.overseas_unmet": 0.867,
    "default.reinsurer.k2.direct_insurer": 0.1,
    "default.reinsurer.k3.branch": 0.05,
    "default.reinsurer.k4.transparency": -0.15,
    "protection.default": 1.0,
    "charge.k_clip": 0.25,
    "charge.largest_factor": 1.0,
}
PACK_AGES = {
    "default.other_receivable": {"up_to_6": 0.03, "6_to_12": 0.15, "12_to_18": 0.5, "over_18": 1},
    "default.premium_receivable": {"up_to_6": 0, "6_to_12": 0.5, "over_12": 1},
    "default.premium_receivable.subsidised": {"up_to_9": 0, "9_to_12": 0.2, "12_to_18": 0.7, "over_18": 1},
}


# ---- derivatives: R8 §35, §58, R9 §33 -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "hedge", "equity"),
    [
        (future(-40.0, 0.9, 1.0), 35.0 - 40 * 0.9 * 0.35, 0.0),
        (future(-40.0, 0.9, 0.9), None, 35.0),
        (future(-40.0, 0.0), None, 35.0 + 40 * 0.35),
        (future(40.0, 0.9, 1.0), 35.0, 40 * 0.35),
        (future(40.0, 0.0), None, 35.0 + 40 * 0.35),
        (future(-200.0, 1.0, 3.0), 35.0 - 200 * 0.35, 0.0),  # the tree takes the absolute value
    ],
)
def test_index_futures(row: Row, hedge: float | None, equity: float) -> None:
    got = factors([stock("main"), row])
    assert got.get("equity_hedge") == (None if hedge is None else pytest.approx(hedge))
    assert got.get("equity_price", 0.0) == pytest.approx(equity)


def test_fx_forwards_net_with_the_position_when_effective() -> None:
    cash = {"kind": "cash", "currency": "USD"}
    assert factors([cash, forward(-60.0, 0.9, 1.0)])["currency:USD"] == pytest.approx(0.05 * (100 - 54))
    got = factors([cash, forward(-60.0, 0.0, 1.0)])
    assert (got["currency:USD"], got["currency_unhedged"]) == (pytest.approx(5.0), pytest.approx(60 * 0.05))
    assert factors([cash, forward(60.0, 0.0, 1.0)])["currency_unhedged"] == pytest.approx(60 * 0.05)


def test_derivative_claims_net_within_a_counterparty_only() -> None:
    swap = {"kind": "rate_swap", "amount": -50.0, "book_value": 3.0, "counterparty": "B", "rating": "AA"}
    claim = 0.18
    assert factors([swap, forward(-60.0, 1.0, -1.0)])["counterparty_default"] == pytest.approx(claim * 2)
    assert factors([swap, forward(-60.0, 1.0, -4.0)])["counterparty_default"] == pytest.approx(0.0)
    assert factors([swap, forward(-60.0, 1.0, -4.0, "C")])["counterparty_default"] == pytest.approx(claim * 3)


@pytest.mark.parametrize(
    ("rating", "factor"), [("AAA", 0.08), ("AA+", 0.13), ("AA", 0.18), ("AA-", 0.23), ("A", 0.33), ("NR", 0.45)]
)
def test_derivative_counterparties_by_rating(rating: str, factor: float) -> None:
    swap = {"kind": "rate_swap", "amount": 1000.0, "book_value": 5.0, "counterparty": "B", "rating": rating}
    assert factors([swap])["counterparty_default"] == pytest.approx(5.0 * factor)


def test_a_contract_not_yet_held_has_no_claim() -> None:
    assert factors([{"kind": "rate_swap", "amount": 0.0, "rating": "AA"}])["counterparty_default"] == 0.0
    assert len(table([{"kind": "bond_future", "amount": 100.0}])) == 0


# ---- exposure -------------------------------------------------------------------------------------------


def test_spread_risk_takes_market_value_all_else_book_value() -> None:
    bond = {"kind": "corporate_bond", "rating": "AAA", "modified_duration": 10.0, "book_value": 80.0}
    assert one(bond)["spread"] == pytest.approx(0.15)
    assert one({"kind": "bond_fund", "book_value": 80.0})["equity_price"] == pytest.approx(0.06 * 0.8)
    assert one({"kind": "bond_fund", "amount": 100.0, "book_value": None})["equity_price"] == pytest.approx(0.06)


def test_the_book_ratio_holds_for_the_target_too() -> None:
    found = table([{"kind": "bond_fund", "book_value": 80.0}], holdings=[250.0])
    assert float((found.factor * found.holdings[found.row]).sum()) == pytest.approx(250 * 0.8 * 0.06)
    found = table([{"kind": "bond_fund", "amount": 0.0, "book_value": 80.0}], holdings=[250.0])
    assert float((found.factor * found.holdings[found.row]).sum()) == pytest.approx(250 * 0.06)


def test_a_negative_position_counts_as_zero() -> None:
    assert factors([{"kind": "bond_fund", "amount": -10.0}, {"kind": "bond_fund"}])["equity_price"] == pytest.approx(
        6.0
    )


def test_interest_receivable_has_a_ladder_of_its_own() -> None:
    """R9 §35: of an AAA bond of 100 with D = 3, 4 are interest: 96 · 3 (0.0006 · 3 + 0.012) and 4 · 0.006.

    With clean amounts the whole 100 is under spread risk, and the 4 stand beside it.
    """
    bond = {**BOND, "accrued_interest": 4.0}
    spread = 3.0 * (0.0006 * 3.0 + 0.012)
    assert factors([bond]) == pytest.approx({"spread": 96.0 * spread, "counterparty_default": 4.0 * 0.006})
    clean = factors([bond], options={"amount_includes_accrued": False})
    assert clean == pytest.approx({"spread": 100.0 * spread, "counterparty_default": 4.0 * 0.006})


@pytest.mark.parametrize(
    ("row", "factor"),
    [
        ({"rating": "AAA"}, 0.006),
        ({"rating": "AA+"}, 0.015),
        ({"rating": "AA-"}, 0.015),
        ({"rating": "A+"}, 0.025),
        ({"rating": "A-"}, 0.025),
        ({"rating": "BBB+"}, 0.030),
        ({"rating": "NR"}, 0.030),
        ({"kind": "policy_bank_bond"}, 0.006),
        ({"kind": "agency_bond"}, 0.006),
        ({"kind": "government_bond"}, 0.0),
    ],
)
def test_the_ladder_of_interest_receivable(row: Row, factor: float) -> None:
    """R9 §35: 2 of interest by the rating of the bond; none on government bonds."""
    charged = factors([{**BOND, "accrued_interest": 2.0, **row}]).get("counterparty_default", 0.0)
    assert charged == pytest.approx(2.0 * factor)


def test_interest_on_other_assets_takes_their_own_factor() -> None:
    """R9 §35: 3 of interest on 100 with a large state bank: 0.005 · 100 where it lies inside, 0.005 · 103 beside."""
    term = {**deposit("large_state"), "accrued_interest": 3.0}
    assert factors([term]) == pytest.approx({"counterparty_default": 0.5})
    assert factors([term], options={"amount_includes_accrued": False}) == pytest.approx({"counterparty_default": 0.515})


def test_interest_is_computed_from_coupon_dates() -> None:
    """4% a year paid on 31 March and 30 September: 91 of 183 days on 30 June make 2 · 91 / 183 per 100 of face.

    Bought at 125 for 100 of face, a CNY holds four fifths of it; a bill issued 181 days before that pays 3% once, on
    the 365th day, holds 3 · 181 / 365; a given amount wins.
    """
    paying = {"kind": "corporate_bond", "coupon": 0.04, "frequency": 2, "maturity": "2029-03-31", "face": 100.0}
    once = {
        **{"kind": "corporate_bond", "coupon": 0.03, "frequency": 0, "face": 100.0, "amount": 100.0},
        **{"issue_date": "2025-12-31", "maturity": "2026-12-31"},
    }
    rows = [{**paying, "amount": 100.0}, {**paying, "amount": 125.0}, once]
    given = {**paying, "amount": 100.0, "accrued_interest": 0.5}
    inputs = context([*rows, given, {"kind": "cash", "amount": 100.0}]).inputs
    found = accrued_parts(inputs, (inputs.assets["kind"] == "corporate_bond").to_numpy(), included=True)
    half = 0.02 * 91.0 / 183.0
    assert found.tolist() == pytest.approx([half, half / 1.25, 0.03 * 181.0 / 365.0, 0.005, 0.0], rel=1e-12)


def test_clean_amounts_price_the_same_bond() -> None:
    """At a yield of 4% one CNY of a bond with 4% and half a year of interest holds a / P; a clean one a / (P − a)."""
    bond = {"kind": "corporate_bond", "coupon": 0.04, "frequency": 1, "maturity": "2027-12-31", "yield": 0.04}
    inputs = context([{**bond, "amount": 100.0}]).inputs
    rows = np.array([True])
    price = 0.04 * 1.04 ** -(184.0 / 365.0) + 1.04 * 1.04 ** -(1.0 + 184.0 / 366.0)
    interest = 0.04 * 181.0 / 365.0
    assert accrued_parts(inputs, rows, included=True)[0] == pytest.approx(interest / price, rel=1e-12)
    assert accrued_parts(inputs, rows, included=False)[0] == pytest.approx(interest / (price - interest), rel=1e-12)


def structured(guaranteed: bool, bank_type: str | None = None, adequacy: float | None = None) -> Row:
    bank = {"bank_type": bank_type, "capital_adequacy": adequacy}
    return {"kind": "structured_deposit", "principal_guaranteed": guaranteed, **bank}


@pytest.mark.parametrize(
    ("row", "charge"),
    [
        # R9 §21: principal guaranteed, by bank and capital adequacy; not guaranteed 0.5
        (structured(True, "large_state"), 5.5),
        (structured(True, "joint_stock", 0.12), 8.0),
        (structured(True, "joint_stock", 0.11), 10.0),
        (structured(True, "city", 0.125), 13.0),
        (structured(True, "rural", 0.10), 23.0),
        (structured(True, "other", 0.14), 15.0),
        (structured(False), 50.0),
        # R9 §20
        ({"kind": "interbank_lending"}, 3.0),
        ({"kind": "third_party_payment"}, 5.0),
        # R9 §37, §38
        ({"kind": "loan", "loan_class": "special_mention"}, 13.5),
        ({"kind": "guarantee"}, 30.0),
        # R9 §36 (5): ≤ 6, 6–12, 12–18, > 18 months
        ({"kind": "other_receivable", "age_months": 6}, 3.0),
        ({"kind": "other_receivable", "age_months": 6.1}, 15.0),
        ({"kind": "other_receivable", "age_months": 18}, 50.0),
        ({"kind": "other_receivable", "age_months": 19}, 100.0),
        # R9 §34: ≤ 6, 6–12, > 12; with government subsidies ≤ 9, 9–12, 12–18, > 18
        ({"kind": "premium_receivable", "age_months": 3}, 0.0),
        ({"kind": "premium_receivable", "age_months": 12}, 50.0),
        ({"kind": "premium_receivable", "age_months": 13}, 100.0),
        ({"kind": "premium_receivable", "age_months": 12, "subsidised": True}, 20.0),
        ({"kind": "premium_receivable", "age_months": 13, "subsidised": True}, 70.0),
        # R9 §22–25: RF0 by the reinsurer's ratio, k2 of a direct insurer, k3 of a branch, k4 of transparency abroad
        ({"kind": "reinsurance_recoverable", "reinsurer_ratio": 2.0}, 0.8),
        ({"kind": "reinsurance_recoverable", "reinsurer_ratio": 1.99}, 1.3),
        ({"kind": "reinsurance_recoverable", "reinsurer_ratio": 2.0, "direct_insurer": True}, 0.8 * 1.1),
        (
            {
                **{"kind": "reinsurance_recoverable", "reinsurer_ratio": 1.2},
                **{"direct_insurer": True, "reinsurer_branch": True},
            },
            4.7 * 1.15,
        ),
        ({"kind": "reinsurance_recoverable"}, 74.5),
        ({"kind": "reinsurance_recoverable", "market": "developed", "currency": "CNY"}, 86.7),
        (
            {
                **{"kind": "reinsurance_recoverable", "market": "developed", "currency": "CNY"},
                "transparency_measures": True,
            },
            86.7 * 0.85,
        ),
    ],
)
def test_claims_that_are_no_investments(row: Row, charge: float) -> None:
    """100 of each, by the article beside it."""
    assert factors([row]).get("counterparty_default", 0.0) == pytest.approx(charge)


def test_a_loan_to_a_project_company_is_real_estate() -> None:
    """R8 §42: 100 lent in a provincial capital 15, elsewhere 15 · 1.2; EX is the loan, not the company's property."""
    rows = [
        {"kind": "project_company_loan", "city_tier": "provincial_capital", "property_book_value": 500.0},
        {"kind": "project_company_loan", "city_tier": "other"},
    ]
    assert factors(rows) == pytest.approx({"real_estate_price": 15.0 + 18.0})


def test_structured_deposits_and_direct_loans_are_in_rate_risk() -> None:
    """R8 §13 (1), (3): what repays 100 in a year is worth 100 / (1 + r) in each scenario; NCF falls by the asset."""
    terms = {"coupon": 0.0, "frequency": 1, "maturity": "2027-06-30", "face": 100.0, "amount": 100.0}
    curve = pd.DataFrame({"tenor": range(1, 51), "spot": [0.02] * 50})
    inputs = context([{"kind": kind, **terms} for kind in ("structured_deposit", "loan")], curve=curve).inputs
    found = rate_risk(inputs, RulePack.at(TODAY), np.zeros(2), Problems())
    base, up = 0.02 + 0.0045, 0.02 * 1.97 + 0.0045
    assert found.up.tolist() == pytest.approx([1.0 / (1.0 + base) - 1.0 / (1.0 + up)] * 2, rel=1e-12)
