"""What a science-and-technology innovation bond promises beside its coupon, and what each promise changes.

============================  ===========================================================================
type of issuer                shortest tenor at issue (notice of 2026-03-02); bonds from before it have none
right to shares               charged as a convertible, out of the rate hedge, reserve of a convertible
pledge, guarantee             none of their own: the agency rates the issue with them in view, and the rules take
                              the rating of the issue first and that of the issuer where the issue has none (R9 §5)
bought credit protection      R9 §8 by ``protected_share``, ``protection_rating`` and ``protection_book_value``
============================  ===========================================================================

A warrant that trades apart from its bond is an asset of its own: leave ``equity_terms`` empty then.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Text
from allocator.plugin.cash_flows import DAYS_IN_YEAR
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Column, Inputs, Measure, Table, column, rating_cells
from allocator_tech_bonds.pricing import KIND

__all__ = ["EQUITY_TERMS", "ORIGINS", "PLEDGES", "RULES", "TABLES", "bond_terms"]

RULES = RuleBook.load("allocator_tech_bonds", "rules/tech_bonds.yaml")

EQUITY_TERMS = {
    "convertible": Text("convertible", "可转股"),
    "exchangeable": Text("exchangeable", "可换股"),
    "warrant": Text("with warrants", "附认股权证"),
}
PLEDGES = {
    "intellectual_property": Text("intellectual property", "知识产权"),
    "equity": Text("equity", "股权"),
    "receivables": Text("receivables", "应收账款"),
    "property": Text("property", "不动产"),
    "other": Text("other", "其他"),
}
ORIGINS = {
    "issue": Text("the issue", "债项"),
    "issuer": Text("the issuer", "发行主体"),
    "none": Text("no rating", "无评级"),
}

TABLES = (
    Table(
        "assets",
        (
            Column(
                "pledge",
                Measure.CHOICE,
                Text("What is pledged for the bond", "质押物"),
                ("质押物", "质押类型", "质押标的"),
                choices=MappingProxyType(
                    {
                        "intellectual_property": ("知识产权", "知识产权质押", "专利权"),
                        "equity": ("股权", "股权质押"),
                        "receivables": ("应收账款", "应收账款质押"),
                        "property": ("不动产", "不动产抵押"),
                        "other": ("其他",),
                    }
                ),
            ),
            Column(
                "guarantor", Measure.TEXT, Text("Guarantor of the bond", "担保人"), ("担保人", "保证人", "增信机构")
            ),
        ),
    ),
)


def bond_terms(inputs: Inputs) -> pd.DataFrame:
    """Return the terms of the science-and-technology innovation bonds.

    Returns
    -------
    DataFrame
        One row per bond and account: asset_id, account, issuer_type, tenor_at_issue (years; a tap has that of its
        own issue), shortest_tenor (years; empty where the issuer has none, or the bond is older than the notice),
        tenor_met, equity_terms, pledge, guarantor, protected_share, rating (as used), rating_of ("issue",
        "issuer" or "none").
    """
    chosen = inputs.assets["kind"] == KIND
    assets = inputs.assets[chosen].reset_index(drop=True)
    issuers = inputs.table("issuers")
    types = {} if issuers is None else dict(zip(issuers["issuer"], issuers["type"], strict=True))
    frame = assets[["asset_id", "account"]].copy()
    frame["issuer_type"] = assets["issuer"].map(types)
    days = (assets["maturity"] - assets["issue_date"]).dt.days.to_numpy(dtype=float)
    floor = _shortest(inputs, assets, frame["issuer_type"])
    frame["tenor_at_issue"], frame["shortest_tenor"] = days / DAYS_IN_YEAR, floor / DAYS_IN_YEAR
    frame["tenor_met"] = pd.array(
        [pd.NA if np.isnan(d) or np.isnan(f) else bool(d >= f) for d, f in zip(days, floor, strict=True)],
        dtype="boolean",
    )
    for name in ("equity_terms", "pledge", "guarantor"):
        frame[name] = assets[name]
    frame["protected_share"] = column(assets, "protected_share")
    frame["rating"] = rating_cells(assets, issuers)
    own, used = assets["rating"].notna(), frame["rating"].notna()
    frame["rating_of"] = np.select([own, used], ["issue", "issuer"], "none")
    return frame


def _shortest(inputs: Inputs, assets: pd.DataFrame, types: pd.Series) -> NDArray[np.float64]:
    """Return the shortest tenor allowed to each bond when it was issued, days (k,); NaN for none."""
    figure = RULES.at("shortest_tenor", inputs.as_of, early=True)
    since = pd.Timestamp(figure.source.effective)
    days = types.map(figure.value).to_numpy(dtype=float)
    return np.where((assets["issue_date"] >= since).to_numpy(dtype=bool), days, np.nan)
