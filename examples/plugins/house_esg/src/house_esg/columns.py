"""The columns that a house fills in for its holdings."""

from __future__ import annotations

from allocator.plugin import Text
from allocator.plugin.tables import Column, Measure, Table

__all__ = ["TABLES"]

TABLES = (
    Table(
        "assets",
        (
            Column(
                "esg_score",
                Measure.NUMBER,
                Text("ESG score, 0 to 100", "ESG 评分（0–100）"),
                ("ESG评分",),
                minimum=0.0,
                maximum=100.0,
            ),
            Column(
                "carbon_intensity",
                Measure.NUMBER,
                Text("Tonnes of CO2e per CNY million of revenue", "碳强度（吨二氧化碳当量/百万元营收）"),
                ("碳强度",),
                minimum=0.0,
            ),
        ),
    ),
)
