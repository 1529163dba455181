"""A table as read against its declaration: headings, cells, ranges, keys. Everything wrong is collected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from allocator.inputs.cells import among, blank, is_empty, key_codes, none_among, parse_free, plain_text
from allocator.inputs.columns import EXCEL_ERRORS, ColumnReader, shower
from allocator.inputs.error_collector import CellError, ErrorCollector
from allocator.inputs.fund import TableSource
from allocator.inputs.headings import ALLOWED_UNITS, stated_units
from allocator.inputs.identity import identities
from allocator.inputs.order import canonical_order, order_of_different
from allocator.inputs.raw import RawTable, array_of, as_text, text_column
from allocator.inputs.resolve import Unknown, column_letter, resolve_headings, source_of, unknown_heading
from allocator.types import Column, Measure, Table, Text

__all__ = ["CheckedTable", "check_table", "drop_blank_rows", "drop_totals", "report_excel_errors"]

_TOTALS = frozenset(
    {
        *("合计", "合 计", "合  计", "合　计", "总计", "总 计", "总  计", "总　计", "小计", "小 计", "总和", "汇总"),
        *("total", "totals", "subtotal", "sub-total", "sub total", "grand total", "sum"),
    }
)
_TOTAL_LIKE = re.compile(
    r"合\s*计|总\s*计|小\s*计|总和|汇总|制表|填表|复核|审核|负责人|经办|签字|签章|盖章"
    r"|\b(sub-?)?totals?\b|\b(prepared|reviewed|approved|signed) by\b|\bsignature\b",
    re.IGNORECASE,
)
"""Words of rows that are no holdings: sums, and who made the table."""
_EMPTY_TYPES: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.LIST: "list",
        Measure.DATE: "datetime64[s]",
        Measure.FLAG: "boolean",
        Measure.TEXT: "str",
        Measure.CHOICE: "str",
    }
)


@dataclass(frozen=True, eq=False)
class CheckedTable:
    """A table in which every cell is understood.

    Parameters
    ----------
    frame : DataFrame
        Its columns, text of few distinct values still as categories.
    source : TableSource
        Where its cells stood.
    given : tuple of str
        The columns that the file has; all others hold one value throughout.
    key : tuple of str
        The columns that identify a row.
    order : ndarray of int (n,) or None
        The positions that sort the rows by the first of them where it alone tells all rows apart; else None.
    unknown : tuple of Unknown
        Headings of columns kept that no plugin declares.
    """

    frame: pd.DataFrame
    source: TableSource
    given: tuple[str, ...]
    key: tuple[str, ...]
    order: NDArray[np.intp] | None
    unknown: tuple[Unknown, ...] = ()

    def settled(self, *, canonical: bool) -> tuple[pd.DataFrame, TableSource]:
        """Return frame and source with text as text; ``canonical``: in the order of `allocator.inputs.order`."""
        order = None
        if canonical:
            order = canonical_order(self.frame, self.key) if self.order is None else self.order
        if order is not None and bool((order[1:] > order[:-1]).all()):
            order = None
        source = self.source if order is None else replace(self.source, rows=self.source.rows[order])
        columns = {
            name: as_text(column, order) if name in self.given else array_of(column)
            for name, column in self.frame.items()
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self.frame)), copy=False), source


def check_table(raw: RawTable, table: Table, unit: float, errors: ErrorCollector) -> CheckedTable:
    """Return the checked table; what is wrong goes to ``errors``.

    Parameters
    ----------
    raw : RawTable
        As read.
    table : Table
        Its declaration.
    unit : float
        CNY per unit of money cells whose heading carries no unit.
    findings : Findings
        Receives the problems. A frame with problems holds empty cells in their places.
    """
    raw = drop_blank_rows(_plain(raw))
    unit = _unit(raw, unit, errors)
    found, free = resolve_headings(raw, table, errors)
    source = source_of(raw, {name: place.position for name, place in found.items()})
    report_excel_errors(raw, errors)
    if table.key and table.key[0] in found:
        needed = (found[column.name].position for column in table.columns if column.required and column.name in found)
        raw = drop_totals(raw, found[table.key[0]].position, source, table.key[0], errors, needed)
        source = replace(source, rows=raw.rows)
    absent = _absent([column for column in table.columns if column.name not in found], len(raw.rows))
    reader = ColumnReader(raw, unit, source, errors, identities(table), next(iter(table.key), ""))
    frame = {
        column.name: reader.read(found[column.name], column) if column.name in found else absent[column.name]
        for column in table.columns
    }
    for position in free:
        frame[raw.headings[position].strip()] = parse_free(raw.cells[position]).column
    columns = {name: array_of(column) for name, column in frame.items()}
    checked = pd.DataFrame(columns, index=pd.RangeIndex(len(raw.rows)), copy=False)
    order = order_of_different(checked[table.key[0]]) if table.key else None
    if order is None:
        _report_repeats(checked, table, source, errors)
    given = tuple(name for name in frame if name not in absent)
    missing = [column for column in table.columns if column.name not in found]
    unknown = tuple(unknown_heading(raw.headings[position].strip(), missing) for position in free)
    return CheckedTable(checked, source, given, table.key, order, unknown)


def _unit(raw: RawTable, unit: float, errors: ErrorCollector) -> float:
    """Return CNY per unit of money: what a line above the headings states, else the fund's unit."""
    stated, unreadable = stated_units(raw.titles)
    if len(stated) > 1 or unreadable:
        errors.add(
            Text("the unit stated above the headings cannot be read", "表头上方注明的单位无法识别"),
            raw.file,
            "; ".join(unreadable or raw.titles),
            ALLOWED_UNITS[Measure.MONEY],
            Text(
                "put the unit into each heading: 市值(万元), 票面利率(%)",
                "请在各列表头注明单位：市值(万元)、票面利率(%)",
            ),
        )
    if len(stated) != 1:
        return unit
    (found,) = stated
    if found != unit:
        errors.notes.append(
            Text(
                f"{raw.file}: money is in units of CNY {found:g}, as stated above the headings; fund.unit is {unit:g}",
                f"{raw.file}：金额按表头上方注明的单位读取（1 = {found:g} 元）；fund.unit 为 {unit:g}",
            )
        )
    return found


