"""The charges of a fund's rows: built once from their attributes, evaluated at any holdings.

    charge = holding × exposure per CNY × min(RF0 (1 + K), 1)
    K      = clip(k1 + k2 + …, ±0.25) + K_concentration + K_p                R8 §6, §65-67, R9 §6, R7 §14

What depends on the holdings as a whole is the gain of the stock book (k1), concentration, the netting of
derivatives with one counterparty, and the sign of a short position. All else is fixed when the charges are built.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Mask, Text, Vector
from allocator.plugin.capital import RegimeNote
from allocator_cross2.concentration import Concentration, ConcentrationTests
from allocator_cross2.lines import LONG_MULTIPLE, SHORT_MULTIPLE, Basis, Direction, Lines
from allocator_cross2.lots import Seasoned
from allocator_cross2.pack import RulePack
from allocator_cross2.stock import StockBook

__all__ = ["ChargeTable", "Charges", "Ratios"]


@dataclass(frozen=True, eq=False)
class Ratios:
    """What EX is per CNY of each row's amount (n,).

    Parameters
    ----------
    book : ndarray (n,)
        Book value / amount; 1 where either is blank or the amount is zero.
    property : ndarray (n,)
        The larger of ``book`` and the share of a project company's property / amount (R8 §41).
    claim : ndarray (n,)
        A derivative's book claim per CNY of notional; 0 where no contract is held.
    party : ndarray of int (n,)
        Counterparty of each derivative for netting, −1 for none.
    """

    book: Vector
    property: Vector
    claim: Vector
    party: NDArray[np.int64]

    def per_line(self, lines: Lines) -> Vector:
        """Return EX per CNY of amount of each line, before shares and signs."""
        found = np.ones(len(lines))
        for basis, ratio in ((Basis.BOOK, self.book), (Basis.PROPERTY, self.property), (Basis.CLAIM, self.claim)):
            chosen = lines.basis == basis
            found[chosen] = ratio[lines.row[chosen]]
        return found

    def net(self, holdings: Vector) -> Vector:
        """Return what each counterparty owes on balance at ``holdings`` (n,), CNY; the first is none."""
        return np.asarray(np.bincount(self.party + 1, self.claim * holdings), dtype=float)

    def owed(self, holdings: Vector) -> Mask:
        """Return which rows belong to counterparties that owe on balance (R9 §33), (n,)."""
        return np.asarray((self.net(holdings) > 0)[self.party + 1] & (self.party >= 0))


@dataclass(frozen=True, eq=False)
class Charges:
    """Every charge of every row, ready to be evaluated.

    Parameters
    ----------
    lines : Lines
        One entry for each row, underlying asset and module, in order of rows.
    modules, figures, kinds : tuple of str
        Names of the codes in ``lines``.
    current : ndarray (n,)
        Amounts now, CNY.
    ratios : Ratios
        EX per CNY of amount.
    stock : StockBook
        The listed stock, for k1.
    tests : ConcentrationTests
        Concentration of counterparties, classes and property.
    changed : ndarray of bool (lines,)
        Lines that are not the rule's (overrides, what-ifs, factors the user gave).
    rate_risk_share : ndarray (n,)
        Share of each non-base asset that counts for interest rate risk; 0 for base assets.
    pack : RulePack
        Figures in force, with overrides.
    accrued : ndarray (n,)
        Accrued interest per CNY of amount.
    seasoned : Seasoned
        Lines with a factor for long holding, which purchases dilute.
    notes : tuple of RegimeNote
        What a reader must know: options that depart from the rules, rows not tested for concentration.
    """

    lines: Lines
    modules: tuple[str, ...]
    figures: tuple[str, ...]
    kinds: tuple[str, ...]
    current: Vector
    ratios: Ratios
    stock: StockBook
    tests: ConcentrationTests
    changed: Mask
    rate_risk_share: Vector
    pack: RulePack
    accrued: Vector
    seasoned: Seasoned
    notes: tuple[RegimeNote, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def _per_cny(self) -> Vector:
        return self.lines.share * self.ratios.per_line(self.lines)

    @cached_property
    def _k_fixed(self) -> Vector:
        lines = self.lines
        return lines.k1 + lines.k2 + lines.k_product + lines.k_what_if

    def at(
        self,
        holdings: Vector | None = None,
        *,
        stock_k1: float | None = None,
        over: Mask | None = None,
        short: Mask | None = None,
        owed: Mask | None = None,
    ) -> ChargeTable:
        """Return the charges with everything that depends on the book as a whole taken at ``holdings``.

        Parameters
        ----------
        holdings : ndarray (n,) or None
            Amounts in CNY; None for the current ones.
        stock_k1 : float or None
            k1 of listed stock to use instead of that of the holdings (a bound, say).
        over : ndarray of bool (tests,) or None
            Concentration tests to charge as failed; None: those that the holdings fail.
        short : ndarray of bool (n,) or None
            Rows to charge as sold short; None: those that the holdings hold below zero.
        owed : ndarray of bool (n,) or None
            Rows whose counterparty owes on balance; None: by the holdings.
        """
        held = self.current if holdings is None else np.asarray(holdings, dtype=float)
        lines = self.lines
        k1 = self.stock.k1(held) if stock_k1 is None else stock_k1
        found = self.tests.at(held, len(lines)) if over is None else None
        k_concentration = found.k if found is not None else self.tests.charged(np.asarray(over), len(lines))
        exposure = self._exposure(
            held < 0 if short is None else short, self.ratios.owed(held) if owed is None else owed
        )
        inner = self._k_fixed + np.where(lines.gain, k1, 0.0)
        inside = self.pack.reading("clip_concentration")
        if inside:
            inner = inner + k_concentration
        limit = self.pack.value("charge.k_clip")
        clipped = lines.clip & (np.abs(inner) > limit)
        k_total = np.where(clipped, np.clip(inner, -limit, limit), inner) + lines.k_p
        if not inside:
            k_total = k_total + k_concentration
        factor = np.clip(self.rf0(held) * (1.0 + k_total), 0.0, self.pack.value("charge.largest_factor"))
        return ChargeTable(self, held, k1, exposure, k_concentration, k_total, clipped, factor, found)

    def rf0(self, holdings: Vector) -> Vector:
        """Return RF0 of each line at ``holdings`` (n,): a position that is added to may lose its long factor."""
        return self.seasoned.rf0(self.lines.rf0, holdings)

    def _exposure(self, short: Mask, owed: Mask) -> Vector:
        """EX per CNY of amount of each line: negative only where short positions net (R8 §6: EX < 0 counts as 0)."""
        lines = self.lines
        exposure: Vector = self._per_cny * LONG_MULTIPLE[lines.direction]
        if short.any():
            below = short[lines.row]
            exposure[below] = self._per_cny[below] * SHORT_MULTIPLE[lines.direction[below]]
        exposure[(lines.direction == Direction.LONG) & (exposure < 0)] = 0.0
        claims = lines.basis == Basis.CLAIM
        if claims.any():
            exposure[claims] *= owed[lines.row[claims]]
        return exposure


@dataclass(frozen=True, eq=False)
class ChargeTable:
    """Charges at given holdings, line by line (arrays parallel to ``charges.lines``).

    Parameters
    ----------
    charges : Charges
        What they were evaluated from.
    holdings : ndarray (n,)
        Amounts, CNY.
    stock_k1 : float
        k1 of directly held listed stock.
    exposure_per_amount : ndarray
        EX / amount; negative where a short position nets.
    k_concentration, k_total : ndarray
        Concentration coefficient, and all of K.
    clipped : ndarray of bool
        Whether k1 + k2 + … was clipped.
    rf : ndarray
        min(RF0 (1 + K), 1).
    concentration : Concentration or None
        Outcome of the concentration tests.
    """

    charges: Charges
    holdings: Vector
    stock_k1: float
    exposure_per_amount: Vector
    k_concentration: Vector
    k_total: Vector
    clipped: Mask
    rf: Vector
    concentration: Concentration | None = field(repr=False)

    def __len__(self) -> int:
        return len(self.rf)

    @property
    def row(self) -> NDArray[np.int32]:
        """Row of the assets table of each line."""
        return self.charges.lines.row

    @property
    def module(self) -> NDArray[np.int16]:
        """Code of each line's module in ``charges.modules``."""
        return self.charges.lines.module

    @property
    def factor(self) -> Vector:
        """Charge per CNY of amount, signed where a short position nets."""
        return self.exposure_per_amount * self.rf

    @property
    def changed(self) -> Mask:
        """Lines that are not the rule's: `Charges.changed`, or moved by an overridden coefficient, clip or cap."""
        overridden = self.charges.pack.overridden
        marked = self.charges.changed.copy()
        if any(key.startswith("concentration.") for key in overridden):
            marked |= self.k_concentration != 0.0
        if any(key.startswith("charge.") for key in overridden):
            marked |= self.clipped | (self.rf == self.charges.pack.value("charge.largest_factor"))
        return marked

    @property
    def k1(self) -> Vector:
        """k1 of each line, with that of the stock book."""
        lines = self.charges.lines
        return lines.k1 + np.where(lines.gain, self.stock_k1, 0.0)

    def frame(self) -> pd.DataFrame:
        """Return all lines as a table: what is charged, EX / amount, RF0, every k, RF, the charge per CNY, its article.

        ``row`` and ``underlying`` are positions in their tables (underlying −1: the row itself). The text of
        a derivation is `allocator_cross2.derivation.derivations`, written for the lines that are shown.
        """
        charges, lines = self.charges, self.charges.lines
        articles = pd.array([figure_article(charges.pack, key) for key in charges.figures], dtype="str")
        return pd.DataFrame(
            {
                "row": lines.row,
                "underlying": lines.underlying,
                "kind": pd.Categorical.from_codes(lines.kind, pd.Index(charges.kinds)),
                "module": pd.Categorical.from_codes(lines.module, pd.Index(charges.modules)),
                "exposure_per_amount": self.exposure_per_amount,
                "rf0": charges.rf0(self.holdings),
                "k1": self.k1,
                "k2": lines.k2,
                "k_product": lines.k_product,
                "k_what_if": lines.k_what_if,
                "k_p": lines.k_p,
                "k_concentration": self.k_concentration,
                "k_total": self.k_total,
                "clipped": self.clipped,
                "rf": self.rf,
                "factor": self.factor,
                "article": articles[lines.figure],
                "rule": ~self.changed,
            }
        )


def figure_article(pack: RulePack, key: str) -> str:
    """Return where a figure stands; ``user`` for one the user gave."""
    return pack.article(key) if key in pack else "user"


def figure_label(pack: RulePack, key: str) -> Text:
    """Return what a figure is."""
    if key in pack:
        return pack.label(key)
    return Text("factor given by the user, not the rule", "用户给定因子，非监管规则")
