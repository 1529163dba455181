"""Cells to typed columns. Distinct values are parsed once; columns that are numbers already are not parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.arrays import Mask
from allocator.inputs.distinct import EMPTY, Distinct, distinct_of, factorized, plain_days
from allocator.inputs.headings import spelling, spellings
from allocator.inputs.raw import SAMPLE, STRING, as_text
from allocator.parsing import normalise, parse_date_text, parse_number_text
from allocator.types import Measure

__all__ = [
    "Parsed",
    "among",
    "blank",
    "is_empty",
    "key_codes",
    "none_among",
    "parse",
    "parse_choice",
    "parse_free",
    "parse_numbers",
    "parse_words",
    "plain_text",
]

_NOTHING = frozenset({""})
_EMPTY_TEXT = frozenset({"", "-", "--", "---", "—", "——", "/"})
_EMPTY_VALUE = _EMPTY_TEXT | {"na", "n/a", "nan", "null", "none", "nat", "<na>"}
_TRUE = frozenset({"true", "yes", "y", "t", "1", "1.0", "是"})
_FALSE = frozenset({"false", "no", "n", "f", "0", "0.0", "否"})
_PLAIN_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_EXCEL_EPOCH = date(1899, 12, 30)
_SERIALS = (20_000, 2_958_465)
"""Date serials accepted: 1954-10-03 … 9999-12-31. Smaller ones look like years, so they are refused."""

_DAY_SECONDS = 86_400

_BAD = object()
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Parsed:
    """A column understood.

    Parameters
    ----------
    column : Series (n,)
        Typed as `allocator.inputs.fund.Inputs` documents, but text of few distinct values still as categories;
        empty where ``empty`` or ``bad``.
    empty, bad : ndarray of bool (n,)
        Cells that hold nothing; cells that are not what the column asks for.
    """

    column: pd.Series
    empty: Mask
    bad: Mask

    @property
    def values(self) -> pd.Series:
        """The column with its text as text."""
        return pd.Series(as_text(self.column), copy=False)


def is_empty(value: object) -> bool:
    """Return whether a cell holds nothing: None, NaN, or text that stands for nothing such as ``-``."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, float):
        return value != value
    return isinstance(value, str) and value.strip() in _EMPTY_TEXT


def among(cells: pd.Series, words: frozenset[str]) -> Mask:
    """Return which cells are one of some words, whatever their case; numbers and dates never are."""
    if not (cells.dtype == object or isinstance(cells.dtype, (pd.StringDtype, pd.CategoricalDtype))):
        return np.zeros(len(cells), dtype=bool)
    distinct = distinct_of(cells)
    found = np.zeros(len(distinct.values) + 1, dtype=bool)
    if isinstance(distinct.values, pa.Array):
        found[:-1] = _is_word(distinct.values, words).to_numpy(zero_copy_only=False)
    else:
        found[:-1] = [isinstance(value, str) and value.strip().lower() in words for value in distinct.values]
    return distinct.marked(found)


def none_among(cells: pd.Series, words: frozenset[str]) -> bool:
    """Return whether every cell is text and none is empty, stands for nothing or is one of some words."""
    if not isinstance(cells.dtype, pd.StringDtype):
        return False
    values: pa.Array = distinct_of(cells).values
    return not values.null_count and not pc.any(_is_word(values, words | _EMPTY_TEXT)).as_py()


def _is_word(texts: pa.Array, words: frozenset[str]) -> pa.BooleanArray:
    """Return which texts, trimmed as all are once read, are one of some words; case counts for none."""
    plain = pc.ascii_lower(texts)
    return pc.is_in(plain, value_set=pa.array(sorted(words), plain.type))


def blank(cells: pd.Series) -> Mask:
    """Return which cells hold nothing, not even a mark that stands for nothing."""
    return np.asarray(cells.isna().to_numpy() | among(cells, _NOTHING))


