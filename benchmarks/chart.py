"""A log–log chart of time and memory by size."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

__all__ = ["growth_chart"]

WIDTH, HEIGHT, LEFT, TOP = 640, 360, 60, 20
DECADES_X, DECADES_Y = (2, 6), (-3, 2)


def growth_chart(points: Sequence[tuple[int, float, float]]) -> str:
    """Return an SVG of (size, seconds, GiB)."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">']
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for decade in range(DECADES_X[0], DECADES_X[1] + 1):
        x = _across(10.0**decade)
        parts.append(f'<path d="M{x:.0f} {TOP}V{HEIGHT - 40}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.0f}" y="{HEIGHT - 22}" font-size="12" text-anchor="middle">{10**decade:,}</text>')
    for decade in range(DECADES_Y[0], DECADES_Y[1] + 1):
        y = _down(10.0**decade)
        parts.append(f'<path d="M{LEFT} {y:.0f}H{WIDTH - 20}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.0f}" font-size="12" text-anchor="end">{10.0**decade:g}</text>')
    for place, (label, colour) in enumerate((("seconds", "#1f5fa8"), ("GiB", "#b3541e"))):
        at = [(_across(point[0]), _down(point[1 + place])) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in at]
        x, y = at[-1]
        where = f'x="{x - 8:.0f}" y="{y - 8:.0f}" font-size="13" text-anchor="end" fill="{colour}"'
        parts.append(f"<text {where}>{label}</text>")
    where = f'x="{WIDTH / 2:.0f}" y="{HEIGHT - 5}" font-size="12" text-anchor="middle"'
    parts += [f"<text {where}>instruments</text>", "</svg>", ""]
    return "\n".join(parts)


def _across(value: float) -> float:
    low, high = DECADES_X
    return LEFT + (log10(value) - low) / (high - low) * (WIDTH - LEFT - 40)


def _down(value: float) -> float:
    low, high = DECADES_Y
    return HEIGHT - 40 - (log10(max(value, 10.0**low)) - low) / (high - low) * (HEIGHT - 40 - TOP)
