"""The column of assets.csv that yield coverage needs beside the instruments' own."""

from __future__ import annotations

from allocator.plugin import Text
from allocator.plugin.tables import Column, Measure, Table

__all__ = ["ASSETS"]

ASSETS = Table(
    "assets",
    (
        Column(
            "net_yield",
            Measure.RATE,
            Text("Coupon, dividend and rent a year per unit of amount", "净投资收益率（票息、股息、租金）"),
            ("净投资收益率", "股息率", "租金收益率"),
            minimum=-0.5,
            maximum=0.5,
        ),
    ),
)
