"""Figures of the rules in a reader's words: a formula as a formula, steps and bands as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch

import numpy as np

from allocator.plugin import Language, Text
from allocator_cross2.figures import MarginalBrackets, Matrix, Piecewise, Points, StepTable

__all__ = ["polynomial", "written"]

_POWERS = ("", "", "²", "³", "⁴")
_UP_TO, _BEYOND = Text("up to", "不超过"), Text("beyond", "以上")
_FROM, _ELSE = Text("from", "达到"), Text("else", "其余")


def polynomial(curve: Piecewise, at: float, x: str = "D") -> str:
    """Return the formula that holds at a point of a piecewise polynomial: ``0.012 D + 0.0006 D²``."""
    piece = min(int(np.searchsorted(curve.bounds, at, side="left")), len(curve.coefficients) - 1)
    return _sum(curve.coefficients[piece].tolist(), x)


def _sum(coefficients: Sequence[float], x: str) -> str:
    terms = [
        f"{abs(value):.10g}" + (f" {x}{_POWERS[power]}" if power else "")
        for power, value in enumerate(coefficients)
        if value
    ]
    signs = ["−" if value < 0 else "+" for value in coefficients if value]
    if not terms:
        return "0"
    first = ("−" if signs[0] == "−" else "") + terms[0]
    return " ".join([first, *(f"{sign} {term}" for sign, term in zip(signs[1:], terms[1:], strict=True))])


@singledispatch
def written(value: object, language: str = Language.ENGLISH, x: str = "x") -> str:
    """Return a figure as text, a line for each of its parts; ``x`` is what a formula is in."""
    raise TypeError(f"a figure cannot be a {type(value).__name__}")


@written.register(float)
@written.register(int)
@written.register(str)
def _scalar(value: float | str, language: str = Language.ENGLISH, x: str = "x") -> str:
    return value if isinstance(value, str) else f"{value:,.15g}"


@written.register(tuple)
def _names(value: tuple[str, ...], language: str = Language.ENGLISH, x: str = "x") -> str:
    return ", ".join(map(str, value))


@written.register(Mapping)
def _mapping(value: Mapping[str, object], language: str = Language.ENGLISH, x: str = "x") -> str:
    return "\n".join(f"{name}: {written(item, language, x)}".replace("\n", "; ") for name, item in value.items())


@written.register
def _steps(value: StepTable, language: str = Language.ENGLISH, x: str = "x") -> str:
    lines = [
        f"{_FROM[language]} {bound:,.10g}: {step:.10g}" for bound, step in zip(value.bounds, value.values, strict=False)
    ]
    return "\n".join([*lines, f"{_ELSE[language]}: {value.values[-1]:.10g}"])


@written.register
def _bands(value: MarginalBrackets, language: str = Language.ENGLISH, x: str = "x") -> str:
    lines = [
        f"{_UP_TO[language]} {bound:,.10g}: {share:.10g}"
        for bound, share in zip(value.bounds, value.shares, strict=False)
    ]
    return "\n".join([*lines, f"{_BEYOND[language]}: {value.shares[-1]:.10g}"])


@written.register
def _pieces(value: Piecewise, language: str = Language.ENGLISH, x: str = "x") -> str:
    lines = []
    for place, row in enumerate(value.coefficients.tolist()):
        bounded = place < len(value.bounds)
        head = f"{_UP_TO[language]} {value.bounds[place]:,.15g}: " if bounded else f"{_BEYOND[language]}: "
        lines.append((head if len(value.coefficients) > 1 or bounded else "") + _sum(row, x))
    return "\n".join(lines)


@written.register
def _points(value: Points, language: str = Language.ENGLISH, x: str = "x") -> str:
    names = list(value.columns)
    rows = zip(*(value.columns[name].tolist() for name in names), strict=True)
    return "\n".join([" | ".join(names), *(" | ".join(f"{cell:.6g}" for cell in row) for row in rows)])


@written.register
def _matrix(value: Matrix, language: str = Language.ENGLISH, x: str = "x") -> str:
    rows = value.values.tolist()
    lines = [
        f"{name}: "
        + ", ".join(f"{other} {row[place]:.10g}" for place, other in enumerate(value.order) if other != name)
        for name, row in zip(value.order, rows, strict=True)
    ]
    return "\n".join(lines)
