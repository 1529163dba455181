"""From settings and tables to checked `Inputs`: the one path for files and for frames given in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from allocator.config.load import settings_from_mapping
from allocator.config.settings import Settings
from allocator.errors import did_you_mean
from allocator.inputs.balance import check_balance_sheet, check_total
from allocator.inputs.check import CheckedTable, check_table
from allocator.inputs.core_tables import DEFAULT_ACCOUNT, MATRIX_TABLES, declared_tables
from allocator.inputs.files import FileReader
from allocator.inputs.findings import Findings
from allocator.inputs.fund import BalanceSheet, Inputs, TableSource
from allocator.inputs.headings import HeadingIndex
from allocator.inputs.lent import LentTables
from allocator.inputs.matrices import MATRIX_READERS, matrix_wanted
from allocator.inputs.raw import STRING, RawTable, Wanted, tidy
from allocator.inputs.relations import check_accounts, check_assets, check_references, check_tenors, funded_rows
from allocator.types import Declarations, Table, Text

__all__ = ["assemble", "from_frames", "load_inputs"]

Reader = Callable[[Wanted, Findings], RawTable | None]
"""Reads one table; None when it could not, with the reason recorded."""


def load_inputs(settings: Settings, declared: Declarations) -> Inputs:
    """Return checked inputs from the files that the fund file names.

    Parameters
    ----------
    settings : Settings
        The fund file.
    declared : Declarations
        What the enabled plugins declare.

    Raises
    ------
    InputError
        Naming every problem found, with file, row, column and cell.
    """
    return assemble(settings, tuple(settings.inputs), FileReader(settings).read, declared, canonical=True)


def from_frames(
    settings: Settings | Mapping[str, Any], frames: Mapping[str, pd.DataFrame], declared: Declarations
) -> Inputs:
    """Return checked inputs from frames: the same checks as files pass.

    Parameters
    ----------
    settings : Settings or mapping
        The fund file, or its content; ``inputs`` may be left out.
    frames : mapping of str to DataFrame
        Tables by their key under ``inputs:``, ``assets`` at least; headings and cells as in files. An index
        that is named or not made of integers counts as the first column.
    declared : Declarations
        What the enabled plugins declare.

    Raises
    ------
    InputError
        Naming every problem found, with frame, row (the first is 1) and column.
    """
    known = settings if isinstance(settings, Settings) else settings_from_mapping({"inputs": {}, **settings})

    def read(wanted: Wanted, findings: Findings) -> RawTable:
        return _raw_frame(wanted.name, frames[wanted.name])

    return assemble(known, tuple(frames), read, declared)


def assemble(
    settings: Settings, names: tuple[str, ...], read: Reader, declared: Declarations, *, canonical: bool = False
) -> Inputs:
    """Read, check and relate all tables.

    Parameters
    ----------
    settings : Settings
        The fund file.
    names : tuple of str
        Tables given.
    read : callable
        Reads one of them.
    declared : Declarations
        What the enabled plugins declare.
    canonical : bool
        Whether rows are held in one order whatever the file's; see `allocator.inputs.order`.

    Raises
    ------
    InputError
        Naming every problem found.
    """
    tables = declared_tables(declared)
    findings = Findings()
    sheet = check_balance_sheet(settings, findings)
    checked: dict[str, CheckedTable] = {}
    frames: dict[str, pd.DataFrame] = {}
    sources: dict[str, TableSource] = {}
    _report_names(settings, names, tables, findings)
    # assets first: the other tables refer to them
    for name in sorted(set(names) & tables.keys(), key=lambda name: (name != "assets", name)):
        raw = read(HeadingIndex(tables[name]).wanted(), findings)
        if raw is not None:
            checked[name] = check_table(raw, tables[name], settings.fund.unit, findings)
            frames[name], sources[name] = checked[name].frame, checked[name].source
    assets = frames.get("assets")
    if assets is not None and "account" not in sources["assets"].headings:
        assets["account"] = pd.Series(DEFAULT_ACCOUNT, assets.index, dtype=STRING)
    matrices = [name for name in MATRIX_TABLES if name in names]
    codes = [] if assets is None or not matrices else [str(code) for code in assets["asset_id"].dropna().unique()]
    codes = sorted(codes) if canonical else codes
    for name in matrices:
        raw = read(matrix_wanted(name, codes), findings)
        if raw is not None:
            frames[name], sources[name] = MATRIX_READERS[name](raw, codes, findings)
    if assets is not None:
        _relate(settings, sheet, tables, frames, sources, declared, findings)
    findings.raise_if_any()
    for name, table in checked.items():
        frames[name], sources[name] = table.settled(canonical=canonical)
    return Inputs(settings, sheet, LentTables(frames), MappingProxyType(sources), declared.kinds)


def _relate(
    settings: Settings,
    sheet: BalanceSheet,
    tables: Mapping[str, Table],
    frames: Mapping[str, pd.DataFrame],
    sources: Mapping[str, TableSource],
    declared: Declarations,
    findings: Findings,
) -> None:
    assets = frames["assets"]
    if assets.empty:
        findings.add(Text("the table has no rows", "表中没有数据行"), sources["assets"].file)
        return
    funded = funded_rows(assets, declared.kinds)
    check_assets(assets, sources["assets"], funded, findings)
    check_accounts(settings, assets, findings)
    check_references(tables, frames, sources, findings)
    if "curve" in frames and "tenor" in frames["curve"]:
        check_tenors(frames["curve"], sources["curve"], findings)
    amounts = assets["amount"].to_numpy(dtype=np.float64)
    check_total(settings, sheet.total_assets, float(amounts[funded].sum()), findings)


def _report_names(settings: Settings, names: tuple[str, ...], tables: Mapping[str, Table], findings: Findings) -> None:
    known = sorted((*tables, *MATRIX_TABLES))
    for name in names:
        if name not in known:
            findings.add(
                Text("no table of this name is known", "未知的表名"),
                settings.where(f"inputs.{name}"),
                name,
                ", ".join(known),
                did_you_mean(name, known),
            )
    if "assets" not in names:
        findings.add(
            Text("the assets table is missing", "缺少资产表"),
            settings.where("inputs"),
            allowed="inputs.assets",
            hint=Text("add inputs: {assets: assets.csv}", "请添加 inputs: {assets: assets.csv}"),
        )


def _raw_frame(name: str, frame: pd.DataFrame) -> RawTable:
    """Return a frame as a table read; a telling index becomes the first column."""
    index = frame.index
    if index.name is not None or not pd.api.types.is_integer_dtype(index.dtype):
        unnamed = "date" if pd.api.types.is_datetime64_any_dtype(index.dtype) else "asset_id"
        frame = frame.reset_index(names=index.name or unnamed)
    frame = frame.reset_index(drop=True)
    cells = tuple(tidy(frame.iloc[:, position]) for position in range(frame.shape[1]))
    digest = hashlib.sha256("\x1f".join(map(str, frame.columns)).encode())
    for column in cells:
        mixed = column.dtype == object and pd.api.types.infer_dtype(column).startswith("mixed")
        hashes = pd.util.hash_pandas_object(column.map(repr) if mixed else column, index=False)
        digest.update(hashes.to_numpy().tobytes())
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    return RawTable(f"{name} (DataFrame)", tuple(map(str, frame.columns)), cells, rows, digest.hexdigest())
