"""Reading the table ``funds``: what is committed, and what a row of assets.csv means for it.

A row's amount is the net asset value of the interest. Commitments follow from it:

- what is held stays on its path: every vintage is projected from its paid-in capital and NAV;
- a larger target is reached by a new commitment on the terms of the asset's latest vintage, large enough that
  its projected NAV peaks at the amount added: commitment = amount added / max n(t), n(t) the NAV of one CNY
  committed. What is added never grows beyond that amount, calls come as the fund calls them, and until then
  the money waits in cash: the budget sets it aside for this row from the first day;
- a smaller target is reached by selling that share of the interest with its uncalled part.

Several accounts share an asset's vintages by their amounts; equally while nothing is held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import EMPTY, InputError, Problem, Problems, Text, Vector, parse_number
from allocator.plugin.tables import Inputs, column
from allocator_venture.takahashi_alexander import FundTerms, Projection, growth_curve, project

__all__ = ["FundRows", "fund_rows", "fund_terms"]

Places = NDArray[np.int64]

NAV_TOLERANCE = 0.01
"""How far Σ nav of an asset may lie from Σ amount of its rows: reports of one quarter differ by days."""


@dataclass(frozen=True, eq=False)
class FundRows:
    """The rows of assets.csv that are funds with commitments, r of them; money in CNY.

    Parameters
    ----------
    row : ndarray of int (r,)
        Their places in the assets table.
    current : ndarray (r,)
        Amounts now.
    commitment, uncalled : ndarray (r,)
        The row's part of what is committed and not yet called.
    held : Projection
        The path of what is held, (r, years).
    added : Projection
        The path of one CNY of target added, (r, years).
    commitment_per_cny : ndarray (r,)
        New commitment per CNY of target added, 1 / max n(t).
    unit_nav : ndarray (r, L)
        n(t), year-end NAV of one CNY committed in the year it is made, by year of life.
    """

    row: Places
    current: Vector
    commitment: Vector
    uncalled: Vector
    held: Projection
    added: Projection
    commitment_per_cny: Vector
    unit_nav: Vector


def fund_terms(inputs: Inputs) -> tuple[FundTerms, pd.DataFrame]:
    """Return the terms of every row of ``funds``, and that table.

    Raises
    ------
    InputError
        When the fund names no such table, or a cell that the projection needs is missing or impossible.
    """
    table = inputs.table("funds")
    if table is None:
        raise InputError(
            Problem(
                Text("commitments need the table of funds", "认缴测算需要基金表"),
                inputs.settings.where("inputs"),
                allowed="inputs.funds",
                hint=Text("allocator init writes a template", "可用 allocator init 生成模板"),
            )
        )
    problems = Problems()
    rates = _contribution_rates(inputs, table, problems)
    needed = {name: column(table, name) for name in ("commitment", "paid_in", "nav", "life", "growth", "bow")}
    needed["nav"] = _values(inputs, table, needed["nav"])
    for name, values in needed.items():
        for row in np.flatnonzero(np.isnan(values)):
            problems.add(
                Text("the projection of a fund needs this figure", "基金现金流预测缺少该数值"),
                inputs.where("funds", int(row), name),
            )
    for name in ("life", "bow"):
        for row in np.flatnonzero(needed[name] <= 0):
            problems.add(
                Text("must be positive", "必须为正数"), inputs.where("funds", int(row), name), needed[name][row], "> 0"
            )
    for row in np.flatnonzero(needed["paid_in"] > needed["commitment"] * (1.0 + 1e-12)):
        problems.add(
            Text("more is paid in than was committed", "实缴金额大于认缴金额"),
            inputs.where("funds", int(row), "paid_in"),
            hint=Text(
                "add recallable distributions to the commitment, or correct the cell",
                "可收回分配请计入认缴金额，或更正该单元格",
            ),
        )
    problems.raise_if_any()
    # The first year of a fund's life ends with its vintage year.
    over = (inputs.as_of + timedelta(days=1)).year - column(table, "vintage").astype(np.int64)
    income = np.nan_to_num(column(table, "yield"))
    terms = FundTerms(
        needed["commitment"],
        np.minimum(needed["paid_in"], needed["commitment"]),
        needed["nav"],
        over,
        needed["life"],
        needed["bow"],
        needed["growth"],
        income,
        rates,
    )
    return terms, table


def fund_rows(inputs: Inputs, years: int) -> FundRows:
    """Return the rows with commitments and their paths over the next ``years`` years.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    years : int
        Length of the paths.

    Raises
    ------
    InputError
        As `fund_terms`; also when Σ nav of an asset is not the Σ amount of its rows.
    """
    terms, table = fund_terms(inputs)
    assets = inputs.assets
    names = pd.unique(table["asset_id"])
    row = np.flatnonzero(assets["asset_id"].isin(names).to_numpy())
    asset = pd.Index(names).get_indexer(pd.Index(assets["asset_id"].iloc[row]))
    vintage_of = pd.Index(names).get_indexer(pd.Index(table["asset_id"]))
    current = np.nan_to_num(column(assets, "amount")[row])
    amount = np.bincount(asset, current, len(names)).astype(float)
    count = np.bincount(asset, minlength=len(names))
    nav = np.bincount(vintage_of, terms.nav, len(names)).astype(float)
    _check_values(inputs, table, vintage_of, nav, amount)
    share = np.where(amount[asset] > 0, current / np.where(amount > 0, amount, 1.0)[asset], 1.0 / count[asset])

    def by_row(values: Vector) -> Vector:
        total = np.zeros((len(names), *values.shape[1:]))
        np.add.at(total, vintage_of, values)
        return total[asset] * share.reshape(-1, *[1] * (values.ndim - 1))

    path = project(terms, years)
    held = Projection(by_row(path.calls), by_row(path.distributions), by_row(path.nav), by_row(path.unfunded))
    latest = pd.Series(table["vintage"].to_numpy()).groupby(vintage_of).idxmax().to_numpy()[asset]
    new = terms.taken(latest).new_commitment()
    unit_nav = growth_curve(new)
    per_cny = 1.0 / unit_nav.max(axis=1)
    return FundRows(
        row,
        current,
        by_row(terms.commitment),
        by_row(terms.commitment - terms.paid_in),
        held,
        project(replace(new, commitment=per_cny), years),
        per_cny,
        unit_nav,
    )


def _values(inputs: Inputs, table: pd.DataFrame, nav: Vector) -> Vector:
    """Fill an empty NAV: a fund to be raised has none; the only vintage of an asset has the asset's amount."""
    alone = ~table["asset_id"].duplicated(keep=False).to_numpy()
    amount = inputs.assets.groupby("asset_id")["amount"].sum()
    known = table["asset_id"].map(amount).to_numpy(dtype=float)
    future = column(table, "vintage") > inputs.as_of.year
    return np.where(np.isnan(nav) & future, 0.0, np.where(np.isnan(nav) & alone, known, nav))


