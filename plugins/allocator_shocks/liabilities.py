"""What policyholders and the company's own models do to liabilities and own funds.

Lapse. A share q of the policies in force leaves each year beyond what the flows hold. With F_t the net flow at
time t, V_t = Σ_{u ≥ t} F_u d(u)/d(t) what is owed just before it, s_t = (1 − q)^t and t' the time before t,

    F'_t = s_t F_t + (s_t' − s_t) · k · max(V_t, 0)

k the surrender value as a share of V_t. With k = 1 and V ≥ 0 the present value stays and only its timing moves;
those who leave while nothing is owed to them are paid nothing, and what they would have brought in is lost.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from allocator.plugin import Number, Problems, Section, Text, Vector
from allocator.plugin.stress import Shocked, ShockSpec, given_curve
from allocator_shocks.options import Change
from allocator_shocks.rates import liability_time

__all__ = ["LIABILITY_SHOCKS"]

Share = Annotated[Number, Field(ge=0, le=1)]


class Lapse(Section):
    """``lapse``: the share ``all`` of policies leaves each year beyond what the flows hold.

    ``surrender`` is what those who leave are paid, as a share of what is owed to them.
    """

    all: Share
    surrender: Annotated[Number, Field(ge=0)] = 1.0


class PolicyFlows(Section):
    """``policy_flows``: relative changes of ``outflow`` and ``inflow``, of some ``accounts``, or of all for none."""

    outflow: Change = 0.0
    inflow: Change = 0.0
    accounts: tuple[str, ...] = ()


class Given(Section):
    """``own_funds``: the effect ``all`` that the company's own models give, in ``fund.unit``; a loss is negative."""

    all: Number


def lapse(shocked: Shocked, options: Lapse, problems: Problems) -> Shocked:
    """Let policies lapse: flows shorten, and liabilities move by the change of their present value."""
    table = shocked.inputs.table("liabilities")
    curve = None if table is None else given_curve(shocked.inputs, problems)
    if table is None or curve is None:
        return shocked.noting(_no_flows())
    net = table["outflow"].to_numpy(dtype=float) - np.nan_to_num(table["inflow"].to_numpy(dtype=float))
    time = liability_time(shocked)
    factor = curve.discount(time)
    stressed = np.empty(len(net))
    for account in pd.unique(table["account"]):
        rows = np.flatnonzero((table["account"] == account).to_numpy())
        rows = rows[np.argsort(time[rows], kind="stable")]
        flows, d = net[rows], factor[rows]
        owed = np.maximum(np.cumsum((flows * d)[::-1])[::-1] / d, 0.0)
        years = np.diff(time[rows], prepend=0.0)
        staying = (1.0 - options.all) ** time[rows]
        leaving = (1.0 - options.all) ** (time[rows] - years) - staying
        stressed[rows] = staying * flows + leaving * options.surrender * owed
    return _with_net(shocked, net, stressed, factor)


def change_flows(shocked: Shocked, options: PolicyFlows, problems: Problems) -> Shocked:
    """Scale outflows and inflows; liabilities move by the change of their present value."""
    table = shocked.inputs.table("liabilities")
    curve = None if table is None else given_curve(shocked.inputs, problems)
    if table is None or curve is None:
        return shocked.noting(_no_flows())
    known = set(table["account"])
    for account in options.accounts:
        if account not in known:
            what = Text("no liabilities of this account", "没有该账户的负债")
            problems.add(what, "policy_flows.accounts", account, ", ".join(sorted(known)))
    chosen = np.ones(len(table), dtype=bool) if not options.accounts else table["account"].isin(options.accounts)
    out, income = table["outflow"].to_numpy(dtype=float), np.nan_to_num(table["inflow"].to_numpy(dtype=float))
    stressed = out * (1.0 + np.where(chosen, options.outflow, 0.0)) - income * (
        1.0 + np.where(chosen, options.inflow, 0.0)
    )
    return _with_net(shocked, out - income, stressed, curve.discount(liability_time(shocked)))


def _with_net(shocked: Shocked, before: Vector, after: Vector, factor: Vector) -> Shocked:
    """Put net flows in the place of the table's, all on the side of outflows."""
    table = shocked.inputs.tables["liabilities"].assign(outflow=after, inflow=0.0)
    note = Text(
        "assumption: liabilities move by the change of the present value of their flows on the fund's curve",
        "假设：负债按现金流在组合曲线上的现值变动",
    )
    return shocked.with_table("liabilities", table).owing(float((after - before) @ factor)).noting(note)


def give(shocked: Shocked, options: Given, problems: Problems) -> Shocked:
    """Add what the company gives."""
    return shocked.given(options.all * shocked.inputs.unit)


def _no_flows() -> Text:
    return Text("no liability cash flows are given: none are moved", "未提供负债现金流，负债未受冲击")


LIABILITY_SHOCKS = (
    ShockSpec("lapse", Text("Further lapses a year", "每年额外退保率"), Lapse, lapse, {"lapse": 1.0}, ("surrender",)),
    ShockSpec("policy_flows", Text("Policies' outflows and inflows", "保单流出与流入"), PolicyFlows, change_flows),
    ShockSpec("own_funds", Text("Effect on own funds as given", "给定的实际资本影响"), Given, give),
)
