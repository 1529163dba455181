"""What a plan is made of: the rows that can be held, how they grow and pay, and what flows through the accounts.

Rows. Every row of the assets table, and beside each contract with an end a *new issue* of the same terms: what is
bought later. The old row ages, pays its coupons and is paid back; the new one is kept at its term. Over a step of Δ
years a row returns (1 + μ)^Δ of its amount. A contract pays out the part of it that its cash flows pay at their own
yield; a new issue pays out what it earns; a committed fund pays out as it is projected; all other rows keep what
they earn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Mask, Vector
from allocator.config.settings import PlanSettings
from allocator.errors import InputError, Problem, Problems
from allocator.inputs.cash_flows import CashFlows, FloatingRule, asset_cash_flows
from allocator.inputs.terms import column
from allocator.study.plan.committed import Committed, committed_rows
from allocator.study.plan.timeline import step_date
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["Growth", "ProjectionBasis", "make_world"]


ENDS = ("maturity", "next_call_date", "put_date")


@dataclass(frozen=True, eq=False)
class Growth:
    """One step of every plan row (k,).

    Parameters
    ----------
    kept : ndarray (k,)
        Amount after the step, before trading, per unit of money before it.
    paid : ndarray (k,)
        Cash paid out per unit of money before it.
    alive : ndarray of bool (k,)
        Rows that still run after the step.
    """

    kept: Vector
    paid: Vector
    alive: Mask


@dataclass(frozen=True, eq=False)
class ProjectionBasis:
    """The rows and the outside of a plan.

    Parameters
    ----------
    fund : Fund
        The fund as it is.
    settings : PlanSettings
        The plan asked for.
    source : ndarray of int (k,)
        Row of the assets table behind each plan row; old rows first, in order, then new issues.
    is_new : ndarray of bool (k,)
        Whether a row is a new issue.
    rate : ndarray (k,)
        Expected return, annual decimal.
    flows : CashFlows
        Payments of the contracts among the old rows, per unit of money held now.
    force : ndarray (n,)
        Their yields, continuous, for values between payments; 0 elsewhere.
    committed : Committed
        Funds that call and pay out by themselves.
    """

    fund: Fund
    settings: PlanSettings
    source: NDArray[np.int64]
    is_new: Mask
    rate: Vector
    flows: CashFlows
    force: Vector
    committed: Committed

    @property
    def size(self) -> int:
        """Plan rows, k."""
        return len(self.source)

    @cached_property
    def start(self) -> Vector:
        """Amounts now (k,)."""
        amount = np.nan_to_num(column(self.fund.inputs.assets, "amount"))
        return np.where(self.is_new, 0.0, amount[self.source])

    @cached_property
    def account(self) -> NDArray[np.str_]:
        """Account of each plan row (k,)."""
        return self.fund.space.account[self.source]

    @cached_property
    def funded(self) -> Mask:
        """Plan rows that take part in budgets (k,)."""
        return np.asarray(self.fund.space.funded[self.source])

    @cached_property
    def is_contract(self) -> Mask:
        """Old rows that are paid back by contract (k,)."""
        found = np.zeros(len(self.force), dtype=bool)
        found[np.unique(self.flows.row)] = True
        return np.asarray(found[self.source] & ~self.is_new)

    def ages(self, parent: Vector | None, step: int, before: Vector, holdings: Vector) -> Vector:
        """Return how long each row has been held after a step (k,), in years; NaN where that is not told.

        What is bought is new, and what is held has the average age of its parts.

        Parameters
        ----------
        parent : ndarray (k,) or None
            Ages a step before; None is now.
        step : int
            The step.
        before, holdings : ndarray (k,)
            Amounts a step before and after it, money.
        """
        if parent is None:
            told = column(self.fund.inputs.assets, "holding_years")[self.source]
            parent = np.where(self.is_new & ~np.isnan(told), 0.0, told)
        left = np.minimum(self.growth(step).kept * before, holdings)
        share = np.divide(left, holdings, out=np.zeros(self.size), where=holdings > 0.0)
        return np.asarray((parent + 1.0 / self.settings.per_year) * np.maximum(share, 0.0))

    def days(self, step: int) -> int:
        """Return days from the valuation date to a step."""
        as_of = self.fund.inputs.as_of
        return (step_date(as_of, step, self.settings.per_year) - as_of).days

    def growth(self, step: int) -> Growth:
        """Return what a step does to the rows."""
        whole = (1.0 + self.rate) ** (1.0 / self.settings.per_year)
        kept, paid = whole.copy(), np.zeros(self.size)
        kept[self.is_new], paid[self.is_new] = 1.0, whole[self.is_new] - 1.0
        value, due = self._values(self.days(step - 1)), self._due(step)
        after = self._values(self.days(step))
        share = np.divide(due, due + after, out=np.zeros(len(due)), where=due + after > 0)[self.source]
        old = self.is_contract
        running = value[self.source] > 0
        paid[old] = np.where(running, whole * share, 0.0)[old]
        kept[old] = np.where(running, whole * (1.0 - share), 0.0)[old]
        share = self.committed.share_paid[step - 1]
        own = self.committed.rows
        kept[own], paid[own] = (whole * (1.0 - share))[own], (whole * share)[own]
        kept[~self.funded], paid[~self.funded] = 1.0, 0.0
        return Growth(kept, paid, ~old | (after[self.source] > 0))

    @cached_property
    def untouched(self) -> Vector:
        """Amounts of committed funds that are neither bought nor sold (steps + 1, k); zero elsewhere."""
        path = [np.where(self.committed.rows, self.start, 0.0)]
        for step in range(1, self.settings.steps + 1):
            called = np.where(self.committed.rows, self.committed.called[step - 1], 0.0)
            path.append(self.growth(step).kept * path[-1] + called)
        return np.stack(path)

    def _values(self, day: int) -> Vector:
        """Return what the payments after ``day`` are worth on it, per unit of money held now (n,)."""
        later = self.flows.day > day
        row = self.flows.row[later]
        time = (self.flows.day[later] - day) / 365.0
        worth = self.flows.amount[later] * np.exp(-self.force[row] * time)
        return np.bincount(row, weights=worth, minlength=len(self.force)).astype(float)

    def _due(self, step: int) -> Vector:
        """Return the payments of one step, per unit of money held now (n,)."""
        due = (self.flows.day > self.days(step - 1)) & (self.flows.day <= self.days(step))
        return np.bincount(self.flows.row[due], weights=self.flows.amount[due], minlength=len(self.force)).astype(float)

    def outside(self, step: int) -> dict[str, float]:
        """Return the cash that enters each account at a step: policies, new premiums, the owners."""
        unit = self.fund.inputs.unit
        found = dict.fromkeys(dict.fromkeys(self.account.tolist()), 0.0)
        table = self.fund.inputs.table("liabilities")
        if table is not None:
            year = table["year"].to_numpy(dtype=float, na_value=np.nan)
            first, last = (step - 1) / self.settings.per_year, step / self.settings.per_year
            net = np.nan_to_num(table["inflow"].to_numpy(dtype=float)) - table["outflow"].to_numpy(dtype=float)
            now = (year > first + 1e-9) & (year <= last + 1e-9)
            for account, amount in zip(table["account"][now], net[now], strict=True):
                found[account] = found.get(account, 0.0) + float(amount)
        for account, premium in self.settings.premiums.items():
            found[account] = found.get(account, 0.0) + premium * unit
        paid_in = self.settings.new_capital.get(step, 0.0) - self.settings.dividends.get(step, 0.0)
        owner = self.settings.shareholder_account or self.account[0]
        found[owner] = found.get(owner, 0.0) + paid_in * unit
        return found

    def reserves(self, step: int) -> float:
        """Return what new premiums have added to the liabilities by a step, money."""
        return step * sum(self.settings.premiums.values()) * self.settings.reserve_share * self.fund.inputs.unit


def make_world(fund: Fund, settings: PlanSettings) -> ProjectionBasis:
    """Return the rows of a plan.

    Parameters
    ----------
    fund : Fund
        The fund.
    settings : PlanSettings
        The fund file's ``plan`` section.

    Raises
    ------
    InputError
        For terms that a contract lacks, and accounts or funds that the plan names but the assets do not hold.
    """
    assets = fund.inputs.assets
    problems = Problems()
    has_end = np.zeros(len(assets), dtype=bool)
    for name in ENDS:
        if name in assets:
            has_end |= assets[name].notna().to_numpy()
    listed = fund.inputs.table("cash_flows")
    by_list = np.zeros(len(assets), dtype=bool) if listed is None else assets["asset_id"].isin(listed["asset_id"])
    contract = fund.space.funded & ((has_end & ~np.isnan(column(assets, "coupon"))) | np.asarray(by_list))
    flows = asset_cash_flows(fund.inputs, contract, problems, FloatingRule.CONTRACT)
    _check_names(fund, settings, problems)
    problems.raise_if_any()
    renewed = np.flatnonzero(contract & ~np.asarray(by_list))
    source = np.concatenate([np.arange(len(assets)), renewed])
    is_new = np.arange(len(source)) >= len(assets)
    rate = np.nan_to_num(fund.context.expected_return)[source]
    committed = committed_rows(fund, settings, len(source))
    return ProjectionBasis(fund, settings, source, is_new, rate, flows, _force(assets, flows), committed)


def _force(assets: pd.DataFrame, flows: CashFlows) -> Vector:
    """Return δ with e^−δt the discount factor at each row's yield; a yield that is not given solves Σ CF e^−δt = 1."""
    from allocator.inputs.cash_flows import yields

    frequency = np.maximum(np.nan_to_num(column(assets, "frequency"), nan=1.0), 1.0)
    rate = column(assets, "yield")
    rate = np.where(np.isnan(rate), np.nan_to_num(yields(flows, frequency)), rate)
    return np.asarray(frequency * np.log1p(rate / frequency))


def _check_names(fund: Fund, settings: PlanSettings, problems: Problems) -> None:
    accounts = set(fund.space.account.tolist())
    table = fund.inputs.table("liabilities")
    named = [("plan.premiums", name) for name in settings.premiums]
    named += [("inputs.liabilities", name) for name in ([] if table is None else table["account"].unique())]
    if settings.shareholder_account is not None:
        named.append(("plan.shareholder_account", settings.shareholder_account))
    for key, name in named:
        if name not in accounts:
            what = Text("no asset is held in this account", "该账户没有资产")
            problems.add(what, fund.settings.where(key), name, ", ".join(sorted(accounts)))
    known = set(fund.space.asset_id.tolist())
    for name in settings.calls:
        if name not in known:
            what = Text("no such asset", "没有该资产")
            problems.add(what, fund.settings.where(f"plan.calls.{name}"), name)
    if fund.regime is None:
        raise InputError(
            Problem(
                Text("a plan needs a solvency regime", "多期规划需要偿付能力监管制度"), fund.settings.where("capital")
            )
        )
