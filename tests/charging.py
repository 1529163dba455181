"""Charging a few rows in tests: frames as the inputs room hands them over, every figure worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from allocator_cross2.build import ChargeContext, build_charges
from allocator_cross2.charges import Charges, ChargeTable
from allocator_cross2.options import ChargeOptions
from allocator_cross2.pack import RulePack

__all__ = [
    "BOND",
    "CSI",
    "DIVIDEND",
    "ISSUERS",
    "TODAY",
    "Row",
    "build",
    "deposit",
    "factors",
    "forward",
    "future",
    "one",
    "perpetual",
    "stock",
    "table",
]

Row = Mapping[str, Any]
TODAY = date(2026, 6, 30)
CSI, DIVIDEND = "csi300", "csi_dividend_low_vol_100"
ISSUERS = [
    {"issuer": "chips", "type": "technology_firm", "strategic_emerging": True},
    {"issuer": "steel", "type": "non_financial", "strategic_emerging": False},
    {"issuer": "bank", "type": "bank"},
    {"issuer": "cdb", "type": "policy_bank"},
    {"issuer": "amc", "type": "asset_management_company"},
    {"issuer": "insurer", "type": "insurer"},
]
BOND = {"kind": "corporate_bond", "rating": "AAA", "modified_duration": 3.0}


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return the rows as a table; amounts are 100 and in CNY unless given, and assets are called A1, A2 …"""
    given = {"amount": 100.0, "currency": "CNY"}
    return pd.DataFrame([{"asset_id": f"A{number + 1}", **given, **row} for number, row in enumerate(rows)])


def below(rows: Sequence[Row]) -> pd.DataFrame:
    """Return the underlying table, which may be empty."""
    given = [{"currency": "CNY", **row} for row in rows]
    return pd.DataFrame(given) if rows else pd.DataFrame(columns=["asset_id", "kind", "share"])


def build(
    rows: Sequence[Row],
    when: date = TODAY,
    *,
    options: Mapping[str, Any] | None = None,
    underlying: Sequence[Row] | None = None,
    issuers: Sequence[Row] | None = None,
    total_assets: float | None = 1e12,
    comprehensive_ratio: float | None = 2.0,
    limit_assets: float | None = None,
) -> Charges:
    """Return the charges of the rows at a date."""
    chosen = ChargeOptions.model_validate(options or {})
    pack = RulePack.at(when, chosen.overrides, chosen.readings)
    context = ChargeContext(
        when,
        issuers=None if issuers is None else pd.DataFrame(list(issuers)),
        underlying=None if underlying is None else below(underlying),
        total_assets=total_assets,
        comprehensive_ratio=comprehensive_ratio,
        limit_assets=limit_assets,
    )
    return build_charges(frame(rows), pack, chosen, context)


def table(rows: Sequence[Row], when: date = TODAY, holdings: Sequence[float] | None = None, **more: Any) -> ChargeTable:
    """Return the charges of the rows at their amounts or at ``holdings``."""
    return build(rows, when, **more).at(None if holdings is None else np.array(holdings, dtype=float))


def factors(rows: Sequence[Row], when: date = TODAY, **more: Any) -> dict[str, float]:
    """Return the charge of all rows together by module, CNY."""
    found = table(rows, when, **more)
    amounts = found.factor * found.holdings[found.row]
    sums: dict[str, float] = {}
    for module, amount in zip(found.module.tolist(), amounts.tolist(), strict=True):
        name = found.charges.modules[module]
        sums[name] = sums.get(name, 0.0) + amount
    return sums


def one(row: Row, when: date = TODAY, **more: Any) -> dict[str, float]:
    """Return the charge per CNY of one row by module."""
    amount = float(row.get("amount", 100.0))
    return {module: value / amount for module, value in factors([row], when, **more).items()}


def stock(board: str, indices: tuple[str, ...] = (), years: float = 0.0, **more: Any) -> Row:
    """A listed stock bought at its present price: k1 = 0."""
    return {"kind": "listed_stock", "board": board, "indices": indices, "holding_years": years, "cost": 100.0, **more}


def perpetual(issuer: str, met: bool | None, bank_type: str | None = None, kind: str = "perpetual_capital_bond") -> Row:
    return {
        "kind": kind,
        "issuer": issuer,
        "conversion_clause": met is not None,
        "bank_ratios_met": met,
        "bank_type": bank_type,
    }


def deposit(bank_type: str, adequacy: float | None = None, rating: str | None = None) -> Row:
    return {"kind": "deposit", "bank_type": bank_type, "capital_adequacy": adequacy, "rating": rating}


def future(amount: float, effectiveness: float, months: float | None = 2.0) -> Row:
    return {"kind": "index_future", "amount": amount, "hedge_effectiveness": effectiveness, "hedge_months": months}


def forward(amount: float, effectiveness: float, book: float, party: str = "B", currency: str = "USD") -> Row:
    credit = {"counterparty": party, "rating": "AA", "book_value": book}
    return {
        "kind": "fx_forward",
        "amount": amount,
        "currency": currency,
        "hedge_effectiveness": effectiveness,
        **credit,
    }
