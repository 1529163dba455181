"""How a stress test is shown: ratios by scenario, what moved, how far each factor may go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from allocator.report.chart_parts import WIDTH, draw_axis, figure_writer
from allocator.report.formats import FORMATS, MONEY_UNITS
from allocator.report.sections import ReportTable
from allocator.report.study import Chart, StudyReport
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.words import HEADINGS, RATIOS
from allocator.types import Language, Text

if TYPE_CHECKING:
    from allocator.pipeline import Fund
    from allocator.study.reverse import ReverseStudy
    from allocator.study.stress import StressStudy

__all__ = ["stress_report"]

FEW = 2
"""Scenarios named before a note that they share."""

BASE = Text("As it is", "当前状况")

STRESS_HEADINGS = {
    "scenario": Text("Scenario", "情景"),
    "source": HEADINGS["source"],
    "comprehensive_ratio": RATIOS["comprehensive"],
    "core_ratio": RATIOS["core"],
    "actual_capital": Text("Actual capital", "实际资本"),
    "minimum_capital": Text("Minimum capital", "最低资本"),
    "asset_change": Text("Change of assets", "资产变动"),
    "liability_change": Text("Change of liabilities", "负债变动"),
    "actual_capital_change": Text("Change of actual capital", "实际资本变动"),
    "minimum_capital_change": Text("Change of minimum capital", "最低资本变动"),
}
SHORT = {
    "scenario": STRESS_HEADINGS["scenario"],
    "comprehensive_ratio": Text("Comprehensive", "综合"),
    "core_ratio": Text("Core", "核心"),
    "actual_capital_change": Text("Δ actual", "实际资本变动"),
    "minimum_capital_change": Text("Δ minimum", "最低资本变动"),
}
"""Headings of the screen's table."""

MONEY = (
    *("actual_capital", "minimum_capital", "asset_change", "liability_change"),
    *("actual_capital_change", "minimum_capital_change"),
)
REVERSE_HEADINGS = {
    "factor": Text("Factor", "因素"),
    "ratio": Text("Ratio", "充足率"),
    "level": Text("Must not fall below", "不得低于"),
    "statutory": Text("Set by the rules", "监管要求"),
    "share": Text("Share of the far end", "占远端比例"),
    "never": Text("Never breaks", "不会突破"),
    "shocks": Text("Shocks there", "对应冲击"),
    "reached": Text("Ratio there", "对应充足率"),
}


def stress_report(book: Fund, study: StressStudy, reverse: ReverseStudy | None, language: Language) -> StudyReport:
    """Return the report of a stress test, with the reverse one where it was asked for."""
    labels = {"base": BASE, **{item.scenario.name: item.scenario.label for item in study.outcomes}}
    tables = [_scenarios(study, labels), _modules(study, labels)]
    if reverse is not None:
        tables.append(_reverse(reverse))
    entry = {"scenarios": [{"name": name, "en": label.en, "zh": label.zh} for name, label in labels.items()]}
    return StudyReport(
        "stress",
        Text("Stress test", "压力测试"),
        book.inputs,
        book.regime,
        tuple(tables),
        (_bars(study, labels),),
        _sentences(study),
        entry,
        language,
        (_on_screen(tables[0]), *tables[2:]),
    )


def _scenarios(study: StressStudy, labels: dict[str, Text]) -> ReportTable:
    percents = [str(name) for name in study.frame if str(name).endswith("_ratio")]
    formats = {**dict.fromkeys(MONEY, "money"), **dict.fromkeys(percents, "percent")}
    title = Text("Capital in each scenario", "各情景下的资本")
    return ReportTable("stress", title, study.frame, STRESS_HEADINGS, formats, labels={"scenario": labels})


def _on_screen(table: ReportTable) -> ReportTable:
    """Return the scenarios with the columns that fit a screen."""
    ratios = [name for name in table.frame if str(name).endswith("_ratio")]
    return replace(table, frame=table.frame[["scenario", *ratios, *MONEY[-2:]]], headings=SHORT)


def _modules(study: StressStudy, labels: dict[str, Text]) -> ReportTable:
    headings = {**HEADINGS, "scenario": STRESS_HEADINGS["scenario"], "amount": Text("Amount", "金额")}
    formats = {"amount": "money", "change": "money"}
    trees = [item.position.tree for item in study.outcomes if item.position is not None]
    modules = {name: text for tree in trees for name, text in tree.labels.items()}
    named = {"scenario": labels, "module": modules, "parent": modules}
    title = Text("Modules in each scenario", "各情景下的风险模块")
    return ReportTable("stress_modules", title, study.modules, headings, formats, labels=named)


