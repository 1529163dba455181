"""Drawing primitives: inline SVG whose colours, language and size the page's style sheet decides.

A mark carries its explanation in both languages as ``data-en`` and ``data-zh``; the page shows it on hover
and when the arrow keys reach the mark.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from allocator.report.templating import render
from allocator.types import Language, Text

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

LEGEND = 18.0
"""Height of a line of a legend."""

STROKES = ("hurdle", "untilted")
"""Classes of lines; the others are filled."""

HEADING = 30.0
"""Height of the heading of a picture that stands alone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape with its attributes, in both languages what is said of it, and its words where it is a text."""

    shape: str
    place: Mapping[str, object]
    hint: Text | None = None
    words: Text | None = None


class Canvas:
    """An SVG drawing of ``width`` × ``height`` units; it fills its place as far as its text stays readable.

    The page and a notebook show the same drawing: in the page its words switch with the language, and `alone` is
    one language's picture for a notebook or a file.
    """

    def __init__(self, width: float, height: float, title: Text) -> None:
        self.width, self.height, self.title = width, height, title
        self._marks: list[Mark] = []

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
        self._marks.append(Mark("path", {"d": route, "class": class_}))

    def text(
        self, x: float, y: float, text: str | Text, class_: str = "", anchor: str = "start", width: float | None = None
    ) -> None:
        """Write a text, cut where it would be wider than ``width``."""
        if isinstance(text, str):
            text = Text(text, text)
        room = math.inf if width is None else width
        place = {"x": round(x, 2), "y": round(y, 2), **({"class": class_} if class_ else {}), "text-anchor": anchor}
        words = Text(shorten(text.en, room), shorten(text.zh, room))
        self._marks.append(Mark("text", place, words=words))

    def legend(self, entries: Iterable[tuple[str, Text]]) -> None:
        """Write what the colours mean below the drawing, in columns: the class of each and its label."""
        listed = list(entries)
        widest = 34.0 + max(max(text_width(label.en), text_width(label.zh)) for _, label in listed)
        columns = max(1, min(len(listed), int(self.width / widest)))
        for place, (class_, label) in enumerate(listed):
            row, column = divmod(place, columns)
            x, y = column * widest, self.height + (row + 1) * LEGEND - 4.0
            if class_ in STROKES:
                self.path([(x, y - 4.0), (x + 12.0, y - 4.0)], f"key {class_}")
            else:
                self.rect(x, y - 9.0, 10.0, 10.0, f"key {class_}")
            self.text(x + 16.0, y, label, "legend")
        self.height += math.ceil(len(listed) / columns) * LEGEND + 4.0

    def _mark(self, shape: str, place: dict[str, float], class_: str, hint: Text | None) -> None:
        numbers = {name: round(value, 2) for name, value in place.items()}
        self._marks.append(Mark(shape, {**numbers, "class": class_}, hint))

    def __html__(self) -> str:
        """Return the drawing for the page, which gives it its name in the language that is switched on."""
        head = {
            "viewBox": f"0 0 {self.width:g} {self.height:g}",
            "width": f"{LARGEST * self.width:g}",
            "role": "img",
            "tabindex": "0",
            "aria-label": self.title.en,
            "data-label-en": self.title.en,
            "data-label-zh": self.title.zh,
        }
        return render("drawing.svg", head=head, marks=self._marks, title=None)

    __str__ = __html__

    def alone(self, title: Text, language: Language) -> str:
        """Return the drawing as a picture that needs nothing else, with its heading, in one language."""
        head = {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 {-HEADING:g} {self.width:g} {self.height + HEADING:g}",
            "width": f"{LARGEST * self.width:g}",
            "role": "img",
            "class": "alone",
        }
        other = "en" if language is Language.CHINESE else "zh"
        return render("drawing.svg", head=head, marks=self._marks, title=title[language], other=other)
