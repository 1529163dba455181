"""The gain of the stock book as a state to branch on: k1 of listed stock depends on it (R8 §26).

With b and c book value and cost per CNY of the present amount a (see `allocator_cross2.stock`), the gain is at
least g where Σ φ(h) ≥ 0 and at most g where Σ φ(h) ≤ 0,

    φ(h) = (b − c) min(h, a) − g (c min(h, a) + b max(h − a, 0)),

a line of slope b − (1 + g) c up to a and −g b beyond: concave for a stock held at a gain (c ≤ b), convex for
one at a loss. On the side where it curves the wrong way its chord over the row's bounds stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Source, Text
from allocator.plugin.capital import BookState, CapitalTree, OptionalBreach
from allocator.plugin.terms import Combination, Linear, Sense, Space, Term, TradeCost
from allocator_cross2.charges import Charges, ChargeTable
from allocator_cross2.stock import StockBook, gain_coefficient

__all__ = ["StockGain"]

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StockGain(BookState):
    """See `allocator.model.regime.BookState`.

    Parameters
    ----------
    charges : Charges
        The book's charges.
    build : callable
        The tree with given charges.
    held : ndarray (n,)
        Current holdings, at which everything but k1 and concentration is taken.
    least, most : ndarray (n,)
        Holdings at which no concentration charge is in force that an answer may escape, and every one that it may meet.
    decided : ndarray of bool (tests,)
        Concentration tests that ``choice`` speaks of.
    guards : callable
        Rules that keep every test but those of a mask, in a space.
    choice : tuple of Alternative
        What may be broken.
    """

    charges: Charges
    build: Callable[[ChargeTable], CapitalTree]
    held: Vector
    least: Vector
    most: Vector
    decided: Mask
    guards: Callable[[Space, Mask], tuple[Term, ...]]
    choice: tuple[OptionalBreach, ...] = ()

    def alternatives(self, space: Space) -> tuple[OptionalBreach, ...]:
        return self.choice

    def reach(self, space: Space) -> tuple[float, float]:
        return self.charges.stock.reach(space.lower, space.upper)

    def at(self, holdings: Vector) -> float:
        return self.charges.stock.gain(holdings)

    def trees(self, low: float, high: float) -> tuple[CapitalTree, CapitalTree]:
        charges = self.charges
        few, many = self._failed(self.least), self._failed(self.most)
        least = charges.at(self.held, stock_k1=gain_coefficient(low), over=few)
        greatest = charges.at(self.most, stock_k1=gain_coefficient(high), over=many)
        if low == high and np.array_equal(few, many):
            return (self.build(greatest),) * 2
        return self.build(least), self.build(greatest)

    def _failed(self, holdings: Vector) -> Mask:
        """Return the tests failed at ``holdings`` that nobody decides, shape (tests,)."""
        return self.charges.tests.at(holdings, len(self.charges)).over & ~self.decided

    def rules(self, space: Space, low: float, high: float) -> tuple[Term, ...]:
        # Where the bounds already keep the gain on that side, a rule says nothing but its own rounding.
        least, greatest = self.reach(space)
        sides = ((low, Sense.AT_LEAST, low > least), (high, Sense.AT_MOST, high < greatest))
        return tuple(self._rule(space, gain, sense) for gain, sense, says in sides if says and np.isfinite(gain))

    def safe(self, space: Space, low: float, high: float) -> Iterator[tuple[CapitalTree, tuple[Term, ...]]]:
        """Keep all tests but those that the present book fails, or no book can keep; these are charged."""
        charges, rules = self.charges, self.rules(space, low, high)
        present, least = self._failed(self.held), self._failed(self.least)
        for over in (present, least) if np.any(present != least) else (present,):
            tree = self.build(charges.at(self.held, stock_k1=gain_coefficient(high), over=over))
            # Terms of these names may be the model's own.
            kept = (replace(term, name=f"safe:{term.name}") for term in self.guards(space, self.decided | over))
            yield tree, (*rules, *kept)

    def split(self, space: Space, state: float, holdings: Vector) -> tuple[Space, Space] | None:
        """Split where a stock is held as now: below it is sold, above it is bought, and φ is a line on each side."""
        book = self.charges.stock
        lower, upper = space.lower[book.rows], space.upper[book.rows]
        lines, held = _Lines.of(book, state), holdings[book.rows]
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

    def _rule(self, space: Space, gain: float, sense: Sense) -> Term:
        book = self.charges.stock
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
