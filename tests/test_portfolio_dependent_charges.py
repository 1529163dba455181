"""Charges that depend on the stock book's gain: the rules searched with are kept by every book, and the bound holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator
from allocator import Fund, Infeasible
from allocator.errors import Problem, SolverFailure
from allocator.solve.state import state as state_module
from allocator.solve.state.state import _StateSearch
from allocator.types import Text

INSURER = Path(__file__).parents[1] / "examples" / "life_insurer" / "fund.yaml"


def fund(
    required: Any = 1.5,
    costs: tuple[float, float] = (8.0, 33.0),
    fixed: float | None = None,
    property: tuple[float, float] = (20.0, 0.0),
    **sections: Any,
) -> Fund:
    """Two stocks, one held at a gain of 25% (book 10, cost 8), one at a loss; the ratio binds.

    ``fixed``: instead one stock that may not be traded, beside ``property`` (now and at least) that may pass
    its threshold, a quarter of all assets.
    """
    assets = pd.DataFrame(
        {
            "asset_id": ["GAIN", "LOSS", "BOND"],
            "name": ["Gain", "Loss", "Bond"],
            "kind": ["listed_stock", "listed_stock", "government_bond"],
            "account": ["traditional"] * 3,
            "amount": [10.0, 30.0, 60.0],
            "max": [40.0, 40.0, 100.0],
            "cost": [*costs, None],
            "board": ["main", "chinext", None],
            "market": ["domestic"] * 3,
            "currency": ["CNY"] * 3,
            "expected_return": [0.062, 0.075, 0.02],
            "coupon": [None, None, 0.02],
            "yield": [None, None, 0.02],
            "frequency": [None, None, 1],
            "maturity": [None, None, "2036-03-31"],
        }
    )
    if fixed is not None:
        assets = assets.assign(
            kind=["listed_stock", "property", "cash"],
            amount=[fixed, property[0], 80.0 - property[0]],
            min=[fixed, property[1], 0.0],
            max=[fixed, 80.0, 100.0],
            city_tier=[None, "other", None],
        )
    curve = pd.DataFrame({"tenor": range(1, 51), "spot": np.linspace(0.015, 0.024, 50)})
    liabilities = pd.DataFrame({"account": "traditional", "year": range(1, 31), "outflow": 3.0, "inflow": 0.2})
    return Fund(
        {
            "fund": {"name": "State", "as_of": "2026-03-31", "unit": 1e8},
            "balance_sheet": {"total_assets": 100, "actual_capital": 30, "core_capital": 25},
            "capital": {
                "regime": "cross2",
                "life_insurance_risk": 4,
                "nonlife_insurance_risk": 0,
                "sarmra_score": 80,
                "loss_absorption_cap": 0,
                "guard_concentration": fixed is None,
                "require": {"comprehensive": required},
            },
            **sections,
        },
        assets,
        curve=curve,
        liabilities=liabilities,
    )


POSITION = st.tuples(st.floats(0.0, 40e8), st.floats(0.0, 40e8), st.floats(0.0, 100e8)).map(np.array)


@given(POSITION, st.floats(0.0, 0.3), st.floats(0.0, 0.3))
@settings(max_examples=100, deadline=None)
def test_every_book_keeps_the_rules_of_the_interval_it_lies_in(held: np.ndarray, below: float, above: float) -> None:
    book = FUND
    state = book.regime.book_state(book.space)
    at = state.at(held)
    for term in state.rules(book.space, at - below, at + above):
        assert term.holds(held)


@pytest.mark.parametrize("which", [0, 1, 2])
@given(POSITION, st.floats(0.0, 0.3), st.floats(0.0, 0.3))
@settings(max_examples=40, deadline=None)
def test_exact_coefficients_lie_between_the_two_trees(which: int, held: np.ndarray, below: float, above: float) -> None:
    """Guarded; with a threshold that may be passed; with one that the bounds pass already, where nothing is open."""
    book = BOOKS[which]
    held = np.clip(held, book.space.lower, book.space.upper)
    state = book.regime.book_state(book.space)
    exact = book.regime.tree(held).coefficients.toarray()
    if which == 2:
        assert state is None
        assert exact == pytest.approx(book.regime.tree().coefficients.toarray(), abs=1e-15)
        return
    at = state.at(held)
    least, greatest = state.trees(at - below, at + above)
    assert np.all(least.coefficients.toarray() <= exact + 1e-12)
    assert np.all(exact <= greatest.coefficients.toarray() + 1e-12)


FUND = fund()
BOOKS = (FUND, fund(fixed=10.0, property=(20.0, 0.0)), fund(fixed=10.0, property=(60.0, 30.0)))


def test_two_spaces_cover_the_one_they_split() -> None:
    state = FUND.regime.book_state(FUND.space)
    sold, bought = state.split(FUND.space, 0.1, FUND.space.upper * 0.5)
    assert np.minimum(sold.lower, bought.lower) == pytest.approx(FUND.space.lower)
    assert np.maximum(sold.upper, bought.upper) == pytest.approx(FUND.space.upper)


def test_the_certificate_holds_against_a_grid_of_all_trades() -> None:
    result = FUND.optimize().value
    assert result.solution.status == "optimal"
    assert result.after.ratio("comprehensive") >= 1.5 - 1e-7
    best = -np.inf
    for gain in np.linspace(0.0, 40e8, 81):
        for loss in np.linspace(0.0, 40e8, 81):
            held = np.array([gain, loss, 100e8 - gain - loss])
            if held[2] < 0.0:
                continue
            if FUND.position(held).ratio("comprehensive") >= 1.5:
                best = max(best, float(FUND.context.expected_return @ held) / 100e8)
    assert best <= result.solution.bound + 1e-9
    assert result.solution.objective >= best - 1e-5


def of_the_least_capital(**changes: Any) -> Fund:
    return fund(required=1e-6, objective={"minimize": "capital"}, **changes)


@pytest.mark.parametrize("amount", [11.178031031, 6.6887583912345, 9.9999999999, 1.0 / 3.0])
@pytest.mark.parametrize("cost", [10.437452718, 12.9669, 7.0 / 3.0])
def test_a_book_that_may_not_trade_has_one_gain_and_no_rule_that_rounding_breaks(amount: float, cost: float) -> None:
    book = of_the_least_capital(costs=(cost, 33.0), fixed=amount)
    state = book.regime.book_state(book.space)
    least, greatest = state.reach(book.space)
    assert least == greatest == state.at(book.space.current)
    assert state.rules(book.space, least, greatest) == ()
    assert book.optimize().value.solution.status == "optimal"


def test_a_part_that_no_solver_answers_leaves_its_bound_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure inside the whole is no answer, so the part's bound stays that of the whole."""
    whole = fund(solve={"gap": 1e-9}).optimize().value.solution
    asked = []

    def failing(self: Any, *arguments: Any) -> Any:
        asked.append(arguments)
        raise SolverFailure(Problem(Text("none", "无"), "test"))

    monkeypatch.setattr(_StateSearch, "_node", failing)
    part = fund(solve={"gap": 1e-9}).optimize().value.solution
    assert asked
    assert part.status == "feasible"
    assert part.objective <= whole.objective + 1e-9 <= whole.bound + 1e-9 <= part.bound + 2e-9


