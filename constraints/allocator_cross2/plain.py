"""Figures of a rule pack as numbers, lists and dictionaries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from allocator_cross2.figures import MarginalBrackets, Matrix, Piecewise, Points, StepTable

__all__ = ["plain"]


@singledispatch
def plain(value: object) -> Any:
    """Return a figure as numbers, lists and dictionaries."""
    raise TypeError(f"a figure cannot be a {type(value).__name__}")


@plain.register(float)
@plain.register(int)
@plain.register(str)
def _scalar(value: float | str) -> float | str:
    return value


@plain.register(tuple)
def _names(value: tuple[str, ...]) -> list[Any]:
    return list(value)


@plain.register(Mapping)
def _mapping(value: Mapping[str, object]) -> dict[str, Any]:
    return {name: plain(item) for name, item in value.items()}


@plain.register
def _ladder(value: StepTable) -> list[dict[str, Any]]:
    bounds = [*map(float, value.bounds), None]
    return [{"at_least": bound, "value": float(step)} for bound, step in zip(bounds, value.values, strict=True)]


@plain.register
def _bands(value: MarginalBrackets) -> list[dict[str, Any]]:
    bounds = [*map(float, value.bounds), None]
    return [{"up_to": bound, "share": float(share)} for bound, share in zip(bounds, value.shares, strict=True)]


@plain.register
def _piecewise(value: Piecewise) -> list[dict[str, Any]]:
    bounds = [*map(float, value.bounds), None][: len(value.coefficients)]
    rows = value.coefficients.tolist()
    return [{"up_to": bound, "coefficients": row} for bound, row in zip(bounds, rows, strict=True)]


@plain.register
def _points(value: Points) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in value.columns.items()}


@plain.register
def _matrix(value: Matrix) -> dict[str, Any]:
    return {"order": list(value.order), "rows": value.values.tolist()}
