"""Interest rate risk of a life company (R8 §18–20 and annex 3 of 银保监发〔2021〕52号).

    MC = max( PV(NCF)_up − PV(NCF)_base, PV(NCF)_down − PV(NCF)_base, 0 ),  NCF = outflows − inflows

of liabilities less assets. Cash flows stay the base ones; only the curve moves, so a row contributes
−(PV_up − PV_base) per CNY held and the liabilities a constant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Problems, Text, Vector
from allocator.plugin.cash_flows import (
    FloatingRule,
    SpotCurve,
    cash_flow_parts,
    mean_of_history,
    spot_curve,
    years_ahead,
)
from allocator.plugin.tables import Inputs, column, filled
from allocator_cross2.pack import RulePack

__all__ = ["DIRECT_SCOPE", "LiabilityFlows", "RateCurves", "RateRisk", "liability_flows", "rate_curves", "rate_risk"]


DIRECT_SCOPE = frozenset(
    {
        "deposit",
        "structured_deposit",
        "loan",
        "policy_loan",
        "government_bond",
        "local_government_bond",
        "central_bank_bill",
        "policy_bank_bond",
        "agency_bond",
        "financial_bond",
        "interbank_certificate_of_deposit",
        "corporate_bond",
        "tech_innovation_bond",
        "credit_abs",
        "exchange_abs",
        "abn",
        "rate_swap",
        "bond_future",
    }
)
"""Directly held domestic fixed income whose cash flows a contract fixes (R8 §13, §18): structured deposits (1), direct
loans (3), policy loans (5) too; convertibles are not."""


@dataclass(frozen=True, eq=False)
class RateCurves:
    """The discount curves of the base, the up and the down scenario."""

    base: SpotCurve
    up: SpotCurve
    down: SpotCurve


@dataclass(frozen=True, eq=False)
class LiabilityFlows:
    """Liability payments: account, years from the valuation date, and outflow − inflow in CNY, each (k,)."""

    account: NDArray[np.str_]
    time: Vector
    net: Vector

    def present_value(self, curve: SpotCurve, accounts: Iterable[str] | None = None) -> float:
        """Return Σ net · d(t) over all accounts or the given ones, CNY."""
        chosen = np.ones(len(self.net), dtype=bool) if accounts is None else np.isin(self.account, list(accounts))
        return float(self.net[chosen] @ curve.discount(self.time[chosen]))


@dataclass(frozen=True, eq=False)
class RateRisk:
    """What the rows and the liabilities add to interest rate risk.

    Parameters
    ----------
    curves : RateCurves or None
        The scenarios; None when nothing is in scope.
    scope : ndarray of bool (n,)
        Rows whose cash flows count.
    base : ndarray (n,)
        Present value of their counted cash flows per CNY held in the base scenario; 0 for other rows.
    up, down : ndarray (n,)
        Change of PV(NCF) per CNY held, −(PV_scenario − PV_base).
    liabilities : LiabilityFlows
        Liability cash flows.
    """

    curves: RateCurves | None
    scope: NDArray[np.bool_]
    base: Vector
    up: Vector
    down: Vector
    liabilities: LiabilityFlows

    def liability_change(self, accounts: Iterable[str] | None = None) -> tuple[float, float]:
        """Return how PV(NCF) of the liabilities changes up and down, CNY, over all or the given accounts."""
        if self.curves is None:
            return 0.0, 0.0
        named = None if accounts is None else tuple(accounts)
        base = self.liabilities.present_value(self.curves.base, named)
        return (
            self.liabilities.present_value(self.curves.up, named) - base,
            self.liabilities.present_value(self.curves.down, named) - base,
        )

    def by_account(self, holdings: Vector, accounts: NDArray[np.str_]) -> dict[str, tuple[float, float, float]]:
        """Return each account's own rate risk: change of PV(NCF) up and down, and max(up, down, 0), CNY.

        Parameters
        ----------
        holdings : ndarray (n,)
            Amounts, CNY.
        accounts : ndarray of str (n,)
            Account of each row.

        Notes
        -----
        The company's module nets all accounts first (R8 §18), so these do not add up to it.
        """
        found = {}
        for name in dict.fromkeys([*accounts.tolist(), *self.liabilities.account.tolist()]):
            held = np.where(accounts == name, holdings, 0.0)
            liabilities = self.liability_change((name,))
            up, down = (
                float(side @ held) + moved for side, moved in zip((self.up, self.down), liabilities, strict=True)
            )
            found[name] = (up, down, max(up, down, 0.0))
        return found


def rate_curves(observed: SpotCurve, pack: RulePack) -> RateCurves:
    """Return the three discount curves from the observed curve (the moving average of government spot rates).

    With w = 0 up to 20 years, (t − 20)/20 up to 40 and 1 beyond:

        r_t = r₂₀ + (u − r₂₀) w,   R_t = r_t w + r*_t (1 − w),   spot = R_t + 45 bp (1 − w)

    adverse: r*_t (1 + stress_t) for r*_t, u (1 + stress₄₀) for the ultimate rate u, the same spread.
    """
    first, last = pack.value("rate.observed_to"), pack.value("rate.ultimate_from")
    tenors = np.arange(1.0, last + 1)
    rates = observed.rate(tenors)
    weight = np.clip((tenors - first) / (last - first), 0.0, 1.0)
    stress = pack.points("rate.stress")

    def scenario(moves: Vector) -> SpotCurve:
        beyond = np.where(tenors <= first, moves, 0.0) if pack.reading("adverse_transition_unstressed") else moves
        seen = rates * (1.0 + beyond)
        ultimate = pack.value("rate.ultimate") * (1.0 + moves[-1])
        anchor = seen[tenors == first][0]
        straight = anchor + (ultimate - anchor) * weight
        spot = straight * weight + seen * (1.0 - weight) + pack.value("rate.spread") * (1.0 - weight)
        return SpotCurve(tenors, spot)

    moves = {name: np.interp(tenors, stress["tenor"], stress[name]) for name in ("up", "down")}
    return RateCurves(scenario(np.zeros_like(tenors)), scenario(moves["up"]), scenario(moves["down"]))


def rate_risk(
    inputs: Inputs,
    pack: RulePack,
    share: Vector,
    problems: Problems,
    floating: FloatingRule = FloatingRule.RESET,
    accrued: Vector | None = None,
) -> RateRisk:
    """Return what each row and the liabilities add to interest rate risk.

    Parameters
    ----------
    inputs : Inputs
        The fund, with ``curve`` or ``curve_history`` and, where it has them, ``liabilities``.
    pack : RulePack
        The rules in force.
    share : ndarray (n,)
        Part of a row outside `DIRECT_SCOPE` that counts, in [0, 1]: what lies under a non-base asset and
        repays principal and fixed interest (金规〔2023〕5号 (5)). The surface asset's cash flows stand for it.
    problems : Problems
        Receives what is missing; the caller must raise it.
    floating : FloatingRule
        How floating coupons are taken.
    accrued : ndarray (n,) or None
        Interest per CNY of amount that ``amount`` leaves out: flows priced by the yield are those of both.
    """
    # A bond with a right to shares is a convertible, whatever its kind.
    direct = inputs.assets["kind"].isin(DIRECT_SCOPE).to_numpy() & ~filled(inputs.assets, "equity_terms")
    scope = direct | (share > 0.0)
    weight = np.where(direct, 1.0, share)
    if accrued is not None:
        weight = weight * np.where(np.isnan(column(inputs.assets, "face")), 1.0 + accrued, 1.0)
    liabilities = liability_flows(inputs, problems)
    observed = _observed(inputs, pack, problems) if scope.any() or len(liabilities.net) else None
    curves = None if observed is None else rate_curves(observed, pack)
    scenarios = () if curves is None else (curves.base, curves.up, curves.down)
    value = np.zeros((3, len(scope)))
    for part in cash_flow_parts(inputs, scope, problems, floating):
        for row, curve in enumerate(scenarios):
            value[row] += part.present_value(curve)
    base, up, down = weight * value
    return RateRisk(curves, scope, base, base - up, base - down, liabilities)


def liability_flows(inputs: Inputs, problems: Problems) -> LiabilityFlows:
    """Return the payments of the table ``liabilities``: year n falls at t = n, a date where the assets' payments do."""
    table = inputs.table("liabilities")
    if table is None:
        return LiabilityFlows(np.empty(0, dtype=str), np.empty(0), np.empty(0))
    year = table["year"].to_numpy(dtype=float, na_value=np.nan)
    dated = table["date"].notna().to_numpy() if "date" in table else np.zeros(len(table), dtype=bool)
    time = year.copy()
    if dated.any():
        days = table["date"].to_numpy().astype("datetime64[D]") - np.datetime64(inputs.as_of, "D")
        time = np.where(dated, years_ahead(inputs, days / np.timedelta64(1, "D")), year)
    for row in np.flatnonzero(dated == ~np.isnan(year)):
        what = Text("a payment needs either a year or a date", "每笔现金流须且仅须填写年度或日期之一")
        problems.add(what, inputs.where("liabilities", int(row), "year"))
    for row in np.flatnonzero(time <= 0):
        what = Text("the payment does not lie after the valuation date", "该现金流不在评估日之后")
        problems.add(what, inputs.where("liabilities", int(row), "date" if dated[row] else "year"))
    net = table["outflow"].to_numpy(dtype=float) - np.nan_to_num(table["inflow"].to_numpy(dtype=float))
    return LiabilityFlows(table["account"].to_numpy(dtype=str), time, net)


def _observed(inputs: Inputs, pack: RulePack, problems: Problems) -> SpotCurve | None:
    """Return the moving average of the government spot curve: given as such, or taken of its history."""
    given, history = inputs.table("curve"), inputs.table("curve_history")
    if (given is None) == (history is None):
        both = given is not None
        problems.add(
            Text("give either the mean curve or its history", "均值曲线与历史曲线须且仅须提供其一")
            if both
            else Text("interest rate risk needs the government spot curve", "利率风险需要国债即期收益率曲线"),
            "inputs.curve, inputs.curve_history",
            hint=Text(
                "curve.csv holds tenor and the 60-day mean spot rate", "curve.csv 填写期限与60日移动平均即期收益率"
            ),
        )
        return None
    table, name = given, "curve"
    if history is not None:
        days, name = int(pack.value("rate.average_days")), "curve_history"
        table = mean_of_history(history, inputs.as_of, days, _file(inputs, name), problems)
    if table is None:
        return None
    return spot_curve(table, 1.0, pack.value("rate.ultimate_from"), _file(inputs, name), problems)


def _file(inputs: Inputs, table: str) -> str:
    source = inputs.sources.get(table)
    return source.file if source is not None else f"inputs.{table}"
