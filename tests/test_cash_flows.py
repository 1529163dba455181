"""Cash flows against hand-worked bonds, and the laws that hold for any of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.config.settings import FundSettings, Settings
from allocator.errors import Problems
from allocator.inputs.cash_flows import CashFlows, FloatingRule, asset_cash_flows, modified_durations, yields
from allocator.inputs.curves import SpotCurve
from allocator.inputs.fund import BalanceSheet, Inputs
from allocator.types import AssetKind, Text

AS_OF = date(2026, 6, 30)
KINDS = {
    name: AssetKind(name, Text(name, name), "fixed_income", derivative=name == "rate_swap")
    for name in ("corporate_bond", "rate_swap")
}
FLAT = SpotCurve(np.arange(1.0, 51.0), np.full(50, 0.03))
DATES = ("maturity", "issue_date", "next_call_date", "put_date")


def fund(rows: list[dict[str, object]] | pd.DataFrame, listed: Sequence[tuple[str, str, float, float]] = ()) -> Inputs:
    frame = pd.DataFrame(rows)
    defaults = {"kind": "corporate_bond", "account": "traditional", "amount": 100.0}
    for name, value in defaults.items():
        frame[name] = frame[name].fillna(value) if name in frame else value
    frame["asset_id"] = frame["asset_id"] if "asset_id" in frame else [f"A{n}" for n in range(len(frame))]
    for name in DATES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name])
    tables = {"assets": frame}
    if listed:
        flows = pd.DataFrame(listed, columns=["asset_id", "date", "principal", "interest"])
        tables["cash_flows"] = flows.assign(date=pd.to_datetime(flows["date"]))
    settings_ = Settings(fund=FundSettings(name="test", as_of=AS_OF), inputs={})
    return Inputs(settings_, BalanceSheet(), tables, {}, MappingProxyType(KINDS))


def flows_of(inputs: Inputs, floating: FloatingRule = FloatingRule.RESET) -> CashFlows:
    problems = Problems()
    flows = asset_cash_flows(inputs, np.ones(len(inputs.assets), dtype=bool), problems, floating)
    problems.raise_if_any()
    return flows


def days_to(*dates: str) -> list[int]:
    return [(pd.Timestamp(day) - pd.Timestamp(AS_OF)).days for day in dates]


BULLET = {"coupon": 0.04, "frequency": 2, "maturity": "2028-03-31", "yield": 0.03}


def test_a_bullet_pays_coupons_backwards_from_maturity() -> None:
    flows = flows_of(fund([BULLET | {"face": 50.0}]))
    assert flows.day.tolist() == days_to("2026-09-30", "2027-03-31", "2027-09-30", "2028-03-31")
    assert flows.interest == pytest.approx([0.01] * 4)  # 0.5 face per CNY × 2%
    assert flows.principal == pytest.approx([0, 0, 0, 0.5])


def test_without_face_one_cny_buys_what_the_price_at_yield_says() -> None:
    flows = flows_of(fund([BULLET]))
    t = np.array([92 / 365, 274 / 365, 1 + 92 / 366, 1 + 275 / 366])  # 2028 is a leap year
    price = (np.array([0.02, 0.02, 0.02, 1.02]) * 1.015 ** (-2 * t)).sum()
    assert flows.principal.sum() == pytest.approx(1 / price)
    assert flows.interest == pytest.approx([0.02 / price] * 4)


def test_an_asset_not_held_has_flows_per_cny_all_the_same() -> None:
    held, candidate = flows_of(fund([BULLET])), flows_of(fund([BULLET | {"amount": 0.0}]))
    assert candidate.amount == pytest.approx(held.amount)


def test_a_payment_on_the_valuation_date_is_past() -> None:
    flows = flows_of(fund([BULLET | {"maturity": "2027-06-30", "frequency": 1}]))
    assert flows.day.tolist() == [365]


def test_coupon_dates_keep_to_the_month_where_it_is_short() -> None:
    flows = flows_of(fund([BULLET | {"maturity": "2027-08-31", "frequency": 4}]))
    assert flows.day.tolist() == days_to("2026-08-31", "2026-11-30", "2027-02-28", "2027-05-31", "2027-08-31")


def test_interest_at_the_end_is_simple_from_the_issue_date() -> None:
    terms = {"coupon": 0.025, "frequency": 0, "issue_date": "2025-06-30", "maturity": "2028-06-29", "yield": 0.02}
    flows = flows_of(fund([terms]))
    paid = 1 + 0.025 * 3
    assert flows.day.tolist() == [730]
    price = 1.02 ** (1 + 365 / 366)  # the day before the second anniversary
    assert flows.principal == pytest.approx([price / paid])
    assert flows.interest == pytest.approx([0.075 * price / paid])


def test_a_discount_paper_needs_no_frequency() -> None:
    flows = flows_of(fund([{"coupon": 0.0, "maturity": "2027-06-30", "yield": 0.02, "frequency": None}]))
    assert (flows.day.tolist(), flows.amount.tolist()) == ([365], pytest.approx([1.02]))


def test_a_callable_bond_ends_at_the_first_call_with_accrued_interest() -> None:
    terms = BULLET | {"maturity": "2031-06-30", "next_call_date": "2027-03-31", "call_price": 101.0, "face": 100.0}
    flows = flows_of(fund([terms]))
    assert flows.day.tolist() == days_to("2026-12-30", "2027-03-31")
    assert flows.principal == pytest.approx([0.0, 1.01])
    assert flows.interest == pytest.approx([0.02, 0.02 * 91 / 182])  # 30 December to 31 March of 30 June


def test_the_first_of_call_and_put_ends_the_bond_and_a_put_is_at_par() -> None:
    terms = BULLET | {"next_call_date": "2027-09-30", "put_date": "2027-03-31", "call_price": 105.0, "face": 100.0}
    flows = flows_of(fund([terms]))
    assert flows.day.tolist() == days_to("2026-09-30", "2027-03-31")
    assert flows.principal.sum() == pytest.approx(1.0)


def test_a_perpetual_bond_is_taken_to_its_next_call() -> None:
    terms = BULLET | {"maturity": None, "next_call_date": "2028-03-31", "call_price": 100.0}
    assert flows_of(fund([terms])).day.tolist() == flows_of(fund([BULLET])).day.tolist()


def test_a_floater_is_par_at_its_next_reset() -> None:
    inputs = fund([BULLET | {"floating": True, "face": 100.0}])
    reset, contract = flows_of(inputs), flows_of(inputs, FloatingRule.CONTRACT)
    assert reset.day.tolist() == days_to("2026-09-30")
    assert reset.amount == pytest.approx([1.02])
    assert len(contract.day) == 4


@pytest.mark.parametrize(
    ("way", "principal", "interest"),
    [
        ("equal_principal", [0.25] * 4, [0.02, 0.015, 0.01, 0.005]),
        # Annuity at 2% a period over four: payment 0.02 / (1 − 1.02⁻⁴) = 0.262623752…
        (
            "annuity",
            [0.242623752, 0.247476227, 0.252425752, 0.257474267],
            [0.02, 0.015147525, 0.010198, 0.005149485],
        ),
    ],
)
def test_amortisation(way: str, principal: list[float], interest: list[float]) -> None:
    flows = flows_of(fund([BULLET | {"amortisation": way, "face": 100.0}]))
    assert flows.principal == pytest.approx(principal, abs=1e-8)
    assert flows.interest == pytest.approx(interest, abs=1e-8)


def test_prepayment_leaves_the_share_of_the_balance_that_cpr_says() -> None:
    flows = flows_of(fund([BULLET | {"prepayment_rate": 0.1, "face": 100.0}]))
    t = flows.time
    balance = 0.9 ** np.concatenate([[0.0], t[:-1]])
    assert flows.interest == pytest.approx(0.02 * balance)
    assert flows.principal == pytest.approx(np.append(balance[:-1] - 0.9 ** t[:-1], balance[-1]))
    assert flows.principal.sum() == pytest.approx(1.0)


def test_prepayment_may_change_by_year() -> None:
    terms = BULLET | {"maturity": "2029-06-29", "frequency": 1, "face": 100.0}
    flows = flows_of(fund([terms | {"prepayment_rate": "10%;0.2"}, terms | {"prepayment_rate": ("0.05",)}]))
    first = flows.row == 0
    t = flows.time[first]
    assert flows.interest[first] == pytest.approx([0.04, 0.04 * 0.9 ** t[0], 0.04 * 0.9 * 0.8 ** (t[1] - 1)])
    assert flows.interest[~first] == pytest.approx(0.04 * 0.95 ** np.array([0.0, *t[:2]]))


def test_an_explicit_table_wins_and_is_shared_over_the_accounts() -> None:
    rows = [{"asset_id": "X", "amount": 60.0}, {"asset_id": "X", "account": "universal", "amount": 40.0}]
    listed = [("X", "2026-01-01", 99.0, 9.0), ("X", "2027-06-30", 50.0, 5.0), ("X", "2028-06-29", 45.0, 3.0)]
    listed.append(("X", "2026-06-30", 7.0, 1.0))  # paid on the valuation date: past, too
    flows = flows_of(fund(rows, listed))
    assert flows.row.tolist() == [0, 0, 1, 1]
    assert flows.amount == pytest.approx([0.55, 0.48, 0.55, 0.48])


def test_listed_flows_of_an_asset_not_held_are_priced_at_its_yield() -> None:
    rows = [{"asset_id": "X", "amount": 0.0, "yield": 0.05}]
    flows = flows_of(fund(rows, [("X", "2027-06-30", 400.0, 20.0)]))
    assert flows.amount == pytest.approx([1.05])


def test_a_swap_is_its_signed_table() -> None:
    listed = [("S", "2027-06-30", 0.0, 0.4), ("S", "2031-06-30", -100.0, 0.0), ("S", "2026-09-30", 100.0, 0.0)]
    flows = flows_of(fund([{"asset_id": "S", "kind": "rate_swap", "amount": -100.0}], listed))
    assert sorted(flows.amount.tolist()) == pytest.approx([-1.0, -0.004, 1.0])
    problems = Problems()
    idle = fund([{"asset_id": "S", "kind": "rate_swap", "amount": 0.0, "yield": 0.03}], listed)
    asset_cash_flows(idle, np.array([True]), problems)
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"coupon": None}, "column coupon"),
        ({"frequency": None}, "column frequency"),
        ({"frequency": 5}, "column frequency"),
        ({"maturity": None}, "column maturity"),
        ({"maturity": "2026-06-30"}, "column maturity"),
        ({"next_call_date": "2026-01-01"}, "column next_call_date"),
        ({"put_date": "2026-01-01"}, "column put_date"),
        ({"yield": None}, "column yield"),
        ({"frequency": 0}, "column issue_date"),
        ({"frequency": 0, "issue_date": "2027-01-01"}, "column issue_date"),
        ({"prepayment_rate": 1.0}, "column prepayment_rate"),
        ({"prepayment_rate": "5%;often"}, "column prepayment_rate"),
        ({"amortisation": "sometimes"}, "column amortisation"),
        ({"next_call_date": "2027-01-01", "call_price": 1.0}, "column call_price"),
    ],
)
def test_what_is_missing_or_impossible_is_named_with_its_row(change: dict[str, object], place: str) -> None:
    problems = Problems()
    flows = asset_cash_flows(fund([BULLET, BULLET | change]), np.array([True, True]), problems)
    assert [problem.where for problem in problems] == [f"assets, row 2, {place}"]
    assert set(flows.row) == {0}


def test_rows_not_asked_for_are_not_checked() -> None:
    problems = Problems()
    flows = asset_cash_flows(fund([BULLET, {"coupon": None}]), np.array([True, False]), problems)
    assert not len(problems) and set(flows.row) == {0}


def test_modified_duration_of_a_par_bond() -> None:
    # Two annual payments of a 3% par bond: (1·0.03/1.03 + 2·1.03/1.03²) / 1.03 = 1.913469…
    bond = {"coupon": 0.03, "frequency": 1, "maturity": "2028-06-29", "yield": 0.03}
    inputs = fund([bond | {"maturity": "2028-06-30"}, bond | {"modified_duration": 7.5}])
    got = modified_durations(inputs, np.array([True, True]), Problems())
    t = np.array([1.0, 2.0])
    value = np.array([0.03, 1.03]) * 1.03**-t
    assert got == pytest.approx([(t * value).sum() / value.sum() / 1.03, 7.5])
    assert got[0] == pytest.approx(1.9135, abs=4e-3)


def test_a_duration_that_is_not_positive_is_an_error() -> None:
    problems = Problems()
    modified_durations(fund([BULLET | {"modified_duration": 0.0}]), np.array([True]), problems)
    assert [problem.where for problem in problems] == ["assets, row 1, column modified_duration"]


def test_without_a_yield_the_duration_uses_the_one_that_the_amount_implies() -> None:
    priced = fund([BULLET])
    face = float(flows_of(priced).principal.sum() * 100)
    solved = fund([BULLET | {"yield": None, "face": face}])
    everything = np.array([True])
    assert modified_durations(solved, everything, Problems()) == pytest.approx(
        modified_durations(priced, everything, Problems())
    )


BONDS = st.fixed_dictionaries(
    {
        "coupon": st.floats(0.0, 0.12),
        "frequency": st.sampled_from([1, 2, 4]),
        "maturity": st.dates(date(2026, 7, 1), date(2076, 6, 30)),
        "yield": st.floats(-0.01, 0.15),
        "amortisation": st.sampled_from(["bullet", "equal_principal", "annuity"]),
        "prepayment_rate": st.sampled_from([0.0, 0.05, 0.3]),
        "floating": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(BONDS, min_size=1, max_size=6))
def test_laws_of_any_bond(bonds: list[dict[str, object]]) -> None:
    inputs = fund(bonds)
    frame = inputs.assets
    flows = flows_of(inputs)
    # The principal outstanding is repaid exactly once, so the yield of one CNY is the yield given.
    assert yields(flows, frame["frequency"]) == pytest.approx(frame["yield"].to_numpy(dtype=float), abs=1e-9)
    assert np.all(flows.day > 0)
    # Duration: against a finite difference of the price, and the key rates add up to the whole.
    step = 1e-6
    moved = [FLAT.shifted(sign * step) for sign in (1, -1)]
    up, down = (flows.present_value(curve) for curve in moved)
    base = flows.present_value(FLAT)
    assert flows.spot_durations(FLAT) == pytest.approx((down - up) / (2 * step) / base, rel=1e-6)
    keys = flows.key_rate_durations(FLAT, [1, 3, 5, 10, 30])
    assert keys.sum(axis=1) == pytest.approx(flows.spot_durations(FLAT))


@settings(max_examples=25, deadline=None)
@given(st.lists(BONDS, min_size=2, max_size=6), st.randoms())
def test_the_order_of_rows_does_not_matter(bonds: list[dict[str, object]], random: object) -> None:
    order = list(range(len(bonds)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = flows_of(fund(bonds)).present_value(FLAT)
    assert flows_of(fund([bonds[n] for n in order])).present_value(FLAT) == pytest.approx(straight[order], rel=1e-12)


def test_a_hundred_thousand_bonds_are_valued_as_each_alone() -> None:
    size = 100_000
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "coupon": generator.uniform(0.01, 0.06, size),
            "frequency": generator.choice([1, 2], size),
            "maturity": np.datetime64(AS_OF) + generator.integers(30, 365 * 20, size),
            "yield": generator.uniform(0.01, 0.05, size),
        }
    )
    value = flows_of(fund(frame)).present_value(FLAT)
    some = generator.choice(size, 20, replace=False)
    alone = flows_of(fund(frame.iloc[some].reset_index(drop=True))).present_value(FLAT)
    assert value[some] == pytest.approx(alone, rel=1e-12)
