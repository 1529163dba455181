"""What the report says of emerging and future industries: each issuer's share, its basis, and what it scores."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator.plugin.terms import options_of
from allocator_future_industries.tilt import FutureOptions, StrategicOptions, future_scores, strategic_scores

__all__ = ["SECTIONS", "industry_tables"]

_HEADINGS = {
    "issuer": Text("Issuer", "发行人"),
    "named": Text("Class or fields", "类别或领域"),
    "share": Text("Share of revenue", "收入占比"),
    "basis": Text("Basis", "依据"),
    "score": Text("Score", "评分"),
}
_BASES = {
    "audited": Text("audited", "经审计"),
    "unaudited": Text("unaudited: no score", "未经审计：不计分"),
    "announcement": Text("own announcement: no score", "企业自行公告：不计分"),
}


def industry_tables(result: Result) -> Sequence[ReportTable]:
    """Return one table for each of the two tilts that the fund file names."""
    inputs, tables = result.inputs, []
    strategic = options_of(inputs.settings, "strategic_industries", StrategicOptions)
    future = options_of(inputs.settings, "future_industries", FutureOptions)
    if strategic is not None:
        title = Text("Issuers in strategic emerging industries", "战略性新兴产业发行人")
        tables.append(("strategic_industries", title, strategic_scores(inputs, strategic)))
    if future is not None:
        title = Text("Issuers in future industries", "未来产业发行人")
        tables.append(("future_industries", title, future_scores(inputs, future)))
    percent = dict.fromkeys(("share", "score"), "percent")
    return tuple(
        ReportTable(name, title, frame, _HEADINGS, percent, labels={"basis": _BASES})
        for name, title, frame in tables
        if not frame.empty
    )


SECTIONS = (ReportSectionSpec("industries", Text("Emerging and future industries", "新兴与未来产业"), industry_tables),)