def key_codes(cells: pd.Series) -> NDArray[np.int64]:
    """Return whole numbers that are equal where the cells are; all empty cells are −1."""
    return factorized(cells)[0]


def parse(cells: pd.Series, measure: Measure, factor: float = 1.0, epoch_shift: int = 0) -> Parsed:
    """Return a column's cells typed by its measure (all but ``CHOICE``: `parse_choice`).

    Parameters
    ----------
    cells : Series
        As read.
    measure : Measure
        How cells are read.
    factor : float
        Currency units or decimals per unit of a cell; a cell with its own ``%`` or ``bp`` ignores it.
    epoch_shift : int
        Days added to date serials.
    """
    if measure in _NUMERIC:
        return parse_numbers(cells, factor, suffixes=measure is Measure.RATE, whole=measure is Measure.INTEGER)
    if measure is Measure.DATE:
        return _parse_dates(cells, epoch_shift)
    return _OTHER[measure](cells)


def parse_numbers(cells: pd.Series, factor: float = 1.0, *, suffixes: bool = False, whole: bool = False) -> Parsed:
    """Return cells as numbers, with what is empty and what is none.

    Parameters
    ----------
    cells : Series
        As read from a file or a frame.
    factor : float
        What every number is multiplied by.
    suffixes : bool
        Whether ``%`` and ``bp`` are understood.
    whole : bool
        Whether fractions are refused.
    """
    scaled = None
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        empty, bad = np.isnan(numbers), np.isinf(numbers)
    else:
        distinct = distinct_of(cells)
        found, state, scale = _numbers_of(distinct.values)
        states = distinct.spread(state)
        numbers, empty, bad = distinct.spread(found), states == 1, states == 2
        scaled = distinct.spread(scale) if scale.any() else None
    if scaled is not None and not suffixes:
        bad = bad | scaled
    if whole:
        with np.errstate(invalid="ignore"):
            bad = bad | (numbers != np.round(numbers)) & ~np.isnan(numbers)
    if factor != 1.0:
        product = numbers * factor if factor >= 1.0 else numbers / round(1.0 / factor)
        numbers = product if scaled is None else np.where(scaled, numbers, product)
    if bad.any():
        numbers = np.where(bad, np.nan, numbers)
    return Parsed(pd.Series(numbers, copy=False), empty, bad)


def parse_choice(cells: pd.Series, choices: Mapping[str, tuple[str, ...]]) -> Parsed:
    """Return cells as canonical choices; case, space, ``_``, ``-`` and full width do not matter."""
    known = spellings(choices)

    def convert(value: object) -> object:
        text = plain_text(value)
        key = spelling(text)
        if key in known:
            return known[key]
        return EMPTY if normalise(text).lower() in _EMPTY_VALUE else _BAD

    return parse_words(distinct_of(cells, few=True), convert)


def parse_free(cells: pd.Series) -> Parsed:
    """Return a column nobody declared: numbers when every filled cell is one, else text."""
    if not parse_numbers(cells.head(SAMPLE)).bad.any():
        numbers = parse_numbers(cells)
        if not numbers.bad.any():
            return numbers
    return _parse_text(cells)


