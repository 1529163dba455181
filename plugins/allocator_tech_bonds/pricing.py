"""Prices from the curve and a spread by rating and tenor, to the date that the holder cannot refuse.

Per 100 of face, with r the spot curve, s the spread of the rating at the tenor T of the last payment, and
t its years ahead on the fund's time axis,

    price(T) = 100 · Σ CF(t) / (1 + r(t) + s(T))^t        dirty, for each way the bond may end: maturity, call, put

The issuer calls where that is cheaper for it, the holder puts where that is worth more: with both,
max(put, min(call, maturity)); a 5+5 bond is the better of five and ten years for its holder. These are values
on today's curve without the options' time value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import InputError, Problem, Problems, Text, Vector
from allocator.plugin.cash_flows import (
    Amortisation,
    CashFlows,
    Contracts,
    SpotCurve,
    contract_flows,
    flow_axis,
    spot_curve,
    years_ahead,
    yields,
)
from allocator.plugin.tables import (
    PRICE_BASE,
    SCALE,
    Column,
    Inputs,
    Measure,
    Table,
    annual_rates,
    column,
    rating_ranks,
)

__all__ = ["TABLES", "SpreadTable", "bond_prices", "read_spreads"]

Days = NDArray[np.datetime64]

KIND = "tech_innovation_bond"

TABLES = (
    Table(
        "spreads",
        (
            Column("rating", Measure.TEXT, Text("Rating", "评级"), ("评级", "信用评级"), required=True),
            Column(
                "tenor",
                Measure.NUMBER,
                Text("Tenor, years", "期限（年）"),
                ("期限", "期限（年）"),
                minimum=0.0,
                required=True,
            ),
            Column(
                "spread",
                Measure.RATE,
                Text("Spread over the spot curve", "信用利差"),
                ("利差", "信用利差"),
                required=True,
            ),
            Column(
                "source",
                Measure.TEXT,
                Text("Where the spread comes from", "利差来源"),
                ("来源", "数据来源"),
                required=True,
            ),
        ),
        key=("rating", "tenor"),
    ),
)


@dataclass(frozen=True, eq=False)
class SpreadTable:
    """Spreads by rank of rating: tenors and spreads, linear between them and flat outside."""

    points: dict[int, tuple[Vector, Vector]]

    def spread(self, rank: NDArray[np.int64], tenor: Vector) -> Vector:
        """Return the spreads (k,); NaN for a rating that the table does not have.

        Parameters
        ----------
        rank : ndarray of int (k,)
            Ratings, by rank.
        tenor : ndarray (k,)
            Years.
        """
        found = np.full(len(rank), np.nan)
        for known, (tenors, spreads) in self.points.items():
            chosen = rank == known
            found[chosen] = np.interp(tenor[chosen], tenors, spreads)
        return found


def read_spreads(inputs: Inputs) -> SpreadTable:
    """Return the user's table of spreads.

    Raises
    ------
    InputError
        When the fund names none, or a rating of it cannot be read.
    """
    table = inputs.table("spreads")
    if table is None:
        raise InputError(
            Problem(
                Text("prices need a table of spreads by rating and tenor", "定价需要按评级与期限给出的利差表"),
                inputs.settings.where("inputs"),
                allowed="inputs.spreads",
            )
        )
    points = {}
    problems = Problems()
    for rating, rows in table.sort_values("tenor").groupby("rating"):
        if rating not in SCALE:
            what = Text("a rating that is not understood", "无法识别的评级")
            problems.add(what, inputs.sources["spreads"].file, str(rating), ", ".join(SCALE[:10]))
            continue
        points[SCALE.index(str(rating))] = (rows["tenor"].to_numpy(dtype=float), rows["spread"].to_numpy(dtype=float))
    problems.raise_if_any()
    return SpreadTable(points)


def bond_prices(inputs: Inputs) -> pd.DataFrame:
    """Return the prices of the science-and-technology innovation bonds.

    Returns
    -------
    DataFrame
        One row per bond and account: asset_id, account, price_maturity, price_call, price_put (dirty, per 100 of
        face; empty where the bond cannot end so), price, ends ("maturity", "call" or "put"), end, yield (to that
        end, compounded as it pays), spread, fair_value (CNY, of the face held), richness (amount / fair value − 1).

    Raises
    ------
    InputError
        Naming what the curve, the table of spreads or a bond lacks.
    """
    spreads = read_spreads(inputs)
    problems = Problems()
    curve = _curve(inputs, problems)
    rows = (inputs.assets["kind"] == KIND).to_numpy()
    rank = rating_ranks(inputs, rows, problems)[rows]
    contracts = _contracts(inputs, np.flatnonzero(rows), problems)
    problems.raise_if_any()
    assert curve is not None
    assets = inputs.assets[rows]
    call, put = (np.fmin(_days(assets, name), contracts.maturity) for name in ("next_call_date", "put_date"))
    call_price = np.nan_to_num(column(assets, "call_price"), nan=PRICE_BASE) / PRICE_BASE
    ways = {
        "maturity": contracts,
        "call": replace(contracts, end=call, redemption=call_price),
        "put": replace(contracts, end=put),
    }
    found = {name: _price(way, curve, spreads, rank, inputs) for name, way in ways.items()}
    for row in np.flatnonzero(np.isnan(found["maturity"].price)):
        problems.add(
            Text("no spread for this rating", "利差表缺少该评级"),
            inputs.where("assets", int(np.flatnonzero(rows)[row]), "rating"),
            str(assets["rating"].iloc[row]),
        )
    problems.raise_if_any()
    return _frame(assets, found)


@dataclass(frozen=True, eq=False)
class _Priced:
    price: Vector
    end: Days
    rate: Vector
    spread: Vector


def _frame(assets: pd.DataFrame, found: dict[str, _Priced]) -> pd.DataFrame:
    """Choose how each bond ends, and lay the figures out; a way that is no earlier than maturity is none."""
    price = {
        name: np.where((way.end < found["maturity"].end) | (name == "maturity"), way.price, np.nan)
        for name, way in found.items()
    }
    called = price["call"] < price["maturity"]
    put = price["put"] > np.where(called, price["call"], price["maturity"])
    chosen = np.where(put, 2, np.where(called, 1, 0))

    def of(part: str) -> NDArray[Any]:
        return np.choose(chosen, [getattr(way, part) for way in found.values()])

    fair = of("price") * column(assets, "face") / PRICE_BASE
    figures = {
        **{f"price_{name}": values for name, values in price.items()},
        "price": of("price"),
        "ends": np.array(list(found))[chosen],
        "end": of("end"),
        "yield": of("rate"),
        "spread": of("spread"),
        "fair_value": fair,
        "richness": column(assets, "amount") / fair - 1.0,
    }
    return assets[["asset_id", "account"]].reset_index(drop=True).assign(**figures)


def _price(
    contracts: Contracts, curve: SpotCurve, spreads: SpreadTable, rank: NDArray[np.int64], inputs: Inputs
) -> _Priced:
    size = len(rank)
    axis = flow_axis(inputs, int((contracts.maturity - contracts.as_of).astype(np.int64).max(initial=0)))
    flows = contract_flows(contracts, axis)
    tenor = years_ahead(inputs, (contracts.end - contracts.as_of).astype("timedelta64[D]").astype(float))
    spread = spreads.spread(rank, tenor)
    time = years_ahead(inputs, flows.day)
    rate = curve.rate(time) + spread[flows.contract]
    paid = flows.principal + flows.interest
    value = np.bincount(flows.contract, paid * (1.0 + rate) ** -time, size).astype(float)
    worth = value[flows.contract]
    per_cny = CashFlows(size, flows.contract, flows.day, flows.principal / worth, flows.interest / worth, axis)
    frequency = np.maximum(contracts.frequency, 1).astype(float)
    return _Priced(PRICE_BASE * value, contracts.end, yields(per_cny, frequency), spread)


def _contracts(inputs: Inputs, rows: NDArray[np.int64], problems: Problems) -> Contracts:
    """Return the terms to maturity; what is missing is named."""
    assets = inputs.assets.iloc[rows]
    as_of = np.datetime64(inputs.as_of, "D")
    maturity, issued = _days(assets, "maturity"), _days(assets, "issue_date")
    coupon, frequency = column(assets, "coupon"), column(assets, "frequency")
    simple = (frequency == 0) & (coupon != 0)
    missing = Text("the price of a bond needs this figure", "债券定价缺少该数值")
    faults = {
        "maturity": np.isnat(maturity) | (maturity <= as_of),
        "coupon": np.isnan(coupon),
        "frequency": ~np.isin(frequency, (0, 1, 2, 3, 4, 6, 12)),
        "issue_date": simple & (np.isnat(issued) | (issued > as_of)),
        "next_call_date": _days(assets, "next_call_date") <= as_of,
        "put_date": _days(assets, "put_date") <= as_of,
    }
    for name, bad in faults.items():
        for row in np.flatnonzero(bad):
            problems.add(
                missing,
                inputs.where("assets", int(rows[row]), name),
                allowed=f"after {as_of}" if "date" in name else None,
            )
    amortisation = assets["amortisation"].fillna(Amortisation.BULLET.value).to_numpy(dtype=str)
    return Contracts(
        as_of,
        maturity,
        maturity,
        np.zeros(len(rows), dtype=bool),
        np.nan_to_num(frequency).astype(np.int64),
        np.where(np.isnat(issued), as_of, issued),
        coupon,
        np.ones(len(rows)),
        amortisation,
        annual_rates(assets, "prepayment_rate"),
    )


def _days(assets: pd.DataFrame, name: str) -> Days:
    return assets[name].to_numpy().astype("datetime64[D]")


def _curve(inputs: Inputs, problems: Problems) -> SpotCurve | None:
    table = inputs.table("curve")
    if table is None:
        problems.add(
            Text("prices need a spot curve", "定价需要即期收益率曲线"),
            inputs.settings.where("inputs"),
            allowed="inputs.curve",
        )
        return None
    tenors = table["tenor"].to_numpy(dtype=float)
    return spot_curve(table, float(tenors.min()), float(tenors.max()), inputs.sources["curve"].file, problems)
