"""What part of each row's value counts as liquid reserve (R13 annex 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Problems
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import SCALE, Inputs, column, filled, flags, rating_ranks

__all__ = ["BOOK", "reserve_factors"]

BOOK = RuleBook.load("allocator_liquidity", "rules/liquidity.yaml")

CONVERTIBLE = "convertible_bond"


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the table of factors: whom it speaks of, and what part is kept."""

    kinds: list[str]
    factor: float
    traded: bool = False
    rating: str | None = None
    flag: str | None = None


def reserve_factors(inputs: Inputs, problems: Problems) -> NDArray[np.float64]:
    """Return the part of each row's value that counts as liquid reserve (n,), 0 for what is not liquid.

    A row takes the first line of the table that it meets; the column ``liquidity_factor`` wins. A bond at
    amortised cost or rated below AAA, non-standard debt, alternatives and long-term equity meet none.
    """
    assets = inputs.assets
    kept = np.full(len(assets), np.nan)
    # A bond with a right to shares is a convertible, whatever its kind.
    kind = assets["kind"].mask(filled(assets, "equity_terms"), CONVERTIBLE)
    amortised = np.zeros(len(assets), dtype=bool)
    if "accounting" in assets:
        amortised = (assets["accounting"] == "ac").to_numpy(dtype=bool)
    for entry in BOOK.at("reserve", inputs.as_of).value:
        line = _Line(**entry)
        rows = kind.isin(line.kinds).to_numpy(dtype=bool)
        if line.traded:
            rows = rows & ~amortised
        if line.flag is not None:
            rows = rows & flags(assets, line.flag)
        if line.rating is not None:
            rows = rows & (rating_ranks(inputs, rows, problems) <= SCALE.index(line.rating))
        kept = np.where(np.isnan(kept) & rows, line.factor, kept)
    own = column(assets, "liquidity_factor")
    return np.where(np.isnan(own), np.nan_to_num(kept), own)
