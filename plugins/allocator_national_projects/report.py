"""What the report says of the evidence: what counts in full, what is stale, what does not count and why."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator.plugin.terms import options_of
from allocator_national_projects.tilt import NAME, Evidence, ProjectOptions, evidence

__all__ = ["SECTIONS", "evidence_tables"]

_HEADINGS = {
    "issuer": Text("Issuer", "发行人"),
    "evidence": Text("Evidence", "证据"),
    "source": Text("Source", "来源"),
    "date": Text("Date", "日期"),
    "state": Text("Counts", "计分情况"),
    "score": Text("Score", "评分"),
}
_STATES = {
    Evidence.FRESH: Text("in full", "全额计分"),
    Evidence.STALE: Text("less: the evidence is old, renew it", "证据已超期，减少计分，请更新"),
    Evidence.ANNOUNCED: Text("not: the firm's own announcement", "不计分：企业自行公告"),
    Evidence.MISSING: Text("not: evidence, source or date is missing", "不计分：缺少证据、来源或日期"),
    Evidence.LATER: Text("not: dated after the valuation", "不计分：日期晚于评估日"),
}


def evidence_tables(result: Result) -> Sequence[ReportTable]:
    """Return every issuer whose flag is set; nothing where the fund file does not name the tilt."""
    options = options_of(result.inputs.settings, NAME, ProjectOptions)
    if options is None:
        return ()
    frame = evidence(result.inputs, options)
    if frame.empty:
        return ()
    frame["date"] = frame["date"].astype(str).replace("NaT", "")
    title = Text("Evidence of national major projects", "国家重大科技项目证据")
    labels = {"state": {str(state): text for state, text in _STATES.items()}}
    return (ReportTable("project_evidence", title, frame, _HEADINGS, {"score": "percent"}, labels=labels),)


SECTIONS = (
    ReportSectionSpec("project_evidence", Text("National major projects", "国家重大科技项目"), evidence_tables),
)
