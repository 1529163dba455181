"""Expected returns that show their parts: what a row yields, loses, rolls, and grows by.

The first that a row's cells allow:

    yield given            yield − expected loss + roll-down
    dividend_yield given   dividend yield + dividend growth + change of valuation
    in the table funds     the growth of its funds, weighted by NAV (by commitment before the first call)
    else                   expected_return as given

Expected loss a year: of a tranche, `allocator_securitised.tranches.expected_loss`; of other credit, default
rate × loss severity; none for the kinds that ``rules/securitised.yaml`` lists, unless a rate is given.
Roll-down on an unchanged spot curve, at the duration T: (T − 1) · (r(T) − r(T − 1)), which is exact for a zero
bond in logarithms: ln P rises by T·r(T) − (T−1)·r(T−1) = r(T) + roll-down.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.plugin import EMPTY, Mask, Problems, Section, Text, Vector
from allocator.plugin.cash_flows import SpotCurve, modified_durations, spot_curve
from allocator.plugin.tables import Column, Inputs, Measure, Table, annual_rates, column, flags
from allocator.plugin.terms import ReturnModelSpec
from allocator_securitised.deals import RULES, read_deals, tranche_rows

__all__ = ["PARTS", "RETURN_MODELS", "TABLES", "building_blocks", "expected_losses", "roll_downs"]


TABLES = (
    Table(
        "assets",
        (
            Column(
                "dividend_yield",
                Measure.RATE,
                Text("Dividend or distribution yield", "股息率或分派率"),
                ("股息率", "分派率"),
            ),
            Column(
                "dividend_growth", Measure.RATE, Text("Annual growth of dividends", "股息年增长率"), ("股息增长率",)
            ),
            Column(
                "valuation_change",
                Measure.RATE,
                Text("Annual change of the valuation", "估值年变动"),
                ("估值变动",),
            ),
        ),
    ),
)

PARTS = {
    "income": Text("Yield or dividend", "收益率或股息率"),
    "expected_loss": Text("Expected loss", "预期损失"),
    "roll_down": Text("Roll-down", "骑乘收益"),
    "growth": Text("Growth", "增长"),
    "valuation": Text("Change of valuation", "估值变动"),
    "given": Text("As given", "给定值"),
}


class BuildingBlockOptions(Section):
    """No keys: the figures are the columns of assets.csv, the curve and the table of funds."""


def building_blocks(inputs: Inputs) -> pd.DataFrame:
    """Return the parts of each row's expected return (n, parts), annual decimals that add up.

    Raises
    ------
    InputError
        Naming each row that has no parts, or lacks one of them.
    """
    assets, problems = inputs.assets, Problems()
    rate, dividend = column(assets, "yield"), column(assets, "dividend_yield")
    bonds = ~np.isnan(rate)
    shares = ~bonds & ~np.isnan(dividend)
    fund = _fund_growth(inputs)
    funds = ~bonds & ~shares & ~np.isnan(fund)
    rest = ~(bonds | shares | funds)
    parts = pd.DataFrame(0.0, index=assets.index, columns=list(PARTS))
    parts["income"] = np.where(bonds, rate, np.where(shares, dividend, 0.0))
    parts["expected_loss"] = -expected_losses(inputs, bonds, problems)
    parts["roll_down"] = roll_downs(inputs, bonds, problems)
    parts["growth"] = np.where(shares, np.nan_to_num(column(assets, "dividend_growth")), np.where(funds, fund, 0.0))
    parts["valuation"] = np.where(shares, np.nan_to_num(column(assets, "valuation_change")), 0.0)
    given = column(assets, "expected_return")
    parts["given"] = np.where(rest, given, 0.0)
    for row in np.flatnonzero(rest & np.isnan(given)):
        problems.add(
            Text("nothing to build the expected return from", "没有可用于构建预期收益率的数据"),
            inputs.where("assets", int(row), "yield"),
            EMPTY,
            "yield, dividend_yield, a row of funds, or expected_return",
        )
    problems.raise_if_any()
    return parts


def expected_losses(inputs: Inputs, rows: Mask, problems: Problems) -> Vector:
    """Return expected losses a year per CNY (n,), zero outside ``rows``; what is missing goes to ``problems``.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    rows : ndarray of bool (n,)
        Rows wanted.
    problems : Problems
        Receives what is missing or impossible; the caller must raise it.
    """
    assets = inputs.assets
    default, severity = annual_rates(assets, "default_rate"), column(assets, "loss_severity")
    given = assets["default_rate"].map(bool).to_numpy(dtype=bool)
    free = assets["kind"].isin(RULES.at("no_expected_loss", inputs.as_of).names).to_numpy()
    tranches = rows & tranche_rows(inputs)
    plain = rows & given & ~tranches
    for row in np.flatnonzero(rows & ~given & ~free):
        problems.add(
            Text("a yield with credit risk needs its expected loss", "含信用风险的收益率须提供预期损失"),
            inputs.where("assets", int(row), "default_rate"),
            EMPTY,
            hint=Text(
                "give default_rate and loss_severity; 0% if none is expected", "请填写违约率与违约损失率；若无可填 0%"
            ),
        )
    for row in np.flatnonzero(plain & np.isnan(severity)):
        problems.add(
            Text("the loss severity is missing", "缺少违约损失率"), inputs.where("assets", int(row), "loss_severity")
        )
    # Shorter lists are padded to the longest: the mean is over the row's own years.
    years = np.array([max(len(cell), 1) if given[row] else 1 for row, cell in enumerate(assets["default_rate"])])
    own = np.arange(default.shape[1]) < years[:, None]
    losses = np.where(plain, (default * own).sum(axis=1) / years * severity, 0.0)
    if tranches.any():
        deals = read_deals(inputs, tranches, problems)
        losses[deals.row] = deals.loss().annual
    return losses


def roll_downs(inputs: Inputs, rows: Mask, problems: Problems) -> Vector:
    """Return roll-downs of one year (n,); zero without a curve, for floaters, and up to a duration of one year.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    rows : ndarray of bool (n,)
        Rows wanted.
    problems : Problems
        Receives what is missing or impossible; the caller must raise it.
    """
    assets = inputs.assets
    curve = _curve(inputs, problems)
    timed = ~np.isnan(column(assets, "modified_duration")) | assets["maturity"].notna().to_numpy()
    chosen = rows & timed & ~flags(assets, "floating")
    if curve is None or not chosen.any():
        return np.zeros(len(assets))
    rate = np.nan_to_num(column(assets, "yield"))
    frequency = np.maximum(np.nan_to_num(column(assets, "frequency"), nan=1.0), 1.0)
    # Macaulay's duration is the tenor of the zero bond that moves alike.
    tenor = np.nan_to_num(modified_durations(inputs, chosen, problems)) * (1.0 + rate / frequency)
    earlier = np.maximum(tenor - 1.0, 0.0)
    return np.asarray(earlier * (curve.rate(tenor) - curve.rate(earlier)))


def _curve(inputs: Inputs, problems: Problems) -> SpotCurve | None:
    table = inputs.table("curve")
    if table is None:
        return None
    tenors = table["tenor"].to_numpy(dtype=float)
    return spot_curve(table, float(tenors.min()), float(tenors.max()), inputs.sources["curve"].file, problems)


def _fund_growth(inputs: Inputs) -> Vector:
    """Return the growth of each row's funds (n,), NaN for rows that are none."""
    table = inputs.table("funds")
    if table is None:
        return np.full(len(inputs.assets), np.nan)
    value, committed = column(table, "nav"), column(table, "commitment")
    held = pd.DataFrame(
        {
            "asset_id": table["asset_id"],
            "growth": column(table, "growth"),
            "value": np.nan_to_num(value),
            "committed": np.nan_to_num(committed),
        }
    )
    by_asset = held.groupby("asset_id")
    funded = by_asset["value"].transform("sum") > 0
    counted = by_asset["committed"].transform("sum") > 0
    weight = np.where(funded, held["value"], np.where(counted, held["committed"], 1.0))
    total = (held["growth"] * weight).groupby(held["asset_id"]).sum(min_count=1)
    growth = total / pd.Series(weight).groupby(held["asset_id"]).sum()
    return inputs.assets["asset_id"].map(growth).to_numpy(dtype=float)


def _returns(inputs: Inputs, options: BuildingBlockOptions) -> Vector:
    return building_blocks(inputs).sum(axis=1).to_numpy(dtype=float)


RETURN_MODELS = (
    ReturnModelSpec(
        "building_blocks",
        Text("Expected returns built from their parts", "由各组成部分构建的预期收益率"),
        BuildingBlockOptions,
        _returns,
    ),
)
