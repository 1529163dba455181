"""Charge lines: one for each asset row, underlying asset and risk module, as parallel arrays.

A line holds everything about a charge that does not depend on how much is held:

    charge = holding × share × basis × direction × min(RF0 (1 + K), 1)        R8 §6, R9 §6, R7 §14
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "COUNTERPARTY_DEFAULT",
    "CURRENCY",
    "CURRENCY_UNHEDGED",
    "EQUITY_HEDGE",
    "EQUITY_PRICE",
    "REAL_ESTATE_PRICE",
    "SPREAD",
    "Basis",
    "Codes",
    "Direction",
    "LineBuilder",
    "Lines",
    "overseas_equity",
    "overseas_fixed_income",
    "shown_module",
]

EQUITY_PRICE = "equity_price"
EQUITY_HEDGE = "equity_hedge"
"""Directly held stock less the index futures that hedge it; its absolute value joins equity price risk (R8 §35)."""
REAL_ESTATE_PRICE = "real_estate_price"
SPREAD = "spread"
COUNTERPARTY_DEFAULT = "counterparty_default"
CURRENCY = "currency:"
"""Followed by the ISO code (USD for all pegged to it): signed; its absolute value joins currency risk (R8 §57)."""
CURRENCY_UNHEDGED = "currency_unhedged"
"""FX forwards that are not effective hedges; added to currency risk as it is (R8 §58 (2))."""


def shown_module(module: str) -> str:
    """Return a module's name as tables show it and files hold it."""
    return module.replace(CURRENCY, "currency_")


def overseas_equity(market: str) -> str:
    """Return the module of overseas equity and property in ``developed`` or ``emerging`` markets."""
    return f"overseas_equity_{market}"


def overseas_fixed_income(market: str) -> str:
    """Return the module of overseas fixed income in ``developed`` or ``emerging`` markets."""
    return f"overseas_fixed_income_{market}"


class Direction(IntEnum):
    """How a charge follows the sign of the holding: multiples for a long and for a short one.

    ``LONG`` counts EX < 0 as 0 (R8 §6); ``SIGNED`` lets short positions net; ``ABSOLUTE`` charges both
    sides; ``SHORT`` counts short positions only, with their sign.
    """

    LONG = 0
    SIGNED = 1
    ABSOLUTE = 2
    SHORT = 3


LONG_MULTIPLE = np.array([1.0, 1.0, 1.0, 0.0])
SHORT_MULTIPLE = np.array([0.0, 1.0, -1.0, 1.0])


class Basis(IntEnum):
    """What EX is per CNY of amount.

    ``BOOK`` the admitted (book) value; ``MARKET`` the market value, for spread risk; ``PROPERTY`` the larger
    of the book value and the share of a project company's property (R8 §41); ``CLAIM`` a derivative's book
    claim after netting with its counterparty (R9 §33).
    """

    BOOK = 0
    MARKET = 1
    PROPERTY = 2
    CLAIM = 3


