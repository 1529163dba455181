"""Rule 10 worked by hand on the filed position of the life_insurer example, beside what ``allocator stress`` says.

Everything below is arithmetic on the example's CSV files, read by the csv module alone: cash flows, prices, durations,
each asset's factor as the rule's article gives it, the matrices, loss absorption, control risk, the tiers of capital.
Nothing of the library takes part until the figures are compared. Money in CNY 100 million.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import allocator
from allocator.pipeline.scenarios import stress
from allocator.result.stress import StressStudy

LIFE = Path(__file__).resolve().parent.parent / "examples" / "life_insurer"
AS_OF = date(2026, 3, 31)
UNIT = 1e8

# Filed with the position (fund.yaml).
CORE1, CORE2, SUPPLEMENTARY1, SUPPLEMENTARY2 = 9102.73, 554.49, 2769.90, 27.91
LIFE_RISK, NONLIFE_RISK, ABSORPTION_CAP, SARMRA = 1316.76, 119.83, 1656.87, 83.06

POOL = ("participating", "universal")
"""Accounts whose policyholders share losses (R2 §19)."""

MARKET = np.array(  # R8 §70: rate, equity, property, overseas fixed income, overseas equity, currency
    [
        [1.00, -0.14, -0.18, 0.00, -0.16, 0.07],
        [-0.14, 1.00, 0.22, 0.06, 0.50, 0.04],
        [-0.18, 0.22, 1.00, 0.18, 0.19, -0.14],
        [0.00, 0.06, 0.18, 1.00, 0.04, -0.01],
        [-0.16, 0.50, 0.19, 0.04, 1.00, -0.19],
        [0.07, 0.04, -0.14, -0.01, -0.19, 1.00],
    ]
)
QUANTIFIABLE = np.array(  # R2 §17: life, non-life, market, credit
    [[1.00, 0.20, 0.30, 0.15], [0.20, 1.00, 0.10, 0.10], [0.30, 0.10, 1.00, 0.35], [0.15, 0.10, 0.35, 1.00]]
)

STOCK = {  # R8 §26, 金规〔2023〕5号 and the notice of 2025-12-01; times 1 + k1 of the whole book
    "STOCK_CSI300": 0.30,
    "STOCK_CSI300_LONG": 0.27,
    "STOCK_DIVIDEND": 0.27,
    "STOCK_MAIN": 0.35,
    "STOCK_STAR": 0.40,
    "STOCK_STAR_LONG": 0.36,
    "STOCK_CHINEXT": 0.45,
}
EQUITY = {  # R8 §24–37; funds looked through one layer at 1 + 0.1 (R7 §17), opaque ones 0.6 (R7 §31)
    "MONEY_FUND": 0.01,
    "BOND_FUND": 0.06,
    "EQUITY_FUND": 0.28,
    "CONVERTIBLE": 0.23,
    "PERPETUAL_STATE": 0.15,
    "PERPETUAL_JOINT_STOCK": 0.20,
    "UNLISTED": 0.41,
    "UNLISTED_EMERGING": 0.40,
    "ASSOCIATE_LISTED": 0.35,
    "ASSOCIATE_UNLISTED": 0.41,
    "PE_EMERGING": 0.40 * 1.1,
    "PE_BUYOUT": 0.41 * 1.1,
    "PE_OPAQUE": 0.6,
    "VENTURE_FRONTIER": 0.40 * 1.1,
    "VENTURE_OPAQUE": 0.6,
}
PROPERTY = {"PROPERTY": 0.15, "REIT": 0.15 * (1.0 - 0.2 + 0.1)}  # R8 §38; a REIT's industrial park, R7 §17 and §19
OVERSEAS_BOND = {"OVERSEAS_BOND": 0.08}  # R8 §47
OVERSEAS_EQUITY = {"HONG_KONG": 0.39, "OVERSEAS_FUND": 0.39, "OVERSEAS_UNLISTED": 0.45}  # R8 §48–54
DOLLAR = dict.fromkeys(("DEPOSIT_USD", "HONG_KONG", "OVERSEAS_FUND", "OVERSEAS_UNLISTED", "OVERSEAS_BOND"), 0.05)
"""R8 §55–59; the Hong Kong dollar is pegged."""

DEFAULT = {  # R9 §18–39; debt plans: loans 0.085 beneath, the plan's own rating above at 1 − 0.2 (R7 §22)
    "DEPOSIT_STATE_5Y": 0.005,
    "DEPOSIT_NEW_5Y": 0.005,
    "DEPOSIT_USD": 0.005,
    "DEPOSIT_JOINT_STOCK": 0.03,
    "DEPOSIT_CITY": 0.04,
    "POLICY_LOANS": 0.05,
    "ABS_PLAN": 0.10,
    "DEBT_PLAN_TRANSPORT": 0.085 + 0.8 * 0.010,
    "DEBT_PLAN_ENERGY": 0.085 + 0.8 * 0.010,
    "DEBT_PLAN_URBAN": 0.085 + 0.8 * 0.015,
}
INTEREST = {"policy_bank_bond": 0.006, "agency_bond": 0.006, "AAA": 0.006, "AA+": 0.015, "AA": 0.015}  # R9 §35
SPREAD: Mapping[str, Callable[[float], float]] = {  # R9 §11–17, D up to 5 and above
    "policy_bank_bond": lambda d: d * (-0.0012 * d + 0.012) if d <= 5 else 0.001 * d + 0.025,
    "agency_bond": lambda d: d * (-0.001 * d + 0.012) if d <= 5 else 0.001 * d + 0.03,
    "AAA": lambda d: d * (0.0006 * d + 0.012) if d <= 5 else 0.015 * d,
    "AA+": lambda d: d * (0.0007 * d + 0.0165) if d <= 5 else 0.02 * d,
    "AA": lambda d: d * (0.0009 * d + 0.025) if d <= 5 else 0.0295 * d,
}
RATED = ("financial_bond", "corporate_bond", "tech_innovation_bond", "exchange_abs")
GOVERNMENT = ("government_bond", "local_government_bond")
BONDS = (*GOVERNMENT, "policy_bank_bond", "agency_bond", *RATED)
AT_COST = ("deposit", "policy_loan", "debt_plan", "abs_plan")
RATE_SCOPE = (*BONDS, *AT_COST)
"""Fixed flows (R8 §18), and plans of up to three layers repaying principal and fixed interest (金规〔2023〕5号 (5))."""

CREDIT = {*BONDS, *AT_COST} - {*GOVERNMENT}
"""What bears credit capital under R9, policy loans too: it loses in the annual and in the quarterly scenario alike."""

EQUITY_TYPE = {*STOCK, *EQUITY} - {"MONEY_FUND"}
"""What annex 4 lets fall: whatever R8 charges for equity price risk; money-market funds are left out, and overseas
assets have a chapter of their own."""

UP = (97, 76, 68, 65, 66, 61, 55, 53, 52, 50, 49, 47, 45, 42, 41, 39, 38, 38, 38, 37)
DOWN = (-71, -66, -61, -54, -48, -45, -42, -39, -36, -34, -32, -30, -28, -27, -25, -24, -23, -23, -23, -23)
UP40, DOWN40 = 17, -11
"""Annex 3: stress of the spot rate in percent, years 1 to 20; from 40 years on."""


@dataclass(frozen=True)
class Holding:
    """A row of assets.csv: what it is, how much of it, and its payments per CNY paid for it at the filed price."""

    name: str
    kind: str
    account: str
    amount: float
    cost: float
    rating: str
    frequency: int
    effective: float
    time: NDArray[np.float64]
    paid: NDArray[np.float64]
    accrued: float


@dataclass(frozen=True)
class State:
    """The company after a scenario: its holdings, what each bond's yield and the curve moved by, the rate stresses."""

    held: Sequence[Holding]
    lost: float = 0.0
    shift: float = 0.0
    owed: float = 0.0
    multiple: float = 1.0


