"""Cash flows of assets and liabilities, curves, and the schedules of contracts."""

from allocator.config.settings import TimeAxis
from allocator.inputs.cash_flows import (
    CashFlows,
    FloatingRule,
    asset_cash_flows,
    cash_flow_parts,
    modified_durations,
    yields,
)
from allocator.inputs.curves import DAYS_IN_YEAR, SpotCurve, mean_of_history, spot_curve
from allocator.inputs.schedules import Amortisation, Contracts, contract_flows
from allocator.inputs.time_axis import flow_axis, years_ahead

__all__ = [
    "Amortisation",
    "CashFlows",
    "Contracts",
    "DAYS_IN_YEAR",
    "FloatingRule",
    "SpotCurve",
    "TimeAxis",
    "asset_cash_flows",
    "cash_flow_parts",
    "contract_flows",
    "flow_axis",
    "mean_of_history",
    "modified_durations",
    "spot_curve",
    "years_ahead",
    "yields",
]