def _reverse(reverse: ReverseStudy) -> ReportTable:
    formats = {"level": "percent", "share": "percent", "reached": "percent", "statutory": "flag", "never": "flag"}
    note = Text(
        "How far a factor goes before the ratio breaks; without a share it holds up to the far end shown.",
        "各因素变动到何种程度会突破充足率；比例为空表示直至所示远端仍未突破。",
    )
    title = Text("How far each factor may go", "反向压力测试")
    labels = {"ratio": dict(RATIOS)}
    return ReportTable("reverse_stress", title, reverse.frame, REVERSE_HEADINGS, formats, note, labels)


def _sentences(study: StressStudy) -> tuple[Text, ...]:
    """Return each scenario's notes, those that several share once."""
    found: dict[str, tuple[Text, list[Text]]] = {}
    for outcome in study.outcomes:
        for note in outcome.notes:
            found.setdefault(note.en, (note, []))[1].append(outcome.scenario.label)
    lines = []
    for note, scenarios in found.values():
        some = len(scenarios) < len(study.outcomes)
        few = len(scenarios) <= FEW
        english = "; ".join(label.en for label in scenarios) if few else f"{len(scenarios)} scenarios"
        chinese = "；".join(label.zh for label in scenarios) if few else f"{len(scenarios)} 个情景"
        lines.append(Text(f"{english}: {note.en}", f"{chinese}：{note.zh}") if some else note)
    return tuple(lines)


def _bars(study: StressStudy, labels: dict[str, Text]) -> Chart:
    """Draw each scenario's ratios as bars, with the levels they must keep."""
    asked = {item.name: item.statutory if item.required is None else item.required for item in study.base.requirements}
    names = [item.name for item in study.base.requirements]
    frame: pd.DataFrame = study.frame.dropna(subset=[f"{names[0]}_ratio"])
    values = [float(frame[f"{name}_ratio"].max()) for name in names]
    left, top, row = 312.0, 8.0, 15.0 * len(names) + 12.0
    height = top + row * len(frame) + 24.0
    lows = [float(frame[f"{name}_ratio"].min()) for name in names]
    ticks = nice_ticks(min(0.0, *lows), max(*values, *asked.values()))
    title = Text("Solvency ratios by scenario", "各情景偿付能力充足率")
    canvas, scale = Canvas(WIDTH, height, title), Scale(ticks[0], ticks[-1], left, WIDTH - 50.0)
    draw_axis(canvas, scale, ticks, (top, height - 24.0), figure_writer("percent", MONEY_UNITS[-1]))
    for name in names:
        x = scale(asked[name])
        canvas.path([(x, top), (x, height - 24.0)], "hurdle")
    for place, record in enumerate(frame.to_dict("records")):
        y = top + place * row + 5.0
        label = labels[str(record["scenario"])]
        canvas.text(left - 8.0, y + 12.0, label, "small", "end", left - 12.0)
        for number, name in enumerate(names):
            ratio = float(record[f"{name}_ratio"])
            percent = FORMATS["percent"].write(ratio, MONEY_UNITS[-1])
            said = RATIOS.get(name) or Text(name, name)
            hint = Text(f"{label.en}: {said.en} {percent}", f"{label.zh}：{said.zh} {percent}")
            class_ = "breach" if ratio < asked[name] else ("after" if number == 0 else "before")
            canvas.rect(scale(0.0), y + 15.0 * number, scale(ratio) - scale(0.0), 13.0, class_, hint)
            canvas.text(max(scale(ratio), scale(0.0)) + 4.0, y + 15.0 * number + 11.0, percent, "value")
    levels = [
        (RATIOS.get(name) or Text(name, name), FORMATS["percent"].write(asked[name], MONEY_UNITS[-1])) for name in names
    ]
    note = Text(
        f"Bars from above: {'; '.join(f'{said.en}, required {level}' for said, level in levels)}. "
        "Dashed: what is required; red: below it.",
        f"自上而下：{'；'.join(f'{said.zh}，要求 {level}' for said, level in levels)}。虚线为要求，红色为低于要求。",
    )
    return Chart(title, canvas.render(), note)
