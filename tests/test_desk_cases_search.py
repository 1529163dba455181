"""What desks reported of the search: answers that exist are found, proven, and meet every figure as written.

Each right value comes from the rule, from a book laid down here that complies, or from local searches on the exact
capital; the charges are those of the engine at the very holdings.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund, Infeasible, InputError
from tests.local_searches import complies, local_best

CURVE = pd.DataFrame({"tenor": range(1, 51), "spot": np.linspace(0.014, 0.026, 50)})
POLICIES = pd.DataFrame(
    {"account": "traditional", "year": range(1, 31), "outflow": np.linspace(4.0, 1.0, 30), "inflow": 0.0}
)
ISSUERS = pd.DataFrame({"issuer": ["I0", "I1"], "type": "non_financial", "rating": "AA"})


def fund(rows: list[dict[str, Any]], required: Any, *, own: float = 15.0, company: float = 150.0, **more: Any) -> Fund:
    """Return a fund in CNY 100 million, all in the traditional account."""
    settings = {
        "fund": {"name": "desk", "as_of": "2026-06-30", "unit": 1e8},
        "balance_sheet": {
            "total_assets": company,
            "actual_capital": own,
            "core_capital": own,
            "reported_comprehensive_ratio": 2.2,
        },
        "capital": {
            "regime": "cross2",
            "life_insurance_risk": 0.8,
            "loss_absorption_cap": 0.0,
            "sarmra_score": 80,
            "require": {"comprehensive": required},
        },
        "objective": {"maximize": "expected_return"},
        **more,
    }
    frame = pd.DataFrame([{"account": "traditional", **row} for row in rows])
    return Fund(settings, frame, curve=CURVE, liabilities=POLICIES, issuers=ISSUERS)


def stock(name: str, amount: float, earned: float, **more: Any) -> dict[str, Any]:
    base = {"asset_id": name, "kind": "listed_stock", "amount": amount, "board": "main", "cost": amount}
    return base | {"max": 60.0, "min": 0.0, "expected_return": earned, "holding_years": 1} | more


def cash(amount: float, earned: float = 0.01, **more: Any) -> dict[str, Any]:
    return {"asset_id": "CASH", "kind": "cash", "amount": amount, "expected_return": earned, "max": 200.0} | more


def bond(amount: float, earned: float = 0.025, maturity: str = "2046-06-30", **more: Any) -> dict[str, Any]:
    terms = {"coupon": 0.025, "yield": 0.025, "frequency": 1, "maturity": maturity, "max": 200.0}
    return {"asset_id": "GOV", "kind": "government_bond", "amount": amount, "expected_return": earned} | terms | more


def plan_of(name: str, amount: float, earned: float) -> dict[str, Any]:
    share = {"transparency": "exempt", "rating": "AA", "layers": 4, "underlying_count": 200}
    base = {"asset_id": name, "kind": "abs_plan", "amount": amount, "expected_return": earned, "max": 50.0}
    return base | share | {"largest_underlying_share": 0.05}


def as_good_as_local(book: Fund, starts: int = 8) -> None:
    """Assert a proven answer that meets every ratio as written and that no local search beats."""
    result = book.optimize().value
    best, _ = local_best(book, starts, 1)
    assert result.status == "optimal"
    assert complies(book, result.holdings)
    assert result.objective >= best - 1e-5
    assert result.solution.bound >= best - 1e-9
    for item in result.after.requirements:
        assert item.required is None or result.after.ratio(item.name) >= item.required * (1.0 - 1e-14)


# ---- a concentration charge that is in force now, and disappears when the position is sold down

CROWDED = [
    stock("NEAR", 16.0, 0.082, board="star", issuer="I1"),
    plan_of("ABS", 18.0, 0.07),
    {"asset_id": "UNLISTED", "kind": "unlisted_equity", "amount": 12.0, "max": 24.0, "expected_return": 0.077}
    | {"strategic_emerging": "yes"},
    bond(14.0),
    cash(8.0),
]


@pytest.mark.parametrize("required", [1.2, 1.5, 1.9])
def test_a_book_above_a_concentration_threshold_is_searched_on_both_sides_of_it(required: float) -> None:
    book = fund(CROWDED, required, company=80.0, constraints=[{"turnover": {"max": 0.25}}])
    assert book.regime.basis.charges.at().k_concentration.any()
    as_good_as_local(book)


def test_a_laxer_requirement_never_earns_less() -> None:
    earned = [
        fund(CROWDED, level, company=80.0, constraints=[{"turnover": {"max": 0.25}}]).optimize().value.objective
        for level in (1.2, 1.35, 1.5, 1.7, 1.9)
    ]
    assert earned == sorted(earned, reverse=True)


def test_the_most_reachable_lets_the_charge_disappear() -> None:
    """What is said to be the most is no less than what any book reaches that keeps all other rules."""
    rules = [{"turnover": {"max": 0.25}}]
    lean = fund(CROWDED, 1e-3, company=80.0, constraints=rules, objective={"minimize": "capital"})
    best = lean.optimize().value
    _, held = local_best(lean, 6, 2)
    assert best.status == "optimal" and held is not None
    reached = best.after.ratio("comprehensive")
    assert reached >= lean.position(held).ratio("comprehensive") - 1e-5
    assert fund(CROWDED, reached - 1e-3, company=80.0, constraints=rules).optimize().value.status == "optimal"
    with pytest.raises(Infeasible) as told:
        fund(CROWDED, reached + 0.05, company=80.0, constraints=rules).optimize()
    most = next(float(x.got) for x in told.value.problems if x.where == "comprehensive")
    assert most == pytest.approx(reached, abs=1e-3)


# ---- the gain of the stock book


@pytest.mark.parametrize(("costs", "limit"), [((9.28, 3.28), 12.0), ((5.0, 4.0), 10.0), ((14.0, 9.0), 8.0)])
def test_bounds_of_a_part_are_no_error_of_the_user(costs: tuple[float, float], limit: float) -> None:
    """Fifteen are held, the least amounts are nothing, and turnover allows the way down."""
    rows = [
        stock("CSI", 10.0, 0.061, indices="csi300", cost=costs[0], max=20.0),
        stock("STAR", 5.0, 0.078, board="star", cost=costs[1], max=10.0),
        bond(60.0),
        cash(20.0),
    ]
    equity = {"limit": {"name": "equity", "rule": f'sum(amount where kind == "listed_stock") <= {limit}% of portfolio'}}
    book = fund(rows, 1.5, company=105.0, constraints=[equity, {"turnover": {"max": 0.21}}])
    as_good_as_local(book, starts=4)


@pytest.mark.parametrize(("csi", "star"), [(6.8966, 3.4483), (9.0, 6.5), (5.2, 4.9)])
def test_marginal_capital_is_the_slope_of_the_capital_on_either_side(csi: float, star: float) -> None:
    rows = [stock("CSI", 10.0, 0.06, indices="csi300", cost=csi), stock("STAR", 5.0, 0.08, board="star", cost=star)]
    book = fund([*rows, bond(60.0), cash(20.0)], 1.0, company=105.0)
    held, now = book.space.current, book.position()
    more, less = now.marginals
    for row in range(len(held)):
        step = np.zeros(len(held))
        step[row] = 1e3
        above, below = (book.position(held + sign * step).minimum_capital for sign in (1.0, -1.0))
        assert more[row] == pytest.approx((above - now.minimum_capital) / 1e3, abs=2e-5)
        assert less[row] == pytest.approx((now.minimum_capital - below) / 1e3, abs=2e-5)
    if csi < 10.0 and star < 5.0:  # what is bought dilutes the gain that all stock is charged for
        row = list(book.space.asset_id).index("CSI")
        assert more[row] < less[row] - 0.001


# ---- derivatives on either side of zero


def future(amount: float, low: float, high: float, effective: float = 0.0) -> dict[str, Any]:
    base = {"asset_id": "FUT", "kind": "index_future", "amount": amount, "min": low, "max": high, "board": "main"}
    return base | {"expected_return": 0.0, "hedge_effectiveness": effective, "hedge_months": 3}


def forward(amount: float, book: float, effective: float) -> dict[str, Any]:
    base = {"asset_id": "FWD", "kind": "fx_forward", "amount": amount, "min": -12.0, "max": 4.0, "currency": "USD"}
    more = {"hedge_effectiveness": effective, "counterparty": "CP", "rating": "AA", "book_value": book}
    return base | more | {"expected_return": 0.0}


BASE = [stock("CSI", 12.0, 0.06, indices="csi300"), bond(50.0), cash(20.0)]
ABROAD = {"asset_id": "HK", "kind": "overseas_stock", "amount": 8.0, "max": 20.0, "expected_return": 0.05}
ABROAD |= {"market": "developed", "currency": "USD"}


@pytest.mark.parametrize(("amount", "low", "high"), [(0.0, -5.0, 0.0), (0.0, -5.0, 5.0), (-0.001, -5.0, 0.0)])
def test_a_future_that_hedges_nothing_is_held_at_nothing(amount: float, low: float, high: float) -> None:
    """On either side it costs 35% of its size and earns nothing: beside stock that stays, none is held."""
    rows = [BASE[0] | {"min": 12.0}, *BASE[1:], future(amount, low, high)]
    book = fund(rows, 1.0, objective={"minimize": "capital"})
    result = book.optimize().value
    assert result.status == "optimal"
    assert result.holdings[list(book.space.asset_id).index("FUT")] == pytest.approx(0.0, abs=1e3)


@pytest.mark.parametrize(("claim", "effective"), [(-0.09, 1.0), (0.15, 0.0), (0.0, 1.0)])
def test_a_forward_that_may_change_its_side_is_answered_and_proven(claim: float, effective: float) -> None:
    rows = [*BASE, ABROAD, forward(-2.2, claim, effective)]
    as_good_as_local(fund(rows, 1.6, constraints=[{"turnover": {"max": 0.36}}]))


# ---- figures as written, books that cannot move, capital that is nothing


@pytest.mark.parametrize("required", [1.409, 1.7, 2.0])
def test_a_binding_ratio_is_met_as_written(required: float) -> None:
    book = fund(CROWDED, required, company=300.0, constraints=[{"turnover": {"max": 0.33}}])
    after = book.optimize().value.after
    assert after.ratio("comprehensive") >= required
    assert after.ratio("comprehensive") == pytest.approx(required, abs=1e-6)


def fixed(required: Any) -> Fund:
    rows = [row | {"min": row["amount"], "max": row["amount"]} for row in BASE]
    return fund(rows, required)


def test_a_book_that_may_not_trade_is_its_own_optimum() -> None:
    ratio = fixed(1.0).position().ratio("comprehensive")
    for required in ("no_worse", ratio, ratio - 1e-4):
        result = fixed(required).optimize().value
        assert (result.status, result.gap) == ("optimal", 0.0)
        assert result.holdings == pytest.approx(result.model.space.current)
    with pytest.raises(Infeasible, match="comprehensive"):
        fixed(ratio + 1e-4).optimize()


@pytest.mark.parametrize("required", [0.5, 2.0, 9.0])
def test_without_any_charge_every_ratio_is_met(required: float) -> None:
    book = fund([cash(20.0, min=1.0)], required)
    settings = book.settings.capital.options | {"life_insurance_risk": 0, "without_liabilities": True}
    sections = {"fund": {"name": "none", "as_of": "2026-06-30", "unit": 1e8}}
    sections["balance_sheet"] = {"total_assets": 20, "actual_capital": 3, "core_capital": 3}
    sections["capital"] = {"regime": "cross2", **settings}
    bare = Fund(sections, pd.DataFrame([{"account": "traditional", **cash(20.0)}]), curve=CURVE)
    result = bare.optimize().value
    assert result.after.minimum_capital == 0.0
    assert result.after.ratio("comprehensive") == np.inf
    with pytest.raises(InputError, match="no_worse"):
        Fund(
            sections | {"capital": sections["capital"] | {"require": {"comprehensive": "no_worse"}}},
            pd.DataFrame([{"account": "traditional", **cash(20.0)}]),
            curve=CURVE,
        ).position()


def test_negative_own_funds_are_told_with_what_is_missing() -> None:
    book = fund(BASE, 2.0, own=-5.0)
    assert book.position().ratio("core") == pytest.approx(-5e8 / book.position().minimum_capital)
    assert dict(book.regime.basis.excess) == {}
    with pytest.raises(Infeasible) as told:
        book.optimize()
    hint = told.value.problems[0].hint
    assert "own funds are negative (−5.00" in hint.en
    least = fund(BASE, 1e-3, objective={"minimize": "capital"}).optimize().value.after.minimum_capital
    missing = float(re.search(r"capital of ([\d.]+)", hint.en)[1])
    assert missing == pytest.approx((2.0 * least + 5e8) / 1e8, abs=0.01)


# ---- a return on capital is proven to its own gap


@pytest.mark.parametrize("rows", [BASE, CROWDED, [*BASE, ABROAD, forward(-5.4, 0.149, 0.0)]])
def test_a_return_on_capital_is_proven_and_no_local_search_beats_it(rows: list[dict[str, Any]]) -> None:
    objective = {"maximize": "return_on_capital"}
    book = fund(rows, 0.9, objective=objective, constraints=[{"turnover": {"max": 0.14}}])
    result = book.optimize().value
    best, _ = local_best(book, 6, 3)
    assert result.status == "optimal" and result.gap <= 1e-5
    assert result.objective >= best - 1e-5
    capital = result.after.minimum_capital
    assert result.objective == pytest.approx(float(result.expected_return @ result.holdings) / capital, rel=1e-9)
