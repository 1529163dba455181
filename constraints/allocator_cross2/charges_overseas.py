"""Overseas asset price risk of base assets (R8 §44-54)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Text
from allocator_cross2.charge_builder import ChargeBuilder, KindRule, Need
from allocator_cross2.lines import Basis, overseas_equity, overseas_fixed_income

__all__ = ["OVERSEAS_RULES", "PRODUCT_TYPES", "charge_overseas_property"]

Rows = NDArray[np.int64]

PRODUCT_TYPES = ("money_market", "fixed_income", "equity", "mixed", "commodity_derivative")
_FUND_FIGURES = {
    "money_market": "overseas.fund.money_market",
    "fixed_income": "overseas.fund.bond",
    "equity": "overseas.fund.equity",
    "mixed": "overseas.fund.equity",
    "commodity_derivative": "overseas.unlisted",  # "other overseas equity" of R8 §48
}


def _equity(scope: ChargeBuilder, rows: Rows, figure: str) -> None:
    for market, chosen in scope.by_overseas_market(rows):
        scope.charge(chosen, overseas_equity(market), figure, k1=scope.pack.value(f"overseas.k1.{market}"))


def _stock(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §45, §48: stock bought through Stock Connect in Hong Kong counts here."""
    _equity(scope, rows, "overseas.listed")


def _unlisted(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §48."""
    _equity(scope, rows, "overseas.unlisted")


def _fund(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §48: by what the fund invests in."""
    a = scope.attributes
    rows = a.require_choice(rows, "product_type", PRODUCT_TYPES)
    for product_type, figure in _FUND_FIGURES.items():
        _equity(scope, rows[a.text("product_type").equals(product_type)[rows]], figure)


def _bond(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §46: short-term financing bonds and interbank CDs, that is an original term within a year, and all other.

    Without issue_date or maturity a bond counts as "other", which is charged more.
    """
    a = scope.attributes
    rows = a.alive(rows)
    start, end = (_dates(a.frame.get(name), len(a), rows) for name in ("issue_date", "maturity"))
    short = end <= _a_year_after(start)  # NaT compares False
    for chosen, figure in ((rows[short], "short_term"), (rows[~short], "other")):
        for market, there in scope.by_overseas_market(chosen):
            k1 = scope.pack.value(f"overseas.k1.{market}")
            scope.charge(there, overseas_fixed_income(market), f"overseas.fixed_income.{figure}", k1=k1)


def _dates(series: pd.Series | None, size: int, rows: Rows) -> NDArray[np.datetime64]:
    if series is None:
        return np.full(len(rows), np.datetime64("NaT", "D"))
    return np.asarray(pd.to_datetime(series).to_numpy().astype("datetime64[D]")[rows])


def _a_year_after(day: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the same day of the next year (the first of March for the 29th of February)."""
    month = day.astype("datetime64[M]")
    return np.asarray((month + 12).astype("datetime64[D]") + (day - month.astype("datetime64[D]")))


def charge_overseas_property(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §50-52: property and public REITs join overseas equity; k1 = 0.4 is not clipped unless the reading says so."""
    for market, chosen in scope.by_overseas_market(rows):
        k1 = scope.pack.value(f"overseas.property.k1.{market}")
        clip = scope.pack.reading("clip_overseas_property")
        scope.charge(chosen, overseas_equity(market), "overseas.property", k1=k1, clip=clip, basis=Basis.PROPERTY)


_MARKET = Need("market", Text("developed or emerging", "发达市场或新兴市场"))
_CURRENCY = Need("currency")

OVERSEAS_RULES: Mapping[str, KindRule] = MappingProxyType(
    {
        "overseas_bond": KindRule(
            _bond,
            (
                _MARKET,
                _CURRENCY,
                Need("issue_date", Text("with maturity: paper of at most a year", "与到期日一并：期限一年及以内")),
            ),
        ),
        "overseas_stock": KindRule(_stock, (_MARKET, _CURRENCY)),
        "overseas_fund": KindRule(_fund, (_MARKET, _CURRENCY, Need("product_type"))),
        "overseas_unlisted": KindRule(_unlisted, (_MARKET, _CURRENCY)),
        "overseas_property": KindRule(charge_overseas_property, (_MARKET, _CURRENCY)),
    }
)
"""Rules by kind."""
