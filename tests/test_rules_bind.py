"""Every rule binds the optimizer, and its shadow price is the slope that a finite difference finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from allocator_alm.coverage import COVERAGE
from allocator_alm.gaps import GAPS
from allocator_alm.matching import MATCHING
from allocator_eligibility.accounts import ACCOUNTS
from allocator_eligibility.house import HOUSE
from allocator_eligibility.trading import TRADING
from allocator_limits.classes import CLASSES
from allocator_limits.concentration import CONCENTRATION
from allocator_limits.conditions import CONDITIONS
from allocator_liquidity.coverage import LIQUIDITY
from rule_funds import AS_OF, build, context

from allocator.errors import VerificationError
from allocator.model import Linear, Model, ModelContext, ObjectiveTerm, Sense, Term
from allocator.model.build import build_budgets, build_trade_cost
from allocator.solve import Solution, solve
from allocator.types import Text
from allocator.verify import verify

SPECS = (*CLASSES, *CONCENTRATION, *CONDITIONS, *HOUSE, *TRADING, *ACCOUNTS, *GAPS, *COVERAGE, *MATCHING, *LIQUIDITY)
GIVEN = {"leverage"}  # borrowing is given, not decided: nothing to bind
CASH = {"asset_id": "CASH", "kind": "cash", "amount": 600.0, "expected_return": 0.01, "net_yield": 0.01}
CURVE = pd.DataFrame({"tenor": [1.0, 50.0], "spot": [0.03, 0.03]})
LIABILITIES = pd.DataFrame(
    {"account": "traditional", "year": [1, 10], "outflow": [200.0, 1000.0], "inflow": 0.0, "guaranteed_rate": 0.02}
)
FORECAST = {
    **{"new_premiums": 0, "surrenders": 100, "other_outflows": 300},
    **{"new_premiums_last_year": 0, "surrender_value": 400},
}
# A quarter that asks for little, so that one horizon alone binds.
QUIET = FORECAST | {"surrenders": 25, "other_outflows": 75}


@dataclass(frozen=True)
class Case:
    """A fund in which one rule must bind: the wish stands first, cash second, further rows behind."""

    wish: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Mapping[str, Any], ...] = ()
    sheet: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def fund(self) -> ModelContext:
        wish = {"asset_id": "WISH", "amount": 5.0, "expected_return": 0.05, "net_yield": 0.05} | dict(self.wish)
        return context([wish, CASH, *self.others], balance_sheet=self.sheet, **self.tables)


def bond(years: int, **more: Any) -> dict[str, Any]:
    maturity = (AS_OF + timedelta(days=365 * years)).isoformat()
    return {"kind": "government_bond", "coupon": 0.0, "maturity": maturity, "yield": 0.03} | more


SAFE = {"asset_id": "SAFE", "kind": "government_bond", "amount": 200.0, "expected_return": 0.005}
SIDES = {"curve": CURVE, "liabilities": LIABILITIES}
LONG = bond(10, asset_id="LONG", amount=100.0, expected_return=0.002)
TYPES = pd.DataFrame({"issuer": ["F"], "type": ["technology_firm"]})
DEAL = {"wish": {"kind": "corporate_bond"}, "options": {"where": 'kind == "corporate_bond"'}}

CASES: dict[str, Case] = {
    "equity_ceiling": Case({"kind": "listed_stock"}),
    "class_limits": Case({"kind": "debt_plan"}),
    "liquid_assets": Case({"kind": "property"}, {"mode": "hard"}, ({**SAFE, "expected_return": 0.0},)),
    "low_rated_bonds": Case({"kind": "corporate_bond", "rating": "AA"}, {"mode": "hard"}),
    "venture_total": Case({"kind": "venture_fund"}),
    "gold": Case({"kind": "gold"}),
    "single_asset": Case({"kind": "corporate_bond"}),
    "single_entity": Case({"kind": "corporate_bond", "issuer": "X"}),
    "share_capital": Case({"kind": "listed_stock", "share_capital_held": 0.004}),
    "fund_size": Case({"kind": "pe_fund", "fund_size": 300.0, "group_share_held": 0.5}),
    "solvency_gates": Case({"kind": "pe_fund"}, sheet={"reported_comprehensive_ratio": 1.1}),
    "reit_solvency": Case({"kind": "reit"}, sheet={"reported_comprehensive_ratio": 1.4}),
    "corporate_rating_floor": Case({"kind": "corporate_bond", "rating": "BB"}),
    "venture_conditions": Case({"kind": "venture_fund", "manager_years": 1.0}, {"blank": "skip"}),
    "limit": Case({"kind": "gold"}, {"rule": 'sum(amount where kind == "gold") <= 7% of total_assets'}),
    "no_purchase": Case(**DEAL),
    "no_sell": Case({"kind": "corporate_bond", "expected_return": 0.0}, DEAL["options"]),
    "hold": Case(**DEAL),
    "buy_and_hold": Case(bond(3, expected_return=0.0, accounting="ac")),
    # Two rows to pay from: with one, its sale would be held as its purchase is.
    "trade_size": Case({"kind": "corporate_bond"}, {"max": 0.1}, ({**CASH, "asset_id": "MORE"},)),
    "group_turnover": Case({"kind": "corporate_bond"}, {"max": 0.1}),
    "allowed": Case({"kind": "gold"}, {"kinds": ["cash"]}),
    "tech_bond_tenor": Case(
        {"kind": "tech_innovation_bond", "issuer": "F", "issue_date": "2026-05-01", "maturity": "2026-08-01"},
        tables={"issuers": TYPES},
    ),
    "rate_hedge_ratio": Case({"kind": "listed_stock"}, {}, (LONG,), tables=SIDES),
    "duration_gap": Case({"kind": "listed_stock"}, {"mode": "hard"}, (LONG,), tables=SIDES),
    "dv01_gap": Case({"kind": "listed_stock"}, {"max": 0.4}, (LONG,), tables=SIDES),
    "key_rate_durations": Case({"kind": "listed_stock"}, {"tenors": [1, 10], "max": 0.5}, (LONG,), tables=SIDES),
    "comprehensive_yield_coverage": Case(
        {"kind": "listed_stock", "expected_return": 0.04},
        {"income_history": [0] * 4, "cost_history": [0] * 4, "cost": 18},
        (bond(5, asset_id="HELD", amount=100.0, accounting="ac", **{"yield": 0.02, "expected_return": 0.06}),),
    ),
    "net_yield_coverage": Case(
        {"kind": "listed_stock", "net_yield": 0.0},
        {"income_history": [0, 0], "cost_history": [0, 0], "cost": 5},
    ),
    "guaranteed_spread": Case(
        {"kind": "listed_stock", "net_yield": 0.01},
        {"income": "net", "rates": {"traditional": 0.02}},
        ({"asset_id": "RENT", "kind": "property", "amount": 200.0, "net_yield": 0.04, "expected_return": 0.005},),
        tables=SIDES,
    ),
    "cash_flow_matching": Case({"kind": "listed_stock"}, {"buckets": [1]}, (LONG,), tables=SIDES),
    "liquidity_coverage": Case({"kind": "property"}, {"months_3": QUIET, "months_12": FORECAST}),
    "sale_limit": Case({"kind": "corporate_bond"}, {"max": 0.25}),
}


def test_every_rule_is_tried() -> None:
    assert set(CASES) | GIVEN == {spec.name for spec in SPECS}


def model_of(fund: ModelContext, terms: tuple[Term, ...]) -> Model:
    left = Linear.of(fund.expected_return / fund.space.total)
    objective = ObjectiveTerm("expected_return", Text("Expected return", "预期收益"), left)
    budgets = build_budgets(fund.inputs, fund.space)
    return Model(fund.space, (objective,), (*budgets, *terms), build_trade_cost(fund.inputs, fund.space))


def solved(fund: ModelContext, terms: tuple[Term, ...]) -> Solution:
    model = model_of(fund, terms)
    solution = solve(model)
    verify(model, solution.holdings, None)
    return solution


@dataclass(frozen=True)
class Bound:
    """A case solved under its rule, and the row of it that costs most."""

    fund: ModelContext
    terms: tuple[Term, ...]
    held: Solution
    called: str
    row: int
    price: float

    @classmethod
    def of(cls, name: str) -> Bound:
        case = CASES[name]
        fund = case.fund()
        terms = tuple(build(SPECS, name, fund, **case.options).values())
        held = solved(fund, terms)
        prices = {(term.name, row): price for term in terms for row, price in enumerate(held.shadow_prices[term.name])}
        (called, row), price = max(prices.items(), key=lambda item: abs(item[1]))
        return cls(fund, terms, held, called, row, price)

    @property
    def term(self) -> Term:
        return next(term for term in self.terms if term.name == self.called)

    def loosened(self, step: float) -> Solution:
        """Return the answer with the costly row looser by ``step`` in its shown unit; negative is tighter."""
        looser = -1.0 if self.term.sense is Sense.AT_LEAST else 1.0
        right = self.term.right.copy()
        right[self.row] += looser * step * self.term.per[self.row]
        return solved(self.fund, tuple(replace(one, right=right) if one is self.term else one for one in self.terms))


STEP = 1e-3


@pytest.mark.parametrize("name", CASES)
def test_a_rule_binds_and_its_price_is_the_slope_of_the_objective(name: str) -> None:
    bound = Bound.of(name)
    assert solved(bound.fund, ()).objective > bound.held.objective + 1e-6
    assert abs(bound.price) > 1e-6
    assert abs(bound.term.slack(bound.held.holdings)[bound.row]) < 1e-6
    slope = (bound.loosened(STEP).objective - bound.loosened(-STEP).objective) / (2 * STEP)
    assert bound.price == pytest.approx(slope, rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_an_answer_at_the_limit_or_inside_is_verified_and_one_outside_is_refused(name: str) -> None:
    bound = Bound.of(name)
    model, row = model_of(bound.fund, bound.terms), bound.row
    verify(model, bound.held.holdings, None)
    if bound.term.sense is not Sense.EQUAL:
        inside = bound.loosened(-STEP).holdings
        assert bound.term.slack(inside)[row] >= STEP - 1e-6
        verify(model, inside, None)
    outside = bound.loosened(STEP).holdings
    assert bound.term.slack(outside)[row] == pytest.approx(-STEP, rel=1e-3)
    with pytest.raises(VerificationError) as refused:
        verify(model, outside, None)
    assert bound.term.row_names()[row] in {problem.where for problem in refused.value.problems}


def test_a_soft_rule_gives_way_at_its_price_and_a_monitored_one_never_binds() -> None:
    fund = CASES["gold"].fund()
    dear = solved(fund, tuple(build(SPECS, "gold", fund, mode="soft", price=1.0).values()))
    cheap = solved(fund, tuple(build(SPECS, "gold", fund, mode="soft", price=1e-3).values()))
    watched = solved(fund, tuple(build(SPECS, "gold", fund, mode="monitor").values()))
    assert dear.holdings[0] == pytest.approx(10.0, abs=1e-3)
    assert cheap.holdings[0] == pytest.approx(605.0, abs=1e-3) == pytest.approx(watched.holdings[0], abs=1e-3)


def test_a_rule_in_breach_can_be_held_no_worse() -> None:
    rows = [{"kind": "gold", "amount": 50.0, "expected_return": 0.05}, CASH]
    fund = context(rows)
    kept = solved(fund, tuple(build(SPECS, "gold", fund, no_worse=True).values()))
    assert kept.holdings[0] == pytest.approx(50.0, abs=1e-3)
    sold = solved(fund, tuple(build(SPECS, "gold", fund).values()))
    assert np.allclose(sold.holdings, [10.0, 640.0], atol=1e-3)
