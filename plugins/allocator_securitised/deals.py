"""Reading the tranches among the assets: their pools, where they stand, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Problems, Text, Vector
from allocator.plugin.cash_flows import Amortisation, Contracts, contract_flows
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Column, Inputs, Measure, Table, annual_rates, column
from allocator_securitised.pool import Pools, pool_flows
from allocator_securitised.tranches import ExpectedLoss, TrancheFlows, Tranches, expected_loss, tranche_flows

__all__ = ["RULES", "TABLES", "Deals", "read_deals", "tranche_cash_flows", "tranche_rows"]


RULES = RuleBook.load("allocator_securitised", "rules/securitised.yaml")


def _share(name: str, en: str, zh: str, *aliases: str) -> Column:
    return Column(name, Measure.RATE, Text(en, zh), aliases, minimum=0.0, maximum=1.0)


TABLES = (
    Table(
        "assets",
        (
            Column(
                "default_rate",
                Measure.LIST,
                Text("Annual default rate; several, one a year, apart by ;", "年违约率，逐年以分号隔开"),
                ("违约率", "年违约率", "CDR"),
            ),
            _share("loss_severity", "Share of a defaulted claim that is lost", "违约损失率", "违约损失率", "LGD"),
            _share("tranche_share", "Share of the pool in this tranche", "本档占资产池比例", "本档占比", "分层厚度"),
            _share("pool_coupon", "Rate of the pool", "资产池利率", "基础资产利率", "资产池利率"),
            _share("senior_coupon", "Rate of what ranks before the tranche", "优先档利率", "优先档利率"),
            _share("obligor_correlation", "Correlation of the obligors", "债务人相关系数", "相关系数"),
        ),
    ),
)


@dataclass(frozen=True, eq=False)
class Deals:
    """The tranches whose terms are complete, k of them.

    Parameters
    ----------
    row : ndarray of int (k,)
        Their places in the assets table.
    pools : Pools
        One pool each, of balance 1.
    tranches : Tranches
        Where they stand on it.
    correlation : ndarray (k,)
        Of the pool's obligors.
    day : ndarray of int (k, T)
        Payment days after the valuation date; 0 after the last.
    """

    row: NDArray[np.int64]
    pools: Pools
    tranches: Tranches
    correlation: Vector
    day: NDArray[np.int64]

    def flows(self) -> TrancheFlows:
        """Return what the tranches receive if defaults come as expected, per unit of each."""
        return tranche_flows(self.tranches, pool_flows(self.pools), self.pools.frequency)

    def loss(self) -> ExpectedLoss:
        """Return the expected loss over the states of the pools' common factor."""
        return expected_loss(self.pools, self.tranches, self.correlation)


def tranche_rows(inputs: Inputs) -> NDArray[np.bool_]:
    """Return which rows are tranches that say how their pool defaults (n,)."""
    kinds = RULES.at("kinds", inputs.as_of).names
    return (inputs.assets["kind"].isin(kinds) & inputs.assets["default_rate"].map(bool)).to_numpy(dtype=bool)


def read_deals(inputs: Inputs, rows: NDArray[np.bool_], problems: Problems) -> Deals:
    """Return the tranches among ``rows``; what is missing or impossible is added to ``problems``.

    Empty cells: ``tranche_share`` reaches to the top of the pool, ``pool_coupon`` and ``senior_coupon`` are the
    tranche's own coupon, ``prepayment_rate`` is zero, ``amortisation`` is at the end.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    rows : ndarray of bool (n,)
        Rows wanted.
    problems : Problems
        Receives what is missing or impossible; the caller must raise it.
    """
    places = np.flatnonzero(rows)
    places = places[_complete(inputs, places, problems)]
    assets = inputs.assets.iloc[places]
    coupon, frequency = column(assets, "coupon"), column(assets, "frequency").astype(np.int64)
    attachment, detachment = _ends(assets)

    def or_else(name: str, other: Vector) -> Vector:
        given = column(assets, name)
        return np.where(np.isnan(given), other, given)

    maturity = assets["maturity"].to_numpy().astype("datetime64[D]")
    day = _payment_days(np.datetime64(inputs.as_of, "D"), maturity, frequency)
    pools = Pools(
        (day > 0).sum(axis=1),
        frequency,
        or_else("pool_coupon", coupon),
        assets["amortisation"].fillna(Amortisation.BULLET.value).to_numpy(dtype=str),
        annual_rates(assets, "prepayment_rate"),
        annual_rates(assets, "default_rate"),
        column(assets, "loss_severity"),
    )
    tranches = Tranches(attachment, np.minimum(detachment, 1.0), coupon, or_else("senior_coupon", coupon))
    usual = np.full(len(places), RULES.at("correlation", inputs.as_of).number)
    return Deals(places, pools, tranches, or_else("obligor_correlation", usual), day)


