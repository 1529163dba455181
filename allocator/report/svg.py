"""Drawing primitives: inline SVG whose colours, language and size the page's style sheet decides.

A mark carries its explanation in both languages as ``data-en`` and ``data-zh``; the page shows it on hover
and when the arrow keys reach the mark.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from allocator.report.html import attributes, plain
from allocator.types import Text

__all__ = ["Canvas", "Scale", "nice_ticks", "shorten", "text_width"]

EM = 12.0
"""Font size of chart text in drawing units."""


def text_width(text: str, size: float = EM) -> float:
    """Return about how wide a text is: a full em for wide characters, 0.56 em for the others."""
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return size * (wide + 0.56 * (len(text) - wide))


def shorten(text: str, width: float) -> str:
    """Return the text, cut with an ellipsis where it would be wider than ``width``."""
    if text_width(text) <= width:
        return text
    while text and text_width(text) + EM * 0.8 > width:
        text = text[:-1]
    return text.rstrip() + "…"


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round values from the last at or below ``low`` to the first at or above ``high``."""
    span = high - low
    if not span > 0.0:
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * position for position in range(first, last + 1)]


class Scale:
    """A linear map from figures to drawing units."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return self.start
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


LARGEST = 1.225
"""Pixels a drawing unit takes where there is room; a drawing shrinks with its place but grows no further."""


class Canvas:
    """An SVG drawing of ``width`` × ``height`` units; it fills its place as far as its text stays readable."""

    def __init__(self, width: float, height: float, title: Text) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, class_: str, hint: Text | None = None) -> None:
        """Draw a bar; a negative width runs to the left."""
        left = min(x, x + width)
        self._mark("rect", {"x": left, "y": y, "width": abs(width), "height": height, "rx": 1.5}, class_, hint)

    def line(self, start: tuple[float, float], end: tuple[float, float], class_: str) -> None:
        """Draw a straight line."""
        self._mark("line", {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}, class_, None)

    def circle(self, x: float, y: float, radius: float, class_: str, hint: Text | None = None) -> None:
        """Draw a point."""
        self._mark("circle", {"cx": x, "cy": y, "r": radius}, class_, hint)

    def path(self, points: Sequence[tuple[float, float]], class_: str) -> None:
        """Draw a line through points."""
        route = "M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in points)
        self._parts.append(f'<path d="{route}" class="{class_}"/>')

    def text(
        self, x: float, y: float, text: str | Text, class_: str = "", anchor: str = "start", width: float | None = None
    ) -> None:
        """Write a text, cut where it would be wider than ``width``."""
        if isinstance(text, str):
            text = Text(text, text)
        room = math.inf if width is None else width
        english, chinese = shorten(text.en, room), shorten(text.zh, room)
        inner = (
            plain(english)
            if english == chinese
            else f'<tspan class="en">{plain(english)}</tspan><tspan class="zh">{plain(chinese)}</tspan>'
        )
        place = attributes({"x": round(x, 2), "y": round(y, 2), "class_": class_ or None, "text_anchor": anchor})
        self._parts.append(f"<text{place}>{inner}</text>")

    def _mark(self, shape: str, place: dict[str, float], class_: str, hint: Text | None) -> None:
        numbers = {name: round(value, 2) for name, value in place.items()}
        extra = {} if hint is None else {"data_en": hint.en, "data_zh": hint.zh}
        self._parts.append(f"<{shape}{attributes({**numbers, 'class_': class_, **extra})}/>")

    def render(self) -> str:
        """Return the drawing; the page gives it its name in the language that is switched on."""
        head = attributes(
            {
                "viewBox": f"0 0 {self.width:g} {self.height:g}",
                "width": f"{LARGEST * self.width:g}",
                "role": "img",
                "tabindex": "0",
                "aria_label": self.title.en,
                "data_label_en": self.title.en,
                "data_label_zh": self.title.zh,
            }
        )
        return f"<svg{head}>{''.join(self._parts)}</svg>"
