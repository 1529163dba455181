"""The frontier for people: a chart with its kinks, the points, the stretches with the rule that binds each."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from allocator.model.units import MoneyUnit, money_unit
from allocator.report.chart_parts import WIDTH, Chart, draw_axis, figure_writer
from allocator.report.formats import FORMATS, format_name
from allocator.report.manifest import Json
from allocator.report.study import StudyReport
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.tables import account_labels
from allocator.report.words import HEADINGS, RATIOS, STATUS
from allocator.result.tables import ReportTable
from allocator.study.axis import Axis
from allocator.study.corner_portfolios import CornerPortfolio, Segment
from allocator.study.frontier import Frontier
from allocator.types import Language, Text

__all__ = ["frontier_lines", "frontier_report"]

HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 380.0, 64.0, 26.0, 330.0, WIDTH - 14

ENTERS, LEAVES = Text("begins to bind:", "开始约束："), Text("ceases to bind:", "不再约束：")
BOUNDS = Text("at a bound of their own:", "触及或离开自身上下限：")
TRADED = Text("begin or cease to be traded:", "开始或停止买卖：")
PICKED = Text("another part counts in:", "起作用的部分改变：")
CURVED = Text(
    "the curve itself bends: no rule, bound, trade or module changes", "曲线自身弯曲：规则、上下限、买卖与模块均未改变"
)

MOST_NAMED = 4
"""Assets named at a kink."""


def frontier_report(frontier: Frontier, language: Language) -> StudyReport:
    """Return the files of a frontier."""
    return StudyReport(
        "frontier",
        Text("Frontier", "有效前沿"),
        frontier.inputs,
        frontier.regime,
        (_points(frontier), _stretches(frontier), _allocations(frontier)),
        (Chart(_title(frontier), _chart(frontier), _chart_note(frontier)),),
        (_lead(frontier),),
        language=language,
        record=_record(frontier),
    )


def frontier_lines(frontier: Frontier, language: Language) -> list[str]:
    """Return the console's lines: each stretch with what binds it, each kink, the proof."""
    report = frontier_report(frontier, language)
    lines = [_title(frontier)[language], *(line[language] for line in report.lines)]
    lines += [f"  {line[language]}" for line in _sentences(frontier, report.money)]
    points = frontier.points
    proof = Text(
        f"{len(points)} points, each verified; {sum(point.programs for point in points)} cone programs, "
        f"{sum(frontier.seconds.values()):.1f} s",
        f"{len(points)} 个点，均已复核；共求解 {sum(point.programs for point in points)} 个锥规划，"
        f"{sum(frontier.seconds.values()):.1f} 秒",
    )
    return [*lines, proof[language]]


def _name(axis: Axis) -> Text:
    return RATIOS.get(axis.name, axis.label)


def _title(frontier: Frontier) -> Text:
    best, axis = _name(frontier.best), _name(frontier.axis)
    return Text(f"{best.en} against {axis.en[:1].lower()}{axis.en[1:]}", f"{best.zh}与{axis.zh}的有效前沿")


def _write(axis: Axis, value: float, money: MoneyUnit) -> str:
    return FORMATS[format_name("by_unit", axis.unit)].write(value, money)


def _lead(frontier: Frontier) -> Text:
    money = money_unit(frontier.inputs.unit)
    first, last = frontier.points[0], frontier.points[-1]
    ends = [(_write(frontier.axis, p.level, money), _write(frontier.best, p.value, money)) for p in (first, last)]
    best, axis = _name(frontier.best), _name(frontier.axis)
    return Text(
        f"From {ends[0][0]} to {ends[1][0]} of {axis.en[:1].lower()}{axis.en[1:]}, "
        f"{best.en[:1].lower()}{best.en[1:]} goes from {ends[0][1]} to {ends[1][1]}.",
        f"{axis.zh}由 {ends[0][0]} 至 {ends[1][0]}，{best.zh}由 {ends[0][1]} 变为 {ends[1][1]}。",
    )