def test_where_an_answer_near_the_relaxed_one_closes_the_gap_nothing_is_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest, asked = state_module.run_search, []

    def counted(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        return honest(*arguments, **options)

    monkeypatch.setattr(state_module, "run_search", counted)
    solution = allocator.load(INSURER).optimize().value.solution
    assert solution.status == "optimal"
    assert not asked
    assert solution.nodes <= 8


def test_an_answer_below_a_threshold_is_found_where_charges_drive_to_and_fro() -> None:
    """Without the charge of 1.5 the ratio would let more than a quarter be held, with it not even the least of 22."""
    position = {"fixed": 10.0, "costs": (9.0, 33.0), "property": (60.0, 22.0)}
    book = fund(**position)
    at, beyond = (
        book.position(np.array([10.0, held, 80.0 - held]) * 1e8).ratio("comprehensive") for held in (25, 25.1)
    )
    result = fund(required=0.6 * at + 0.4 * beyond, **position).optimize().value
    assert result.holdings[1] == pytest.approx(25e8, rel=1e-4)
    assert result.holdings[1] <= 25e8


def test_a_threshold_that_bounds_put_out_of_reach_is_charged_and_no_error() -> None:
    """A quarter is passed by the least of 30 already; the ratio of what is charged cannot be met."""
    position = {"fixed": 10.0, "costs": (9.0, 33.0), "property": (20.0, 0.0)}
    beyond = fund(**position).position(np.array([10.0, 30.0, 50.0]) * 1e8).ratio("comprehensive")
    position["property"] = (60.0, 30.0)
    with pytest.raises(Infeasible):
        fund(required=beyond + 0.01, **position).optimize()
    assert fund(required=beyond - 1e-6, **position).optimize().value.holdings[1] == pytest.approx(30e8, rel=1e-4)
