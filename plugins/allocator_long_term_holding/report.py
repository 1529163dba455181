"""What a sale of long-held stock loses: the saving in charge, until the same money has been held as long again.

    reached:      sold × saving × cost of capital × m     m years at the higher charge before a repurchase reaches it
    not reached:  sold × saving × cost of capital × y     the y years already waited are waited again

Stand-alone charges: before the book's gain coefficient, diversification and loss absorption.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from allocator.plugin import Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator.plugin.tables import Inputs
from allocator.plugin.terms import options_of
from allocator_long_term_holding.tilt import NAME, RULES, HoldingOptions, marks

__all__ = ["SECTIONS", "lost_marks", "sale_tables"]

_HEADINGS = {
    "asset_id": Text("Asset", "资产代码"),
    "account": Text("Account", "账户"),
    "sold": Text("Sold", "卖出金额"),
    "holding_years": Text("Held, years", "已持有年限"),
    "mark": Text("Mark, years", "持仓年限要求"),
    "reached": Text("Reached", "已达到"),
    "saving": Text("Charge that holding saves", "长期持有节约的资本"),
    "price": Text("Price of losing the mark", "失去持仓年限的代价"),
    "share": Text("Of the amount sold", "占卖出金额"),
}
_FORMATS = {
    "sold": "money",
    "holding_years": "years",
    "mark": "years",
    "reached": "flag",
    "saving": "money",
    "price": "money",
    "share": "basis_points",
}


def lost_marks(inputs: Inputs, target: np.ndarray[tuple[int], np.dtype[np.float64]], cost: float) -> pd.DataFrame:
    """Return what each sale of stock with a mark loses, CNY.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    target : ndarray (n,)
        Target amounts, CNY.
    cost : float
        Cost of capital, annual decimal.
    """
    found = marks(inputs)
    sold = inputs.assets["amount"].fillna(0.0).to_numpy(dtype=float) - target
    rows = np.flatnonzero((sold > 1e-6 * max(float(np.abs(target).sum()), 1.0)) & ~np.isnan(found.years))
    years = np.where(found.reached, found.years, found.held)[rows]
    saving = (sold * found.saving)[rows]
    assets = inputs.assets.iloc[rows]
    return pd.DataFrame(
        {
            "asset_id": assets["asset_id"].to_numpy(),
            "account": assets["account"].fillna("").to_numpy(),
            "sold": sold[rows],
            "holding_years": found.held[rows],
            "mark": found.years[rows],
            "reached": found.reached[rows],
            "saving": saving,
            "price": saving * cost * years,
            "share": saving * cost * years / sold[rows],
        }
    )


def sale_tables(result: Result) -> Sequence[ReportTable]:
    """Return the sales that lose a mark; nothing without the tilt or without such sales."""
    inputs = result.inputs
    options = options_of(inputs.settings, NAME, HoldingOptions)
    if options is None:
        return ()
    cost = RULES.at("cost_of_capital", inputs.as_of).or_user(options.cost_of_capital).number
    frame = lost_marks(inputs, result.holdings, cost)
    if frame.empty:
        return ()
    note = Text(
        f"At a cost of capital of {cost:.2%} a year (assumption), until the same money has been held as long again; "
        "stand-alone charges, before diversification.",
        f"按年资本成本 {cost:.2%}（假设）计至重新达到同样持仓年限为止；为分散效应前的单项资本。",
    )
    title = Text("Sales that lose a holding period", "失去长期持有优惠的卖出")
    return (ReportTable("lost_marks", title, frame, _HEADINGS, _FORMATS, note),)


SECTIONS = (ReportSectionSpec("lost_marks", Text("Long-term holding", "长期持有"), sale_tables),)
