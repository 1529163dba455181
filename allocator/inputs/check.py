"""A table as read against its declaration: headings, cells, ranges, keys. Everything wrong is collected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from allocator.errors import did_you_mean
from allocator.inputs.cells import (
    Parsed,
    among,
    blank,
    is_empty,
    key_codes,
    none_among,
    parse,
    parse_choice,
    parse_free,
)
from allocator.inputs.error_collector import CellError, ErrorCollector
from allocator.inputs.fund import TableSource
from allocator.inputs.headings import HeadingIndex
from allocator.inputs.order import canonical_order
from allocator.inputs.quick import order_of_different
from allocator.inputs.raw import RawTable, array_of, as_text, text_column
from allocator.inputs.resolve import HeadingPlace, column_letter, resolve_headings, source_of
from allocator.jurisdiction import Currency
from allocator.parsing import normalise
from allocator.types import Column, LocalizedPhrase, Measure, Table, Text

__all__ = ["CheckedTable", "check_table", "drop_blank_rows", "drop_totals", "report_excel_errors"]

MOST_CHOICES = 12
"""Choices listed in a message; all of them stand in the guide that ``allocator init`` writes."""

_TOTALS = frozenset(
    {
        *("合计", "合 计", "合  计", "合　计", "总计", "总 计", "总  计", "总　计", "小计", "小 计", "总和", "汇总"),
        *("total", "totals", "subtotal", "sub-total", "sub total", "grand total", "sum"),
    }
)
_EXCEL_ERRORS = frozenset(
    {
        *("#n/a", "#ref!", "#div/0!", "#value!", "#name?", "#null!", "#num!", "#spill!", "#calc!"),
        "#getting_data",
    }
)

_UNREADABLE: Mapping[Measure, CellError] = MappingProxyType(
    {
        Measure.MONEY: CellError(
            Text("not an amount", "不是有效金额"),
            "1234.5, 1,234.5, (1,234.5)",
            Text(
                "put the unit in the heading, e.g. 市值(万元), not in the cell",
                "单位写在表头，如“市值(万元)”，不要写在单元格内",
            ),
        ),
        Measure.RATE: CellError(Text("not a rate", "不是有效比率"), "0.035, 3.5%, 35bp"),
        Measure.NUMBER: CellError(Text("not a number", "不是有效数字"), "1234.5, 1,234.5"),
        Measure.INTEGER: CellError(Text("not a whole number", "不是整数"), "0, 1, 2 …"),
        Measure.DATE: CellError(
            Text("not a date", "不是有效日期"),
            "2026-06-30, 2026/6/30, 20260630, 2026年6月30日",
            Text("write the year first and leave out the time of day", "请按年、月、日顺序填写，不带时刻"),
        ),
        Measure.FLAG: CellError(Text("neither yes nor no", "既不是“是”也不是“否”"), "true/false, yes/no, 1/0, 是/否"),
    }
)
_EMPTY_TYPES: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.LIST: "list",
        Measure.DATE: "datetime64[s]",
        Measure.FLAG: "boolean",
        Measure.TEXT: "str",
        Measure.CHOICE: "str",
    }
)
_NONE_DECLARED = LocalizedPhrase(
    "none is declared: enable a plugin that declares some", "尚无声明：请启用声明了取值的插件"
)
_UNKNOWN_FIGURE = CellError(
    Text("a figure that is not known", "数值缺失"),
    hint=Text("write the figure; leave the cell empty only where nothing is held", "请填写数值；确无持有时才留空"),
)
"""Where an empty cell stands for a figure (nothing held), a word for 'missing' must not: it may hide one."""
_MISSING = CellError(Text("a needed cell is empty", "必填单元格为空"), hint=Text("fill it in", "请补填"))
_RATE_HINT = Text(
    "rates are decimals: write 0.035 or 3.5%, or put (%) in the heading",
    "比率以小数表示：请写 0.035 或 3.5%，或在表头注明 (%)",
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
    """

    frame: pd.DataFrame
    source: TableSource
    given: tuple[str, ...]
    key: tuple[str, ...]
    order: NDArray[np.intp] | None

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


