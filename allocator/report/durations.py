"""Rate sensitivity of the assets' contracts, before and after, against the liabilities', by account.

DV01 of payments c at times t on the spot curve r, a parallel rise of one basis point:

    DV01 = Σ c · t · (1 + r(t))^−(t+1) · 0.0001,        duration = DV01 / (PV · 0.0001)

on the curve as the table gives it: no regime's transition, spread or stress enters.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.errors import Problems
from allocator.inputs.cash_flows import CashFlows
from allocator.inputs.curves import SpotCurve, spot_curve
from allocator.inputs.fund import Inputs
from allocator.inputs.time_axis import years_ahead
from allocator.result.result import Result
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["duration_table"]


TOTAL = "total"
BASIS_POINT = 1e-4


def duration_table(result: Result, flows: CashFlows) -> ReportTable | None:
    """Return present value, duration and DV01 of assets and liabilities; None without curve or liabilities.

    Parameters
    ----------
    result : Result
        The verified answer.
    flows : CashFlows
        The contractual payments of its assets.
    """
    curve, owed = _curve(result.inputs), _owed(result.inputs)
    if curve is None or owed is None:
        return None
    value = flows.present_value(curve)
    sensitivity = np.nan_to_num(flows.spot_durations(curve)) * value
    space = result.model.space
    names = list(dict.fromkeys([*space.account, *owed["account"]]))
    rows = []
    for name in [TOTAL, *names] if len(names) > 1 else names:
        mine = np.ones(space.size, dtype=bool) if name == TOTAL else np.asarray(space.account) == name
        theirs = owed if name == TOTAL else owed[owed["account"] == name]
        line: list[object] = [name]
        for held in (space.current, result.holdings):
            line += _pair(float(value[mine] @ held[mine]), float(sensitivity[mine] @ held[mine]))
        line += _pair(*_liability(curve, theirs))
        rows.append(line)
    frame = pd.DataFrame(rows, columns=list(HEADINGS))
    formats = {name: "years" if name.startswith("duration") else "money" for name in HEADINGS if name != "account"}
    labels = {"account": {**result.inputs.jurisdiction.account_labels, TOTAL: Text("All accounts", "全部账户")}}
    return ReportTable("durations", TITLE, frame, HEADINGS, formats, NOTE, labels)


TITLE = Text("Duration match with liabilities", "资产与负债久期匹配")
NOTE = Text(
    "DV01: what one basis point costs, on the spot curve as given; contractual payments only.",
    "DV01 为利率变动 1 个基点的价值影响，按给定即期曲线计算；仅含合同现金流。",
)
HEADINGS = {
    "account": Text("Account", "账户"),
    "duration_before": Text("Asset duration before", "调整前资产久期"),
    "dv01_before": Text("Asset DV01 before", "调整前资产 DV01"),
    "duration_after": Text("Asset duration after", "调整后资产久期"),
    "dv01_after": Text("Asset DV01 after", "调整后资产 DV01"),
    "duration_liabilities": Text("Liability duration", "负债久期"),
    "dv01_liabilities": Text("Liability DV01", "负债 DV01"),
}


def _pair(value: float, sensitivity: float) -> list[object]:
    """Return duration in years and DV01 in currency units."""
    return [sensitivity / value if value > 0.0 else np.nan, sensitivity * BASIS_POINT]


def _liability(curve: SpotCurve, owed: pd.DataFrame) -> tuple[float, float]:
    time, net = owed["time"].to_numpy(dtype=float), owed["net"].to_numpy(dtype=float)
    discount = curve.discount(time)
    return float(net @ discount), float(net @ (time * discount / (1.0 + curve.rate(time))))


def _curve(inputs: Inputs) -> SpotCurve | None:
    frame = inputs.table("curve")
    return None if frame is None else spot_curve(frame, np.inf, -np.inf, "curve", Problems())


def _owed(inputs: Inputs) -> pd.DataFrame | None:
    """Return account, time in years and net outflow of each liability payment."""
    table = inputs.table("liabilities")
    if table is None or "outflow" not in table or not len(table):
        return None
    time = table["year"].to_numpy(dtype=float, na_value=np.nan)
    if "date" in table:
        days = (pd.to_datetime(table["date"]) - pd.Timestamp(inputs.as_of)).dt.days.to_numpy(dtype=float)
        time = np.where(np.isnan(time), years_ahead(inputs, days), time)
    inflow = table["inflow"].fillna(0.0) if "inflow" in table else 0.0
    net = table["outflow"].astype(float) - inflow
    return pd.DataFrame({"account": table.get("account", ""), "time": time, "net": net})
