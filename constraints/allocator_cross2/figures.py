"""The forms a figure of the rules can take, as the rule packs write them and as the code reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from allocator.plugin import Certainty, Vector
from allocator.plugin.rules import LocalizedName, LocalizedText

__all__ = [
    "MarginalBrackets",
    "Document",
    "Figure",
    "FigureFile",
    "StepTable",
    "Matrix",
    "Piecewise",
    "Points",
    "Interpretation",
]

T = TypeVar("T")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


class Document(_Strict):
    """A document of the regulator."""

    name: LocalizedName
    title: LocalizedText
    published: date
    checked: date


class Interpretation(_Strict):
    """A question the text leaves open, with the default answer."""

    question: LocalizedText
    article: LocalizedName
    default: bool
    effect: float = 0.0
    """Change of the comprehensive ratio of the example ``life_insurer`` under the other answer, bp of ratio."""


class _Step(_Strict):
    at_least: float | None = None
    value: float


class _Band(_Strict):
    up_to: float | None = None
    share: float


class _Piece(_Strict):
    up_to: float | None = None
    coefficients: Annotated[tuple[float, ...], Field(min_length=1)]


class _Columns(_Strict):
    columns: tuple[str, ...]
    rows: Annotated[tuple[tuple[float, ...], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> _Columns:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row must have one number per column")
        first = [row[0] for row in self.rows]
        if any(later <= former for former, later in zip(first, first[1:], strict=False)):
            raise ValueError("the first column must increase")
        return self


class _Square(_Strict):
    order: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _check(self) -> _Square:
        values = np.array(self.rows, dtype=float)
        if values.shape != (len(self.order), len(self.order)):
            raise ValueError(f"a {len(self.order)} × {len(self.order)} matrix is needed")
        if not np.array_equal(values, values.T) or not np.all(np.diag(values) == 1.0):
            raise ValueError("the matrix must be symmetric with unit diagonal")
        return self


def _open_end(bounds: list[float | None], descending: bool) -> None:
    """Only the last bound may be missing, and the others must run in one direction."""
    inner = bounds[:-1]
    if any(bound is None for bound in inner):
        raise ValueError("only the last entry may leave its bound out")
    known = [bound for bound in bounds if bound is not None]
    steps = zip(known, known[1:], strict=False)
    if any((later >= former) if descending else (later <= former) for former, later in steps):
        raise ValueError("bounds must be strictly " + ("descending" if descending else "ascending"))


class Version(_Strict, Generic[T]):
    """A figure as one document sets it from one date on (until ``until``, exclusive, if it lapses)."""

    effective: date
    until: date | None = None
    document: str
    article: LocalizedName
    certainty: Certainty = Certainty.RULE_TEXT
    value: T


class _Figure(_Strict, Generic[T]):
    label: LocalizedText
    unit: Annotated[str, Field(min_length=1)]
    versions: Annotated[tuple[Version[T], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> _Figure[T]:
        dates = [version.effective for version in self.versions]
        if any(later <= former for former, later in zip(dates, dates[1:], strict=False)):
            raise ValueError("versions must stand in order of their effective dates")
        for version in self.versions:
            self._check_value(version.value)
        return self

    def _check_value(self, value: T) -> None:
        """Refuse a value that its form does not allow."""

    def parse(self, value: T) -> Any:
        """Return the value as the code reads it."""
        return value

    def read(self, when: date) -> tuple[Version[T], Any] | None:
        """Return the version in force on that day with its value as the code reads it, or None."""
        for version in reversed(self.versions):
            if version.effective <= when:
                in_force = version.until is None or when < version.until
                return (version, self.parse(version.value)) if in_force else None
        return None


class _Number(_Figure[float]):
    form: Literal["number"]


class _Table(_Figure[dict[str, float]]):
    form: Literal["table"]

    def parse(self, value: dict[str, float]) -> Mapping[str, float]:
        return MappingProxyType(value)


class _Names(_Figure[tuple[str, ...]]):
    form: Literal["names"]


class _Ladder(_Figure[tuple[_Step, ...]]):
    form: Literal["ladder"]

    def _check_value(self, value: tuple[_Step, ...]) -> None:
        _open_end([step.at_least for step in value], descending=True)
        if value[-1].at_least is not None:
            raise ValueError("the last step must have no bound")

    def parse(self, value: tuple[_Step, ...]) -> StepTable:
        bounds = [step.at_least for step in value if step.at_least is not None]
        return StepTable(np.array(bounds), np.array([step.value for step in value]))


class _BandTable(_Figure[tuple[_Band, ...]]):
    form: Literal["bands"]

    def _check_value(self, value: tuple[_Band, ...]) -> None:
        _open_end([band.up_to for band in value], descending=False)
        if value[-1].up_to is not None:
            raise ValueError("the last band must have no bound")

    def parse(self, value: tuple[_Band, ...]) -> MarginalBrackets:
        bounds = [band.up_to for band in value if band.up_to is not None]
        return MarginalBrackets(np.array(bounds), np.array([band.share for band in value]))


class _PiecewiseFigure(_Figure[tuple[_Piece, ...]]):
    form: Literal["piecewise"]

    def _check_value(self, value: tuple[_Piece, ...]) -> None:
        _open_end([piece.up_to for piece in value], descending=False)

    def parse(self, value: tuple[_Piece, ...]) -> Piecewise:
        return Piecewise.of(value)


class _PiecewiseTable(_Figure[dict[str, tuple[_Piece, ...]]]):
    form: Literal["piecewise_table"]

    def _check_value(self, value: dict[str, tuple[_Piece, ...]]) -> None:
        for pieces in value.values():
            _open_end([piece.up_to for piece in pieces], descending=False)

    def parse(self, value: dict[str, tuple[_Piece, ...]]) -> Mapping[str, Piecewise]:
        return MappingProxyType({name: Piecewise.of(pieces) for name, pieces in value.items()})


class _PointsFigure(_Figure[_Columns]):
    form: Literal["points"]

    def parse(self, value: _Columns) -> Points:
        columns = np.array(value.rows, dtype=float).T
        return Points(MappingProxyType(dict(zip(value.columns, columns, strict=True))))


class _MatrixFigure(_Figure[_Square]):
    form: Literal["matrix"]

    def parse(self, value: _Square) -> Matrix:
        return Matrix(value.order, np.array(value.rows, dtype=float))


Figure = Annotated[
    _Number
    | _Table
    | _Names
    | _Ladder
    | _BandTable
    | _PiecewiseFigure
    | _PiecewiseTable
    | _PointsFigure
    | _MatrixFigure,
    Field(discriminator="form"),
]
"""A figure of the rules in any of its forms."""


class FigureFile(_Strict):
    """A YAML file of the rule pack; each file fills one of the three."""

    documents: dict[str, Document] = {}
    readings: dict[str, Interpretation] = {}
    figures: dict[str, Figure] = {}


@dataclass(frozen=True, eq=False, slots=True)
class StepTable:
    """Steps by size: the value of the highest step reached.

    Parameters
    ----------
    bounds : ndarray (s - 1,)
        Lower bounds, inclusive, descending.
    values : ndarray (s,)
        Value at or above each bound; the last one below all of them.
    """

    bounds: Vector
    values: Vector

    def step(self, x: Vector, include_bound: bool = True) -> NDArray[np.int64]:
        """Return the number of the step each x stands on, 0 for the highest; NaN stands on the last."""
        known = np.where(np.isnan(x), -np.inf, x)[..., None]
        reached = known >= self.bounds if include_bound else known > self.bounds
        return np.asarray(len(self.bounds) - reached.sum(axis=-1), dtype=np.int64)

    def at(self, x: Vector, include_bound: bool = True) -> Vector:
        """Return the value at each x."""
        return np.asarray(self.values[self.step(np.asarray(x, dtype=float), include_bound)])


@dataclass(frozen=True, eq=False, slots=True)
class MarginalBrackets:
    """Marginal bands: each share applies to the part of x inside its band, like a tax table.

    Parameters
    ----------
    bounds : ndarray (b - 1,)
        Upper bounds, ascending; the last band is open.
    shares : ndarray (b,)
        Share of each band.
    """

    bounds: Vector
    shares: Vector

    def at(self, x: float) -> float:
        """Return Σ share_b × (part of x in band b)."""
        edges = np.concatenate([[0.0], self.bounds, [np.inf]])
        return float(self.shares @ np.clip(x - edges[:-1], 0.0, np.diff(edges)))


@dataclass(frozen=True, eq=False, slots=True)
class Piecewise:
    """A polynomial per interval; the upper bound belongs to its interval.

    Parameters
    ----------
    bounds : ndarray (p - 1,) or (p,)
        Upper bounds, inclusive, ascending; as many as pieces when the last one is bounded too.
    coefficients : ndarray (p, degree + 1)
        Coefficients of 1, x, x² …
    """

    bounds: Vector
    coefficients: Vector

    @classmethod
    def of(cls, pieces: tuple[_Piece, ...]) -> Piecewise:
        """Build it from the pieces of the YAML file."""
        degree = max(len(piece.coefficients) for piece in pieces)
        padded = [piece.coefficients + (0.0,) * (degree - len(piece.coefficients)) for piece in pieces]
        return cls(np.array([piece.up_to for piece in pieces if piece.up_to is not None]), np.array(padded))

    def at(self, x: Vector) -> Vector:
        """Return the value at each x; NaN beyond the last bound if the last piece has one."""
        values = np.asarray(x, dtype=float)
        piece = np.searchsorted(self.bounds, values, side="left")
        beyond = piece >= len(self.coefficients)
        chosen = self.coefficients[np.minimum(piece, len(self.coefficients) - 1)]
        total = np.zeros_like(values)
        for power in range(self.coefficients.shape[1] - 1, -1, -1):  # Horner
            total = total * values + chosen[..., power]
        return np.where(beyond, np.nan, total)


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """Columns of numbers by name; the first increases."""

    columns: Mapping[str, Vector]

    def __getitem__(self, column: str) -> Vector:
        return self.columns[column]


@dataclass(frozen=True, eq=False, slots=True)
class Matrix:
    """A symmetric matrix with unit diagonal and the names of its rows."""

    order: tuple[str, ...]
    values: NDArray[np.float64]

    def entry(self, first: str, second: str) -> float:
        """Return the entry of that pair."""
        return float(self.values[self.order.index(first), self.order.index(second)])
