"""Columns of assets.csv that liquidity needs beside the instruments' own."""

from __future__ import annotations

from allocator.plugin import Text
from allocator.plugin.tables import Column, Measure, Table

__all__ = ["ASSETS"]

ASSETS = Table(
    "assets",
    (
        Column(
            "early_withdrawal",
            Measure.FLAG,
            Text("Deposit that may be called early", "可提前支取的存款"),
            ("可提前支取", "提前支取"),
        ),
        Column(
            "open_ended",
            Measure.FLAG,
            Text("Fund or product open to redemption; no: in a closed period", "基金或产品可赎回（封闭期填否）"),
            ("开放式", "是否开放式"),
        ),
        Column(
            "pledged_share",
            Measure.RATE,
            Text("Part of the holding that is pledged or otherwise encumbered", "质押或受限部分占比"),
            ("质押比例", "受限比例"),
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "overseas_bond_fund",
            Measure.FLAG,
            Text("Overseas fund that holds bonds", "境外债券基金"),
            ("境外债券基金", "是否境外债券基金"),
        ),
        Column(
            "liquidity_factor",
            Measure.RATE,
            Text("The user's own part that counts as liquid reserve", "自定变现系数"),
            ("变现系数",),
            minimum=0.0,
            maximum=1.0,
        ),
        Column(
            "calls_3m",
            Measure.MONEY,
            Text("Calls of commitments within three months", "未来3个月认缴出资"),
            ("未来3个月出资", "3个月内缴款"),
            minimum=0.0,
        ),
        Column(
            "calls_12m",
            Measure.MONEY,
            Text("Calls of commitments within twelve months", "未来12个月认缴出资"),
            ("未来12个月出资", "12个月内缴款"),
            minimum=0.0,
        ),
    ),
)
