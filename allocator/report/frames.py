"""A result's tables as data frames with named, typed columns: text as ``string``, flags as ``bool``.

Money stands in ``fund.unit``, rates and shares in decimals.
"""

from __future__ import annotations

import pandas as pd

from allocator.model.position import CapitalPosition
from allocator.model.units import money_unit
from allocator.report.csv_table import in_unit, rules_in_unit
from allocator.report.tables import allocation_table, by_trade, capital_table, rules_table
from allocator.result.result import TRADE_NOISE, Result
from allocator.result.tables import ReportTable

__all__ = ["asset_capital_frame", "capital_frame", "module_frame", "prices_frame", "trades_frame", "allocation_frame"]

CONSTANTS = "liabilities_and_constants"
"""Last row of `asset_capital_frame`: what does not scale with the assets."""

ALLOCATION = ("asset_id", "account", "name", "kind", "current", "target", "weight_before", "weight", "expected_return")
TRADES = ("asset_id", "account", "name", "kind", "current", "target", "trade", "expected_return", "capital_marginal")
CAPITAL = ("module", "parent", "depth", "before", "after", "change", "article")


def allocation_frame(result: Result) -> pd.DataFrame:
    """Return one line for each row of the assets table, in its order."""
    return _typed(_in_unit(allocation_table(result), result), ALLOCATION)


def trades_frame(result: Result) -> pd.DataFrame:
    """Return what is bought and sold, largest first."""
    frame = _in_unit(allocation_table(result), result)
    frame = frame.iloc[by_trade(frame)]
    noise = TRADE_NOISE * result.model.space.total / result.inputs.unit
    return _typed(frame[frame["trade"].abs() > noise], TRADES)


def capital_frame(result: Result) -> pd.DataFrame:
    """Return the risk modules before and after, as a solvency report prints them; empty without a regime."""
    if result.after is None or result.before is None:
        return pd.DataFrame(columns=list(CAPITAL))
    table = capital_table(result.after.tree, result.after.holdings, result.before.holdings, result.before.tree)
    frame = _in_unit(table, result).rename(columns={"amount": "after"})
    frame["depth"] = [table.indent[module] for module in frame["module"]]
    return _typed(frame, CAPITAL)


def prices_frame(result: Result) -> pd.DataFrame:
    """Return every rule with its two sides in the unit shown, its slack and its shadow price."""
    money = money_unit(result.inputs.unit, result.inputs.jurisdiction.currency)
    frame = rules_in_unit(rules_table(result).frame, money, result.objective_in_money)
    return _typed(frame, tuple(frame.columns))


def module_frame(position: CapitalPosition, unit: float) -> pd.DataFrame:
    """Return the modules of one set of holdings: module, parent, depth in the tree, amount in ``unit``, article."""
    table = capital_table(position.tree, position.holdings)
    frame = in_unit(table, unit).assign(depth=[table.indent[module] for module in table.frame["module"]])
    return _typed(frame, ("module", "parent", "depth", "amount", "article"))


def asset_capital_frame(position: CapitalPosition, unit: float) -> pd.DataFrame:
    """Return each row's marginal capital and share of minimum capital, in ``unit``; the shares sum to it."""
    attribution = position.tree.attribute(position.holdings)
    more, less = position.marginals
    frame = pd.DataFrame({"amount": position.holdings / unit, "marginal": more, "freed": less})
    frame["contribution"] = attribution.contribution / unit
    space = position.space
    frame.insert(0, "asset_id", space.asset_id if space is not None else [str(row) for row in frame.index])
    frame.insert(1, "account", space.account if space is not None else "")
    constants = pd.DataFrame({"asset_id": [CONSTANTS], "account": [""], "contribution": [attribution.constants / unit]})
    return _typed(pd.concat([frame, constants], ignore_index=True), tuple(frame.columns))


def _in_unit(table: ReportTable, result: Result) -> pd.DataFrame:
    return in_unit(table, result.inputs.unit)


def _typed(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return these columns, those that are absent left out, text as ``string``, numbered from zero."""
    kept = frame[[name for name in columns if name in frame]].reset_index(drop=True)
    text = [name for name in kept if not pd.api.types.is_numeric_dtype(kept[name])]
    return kept.astype(dict.fromkeys(text, "string"))
