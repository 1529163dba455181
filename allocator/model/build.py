"""From checked inputs to the decision space and its budgets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from allocator.arrays import Vector
from allocator.config.settings import AccountSettings
from allocator.errors import InputError, Problem, Problems
from allocator.inputs.fund import Inputs
from allocator.jurisdiction import Jurisdiction
from allocator.model.expressions import Linear, TradeCost
from allocator.model.space import Space
from allocator.model.terms import Sense, Term
from allocator.types import Certainty, Source, Text

__all__ = ["build_budgets", "build_space", "build_trade_cost"]


OWN = Source("accounts", certainty=Certainty.USER)


def build_space(inputs: Inputs) -> Space:
    """Return the decision space of a fund.

    A funded row without ``min`` may fall to zero, without ``max`` it is bounded by its budget alone. A
    derivative without ``min`` and ``max`` keeps its notional: it has no budget that would bound it.

    Raises
    ------
    InputError
        When nothing is held and no budget says how much there is to place.
    """
    assets = inputs.assets
    current = assets["amount"].fillna(0.0).to_numpy(dtype=float)
    funded = ~assets["kind"].map({name: kind.derivative for name, kind in inputs.kinds.items()}).to_numpy(dtype=bool)
    lower = assets["min"].to_numpy(dtype=float)
    upper = assets["max"].to_numpy(dtype=float)
    lower = np.where(np.isnan(lower), np.where(funded, 0.0, current), lower)
    upper = np.where(np.isnan(upper), np.where(funded, np.inf, current), upper)
    settings = inputs.settings
    cost = assets["transaction_cost"].to_numpy(dtype=float)
    total = _funded_total(inputs, current * funded)
    if total <= 0.0:
        raise InputError(
            Problem(
                Text("nothing is held and no budget is given", "没有持仓，也没有给定预算"),
                settings.where("accounts"),
                hint=Text(
                    "fill the column amount or give accounts.NAME.budget",
                    "请填写 amount 列，或给出 accounts.名称.budget",
                ),
            )
        )
    return Space(
        assets["asset_id"].to_numpy(dtype=str),
        assets["account"].fillna("").to_numpy(dtype=str),
        current,
        lower,
        upper,
        funded,
        np.where(np.isnan(cost), settings.objective.costs.linear, cost),
        total,
        inputs.unit,
        inputs.jurisdiction.currency,
    )


def _funded_total(inputs: Inputs, current: Vector) -> float:
    """Return what all accounts hold after trading: their budgets, else their current sums.

    An account with ``min`` or ``max`` instead of a budget counts with its current sum, brought inside them: the total
    is a constant of the program, and so are the weights' denominators.
    """
    held = pd.Series(current).groupby(inputs.assets["account"].fillna("").to_numpy()).sum()
    total = 0.0
    for name in dict.fromkeys([*held.index, *inputs.settings.accounts]):
        given, now = inputs.settings.accounts.get(name, AccountSettings()), float(held.get(name, 0.0)) / inputs.unit
        least, most = (given.min or 0.0, np.inf if given.max is None else given.max)
        total += min(max(now, least), most) if given.budget is None else given.budget
    return total * inputs.unit


def build_budgets(inputs: Inputs, space: Space) -> tuple[Term, ...]:
    """Return one budget per account: Σ target = budget, by default the account's current sum.

    ``accounts.NAME.min`` and ``max`` replace the equality by bounds on the account's sum.

    Parameters
    ----------
    inputs : Inputs
        The fund, with its ``accounts`` section.
    space : Space
        The decision space (n rows).

    Raises
    ------
    InputError
        When a budget lies outside what the rows' ``min`` and ``max`` allow.
    """
    terms: list[Term] = []
    problems = Problems()
    for name, rows in space.accounts().items():
        given = inputs.settings.accounts.get(name, AccountSettings())
        left = Linear(
            sparse.csr_array((np.ones(len(rows)), (np.zeros(len(rows), dtype=int), rows)), shape=(1, space.size)),
            np.zeros(1),
        )
        lower, upper = float(space.lower[rows].sum()), float(space.upper[rows].sum())
        sides: list[tuple[str, Sense, float]] = []
        if given.min is None and given.max is None:
            held = float(space.current[rows].sum()) if given.budget is None else given.budget * inputs.unit
            sides.append(("budget", Sense.EQUAL, held))
            if not lower - 1e-9 * space.total <= held <= upper + 1e-9 * space.total:
                problems.add(
                    Text(
                        "the budget lies outside what the rows' min and max allow", "预算超出各行 min 与 max 之和的范围"
                    ),
                    inputs.settings.where(f"accounts.{name}"),
                    f"{held / inputs.unit:,.6g}",
                    f"{lower / inputs.unit:,.6g} … {upper / inputs.unit:,.6g}",
                )
        if given.min is not None:
            sides.append(("budget_min", Sense.AT_LEAST, given.min * inputs.unit))
        if given.max is not None:
            sides.append(("budget_max", Sense.AT_MOST, given.max * inputs.unit))
        terms += [
            Term(
                f"{side}[{name}]" if name else side,
                _budget_label(inputs.jurisdiction, name),
                left,
                sense,
                np.array([right]),
                np.array([space.total]),
                "share",
                OWN,
            )
            for side, sense, right in sides
        ]
    problems.raise_if_any()
    return tuple(terms)


def build_trade_cost(inputs: Inputs, space: Space) -> TradeCost:
    """Return the one-off cost of moving from the current to the target holdings, money.

    Parameters
    ----------
    inputs : Inputs
        The fund, with ``objective.costs``.
    space : Space
        The decision space (n rows), with the rows' own linear costs.
    """
    quadratic = 2.0 * inputs.settings.objective.costs.quadratic / space.total
    impact = np.full(space.size, quadratic) * space.funded
    return TradeCost(space.linear_cost, space.linear_cost, impact, space.current, space.lower, space.upper)


def _budget_label(jurisdiction: Jurisdiction, account: str) -> Text:
    if not account:
        return Text("Budget of all accounts", "全部账户预算")
    named = jurisdiction.account_labels.get(account) or Text(account, account)
    return Text(f"Budget of the {named.en.lower()} account", f"{named.zh}账户预算")