class Codes:
    """Names and their numbers, in order of first use."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        for name in names:
            self.code(name)

    def code(self, name: str) -> int:
        """Return the number of a name, giving it one if it is new."""
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """Parallel arrays, one entry a line.

    Parameters
    ----------
    row : ndarray of int32
        Row of the assets table (while an underlying asset is classified: of the underlying table).
    underlying : ndarray of int32
        Row of the underlying table, −1 for a charge of the row itself.
    module, figure, kind : ndarray of int16
        Codes of the risk module, of the figure that gives RF0, and of the kind charged.
    share : ndarray of float
        EX as a part of the row's: an underlying share, a hedge's effectiveness.
    direction, basis : ndarray of int8
        `Direction` and `Basis`.
    rf0, k1, k2 : ndarray of float
        Base factor and coefficients of the asset itself.
    k_product : ndarray of float
        Coefficient a product lays on what lies under it (R7 §19).
    k_what_if : ndarray of float
        Coefficient the user adds to a kind: not the rule.
    k_p : ndarray of float
        Structure coefficient, outside the clip (R7 §14, §18).
    gain : ndarray of bool
        k1 is the gain of the stock book, taken at the holdings (R8 §26).
    clip : ndarray of bool
        K is clipped to ±0.25.
    position : ndarray of bool
        The line that stands for the position where book values are summed (each position has one).
    duration : ndarray of float
        Modified duration that RF0 was taken at, years; −1 where it depends on none.
    rank : ndarray of int8
        Row of the table by rating that RF0 was taken from; −1 where it depends on none.
    """

    row: NDArray[np.int32]
    underlying: NDArray[np.int32]
    module: NDArray[np.int16]
    figure: NDArray[np.int16]
    kind: NDArray[np.int16]
    share: NDArray[np.float64]
    direction: NDArray[np.int8]
    basis: NDArray[np.int8]
    rf0: NDArray[np.float64]
    k1: NDArray[np.float64]
    k2: NDArray[np.float64]
    k_product: NDArray[np.float64]
    k_what_if: NDArray[np.float64]
    k_p: NDArray[np.float64]
    gain: NDArray[np.bool_]
    clip: NDArray[np.bool_]
    position: NDArray[np.bool_]
    duration: NDArray[np.float64]
    rank: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Lines:
        """Return the chosen lines."""
        return Lines(*(getattr(self, item.name)[index] for item in fields(self)))

    def with_(self, **columns: ArrayLike) -> Lines:
        """Return the lines with some columns replaced, scalars repeated; types are kept."""
        return replace(
            self,
            **{
                name: np.broadcast_to(np.asarray(value, dtype=getattr(self, name).dtype), len(self)).copy()
                for name, value in columns.items()
            },
        )

    def sorted(self) -> Lines:
        """Return the lines in order of their rows; lines of one row keep their order."""
        if np.all(self.row[:-1] <= self.row[1:]):
            return self
        return self.take(np.argsort(self.row, kind="stable"))

    @staticmethod
    def join(parts: Sequence[Lines]) -> Lines:
        """Return all lines of ``parts``, in order of their rows."""
        filled = [part for part in parts if len(part)] or list(parts[:1])
        if len(filled) == 1:
            return filled[0].sorted()
        return Lines(
            *(np.concatenate([getattr(part, item.name) for part in filled]) for item in fields(Lines))
        ).sorted()


_TYPES: dict[str, tuple[type, float]] = {
    "row": (np.int32, 0),
    "underlying": (np.int32, -1),
    "module": (np.int16, 0),
    "figure": (np.int16, 0),
    "kind": (np.int16, 0),
    "share": (np.float64, 1.0),
    "direction": (np.int8, Direction.LONG),
    "basis": (np.int8, Basis.BOOK),
    "rf0": (np.float64, 0.0),
    "k1": (np.float64, 0.0),
    "k2": (np.float64, 0.0),
    "k_product": (np.float64, 0.0),
    "k_what_if": (np.float64, 0.0),
    "k_p": (np.float64, 0.0),
    "gain": (np.bool_, False),
    "clip": (np.bool_, True),
    "position": (np.bool_, True),
    "duration": (np.float64, -1.0),
    "rank": (np.int8, -1),
}


class LineBuilder:
    """Collects lines of one table.

    Parameters
    ----------
    modules, figures, kinds : Codes
        Shared by all builders whose lines are joined.
    """

    def __init__(self, modules: Codes, figures: Codes, kinds: Codes) -> None:
        self.modules = modules
        self.figures = figures
        self.kinds = kinds
        self._kind = 0
        self._parts: list[dict[str, ArrayLike]] = []
        self._sizes: list[int] = []

    def of_kind(self, kind: str) -> None:
        """Lines added from now on charge assets of this kind."""
        self._kind = self.kinds.code(kind)

    def add(self, rows: NDArray[np.int64], module: str, figure: str, rf0: ArrayLike, **columns: ArrayLike) -> None:
        """Add one line for each row; ``columns`` are fields of `Lines`, arrays or scalars."""
        if not len(rows):
            return
        codes = {"module": self.modules.code(module), "figure": self.figures.code(figure), "kind": self._kind}
        self._parts.append({"row": rows, "rf0": rf0, **codes, **columns})
        self._sizes.append(len(rows))

    def finish(self) -> Lines:
        """Return everything added, in the order it was added."""
        total = sum(self._sizes)
        columns: list[NDArray[Any]] = []
        for name, (kind, default) in _TYPES.items():
            column: NDArray[Any] = np.full(total, default, dtype=kind)
            start = 0
            for part, size in zip(self._parts, self._sizes, strict=True):
                if name in part:
                    column[start : start + size] = part[name]
                start += size
            columns.append(column)
        return Lines(*columns)
