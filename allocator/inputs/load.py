"""From settings and tables to checked `Inputs`: the one path for files and for frames given in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.files import FileReader
from allocator.inputs.fund import BalanceSheet, Inputs, TableSource, column_place
from allocator.inputs.headings import HeadingIndex, spellings
from allocator.inputs.lent import LentTables
from allocator.inputs.matrices import MATRIX_READERS, matrix_wanted
from allocator.inputs.raw import STRING, RawTable, TableQuery, tidy
from allocator.inputs.relations import (
    check_accounts,
    check_assets,
    check_references,
    check_tenors,
    funded_rows,
    note_likely_the_same,
    without_overnight,
)
from allocator.inputs.resolve import Unknown
from allocator.types import Declarations, Table, Text

__all__ = ["assemble", "expect_frames", "from_frames", "load_inputs"]

MODELS = ("returns", "risk", "scenarios")
"""Keys of ``models``."""

Reader = Callable[[TableQuery, ErrorCollector], RawTable | None]
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
    reader = FileReader(settings)
    inputs = assemble(settings, tuple(settings.inputs), reader.read, declared, canonical=True)
    return replace(inputs, notes=(*inputs.notes, *reader.unread()))


def expect_frames(settings: object, frames: Mapping[str, object]) -> None:
    """Refuse arguments that are no settings or no frames, each named once.

    Raises
    ------
    InputError
        Naming what stands in the wrong place.
    """
    errors = ErrorCollector()
    if not isinstance(settings, (Settings, Mapping)):
        what = Text("settings are a mapping of sections", "settings 应为由各节组成的映射")
        errors.add(what, "Fund(settings, assets, …)", type(settings).__name__, '{"fund": {"name": …, "as_of": …}}')
    for name, frame in frames.items():
        if not isinstance(frame, pd.DataFrame):
            what = Text("a table is a DataFrame", "数据表应为 DataFrame")
            hint = Text("allocator.load(path) reads a fund file", "从文件读取请用 allocator.load(path)")
            errors.add(what, name, type(frame).__name__, "pandas.DataFrame", hint)
    errors.raise_if_any()


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
    expect_frames(settings, frames)
    known = settings if isinstance(settings, Settings) else settings_from_mapping({"inputs": {}, **settings})

    def read(wanted: TableQuery, errors: ErrorCollector) -> RawTable:
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
    errors = ErrorCollector()
    sheet = check_balance_sheet(settings, errors)
    checked: dict[str, CheckedTable] = {}
    frames: dict[str, pd.DataFrame] = {}
    sources: dict[str, TableSource] = {}
    _report_names(settings, names, tables, errors)
    _report_models(settings, errors)
    # assets first: the other tables refer to them
    for name in sorted(set(names) & tables.keys(), key=lambda name: (name != "assets", name)):
        raw = read(HeadingIndex(tables[name]).wanted(), errors)
        if raw is not None:
            checked[name] = check_table(raw, tables[name], settings.fund.unit, errors)
            if name == "curve":
                checked[name] = without_overnight(checked[name], errors)
            frames[name], sources[name] = checked[name].frame, checked[name].source
    assets = frames.get("assets")
    if assets is not None and "account" not in sources["assets"].headings:
        assets["account"] = pd.Series(DEFAULT_ACCOUNT, assets.index, dtype=STRING)
    matrices = [name for name in MATRIX_TABLES if name in names]
    codes = [] if assets is None or not matrices else [str(code) for code in assets["asset_id"].dropna().unique()]
    codes = sorted(codes) if canonical else codes
    for name in matrices:
        raw = read(matrix_wanted(name, codes), errors)
        if raw is not None:
            frames[name], sources[name] = MATRIX_READERS[name](raw, codes, errors)
    for name, table in checked.items():
        _report_unknown(settings, sources[name].file, table.unknown, errors)
    if assets is not None:
        _relate(settings, sheet, tables, frames, sources, declared, errors)
    for name, table in checked.items():
        frames[name], sources[name] = table.settled(canonical=canonical)
    notes = tuple(errors.notes)
    choices = {**_choices(tables, "assets", ""), **_choices(tables, "issuers", "issuer.")}
    if len(errors):
        for name in list(frames):
            frames[name], sources[name] = errors.without_faults(frames[name], sources[name])
    tables_held = LentTables(frames)
    inputs = Inputs(settings, sheet, tables_held, MappingProxyType(sources), declared.kinds, notes, choices)
    errors.raise_if_any(inputs if "assets" in frames and len(inputs.assets) else None)
    return inputs


def _choices(tables: Mapping[str, Table], name: str, prefix: str) -> dict[str, Mapping[str, str]]:
    """Return the words that a table's columns of choices understand."""
    columns = tables[name].columns if name in tables else ()
    return {prefix + column.name: spellings(column.choices) for column in columns if column.choices}