def plain_text(value: object) -> str:
    """Return a cell as text: whole numbers without a decimal point, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, Real) and _as_float(value).is_integer():
        return str(int(_as_float(value)))
    if isinstance(value, datetime) and _is_midnight(value):
        return value.date().isoformat()
    return str(value).strip()


def _numbers_of(values: pa.Array | list[object]) -> tuple[NDArray[np.float64], NDArray[np.int8], Mask]:
    """Return value, state (0 a number, 1 empty, 2 bad) and whether it carries a suffix; one place more, empty."""
    size = len(values) + 1
    numbers, state, scaled = np.full(size, np.nan), np.zeros(size, dtype=np.int8), np.zeros(size, dtype=bool)
    state[-1] = 1
    slow = list(range(len(values)))
    if isinstance(values, pa.Array):
        plain = pc.match_substring_regex(values, _PLAIN_NUMBER).fill_null(False)
        chosen = plain.to_numpy(zero_copy_only=False)
        numbers[:-1][chosen] = pc.cast(values.filter(plain), pa.float64()).to_numpy(zero_copy_only=False)
        state[:-1][chosen & np.isinf(numbers[:-1])] = 2
        slow = np.flatnonzero(~chosen).tolist()
    for place in slow:
        value = values[place].as_py() if isinstance(values, pa.Array) else values[place]
        read = EMPTY if value is None else _number_of(value)
        if isinstance(read, tuple):
            numbers[place], scaled[place] = read
        else:
            state[place] = 1 if read is EMPTY else 2
    return numbers, state, scaled


def _number_of(value: object) -> object:
    if isinstance(value, (bool, np.bool_)):
        return _BAD
    if isinstance(value, (Real, Decimal)):
        number = _as_float(value)
        return EMPTY if number != number else (number, False) if abs(number) != float("inf") else _BAD
    if not isinstance(value, str):
        return _BAD
    if normalise(value).lower() in _EMPTY_VALUE:
        return EMPTY
    read = parse_number_text(normalise(value).removeprefix("¥"))
    return _BAD if read is None else read


def _as_float(value: Real | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _is_midnight(value: datetime) -> bool:
    return (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)


def _states(read: Iterable[object]) -> NDArray[np.int8]:
    return np.array([1 if item is EMPTY else 2 if item is _BAD else 0 for item in read], dtype=np.int8)


def parse_words(distinct: Distinct, convert: Callable[[object], object]) -> Parsed:
    """Return text, each distinct value converted once."""
    read = distinct.read(convert)
    states = _states(read)
    words = pa.array([item if isinstance(item, str) else None for item in read[:-1]], pa.large_string())
    return Parsed(distinct.spread_text(words), distinct.marked(states == 1), distinct.marked(states == 2))


def _parse_text(cells: pd.Series) -> Parsed:
    """Return text without surrounding white space; other cells as `plain_text` writes them."""
    distinct = distinct_of(cells)
    if not isinstance(distinct.values, pa.Array):
        return parse_words(distinct, _word)
    words = distinct.values
    nothing = pc.is_in(words, value_set=pa.array(sorted(_EMPTY_TEXT), words.type))
    if pc.any(nothing).as_py():
        words = pc.if_else(nothing, pa.scalar(None, words.type), words)
    missing = np.ones(len(words) + 1, dtype=bool)
    missing[:-1] = words.is_null().to_numpy(zero_copy_only=False) if words.null_count else False
    held = cells.cat.categories.dtype if isinstance(cells.dtype, pd.CategoricalDtype) else cells.dtype
    column = cells if words is distinct.values and held == STRING else distinct.spread_text(words)
    return Parsed(column, distinct.marked(missing), np.zeros(len(cells), dtype=bool))


def _word(value: object) -> object:
    text = plain_text(value)
    return EMPTY if text in _EMPTY_TEXT else text.encode("utf-8", "replace").decode()


def _parse_lists(cells: pd.Series) -> Parsed:
    distinct = distinct_of(cells)
    read = distinct.read(_list)
    states = distinct.spread(_states(read))
    table = np.empty(len(read), dtype=object)
    for place, item in enumerate(read):
        table[place] = () if item is EMPTY else item
    return Parsed(pd.Series(distinct.spread(table), dtype=object, copy=False), states == 1, states == 2)


def _list(value: object) -> object:
    parts = value if isinstance(value, tuple) else plain_text(value).replace("；", ";").split(";")
    items = tuple(plain_text(part) for part in parts if not is_empty(part))
    return items or EMPTY


def _parse_flags(cells: pd.Series) -> Parsed:
    if pd.api.types.is_bool_dtype(cells.dtype):
        empty = cells.isna().to_numpy()
        return Parsed(cells.astype("boolean"), empty, np.zeros(len(cells), dtype=bool))
    distinct = distinct_of(cells, few=True)
    read = distinct.read(_flag)
    states = distinct.spread(_states(read))
    flags = distinct.spread(np.array([item is True for item in read]))
    return Parsed(pd.Series(pd.arrays.BooleanArray(flags.copy(), states > 0)), states == 1, states == 2)


def _flag(value: object) -> object:
    text = normalise(plain_text(value)).lower()
    return True if text in _TRUE else False if text in _FALSE else EMPTY if text in _EMPTY_VALUE else _BAD


def _parse_dates(cells: pd.Series, epoch_shift: int) -> Parsed:
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        local = cells.dt.tz_localize(None) if isinstance(cells.dtype, pd.DatetimeTZDtype) else cells
        stamps, empty, bad = _whole_days(local.to_numpy())
    else:
        distinct = distinct_of(cells, few=True)
        stamps, states = map(distinct.spread, _days_of(distinct.values, epoch_shift))
        empty, bad = states == 1, states == 2
    if bad.any():
        stamps = np.where(bad, np.datetime64("NaT", "s"), stamps)
    return Parsed(pd.Series(stamps, copy=False), empty, bad)


def _whole_days(moments: Array) -> tuple[Array, Mask, Mask]:
    """Return the days of moments, and which moments are none or not at midnight; of these the day means nothing."""
    a_day = np.timedelta64(1, "D").astype(f"timedelta64[{np.datetime_data(moments.dtype)[0]}]").astype(np.int64)
    ticks, empty = moments.view(np.int64), np.isnat(moments)
    days = ticks // a_day
    bad = days * a_day != ticks
    days *= _DAY_SECONDS
    stamps = days.view("datetime64[s]")
    if empty.any():
        bad &= ~empty
        stamps[empty] = np.datetime64("NaT", "s")
    return stamps, empty, bad


def _days_of(values: pa.Array | list[object], epoch_shift: int) -> tuple[Array, NDArray[np.int8]]:
    """Return day and state (0 a day, 1 empty, 2 bad) of each value, and one place more, empty."""
    days = np.full(len(values) + 1, np.datetime64("NaT", "s"))
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        values = pa.array(values, pa.large_string())
    if isinstance(values, pa.Array):
        days[:-1] = plain_days(values)
    state = np.isnat(days).astype(np.int8)
    for place in np.flatnonzero(state[:-1]).tolist():
        value = values[place].as_py() if isinstance(values, pa.Array) else values[place]
        read = EMPTY if value is None else _date_of(value, epoch_shift)
        state[place] = 1 if read is EMPTY else 2 if read is _BAD else 0
        days[place] = np.datetime64(read) if isinstance(read, date) else None
    return days, state


def _date_of(value: object, epoch_shift: int) -> object:
    if isinstance(value, datetime):
        return value.date() if _is_midnight(value) else _BAD
    if isinstance(value, date):
        return value
    if isinstance(value, str) and normalise(value).lower() in _EMPTY_VALUE:
        return EMPTY
    found = parse_date_text(plain_text(value))
    if found is not None:
        return found
    number = _number_of(value)
    if isinstance(number, tuple) and not number[1] and float(number[0]).is_integer():
        serial = int(number[0]) + epoch_shift
        if _SERIALS[0] <= serial <= _SERIALS[1]:
            return _EXCEL_EPOCH + timedelta(days=serial)
    return _BAD


_NUMERIC = frozenset({Measure.MONEY, Measure.RATE, Measure.NUMBER, Measure.INTEGER})
_OTHER: Mapping[Measure, Callable[[pd.Series], Parsed]] = {
    Measure.TEXT: _parse_text,
    Measure.LIST: _parse_lists,
    Measure.FLAG: _parse_flags,
}
