"""The checked inputs of one fund: what every later room is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.config.settings import Settings
from allocator.inputs.headings import spellings
from allocator.inputs.raw import SHEET
from allocator.types import AssetKind, LocalizedPhrase, Text

__all__ = ["SHEET", "BalanceSheet", "Inputs", "TableSource", "column_place"]


def column_place(file: str, heading: str) -> str:
    """Return the place of a column: ``"assets.csv, column 评级"``."""
    return LocalizedPhrase(f"{file}, column {heading}", f"{file}，“{heading}”列")


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """The company's totals in CNY; None where the fund file does not give one.

    ``actual_capital`` is admitted assets less admitted liabilities where only those are given.
    """

    total_assets: float | None = None
    admitted_assets: float | None = None
    admitted_liabilities: float | None = None
    core_capital: float | None = None
    actual_capital: float | None = None
    reported_comprehensive_ratio: float | None = None
    core_tier1: float | None = None
    core_tier2: float | None = None
    supplementary_tier1: float | None = None
    supplementary_tier2: float | None = None


@dataclass(frozen=True, slots=True)
class TableSource:
    """Where a table came from, so that a message can name the cell.

    Parameters
    ----------
    file : str
        File name, with the sheet for Excel.
    rows : ndarray of int
        File row (1-based, heading included) of each row of the frame, by position.
    headings : mapping of str to str
        Column name → heading as it stands in the file.
    fingerprint : str
        SHA-256 of the file, hexadecimal; of the values and headings when a frame was given in Python.
    letters : mapping of str to str
        Column name → spreadsheet column ("C"), for Excel only.
    sheets : tuple of str
        File and sheet of the parts of a table from several sheets; ``rows`` then adds `SHEET` for each part before.
    """

    file: str
    rows: NDArray[np.int64]
    headings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    fingerprint: str = ""
    letters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sheets: tuple[str, ...] = ()

    def place(self, row: int) -> tuple[str, int]:
        """Return file (with the sheet) and file row of a row."""
        sheet, number = divmod(int(self.rows[row]), SHEET)
        return self.sheets[sheet] if self.sheets else self.file, number

    @property
    def numbers(self) -> NDArray[np.int64]:
        """File row of each row, whatever its sheet."""
        return self.rows % SHEET

    def where(self, row: int, column: str = "") -> str:
        """Return the place of a cell: ``"assets.csv, row 12, column 评级"``, with ``(C12)`` for Excel."""
        file, number = self.place(row)
        if not column:
            return LocalizedPhrase(f"{file}, row {number}", f"{file}，第 {number} 行")
        cell = f" ({self.letters[column]}{number})" if column in self.letters else ""
        heading = self.headings.get(column, column)
        return LocalizedPhrase(
            f"{file}, row {number}, column {heading}{cell}",
            f"{file}，第 {number} 行，“{heading}”列{cell}",
        )

    def where_column(self, column: str) -> str:
        """Return the place of a column: ``"assets.csv, column 评级"``."""
        return column_place(self.file, self.headings.get(column, column))


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything read and checked; money in CNY, rates in decimals, dates as datetime64.

    Parameters
    ----------
    settings : Settings
        The fund file.
    balance_sheet : BalanceSheet
        Company totals, CNY.
    tables : mapping of str to DataFrame
        Checked frames by their key under ``inputs:``; every declared column is present, index 0 … n−1.
        Numbers are float64 (whole for INTEGER; empty: NaN), dates datetime64[s] (NaT), flags nullable
        ``boolean`` (NA), text and choices pandas' Arrow-backed ``str`` (NaN), lists object holding a tuple of
        str (``()``). Columns the user added are float64 when every cell is a number, else ``str``. Columns that
        no file gives share their memory: treat frames as read-only. Plugins are lent copies (`LentTables`).
    sources : mapping of str to TableSource
        Where each table came from.
    kinds : mapping of str to AssetKind
        The kinds declared by enabled plugins.
    notes : tuple of Text
        What a reader of the figures must know of the files: columns nobody understands, a unit taken from a title.
    choices : mapping of str to mapping of str to str
        Column of choices (``issuer.x`` for those of the issuers table) → spelling (`headings.spelling`) → value.
    """

    settings: Settings
    balance_sheet: BalanceSheet
    tables: Mapping[str, pd.DataFrame]
    sources: Mapping[str, TableSource]
    kinds: Mapping[str, AssetKind]
    notes: tuple[Text, ...] = ()
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def assets(self) -> pd.DataFrame:
        """One row per asset and account that may be held."""
        return self.tables["assets"]

    @property
    def as_of(self) -> date:
        """Valuation date."""
        return self.settings.fund.as_of

    @property
    def unit(self) -> float:
        """CNY per unit of the fund's money figures."""
        return self.settings.fund.unit

    def words(self, column: str) -> Mapping[str, str]:
        """Return the values of a column of choices by every spelling that names one; none for another column."""
        if column == "kind" and column not in self.choices:
            kinds = self.kinds.values()
            return spellings({kind.name: (kind.label.zh, kind.label.en, *kind.aliases) for kind in kinds})
        return self.choices.get(column, {})

    def table(self, name: str) -> pd.DataFrame | None:
        """Return an optional table, or None when the fund has none."""
        return self.tables.get(name)

    def where(self, table: str, row: int, column: str = "") -> str:
        """Return the place of a cell: ``"assets.csv, row 12, column rating"``."""
        source = self.sources.get(table)
        if source is None:
            source = TableSource(table, np.arange(1, len(self.tables[table]) + 1))
        return source.where(row, column)
