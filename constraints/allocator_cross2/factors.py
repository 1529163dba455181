"""The factors that multiply the whole: size factor and control risk factor."""

from __future__ import annotations

import numpy as np

from allocator.plugin import Problems, Text
from allocator.plugin.tables import Inputs
from allocator_cross2.capital_options import CapitalOptions
from allocator_cross2.pack import RulePack

__all__ = ["control_factor", "size_factor"]


def size_factor(inputs: Inputs, options: CapitalOptions, pack: RulePack, problems: Problems) -> float:
    """Return the size factor: given, or by total assets (admitted assets where those are not given)."""
    if not isinstance(options.size_factor, str):
        return options.size_factor
    ladder = pack.ladder("size_factor.life")
    sheet = inputs.balance_sheet
    assets = sheet.total_assets if sheet.total_assets is not None else sheet.admitted_assets
    if assets is None and len(ladder.bounds):
        problems.add(
            Text("the size factor needs total assets", "规模系数需要总资产"),
            inputs.settings.where("balance_sheet.total_assets"),
            hint=Text("or give capital.size_factor", "或直接填写 capital.size_factor"),
        )
        return 1.0
    return float(ladder.at(np.array(assets or 0.0), not pack.reading("size_band_includes_upper_bound")))


def control_factor(inputs: Inputs, options: CapitalOptions, pack: RulePack, problems: Problems) -> float:
    """Return Q: given, or from the risk management score (R12 §120)."""
    given, score = options.control_risk, options.sarmra_score
    if (given is None) == (score is None):
        problems.add(
            Text("control risk needs either the score or the factor", "控制风险须且仅须填写评估得分或因子之一"),
            inputs.settings.where("capital.sarmra_score"),
            "both" if given is not None else "neither",
            hint=Text(
                "give sarmra_score, the latest assessment of risk management (0 to 100)",
                "请填写 sarmra_score，即最近一次偿付能力风险管理评估得分（0 至 100）",
            ),
        )
        return 0.0
    if given is not None:
        return given
    return float(pack.piecewise("control_risk.factor").at(np.array(score)))
