"""Moves of rates: the market's curve, spreads by rating, the curve that values liabilities.

The market's curve revalues what is carried at fair value: rows whose accounting class is fvoci or fvtpl, and
bonds that name no class (an assumption that is noted). What is carried at amortised cost keeps its value.
"""

from __future__ import annotations

import numpy as np

from allocator.plugin import Mask, Problems, Text, Vector, counted, money_unit
from allocator.plugin.cash_flows import SpotCurve, asset_cash_flows, years_ahead
from allocator.plugin.stress import Shocked, ShockSpec, TenorShift, given_curve, revalued, shifted_curve
from allocator.plugin.tables import SCALE, UNRATED, rating_ranks
from allocator_shocks.options import ByName, ByTenor

__all__ = ["CREDIT", "RATE_SHOCKS", "fair_valued"]


GOVERNMENT = ("government_bond", "local_government_bond", "central_bank_bill")
CREDIT = (
    *("policy_bank_bond", "agency_bond", "financial_bond", "interbank_certificate_of_deposit", "corporate_bond"),
    *("tech_innovation_bond", "credit_abs", "exchange_abs", "abn"),
)
AT_COST = ("deposit", "structured_deposit", "loan", "policy_loan", "debt_plan", "trust_plan", "abs_plan")
"""Held to be paid back: at fair value only where the accounting class says so."""
SWAPS = ("rate_swap", "bond_future")
WITHOUT_FLOWS = (
    "bond_fund",
    "convertible_bond",
    "perpetual_capital_bond",
    "overseas_bond",
    "am_product",
    "wealth_product",
)

FAIR = ("fvoci", "fvtpl")

_LIABILITIES_STAY = Text(
    "admitted liabilities stay: a moving average values them, which the shock liability_curve moves",
    "认可负债不变：其评估采用移动平均曲线，由 liability_curve 冲击变动",
)


def fair_valued(shocked: Shocked, *kinds: str) -> Mask:
    """Return which rows of these kinds are carried at fair value (n,): said so, or a bond that does not say."""
    accounting = shocked.text("accounting")
    silent = (accounting == "") & ~shocked.kinds(*AT_COST)
    return np.asarray(shocked.kinds(*kinds) & (np.isin(accounting, FAIR) | silent))


def tenor_shift(options: ByTenor) -> TenorShift:
    """Return the shift at any time: linear between the tenors given, flat outside."""
    points = sorted(options.tenors.items())
    tenors, shifts = np.array([point[0] for point in points]), np.array([point[1] for point in points])

    def shift(time: Vector) -> Vector:
        return np.asarray(np.interp(time, tenors, shifts))

    return shift


def move_curve(shocked: Shocked, options: ByTenor, problems: Problems) -> Shocked:
    """Move the market's curve: bonds at fair value, rate derivatives, and the curve under rate risk."""
    shift = tenor_shift(options)
    kinds = (*GOVERNMENT, *CREDIT, *AT_COST)
    rows = fair_valued(shocked, *kinds)
    noted = shocked.noting(*_unmoved(shocked, rows, kinds), _LIABILITIES_STAY)
    before = given_curve(noted.inputs, problems) if shocked.kinds(*SWAPS).any() else None
    moved = revalued(noted, rows, shift, problems)
    if before is not None:
        moved = moved.earning(_swap_gains(moved, before, shift, problems))
    return shifted_curve(moved, shift)


def _swap_gains(shocked: Shocked, curve: SpotCurve, shift: TenorShift, problems: Problems) -> Vector:
    """Return the change of value of rate derivatives per CNY of notional, by their flows on the curve."""
    flows = asset_cash_flows(shocked.inputs, shocked.kinds(*SWAPS), problems)
    rate = curve.rate(flows.time)
    change = (1.0 + rate + shift(flows.time)) ** -flows.time - (1.0 + rate) ** -flows.time
    return np.bincount(flows.row, weights=flows.amount * change, minlength=shocked.size).astype(float)


