"""Reading the terms of fixed-income rows: what is missing or impossible is named, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.config.settings import parse_number
from allocator.errors import Problems
from allocator.inputs.fund import Inputs
from allocator.inputs.schedules import Amortisation, Contracts
from allocator.types import EMPTY, Text

__all__ = ["PRICE_BASE", "Terms", "annual_rates", "column", "filled", "flags", "read_terms"]


PRICE_BASE = 100.0
"""Prices of bonds are quoted per 100 of face."""

_FREQUENCIES = (0, 1, 2, 3, 4, 6, 12)


@dataclass(frozen=True, eq=False)
class Terms:
    """The rows whose terms are complete.

    Parameters
    ----------
    row : ndarray of int (k,)
        Rows of the assets table.
    contracts : Contracts
        Their terms; ``resets`` marks floating coupons.
    rate : ndarray (k,)
        ``yield``, NaN where not given.
    principal : ndarray (k,)
        Face per unit of money of amount, NaN where it follows from the yield.
    """

    row: NDArray[np.int64]
    contracts: Contracts
    rate: Vector
    principal: Vector


def column(frame: pd.DataFrame, name: str) -> Vector:
    """Return a numeric column as floats; NaN throughout when the frame does not have it.

    Parameters
    ----------
    frame : DataFrame
        A table of n rows.
    name : str
        The column. The answer is (n,), NaN where a cell is empty.
    """
    if name not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def read_terms(inputs: Inputs, rows: NDArray[np.int64], problems: Problems) -> Terms:
    """Return the terms of ``rows``; rows with a problem are named in ``problems`` and left out."""
    assets = inputs.assets.iloc[rows]
    as_of = np.datetime64(inputs.as_of, "D")
    faults = _Faults(inputs, rows, problems)
    maturity, end, called = _dates(assets, as_of, faults)
    coupon, rate = column(assets, "coupon"), column(assets, "yield")
    frequency = column(assets, "frequency")
    issued = _dates_of(assets, "issue_date")
    faults.add(np.isnan(coupon), "coupon", Text("the coupon is missing", "缺少票面利率"))
    frequency = np.where(np.isnan(frequency) & (coupon == 0), 1.0, frequency)
    faults.add(
        ~np.isin(frequency, _FREQUENCIES),
        "frequency",
        Text("the number of coupons a year is missing or not usable", "付息频率缺失或不可用"),
        ", ".join(map(str, _FREQUENCIES)) + ", 年付, 半年付, 季付, 月付, 到期一次还本付息",
    )
    faults.add(
        (frequency == 0) & (coupon != 0) & (np.isnat(issued) | (issued > as_of)),
        "issue_date",
        Text(
            "interest paid at the end counts from the issue date, which is missing or in the future",
            "到期付息须自起息日计息，起息日缺失或晚于评估日",
        ),
    )
    amortisation, prepayment = _repayment(assets, faults)
    redemption, price = np.ones(len(rows)), column(assets, "call_price") / PRICE_BASE
    faults.add(
        called & ((price < 0.5) | (price > 2.0)),
        "call_price",
        Text("a call price is per 100 of face", "赎回价格按每 100 面值填写"),
        "50 – 200",
    )
    redemption = np.where(called & ~np.isnan(price), price, redemption)
    amount, face = column(assets, "amount"), column(assets, "face")
    principal = np.where((amount > 0) & (face > 0), face / np.where(amount > 0, amount, 1.0), np.nan)
    faults.add(
        np.isnan(principal) & (np.isnan(rate) | (rate <= -1)),
        "yield",
        Text(
            "a yield, or a face value beside the amount, is needed to price the row",
            "定价须有收益率，或金额与面值",
        ),
        "> -1",
    )
    good = ~faults.found
    contracts = Contracts(
        as_of,
        maturity[good],
        end[good],
        flags(assets, "floating")[good],
        frequency[good].astype(np.int64),
        np.where(np.isnat(issued), as_of, issued)[good],
        coupon[good],
        redemption[good],
        amortisation[good],
        prepayment[good],
    )
    return Terms(rows[good], contracts, rate[good], principal[good])


class _Faults:
    """Which of the rows have a problem, named once each."""

    def __init__(self, inputs: Inputs, rows: NDArray[np.int64], problems: Problems) -> None:
        self._inputs, self._rows, self._problems = inputs, rows, problems
        self.found = np.zeros(len(rows), dtype=bool)

    def add(self, bad: NDArray[np.bool_], name: str, what: Text, allowed: str | None = None) -> None:
        """Record the rows of a mask under a column."""
        self.found |= bad
        for position in np.flatnonzero(bad):
            row = int(self._rows[position])
            frame = self._inputs.assets
            cell = frame[name].iloc[row] if name in frame else None
            shown = EMPTY if cell is None or pd.isna(cell) else str(cell)
            self._problems.add(what, self._inputs.where("assets", row, name), shown, allowed)


def _dates(
    assets: pd.DataFrame, as_of: np.datetime64, faults: _Faults
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return the day coupons run back from, the day the contract ends, and whether a call ends it."""
    maturity = _dates_of(assets, "maturity")
    call, put = _dates_of(assets, "next_call_date"), _dates_of(assets, "put_date")
    exercise = np.fmin(call, put)
    faults.add(np.isnat(maturity) & np.isnat(exercise), "maturity", Text("the maturity is missing", "缺少到期日"))
    after = f"after {as_of}"
    faults.add(maturity <= as_of, "maturity", Text("the contract has matured", "该资产已到期"), after)
    faults.add(call <= as_of, "next_call_date", Text("the call date has passed", "赎回日已过"), after)
    faults.add(put <= as_of, "put_date", Text("the put date has passed", "回售日已过"), after)
    anchor = np.where(np.isnat(maturity), exercise, maturity)
    end = np.fmin(anchor, exercise)
    called = ~np.isnat(call) & (end == call) & (np.isnat(maturity) | (call < maturity))
    return anchor, end, called


