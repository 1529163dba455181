"""Cash flows of the holdings, per unit of money held, so that everything computed from them is linear in the holdings.

A row's flows come from the table ``cash_flows`` when it names the asset, else from its terms: coupon,
frequency, maturity, amortisation, prepayment_rate, next_call_date, call_price, put_date, floating. How much
principal one unit of money buys is face / amount where both are given, else 1 / dirty price at ``yield``.
Rules: a contract that may be called or put ends at the first such date; a floating one, under
`FloatingRule.RESET`, is worth par at its next coupon date; time is that of `allocator.inputs.time_axis`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from allocator.arrays import Vector
from allocator.errors import Problems
from allocator.inputs.curves import DAYS_IN_YEAR, SpotCurve
from allocator.inputs.fund import Inputs
from allocator.inputs.schedules import Contracts, Flows, contract_flows
from allocator.inputs.terms import Terms, column, read_terms
from allocator.inputs.time_axis import flow_axis
from allocator.types import Text

__all__ = ["CashFlows", "FloatingRule", "asset_cash_flows", "cash_flow_parts", "modified_durations", "yields"]


_CHUNK = 1 << 17
"""Contracts expanded at a time: bounds the memory of the intermediate arrays."""


class FloatingRule(StrEnum):
    """What a floating coupon is taken for: par at its next reset, or the present coupon until maturity."""

    RESET = "reset"
    CONTRACT = "contract"


@dataclass(frozen=True, eq=False)
class CashFlows:
    """Payments per unit of money held, as a sparse triplet.

    Parameters
    ----------
    size : int
        Rows of the assets table, n.
    row : ndarray of int (k,)
        Row that receives the payment.
    day : ndarray of int (k,)
        Days after the valuation date, > 0.
    principal, interest : ndarray (k,)
        What is received, per unit of money of the row's amount; negative is paid.
    axis : ndarray (days,) or None
        Years of each day after the valuation date; None: days / 365.
    """

    size: int
    row: NDArray[np.int64]
    day: NDArray[np.int64]
    principal: Vector
    interest: Vector
    axis: Vector | None = None

    @property
    def amount(self) -> Vector:
        """Principal and interest together (k,)."""
        return self.principal + self.interest

    @property
    def time(self) -> Vector:
        """Years from the valuation date (k,)."""
        return self.day / DAYS_IN_YEAR if self.axis is None else self.axis[self.day]

    def present_value(self, curve: SpotCurve) -> Vector:
        """Return Σ amount · d(t) per unit of money of each row, shape (n,); 0 for rows without flows."""
        last = int(self.day.max(initial=0))
        factors = curve.discount_by_day(last) if self.axis is None else curve.discount(self.axis[: last + 1])
        return self._by_row(self.amount * factors[self.day])

    def spot_durations(self, curve: SpotCurve) -> Vector:
        """Return −∂ ln PV / ∂r for a parallel move of the spot curve, years (n,); NaN without value."""
        return np.asarray(self.key_rate_durations(curve, curve.tenors).sum(axis=1))

    def key_rate_durations(self, curve: SpotCurve, tenors: ArrayLike) -> Vector:
        """Return −∂ ln PV / ∂r_k by key tenor, years, shape (n, tenors); NaN for rows without value.

        The move at a key tenor falls off linearly to its neighbours and is flat outside the first and the
        last, so the durations of a row add up to its parallel one.
        """
        keys = np.asarray(tenors, dtype=float)
        time = self.time
        # −d/dr (1+r)^−t = t (1+r)^−(t+1)
        slope = self.amount * time * curve.discount(time) / (1.0 + curve.rate(time))
        place = np.interp(time, keys, np.arange(len(keys)))
        below = np.minimum(place.astype(np.int64), len(keys) - 1)
        above = np.minimum(below + 1, len(keys) - 1)
        weight = place - below
        cells = np.bincount(self.row * len(keys) + below, slope * (1.0 - weight), self.size * len(keys))
        cells += np.bincount(self.row * len(keys) + above, slope * weight, self.size * len(keys))
        value = self.present_value(curve)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(value[:, None] != 0, cells.reshape(self.size, -1) / value[:, None], np.nan)

    def _by_row(self, amounts: Vector) -> Vector:
        return np.bincount(self.row, weights=amounts, minlength=self.size).astype(float)


def asset_cash_flows(
    inputs: Inputs, rows: NDArray[np.bool_], problems: Problems, floating: FloatingRule = FloatingRule.RESET
) -> CashFlows:
    """Return the payments of the chosen rows per unit of money held.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    rows : ndarray of bool (n,)
        Rows wanted.
    problems : Problems
        Receives everything that is missing or impossible; a row with a problem gets no flows, so the caller
        must raise what was collected.
    floating : FloatingRule
        How floating coupons are taken.
    """
    return _joined(len(inputs.assets), [*cash_flow_parts(inputs, rows, problems, floating)])


def cash_flow_parts(
    inputs: Inputs, rows: NDArray[np.bool_], problems: Problems, floating: FloatingRule = FloatingRule.RESET
) -> Iterator[CashFlows]:
    """Yield the same payments some rows at a time: what is summed over them needs no memory for all at once.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.
    rows : ndarray of bool (n,)
        Rows whose payments are asked for.
    problems : Problems
        Takes what is wrong or missing.
    floating : FloatingRule
        How floating coupons are taken.
    """
    listed = _listed_rows(inputs) & rows
    yield from _contract_parts(inputs, rows & ~listed, problems, floating)
    if listed.any():
        yield _listed_flows(inputs, listed, problems)


def modified_durations(inputs: Inputs, rows: NDArray[np.bool_], problems: Problems) -> Vector:
    """Return modified durations in years (n,), NaN outside ``rows``.

    A given ``modified_duration`` wins; else D = Σ t CF v(t) / Σ CF v(t) / (1 + y/f), v(t) = (1 + y/f)^(−f t).
    Floating rows get their rate duration (to the next reset), callable ones that to the first call.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.
    rows : ndarray of bool (n,)
        Rows whose duration is asked for.
    problems : Problems
        Takes what is wrong or missing.
    """
    given = column(inputs.assets, "modified_duration")
    for row in np.flatnonzero(rows & (given <= 0)):
        problems.add(
            Text("a duration must be positive", "久期必须为正数"),
            inputs.where("assets", int(row), "modified_duration"),
            float(given[row]),
            "> 0",
        )
    wanted = rows & np.isnan(given)
    durations = np.where(rows, given, np.nan)
    if not wanted.any():
        return durations
    flows = asset_cash_flows(inputs, wanted, problems)
    chosen = np.unique(flows.row)
    frequency = _compounding(inputs)
    rate = column(inputs.assets, "yield")
    unknown = np.zeros(len(rate), dtype=bool)
    unknown[chosen] = np.isnan(rate[chosen])
    if unknown.any():
        rate = np.where(unknown, _solved(inputs, flows, unknown, frequency, problems), rate)
    value = flows.amount * np.exp(-_force(rate, frequency)[flows.row] * flows.time)
    total, weighted = flows._by_row(value), flows._by_row(value * flows.time)
    with np.errstate(divide="ignore", invalid="ignore"):
        durations[chosen] = (weighted / total / (1.0 + rate / frequency))[chosen]
    return durations


def yields(flows: CashFlows, frequency: ArrayLike = 1.0) -> Vector:
    """Return the yield at which one unit of money of each row is worth its flows (n,), compounded ``frequency`` times.

    Newton on the convex, decreasing function ln Σ CF e^(−δt) of the force of interest δ. NaN where there is
    no answer (no flows, or a sum that is not positive).

    Parameters
    ----------
    flows : CashFlows
        Payments per unit of money of value.
    frequency : float or ndarray (n,)
        How often a year the yield is compounded.
    """
    delta = np.zeros(flows.size)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for _ in range(60):
            value = flows.amount * np.exp(-delta[flows.row] * flows.time)
            total = flows._by_row(value)
            step = np.log(total) * total / flows._by_row(value * flows.time)
            delta = delta + step
            if not np.any(np.abs(step) > 1e-14):
                break
        delta = np.where(np.abs(step) <= 1e-10, delta, np.nan)
    per_year = np.asarray(frequency, dtype=float)
    return np.asarray(per_year * np.expm1(delta / per_year))


def _contract_parts(
    inputs: Inputs, rows: NDArray[np.bool_], problems: Problems, floating: FloatingRule
) -> Iterator[CashFlows]:
    """Expand the terms of the rows, some at a time, and scale them to one unit of money."""
    terms = read_terms(inputs, np.flatnonzero(rows), problems)
    resets = terms.contracts.resets & (floating is FloatingRule.RESET)
    for first in range(0, len(terms.row), _CHUNK):
        piece = slice(first, first + _CHUNK)
        contracts = _taken(terms.contracts, piece, resets)
        longest = (contracts.maturity - contracts.as_of).astype(np.int64).max(initial=0)
        axis = flow_axis(inputs, int(longest))
        flows = contract_flows(contracts, axis)
        units = _principal_per_cny(flows, terms, piece, axis)
        scale = units[flows.contract]
        row = terms.row[piece][flows.contract]
        yield CashFlows(len(inputs.assets), row, flows.day, flows.principal * scale, flows.interest * scale, axis)


def _principal_per_cny(flows: Flows, terms: Terms, piece: slice, axis: Vector | None) -> Vector:
    """Return face / amount where given, else 1 / dirty price, price = Σ CF (1 + y/f)^(−f t)."""
    force = _force(terms.rate[piece], np.maximum(terms.contracts.frequency[piece], 1))
    known = terms.principal[piece]
    time = flows.day / DAYS_IN_YEAR if axis is None else axis[flows.day]
    value = (flows.principal + flows.interest) * np.exp(-force[flows.contract] * time)
    price = np.bincount(flows.contract, weights=value, minlength=len(known))
    return np.where(np.isnan(known), 1.0 / price, known)


def _taken(contracts: Contracts, piece: slice, resets: NDArray[np.bool_]) -> Contracts:
    return Contracts(
        contracts.as_of,
        contracts.maturity[piece],
        contracts.end[piece],
        resets[piece],
        contracts.frequency[piece],
        contracts.issued[piece],
        contracts.coupon[piece],
        contracts.redemption[piece],
        contracts.amortisation[piece],
        contracts.prepayment[piece],
    )


def _listed_rows(inputs: Inputs) -> NDArray[np.bool_]:
    table = inputs.table("cash_flows")
    if table is None:
        return np.zeros(len(inputs.assets), dtype=bool)
    return inputs.assets["asset_id"].isin(table["asset_id"]).to_numpy()


def _listed_flows(inputs: Inputs, rows: NDArray[np.bool_], problems: Problems) -> CashFlows:
    """Take flows from the table: they belong to the asset's whole current amount, over all its accounts.

    Payments up to the valuation date are past and left out. An asset not held now is priced at ``yield``:
    its listed flows then count by their shape only.
    """
    assets, table = inputs.assets, inputs.table("cash_flows")
    assert table is not None
    origin = np.datetime64(inputs.as_of, "D")
    day = (table["date"].to_numpy().astype("datetime64[D]") - origin).astype(np.int64)
    identity, names = pd.factorize(assets["asset_id"])
    held = np.bincount(identity, weights=assets["amount"].to_numpy(dtype=float))
    future = pd.DataFrame(
        {
            "identity": pd.Index(names).get_indexer(pd.Index(table["asset_id"])),
            "day": day,
            "principal": np.nan_to_num(column(table, "principal")),
            "interest": np.nan_to_num(column(table, "interest")),
        }
    ).loc[day > 0]
    wanted = pd.DataFrame({"row": np.flatnonzero(rows), "identity": identity[rows]})
    joined = wanted.merge(future, on="identity", how="inner")
    row = joined["row"].to_numpy(dtype=np.int64)
    flows = CashFlows(
        len(assets),
        row,
        joined["day"].to_numpy(dtype=np.int64),
        joined["principal"].to_numpy(dtype=float),
        joined["interest"].to_numpy(dtype=float),
        flow_axis(inputs, int(joined["day"].max()) if len(joined) else 0),
    )
    frequency = _compounding(inputs)
    rate = column(assets, "yield")
    value = flows.amount * np.exp(-_force(rate, frequency)[row] * flows.time)
    derivative = assets["kind"].isin([kind.name for kind in inputs.kinds.values() if kind.derivative]).to_numpy()
    priced = np.where(derivative, np.nan, flows._by_row(value))
    base = np.where(held[identity] != 0, held[identity], priced)
    for bad in np.flatnonzero(rows & ~(np.abs(base) > 0)):
        problems.add(
            Text("listed flows need a current amount, or a yield to price them", "现金流表需配合持仓金额或收益率使用"),
            inputs.where("assets", int(bad), "amount"),
        )
    scale = np.where(np.abs(base) > 0, 1.0 / np.where(base == 0, 1.0, base), 0.0)[row]
    return replace(flows, principal=flows.principal * scale, interest=flows.interest * scale)


def _solved(
    inputs: Inputs, flows: CashFlows, unknown: NDArray[np.bool_], frequency: Vector, problems: Problems
) -> Vector:
    solved = yields(flows, frequency)
    for row in np.flatnonzero(unknown & np.isnan(solved)):
        problems.add(
            Text("the flows have no yield at this amount", "该金额下无法求得收益率"),
            inputs.where("assets", int(row), "yield"),
        )
    return solved


def _compounding(inputs: Inputs) -> Vector:
    """Return how often a year each row's yield is compounded: its frequency, once where it pays less often."""
    return np.maximum(np.nan_to_num(column(inputs.assets, "frequency"), nan=1.0), 1.0)


def _force(rate: Vector, frequency: ArrayLike) -> Vector:
    """Return δ = f ln(1 + y/f), so that (1 + y/f)^(−f t) = e^(−δ t)."""
    per_year = np.asarray(frequency, dtype=float)
    return np.asarray(per_year * np.log1p(rate / per_year))


def _joined(size: int, parts: list[CashFlows]) -> CashFlows:
    if len(parts) == 1:
        return parts[0]
    empty = np.empty(0)
    return CashFlows(
        size,
        np.concatenate([np.empty(0, dtype=np.int64), *(part.row for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.int64), *(part.day for part in parts)]),
        np.concatenate([empty, *(part.principal for part in parts)]),
        np.concatenate([empty, *(part.interest for part in parts)]),
        max((part.axis for part in parts if part.axis is not None), key=len, default=None),
    )
