"""Columns as tests see them: what sort of cells they hold, and how a literal is compared with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum, auto
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Mask, Problems, Text, did_you_mean
from allocator.plugin.tables import SCALE, Inputs, identity, parse_rating, rating_ranks, spelling
from allocator_eligibility.faults import Fault
from allocator_eligibility.nodes import Column, Literal

__all__ = ["Cells", "Columns", "Held", "compare"]

MOST_LISTED = 12
"""Values of a column listed in a message."""


class Held(Enum):
    """What sort of values a column holds."""

    NUMBER = auto()
    DATE = auto()
    FLAG = auto()
    LIST = auto()
    RATING = auto()
    TEXT = auto()
    NOTHING = auto()


_WORDS = {
    Held.NUMBER: Text("a number", "数值"),
    Held.DATE: Text('a date such as "2030-12-31"', '日期，例如 "2030-12-31"'),
    Held.FLAG: Text("true or false", "true 或 false"),
    Held.LIST: Text('text, as in indices contains "csi300"', '文本，例如 indices contains "csi300"'),
    Held.RATING: Text('a rating such as "AA+"', '评级，例如 "AA+"'),
    Held.TEXT: Text("text in quotation marks", "加引号的文本"),
}
_ORDERED = (Held.NUMBER, Held.DATE, Held.RATING)
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class Cells:
    """One column: its cells by row (n,), what they hold, and which are blank.

    Ratings are held as minus their rank, so that a better rating is the greater one and none is the least.
    """

    def __init__(self, column: Column, cells: pd.Series, held: Held) -> None:
        self.column, self.held = column, held
        self.blank: Mask = cells.isna().to_numpy(dtype=bool)
        self.values: NDArray[Any] = _values(cells, held)


class Columns:
    """The columns that a rule may name: those of assets.csv, and ``issuer.x`` of issuers.csv by issuer."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._known: dict[str, Cells] = {}

    def __getitem__(self, column: Column) -> Cells:
        if column.name not in self._known:
            self._known[column.name] = self._read(column)
        return self._known[column.name]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, for hints."""
        issuers = self._inputs.table("issuers")
        joined = () if issuers is None else (f"issuer.{name}" for name in issuers.columns if name != "issuer")
        return (*map(str, self._inputs.assets.columns), *joined)

    def numbers(self, column: Column, rows: Mask) -> NDArray[np.float64]:
        """Return a numeric column (n,), 0 outside ``rows``; a blank cell among ``rows`` is a fault.

        Parameters
        ----------
        column : Column
            A name in the rule.
        rows : ndarray of bool (n,)
            Rows that must have a number.

        Raises
        ------
        Fault
            For a column of something else, or a blank cell among ``rows``.
        """
        cells = self[column]
        if cells.held not in (Held.NUMBER, Held.NOTHING):
            what = Text(f"{column.name} does not hold numbers", f"{column.name} 列不是数值")
            raise Fault(column.at, what, _WORDS[Held.NUMBER].en)
        if (rows & cells.blank).any():
            row = int(np.flatnonzero(rows & cells.blank)[0])
            place = self._inputs.where("assets", row, column.name)
            what = Text(f"a cell that this sum needs is empty: {place}", f"求和所需的单元格为空：{place}")
            hint = Text(
                f"fill it, or add: where {column.name} is not blank",
                f"请补填，或加条件：where {column.name} is not blank",
            )
            raise Fault(column.at, what, None, hint)
        return np.where(rows, cells.values if cells.held is Held.NUMBER else 0.0, 0.0)

    def literal(self, cells: Cells, literal: Literal) -> Any:
        """Return a literal in the form in which the column's cells are held; Fault when it does not fit.

        Parameters
        ----------
        cells : Cells
            The column it is compared with.
        literal : Literal
            As it stands in the rule.

        Raises
        ------
        Fault
            When it does not fit the column.
        """
        value = literal.value
        if isinstance(value, str) and self._inputs.words(cells.column.name):
            return self._choice(cells.column.name, literal, value)
        if cells.held is Held.NOTHING:
            return value
        if isinstance(value, bool):
            fits = cells.held is Held.FLAG
        elif isinstance(value, float):
            fits = cells.held is Held.NUMBER
        else:
            return self._text(cells, literal, value)
        if not fits:
            raise self._misfit(cells, literal)
        return value

    def _text(self, cells: Cells, literal: Literal, value: str) -> Any:
        if cells.held is Held.DATE:
            try:
                return np.datetime64(date.fromisoformat(value), "s")
            except ValueError:
                raise self._misfit(cells, literal) from None
        if cells.held is Held.RATING:
            rank = parse_rating(value)
            if rank is None:
                hint = did_you_mean(value.upper(), SCALE)
                raise Fault(literal.at, Text("no such rating", "没有该评级"), f"{', '.join(SCALE[:10])} …", hint)
            return -rank
        if cells.held not in (Held.TEXT, Held.LIST):
            raise self._misfit(cells, literal)
        return identity(value) if cells.column.name in ("asset_id", "issuer", "counterparty") else value

    def _misfit(self, cells: Cells, literal: Literal) -> Fault:
        name, words = cells.column.name, _WORDS[cells.held]
        return Fault(literal.at, Text(f"{name} is compared with {words.en}", f"{name} 须与{words.zh}比较"))

    def _choice(self, column: str, literal: Literal, value: str) -> str:
        """Return the value of a column of choices that a text names, by its name or another spelling."""
        known = self._inputs.words(column)
        if spelling(value) in known:
            return known[spelling(value)]
        what = Text(f"no such {column}: {value}", f"{column} 没有该取值：{value}")
        values = list(dict.fromkeys(known.values()))
        allowed = ", ".join(values) if len(values) <= MOST_LISTED else None
        raise Fault(literal.at, what, allowed, did_you_mean(value, (*known, *values)))

    def _read(self, column: Column) -> Cells:
        assets = self._inputs.assets
        if column.name == "rating" and "rating" in assets:
            problems = Problems()
            ranks = rating_ranks(self._inputs, np.ones(len(assets), dtype=bool), problems)
            problems.raise_if_any()
            cells = Cells(column, assets["rating"], Held.TEXT)
            cells.held, cells.values = Held.RATING, -ranks
            return cells
        if column.name in assets:
            return Cells(column, assets[column.name], _held(assets[column.name]))
        table, _, name = column.name.partition(".")
        issuers = self._inputs.table("issuers")
        if table == "issuer" and issuers is not None and name in issuers and "issuer" in assets:
            joined = issuers.set_index("issuer")[name].reindex(assets["issuer"]).reset_index(drop=True)
            return Cells(column, joined, _held(joined))
        quoted = Text("text stands in quotation marks", "文本须加引号")
        words = self._inputs.words("kind")
        hint = quoted if spelling(column.name) in words else did_you_mean(column.name, self.names)
        raise Fault(column.at, Text(f"no such column: {column.name}", f"没有该列：{column.name}"), None, hint)


def compare(sign: str, at: int, left: Cells, right: Any, held: Held) -> Mask:
    """Return where ``left <sign> right`` holds (n,).

    A blank cell is unequal to everything and in no order; a blank flag is no, a blank rating below all.

    Parameters
    ----------
    sign : str
        ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
    at : int
        Place of the sign in the rule.
    left : Cells
        A column (n,).
    right : object
        A literal, in the column's form.
    held : Held
        What the column holds.

    Raises
    ------
    Fault
        For an order among things that have none, and for lists.
    """
    if held in (Held.LIST, Held.FLAG, Held.TEXT) and sign not in ("==", "!="):
        what = Text(f"{left.column.name} has no order", f"{left.column.name} 不能比较大小")
        raise Fault(at, what, "== !=")
    if held is Held.LIST:
        raise Fault(at, Text(f"{left.column.name} holds lists", f"{left.column.name} 为列表"), "contains")
    if held is Held.NOTHING:
        return np.full(left.blank.shape, sign == "!=")
    found = np.asarray(_SIGNS[sign](left.values, right), dtype=bool)
    if held in (Held.RATING, Held.FLAG):
        return found
    return found | left.blank if sign == "!=" else found & ~left.blank


def _held(cells: pd.Series) -> Held:
    inferred = pd.api.types.infer_dtype(cells, skipna=True)
    if inferred == "empty" or cells.isna().all():
        return Held.NOTHING
    if inferred == "boolean":
        return Held.FLAG
    if inferred in ("floating", "integer", "mixed-integer-float"):
        return Held.NUMBER
    if inferred in ("datetime64", "datetime", "date"):
        return Held.DATE
    return Held.LIST if isinstance(cells.dropna().iloc[0], (tuple, list)) else Held.TEXT


def _values(cells: pd.Series, held: Held) -> NDArray[Any]:
    if held is Held.NUMBER:
        return cells.to_numpy(dtype=float, na_value=np.nan)
    if held is Held.DATE:
        return pd.to_datetime(cells).to_numpy().astype("datetime64[s]")
    if held is Held.FLAG:
        return cells.isin([True]).to_numpy(dtype=bool)
    return cells.astype(object).where(cells.notna(), None).to_numpy(dtype=object)
