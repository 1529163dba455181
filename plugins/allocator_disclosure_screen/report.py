"""What the report says of disclosure cases: barred until when, watched, free again, and what is held."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import Text
from allocator.plugin.report import ReportSectionSpec, ReportTable, Result
from allocator_disclosure_screen.screen import RULE, ScreenOptions, State, disclosure_cases

__all__ = ["SECTIONS", "case_tables"]

_HEADINGS = {
    "issuer": Text("Issuer", "发行人"),
    "case": Text("Case", "案件"),
    "opened": Text("Opened", "立案日期"),
    "closed": Text("Closed", "结案日期"),
    "until": Text("Until", "截止日期"),
    "state": Text("Now", "当前状态"),
    "target": Text("Target holding", "目标持仓"),
}
_LABELS = {
    "case": {
        "investigation": Text("investigation", "立案调查"),
        "penalty": Text("penalty", "行政处罚"),
        "warning": Text("warning", "监管警示"),
    },
    "state": {
        str(State.BARRED): Text("no new purchases", "不得新增买入"),
        str(State.WATCHED): Text("on the watch-list", "列入观察名单"),
        str(State.FREE): Text("free again", "已解除"),
    },
}


def case_tables(result: Result) -> Sequence[ReportTable]:
    """Return all cases; nothing where the fund file does not name the rule or no issuer has a case."""
    inputs = result.inputs
    entry = next((entry for entry in inputs.settings.constraints if entry.name == RULE), None)
    if entry is None:
        return ()
    frame = disclosure_cases(inputs, ScreenOptions.model_validate(entry.options))
    if frame.empty:
        return ()
    for name in ("opened", "closed", "until"):
        frame[name] = frame[name].astype(str).replace("NaT", "")
    held = inputs.assets[["issuer"]].assign(target=result.holdings).groupby("issuer")["target"].sum()
    frame["target"] = frame["issuer"].map(held).fillna(0.0)
    title = Text("Disclosure cases", "信息披露案件")
    return (ReportTable("disclosure_cases", title, frame, _HEADINGS, {"target": "money"}, labels=_LABELS),)


SECTIONS = (ReportSectionSpec("disclosure_cases", Text("Disclosure screen", "信息披露筛查"), case_tables),)
