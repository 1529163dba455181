"""Cells to typed columns. Distinct values are parsed once; columns that are numbers already are not parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

from allocator.inputs.headings import spelling
from allocator.parsing import normalise, parse_date_text, parse_number_text
from allocator.types import Measure

__all__ = ["EXCEL_ERRORS", "Parsed", "is_empty", "parse", "parse_choice", "parse_free", "parse_numbers", "plain_text"]

EXCEL_ERRORS = frozenset(
    {"#n/a", "#ref!", "#div/0!", "#value!", "#name?", "#null!", "#num!", "#spill!", "#calc!", "#getting_data"}
)
_EMPTY_TEXT = frozenset({"", "-", "--", "---", "—", "——", "/"})
_EMPTY_VALUE = _EMPTY_TEXT | {"na", "n/a", "nan", "null", "none", "nat", "<na>"}
_TRUE = frozenset({"true", "yes", "y", "t", "1", "1.0", "是"})
_FALSE = frozenset({"false", "no", "n", "f", "0", "0.0", "否"})
_PLAIN_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_EXCEL_EPOCH = date(1899, 12, 30)
_SERIALS = (20_000, 2_958_465)
"""Date serials accepted: 1954-10-03 … 9999-12-31. Smaller ones look like years, so they are refused."""

_EMPTY = object()
_BAD = object()
Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Parsed:
    """A column understood.

    Parameters
    ----------
    values : Series (n,)
        Typed as `allocator.inputs.fund.Inputs` documents; empty where ``empty`` or ``bad``.
    empty, bad : ndarray of bool (n,)
        Cells that hold nothing; cells that are not what the column asks for.
    """

    values: pd.Series
    empty: Mask
    bad: Mask


def is_empty(value: object) -> bool:
    """Return whether a cell holds nothing: None, NaN, or text that stands for nothing such as ``-``."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, float):
        return value != value
    return isinstance(value, str) and value.strip() in _EMPTY_TEXT


def parse(cells: pd.Series, measure: Measure, factor: float = 1.0, epoch_shift: int = 0) -> Parsed:
    """Return a column's cells typed by its measure (all but ``CHOICE``: `parse_choice`).

    Parameters
    ----------
    cells : Series
        As read.
    measure : Measure
        How cells are read.
    factor : float
        CNY or decimals per unit of a cell; a cell with its own ``%`` or ``bp`` ignores it.
    epoch_shift : int
        Days added to date serials.
    """
    if measure in _NUMERIC:
        return parse_numbers(cells, factor, suffixes=measure is Measure.RATE, whole=measure is Measure.INTEGER)
    if measure is Measure.DATE:
        return _parse_dates(cells, epoch_shift)
    return _DISTINCT[measure](cells)


def parse_numbers(cells: pd.Series, factor: float = 1.0, *, suffixes: bool = False, whole: bool = False) -> Parsed:
    """Return float64 cells; ``suffixes`` allows ``%`` and ``bp``, ``whole`` refuses fractions."""
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        empty, bad, scaled = np.isnan(numbers), np.isinf(numbers), None
    else:
        codes, distinct = _distinct(cells)
        found, state, scale = _numbers_of(distinct)
        numbers, empty, bad = found[codes], state[codes] == 1, state[codes] == 2
        scaled = scale[codes] if scale.any() else None
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
    known = {spelling(alias): name for name, aliases in choices.items() for alias in aliases}
    known.update({spelling(name): name for name in choices})

    def convert(value: object) -> object:
        text = plain_text(value)
        key = spelling(text)
        if key in known:
            return known[key]
        return _EMPTY if normalise(text).lower() in _EMPTY_VALUE else _BAD

    return _by_distinct(cells, convert, None)


def parse_free(cells: pd.Series) -> Parsed:
    """Return a column nobody declared: numbers when every filled cell is one, else text."""
    numbers = parse_numbers(cells)
    if not numbers.bad.any():
        return numbers
    return parse(cells, Measure.TEXT)


