"""Curves as a bond exchange publishes them: one row a day and tenor, with a row of tenor 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from allocator.inputs.check import CheckedTable, check_table
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.headings import HeadingIndex
from allocator.inputs.raw import RawTable, TableQuery
from allocator.jurisdiction import MONEY, Currency
from allocator.types import Table, Text

__all__ = ["is_published", "published_history", "query_of", "without_overnight"]


def query_of(tables: Mapping[str, Table], name: str, currency: Currency) -> TableQuery:
    """Return what a reader must know of a table; a history may have the headings of a single curve.

    Parameters
    ----------
    tables : mapping of str to Table
        Declarations by name.
    name : str
        The table asked for.
    currency : Currency
        Whose units headings may name.
    """
    query = HeadingIndex(tables[name], currency).wanted()
    if name != "curve_history" or "curve" not in tables:
        return query
    curve = HeadingIndex(tables["curve"]).wanted()
    return replace(query, fits=lambda heading: query.fits(heading) or curve.fits(heading))


def is_published(raw: RawTable, tables: Mapping[str, Table]) -> bool:
    """Return whether a history of curves has a row for each day and tenor."""
    if "curve" not in tables:
        return False
    matches = map(HeadingIndex(tables["curve"]).find, raw.headings)
    return {"date", "tenor", "spot"} <= {match.column.name for match in matches if match is not None}


def published_history(raw: RawTable, tables: Mapping[str, Table], errors: ErrorCollector) -> CheckedTable:
    """Return the history as the table ``curve_history`` holds it: a row for each day, whole tenors as columns.

    Parameters
    ----------
    raw : RawTable
        As read: day, tenor in years, rate.
    tables : mapping of str to Table
        Declarations of ``curve`` and ``curve_history``.
    errors : ErrorCollector
        Receives the problems.
    """
    long = check_table(raw, replace(tables["curve"], key=("tenor", "date")), MONEY, 1.0, errors)
    declared = [column.name for column in tables["curve_history"].columns if column.name != "date"]
    tenor = long.frame["tenor"].map(lambda years: f"{years:g}y")
    kept = (tenor.isin(declared) & long.frame["date"].notna() & ~long.frame.duplicated(["tenor", "date"])).to_numpy()
    rows = long.frame[kept].assign(tenor=tenor[kept])
    wide = rows.pivot(index="date", columns="tenor", values="spot").reindex(columns=declared).astype(np.float64)
    first = rows.reset_index().groupby("date")["index"].first().to_numpy()
    frame = pd.DataFrame({"date": wide.index.to_numpy(), **{name: wide[name].to_numpy() for name in declared}})
    return CheckedTable(frame, replace(long.source, rows=long.source.rows[first]), ("date", *declared), ("date",), None)


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
