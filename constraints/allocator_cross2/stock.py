"""Gain of the directly held stock book, which sets k1 of listed stock (R8 §26).

    x = (Σ book − Σ cost) / Σ cost,   k1 = 1 if x ≥ 1, x² if 0 ≤ x < 1, −x² if −1 ≤ x < 0

Book and cost move with trades. With b and c the present book value and cost per CNY of amount a, selling
down to h keeps (b h, c h): the average cost per share does not change. What is bought enters book and cost
alike at b per CNY, without gain:

    Σ book − Σ cost = Σ (b − c) min(h, a),   Σ cost = Σ c min(h, a) + b max(h − a, 0)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Text, Vector
from allocator_cross2.attributes import Attributes

__all__ = ["StockBook", "gain_coefficient", "stock_book"]


def gain_coefficient(x: float) -> float:
    """Return k1 for a gain of x = (Σ book − Σ cost) / Σ cost (R8 §26)."""
    return 1.0 if x >= 1.0 else float(np.copysign(x * x, x))


@dataclass(frozen=True, eq=False)
class StockBook:
    """The directly held listed stock of the company, all accounts together.

    Parameters
    ----------
    rows : ndarray of int (s,)
        Rows of the assets table.
    current, book, cost : ndarray (s,)
        Amount now (CNY), book value and cost per CNY of it.
    """

    rows: NDArray[np.int64]
    current: Vector
    book: Vector
    cost: Vector

    def gain(self, holdings: Vector) -> float:
        """Return x at ``holdings`` (n,); 0 for an empty book, ∞ for a book that cost nothing."""
        gain, cost = self._parts(holdings[self.rows])
        return _ratio(float(gain.sum()), float(cost.sum()))

    def k1(self, holdings: Vector) -> float:
        """Return k1 at ``holdings`` (n,)."""
        return gain_coefficient(self.gain(holdings))

    def k1_slopes(self, holdings: Vector) -> tuple[Vector, Vector]:
        """Return by how much k1 moves per CNY of each row bought, and per CNY of it kept rather than sold (n,).

        x′ = (G′ − x K′) / K with G and K the sums of the module's head; what is bought up to the present amount
        restores what a sale would take away.
        """
        held = holdings[self.rows]
        gains, costs = (part.sum() for part in self._parts(held))
        bought, kept = np.zeros(len(holdings)), np.zeros(len(holdings))
        if costs <= 0.0 or abs(gains / costs) >= 1.0:
            return bought, kept
        x = gains / costs
        new, old = -x * self.book / costs, (self.book - self.cost - x * self.cost) / costs
        bought[self.rows] = 2.0 * abs(x) * np.where(held >= self.current, new, old)
        kept[self.rows] = 2.0 * abs(x) * np.where(held > self.current, new, old)
        return bought, kept

    def reach(self, lower: Vector, upper: Vector) -> tuple[float, float]:
        """Return bounds of the gain over all holdings between ``lower`` and ``upper`` (n,), other rules aside.

        The ratio of two sums of piecewise linear functions of single holdings is minimised by Dinkelbach's
        method: for a trial ratio λ each holding takes the best of its bounds and its present amount.
        """
        low, high = np.maximum(lower[self.rows], 0.0), np.maximum(upper[self.rows], 0.0)
        unbounded = bool(np.isinf(high).any())
        # Buying without limit dilutes the gain towards 0; the bound there is taken as a limit.
        high = np.where(np.isinf(high), np.maximum(self.current, low), high)
        points = np.stack([low, high, np.clip(self.current, low, high)])
        ends = []
        for sign in (1.0, -1.0):
            best = sign * self._extreme(points, sign)
            ends.append(min(best, 0.0) if unbounded else best)
        return ends[0], -ends[1]

    def _extreme(self, points: Vector, sign: float) -> float:
        """Return the smallest (sign 1) or largest (sign −1) gain with each holding on one of its ``points``."""
        each = [self._parts(point) for point in points]
        gains, costs = np.stack([part[0] for part in each]), np.stack([part[1] for part in each])
        column = np.arange(len(self.rows))
        pick = np.zeros(len(self.rows), dtype=np.int64)
        ratio = _ratio(float(gains[pick, column].sum()), float(costs[pick, column].sum()))
        for _ in range(100):
            trial = ratio if np.isfinite(ratio) else 0.0
            pick = np.argmin(sign * (gains - trial * costs), axis=0)
            better = _ratio(float(gains[pick, column].sum()), float(costs[pick, column].sum()))
            if not sign * better < sign * ratio:
                return ratio
            ratio = better
        return ratio

    def _parts(self, held: Vector) -> tuple[Vector, Vector]:
        kept = np.clip(held, 0.0, self.current)
        bought = np.maximum(held - self.current, 0.0)
        return (self.book - self.cost) * kept, self.cost * kept + self.book * bought


def _ratio(gain: float, cost: float) -> float:
    if cost > 0:
        return gain / cost
    return np.inf if gain > 0 else 0.0


def stock_book(attributes: Attributes, amount: Vector, book: Vector) -> StockBook:
    """Return the book of listed stock; held rows without a cost are reported.

    Parameters
    ----------
    attributes : Attributes
        The assets table.
    amount : ndarray (n,)
        Amounts now, CNY.
    book : ndarray (n,)
        Book value per CNY of amount.
    """
    rows = np.flatnonzero(attributes.kinds.equals("listed_stock"))
    current = np.maximum(amount[rows], 0.0)
    cost = attributes.number("cost")[rows]
    held = current > 0
    reason = Text(
        "k1 of listed stock needs the cost of every stock held (R8 §26)",
        "上市股票特征系数k1需要每只持有股票的购买成本（规则第8号第二十六条）",
    )
    attributes.require(rows[held], ~np.isnan(cost[held]), "cost", reason)
    negative = held & (cost < 0)
    attributes.report(
        rows[negative],
        "cost",
        Text("a cost cannot be negative", "成本不能为负"),
        attributes.number("cost"),
        None,
        "≥ 0",
    )
    per_unit = np.divide(cost, current, out=book[rows].copy(), where=held)
    return StockBook(rows, current, book[rows], per_unit)