def check_table(raw: RawTable, table: Table, currency: Currency, unit: float, errors: ErrorCollector) -> CheckedTable:
    """Return the checked table; what is wrong goes to ``errors``.

    Parameters
    ----------
    raw : RawTable
        As read.
    table : Table
        Its declaration.
    currency : Currency
        Whose units headings may name.
    unit : float
        Units of it per unit of money cells whose heading carries no unit.
    findings : Findings
        Receives the problems. A frame with problems holds empty cells in their places.
    """
    raw = drop_blank_rows(_plain(raw))
    found, free = resolve_headings(raw, HeadingIndex(table, currency), errors)
    source = source_of(raw, {name: place.position for name, place in found.items()})
    report_excel_errors(raw, errors)
    if table.key and table.key[0] in found:
        raw = drop_totals(raw, found[table.key[0]].position, source, table.key[0], errors)
        source = replace(source, rows=raw.rows)
    absent = _absent([column for column in table.columns if column.name not in found], len(raw.rows))
    frame = {
        column.name: _column(raw, found[column.name], column, unit, source, errors)
        if column.name in found
        else absent[column.name]
        for column in table.columns
    }
    for position in free:
        frame[raw.headings[position].strip()] = parse_free(raw.cells[position]).column
    columns = {name: array_of(column) for name, column in frame.items()}
    checked = pd.DataFrame(columns, index=pd.RangeIndex(len(raw.rows)), copy=False)
    order = order_of_different(checked[table.key[0]]) if table.key else None
    if order is None:
        _report_repeats(checked, table, source, errors)
    return CheckedTable(checked, source, tuple(name for name in frame if name not in absent), table.key, order)


def _plain(raw: RawTable) -> RawTable:
    """Return the table with its plain columns told: one look at each instead of one for every kind of word."""
    words = _EXCEL_ERRORS | _TOTALS
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
        if position not in raw.plain and (wrong := among(cells, _EXCEL_ERRORS)).any():
            name = raw.headings[position].strip() or column_letter(position)
            source = source_of(raw, {name: position})
            errors.cells(fault, source, name, wrong, _shower(cells))


def drop_totals(raw: RawTable, position: int, source: TableSource, column: str, errors: ErrorCollector) -> RawTable:
    """Report rows whose first key cell says 合计, total …, and return the others: a sum is no row of its own."""
    cells = raw.cells[position]
    if position in raw.plain or not (totals := among(cells, _TOTALS)).any():
        return raw
    fault = CellError(
        Text("a row of totals", "合计行"),
        hint=Text("delete the row: totals are computed", "请删除该行：合计由程序计算"),
    )
    errors.cells(fault, source, column, totals, _shower(cells))
    return _kept(raw, ~totals)


def _kept(raw: RawTable, rows: NDArray[np.bool_]) -> RawTable:
    cells = tuple(column[rows].reset_index(drop=True) for column in raw.cells)
    return replace(raw, cells=cells, rows=raw.rows[rows])


def _column(
    raw: RawTable, place: HeadingPlace, column: Column, unit: float, source: TableSource, errors: ErrorCollector
) -> pd.Series:
    """Return one declared column, typed; report cells that are unreadable, empty or out of range."""
    cells = raw.cells[place.position]
    if column.measure is Measure.TEXT and place.position in raw.plain:
        return cells
    default = unit if column.measure is Measure.MONEY else 1.0
    factor = default if place.match.factor is None else place.match.factor
    show = _shower(cells)
    if column.measure is Measure.CHOICE:
        parsed = parse_choice(cells, column.choices)
        _report_choices(column, parsed, source, errors, show)
    else:
        parsed = parse(cells, column.measure, factor, raw.epoch_shift)
        if parsed.bad.any():
            bad = parsed.bad & ~among(cells, _EXCEL_ERRORS)  # those are reported already
            errors.cells(_UNREADABLE[column.measure], source, column.name, bad, show)
    if column.default is not None and parsed.empty.any():
        errors.cells(_UNKNOWN_FIGURE, source, column.name, _words_for_missing(cells, parsed.empty), show)
    if column.required and parsed.empty.any():
        errors.cells(_MISSING, source, column.name, parsed.empty)
    per = factor if column.measure is Measure.MONEY else 1.0
    _report_range(column, parsed.column, per, source, errors, show)
    return _fill(column, parsed)