def _ends(assets: pd.DataFrame) -> tuple[Vector, Vector]:
    attachment, size = column(assets, "subordination"), column(assets, "tranche_share")
    return attachment, np.where(np.isnan(size), 1.0, attachment + size)


def _complete(inputs: Inputs, places: NDArray[np.int64], problems: Problems) -> NDArray[np.bool_]:
    """Return which of the rows have all that a tranche needs; name what the others lack."""
    assets = inputs.assets.iloc[places]
    as_of = np.datetime64(inputs.as_of, "D")
    prepayment, default = annual_rates(assets, "prepayment_rate"), annual_rates(assets, "default_rate")
    maturity = assets["maturity"].to_numpy().astype("datetime64[D]")
    attachment, detachment = _ends(assets)
    missing = Text("the cash flows of a tranche need this figure", "分层现金流测算缺少该数值")
    rate = Text("an annual rate out of range", "年化比率超出范围")
    thin = Text("the tranche reaches above its pool or has no size", "该档超出资产池或厚度为零")
    good = np.ones(len(places), dtype=bool)
    for name, bad, what, allowed in (
        ("coupon", np.isnan(column(assets, "coupon")), missing, None),
        ("loss_severity", np.isnan(column(assets, "loss_severity")), missing, "0 – 1"),
        ("subordination", np.isnan(attachment), missing, "0 – 1"),
        ("frequency", ~np.isin(column(assets, "frequency"), (1, 2, 4, 12)), missing, "1, 2, 4, 12"),
        ("maturity", np.isnat(maturity) | (maturity <= as_of), missing, f"after {as_of}"),
        ("prepayment_rate", ~np.all((prepayment >= 0) & (prepayment < 1), axis=1), rate, "0 ≤ rate < 1"),
        ("default_rate", ~np.all((default >= 0) & (default < 1), axis=1), rate, "0 ≤ rate < 1"),
        ("tranche_share", (detachment > 1.0 + 1e-9) | (detachment <= attachment), thin, "subordination + share ≤ 1"),
        ("obligor_correlation", column(assets, "obligor_correlation") >= 1.0, rate, "0 ≤ correlation < 1"),
    ):
        good &= ~bad
        for place in np.flatnonzero(bad):
            problems.add(what, inputs.where("assets", int(places[place]), name), allowed=allowed)
    return good


def tranche_cash_flows(inputs: Inputs) -> pd.DataFrame:
    """Return the tranches' expected payments as the table ``cash_flows`` holds them.

    Columns asset_id, date, principal, interest, CNY; principal is that of the asset's ``face`` over its
    accounts, or its ``amount`` where no face is given.

    Raises
    ------
    InputError
        Naming what a tranche lacks.
    """
    problems = Problems()
    deals = read_deals(inputs, tranche_rows(inputs), problems)
    problems.raise_if_any()
    flows, assets = deals.flows(), inputs.assets.iloc[deals.row]
    face = column(assets, "face")
    held = np.where(np.isnan(face), column(assets, "amount"), face)
    k, t = np.nonzero(deals.day)
    frame = pd.DataFrame(
        {
            "asset_id": assets["asset_id"].to_numpy()[k],
            "date": np.datetime64(inputs.as_of, "D") + deals.day[k, t],
            "principal": (held[:, None] * flows.principal)[k, t],
            "interest": (held[:, None] * flows.interest)[k, t],
        }
    )
    return frame.groupby(["asset_id", "date"], as_index=False, sort=False).sum()


def _payment_days(
    as_of: np.datetime64, maturity: NDArray[np.datetime64], frequency: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the coupon days of each contract (k, T), zero after the last: those of a bullet bond."""
    size = len(maturity)
    nothing, ones = np.zeros(size), np.ones(size)
    bullet = np.full(size, Amortisation.BULLET.value)
    flows = contract_flows(
        Contracts(
            as_of,
            maturity,
            maturity,
            np.zeros(size, dtype=bool),
            frequency,
            np.full(size, as_of),
            nothing,
            ones,
            bullet,
            nothing[:, None],
        )
    )
    count = np.bincount(flows.contract, minlength=size)
    place = np.arange(len(flows.contract)) - np.repeat(np.cumsum(count) - count, count)
    day = np.zeros((size, int(count.max(initial=0))), dtype=np.int64)
    day[flows.contract, place] = flows.day
    return day
