"""How a stress test is shown: ratios by scenario, what moved, how far each factor may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.jurisdiction import Jurisdiction
from allocator.model.terms import TOLERANCE
from allocator.model.units import money_unit
from allocator.report.chart_parts import WIDTH, Chart, draw_axis, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.manifest import Json
from allocator.report.study import StudyReport, records
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.words import HEADINGS, SOURCES, ratio_headings
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund
    from allocator.result.stress import StressStudy
    from allocator.study.reverse import ReverseStudy

__all__ = ["StressParts", "stress_parts", "stress_report"]

FEW = 2
"""Scenarios named before a note that they share."""

TOP, LEFT, PITCH = 8.0, 312.0, 15.0
"""Margins of the chart and the height of a bar with its gap, drawing units."""

BASE = Text("As it is", "当前状况")
TARGET = Text("After the trades", "调整后")

STRESS_HEADINGS = {
    "scenario": Text("Scenario", "情景"),
    "source": HEADINGS["source"],
    "actual_capital": Text("Actual capital", "实际资本"),
    "minimum_capital": Text("Minimum capital", "最低资本"),
    "asset_change": Text("Change of assets", "资产变动"),
    "liability_change": Text("Change of liabilities", "负债变动"),
    "actual_capital_change": Text("Change of actual capital", "实际资本变动"),
    "minimum_capital_change": Text("Change of minimum capital", "最低资本变动"),
}
SHORT = {
    "scenario": STRESS_HEADINGS["scenario"],
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


@dataclass(frozen=True, eq=False)
class StressParts:
    """Scenarios as a report shows them.

    Parameters
    ----------
    tables : tuple of ReportTable
        The scenarios, and every module in each.
    chart : Chart
        The ratios as bars.
    lines : tuple of Text
        The scenarios' notes.
    labels : mapping of str to Text
        What a reader sees for each scenario, the base among them.
    """

    tables: tuple[ReportTable, ReportTable]
    chart: Chart
    lines: tuple[Text, ...]
    labels: Mapping[str, Text]

    @property
    def names(self) -> Json:
        """What JSON says of the scenarios beside the tables."""
        return {"scenarios": [{"name": name, "en": label.en, "zh": label.zh} for name, label in self.labels.items()]}

    def entry(self, unit: float) -> Json:
        """Return what run.json of a run says of the scenarios, money in ``unit``."""
        return {**self.names, "stress": records(self.tables[0], unit)}


def stress_parts(study: StressStudy, base: Text = TARGET) -> StressParts:
    """Return tables, chart and sentences of scenarios; ``base`` names what they start from."""
    labels = {"base": base, **{item.scenario.name: item.scenario.label for item in study.outcomes}}
    ratios = Jurisdiction(tuple(item.ratio for item in study.base.requirements))
    tables = _scenarios(study, labels, ratios), _modules(study, labels)
    return StressParts(tables, _bars(study, labels, ratios), _sentences(study), labels)


def stress_report(book: Fund, study: StressStudy, reverse: ReverseStudy | None, language: Language) -> StudyReport:
    """Return the report of a stress test, with the reverse one where it was asked for."""
    parts = stress_parts(study, BASE)
    tables = [*parts.tables, *([] if reverse is None else [_reverse(reverse, book.inputs.jurisdiction)])]
    return StudyReport(
        "stress",
        Text("Stress test", "压力测试"),
        book.inputs,
        book.regime,
        tuple(tables),
        (parts.chart,),
        parts.lines,
        parts.names,
        language,
        (_on_screen(tables[0], book.inputs.jurisdiction), *tables[2:]),
    )


def _scenarios(study: StressStudy, labels: dict[str, Text], ratios: Jurisdiction) -> ReportTable:
    percents = [str(name) for name in study.frame if str(name).endswith(("_ratio", "_required"))]
    formats = {**dict.fromkeys(MONEY, "money"), **dict.fromkeys(percents, "percent")}
    title = Text("Capital in each scenario", "各情景下的资本")
    headings = {**STRESS_HEADINGS, **ratio_headings(ratios)}
    return ReportTable(
        "stress", title, study.frame, headings, formats, labels={"scenario": labels, "source": _sources(study)}
    )


def _sources(study: StressStudy) -> Mapping[str, Text]:
    found = (item.scenario.source for item in study.outcomes)
    return {str(source): source.text for source in found} | dict(SOURCES)


def _on_screen(table: ReportTable, jurisdiction: Jurisdiction) -> ReportTable:
    """Return the scenarios with the columns that fit a screen."""
    ratios = [name for name in table.frame if str(name).endswith("_ratio")]
    headings = SHORT | {f"{ratio.name}_ratio": ratio.short for ratio in jurisdiction.ratios}
    return replace(table, frame=table.frame[["scenario", *ratios, *MONEY[-2:]]], headings=headings)


def _modules(study: StressStudy, labels: dict[str, Text]) -> ReportTable:
    headings = {**HEADINGS, "scenario": STRESS_HEADINGS["scenario"], "amount": Text("Amount", "金额")}
    formats = {"amount": "money", "change": "money"}
    trees = [item.position.tree for item in study.outcomes if item.position is not None]
    modules = {name: text for tree in trees for name, text in tree.labels.items()}
    named = {"scenario": labels, "module": modules, "parent": modules}
    title = Text("Modules in each scenario", "各情景下的风险模块")
    return ReportTable("stress_modules", title, study.modules, headings, formats, labels=named)


def _reverse(reverse: ReverseStudy, jurisdiction: Jurisdiction) -> ReportTable:
    formats = {"level": "percent", "share": "percent", "reached": "percent", "statutory": "flag", "never": "flag"}
    note = Text(
        "How far a factor goes before the ratio breaks; without a share it holds up to the far end shown.",
        "各因素变动到何种程度会突破充足率；比例为空表示直至所示远端仍未突破。",
    )
    title = Text("How far each factor may go", "反向压力测试")
    labels = {
        "ratio": jurisdiction.ratio_labels,
        "factor": {point.factor: point.label for point in reverse.points},
        "shocks": {str(point.shocks): Text(point.shocks, point.shocks.zh) for point in reverse.points},
    }
    frame = reverse.frame.sort_values("statutory", ascending=False, kind="stable", ignore_index=True)
    return ReportTable("reverse_stress", title, frame, REVERSE_HEADINGS, formats, note, labels)


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


def _bars(study: StressStudy, labels: dict[str, Text], ratios: Jurisdiction) -> Chart:
    """Draw each scenario's ratios as bars, with what is required of them there and the level set by the rules."""
    names = [item.name for item in study.base.requirements]
    statutory = {item.name: item.statutory for item in study.base.requirements}
    finite = np.isfinite(study.frame[f"{names[0]}_ratio"].astype(float))  # a ratio without end has no bar
    frame: pd.DataFrame = study.frame[finite]
    scenarios = frame["scenario"].astype(str).tolist()
    found = {(name, one): ratio for name in names for one, ratio in zip(scenarios, frame[f"{name}_ratio"], strict=True)}
    stated = {
        (name, one): None if np.isnan(level) else float(level)
        for name in names
        for one, level in zip(scenarios, frame[f"{name}_required"].astype(float), strict=True)
    }
    row = PITCH * len(names) + 12.0
    bottom = TOP + row * len(frame)
    ticks = nice_ticks(
        min([0.0, *found.values()]), max([0.0, *found.values(), *statutory.values(), *filter(None, stated.values())])
    )
    title = Text("Solvency ratios by scenario", "各情景偿付能力充足率")
    canvas, scale = Canvas(WIDTH, bottom + 24.0, title), Scale(ticks[0], ticks[-1], LEFT, WIDTH - 50.0)
    draw_axis(canvas, scale, ticks, (TOP, bottom), figure_writer("percent", money_unit(1.0)))
    for place, one in enumerate(scenarios):
        y, label = TOP + place * row + 5.0, labels[one]
        canvas.text(LEFT - 8.0, y + 12.0, label, "small", "end", LEFT - 12.0)
        for number, name in enumerate(names):
            ratio, level = found[name, one], stated[name, one]
            lowest = statutory[name] if level is None else max(level, statutory[name])
            percent, said = _percent(ratio), ratios.ratio(name).label
            asked = Text("nothing required here", "未设要求")
            if level is not None:
                asked = Text(f"required {_percent(level)}", f"要求 {_percent(level)}")
            hint = Text(
                f"{label.en}: {said.en} {percent}; {asked.en}; set by the rules {_percent(statutory[name])}",
                f"{label.zh}：{said.zh} {percent}；{asked.zh}；监管标准 {_percent(statutory[name])}",
            )
            class_ = "breach" if ratio < lowest - TOLERANCE else "after" if number == 0 else "before"
            over = y + PITCH * number
            canvas.rect(scale(0.0), over, scale(ratio) - scale(0.0), PITCH - 2.0, class_, hint)
            for at, drawn in ((statutory[name], "untilted"), (level, "hurdle")):
                if at is not None:
                    canvas.path([(scale(at), over - 2.0), (scale(at), over + PITCH)], drawn)
            canvas.text(max(scale(ratio), scale(0.0)) + 4.0, over + PITCH - 4.0, percent, "value")
    levels = [(ratios.ratio(name).label, _percent(statutory[name])) for name in names]
    note = Text(
        f"Bars from above: {'; '.join(f'{said.en}, {level} by the rules' for said, level in levels)}. "
        "Solid line: the level set by the rules; dashed: what the fund requires there, where it does; red: below one.",
        f"自上而下：{'；'.join(f'{said.zh}，监管标准 {level}' for said, level in levels)}。"
        "实线为监管标准，虚线为本组合在该情景下的要求（如有），红色为低于其一。",
    )
    return Chart(title, canvas, note)


def _percent(value: float) -> str:
    return FORMATS["percent"].write(value, money_unit(1.0))
