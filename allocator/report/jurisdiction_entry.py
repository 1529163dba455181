"""What run.json says of the words of a jurisdiction, and the jurisdiction that a run's words make again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allocator.jurisdiction import MONEY, Account, Currency, Jurisdiction, Ratio
from allocator.types import Text

__all__ = ["jurisdiction_entry", "jurisdiction_of"]

Json = dict[str, Any]


def jurisdiction_entry(jurisdiction: Jurisdiction) -> Json:
    """Return currency, ratios and accounts with their words in both languages."""
    currency = jurisdiction.currency
    return {
        "currency": {
            "code": currency.code,
            **_said(currency.label),
            "multiples": [{"of": scale, **_said(label)} for scale, label in currency.multiples],
        },
        "ratios": {ratio.name: {**_said(ratio.label), "short": _said(ratio.short)} for ratio in jurisdiction.ratios},
        "accounts": {account.name: _said(account.label) for account in jurisdiction.accounts},
    }


def jurisdiction_of(manifest: Mapping[str, Any]) -> Jurisdiction:
    """Return the jurisdiction of a run by its run.json; the ratios are those it gives."""
    entry = manifest.get("jurisdiction", {})
    words: Mapping[str, Any] = entry.get("ratios", {})
    named = {name: Ratio(name, _text(told), _text(told["short"])) for name, told in words.items()}
    given = (Jurisdiction().ratio(name) for name in manifest.get("solvency", {}) if name not in named)
    accounts = (Account(name, _text(told)) for name, told in entry.get("accounts", {}).items())
    return Jurisdiction((*named.values(), *given), tuple(accounts), _currency(entry.get("currency")))


def _currency(told: Mapping[str, Any] | None) -> Currency:
    if told is None:
        return MONEY
    return Currency(told["code"], _text(told), tuple((float(one["of"]), _text(one)) for one in told["multiples"]))


def _said(text: Text) -> Json:
    return {"en": text.en, "zh": text.zh}


def _text(told: Mapping[str, Any]) -> Text:
    return Text(told["en"], told["zh"])
