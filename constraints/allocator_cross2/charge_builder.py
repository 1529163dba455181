"""What a charging rule is handed: the rows' attributes, the rule pack, and where its lines go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Text, Vector
from allocator_cross2.attributes import TABLE_ROWS, Attributes
from allocator_cross2.figures import StepTable
from allocator_cross2.lines import (
    COUNTERPARTY_DEFAULT,
    CURRENCY,
    EQUITY_PRICE,
    Basis,
    Direction,
    LineBuilder,
    overseas_equity,
)
from allocator_cross2.pack import RulePack

__all__ = ["DOMESTIC_CURRENCY", "KindRule", "Need", "ChargeBuilder", "currency_figure", "currency_module"]

Rows = NDArray[np.int64]

DOMESTIC_CURRENCY = "CNY"
OVERSEAS_MARKETS = ("developed", "emerging")


@dataclass(frozen=True, slots=True)
class Need:
    """A column that a kind's charge needs, and when."""

    column: str
    when: Text = Text("always", "必填")


@dataclass(frozen=True, eq=False)
class ChargeBuilder:
    """The rows of one table, about to be charged.

    Parameters
    ----------
    attributes : Attributes
        The table.
    pack : RulePack
        Figures in force.
    lines : LineBuilder
        Receives the charges.
    direct : bool
        Whether the rows are held directly (the assets table) or reached by look-through.
    hedged_stock : bool
        Whether effective index futures hedge the directly held stock.
    interest_included : bool
        Whether ``amount`` holds the accrued interest.
    """

    attributes: Attributes
    pack: RulePack
    lines: LineBuilder
    direct: bool = True
    hedged_stock: bool = False
    interest_included: bool = True

    def charge(self, rows: Rows, module: str, figure: str, **columns: Vector | float | bool | int) -> None:
        """Add lines whose RF0 is the number ``figure``."""
        if len(rows):
            self.lines.add(rows, module, figure, self.pack.value(figure), **columns)

    def charge_equity(self, rows: Rows, figure: str, k1_abroad: bool = True) -> None:
        """Add equity price risk at home, overseas equity risk abroad with k1 by market (R8 §48-49)."""
        home, abroad = self.split_market(rows)
        self.charge(home, EQUITY_PRICE, figure)
        for market, there in self.by_overseas_market(abroad):
            k1 = self.pack.value(f"overseas.k1.{market}") if k1_abroad else 0.0
            self.charge(there, overseas_equity(market), figure, k1=k1)

    def charge_by_rating(self, rows: Rows, module: str, figure: str, **columns: Vector | float | bool | int) -> None:
        """Add lines whose RF0 stands in the table ``figure`` by rating."""
        rows, rank = self.attributes.ratings(rows)
        factors = np.array(list(self.pack.table(figure).values()))
        row = np.minimum(rank, TABLE_ROWS)
        self.lines.add(rows, module, figure, factors[row], rank=row, **columns)

    def charge_by_ladder(self, rows: Rows, module: str, figure: str, x: Vector) -> None:
        """Add lines whose RF0 is the step of the ladder ``figure`` that each x reaches."""
        ladder: StepTable = self.pack.ladder(figure)
        self.lines.add(rows, module, figure, ladder.at(x))

    def domestic(self, rows: Rows, overseas_kind: str) -> Rows:
        """Return the rows held at home; an overseas one is told which kind it should be."""
        abroad = self.attributes.text("market").equals(*OVERSEAS_MARKETS)[rows]
        if abroad.any():
            kind = self.attributes.kind_of(int(rows[abroad][0]))
            self.attributes.report(
                rows[abroad],
                "market",
                Text(f"{kind} is charged as a domestic asset", f"{kind} 按境内资产计量"),
                "",
                Text(f"use kind {overseas_kind}", f"请改用资产类别 {overseas_kind}"),
            )
        return rows[~abroad]

    def by_overseas_market(self, rows: Rows) -> Iterator[tuple[str, Rows]]:
        """Yield ``developed`` and ``emerging`` with their rows; any other market is reported."""
        rows = self.attributes.require_choice(rows, "market", OVERSEAS_MARKETS)
        market = self.attributes.text("market")
        for name in OVERSEAS_MARKETS:
            yield name, rows[market.equals(name)[rows]]

    def split_market(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return the domestic rows (or rows that name no market) and the overseas ones."""
        abroad = self.attributes.text("market").equals(*OVERSEAS_MARKETS)[rows]
        return rows[~abroad], rows[abroad]

    def charge_interest(self, rows: Rows, factor: Vector | float, figure: str) -> Vector:
        """R9 §35: charge interest receivable on spread-risk assets; return what spread risk is left, per CNY (m,)."""
        interest = self.attributes.accrued_part[rows]
        held = interest > 0
        chosen = np.broadcast_to(factor, len(rows))[held]
        self.lines.add(rows[held], COUNTERPARTY_DEFAULT, figure, chosen, share=interest[held], basis=Basis.MARKET)
        return np.asarray(1.0 - interest if self.interest_included else np.ones(len(rows)))

    def charge_currency(self, rows: Rows) -> None:
        """Add the currency exposure of rows in foreign currency (R8 §56-57): signed, net within a currency.

        A domestic row that names no currency is in CNY; an overseas one that names none is reported.
        """
        coded = self.attributes.text("currency")
        abroad = self.attributes.text("market").equals(*OVERSEAS_MARKETS)[rows]
        reason = Text(
            "an overseas asset needs its currency: without it its currency risk would be missed",
            "境外资产须注明币种，否则会漏计汇率风险",
        )
        rows = self.attributes.require(rows, (coded.codes[rows] >= 0) | ~abroad, "currency", reason)
        for code in np.unique(coded.codes[rows]).tolist():
            if code < 0 or coded.labels[code].upper() == DOMESTIC_CURRENCY:
                continue
            currency = coded.labels[code].upper()
            chosen = rows[coded.codes[rows] == code]
            module, figure = currency_module(currency, self.pack), currency_figure(currency, self.pack)
            self.charge(chosen, module, figure, direction=Direction.SIGNED, position=False)


def currency_module(currency: str, pack: RulePack) -> str:
    """Return the module a currency's position belongs to; USD and all pegged to it share one (R8 §57)."""
    return CURRENCY + ("USD" if currency in pack.names("currency.usd_codes") else currency)


def currency_figure(currency: str, pack: RulePack) -> str:
    """Return the figure that holds a currency's factor."""
    if currency in pack.names("currency.usd_codes"):
        return "currency.usd"
    return "currency.eur_gbp" if currency in pack.names("currency.eur_gbp_codes") else "currency.other"


@dataclass(frozen=True, slots=True)
class KindRule:
    """How one kind is charged.

    Parameters
    ----------
    charge : callable
        ``charge(scope, rows)`` adds the lines of the rows.
    needs : tuple of Need
        Columns beside amount that the charge asks for.
    currency : bool
        Whether a row in foreign currency also has a currency exposure here.
    """

    charge: Callable[[ChargeBuilder, Rows], None]
    needs: tuple[Need, ...] = ()
    currency: bool = True
