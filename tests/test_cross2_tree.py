"""The C-ROSS II tree against the formulas of the rules, one filed company, and the laws of capital."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from allocator_cross2.labels import FILING_ORDER, label
from allocator_cross2.pack import RulePack
from allocator_cross2.tree import GivenCapital, ModuleRows, build_tree
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from allocator.capital import CapitalTree

PACK = RulePack.at(date(2026, 6, 30))
NOTHING = GivenCapital(0.0, 0.0, 0.0, None, 0.0, 1.0, 0.0)
MODULES = (
    "interest_rate_up",
    "interest_rate_down",
    "equity_price",
    "real_estate_price",
    "overseas_fixed_income_developed",
    "overseas_fixed_income_emerging",
    "overseas_equity_developed",
    "overseas_equity_emerging",
    "currency:USD",
    "currency:EUR",
    "spread",
    "counterparty_default",
)


def rows(constants: Mapping[str, float], coefficients: Mapping[str, list[float]] | None = None) -> ModuleRows:
    matrix = {name: sparse.csr_array(np.atleast_2d(row)) for name, row in (coefficients or {}).items()}
    size = len(next(iter((coefficients or {"": [0.0]}).values())))
    return ModuleRows(matrix, constants, size)


def values(company: Mapping[str, float], pool: Mapping[str, float], given_: GivenCapital) -> dict[str, float]:
    return build_tree(rows(company), rows(pool), given_, PACK).values(np.zeros(1))


def test_china_re_parent_market_risk_as_filed_for_2026_q2() -> None:
    # China Reinsurance (Group), solvency report 2026 Q2, CNY 10,000.
    filed = {
        "interest_rate_up": 208439.80,
        "equity_price": 4216158.47,
        "real_estate_price": 11691.60,
        "overseas_fixed_income_developed": 75890.66,
        "overseas_equity_developed": 839249.81,
        "currency:USD": 93375.11,
    }
    assert values(filed, {}, NOTHING)["market_risk"] == pytest.approx(4674088.44, abs=5e-3)


def test_rate_risk_is_the_largest_of_up_down_and_zero() -> None:
    for up, down, expected in [(3.0, -2.0, 3.0), (-3.0, 2.0, 2.0), (-3.0, -2.0, 0.0)]:
        got = values({"interest_rate_up": up, "interest_rate_down": down}, {}, NOTHING)
        assert (got["interest_rate"], got["market_risk"]) == (expected, expected)


def test_overseas_modules_and_currencies_add_as_the_articles_say() -> None:
    got = values(
        {
            "overseas_fixed_income_developed": 3.0,
            "overseas_fixed_income_emerging": 4.0,
            "overseas_equity_developed": 3.0,
            "overseas_equity_emerging": 4.0,
            "currency:USD": -5.0,
            "currency:EUR": 2.0,
            "currency_unhedged": 1.0,
        },
        {},
        NOTHING,
    )
    assert got["overseas_fixed_income"] == pytest.approx(np.sqrt(25 + 2 * 0.1365 * 12))
    assert got["overseas_equity"] == pytest.approx(np.sqrt(25 + 2 * 0.375 * 12))
    assert (got["currency_USD"], got["currency_EUR"], got["currency"]) == (5.0, 2.0, 8.0)


def test_hedged_stock_counts_by_its_absolute_net_charge() -> None:
    got = values({"equity_hedge": -2.0, "equity_price": 3.0}, {}, NOTHING)
    assert got["equity_price"] == 5.0


def test_credit_and_life_risk() -> None:
    life = replace(NOTHING, life={"loss_occurrence": 3.0, "expense": 2.0, "lapse": 4.0})
    got = values({"spread": 6.0, "counterparty_default": 8.0}, {}, life)
    assert got["credit_risk"] == pytest.approx(np.sqrt(100 + 2 * 0.25 * 48))
    assert got["life_insurance_risk"] == pytest.approx(np.sqrt(29 + 2 * 0.4 * 6 + 2 * 0.5 * 8))
    assert got["life_diversification"] == pytest.approx(9.0 - got["life_insurance_risk"])


def test_minimum_capital_from_the_modules_up() -> None:
    company = {"equity_price": 30.0, "spread": 20.0}
    factors = GivenCapital(40.0, 10.0, 0.0, 5.0, 2.0, 0.95, 0.05)
    got = values(company, {}, factors)
    square = 40**2 + 10**2 + 30**2 + 20**2
    square += 2 * (0.2 * 400 + 0.3 * 1200 + 0.15 * 800 + 0.1 * 300 + 0.1 * 200 + 0.35 * 600)
    quantifiable = 0.95 * (np.sqrt(square) - 5.0)
    assert got["quantifiable_risk_capital"] == pytest.approx(quantifiable)
    assert got["control_risk"] == pytest.approx(0.05 * quantifiable)
    assert got["minimum_capital"] == pytest.approx(1.05 * quantifiable + 2.0)
    assert got["diversification"] == pytest.approx(100 - np.sqrt(square))
    earlier = RulePack.at(date(2026, 6, 30), readings={"control_risk_before_size_factor": True})
    other = build_tree(rows(company), rows({}), factors, earlier).values(np.zeros(1))
    assert other["control_risk"] == pytest.approx(0.05 * (np.sqrt(square) - 5.0))
    assert other["minimum_capital"] == pytest.approx(quantifiable + 0.05 * (np.sqrt(square) - 5.0) + 2.0)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (0.4583 * 100, 0.5 * 0.4583 * 100),  # the ratio 0.5 binds up to 0.22 / 0.48 of the cap
        (100.0, 0.22 * 100 + 0.02 * 100),
        (3900.0, 100.0),  # the cap is reached at 39 times the cap
        (5000.0, 100.0),
    ],
)
def test_loss_absorption_follows_the_ratio_of_the_article(pool: float, expected: float) -> None:
    got = values({}, {"equity_price": pool}, replace(NOTHING, absorption_cap=100.0))
    assert got["loss_absorption"] == pytest.approx(expected)
    beta = min(0.5, 0.22 * 100 / pool + 0.02)
    assert got["loss_absorption"] == pytest.approx(min(pool * beta, 100.0))
    assert got["loss_absorption_uncapped"] == pytest.approx(pool * beta)


def test_the_pool_takes_market_and_credit_risk_of_its_own_accounts() -> None:
    pool = {"interest_rate_down": 3.0, "spread": 4.0}
    got = values({"equity_price": 50.0}, pool, replace(NOTHING, absorption_cap=1000.0))
    total = np.sqrt(9 + 16 + 2 * 0.35 * 12)
    assert got["pool_market_and_credit_risk"] == pytest.approx(total)
    assert got["loss_absorption"] == pytest.approx(0.5 * total)
    assert got["quantifiable_risk_capital"] == pytest.approx(50.0 - 0.5 * total)


def random_tree(seed: int, size: int = 6) -> tuple[CapitalTree, np.ndarray]:
    generator = np.random.default_rng(seed)
    coefficients = {name: generator.uniform(0.0, 0.5, size).tolist() for name in MODULES}
    coefficients["interest_rate_up"] = generator.normal(0, 0.2, size).tolist()
    coefficients["interest_rate_down"] = (-np.array(coefficients["interest_rate_up"]) * 0.8).tolist()
    constants = {name: float(generator.normal(0, 20)) for name in MODULES if "rate" in name or ":" in name}
    pooled = np.arange(size) < size // 2
    within = {name: (np.array(row) * pooled).tolist() for name, row in coefficients.items()}
    company = GivenCapital(float(generator.uniform(0, 40)), 1.0, float(generator.uniform(1, 40)), None, 3.0, 0.95, 0.02)
    halves = {name: amount / 2 for name, amount in constants.items()}
    tree = build_tree(rows(constants, coefficients), rows(halves, within), company, PACK)
    return tree, generator.uniform(0.0, 100.0, size)


SEEDS = st.integers(0, 100_000)


@settings(max_examples=60)
@given(SEEDS)
def test_attribution_adds_up(seed: int) -> None:
    tree, holdings = random_tree(seed)
    share = tree.attribute(holdings)
    assert share.contribution.sum() + share.constants == pytest.approx(tree.value(holdings), rel=1e-9)


@settings(max_examples=60)
@given(SEEDS, st.floats(0.01, 1000.0))
def test_capital_scales_with_money(seed: int, factor: float) -> None:
    tree, holdings = random_tree(seed)
    scaled = replace(tree, constants=tree.constants * factor)
    assert scaled.value(holdings * factor) == pytest.approx(factor * tree.value(holdings), rel=1e-9)


@settings(max_examples=60)
@given(SEEDS, st.floats(0.0, 1.0))
def test_an_asset_split_in_two_rows_costs_the_same(seed: int, share: float) -> None:
    tree, holdings = random_tree(seed)
    doubled = replace(
        tree, coefficients=sparse.csr_array(sparse.hstack([tree.coefficients, tree.coefficients[:, [0]]]))
    )
    split = np.append(holdings, holdings[0] * (1 - share))
    split[0] *= share
    assert doubled.value(split) == pytest.approx(tree.value(holdings), rel=1e-9)


@settings(max_examples=60)
@given(SEEDS)
def test_the_gradient_agrees_with_finite_differences(seed: int) -> None:
    tree, holdings = random_tree(seed)
    step = 1e-4
    gradient = tree.gradient(holdings)
    for row in range(len(holdings)):
        move = step * np.eye(len(holdings))[row]
        sides = tree.gradient(holdings + move)[row], tree.gradient(holdings - move)[row]
        slope = (tree.value(holdings + move) - tree.value(holdings - move)) / (2 * step)
        # Where a kink lies between, the slope lies between the two sides.
        assert min(*sides, gradient[row]) - 1e-5 <= slope <= max(*sides, gradient[row]) + 1e-5


def test_the_table_has_every_line_of_the_filing_with_its_article() -> None:
    life = {"loss_occurrence": 3.0, "expense": 2.0, "lapse": 4.0}
    company = GivenCapital(life, 1.0, 5.0, None, 3.0, 0.95, 0.02)
    tree = build_tree(rows({}, {"spread": [1.0] * 6}), rows({}), company, PACK)
    table = tree.table(np.ones(6)).set_index("module")
    assert set(FILING_ORDER) <= set(table.index)
    assert (table["article"] != "").all()
    assert table.loc["market_diversification", "parent"] == "market_risk"
    assert all(label(name).zh for name in table.index)


def test_without_participating_business_nothing_is_absorbed() -> None:
    got = values({"equity_price": 10.0}, {"equity_price": 10.0}, NOTHING)
    assert got["loss_absorption"] == 0.0
    assert not any(name.startswith("pool_") for name in got)