def _distinct(cells: pd.Series) -> tuple[NDArray[np.int64], list[object] | pa.Array]:
    """Return codes into the distinct values; −1, the last place of a lookup table, for empty cells."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return cells.cat.codes.to_numpy().astype(np.int64), list(cells.cat.categories)
    codes, values = pd.factorize(cells)
    if isinstance(cells.dtype, pd.StringDtype):
        return codes, pa.array(values, type=pa.large_string())
    return codes, list(values)


def _numbers_of(distinct: list[object] | pa.Array) -> tuple[NDArray[np.float64], NDArray[np.int8], Mask]:
    """Return value, state (0 a number, 1 empty, 2 bad) and whether it carries a suffix; one place more, empty."""
    size = len(distinct) + 1
    numbers, state, scaled = np.full(size, np.nan), np.zeros(size, dtype=np.int8), np.zeros(size, dtype=bool)
    state[-1] = 1
    slow = list(range(len(distinct)))
    if isinstance(distinct, pa.Array):
        plain = pc.match_substring_regex(distinct, _PLAIN_NUMBER).to_numpy(zero_copy_only=False)
        numbers[:-1][plain] = pc.cast(distinct.filter(pa.array(plain)), pa.float64()).to_numpy(zero_copy_only=False)
        slow = np.flatnonzero(~plain).tolist()
        state[:-1][plain & np.isinf(numbers[:-1])] = 2
    for place in slow:
        value = distinct[place].as_py() if isinstance(distinct, pa.Array) else distinct[place]
        read = _number_of(value)
        if isinstance(read, tuple):
            numbers[place], scaled[place] = read
        else:
            state[place] = 1 if read is _EMPTY else 2
    return numbers, state, scaled


def _number_of(value: object) -> object:
    if isinstance(value, (bool, np.bool_)):
        return _BAD
    if isinstance(value, (Real, Decimal)):
        number = _as_float(value)
        return _EMPTY if number != number else (number, False) if abs(number) != float("inf") else _BAD
    if not isinstance(value, str):
        return _BAD
    if normalise(value).lower() in _EMPTY_VALUE:
        return _EMPTY
    read = parse_number_text(normalise(value).removeprefix("¥"))
    return _BAD if read is None else read


def _as_float(value: Real | Decimal) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _by_distinct(cells: pd.Series, convert: Callable[[object], object], nothing: object) -> Parsed:
    """Look distinct values up; ``nothing`` stands in empty and bad cells of an object column."""
    codes, distinct = _distinct(cells)
    values = distinct.to_pylist() if isinstance(distinct, pa.Array) else distinct
    read = [convert(value) for value in values]
    state = np.array([1 if item is _EMPTY else 2 if item is _BAD else 0 for item in read] + [1], dtype=np.int8)
    table = np.empty(len(read) + 1, dtype=object)
    for place, item in enumerate(read):
        table[place] = nothing if state[place] else item
    table[-1] = nothing
    chosen = state[codes]
    return Parsed(pd.Series(table[codes], dtype=object, copy=False), chosen == 1, chosen == 2)


def plain_text(value: object) -> str:
    """Return a cell as text: whole numbers without a decimal point, dates in ISO form."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, Real) and _as_float(value).is_integer():
        return str(int(_as_float(value)))
    if isinstance(value, datetime) and (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
        return value.date().isoformat()
    return str(value).strip()


def _text(value: object) -> object:
    text = plain_text(value)
    return _EMPTY if text in _EMPTY_TEXT else text


def _list(value: object) -> object:
    parts = value if isinstance(value, tuple) else plain_text(value).replace("；", ";").split(";")
    items = tuple(plain_text(part) for part in parts if not is_empty(part))
    return items or _EMPTY


def _flag(value: object) -> object:
    text = normalise(plain_text(value)).lower()
    return True if text in _TRUE else False if text in _FALSE else _EMPTY if text in _EMPTY_VALUE else _BAD


def _parse_flags(cells: pd.Series) -> Parsed:
    if pd.api.types.is_bool_dtype(cells.dtype):
        empty = cells.isna().to_numpy()
        return Parsed(cells.astype("boolean"), empty, np.zeros(len(cells), dtype=bool))
    parsed = _by_distinct(cells, _flag, None)
    return Parsed(parsed.values.astype("boolean"), parsed.empty, parsed.bad)


def _parse_dates(cells: pd.Series, epoch_shift: int) -> Parsed:
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        local = cells.dt.tz_localize(None) if isinstance(cells.dtype, pd.DatetimeTZDtype) else cells
        empty = local.isna().to_numpy()
        bad = (local != local.dt.normalize()).to_numpy() & ~empty
        stamps = local.to_numpy().astype("datetime64[s]")
    else:
        codes, distinct = _distinct(cells)
        values = distinct.to_pylist() if isinstance(distinct, pa.Array) else distinct
        read = [_date_of(value, epoch_shift) for value in values]
        state = np.array([1 if item is _EMPTY else 2 if item is _BAD else 0 for item in read] + [1], dtype=np.int8)
        table = np.array(
            [np.datetime64(item, "s") if isinstance(item, date) else np.datetime64("NaT", "s") for item in read]
            + [np.datetime64("NaT", "s")]
        )
        stamps, empty, bad = table[codes], state[codes] == 1, state[codes] == 2
    if bad.any():
        stamps = np.where(bad, np.datetime64("NaT", "s"), stamps)
    return Parsed(pd.Series(stamps, copy=False), empty, bad)


def _date_of(value: object, epoch_shift: int) -> object:
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date() if midnight else _BAD
    if isinstance(value, date):
        return value
    if isinstance(value, str) and normalise(value).lower() in _EMPTY_VALUE:
        return _EMPTY
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
_DISTINCT: Mapping[Measure, Callable[[pd.Series], Parsed]] = {
    Measure.TEXT: lambda cells: _by_distinct(cells, _text, None),
    Measure.LIST: lambda cells: _by_distinct(cells, _list, ()),
    Measure.FLAG: _parse_flags,
}
