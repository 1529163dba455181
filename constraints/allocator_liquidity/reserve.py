"""What part of each row's value counts as liquid reserve (R13 annex 2)."""

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
    amortised cost or rated below AAA, non-standard debt, alternatives and long-term equity meet none. Nothing counts
    that lies in a closed period, of which more than 80% is held today, or that is pledged (``pledged_share``).

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    problems : Problems
        Receives what is missing or impossible; the caller must raise it.

    Source: R13 annex 2.
    """
    assets = inputs.assets
    kept = np.full(len(assets), np.nan)
    # A bond with a right to shares is a convertible, whatever its kind.
    kind = assets["kind"].mask(filled(assets, "equity_terms"), CONVERTIBLE)
    traded = np.ones(len(assets), dtype=bool)
    if "accounting" in assets:
        classes = BOOK.at("reserve.accounting", inputs.as_of).names
        traded = (assets["accounting"].isin(classes) | assets["accounting"].isna()).to_numpy(dtype=bool)
    for entry in BOOK.at("reserve", inputs.as_of).value:
        line = _Line(**entry)
        rows = kind.isin(line.kinds).to_numpy(dtype=bool)
        if line.traded:
            rows = rows & traded
        if line.flag is not None:
            rows = rows & flags(assets, line.flag)
        if line.rating is not None:
            rows = rows & (rating_ranks(inputs, rows, problems) <= SCALE.index(line.rating))
        kept = np.where(np.isnan(kept) & rows, line.factor, kept)
    kept = np.where(_locked(inputs), 0.0, np.nan_to_num(kept))
    own = column(assets, "liquidity_factor")
    free = 1.0 - np.nan_to_num(column(assets, "pledged_share"))
    return np.where(np.isnan(own), kept, own) * free


def _locked(inputs: Inputs) -> NDArray[np.bool_]:
    """Return which funds and products lie in a closed period or are held above the largest share (n,)."""
    assets = inputs.assets
    fund = assets["kind"].isin(BOOK.at("reserve.closed_kinds", inputs.as_of).names).to_numpy(dtype=bool)
    closed = np.zeros(len(assets), dtype=bool)
    if "open_ended" in assets:
        closed = assets["open_ended"].eq(False).fillna(False).to_numpy(dtype=bool)
    held = assets.groupby("asset_id")["amount"].transform("sum").to_numpy(dtype=float)
    size = column(assets, "fund_size")
    share = np.divide(held, size, out=np.zeros(len(assets)), where=size > 0)
    return np.asarray(fund & (closed | (share > BOOK.at("reserve.largest_share", inputs.as_of).number)))
