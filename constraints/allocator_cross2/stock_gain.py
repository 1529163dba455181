"""Linear rules that hold a book's stock gain in an interval (R8 §26).

With b and c book value and cost per CNY of the present amount a (see `allocator_cross2.stock`), the gain is at
least g where Σ φ(h) ≥ 0 and at most g where Σ φ(h) ≤ 0,

    φ(h) = (b − c) min(h, a) − g (c min(h, a) + b max(h − a, 0)),

a line of slope b − (1 + g) c up to a and −g b beyond: concave for a stock held at a gain (c ≤ b), convex for
one at a loss. On the side where it curves the wrong way its chord over the row's bounds stands in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.plugin import Source, Text, Vector
from allocator.plugin.terms import Combination, Linear, Sense, Space, Term, TradeCost
from allocator_cross2.stock import StockBook

__all__ = ["gain_rule", "split_at_present"]


def split_at_present(book: StockBook, space: Space, gain: float, holdings: Vector) -> tuple[Space, Space] | None:
    """Split where a stock is held as now: below it is sold, above it is bought, and φ is a line on each side.

    None where φ is a line between the bounds of every stock already.
    """
    lower, upper = space.lower[book.rows], space.upper[book.rows]
    lines, held = _Lines.of(book, gain), holdings[book.rows]
    slope, constant = lines.chord(*_bounds(book, space))
    error = np.abs(lines.value(held) - slope * held - constant)
    error = np.where((lower < book.current) & (book.current < upper), error, -1.0)
    worst = int(np.argmax(error)) if len(error) else -1
    if worst < 0 or error[worst] < 0.0:
        return None
    row, now = book.rows[worst], book.current[worst]
    sold, bought = space.upper.copy(), space.lower.copy()
    sold[row] = bought[row] = now
    return replace(space, upper=sold), replace(space, lower=bought)


def gain_rule(book: StockBook, space: Space, gain: float, sense: Sense) -> Term:
    """Return a rule that every book in the space keeps whose gain is at least, or at most, ``gain``."""
    lines = _Lines.of(book, gain)
    # A sum of concave rows may be asked to be at least zero, one of convex rows at most zero.
    kept = lines.bend <= 0.0 if sense is Sense.AT_LEAST else lines.bend >= 0.0
    slope, constant = lines.chord(*_bounds(book, space))
    row, bends, points, zeros = (np.zeros(space.size) for _ in range(4))
    row[book.rows] = np.where(kept, lines.before, slope)
    bends[book.rows] = np.where(kept, np.abs(lines.bend), 0.0)
    points[book.rows] = book.current
    curve = TradeCost(bends, zeros, zeros, points)
    straight = Linear.of(row, float(np.where(kept, 0.0, constant).sum()))
    return Term(
        f"stock_gain:{'min' if sense is Sense.AT_LEAST else 'max'}",
        Text("Gain of the stock book inside the interval searched", "股票账面浮盈处于搜索区间"),
        Combination(((1.0, straight), (-1.0 if sense is Sense.AT_LEAST else 1.0, curve))),
        sense,
        np.zeros(1),
        np.array([space.total]),
        "share",
        Source("银保监发〔2021〕51号", "R8 §26"),
    )


def _bounds(book: StockBook, space: Space) -> tuple[Vector, Vector]:
    return np.maximum(space.lower[book.rows], 0.0), np.maximum(space.upper[book.rows], 0.0)


@dataclass(frozen=True, eq=False)
class _Lines:
    """φ of each stock at one gain: slopes before and beyond the present amount."""

    before: Vector
    beyond: Vector
    current: Vector

    @classmethod
    def of(cls, book: StockBook, gain: float) -> _Lines:
        return cls(book.book - (1.0 + gain) * book.cost, -gain * book.book, book.current)

    @property
    def bend(self) -> Vector:
        return self.beyond - self.before

    def value(self, held: Vector) -> Vector:
        kept, bought = np.minimum(held, self.current), np.maximum(held - self.current, 0.0)
        return np.asarray(self.before * kept + self.beyond * bought)

    def chord(self, lower: Vector, upper: Vector) -> tuple[Vector, Vector]:
        """Return slope and constant of the line through both ends; without an upper end, the slope beyond."""
        endless, start = np.isinf(upper), self.value(lower)
        width = np.where(endless, 1.0, upper - lower)
        rise = np.where(endless, self.beyond, self.value(np.where(endless, lower, upper)) - start)
        slope = np.divide(rise, width, out=self.before.copy(), where=width > 0)
        return slope, start - slope * lower
