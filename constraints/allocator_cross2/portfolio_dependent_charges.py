"""What charges depend on beyond single holdings, as a state to branch on.

One number, the gain of the stock book (R8 §26), and what steps: concentration tests passed or failed (R8 §60-67), the
side on which a derivative is held (R8 §35, §58), and whether a counterparty of derivatives owes on balance (R9 §33).
What steps is decided step by step: a state with more decided says less of the charges and more of the holdings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.plugin import Mask, Source, Text, Vector
from allocator.plugin.capital import BookState, CapitalTree, OptionalBreach
from allocator.plugin.terms import Linear, Sense, Space, Term
from allocator_cross2.charges import Charges, ChargeTable
from allocator_cross2.concentration import ROUNDING
from allocator_cross2.guards import MARGIN, reachable_tests
from allocator_cross2.stock import gain_coefficient
from allocator_cross2.stock_gain import gain_rule, split_at_present

__all__ = ["WholeBook"]

Signs = NDArray[np.int8]
Kind = TypeVar("Kind", bound=np.generic)
Build = Callable[[ChargeTable, Mask | None], CapitalTree]

EXACT = 1e-12
"""Part of all holdings below which a sum is rounding."""


@dataclass(frozen=True, eq=False)
class WholeBook(BookState):
    """See `allocator.model.regime.BookState`.

    Parameters
    ----------
    charges : Charges
        The book's charges.
    build : callable
        The tree with given charges, laid out for a mask of lines.
    held : ndarray (n,)
        Current holdings.
    failed, kept, open : ndarray of bool (tests,)
        Concentration tests that are failed, that a rule keeps, and that may still be either; the guards, the bounds
        or a choice see to the others.
    signs : ndarray (n,)
        +1 for rows held at or above zero, −1 at or below, 0 for those whose bounds allow both.
    nets : ndarray (counterparties + 1,)
        +1 for counterparties of derivatives that owe on balance, −1 for those that do not, 0 where that is open.
    sided : ndarray (n,)
        By how much a row's charges differ between the two signs, per CNY.
    used : ndarray of bool (lines,)
        Lines that any of this may charge: all trees are laid out for them.
    choice : tuple of Alternative
        What may be broken at will.
    margin : float
        CNY by which rules of steps stay on their side, so that rounding does not cross it.
    short : bool
        Whether rows whose bounds allow both signs are charged as sold short.
    """

    charges: Charges
    build: Build
    held: Vector
    failed: Mask
    kept: Mask
    open: Mask
    signs: Signs
    nets: Signs
    sided: Vector
    used: Mask
    choice: tuple[OptionalBreach, ...] = ()
    margin: float = 0.0
    short: bool = False

    @classmethod
    def of(cls, charges: Charges, build: Build, space: Space, guarded: bool, spared: Mask) -> WholeBook:
        """Return the state with everything open that the bounds of a space leave open.

        Parameters
        ----------
        charges, build
            See above.
        space : Space
            The bounds.
        guarded : bool
            Whether rules keep every test that the current holdings pass.
        spared : ndarray of bool (tests,)
            Tests that are left to a choice.
        """
        failed = _over(charges, np.clip(0.0, space.lower, space.upper)) & ~spared
        possible = _over(charges, space.current) if guarded else reachable_tests(charges, space)
        signs = np.where(space.lower >= 0.0, 1, np.where(space.upper <= 0.0, -1, 0)).astype(np.int8)
        state = cls(
            charges,
            build,
            space.current,
            failed,
            np.zeros_like(failed),
            possible & ~failed & ~spared,
            signs,
            _nets(charges, space),
            _sided(charges),
            np.zeros(len(charges), dtype=bool),
        )
        used = [table.factor != 0.0 for one in (state, state.held_short()) for table in one._tables(-1.0, 1.0)]
        return replace(state, used=np.logical_or.reduce(used))

    def settled(self, space: Space) -> bool:
        """Return whether the charges at the current holdings are those of every book in the space."""
        low, high = self.reach(space)
        moves = gain_coefficient(low) != gain_coefficient(high) and bool(self.charges.lines.gain.any())
        if moves or self.choice or self.open.any() or self._open_rows().any() or len(self.straddling(space)):
            return False
        now = self.charges.at(self.held)
        return bool(np.array_equal(self._tables(low, high)[0].factor, now.factor))

    def alternatives(self, space: Space) -> tuple[OptionalBreach, ...]:
        return self.choice

    def reach(self, space: Space) -> tuple[float, float]:
        return self.charges.stock.reach(space.lower, space.upper)

    def at(self, holdings: Vector) -> float:
        return self.charges.stock.gain(holdings)

    def straddling(self, space: Space) -> NDArray[np.int64]:
        return np.flatnonzero((self.signs == 0) & (self._swing(space) > 0.0))

    def _swing(self, space: Space) -> Vector:
        """Return by how much the charges of rows on either side of zero differ over all that is open, per CNY (n,)."""
        if np.all(self.signs):
            return np.zeros(len(self.signs))
        factors = np.stack([table.factor for table in self._tables(*self.reach(space))])
        return self.sided + np.bincount(self.charges.lines.row, np.ptp(factors, axis=0), len(self.signs))

    def held_short(self) -> WholeBook:
        return replace(self, short=True)

    def trees(self, low: float, high: float) -> tuple[CapitalTree, CapitalTree]:
        tables = self._tables(low, high)
        first = self.build(tables[0], self.used)
        if len(tables) == 1:
            return first, first
        # Whatever side a row is on: its least and its greatest charge.
        side = np.where(self._short(), -1.0, 1.0)[self.charges.lines.row]
        factors = np.stack([table.factor for table in tables])
        ends = [
            np.take_along_axis(factors, pick(side * factors, axis=0)[None], 0)[0] for pick in (np.argmin, np.argmax)
        ]
        least, greatest = (_with_factor(tables[0], factor) for factor in ends)
        return self.build(least, self.used), self.build(greatest, self.used)

    def _tables(self, low: float, high: float) -> list[ChargeTable]:
        """Return the charges at the ends of everything that is open; one table where nothing is."""
        owed, open_ = (self.nets > 0)[self._party], self._open_rows()
        ends = [(gain_coefficient(low), self.failed), (gain_coefficient(high), self.failed | self.open)]
        if ends[0][0] == ends[1][0] and not self.open.any():
            ends.pop()
        nets = [owed, owed | open_] if open_.any() else [owed]
        short = self._short()
        return [
            self.charges.at(self.held, stock_k1=k1, over=over, short=short, owed=net)
            for k1, over in ends
            for net in nets
        ]

    def _short(self) -> Mask:
        return np.asarray((self.signs < 0) | ((self.signs == 0) & self.short))

    @property
    def _party(self) -> NDArray[np.int64]:
        return self.charges.ratios.party + 1

    def _open_rows(self) -> Mask:
        """Return which rows are charged by a balance that may have either sign (n,)."""
        return np.asarray((self.nets == 0)[self._party] & (self.charges.ratios.claim != 0.0))

    def rules(self, space: Space, low: float, high: float) -> tuple[Term, ...]:
        # Where the bounds already keep the gain on that side, a rule says nothing but its own rounding.
        least, greatest = self.reach(space)
        sides = ((low, Sense.AT_LEAST, low > least), (high, Sense.AT_MOST, high < greatest))
        book = self.charges.stock
        gains = [gain_rule(book, space, gain, sense) for gain, sense, says in sides if says and np.isfinite(gain)]
        return (*gains, *self._steps(space))

    def _steps(self, space: Space) -> Iterator[Term]:
        """Yield the rules that keep what is decided: tests on their side, balances on theirs."""
        tests, ratios = self.charges.tests, self.charges.ratios
        sums = sparse.csr_array(tests.matrix.multiply(np.where(self._short(), -1.0, 1.0)[None, :]))
        least, rounding = tests.threshold, tests.threshold * ROUNDING
        yield from _term("kept", sums, self.kept, Sense.AT_MOST, least + rounding - self.margin, space)
        # What bounds alone make fail needs no rule.
        decided = self.failed & ~_over(self.charges, np.clip(0.0, space.lower, space.upper))
        yield from _term("failed", sums, decided, Sense.AT_LEAST, least, space)
        claims = (ratios.claim, (self._party, np.arange(len(self._party))))
        balances = sparse.csr_array(sparse.coo_array(claims, shape=(len(self.nets), len(self._party))))
        zero = np.zeros(len(self.nets))
        bounds = _nets(self.charges, space)
        yield from _term("owes", balances, (self.nets > 0) & (bounds < 1), Sense.AT_LEAST, zero, space)
        yield from _term("is owed", balances, (self.nets < 0) & (bounds > -1), Sense.AT_MOST, zero, space)

    def safe(self, space: Space, low: float, high: float) -> Iterator[tuple[WholeBook, Space]]:
        """Keep all tests but those that the present book fails, or no book can keep; these are charged."""
        state, part = self.around(space, np.clip(self.held, space.lower, space.upper))
        yield state, part
        if np.any(state.failed != self.failed):
            yield replace(state, failed=self.failed, kept=state.kept | (state.failed & ~self.failed)), part

    def around(self, space: Space, holdings: Vector) -> tuple[WholeBook, Space]:
        over = _over(self.charges, holdings)
        signs = np.where(self.signs == 0, np.where(holdings < 0.0, -1, 1), self.signs).astype(np.int8)
        net = np.where(self.charges.ratios.net(holdings) > 0.0, 1, -1)
        decided = replace(
            self,
            failed=self.failed | (self.open & over),
            kept=self.kept | (self.open & ~over),
            open=np.zeros_like(self.open),
            signs=signs,
            nets=np.where(self.nets == 0, _padded(net, len(self.nets)), self.nets).astype(np.int8),
            margin=MARGIN * space.total,
            short=False,
        )
        return decided, _on_side(space, signs)

    def decide(self, space: Space, holdings: Vector, long: Vector) -> tuple[tuple[WholeBook, Space], ...]:
        rows, total = self.straddling(space), space.total or 1.0
        if len(rows):
            error = self._swing(space)[rows] * np.abs(long - np.maximum(holdings[rows], 0.0))
            worst = int(np.argmax(error))
            if error[worst] > EXACT * total:
                return self._by_side(space, int(rows[worst]))
        claims = np.bincount(self._party, np.abs(self.charges.ratios.claim * holdings), len(self.nets))
        claims = np.where(self.nets == 0, claims, 0.0)
        party = int(np.argmax(claims))
        if claims[party] > EXACT * total:
            return tuple((replace(self, nets=_put(self.nets, party, side)), space) for side in (1, -1))
        tests = self.charges.tests
        over = np.where(self.open & _over(self.charges, holdings), tests.k * tests.amounts(holdings), 0.0)
        if not over.any():
            return ()
        test = int(np.argmax(over))
        members = rows[np.isin(rows, tests.matrix[[test]].indices)]
        if len(members):
            return self._by_side(space, int(members[0]))
        rest = _put(self.open, test, False)
        kept = replace(self, kept=_put(self.kept, test, True), open=rest)
        return (kept, space), (replace(self, failed=_put(self.failed, test, True), open=rest), space)

    def _by_side(self, space: Space, row: int) -> tuple[tuple[WholeBook, Space], ...]:
        found = []
        for side in (1, -1):
            signs = _put(self.signs, row, side)
            part = _on_side(space, signs)
            nets = np.where(self.nets == 0, _nets(self.charges, part), self.nets).astype(np.int8)
            found.append((replace(self, signs=signs, nets=nets), part))
        return tuple(found)

    def split(self, space: Space, state: float, holdings: Vector) -> tuple[Space, Space] | None:
        return split_at_present(self.charges.stock, space, state, holdings)


def _over(charges: Charges, holdings: Vector) -> Mask:
    return charges.tests.at(holdings, len(charges)).over


def _sided(charges: Charges) -> Vector:
    nobody = np.zeros(len(charges.current), dtype=bool)
    long, short = (charges.at(stock_k1=0.0, short=side).factor for side in (nobody, ~nobody))
    return np.asarray(np.bincount(charges.lines.row, np.abs(long - short), len(nobody)), dtype=float)


def _nets(charges: Charges, space: Space) -> Signs:
    """Return +1, −1 or 0 for counterparties that owe, are owed, or may do either in the bounds; the first is none."""
    claim, party = charges.ratios.claim, charges.ratios.party + 1
    held = claim != 0.0
    ends = np.where(held, claim * np.where(held, [space.lower, space.upper], 0.0), 0.0)
    low, high = (np.bincount(party, side) for side in (ends.min(axis=0), ends.max(axis=0)))
    found = np.where(high <= 0.0, -1, np.where(low >= 0.0, 1, 0)).astype(np.int8)
    found[0] = -1
    return found


def _padded(values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.concatenate([values, np.full(size - len(values), -1)])


def _put(values: NDArray[Kind], place: int, value: int) -> NDArray[Kind]:
    found = values.copy()
    found[place] = value
    return found


def _on_side(space: Space, signs: Signs) -> Space:
    """Return the space with every row kept on the side of zero that is decided for it."""
    lower = np.where(signs > 0, np.maximum(space.lower, 0.0), space.lower)
    upper = np.where(signs < 0, np.minimum(space.upper, 0.0), space.upper)
    return replace(space, lower=lower, upper=upper)


def _with_factor(table: ChargeTable, factor: Vector) -> ChargeTable:
    return replace(table, exposure_per_amount=factor, rf=np.ones(len(factor)))


def _term(name: str, sums: sparse.csr_array, chosen: Mask, sense: Sense, right: Vector, space: Space) -> Iterator[Term]:
    rows = np.flatnonzero(chosen)
    if len(rows):
        yield Term(
            f"state:{name}",
            Text("Charges that step, on the side that is searched", "阶跃计量处于搜索一侧"),
            Linear(sparse.csr_array(sums[rows]), np.zeros(len(rows))),
            sense,
            right[rows],
            np.full(len(rows), space.total),
            "share",
            Source("model"),
            rows=tuple(str(row) for row in rows.tolist()),
        )
