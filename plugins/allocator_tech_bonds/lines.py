"""Re-openings ("taps") of one bond as one position.

A tap is issued on the terms of its original line and merged with it after listing (notice of 2026-03-02): the
holdings then are one bond, with one cost. ``tap_of`` names the original, or an earlier tap of it. Tranches of
one registration are different bonds and stay apart: they name no original.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Problems, Text
from allocator.plugin.tables import PRICE_BASE, Inputs, column

__all__ = ["SAME_TERMS", "bond_lines", "merged_positions"]

SAME_TERMS = (
    *("kind", "issuer", "coupon", "frequency", "maturity", "next_call_date", "call_price", "put_date"),
    *("floating", "amortisation"),
)
"""What a tap has in common with its original line."""


def bond_lines(inputs: Inputs) -> NDArray[np.object_]:
    """Return the asset_id of each row's original line (n,): its own where it is no tap.

    Raises
    ------
    InputError
        For taps that re-open each other in a circle, and for a tap whose terms are not the line's.
    """
    assets = inputs.assets
    names = assets["asset_id"].to_numpy(dtype=object)
    if "tap_of" not in assets or not assets["tap_of"].notna().any():
        return names
    first = ~assets["asset_id"].duplicated()
    parent = dict(
        zip(names[first], assets["tap_of"].where(assets["tap_of"].notna(), assets["asset_id"])[first], strict=True)
    )
    problems = Problems()
    line = names
    for _ in range(len(parent)):
        earlier = np.array([parent[name] for name in line], dtype=object)
        if np.array_equal(earlier, line):
            break
        line = earlier
    else:
        # A chain longer than there are bonds goes round.
        what = Text("taps re-open each other in a circle", "续发关系出现循环")
        moving = np.flatnonzero([parent[name] != name for name in line])
        problems.add(what, inputs.where("assets", int(moving[0]), "tap_of"))
        problems.raise_if_any()
    original = pd.Index(names[first]).get_indexer(pd.Index(line))
    terms = assets.loc[first].iloc[original].reset_index(drop=True)
    for name in SAME_TERMS:
        if name in assets:
            other = (assets[name] != terms[name]) & ~(assets[name].isna() & terms[name].isna())
            for row in np.flatnonzero(other):
                problems.add(
                    Text("a tap has other terms than the bond it re-opens", "续发债券条款与原债券不一致"),
                    inputs.where("assets", int(row), name),
                    str(assets[name].iloc[row]),
                    str(terms[name].iloc[row]),
                    Text(
                        "another tranche of the registration is a bond of its own: leave tap_of empty",
                        "同一注册额度下的不同品种为独立债券，tap_of 应留空",
                    ),
                )
    problems.raise_if_any()
    return line


def merged_positions(inputs: Inputs, holdings: NDArray[np.float64]) -> pd.DataFrame:
    """Return one row per line and account that holds it in several issues or by a tap.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    holdings : ndarray (n,)
        Target amounts, CNY.

    Returns
    -------
    DataFrame
        asset_id (the line), account, issues, amount, target, face, cost, book_value (CNY; empty when a cell of
        the line is), cost_price (per 100 of face: Σ cost / Σ face).
    """
    line = bond_lines(inputs)
    assets = inputs.assets
    frame = pd.DataFrame(
        {
            "asset_id": line,
            "account": assets["account"].fillna("").to_numpy(),
            "issues": 1,
            "amount": column(assets, "amount"),
            "target": holdings,
            "tap": line != assets["asset_id"].to_numpy(dtype=object),
        }
        | {name: column(assets, name) for name in ("face", "cost", "book_value")}
    )
    tapped = frame.groupby("asset_id")["tap"].transform("any")
    groups = frame[tapped].groupby(["asset_id", "account"], sort=False)
    merged = groups[["issues", "amount", "target"]].sum()
    for name in ("face", "cost", "book_value"):
        merged[name] = groups[name].sum(min_count=1).where(~groups[name].apply(lambda cells: cells.isna().any()))
    merged["cost_price"] = PRICE_BASE * merged["cost"] / merged["face"]
    return merged.reset_index()