def table(name: str) -> list[dict[str, str]]:
    with (LIFE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float:
    return float(text) if text else float("nan")


def years(when: date) -> float:
    """Anniversaries of 31 March are whole years; a day between two is the part of its year that has passed."""
    whole = when.year - AS_OF.year - (when < AS_OF.replace(year=when.year))
    last, following = (AS_OF.replace(year=AS_OF.year + whole + k) for k in (0, 1))
    return whole + (when - last).days / (following - last).days


def schedule(row: Mapping[str, str]) -> tuple[list[float], list[float], float]:
    """Coupon dates run back from maturity; time in years from AS_OF; the principal, 1, at the end; interest by days."""
    end, frequency = date.fromisoformat(row["maturity"]), int(row["frequency"])
    times, paid, back, after = [], [], 0, end
    while True:
        months = end.year * 12 + end.month - 1 - back * 12 // frequency
        year, month = months // 12, months % 12 + 1
        when = date(year, month, min(end.day, monthrange(year, month)[1]))
        if when <= AS_OF:
            return times, paid, float(row["coupon"]) / frequency * (AS_OF - when).days / (after - when).days
        after = when
        times.append(years(when))
        paid.append(float(row["coupon"]) / frequency + (1.0 if back == 0 else 0.0))
        back += 1


@cache
def filed() -> tuple[Holding, ...]:
    """Holdings as filed; one CNY buys 1 / dirty price of the payments, at the row's own yield."""
    found = []
    for row in table("assets.csv"):
        times, paid, frequency, effective, accrued = [], [], 1, 0.0, 0.0
        if row["kind"] in RATE_SCOPE:
            times, paid, accrued = schedule(row)
            frequency = int(row["frequency"])
            effective = (1.0 + float(row["yield"]) / frequency) ** frequency - 1.0
        time, flow = np.array(times), np.array(paid)
        price = float(flow @ (1.0 + effective) ** -time) if times else 1.0
        found.append(
            Holding(
                row["asset_id"],
                row["kind"],
                row["account"],
                float(row["amount"]),
                number(row["cost"]),
                row["rating"],
                frequency,
                effective,
                time,
                flow / price,
                accrued / price,
            )
        )
    return tuple(found)


def after_shock(equity: float = 0.0, shift: float = 0.0, default: float = 0.0) -> State:
    """Lay a scenario on what is held.

    A bond is worth Σ CF (1 + Y + s)^−t / Σ CF (1 + Y)^−t of before. Deposits, loans and plans stand at amortised cost.
    """
    moved, lost = [], 0.0
    for holding in filed():
        price, left, effective = 1.0, 1.0, holding.effective
        if holding.kind in BONDS:
            effective += shift
            price = float(holding.paid @ (1.0 + effective) ** -holding.time)
        if holding.name in EQUITY_TYPE:
            price = 1.0 + equity
        if holding.kind in CREDIT:
            left = 1.0 - default
        amount = holding.amount * price * left
        lost += holding.amount - amount
        # A CNY buys more payments at a lower price; what is defaulted on pays nothing.
        paid, accrued = holding.paid / price, holding.accrued / price
        moved.append(replace(holding, amount=amount, effective=effective, paid=paid, accrued=accrued))
    return State(moved, lost, shift)


def curves(state: State) -> list[Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """Discount factors of base, up and down (annex 3): observed to 20 years, 4.5% from 40, 45 bp on top.

    Between, with w = (t − 20) / 20: r = r₂₀ + (4.5% − r₂₀) w, R = r w + r* (1 − w), and 45 bp · (1 − w).
    """
    seen = {int(row["tenor"]): float(row["spot"]) for row in table("curve.csv")}
    found = []
    for moves, last in (((0,) * 20, 0), (UP, UP40), (DOWN, DOWN40)):
        rates = []
        for year in range(1, 41):
            w = max(year - 20, 0) / 20
            stress = moves[year - 1] if year <= 20 else moves[-1] + (last - moves[-1]) * w
            observed = (seen[year] + state.shift) * (1.0 + state.multiple * stress / 100)
            at20 = (seen[20] + state.shift) * (1.0 + state.multiple * moves[-1] / 100)
            ultimate = 0.045 * (1.0 + state.multiple * last / 100)
            straight = at20 + (ultimate - at20) * w
            rates.append((straight * w + observed * (1 - w) if year > 20 else observed) + 0.0045 * (1 - w))
        found.append(lambda t, r=tuple(rates): (1.0 + np.interp(t, range(1, 41), r)) ** -t)
    return found


def rate_risk(state: State, accounts: Sequence[str] | None) -> float:
    """max(up − base, down − base, 0) of the present value of outflows less inflows, assets' payments being inflows."""
    values = []
    for discount in curves(state):
        owed = 0.0
        for row in table("liabilities.csv"):
            if accounts is None or row["account"] in accounts:
                year = float(row["year"])
                owed += (float(row["outflow"]) - float(row["inflow"])) * float(discount(np.array(year)))
        for holding in state.held:
            if holding.kind in RATE_SCOPE and (accounts is None or holding.account in accounts):
                owed -= holding.amount * float(holding.paid @ discount(holding.time))
        values.append(owed)
    base, up, down = values
    return max(up - base, down - base, 0.0)


def spread_charge(holding: Holding) -> float:
    """EX · RF(D) without interest, D = Σ t CF v^t / Σ CF v^t / (1 + y/f): the modified duration at the row's yield."""
    worth = holding.paid * (1.0 + holding.effective) ** -holding.time
    duration = float(worth @ holding.time / worth.sum()) / (1.0 + holding.effective) ** (1.0 / holding.frequency)
    ladder = holding.rating if holding.kind in RATED else holding.kind
    return holding.amount * (1.0 - holding.accrued) * SPREAD[ladder](duration)


def market_and_credit(state: State, accounts: Sequence[str] | None = None) -> tuple[dict[str, float], float, float]:
    """The modules of all accounts or some, and market and credit risk."""
    book = [holding for holding in state.held if holding.name in STOCK]
    gain = sum(holding.amount for holding in book) / sum(holding.cost for holding in book) - 1.0
    k1 = min(gain**2, 0.25) if gain >= 0 else -min(gain**2, 0.25)  # R8 §26; K within ±0.25
    held = [holding for holding in state.held if accounts is None or holding.account in accounts]

    def total(factors: Mapping[str, float]) -> float:
        return sum(holding.amount * factors.get(holding.name, 0.0) for holding in held)

    modules = {
        "interest_rate": rate_risk(state, accounts),
        "equity_price": total(EQUITY) + (1.0 + k1) * total(STOCK),
        "real_estate_price": total(PROPERTY),
        "overseas_fixed_income": total(OVERSEAS_BOND),
        "overseas_equity": total(OVERSEAS_EQUITY),
        "currency": total(DOLLAR),
    }
    vector = np.array(list(modules.values()))
    market = sqrt(vector @ MARKET @ vector)
    bonds = [holding for holding in held if holding.kind in (*RATED, "policy_bank_bond", "agency_bond")]
    spread = sum(spread_charge(holding) for holding in bonds)
    interest = sum(
        holding.amount * holding.accrued * INTEREST[holding.rating if holding.kind in RATED else holding.kind]
        for holding in bonds
    )
    default = total(DEFAULT) + interest
    credit = sqrt(spread**2 + 2 * 0.25 * spread * default + default**2)  # R9 §43
    return {**modules, "spread": spread, "counterparty_default": default}, market, credit


def solvency(state: State) -> dict[str, float]:
    """Every module, minimum capital and both ratios."""
    modules, market, credit = market_and_credit(state)
    vector = np.array([LIFE_RISK, NONLIFE_RISK, market, credit])
    _, pool_market, pool_credit = market_and_credit(state, POOL)
    pool = sqrt(pool_market**2 + 2 * 0.35 * pool_market * pool_credit + pool_credit**2)
    beta = min(0.5, 0.22 * ABSORPTION_CAP / pool + 0.02)  # R2 §19, K = 0
    absorption = min(pool * beta, ABSORPTION_CAP)
    quantifiable = sqrt(vector @ QUANTIFIABLE @ vector) - absorption
    minimum = quantifiable * (1.0 + 0.4 - 0.005 * SARMRA)  # R12 §120; 7.8 trillion of assets: the size factor is 1
    change = -state.lost - state.owed
    core1 = CORE1 + change
    # R1 §41: core 2 up to 30% of core (then core = core 1 / 0.7), supplementary 2 up to 25%, all of it up to 100%.
    core = min(core1 + CORE2, core1 / 0.70)
    actual = core + min(SUPPLEMENTARY1 + min(SUPPLEMENTARY2, 0.25 * core), core)
    return {
        **modules,
        "market_risk": market,
        "credit_risk": credit,
        "pool_market_and_credit_risk": pool,
        "loss_absorption": absorption,
        "quantifiable_risk_capital": quantifiable,
        "minimum_capital": minimum,
        "actual_capital": actual,
        "comprehensive": actual / minimum,
        "core": core / minimum,
    }


def owed_more(shift: float) -> float:
    """What the listed net flows are worth more when the curve that values them moves: Σ net [(1+r+s)^−t − (1+r)^−t]."""
    curve = table("curve.csv")
    tenors, spots = ([float(row[name]) for row in curve] for name in ("tenor", "spot"))
    change = 0.0
    for row in table("liabilities.csv"):
        year = float(row["year"])
        rate = float(np.interp(year, tenors, spots))
        net = float(row["outflow"]) - float(row["inflow"])
        change += net * ((1.0 + rate + shift) ** -year - (1.0 + rate) ** -year)
    return change


SCENARIOS: Mapping[str, Callable[[], State]] = {
    "base": after_shock,
    "annual_macro": lambda: after_shock(equity=-0.20, shift=0.005, default=0.10),
    "annual_rate": lambda: replace(after_shock(), multiple=1.3),
    "sensitivity_liability_curve": lambda: replace(after_shock(), owed=owed_more(-0.005)),
    "sensitivity_equity": lambda: after_shock(equity=-0.30),
    "quarterly_default": lambda: after_shock(default=0.10),
    "quarterly_equity": lambda: after_shock(equity=-0.30),
}


@pytest.fixture(scope="module")
def study() -> StressStudy:
    return stress(allocator.load(LIFE / "fund.yaml"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_scenario_by_hand(study: StressStudy, scenario: str) -> None:
    position = study.base
    if scenario != "base":
        found = next(item.position for item in study.outcomes if item.scenario.name == scenario)
        assert found is not None
        position = found
    computed = {name: amount / UNIT for name, amount in position.tree.values(position.holdings).items()}
    computed["actual_capital"] = position.own_funds.comprehensive / UNIT
    computed |= {name: position.ratio(name) for name in ("comprehensive", "core")}
    by_hand = solvency(SCENARIOS[scenario]())
    assert {name: computed[name] for name in by_hand} == pytest.approx(by_hand, rel=1e-9)


def test_the_command_says_the_same(study: StressStudy) -> None:
    """Figures that stand in the table of ``allocator stress``, each with its short working."""
    lines = study.frame.set_index("scenario")
    fallen = sum(holding.amount for holding in filed() if holding.name in EQUITY_TYPE)
    assert lines.loc["sensitivity_equity", "actual_capital_change"] / UNIT == pytest.approx(-0.30 * fallen, rel=1e-9)
    for scenario, state in SCENARIOS.items():
        by_hand = solvency(state())
        assert lines.loc[scenario, "comprehensive_ratio"] == pytest.approx(by_hand["comprehensive"], rel=1e-9)
        assert lines.loc[scenario, "core_ratio"] == pytest.approx(by_hand["core"], rel=1e-9)
        assert lines.loc[scenario, "minimum_capital"] / UNIT == pytest.approx(by_hand["minimum_capital"], rel=1e-9)
