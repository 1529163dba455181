"""One table as a CSV file, in the unit of the fund, and read back.

A text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end) is
written behind an apostrophe, a character that steers a terminal as an escape such as ``\\u001b``. Both are undone
exactly when the library reads the file: a text that begins like an escaped one is escaped once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from allocator.model.units import unit_code
from allocator.result.tables import ReportTable

__all__ = ["guarded", "in_unit", "read_csv", "rules_in_unit", "write_csv"]

_TEXTS = ("asset_id", "account", "name", "issuer", "counterparty", "module", "parent")
"""Columns that hold text even where it looks like a number: ``000001`` is a code."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n].*\w", re.DOTALL)
_GUARDED = re.compile(r"'+[=+\-@\t\r\n].*\w", re.DOTALL)
"""Signs alone, such as the ``==`` of a rule, compute nothing."""
_STEERS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
_STEERING = re.compile(_STEERS + r"|\\(?=u[0-9a-f]{4})")
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


def write_csv(frame: pd.DataFrame, path: Path, *, formulas: bool = False) -> None:
    """Write a frame as UTF-8, figures so that they read back to the last bit, texts in quotation marks where needed.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : Path
        The file.
    formulas : bool
        Whether texts stay as they are: else those that a spreadsheet or a terminal would take for a command are written
        so that it does not.
    """
    import pyarrow as pa
    from pyarrow import csv

    frame = frame if formulas else guarded(frame)
    mixed = frame.select_dtypes(["object", "category"], exclude=["str"]).columns
    table = pa.Table.from_pandas(frame.astype(dict.fromkeys(mixed, "str")), preserve_index=False)
    with path.open("wb") as file:
        file.write(",".join(map(str, frame.columns)).encode() + b"\n")
        csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style="needed"))


def guarded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its texts written so that neither spreadsheet nor terminal takes them for commands."""
    return _mapped(frame, _guard)


def read_csv(path: Path) -> pd.DataFrame:
    """Return a table that `write_csv` wrote: figures to the last bit, names as text, every text as it was."""
    frame = pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, "str"), keep_default_na=False, na_values=[""])
    return _mapped(frame, _bare)


def _mapped(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return the frame with a function applied to its texts; a frame without any to change is returned as it is."""
    found = {}
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            continue
        texts = {text for text in column.unique() if isinstance(text, str)}
        changed = {text: said for text in texts if (said := change(text)) != text}
        if changed:
            found[name] = column.map(lambda value, known=changed: known.get(value, value) if value == value else value)
    return frame.assign(**found) if found else frame


def _guard(text: str) -> str:
    shown = _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return f"'{shown}" if _FORMULA.match(shown) else shown


def _bare(text: str) -> str:
    shown = text[1:] if _GUARDED.match(text) else text
    return _ESCAPE.sub(lambda match: _character(match[1], match[0]), shown)


def _character(code: str, escape: str) -> str:
    """Return the character of an escape that `_guard` writes; any other escape is text of the user's."""
    character = chr(int(code, 16))
    return character if character == "\\" or re.fullmatch(_STEERS, character) else escape


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
