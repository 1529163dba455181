"""Charges of derivatives: hedges of stock and currency, and the default of their counterparties.

Amounts are signed notionals: a short future or sold currency is negative. Bond futures and rate swaps enter
interest rate risk by their cash flows; a futures exchange is no counterparty (R8 §63).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Text
from allocator_cross2.charge_builder import (
    DOMESTIC_CURRENCY,
    ChargeBuilder,
    KindRule,
    Need,
    currency_figure,
    currency_module,
)
from allocator_cross2.lines import (
    COUNTERPARTY_DEFAULT,
    CURRENCY_UNHEDGED,
    EQUITY_HEDGE,
    EQUITY_PRICE,
    Basis,
    Direction,
)

__all__ = ["DERIVATIVE_RULES", "hedges_stock"]

Rows = NDArray[np.int64]


def hedges_stock(scope: ChargeBuilder) -> bool:
    """Return whether any index future may be netted with the stock: an effective hedge of a month or more."""
    a = scope.attributes
    rows = np.flatnonzero(a.kinds.equals("index_future"))
    return bool(_long_hedges(scope, rows).any())


def _long_hedges(scope: ChargeBuilder, rows: Rows) -> NDArray[np.bool_]:
    effectiveness = scope.attributes.number("hedge_effectiveness")[rows]
    months = scope.attributes.number("hedge_months")[rows]
    return np.asarray((effectiveness > 0) & (months >= scope.pack.value("equity.index_future.hedge_months")))


def _index_future(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §35, by the sign of the notional F and the hedge's effectiveness e.

    short, effective, a month or more: |stock MC − |F| e 0.35|    effective but shorter: 0
    short, not effective: + |F| 0.35                              long: + F 0.35
    """
    a = scope.attributes
    figure = "equity.index_future"
    rows = a.require_number(rows, "hedge_effectiveness")
    effectiveness = a.number("hedge_effectiveness")
    effective = effectiveness[rows] > 0
    scope.charge(rows[~effective], EQUITY_PRICE, figure, direction=Direction.ABSOLUTE)
    rows = a.require_number(rows[effective], "hedge_months")
    scope.charge(rows, EQUITY_PRICE, figure, direction=Direction.LONG)
    netted = rows[_long_hedges(scope, rows)]
    share = effectiveness[netted]
    scope.charge(netted, EQUITY_HEDGE, figure, direction=Direction.SHORT, share=share, position=False)


def _fx_forward(scope: ChargeBuilder, rows: Rows) -> None:
    """R8 §58 for the currency; R9 §33 for the counterparty."""
    a = scope.attributes
    _counterparty(scope, rows)
    currency = a.text("currency")
    foreign = ~currency.equals(DOMESTIC_CURRENCY) & (currency.codes >= 0)
    reason = Text("an FX forward needs the foreign currency it buys or sells", "外汇远期需填写所买卖的外币币种")
    rows = a.require_number(a.require(rows, foreign[rows], "currency", reason), "hedge_effectiveness")
    effectiveness = a.number("hedge_effectiveness")
    for code in np.unique(currency.codes[rows]).tolist():
        name = currency.labels[code].upper()
        chosen = rows[currency.codes[rows] == code]
        effective = effectiveness[chosen] > 0
        figure = currency_figure(name, scope.pack)
        hedge, open_ = chosen[effective], chosen[~effective]
        share = effectiveness[hedge]
        module = currency_module(name, scope.pack)
        scope.charge(hedge, module, figure, direction=Direction.SIGNED, share=share, position=False)
        scope.charge(open_, CURRENCY_UNHEDGED, figure, direction=Direction.ABSOLUTE, position=False)


def _rate_swap(scope: ChargeBuilder, rows: Rows) -> None:
    _counterparty(scope, rows)


def _counterparty(scope: ChargeBuilder, rows: Rows) -> None:
    """R9 §33: EX = max(net book claim on one counterparty, 0), by the counterparty's rating.

    ``book_value`` is the contract's claim now; per CNY of notional it stays the same as the notional changes.
    """
    a = scope.attributes
    held = a.number("amount")[rows] != 0
    a.require_number(rows[held], "book_value")
    a.require(rows[held], _named(scope, rows[held]), "counterparty")
    claim = (~np.isnan(a.number("book_value")[rows]) & _named(scope, rows)) | ~held
    rows = rows[claim]
    scope.charge_by_rating(
        rows, COUNTERPARTY_DEFAULT, "default.derivative", basis=Basis.CLAIM, direction=Direction.SIGNED
    )


def _named(scope: ChargeBuilder, rows: Rows) -> NDArray[np.bool_]:
    return np.asarray(scope.attributes.text("counterparty").codes[rows] >= 0)


def _bond_future(scope: ChargeBuilder, rows: Rows) -> None:
    """No charge but interest rate risk, which takes the future's cash flows (R8 §18)."""


_EFFECTIVENESS = Need("hedge_effectiveness", Text("0 if the hedge is not effective", "无效套期填 0"))
_HELD = Text("contracts held", "已持有的合约")
_CREDIT = (
    Need("counterparty", _HELD),
    Need("rating", Text("of the counterparty", "交易对手评级")),
    Need("book_value", _HELD),
)

DERIVATIVE_RULES: Mapping[str, KindRule] = MappingProxyType(
    {
        "index_future": KindRule(
            _index_future,
            (_EFFECTIVENESS, Need("hedge_months", Text("effective hedges", "有效套期"))),
            currency=False,
        ),
        "fx_forward": KindRule(_fx_forward, (Need("currency"), _EFFECTIVENESS, *_CREDIT), currency=False),
        "rate_swap": KindRule(_rate_swap, _CREDIT, currency=False),
        "bond_future": KindRule(_bond_future, currency=False),
    }
)
"""Rules by kind."""
