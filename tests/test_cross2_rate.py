"""Interest rate risk: the curves of annex 3 by hand, scope, liabilities, and what must be named."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from allocator_cross2.pack import RulePack
from allocator_cross2.rate import DIRECT_SCOPE, RateRisk, rate_curves, rate_risk

from allocator.config.settings import FundSettings, Settings
from allocator.errors import InputError, Problems
from allocator.inputs.cash_flows import FloatingRule, asset_cash_flows
from allocator.inputs.curves import SpotCurve
from allocator.inputs.fund import BalanceSheet, Inputs
from allocator.types import AssetKind, Text

AS_OF = date(2026, 6, 30)
PACK = RulePack.at(AS_OF)
TENORS = np.arange(1.0, 51.0)
# A rising curve: 1.5% at one year, 2 bp more each year.
OBSERVED = SpotCurve(TENORS, 0.015 + 0.0002 * (TENORS - 1))


@pytest.fixture(scope="module")
def curves():  # type: ignore[no-untyped-def]
    return rate_curves(OBSERVED, PACK)


def test_up_to_twenty_years_the_base_is_the_mean_plus_the_spread(curves) -> None:  # type: ignore[no-untyped-def]
    assert curves.base.rate([1.0, 10.0, 20.0]) == pytest.approx([0.0195, 0.0213, 0.0233])
    assert curves.base.rate(0.25) == pytest.approx(0.0195)


def test_the_transition_interpolates_twice(curves) -> None:  # type: ignore[no-untyped-def]
    # t = 25: w = 0.25. r₂₀ = 0.0188, r₂₅ = 0.0188 + 0.25 (0.045 − 0.0188) = 0.02535, r*₂₅ = 0.0198;
    # R₂₅ = 0.25·0.02535 + 0.75·0.0198 = 0.0211875; spread 0.75·0.0045 = 0.003375.
    assert curves.base.rate(25.0) == pytest.approx(0.0211875 + 0.003375)
    # t = 30: w = 0.5. r₃₀ = 0.0319, r*₃₀ = 0.0208, R₃₀ = 0.02635, spread 0.00225.
    assert curves.base.rate(30.0) == pytest.approx(0.02635 + 0.00225)
    assert curves.base.rate([40.0, 60.0]) == pytest.approx([0.045, 0.045])


def test_the_adverse_curves_stress_the_observed_part_and_the_ultimate_rate(curves) -> None:  # type: ignore[no-untyped-def]
    assert curves.up.rate([1.0, 10.0]) == pytest.approx([0.015 * 1.97 + 0.0045, 0.0168 * 1.5 + 0.0045])
    assert curves.down.rate([1.0, 20.0]) == pytest.approx([0.015 * 0.29 + 0.0045, 0.0188 * 0.77 + 0.0045])
    assert curves.up.rate([40.0, 99.0]) == pytest.approx([0.045 * 1.17] * 2)
    assert curves.down.rate(40.0) == pytest.approx(0.045 * 0.89)
    # t = 30 up: stress halfway between 37% and 17%, 27%; w = 0.5.
    anchor, ultimate = 0.0188 * 1.37, 0.045 * 1.17
    straight = anchor + 0.5 * (ultimate - anchor)
    assert curves.up.rate(30.0) == pytest.approx(0.5 * straight + 0.5 * 0.0208 * 1.27 + 0.00225)


def test_the_other_reading_leaves_the_observed_transition_unstressed() -> None:
    pack = RulePack.at(AS_OF, readings={"adverse_transition_unstressed": True})
    other = rate_curves(OBSERVED, pack)
    straight = 0.5 * (0.0188 * 1.37 + 0.045 * 1.17)
    assert other.up.rate(30.0) == pytest.approx(0.5 * straight + 0.5 * 0.0208 + 0.00225)
    assert other.up.rate(20.0) == pytest.approx(0.0188 * 1.37 + 0.0045)


BOND = {"kind": "government_bond", "coupon": 0.03, "frequency": 1, "maturity": "2036-06-27", "yield": 0.025}


def fund(assets: list[dict[str, object]], **tables: pd.DataFrame) -> Inputs:
    frame = pd.DataFrame([{"amount": 100.0, "account": "traditional"} | asset for asset in assets])
    frame["asset_id"] = [f"A{n}" for n in range(len(frame))]
    frame["maturity"] = pd.to_datetime(frame["maturity"]) if "maturity" in frame else pd.NaT
    given = {"assets": frame, "curve": pd.DataFrame({"tenor": TENORS, "spot": OBSERVED.rates})} | tables
    kinds = {name: AssetKind(name, Text(name, name), "x", derivative=name == "rate_swap") for name in frame["kind"]}
    settings = Settings(fund=FundSettings(name="t", as_of=AS_OF), inputs={})
    kept = {name: table for name, table in given.items() if table is not None}
    return Inputs(settings, BalanceSheet(), kept, {}, MappingProxyType(kinds))


def risk(inputs: Inputs, share: list[float] | None = None) -> RateRisk:
    problems = Problems()
    counted = np.zeros(len(inputs.assets)) if share is None else np.array(share)
    found = rate_risk(inputs, PACK, counted, problems)
    problems.raise_if_any()
    return found


def liabilities(*lines: tuple[str, int, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=["account", "year", "outflow", "inflow"])
    return frame.assign(date=pd.NaT)


def test_a_row_adds_what_its_value_falls(curves) -> None:  # type: ignore[no-untyped-def]
    got = risk(fund([BOND]))
    times = np.arange(1, 11) * 1.0
    # Coupon days drift from whole years by leap days; the flows carry them exactly.
    flows = asset_cash_flows(fund([BOND]), np.array([True]), Problems())
    assert len(flows.day) == 10 and flows.time == pytest.approx(times, abs=0.01)
    value = {name: flows.amount @ getattr(curves, name).discount(flows.time) for name in ("base", "up", "down")}
    assert got.base == pytest.approx([value["base"]])
    assert got.up == pytest.approx([value["base"] - value["up"]])
    assert got.down == pytest.approx([value["base"] - value["down"]])
    assert got.up[0] > 0 > got.down[0]


def test_liabilities_are_a_constant_by_account(curves) -> None:  # type: ignore[no-untyped-def]
    table = liabilities(("traditional", 30, 110.0, 10.0), ("participating", 5, 50.0, 0.0))
    got = risk(fund([BOND], liabilities=table))

    def change(curve: SpotCurve, year: float, amount: float) -> float:
        return float(amount * (curve.discount(year) - curves.base.discount(year)))

    assert got.liability_change() == pytest.approx(
        (
            change(curves.up, 30, 100) + change(curves.up, 5, 50),
            change(curves.down, 30, 100) + change(curves.down, 5, 50),
        )
    )
    pool = got.liability_change(["participating", "universal"])
    assert pool == pytest.approx((change(curves.up, 5, 50), change(curves.down, 5, 50)))


def test_an_exact_match_of_assets_and_liabilities_has_no_rate_risk() -> None:
    """A bond that repays 100 on the day of liability year 30 falls at t = 30, not at 10,958 days / 365 = 30.02."""
    bond = BOND | {"coupon": 0.0, "maturity": "2056-06-30", "yield": 0.02, "face": 100.0}
    got = risk(fund([bond], liabilities=liabilities(("traditional", 30, 100.0, 0.0))))
    net_up = 100.0 * got.up[0] + got.liability_change()[0]
    assert net_up == pytest.approx(0.0, abs=1e-9)


def test_a_dated_payment_falls_on_its_day() -> None:
    table = pd.DataFrame(
        {
            "account": ["traditional"],
            "year": [np.nan],
            "date": pd.to_datetime(["2036-06-30"]),
            "outflow": [1.0],
            "inflow": [0.0],
        }
    )
    got = risk(fund([BOND], liabilities=table))
    assert got.liabilities.time == pytest.approx([10.0])


def test_scope_is_domestic_contractual_fixed_income_and_what_the_notice_adds() -> None:
    assets = [BOND | {"kind": kind} for kind in ("corporate_bond", "convertible_bond", "overseas_bond", "debt_plan")]
    assert risk(fund(assets)).scope.tolist() == [True, False, False, False]
    partly = risk(fund(assets), [0.0, 0.0, 0.0, 0.6])
    assert partly.scope.tolist() == [True, False, False, True]
    assert partly.up == pytest.approx(partly.up[0] * np.array([1.0, 0.0, 0.0, 0.6]))
    assert not DIRECT_SCOPE & {"convertible_bond", "perpetual_capital_bond", "cash", "listed_stock", "overseas_bond"}


def test_a_payer_swap_hedges_rising_rates() -> None:
    swap = {"asset_id": "A0", "kind": "rate_swap", "amount": 100.0}
    # Receives par at the next reset, pays 2.5% and par in ten years.
    listed = pd.DataFrame(
        [
            ("A0", "2026-09-30", 100.0, 0.5),
            *[("A0", f"{2026 + n}-06-30", -100.0 * (n == 10), -2.5) for n in range(1, 11)],
        ],
        columns=["asset_id", "date", "principal", "interest"],
    )
    listed["date"] = pd.to_datetime(listed["date"])
    got = risk(fund([swap], cash_flows=listed))
    assert got.up[0] < 0 < got.down[0]


def test_a_floater_moves_little() -> None:
    inputs = fund([BOND, BOND | {"floating": True}])
    got = risk(inputs)
    assert got.up[1] < 0.2 * got.up[0]  # one year to the reset, ten to maturity
    problems = Problems()
    fixed = rate_risk(inputs, PACK, np.zeros(2), problems, FloatingRule.CONTRACT)
    assert fixed.up[1] == pytest.approx(fixed.up[0])


def test_the_curve_may_be_the_mean_of_its_history() -> None:
    days = pd.bdate_range(end="2026-06-30", periods=80)
    history = pd.DataFrame(
        {"date": days, **{f"{int(t)}y": rate for t, rate in zip(TENORS, OBSERVED.rates, strict=True)}}
    )
    by_mean = risk(fund([BOND], curve=None, curve_history=history))  # type: ignore[arg-type]
    assert by_mean.up == pytest.approx(risk(fund([BOND])).up)


def test_nothing_in_scope_needs_no_curve() -> None:
    got = risk(fund([{"kind": "listed_stock"}], curve=None))  # type: ignore[arg-type]
    assert got.curves is None and got.liability_change() == (0.0, 0.0)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"curve": None}, "government spot curve"),
        ({"curve_history": pd.DataFrame({"date": []})}, "either"),
        ({"curve": pd.DataFrame({"tenor": TENORS[:30], "spot": OBSERVED.rates[:30]})}, "does not reach"),
        ({"curve": pd.DataFrame({"tenor": TENORS, "spot": OBSERVED.rates * 100})}, "out of range"),
        ({"liabilities": liabilities(("traditional", 0, 1.0, 0.0))}, "after the valuation date"),
        ({"liabilities": liabilities(("traditional", 1, 1.0, 0.0)).assign(year=np.nan)}, "either a year or a date"),
    ],
)
def test_what_is_missing_is_named(tables: dict[str, pd.DataFrame], message: str) -> None:
    with pytest.raises(InputError, match=message):
        risk(fund([BOND], **tables))