def _repayment(assets: pd.DataFrame, faults: _Faults) -> tuple[NDArray[np.str_], Vector]:
    """Return how principal is repaid and the share prepaid in each year (k, years)."""
    if "amortisation" in assets:
        kinds = assets["amortisation"].astype(object).where(assets["amortisation"].notna(), Amortisation.BULLET)
        amortisation = kinds.to_numpy(dtype=str)
    else:
        amortisation = np.full(len(assets), Amortisation.BULLET.value)
    faults.add(
        ~np.isin(amortisation, list(Amortisation)),
        "amortisation",
        Text("no such way of repaying", "未知的还本方式"),
        ", ".join(Amortisation),
    )
    prepayment = annual_rates(assets, "prepayment_rate")
    faults.add(
        ~np.all((prepayment >= 0) & (prepayment < 1), axis=1),
        "prepayment_rate",
        Text("an annual prepayment rate out of range", "年化提前还款率超出范围"),
        "0 ≤ rate < 1",
    )
    return amortisation, np.where((prepayment >= 0) & (prepayment < 1), prepayment, 0.0)


def annual_rates(frame: pd.DataFrame, name: str) -> Vector:
    """Return a list of annual rates per row, shape (k, years): shorter lists go on with their last rate.

    An empty cell is one rate of zero; a cell that is not made of numbers is NaN.

    Parameters
    ----------
    frame : DataFrame
        A table of n rows, or k of them.
    name : str
        The column: annual decimals parted by ``;`` in each cell.
    """
    if name not in frame:
        return np.zeros((len(frame), 1))
    code, cells = pd.factorize(frame[name], use_na_sentinel=True)
    lists = [_rates(cell) for cell in cells]
    years = max(map(len, lists), default=1)
    table = np.zeros((len(lists) + 1, years))  # the last row serves the code −1 of empty cells
    for place, rates in enumerate(lists):
        table[place] = rates + rates[-1:] * (years - len(rates))
    return np.asarray(table[code])


def _rates(cell: object) -> list[float]:
    parts = cell.split(";") if isinstance(cell, str) else cell if isinstance(cell, (list, tuple)) else [cell]
    numbers = [parse_number(part) for part in parts]
    return [float(number) if isinstance(number, (int, float)) else np.nan for number in numbers] or [0.0]


def _dates_of(frame: pd.DataFrame, name: str) -> NDArray[np.datetime64]:
    if name not in frame:
        return np.full(len(frame), np.datetime64("NaT", "D"))
    return pd.to_datetime(frame[name]).to_numpy().astype("datetime64[D]")


def flags(frame: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return a yes/no column; no throughout when the frame does not have it, and for empty cells.

    Parameters
    ----------
    frame : DataFrame
        A table of n rows.
    name : str
        The column. The answer is (n,).
    """
    if name not in frame:
        return np.zeros(len(frame), dtype=bool)
    return frame[name].eq(True).fillna(False).to_numpy(dtype=bool)


def filled(frame: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return which cells of a column hold something; none when the frame does not have it.

    Parameters
    ----------
    frame : DataFrame
        A table of n rows.
    name : str
        The column. The answer is (n,).
    """
    if name not in frame:
        return np.zeros(len(frame), dtype=bool)
    return frame[name].notna().to_numpy(dtype=bool)
