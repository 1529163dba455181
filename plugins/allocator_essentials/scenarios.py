"""Scenarios as the user's own table gives them."""

from __future__ import annotations

import numpy as np

from allocator.plugin import InputError, Problem, Section, Text
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import Scenarios, ScenarioSpec

__all__ = ["SCENARIOS"]


class TableScenarioOptions(Section):
    """No keys: the figures are the table ``scenarios``."""


def table_scenarios(inputs: Inputs, options: TableScenarioOptions) -> Scenarios:
    """Return the table ``scenarios``: a column per asset, a row per scenario, equally likely unless
    ``probability`` says otherwise; a column ``liabilities`` is the growth of the liabilities' value."""
    table = inputs.table("scenarios")
    if table is None:
        raise InputError(
            Problem(
                Text("a term needs scenarios and the fund names none", "某项规则需要情景数据，但组合文件未给出"),
                inputs.settings.where("inputs"),
                allowed="inputs.scenarios",
            )
        )
    returns = table[list(inputs.assets["asset_id"])].to_numpy(dtype=float)
    count = len(returns)
    probability = table["probability"].to_numpy(dtype=float) if "probability" in table else np.full(count, 1.0 / count)
    liabilities = table["liabilities"].to_numpy(dtype=float) if "liabilities" in table else None
    method = Text(f"{count} scenarios as given", f"采用给定的 {count} 个情景")
    return Scenarios(returns, probability, method, liabilities)


SCENARIOS = (ScenarioSpec("table", Text("Scenarios as given", "给定情景"), TableScenarioOptions, table_scenarios),)