def _words_for_missing(cells: pd.Series, empty: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the ``empty`` cells say in a word, such as ``NaN`` or ``n/a``, that a figure is missing."""
    found = np.zeros(len(cells), dtype=bool)
    filled = np.flatnonzero(empty & cells.notna().to_numpy())
    if filled.size:
        texts = cells.iloc[filled].astype(object)
        found[filled] = texts.isin([text for text in texts.unique() if not is_empty(normalise(str(text)))])
    return found


def _report_choices(
    column: Column, parsed: Parsed, source: TableSource, errors: ErrorCollector, show: Callable[[int], str | None]
) -> None:
    if not parsed.bad.any():
        return
    spellings = {alias: name for name, aliases in column.choices.items() for alias in (name, *aliases)}

    def hint(row: int) -> Text | None:
        return did_you_mean(str(show(row)), spellings)

    what = Text(f"an unknown value of {column.name}", f"{column.label.zh}的取值无法识别")
    listed = ", ".join(list(column.choices)[:MOST_CHOICES])
    more = f", … ({len(column.choices)}: COLUMNS.md)" if len(column.choices) > MOST_CHOICES else ""
    fault = CellError(what, f"{listed}{more}" or _NONE_DECLARED)
    errors.cells(fault, source, column.name, parsed.bad, show, hint)


def _report_range(
    column: Column,
    values: pd.Series,
    per: float,
    source: TableSource,
    errors: ErrorCollector,
    show: Callable[[int], str | None],
) -> None:
    """Report numbers outside the column's range; money is compared in the file's unit."""
    if column.minimum is None and column.maximum is None:
        return
    numbers = values.to_numpy(dtype=np.float64)
    low = -np.inf if column.minimum is None else column.minimum * per
    high = np.inf if column.maximum is None else column.maximum * per
    bad = (numbers < low) | (numbers > high)
    if not bad.any():
        return
    ends = (column.minimum, column.maximum)
    allowed = (
        f"{ends[0]:g} – {ends[1]:g}"
        if ends[0] is not None and ends[1] is not None
        else f"≥ {ends[0]:g}"
        if ends[0] is not None
        else f"≤ {ends[1]:g}"
    )
    hint = _RATE_HINT if column.measure is Measure.RATE else None
    errors.cells(CellError(Text("out of range", "超出允许范围"), allowed, hint), source, column.name, bad, show)


def _fill(column: Column, parsed: Parsed) -> pd.Series:
    """Return the values with the declared meaning of empty cells."""
    if column.default is None or not parsed.empty.any():
        return parsed.column
    return parsed.values.mask(parsed.empty, column.default)


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
        return ", ".join(str(frame[column].iloc[row]) for column in key)

    earlier = {shown(row): int(source.rows[row]) for row in first.tolist()}
    fault = CellError(
        Text(f"the same {' and '.join(key)} twice", f"{'、'.join(key)} 重复"),
        hint=Text("merge the rows or delete one", "请合并或删除重复行"),
    )
    errors.cells(fault, source, key[0], repeated, lambda row: f"{shown(row)} (row {earlier[shown(row)]})")


def _shower(cells: pd.Series) -> Callable[[int], str | None]:
    """Return a function that shows a cell as it stands in the file."""

    def show(row: int) -> str | None:
        value = cells.iloc[row]
        return None if is_empty(value) else str(value)[:80]

    return show
