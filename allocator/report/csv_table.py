"""One table as a CSV file, in the unit of the fund."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from allocator.model.units import unit_code
from allocator.result.tables import ReportTable

__all__ = ["in_unit", "read_csv", "rules_in_unit", "write_csv"]

_TEXTS = ("asset_id", "account", "name", "issuer", "counterparty", "module", "parent")
"""Columns that hold text even where it looks like a number: ``000001`` is a code."""


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as UTF-8, figures so that they read back to the last bit, texts in quotation marks."""
    import pyarrow as pa
    from pyarrow import csv

    mixed = frame.select_dtypes(["object", "category"], exclude=["str"]).columns
    table = pa.Table.from_pandas(frame.astype(dict.fromkeys(mixed, "str")), preserve_index=False)
    with path.open("wb") as file:
        file.write(",".join(map(str, frame.columns)).encode() + b"\n")
        csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style="needed"))


def read_csv(path: Path) -> pd.DataFrame:
    """Return a table that `write_csv` wrote: figures to the last bit, names as text."""
    return pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, "str"), keep_default_na=False, na_values=[""])


def in_unit(table: ReportTable, unit: float) -> pd.DataFrame:
    """Return a table's frame with its money columns in units of ``unit`` CNY."""
    frame = table.frame.copy()
    for column, form in table.formats.items():
        if form == "money" and column in frame:
            frame[column] = frame[column] / unit
    return frame


def rules_in_unit(rules: pd.DataFrame, unit: float, objective_in_money: bool = False) -> pd.DataFrame:
    """Return rules in CNY, and prices of an objective in CNY, in units of ``unit`` CNY; the column ``unit`` says so."""
    frame, money = rules.copy(), rules["unit"] == "CNY"
    frame.loc[money, ["lhs", "rhs", "slack"]] /= unit
    if "shadow_price" in frame:
        frame.loc[money, "shadow_price"] *= unit
        if objective_in_money:
            frame["shadow_price"] /= unit
    frame.loc[money, "unit"] = unit_code(unit)
    return frame
