"""One column of a table against its declaration: cells typed, and named where unreadable, empty or out of range."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import did_you_mean
from allocator.inputs.cells import Parsed, among, is_empty, parse, parse_choice, plain_text
from allocator.inputs.error_collector import CellError, ErrorCollector
from allocator.inputs.fund import TableSource
from allocator.inputs.headings import spelling
from allocator.inputs.identity import in_normal_form, parse_identities
from allocator.inputs.raw import RawTable
from allocator.inputs.resolve import HeadingPlace
from allocator.parsing import normalise
from allocator.types import Column, LocalizedPhrase, Measure, Text

__all__ = ["EXCEL_ERRORS", "ColumnReader", "shower"]

MOST_CHOICES = 12
"""Choices listed in a message; all of them stand in the guide that ``allocator init`` writes."""

EXCEL_ERRORS = frozenset(
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


_PLACEHOLDERS = (np.datetime64("1900-01-02"), np.datetime64("2200-01-01"))
_PLACEHOLDER = CellError(
    Text("a placeholder, not a date", "占位日期，并非真实日期"),
    "1900-01-02 – 2199-12-31",
    Text(
        "leave the cell empty; a perpetual takes its next_call_date",
        "请留空；永续类资产请填写下一赎回日（next_call_date）",
    ),
)


@dataclass(frozen=True, eq=False)
class ColumnReader:
    """Reads the declared columns of one table.

    Parameters
    ----------
    raw : RawTable
        As read, blank rows and totals left out.
    unit : float
        CNY per unit of money cells whose heading carries no unit.
    source : TableSource
        Names the cells.
    findings : Findings
        Receives the problems.
    identities : frozenset of str
        Text columns that identify an asset or a company.
    key : str
        The first column of the table's key, "" without one.
    """

    raw: RawTable
    unit: float
    source: TableSource
    errors: ErrorCollector
    identities: frozenset[str]
    key: str

    def read(self, place: HeadingPlace, column: Column) -> pd.Series:
        """Return one declared column, typed; report cells that are unreadable, empty or out of range."""
        cells = self.raw.cells[place.position]
        named = column.name in self.identities
        plain = column.measure is Measure.TEXT and place.position in self.raw.plain
        if plain and (not named or in_normal_form(cells)):
            return cells
        default = self.unit if column.measure is Measure.MONEY else 1.0
        factor = default if place.match.factor is None else place.match.factor
        show = shower(cells)
        if named:
            parsed = parse_identities(cells, words_for_none=column.name != self.key)
        elif column.measure is Measure.CHOICE:
            parsed = parse_choice(cells, column.choices)
            _report_choices(column, parsed, self.source, self.errors, show)
        else:
            parsed = parse(_in_figures(cells, column), column.measure, factor, self.raw.epoch_shift)
            self._report_unreadable(column, parsed, cells, show)
        if column.default is not None and parsed.empty.any():
            missing = _words_for_missing(cells, parsed.empty)
            self.errors.cells(_UNKNOWN_FIGURE, self.source, column.name, missing, show)
        if column.required and parsed.empty.any():
            self.errors.cells(_MISSING, self.source, column.name, parsed.empty)
        per = factor if column.measure is Measure.MONEY else 1.0
        _report_range(column, parsed.column, per, self.source, self.errors, show)
        return _fill(column, parsed)

    def _report_unreadable(
        self, column: Column, parsed: Parsed, cells: pd.Series, show: Callable[[int], str | None]
    ) -> None:
        if parsed.bad.any():
            bad = parsed.bad & ~among(cells, EXCEL_ERRORS)  # those are reported already
            fault = _UNREADABLE[column.measure]
            if column.words:
                words = [word for word in column.words if not word.isascii()]
                fault = CellError(fault.what, f"{fault.allowed}, {', '.join(words)}", fault.hint)
            self.errors.cells(fault, self.source, column.name, bad, show)
        if column.measure is Measure.DATE:
            days = parsed.column.to_numpy()
            odd = (days < _PLACEHOLDERS[0]) | (days >= _PLACEHOLDERS[1])
            self.errors.cells(_PLACEHOLDER, self.source, column.name, odd, show)


def _in_figures(cells: pd.Series, column: Column) -> pd.Series:
    """Return cells with the column's words as the figures that they stand for."""
    if not column.words or pd.api.types.is_numeric_dtype(cells.dtype):
        return cells
    figures = {spelling(word): figure for word, figure in column.words.items()}
    return cells.astype(object).map(lambda cell: figures.get(spelling(plain_text(cell)), cell), na_action="ignore")


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
    errors.cells(CellError(what, _listed(column)), source, column.name, parsed.bad, show, hint)


def _listed(column: Column) -> str:
    """Return a column's choices, each language its own words for them."""
    if not column.choices:
        return _NONE_DECLARED
    more = f", … ({len(column.choices)}: COLUMNS.md)" if len(column.choices) > MOST_CHOICES else ""
    some = list(column.choices.items())[:MOST_CHOICES]
    chinese = [next((alias for alias in aliases if not alias.isascii()), name) for name, aliases in some]
    return LocalizedPhrase(", ".join(name for name, _ in some) + more, "、".join(chinese) + more)


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


def shower(cells: pd.Series) -> Callable[[int], str | None]:
    """Return a function that shows a cell as it stands in the file."""

    def show(row: int) -> str | None:
        value = cells.iloc[row]
        return None if is_empty(value) else str(value)[:80]

    return show