def _check_values(inputs: Inputs, table: pd.DataFrame, vintage_of: Places, nav: Vector, amount: Vector) -> None:
    problems = Problems()
    for asset in np.flatnonzero(np.abs(nav - amount) > NAV_TOLERANCE * np.maximum(nav, amount)):
        problems.add(
            Text("the vintages' NAV is not the amount held", "各年份净值之和与持仓金额不一致"),
            inputs.where("funds", int(np.argmax(vintage_of == asset)), "nav"),
            f"{nav[asset] / inputs.unit:,.6g}",
            f"{amount[asset] / inputs.unit:,.6g} ± {NAV_TOLERANCE:.0%}",
            Text("the amount of a fund row is its net asset value", "基金行的 amount 即其净值"),
        )
    problems.raise_if_any()


def _contribution_rates(inputs: Inputs, table: pd.DataFrame, problems: Problems) -> Vector:
    """Return RC by year (k, longest list), shorter lists continued with their last entry."""
    lists = [tuple(map(parse_number, cell)) for cell in table["contribution_rates"]]
    longest = max((len(rates) for rates in lists), default=1)
    filled = np.zeros((len(lists), max(longest, 1)))
    for row, rates in enumerate(lists):
        if rates and all(isinstance(rate, float) and 0.0 <= rate <= 1.0 for rate in rates):
            filled[row] = np.pad(np.array(rates), (0, longest - len(rates)), mode="edge")
            continue
        problems.add(
            Text("contribution rates by year are missing or not shares", "逐年缴款率缺失或不在 0 与 1 之间"),
            inputs.where("funds", row, "contribution_rates"),
            "; ".join(map(str, rates)) or EMPTY,
            "25%;33%;50%",
        )
    return filled
