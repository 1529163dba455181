"""The structure of products: which asset lies under which, walked layer by layer to the leaves (R7 §8-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Mask, Problems, Text, Vector
from allocator_cross2.attributes import Attributes
from allocator_cross2.products import PRODUCTS

__all__ = ["SHARE_TOLERANCE", "Paths", "Structure", "own_layers"]

Rows = NDArray[np.int64]

SHARE_TOLERANCE = 1e-9
"""Shares are decimals typed by hand: sums this near to 1 are 1."""


@dataclass(frozen=True, eq=False, slots=True)
class Paths:
    """Ways from an asset row down through products, as parallel arrays.

    Parameters
    ----------
    row : ndarray of int
        Row of the assets table.
    end : ndarray of int
        Row of the underlying table where the way ends; −1 at the surface product itself.
    share : ndarray of float
        Share of the surface product.
    layers : ndarray of int
        Layers passed, the surface included, what lies at the end not.
    reit : ndarray of bool
        Whether one of them is a public infrastructure REIT.
    """

    row: Rows
    end: Rows
    share: Vector
    layers: Rows
    reit: Mask

    def take(self, mask: Mask) -> Paths:
        """Return the chosen ways."""
        return Paths(self.row[mask], self.end[mask], self.share[mask], self.layers[mask], self.reit[mask])

    @staticmethod
    def join(parts: Sequence[Paths]) -> Paths:
        """Return all ways of ``parts``."""
        names = ("row", "end", "share", "layers", "reit")
        return Paths(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class Structure:
    """Products of both tables and what is listed under each.

    Parameters
    ----------
    assets, underlying : Attributes
        The tables. A product's rows carry its ``asset_id``; a product inside another carries a name of its
        own in ``underlying_id``, and its rows that name.
    rows : ndarray of int
        Asset rows to be looked through.
    """

    def __init__(self, assets: Attributes, underlying: Attributes, rows: Rows) -> None:
        self.assets, self.underlying, self.rows = assets, underlying, rows
        parents, own, surface = (
            underlying.text("asset_id"),
            underlying.text("underlying_id"),
            assets.text_at("asset_id", rows),
        )
        self._codes: dict[str, int] = {}
        for label in (*parents.labels, *own.labels, *surface.labels):
            self._codes.setdefault(label, len(self._codes))
        self._parent = self._translate(parents.codes, parents.labels)
        self._own = self._translate(own.codes, own.labels)
        self._root = self._translate(surface.codes, surface.labels)
        self._order = np.argsort(self._parent, kind="stable")
        self._start = np.searchsorted(self._parent[self._order], np.arange(len(self._codes) + 1))
        share = np.nan_to_num(underlying.number("share"))
        self._total = np.bincount(self._parent + 1, share, len(self._codes) + 1)[1:]
        kinds = underlying.kinds
        self.inner = kinds.where(PRODUCTS.__contains__) & underlying.text("transparency").equals("look_through")
        self._reachable = self._reach()

    @property
    def reachable(self) -> Mask:
        """Rows of the underlying table that some asset row leads to."""
        return self._reachable[self._parent] & (self._parent >= 0)

    def _translate(self, codes: Rows, labels: Sequence[str]) -> Rows:
        return np.array([*(self._codes[label] for label in labels), -1], dtype=np.int64)[codes]

    def _count(self, product: Rows) -> Rows:
        return np.asarray(self._start[product + 1] - self._start[product])

    def _reach(self) -> Mask:
        """Return which products are reached; the last entry (no product) is False."""
        reached = np.zeros(len(self._codes) + 1, dtype=bool)
        now = np.unique(self._root)
        while len(now):
            reached[now] = True
            below = np.unique(self._own[self.inner & reached[self._parent] & (self._parent >= 0)])
            now = below[(below >= 0) & ~reached[below]]
        return reached

    def check(self) -> bool:
        """Report what makes the walk impossible: return whether nothing does."""
        problems = self.underlying.problems
        before = len(problems)
        inner = np.flatnonzero(self.inner & self.reachable)
        self._check_listed(inner)
        share = self.underlying.number("share")
        bad = np.flatnonzero(self.reachable & ~(share > 0))
        self.underlying.report(bad, "share", Text("a share must be positive", "份额必须为正"), share, None, "> 0")
        self._check_cycles(inner, problems)
        return len(problems) == before

    def _check_listed(self, inner: Rows) -> None:
        """Every product looked through has rows of its own, and inner ones a name to list them under."""
        what = Text("a product inside a product needs a name to be looked through", "内层产品需要名称方可继续穿透")
        hint = Text(
            "fill underlying_id and list its own rows under that asset_id",
            "填写底层资产代码，并以其作为资产代码列示下层资产",
        )
        named = self._own[inner] >= 0
        self.underlying.report(inner[~named], "underlying_id", what, "", hint)
        empty = Text(
            "nothing is listed under this product in the underlying table", "底层资产表中未列示该产品的底层资产"
        )
        cure = Text("list its underlying assets or mark it opaque", "请列示其底层资产或标记为无法穿透")
        inner = inner[named]
        self.assets.report(self.rows[self._count(self._root) == 0], "transparency", empty, "", cure)
        self.underlying.report(inner[self._count(self._own[inner]) == 0], "underlying_id", empty, "", cure)

    def check_shares(self) -> None:
        """Report products whose shares sum to more than 1."""
        hint = Text(
            "for a leveraged product set capital.readings.leveraged_look_through to true",
            "带杠杆的产品请将 capital.readings.leveraged_look_through 设为 true",
        )
        over = np.flatnonzero(self._reachable[:-1] & (self._total > 1.0 + SHARE_TOLERANCE))
        names = list(self._codes)
        for code in over.tolist():
            first = int(self._order[self._start[code]])
            what = Text(f"the shares under {names[code]} sum to more than 1", f"{names[code]} 的底层资产份额之和大于 1")
            where = self.underlying.where(self.underlying.table, first, "share")
            self.underlying.problems.add(what, where, f"{self._total[code]:.10g}", "≤ 1", hint)

    def _check_cycles(self, inner: Rows, problems: Problems) -> None:
        below: dict[int, list[int]] = {}
        for parent, child in zip(self._parent[inner].tolist(), self._own[inner].tolist(), strict=True):
            if child >= 0:
                below.setdefault(parent, []).append(child)
        cycle = _first_cycle(below)
        if cycle:
            names = list(self._codes)
            row = next(int(r) for r in inner if self._parent[r] == cycle[-2] and self._own[r] == cycle[-1])
            problems.add(
                Text("a product contains itself", "产品循环持有自身"),
                self.underlying.where(self.underlying.table, row, "underlying_id"),
                " → ".join(names[code] for code in cycle),
                None,
                Text("remove the row that leads back", "请删除形成循环的行"),
            )

    def walk(self) -> tuple[Paths, Paths]:
        """Return the ways to all leaves, and to the opaque rests (ending at the product they are the rest of)."""
        kinds, surface = self.underlying.kinds, self.assets.kinds
        inner_reit = kinds.equals("reit")
        start = np.full(len(self.rows), -1, dtype=np.int64)
        reit = surface.equals("reit")[self.rows]
        now = Paths(self.rows, start, np.ones(len(self.rows)), own_layers(self.assets, self.rows), reit)
        product = self._root
        nothing = now.take(np.zeros(len(now.row), dtype=bool))
        leaves, rests = [nothing], [nothing]
        while len(now.row):
            rest = 1.0 - self._total[product]
            opaque = rest > SHARE_TOLERANCE
            rests.append(Paths(now.row, now.end, now.share * rest, now.layers, now.reit).take(opaque))
            # One entry for each product and each row listed under it.
            count = self._count(product)
            parent = np.repeat(np.arange(len(product)), count)
            offset = np.arange(len(parent)) - np.repeat(np.cumsum(count) - count, count)
            child = self._order[self._start[product[parent]] + offset]
            share = now.share[parent] * self.underlying.number("share")[child]
            below = Paths(now.row[parent], child, share, now.layers[parent], now.reit[parent])
            deeper = self.inner[child]
            leaves.append(below.take(~deeper))
            below = below.take(deeper)
            layers = below.layers + own_layers(self.underlying, below.end)
            now = Paths(below.row, below.end, below.share, layers, below.reit | inner_reit[below.end])
            product = self._own[now.end]
        return Paths.join(leaves), Paths.join(rests)

    def listed(self, asset_id: str) -> Rows:
        """Return the rows of the underlying table under a product."""
        code = self._codes.get(asset_id, -1)
        return self._order[self._start[code] : self._start[code + 1]] if code >= 0 else np.zeros(0, dtype=np.int64)


def own_layers(attributes: Attributes, rows: Rows) -> Rows:
    """Return the layers of each product down to what is listed under it: ``layers``, or its surface alone."""
    given = attributes.number("layers")[rows]
    return np.where(np.isnan(given), 1.0, given).astype(np.int64)


def _first_cycle(below: Mapping[int, Sequence[int]]) -> list[int]:
    """Return a chain of products that leads back to its start, or nothing."""
    done: set[int] = set()
    for start in below:
        trail: list[int] = [start]
        ahead = [iter(below[start])]
        while ahead:
            step = next(ahead[-1], None)
            if step is None:
                done.add(trail.pop())
                ahead.pop()
            elif step in trail:
                return [*trail[trail.index(step) :], step]
            elif step not in done:
                trail.append(step)
                ahead.append(iter(below.get(step, ())))
    return []