def _relate(
    settings: Settings,
    sheet: BalanceSheet,
    tables: Mapping[str, Table],
    frames: Mapping[str, pd.DataFrame],
    sources: Mapping[str, TableSource],
    declared: Declarations,
    errors: ErrorCollector,
) -> None:
    assets = frames["assets"]
    if assets.empty:
        errors.add(Text("the table has no rows", "表中没有数据行"), sources["assets"].file)
        return
    funded = funded_rows(assets, declared.kinds)
    check_assets(assets, sources["assets"], funded, errors)
    check_accounts(settings, assets, errors)
    check_references(tables, frames, sources, errors)
    note_likely_the_same(frames, errors)
    if "curve" in frames and "tenor" in frames["curve"]:
        check_tenors(frames["curve"], sources["curve"], errors)
    amounts = assets["amount"].to_numpy(dtype=np.float64)
    check_total(settings, sheet.total_assets, float(amounts[funded].sum()), errors)


def _report_models(settings: Settings, errors: ErrorCollector) -> None:
    """Report keys under ``models`` that name nothing to be modelled."""
    for key in settings.models:
        if key not in MODELS:
            hint = did_you_mean(key, MODELS) or Text(
                "options stand beside the model's name: risk: {name: history, half_life: 12}",
                "选项与模型名称并列：risk: {name: history, half_life: 12}",
            )
            where = settings.where(f"models.{key}")
            errors.add(Text("an unknown key", "无法识别的键"), where, key, ", ".join(MODELS), hint)


def _report_unknown(settings: Settings, file: str, unknown: Sequence[Unknown], errors: ErrorCollector) -> None:
    """Say which columns are known to no rule, unless the fund file names them itself; an error where it asks for."""
    named = repr((settings.constraints, settings.objective, settings.tilts, settings.models, settings.capital))
    for each in unknown if settings.strict_columns else ():
        what = Text("a column that no plugin knows", "没有插件声明该列")
        near = None if each.nearest is None else did_you_mean(each.nearest, [each.nearest])
        errors.add(what, column_place(file, each.heading), hint=near)
    rest = [each for each in unknown if each.heading not in named]
    if not rest or settings.strict_columns:
        return
    en = ", ".join(each.heading + (f" (did you mean {each.nearest}?)" if each.nearest else "") for each in rest)
    zh = "、".join(each.heading + (f"（是否想写 {each.nearest}？）" if each.nearest else "") for each in rest)
    errors.notes.append(
        Text(f"{file}: columns known to no rule, without effect: {en}", f"{file}：以下列不参与任何规则，不起作用：{zh}")
    )


def _report_names(
    settings: Settings, names: tuple[str, ...], tables: Mapping[str, Table], errors: ErrorCollector
) -> None:
    known = sorted((*tables, *MATRIX_TABLES))
    for name in names:
        if name not in known:
            errors.add(
                Text("no table of this name is known", "未知的表名"),
                settings.where(f"inputs.{name}"),
                name,
                ", ".join(known),
                did_you_mean(name, known),
            )
    if "assets" not in names:
        errors.add(
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