def _rule(frontier: Frontier, name: str) -> Text:
    if name in RATIOS:
        return RATIOS[name]
    return frontier.rules.get(name, Text(name, name))


def _binding(frontier: Frontier, names: Sequence[str]) -> Text:
    """Return the rules of a stretch as a list; the promise itself goes without saying."""
    others = [_rule(frontier, name) for name in names if name != frontier.axis.name]
    if not others:
        return Text("nothing but the promise itself", "仅该项要求本身")
    return Text("; ".join(rule.en.rstrip(".") for rule in others), "；".join(rule.zh.rstrip("。") for rule in others))


def _per(frontier: Frontier) -> tuple[float, Text]:
    """Return the step of the axis that slopes are told for: a percentage point, or the axis's whole unit."""
    form = format_name("by_unit", frontier.axis.unit)
    if form == "percent":
        return 0.01, Text("per percentage point", "每个百分点")
    if form == "money":
        money = money_unit(frontier.inputs.unit)
        return money.scale, Text(f"per {money.label.en}", f"每{money.label.zh}")
    return 1.0, Text("per unit", "每单位")


def _slope(frontier: Frontier, slope: float) -> Text:
    step, per = _per(frontier)
    form = format_name("by_unit", frontier.best.unit)
    shown = FORMATS["basis_points" if form == "percent" else form]
    text = shown.write(slope * step, money_unit(frontier.inputs.unit), sign=True)
    return Text(f"{text} {per.en}", f"{per.zh} {text}")


def _sentences(frontier: Frontier, money: MoneyUnit) -> list[Text]:
    """Return one sentence a stretch, and one a kink between them."""
    said: list[Text] = []
    for place, stretch in enumerate(frontier.segments):
        low, high = (_write(frontier.axis, level, money) for level in (stretch.low, stretch.high))
        rules = _binding(frontier, stretch.binding)
        slope = _slope(frontier, _middle(frontier, stretch))
        said.append(
            Text(
                f"{low} – {high}: {slope.en}; binding: {rules.en}",
                f"{low} – {high}：{slope.zh}；起约束作用：{rules.zh}",
            )
        )
        if place < len(frontier.corner_portfolios):
            said.append(_kink_sentence(frontier, frontier.corner_portfolios[place], money))
    return said


def _kink_sentence(frontier: Frontier, kink: CornerPortfolio, money: MoneyUnit) -> Text:
    at = _write(frontier.axis, kink.at, money)
    parts = [Text(f"kink near {at}", f"拐点约 {at}")]
    for names, word in ((kink.enters, ENTERS), (kink.leaves, LEAVES)):
        rules = [_rule(frontier, name) for name in names]
        if rules:
            listed = ", ".join(rule.en.rstrip(".") for rule in rules), "、".join(rule.zh.rstrip("。") for rule in rules)
            parts.append(Text(f"{word.en} {listed[0]}", f"{word.zh}{listed[1]}"))
    if len(parts) == 1:
        parts.append(_other_cause(frontier, kink))
    return Text("; ".join(part.en for part in parts), "；".join(part.zh for part in parts))


def _other_cause(frontier: Frontier, kink: CornerPortfolio) -> Text:
    """Return what changes at a kink where no rule does."""
    for names, word in ((kink.rows, BOUNDS), (kink.traded, TRADED)):
        if names:
            named = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
            return Text(f"{word.en} {named}", f"{word.zh}{named}")
    tree = frontier.model.tree
    if not kink.modules or tree is None:
        return CURVED
    labels = [tree.labels.get(name, Text(name, name)) for name in kink.modules[:MOST_NAMED]]
    named_en, named_zh = ", ".join(label.en for label in labels), "、".join(label.zh for label in labels)
    return Text(f"{PICKED.en} {named_en}", f"{PICKED.zh}{named_zh}")