def _plain(raw: RawTable) -> RawTable:
    """Return the table with its plain columns told: one look at each instead of one for every kind of word."""
    words = EXCEL_ERRORS | _TOTALS
    return replace(raw, plain=frozenset(at for at, cells in enumerate(raw.cells) if none_among(cells, words)))


def drop_blank_rows(raw: RawTable) -> RawTable:
    """Return the table without rows of which every cell is empty."""
    if not raw.cells or raw.plain:
        return raw
    nothing = np.ones(len(raw.rows), dtype=bool)
    for cells in raw.cells:
        nothing[nothing] &= blank(cells if nothing.all() else cells[nothing])
        if not nothing.any():
            return raw
    return _kept(raw, ~nothing)


def report_excel_errors(raw: RawTable, errors: ErrorCollector) -> None:
    """Report cells such as #REF! that a spreadsheet could not compute."""
    fault = CellError(
        Text("the cell holds a spreadsheet error", "单元格为公式错误值"),
        hint=Text("mend the formula and save the file again", "请修正公式后重新保存"),
    )
    for position, cells in enumerate(raw.cells):
        if position not in raw.plain and (wrong := among(cells, EXCEL_ERRORS)).any():
            name = raw.headings[position].strip() or column_letter(position)
            source = source_of(raw, {name: position})
            errors.cells(fault, source, name, wrong, shower(cells))


