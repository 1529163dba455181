"""A result's tables as data frames with named, typed columns: text as ``string``, flags as ``bool``.

Money stands in CNY, rates and shares in decimals.
"""

from __future__ import annotations

import pandas as pd

from allocator.model.position import CapitalPosition
from allocator.report.tables import allocation_table, by_trade, capital_table, rules_table
from allocator.result.result import Result

__all__ = ["asset_capital_frame", "capital_frame", "module_frame", "prices_frame", "trades_frame", "allocation_frame"]

CONSTANTS = "liabilities_and_constants"
"""Last row of `asset_capital_frame`: what does not scale with the assets."""

ALLOCATION = ("asset_id", "account", "name", "kind", "current", "target", "weight_before", "weight", "expected_return")
TRADES = ("asset_id", "account", "name", "kind", "current", "target", "trade", "expected_return", "capital_marginal")
CAPITAL = ("module", "parent", "depth", "before", "after", "change", "article")

TRADE_NOISE = 1e-6
"""Trades below this share of the total are the solver's rounding, not decisions."""


def allocation_frame(result: Result) -> pd.DataFrame:
    """Return one line for each row of the assets table, in its order."""
    return _typed(allocation_table(result).frame, ALLOCATION)


def trades_frame(result: Result) -> pd.DataFrame:
    """Return what is bought and sold, largest first."""
    frame = allocation_table(result).frame
    frame = frame.iloc[by_trade(frame)]
    return _typed(frame[frame["trade"].abs() > TRADE_NOISE * result.model.space.total], TRADES)


def capital_frame(result: Result) -> pd.DataFrame:
    """Return the risk modules before and after, as a solvency report prints them; empty without a regime."""
    if result.after is None or result.before is None:
        return pd.DataFrame(columns=list(CAPITAL))
    table = capital_table(result.after.tree, result.after.holdings, result.before.holdings, result.before.tree)
    frame = table.frame.rename(columns={"amount": "after"})
    frame["depth"] = [table.indent[module] for module in frame["module"]]
    return _typed(frame, CAPITAL)


def prices_frame(result: Result) -> pd.DataFrame:
    """Return every rule with its two sides in the unit shown, its slack and its shadow price."""
    frame = rules_table(result).frame
    return _typed(frame, tuple(frame.columns))


def module_frame(position: CapitalPosition) -> pd.DataFrame:
    """Return the modules of one set of holdings: module, parent, depth in the tree, amount, article."""
    table = capital_table(position.tree, position.holdings)
    frame = table.frame.assign(depth=[table.indent[module] for module in table.frame["module"]])
    return _typed(frame, ("module", "parent", "depth", "amount", "article"))


def asset_capital_frame(position: CapitalPosition) -> pd.DataFrame:
    """Return each row's marginal capital and share of minimum capital; the shares sum to it."""
    attribution = position.tree.attribute(position.holdings)
    more, less = position.marginals
    frame = pd.DataFrame({"amount": position.holdings, "marginal": more, "freed": less})
    frame["contribution"] = attribution.contribution
    space = position.space
    frame.insert(0, "asset_id", space.asset_id if space is not None else [str(row) for row in frame.index])
    frame.insert(1, "account", space.account if space is not None else "")
    constants = pd.DataFrame({"asset_id": [CONSTANTS], "account": [""], "contribution": [attribution.constants]})
    return _typed(pd.concat([frame, constants], ignore_index=True), tuple(frame.columns))


def _typed(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return these columns, those that are absent left out, text as ``string``, numbered from zero."""
    kept = frame[[name for name in columns if name in frame]].reset_index(drop=True)
    text = [name for name in kept if not pd.api.types.is_numeric_dtype(kept[name])]
    return kept.astype(dict.fromkeys(text, "string"))