def _unmoved(shocked: Shocked, moved: Mask, kinds: tuple[str, ...]) -> tuple[Text, ...]:
    amount, money = (
        shocked.inputs.assets["amount"].to_numpy(dtype=float),
        money_unit(shocked.inputs.unit, shocked.inputs.jurisdiction.currency),
    )
    kept, silent = shocked.kinds(*kinds) & ~moved, moved & (shocked.text("accounting") == "")
    others = shocked.kinds(*WITHOUT_FLOWS)
    notes = []
    if kept.any():
        held = money.amount(float(amount[kept].sum()))
        notes.append(
            Text(
                f"{counted(int(kept.sum()), 'row')} at amortised cost ({held.en}): no change of value when rates move",
                f"{int(kept.sum())} 行按摊余成本计量的资产（{held.zh}）不随利率变动重估",
            )
        )
    if silent.any():
        notes.append(
            Text(
                f"assumption: {counted(int(silent.sum()), 'bond')} without an accounting class carried at fair value",
                f"假设：{int(silent.sum())} 行未填会计分类的债券视为以公允价值计量",
            )
        )
    if others.any():
        held = money.amount(float(amount[others].sum()))
        notes.append(
            Text(
                f"{counted(int(others.sum()), 'row')} without contractual CNY cash flows ({held.en}: bond funds, "
                "hybrids, products, overseas bonds): no change of value when rates move",
                f"{int(others.sum())} 行无人民币合同现金流的资产"
                f"（{held.zh}：债券基金、混合工具、产品、境外债）不随利率变动重估",
            )
        )
    return tuple(notes)


def move_spreads(shocked: Shocked, options: ByName, problems: Problems) -> Shocked:
    """Add to the yields of credit bonds at fair value, by rating; ``unrated`` names those without one."""
    rows = fair_valued(shocked, *CREDIT)
    ranks = rating_ranks(shocked.inputs, rows, problems)
    for name in options.named:
        if name not in (*SCALE, "unrated"):
            what = Text("not a rating", "不是评级")
            problems.add(what, "spread", name, f"{', '.join(SCALE[:10])} …, unrated")
    shifts = np.array([options.of(name) for name in (*SCALE, "unrated")])
    moved = np.where(rows, shifts[np.minimum(ranks, UNRATED)], 0.0)
    return revalued(shocked, rows & (moved != 0.0), moved, problems)


def move_liability_curve(shocked: Shocked, options: ByTenor, problems: Problems) -> Shocked:
    """Revalue the liabilities' listed net cash flows when the curve that values them moves.

    ΔL = Σ net · [(1 + r(t) + s(t))^−t − (1 + r(t))^−t], r the fund's curve: it stands in for the 750-day mean.
    """
    table = shocked.inputs.table("liabilities")
    curve = None if table is None else given_curve(shocked.inputs, problems)
    if table is None or curve is None:
        return shocked.noting(
            Text("no liability cash flows are given: none are revalued", "未提供负债现金流，未重估负债")
        )
    time = liability_time(shocked)
    net = table["outflow"].to_numpy(dtype=float) - np.nan_to_num(table["inflow"].to_numpy(dtype=float))
    rate = curve.rate(time)
    change = float(net @ ((1.0 + rate + tenor_shift(options)(time)) ** -time - (1.0 + rate) ** -time))
    return shocked.owing(change).noting(
        Text(
            "assumption: liabilities move by the present value of their listed net cash flows on the fund's curve; "
            "guarantees, future surplus and the loss-absorption cap stay",
            "假设：负债按所列净现金流在组合曲线上的现值变动；保证成本、保单未来盈余与损失吸收上限不变",
        )
    )


def liability_time(shocked: Shocked) -> Vector:
    """Return when each liability payment falls, years from the valuation date."""
    table = shocked.inputs.tables["liabilities"]
    year = table["year"].to_numpy(dtype=float, na_value=np.nan)
    if "date" not in table:
        return year
    days = table["date"].to_numpy().astype("datetime64[D]") - np.datetime64(shocked.inputs.as_of, "D")
    return np.where(table["date"].notna().to_numpy(), years_ahead(shocked.inputs, days / np.timedelta64(1, "D")), year)


RATE_SHOCKS = (
    ShockSpec(
        "curve",
        Text("Shift of the market's government curve", "市场国债曲线平移"),
        ByTenor,
        move_curve,
        {"curve_up": 0.05, "curve_down": -0.02},
        in_rates=True,
    ),
    ShockSpec(
        "spread",
        Text("Widening of credit spreads", "信用利差扩大"),
        ByName,
        move_spreads,
        {"spread": 0.10},
        in_rates=True,
    ),
    ShockSpec(
        "liability_curve",
        Text("Shift of the curve that values liabilities", "负债评估曲线平移"),
        ByTenor,
        move_liability_curve,
        {"liability_curve_down": -0.02},
        in_rates=True,
    ),
)
