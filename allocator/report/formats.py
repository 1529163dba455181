"""How figures are written for people: money, shares, basis points, ratios, in both languages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.model.units import MoneyUnit

__all__ = [
    "FORMATS",
    "UNITS",
    "Format",
    "column_format",
    "format_name",
    "is_missing",
]

EMPTY = "—"


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write one figure.

    Parameters
    ----------
    factor : float
        What the raw figure is multiplied by before it is written; money is divided by its unit instead.
    decimals : int
        Decimals shown.
    suffix : str
        What stands behind the figure.
    excel : str
        Number format of a cell that holds the raw figure (money: already in its unit; basis points: as a
        percentage with four decimals, since a cell cannot show ten thousand times its value).
    money : bool
        Whether the figure is money in CNY.
    """

    factor: float = 1.0
    decimals: int = 2
    suffix: str = ""
    excel: str = "General"
    money: bool = False

    def scaled(self, value: float, unit: MoneyUnit) -> float:
        """Return the figure as it is written."""
        return value / unit.scale if self.money else value * self.factor

    def write(self, value: Any, unit: MoneyUnit, *, sign: bool = False) -> str:
        """Return the text of one figure; a dash for a missing one.

        ``sign`` writes a plus before a positive figure. A figure that rounds to zero carries no sign.
        """
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return EMPTY
        number = self.scaled(float(value), unit)
        if math.isinf(number):
            return "∞" if number > 0 else "−∞"
        text = f"{abs(number):,.{self.decimals}f}"
        is_zero = not text.strip("0,.")
        mark = "" if is_zero else "−" if number < 0 else "+" if sign else ""
        return f"{mark}{text}{self.suffix}"


FORMATS: Mapping[str, Format] = {
    "money": Format(excel="#,##0.00;-#,##0.00;0.00", money=True),
    "percent": Format(factor=100.0, suffix="%", excel="0.00%"),
    "points": Format(factor=100.0, suffix=" pp", excel="0.00%"),
    "basis_points": Format(factor=1e4, decimals=2, suffix=" bp", excel="0.0000%"),
    "number": Format(decimals=4, excel="#,##0.0000"),
    "years": Format(decimals=2, excel="0.00"),
    "integer": Format(decimals=0, excel="#,##0"),
}
"""Formats of figures by name; ``text`` and ``flag`` are not figures and stand apart."""

UNITS: Mapping[str, str] = {
    "CNY": "money",
    "ratio": "percent",
    "share": "percent",
    "annual": "percent",
    "years": "years",
}
"""Format of a rule's figures by the first word of the rule's unit; ``number`` for any other unit."""


def format_name(format_: str, unit: object = None) -> str:
    """Return the name of the format to use; ``"by_unit"`` is settled by the first word of the row's unit."""
    return UNITS.get(str(unit).split(" ")[0], "number") if format_ == "by_unit" else format_


def column_format(series: pd.Series[Any], declared: str | None) -> str:
    """Return the format of a column: the declared one, else by its dtype."""
    if declared is not None:
        return declared
    tests: tuple[tuple[Callable[[Any], bool], str], ...] = (
        (pd.api.types.is_bool_dtype, "flag"),
        (pd.api.types.is_integer_dtype, "integer"),
        (pd.api.types.is_numeric_dtype, "number"),
    )
    return next((name for test, name in tests if test(series)), "text")


def is_missing(value: object) -> bool:
    """Return whether a cell is empty: None, NaN, NaT, NA."""
    # Nearly all cells are one of these two.
    if type(value) is str:
        return False
    if type(value) is float:
        return value != value
    return (
        value is None
        or (isinstance(value, (float, np.floating)) and math.isnan(value))
        or value is pd.NaT
        or value is pd.NA
    )