def _middle(frontier: Frontier, stretch: Segment) -> float:
    return frontier.points[(stretch.first + stretch.last) // 2].slope


def _points(frontier: Frontier) -> ReportTable:
    frame = frontier.frame
    ratios = [str(column) for column in frame if str(column).endswith("_ratio")]
    axis, best = (format_name("by_unit", one.unit) for one in (frontier.axis, frontier.best))
    named = {column: RATIOS.get(column.removesuffix("_ratio"), Text(column, column)) for column in ratios}
    return ReportTable(
        "frontier",
        Text("Points", "各点"),
        frame,
        headings={
            "level": Text("Promised", "要求水平"),
            "reached": Text("Reached", "达到水平"),
            "value": _name(frontier.best),
            "slope": Text("Slope, per unit promised", "斜率（每单位要求）"),
            "expected_return": Text("Expected return", "预期收益率"),
            **named,
            "minimum_capital": Text("Minimum capital", "最低资本"),
            "binding": Text("Binding rules", "起约束作用的规则"),
            "bound": Text("Certified bound", "可证明的界"),
            "gap": Text("Gap", "差距"),
            "status": Text("Status", "状态"),
            "programs": Text("Cone programs", "锥规划个数"),
        },
        formats={
            "level": axis,
            "reached": axis,
            "value": best,
            "expected_return": "percent",
            **dict.fromkeys(ratios, "percent"),
            "minimum_capital": "money",
            "bound": best,
            "gap": "basis_points" if best == "percent" else best,
            "programs": "integer",
        },
        labels={
            "binding": {
                names: _binding(frontier, [name for name in names.split(";") if name]) for names in frame["binding"]
            },
            "status": STATUS,
        },
        # The two figures drawn stand in columns of their own already.
        files_only=(frontier.best.name, f"{frontier.best.name}_ratio", f"{frontier.axis.name}_ratio"),
    )


def _stretches(frontier: Frontier) -> ReportTable:
    rows, labels = [], {}
    for place, stretch in enumerate(frontier.segments):
        kink = frontier.corner_portfolios[place] if place < len(frontier.corner_portfolios) else None
        rule = labels[";".join(stretch.binding)] = _binding(frontier, stretch.binding)
        rows.append(
            {
                "low": stretch.low,
                "high": stretch.high,
                "points": stretch.last - stretch.first + 1,
                "slope": _middle(frontier, stretch),
                "binding": ";".join(stretch.binding),
                "binding_en": rule.en,
                "binding_zh": rule.zh,
                "kink": float("nan") if kink is None else kink.at,
            }
        )
    axis = format_name("by_unit", frontier.axis.unit)
    return ReportTable(
        "stretches",
        Text("Stretches and kinks", "区段与拐点"),
        pd.DataFrame(rows),
        headings={
            "low": Text("From", "起"),
            "high": Text("To", "止"),
            "points": Text("Points", "点数"),
            "slope": Text("Slope in the middle, per unit promised", "中点斜率（每单位要求）"),
            "binding": Text("Binding rules", "起约束作用的规则"),
            "binding_en": Text("Binding rules (English)", "起约束作用的规则（英文）"),
            "binding_zh": Text("Binding rules (Chinese)", "起约束作用的规则（中文）"),
            "kink": Text("Kink after it, near", "其后拐点约在"),
        },
        formats={"low": axis, "high": axis, "kink": axis, "points": "integer"},
        labels={"binding": labels},
        files_only=("binding_en", "binding_zh"),
    )


def _allocations(frontier: Frontier) -> ReportTable:
    frame, money = frontier.allocations, money_unit(frontier.inputs.unit)
    levels = {f"{point.level:.6g}": _write(frontier.axis, point.level, money) for point in frontier.points}
    axis = _name(frontier.axis)
    return ReportTable(
        "allocations",
        Text("Allocation at each point", "各点的配置"),
        frame,
        headings={**HEADINGS, **{level: Text(text, text) for level, text in levels.items()}},
        formats=dict.fromkeys(levels, "money"),
        note=Text(f"A column for each level of: {axis.en}.", f"每列对应一个要求水平：{axis.zh}。"),
        labels={"account": account_labels(frame["account"])},
        summed=tuple(levels),
    )


def _record(frontier: Frontier) -> Json:
    points = frontier.points
    axis, best, unit = frontier.axis, frontier.best, frontier.inputs.unit
    scales = [unit if one.unit == "CNY" else 1.0 for one in (axis, best)]
    optimal = all(point.status == "optimal" for point in points)
    return {
        "status": "optimal" if optimal else "feasible",
        "study": "frontier",
        "between": {"name": axis.name, "unit": axis.unit, "en": _name(axis).en, "zh": _name(axis).zh},
        "best": {"name": best.name, "unit": best.unit, "en": _name(best).en, "zh": _name(best).zh},
        "verified": True,
        "nodes": sum(point.programs for point in points),
        "points": [
            {
                "level": point.level / scales[0],
                "reached": point.reached / scales[0],
                "value": point.value / scales[1],
                "slope": point.slope * scales[0] / scales[1],
                "expected_return": point.expected_return,
                "ratios": dict(point.ratios),
                "minimum_capital": point.minimum_capital / unit,
                "binding": dict(point.prices),
                "gap": point.gap / scales[1],
                "status": point.status,
                "nodes": point.programs,
            }
            for point in points
        ],
        "stretches": [
            {"low": one.low / scales[0], "high": one.high / scales[0], "binding": list(one.binding)}
            for one in frontier.segments
        ],
        "kinks": [
            {
                "at": one.at / scales[0],
                "enters": list(one.enters),
                "leaves": list(one.leaves),
                "rows": list(one.rows),
                "traded": list(one.traded),
                "modules": list(one.modules),
            }
            for one in frontier.corner_portfolios
        ],
        "seconds": dict(frontier.seconds),
    }


def _chart_note(frontier: Frontier) -> Text:
    return Text(
        "Each point is an allocation of its own, re-computed exactly. Rings mark the points next to a kink, where the "
        "binding rules change.",
        "每个点都是一个经精确复算的配置方案；圆环标出拐点两侧的点，即起约束作用的规则发生变化之处。",
    )


def _chart(frontier: Frontier) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, _title(frontier))
    money = money_unit(frontier.inputs.unit)
    levels, values = [p.level for p in frontier.points], [p.value for p in frontier.points]
    across, up = nice_ticks(min(levels), max(levels), 6), nice_ticks(min(values), max(values), 6)
    x, y = Scale(across[0], across[-1], LEFT, RIGHT), Scale(up[0], up[-1], BOTTOM, TOP)
    draw_axis(canvas, x, across, (TOP, BOTTOM), figure_writer(format_name("by_unit", frontier.axis.unit), money))
    write = figure_writer(format_name("by_unit", frontier.best.unit), money)
    for tick in up:
        canvas.line((LEFT, y(tick)), (RIGHT, y(tick)), "grid")
        canvas.text(LEFT - 6, y(tick) + 4, write(tick), "tick", "end")
    canvas.text(LEFT, TOP - 10, _name(frontier.best), "small")
    canvas.text(RIGHT, BOTTOM + 32, _name(frontier.axis), "small", "end")
    canvas.path([(x(level), y(value)) for level, value in zip(levels, values, strict=True)], "owed")
    edges = {place for one in frontier.segments[1:] for place in (one.first - 1, one.first)}
    for place, point in enumerate(frontier.points):
        rules = _binding(frontier, list(point.prices))
        at, value = _write(frontier.axis, point.level, money), _write(frontier.best, point.value, money)
        slope = _slope(frontier, point.slope)
        hint = Text(
            f"{at}: {value}; {slope.en}; binding: {rules.en}", f"{at}：{value}；{slope.zh}；起约束作用：{rules.zh}"
        )
        canvas.circle(
            x(point.level),
            y(point.value),
            5.0 if place in edges else 3.0,
            "binding" if place in edges else "after",
            hint,
        )
    return canvas
