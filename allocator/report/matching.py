"""Contractual cash flows of the assets, before and after, against what the liabilities ask for, by year."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.errors import Problems
from allocator.inputs.cash_flows import CashFlows, asset_cash_flows
from allocator.inputs.fund import Inputs
from allocator.report.durations import duration_table
from allocator.result.result import Result
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["matching_tables"]


MOST_ROWS = 50_000
"""Funds with more rows get no table: expanding every contract would cost more than the answer."""

DAYS_IN_YEAR = 365.25
"""The calendar's: with 365 an anniversary would slip into the next year after a leap day."""


def matching_tables(result: Result) -> list[ReportTable]:
    """Return cash flows by year and the match of durations; empty without liabilities or contracts."""
    rows = _contracts(result.inputs)
    owed = _liabilities(result.inputs)
    if owed is None or not rows.any() or len(rows) > MOST_ROWS:
        return []
    flows = asset_cash_flows(result.inputs, rows, Problems())
    durations = duration_table(result, flows)
    return [_cash_flow_table(result, flows, owed), *([durations] if durations is not None else [])]


def _cash_flow_table(result: Result, flows: CashFlows, owed: pd.Series) -> ReportTable:
    """Return cash flows by year from the valuation date.

    Year n holds what falls after the (n − 1)th anniversary up to the nth. Assets without contractual
    payments (stock, funds) are left out.
    """
    year = _year(flows.day.astype(float))
    last = int(max(year.max(initial=0), owed.index.max()))
    frame = pd.DataFrame({"year": np.arange(1, last + 1)})
    for name, holdings in (("assets_before", result.model.space.current), ("assets_after", result.holdings)):
        paid = np.bincount(year, weights=flows.amount * holdings[flows.row], minlength=last + 1)
        frame[name] = paid[1 : last + 1]
    frame["liabilities"] = owed.reindex(frame["year"], fill_value=0.0).to_numpy()
    frame["gap_after"] = frame["assets_after"] - frame["liabilities"]
    headings = {
        "year": Text("Year", "年度"),
        "assets_before": Text("Assets before", "调整前资产现金流"),
        "assets_after": Text("Assets after", "调整后资产现金流"),
        "liabilities": Text("Liabilities, net", "负债净流出"),
        "gap_after": Text("Surplus after", "调整后净额"),
    }
    formats = dict.fromkeys(frame.columns, "money") | {"year": "integer"}
    note = Text(
        "Contractual payments of the assets held; stock, funds and other assets without fixed payments are left out.",
        "仅含持有资产的合同现金流；股票、基金等无固定现金流的资产不在内。",
    )
    return ReportTable("cash_flows", Text("Cash flows by year", "分年度现金流"), frame, headings, formats, note)


def _contracts(inputs: Inputs) -> NDArray[np.bool_]:
    """Return the rows with a maturity or listed cash flows, derivatives aside."""
    assets = inputs.assets
    found = assets["maturity"].notna().to_numpy() if "maturity" in assets else np.zeros(len(assets), dtype=bool)
    listed = inputs.table("cash_flows")
    if listed is not None:
        found = found | assets["asset_id"].isin(listed["asset_id"]).to_numpy()
    derivative = {name for name, kind in inputs.kinds.items() if kind.derivative}
    return np.asarray(found & ~assets["kind"].isin(derivative).to_numpy())


def _liabilities(inputs: Inputs) -> pd.Series | None:
    """Return net outflow (outflow less inflow) by year, money."""
    table = inputs.table("liabilities")
    if table is None or "outflow" not in table:
        return None
    year = table["year"].to_numpy(dtype=float, na_value=np.nan)
    if "date" in table:
        days = (pd.to_datetime(table["date"]) - pd.Timestamp(inputs.as_of)).dt.days.to_numpy(dtype=float)
        year = np.where(np.isnan(year), _year(np.nan_to_num(days)), year)
    inflow = table["inflow"].fillna(0.0) if "inflow" in table else 0.0
    net = table["outflow"].astype(float) - inflow
    return net.groupby(year.astype(np.int64)).sum()


def _year(days: Vector) -> NDArray[np.int64]:
    """Return the year after the valuation date in which a day falls; an anniversary closes its year."""
    return np.maximum(np.ceil((days - 1.5) / DAYS_IN_YEAR), 1.0).astype(np.int64)
