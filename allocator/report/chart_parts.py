"""What the charts share: their width, axes and the figures on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from allocator.model.units import MoneyUnit
from allocator.report.formats import FORMATS
from allocator.report.page_table import PageTable
from allocator.report.svg import Canvas, Scale
from allocator.types import Text

__all__ = ["Chart", "LABEL", "ROW", "WIDTH", "Write", "draw_axis", "figure_writer"]

WIDTH = 620.0
"""Width of a chart in drawing units; about its width on a desk's screen."""

LABEL = 188.0
"""Room for the labels of a bar chart."""

ROW = 24.0
"""Height of one bar with its room."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its title, a line below, and its figures as a table where the page folds one beneath it."""

    title: Text
    picture: Canvas
    note: Text | None = None
    table: PageTable | None = None


Write = Callable[[float], str]
"""How an axis writes a figure."""


def draw_axis(canvas: Canvas, scale: Scale, ticks: Sequence[float], between: tuple[float, float], write: Write) -> None:
    """Draw grid lines between two heights with their figures below."""
    top, bottom = between
    for tick in ticks:
        x = scale(tick)
        canvas.line((x, top), (x, bottom), "axis" if tick == 0.0 else "grid")
        canvas.text(x, bottom + 14, write(tick), "tick", "middle")


def figure_writer(form: str, money: MoneyUnit) -> Write:
    """Return how figures of an axis are written: with as few decimals as they need."""
    shown = FORMATS[form]

    def write(value: float) -> str:
        figure = shown.scaled(value, money)
        text = f"{abs(figure):,.4f}".rstrip("0").rstrip(".")
        return ("−" if figure < 0 and text != "0" else "") + text + shown.suffix

    return write
