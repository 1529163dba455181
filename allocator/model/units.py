"""Units of terms, as they are written in files, and what people read for them; ``money`` goes by the currency."""

from __future__ import annotations

from collections.abc import Mapping

from allocator.types import Text

__all__ = ["UNIT_NAMES"]

UNIT_NAMES: Mapping[str, Text] = {
    "ratio": Text("ratio", "比率"),
    "share": Text("share", "占比"),
    "share of total assets": Text("share of total assets", "占总资产比例"),
    "share of the portfolio": Text("share of the portfolio", "占组合比例"),
    "share of the group": Text("share of the group", "占该组比例"),
    "share of the fund": Text("share of the fund", "占基金比例"),
    "share of the company's capital": Text("share of the company's capital", "占公司股本比例"),
    "share of outflows": Text("share of outflows", "占现金流出比例"),
    "share of the liabilities' DV01": Text("share of the liabilities' DV01", "占负债基点价值比例"),
    "annual decimal": Text("a year", "年化"),
    "years": Text("years", "年"),
    "number": Text("number", "数值"),
}