def drop_totals(
    raw: RawTable, position: int, source: TableSource, column: str, errors: ErrorCollector, needed: Iterable[int] = ()
) -> RawTable:
    """Report rows of totals and signatures, and return the others: a sum is no row of its own.

    Such a row says 合计, total … in its key cell at ``position``, or anywhere while a ``needed`` cell is empty.
    """
    cells = raw.cells[position]
    totals = np.zeros(len(cells), dtype=bool) if position in raw.plain else among(cells, _TOTALS)
    gaps = totals.copy()
    for place in {*needed} - raw.plain:
        gaps |= blank(raw.cells[place])
    for row in np.flatnonzero(gaps & ~totals).tolist():
        totals[row] = _says_total(raw, row) is not None
    if not totals.any():
        return raw
    fault = CellError(
        Text("looks like a total or a signature, not a holding", "疑似合计行或签字行，而非持仓"),
        hint=Text("delete the row: totals are computed", "请删除该行：合计由程序计算"),
    )
    errors.cells(fault, source, column, totals, lambda row: _says_total(raw, row))
    return _kept(raw, ~totals)


def _says_total(raw: RawTable, row: int) -> str | None:
    """Return the cell of a row that says so, None without one."""
    texts = (str(cells.iloc[row]) for cells in raw.cells if not is_empty(cells.iloc[row]))
    return next((text[:80] for text in texts if _TOTAL_LIKE.search(text) or text.strip().lower() in _TOTALS), None)


def _kept(raw: RawTable, rows: NDArray[np.bool_]) -> RawTable:
    cells = tuple(column[rows].reset_index(drop=True) for column in raw.cells)
    return replace(raw, cells=cells, rows=raw.rows[rows])


def _absent(columns: list[Column], size: int) -> dict[str, pd.Series]:
    """Return the columns the file does not have; those alike share their memory."""
    shared: dict[tuple[str, object], pd.Series] = {}
    for column in columns:
        likeness = (_EMPTY_TYPES.get(column.measure, "float64"), column.default)
        if likeness not in shared:
            shared[likeness] = _constant(*likeness, size)
    return {column.name: shared[_EMPTY_TYPES.get(column.measure, "float64"), column.default] for column in columns}


def _constant(kind: str, value: object, size: int) -> pd.Series:
    if kind == "list":
        nothing = np.empty((), dtype=object)
        nothing[()] = ()
        return pd.Series(np.full(size, nothing), dtype=object, copy=False)
    if kind == "float64":
        return pd.Series(np.full(size, np.nan if value is None else value, dtype=np.float64), copy=False)
    if kind == "datetime64[s]":
        return pd.Series(np.full(size, np.datetime64("NaT", "s")), copy=False)
    if kind == "boolean":
        return pd.Series(pd.arrays.BooleanArray(np.full(size, value is True), np.full(size, value is None)), copy=False)
    array = (
        pa.nulls(size, pa.large_string())
        if value is None
        else pa.repeat(pa.scalar(str(value), pa.large_string()), size)
    )
    return text_column(array)


def _report_repeats(frame: pd.DataFrame, table: Table, source: TableSource, errors: ErrorCollector) -> None:
    """Report rows whose key stood in an earlier row."""
    if not table.key or frame.empty:
        return
    key = list(table.key)
    first_codes = key_codes(frame[key[0]])
    if first_codes.max() + 1 == len(frame):
        return
    codes = pd.DataFrame({key[0]: first_codes, **{column: key_codes(frame[column]) for column in key[1:]}})
    repeated = codes.duplicated(keep="first").to_numpy() & (codes[key[0]] >= 0).to_numpy()
    if not repeated.any():
        return
    first = np.flatnonzero(codes.duplicated(keep=False).to_numpy() & ~repeated)

    def shown(row: int) -> str:
        cells = (frame[column].iloc[row] for column in key)
        return ", ".join(plain_text(cell) for cell in cells if not pd.isna(cell))

    earlier = {shown(row): int(source.rows[row]) for row in first.tolist()}
    fault = CellError(
        Text(f"the same {' and '.join(key)} twice", f"{'、'.join(key)} 重复"),
        hint=Text("merge the rows or delete one", "请合并或删除重复行"),
    )
    errors.cells(fault, source, key[0], repeated, lambda row: f"{shown(row)} (row {earlier[shown(row)]})")
