"""What must hold between cells, rows and tables once each table is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.config.settings import Settings
from allocator.errors import did_you_mean
from allocator.inputs.check import CheckedTable
from allocator.inputs.core_tables import ACCOUNT_CHOICES
from allocator.inputs.distinct import distinct_of
from allocator.inputs.error_collector import CellError, ErrorCollector
from allocator.inputs.fund import TableSource
from allocator.inputs.identity import likely_the_same
from allocator.types import AssetKind, Table, Text

__all__ = [
    "check_accounts",
    "check_assets",
    "check_references",
    "check_tenors",
    "funded_rows",
    "note_likely_the_same",
    "without_overnight",
]

_NEAREST_AMONG = 5_000
"""Suggesting a spelling among more names than this would take too long."""


def funded_rows(assets: pd.DataFrame, kinds: Mapping[str, AssetKind]) -> NDArray[np.bool_]:
    """Return which rows count in budgets and totals: all but derivatives."""
    derivatives = {kind.name for kind in kinds.values() if kind.derivative}
    distinct = distinct_of(assets["kind"], few=True)
    return ~distinct.marked(np.array([value in derivatives for value in distinct.read(str)]))


def check_assets(assets: pd.DataFrame, source: TableSource, funded: NDArray[np.bool_], errors: ErrorCollector) -> None:
    """Amounts are not negative except of derivatives, bounds are in order, accounts are complete.

    ``funded``: which rows are no derivatives (`funded_rows`).
    """
    if "account" in source.headings:
        empty = CellError(Text("a needed cell is empty", "必填单元格为空"), ", ".join(ACCOUNT_CHOICES))
        errors.cells(empty, source, "account", assets["account"].isna().to_numpy())
    if "amount" not in source.headings:
        errors.add(
            Text("a needed column is missing", "缺少必需的列"),
            source.file,
            "amount (市值)",
            hint=Text("add it; an empty cell means nothing is held", "请添加该列；空单元格表示未持有"),
        )
    negative = CellError(
        Text("a negative amount", "金额为负"),
        "≥ 0",
        Text("only derivatives have signed amounts", "只有衍生品可以填带符号的金额"),
    )
    for column in ("amount", "min", "max"):
        values = assets[column].to_numpy(dtype=np.float64)
        errors.cells(negative, source, column, funded & (values < 0), _amount(values))
    low, high = assets["min"].to_numpy(dtype=np.float64), assets["max"].to_numpy(dtype=np.float64)
    fault = CellError(Text("min is greater than max", "下限大于上限"))
    errors.cells(fault, source, "min", low > high, lambda row: f"{low[row]:,.2f} > {high[row]:,.2f} CNY")


def note_likely_the_same(frames: Mapping[str, pd.DataFrame], errors: ErrorCollector) -> None:
    """Note companies that may be one: names that differ in case, punctuation or legal form only."""
    columns = (frame[column] for frame in frames.values() for column in ("issuer", "counterparty") if column in frame)
    names = sorted({str(name) for column in columns for name in column.dropna().unique()})
    for group in likely_the_same(names):
        listed = " / ".join(group)
        errors.notes.append(
            Text(f"counted as different companies: {listed}", f"按不同主体计量：{listed}；如为同一主体请统一名称")
        )


def check_accounts(settings: Settings, assets: pd.DataFrame, errors: ErrorCollector) -> None:
    """Accounts of the fund file are accounts of the assets table."""
    if not settings.accounts:
        return
    known = [str(name) for name in pd.unique(assets["account"]) if isinstance(name, str)]
    for name in settings.accounts:
        if name not in known:
            errors.add(
                Text("no row is held in this account", "资产表中没有该账户的资产"),
                settings.where(f"accounts.{name}"),
                name,
                ", ".join(known),
                did_you_mean(name, known),
            )


def check_references(
    tables: Mapping[str, Table],
    frames: Mapping[str, pd.DataFrame],
    sources: Mapping[str, TableSource],
    errors: ErrorCollector,
) -> None:
    """Names that refer to another table stand in it, when that table is given."""
    for name, frame in frames.items():
        declared = tables.get(name)
        if declared is None:
            continue
        for column, target in declared.references.items():
            places = [pair for pair in zip(target[::2], target[1::2], strict=True) if pair[0] in frames]
            if target[0] in frames and frame[column].notna().any():
                _report_orphans(frame, column, places, frames, sources, sources[name], errors)


def _report_orphans(
    frame: pd.DataFrame,
    column: str,
    places: list[tuple[str, str]],
    frames: Mapping[str, pd.DataFrame],
    sources: Mapping[str, TableSource],
    source: TableSource,
    errors: ErrorCollector,
) -> None:
    cells = frame[column]
    known = pd.concat([frames[table][other] for table, other in places]).dropna().unique()
    orphan = cells.notna().to_numpy() & ~cells.isin(known).to_numpy()
    if not orphan.any():
        return
    named = " / ".join(f"{sources[table].file} ({other})" for table, other in places)
    near = [str(name) for name in known] if len(known) <= _NEAREST_AMONG else []
    errors.cells(
        CellError(Text(f"not in {named}", f"未在 {named} 中找到")),
        source,
        column,
        orphan,
        lambda row: str(cells.iloc[row]),
        lambda row: did_you_mean(str(cells.iloc[row]), near),
    )


def without_overnight(table: CheckedTable, errors: ErrorCollector) -> CheckedTable:
    """Return a curve as a bond exchange publishes it without its row of tenor 0; report rows of several days."""
    frame, source = table.frame, table.source
    if "tenor" not in frame:
        return table
    days = list(frame["date"].dropna().unique()) if "date" in frame else []
    if len(days) > 1:
        errors.add(
            Text("a curve of several days", "曲线含多个日期"),
            source.where_column("date"),
            f"{str(min(days))[:10]} … {str(max(days))[:10]}",
            hint=Text("keep one day, or give them as inputs.curve_history", "请只保留一天，或用 inputs.curve_history"),
        )
    kept = frame["tenor"].to_numpy(dtype=np.float64) != 0.0
    if kept.all():
        return table
    return replace(
        table, frame=frame[kept].reset_index(drop=True), source=replace(source, rows=source.rows[kept]), order=None
    )


def check_tenors(curve: pd.DataFrame, source: TableSource, errors: ErrorCollector) -> None:
    """Tenors of the curve are positive and strictly increasing."""
    tenor = curve["tenor"].to_numpy(dtype=np.float64)
    errors.cells(
        CellError(Text("a tenor must be positive", "期限须为正数"), "> 0"),
        source,
        "tenor",
        tenor <= 0,
        lambda row: f"{tenor[row]:g}",
    )
    late = np.zeros(len(tenor), dtype=bool)
    late[1:] = tenor[1:] < tenor[:-1]
    fault = CellError(
        Text("tenors must increase", "期限须递增"), hint=Text("sort the rows by tenor", "请按期限升序排列")
    )
    errors.cells(fault, source, "tenor", late, lambda row: f"{tenor[row]:g}")


def _amount(values: NDArray[np.float64]) -> Callable[[int], str]:
    return lambda row: f"{values[row]:,.2f} CNY"
