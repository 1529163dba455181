"""How a plan is shown: its ratios against what is required, what flows, what is held, which step binds and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.jurisdiction import Jurisdiction
from allocator.model.units import money_unit
from allocator.pipeline.scenarios import scenario_named
from allocator.report.chart_parts import WIDTH, Chart, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.study import StudyReport
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.tables import account_labels, kind_labels
from allocator.report.words import HEADINGS, ratio_headings
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund
    from allocator.study.plan import PlanStudy

__all__ = ["plan_report"]

PLAN_HEADINGS = {
    "node": Text("Node", "节点"),
    "step": Text("Step", "期"),
    "date": Text("Date", "日期"),
    "branch": Text("Branch", "分支"),
    "probability": Text("Probability", "概率"),
    "binding": HEADINGS["binding"],
    "assets": Text("Assets", "资产"),
    "actual_capital": Text("Actual capital", "实际资本"),
    "minimum_capital": Text("Minimum capital", "最低资本"),
    "matured_and_coupons": Text("Coupons and principal", "利息与到期本金"),
    "distributed": Text("Paid out by funds", "基金分配"),
    "capital_called": Text("Called by funds", "基金缴款"),
    "cash_from_outside": Text("Cash from outside", "外部现金流"),
    "bought": Text("Bought", "买入"),
    "sold": Text("Sold", "卖出"),
    "turnover": Text("Turnover", "换手率"),
    "scenario": Text("Scenario", "情景"),
    "ratio": Text("Ratio", "充足率"),
    "reached": Text("Reached", "达到"),
    "required": HEADINGS["required"],
    "room": HEADINGS["slack"],
    "price": Text("Price of own funds", "资本的影子价格"),
    "holds": Text("Holds", "是否满足"),
    "new_issue": Text("New issue", "新增投资"),
    "amount": Text("Amount", "金额"),
}
MONEY = (
    *("assets", "actual_capital", "minimum_capital", "matured_and_coupons", "distributed", "capital_called"),
    *("cash_from_outside", "bought", "sold"),
)
SCREEN = (("step", "date", "branch"), ("binding", "assets", "sold", "turnover"))
"""Columns of the screen's table before and after the ratios."""

TOP, BOTTOM, LEFT, HEIGHT = 12.0, 40.0, 54.0, 280.0
"""Margins and height of the chart, drawing units."""


def plan_report(book: Fund, study: PlanStudy, language: Language) -> StudyReport:
    """Return the report of a plan."""
    percents = [str(name) for name in study.frame if str(name).endswith(("_ratio", "_required"))]
    formats = {
        **dict.fromkeys(MONEY, "money"),
        **dict.fromkeys((*percents, "probability", "turnover"), "percent"),
        "binding": "flag",
    }
    headings = {**HEADINGS, **PLAN_HEADINGS, **ratio_headings(book.inputs.jurisdiction)}
    labels = _labels(book, study)
    # On one branch there is nothing to tell apart.
    single = ("branch", "probability") if study.frame["branch"].nunique() == 1 else ()
    aside = ("node", *single)
    title = Text("Step by step", "逐期")
    path = ReportTable("plan", title, study.frame, headings, formats, labels=labels, files_only=aside)
    ratios_of = [f"{name}_ratio" for name in book.inputs.jurisdiction.ratio_labels]
    wide = (*SCREEN[0], *ratios_of, *SCREEN[1])
    shown = [name for name in wide if name in study.frame and name not in aside]
    screen = replace(path, frame=study.frame[shown])
    formats = {"reached": "percent", "required": "percent", "room": "points", "price": "number", "holds": "flag"}
    title = Text("Every ratio", "各项充足率")
    aside = single if (study.ratios["scenario"] != "").any() else (*single, "scenario")
    ratios = ReportTable("plan_ratios", title, study.ratios, headings, formats, labels=labels, files_only=aside)
    formats = {"amount": "money", "bought": "money", "sold": "money", "new_issue": "flag"}
    title = Text("What is held", "持仓")
    held = ReportTable("plan_holdings", title, study.holdings, headings, formats, labels=labels, files_only=single)
    entry = {
        "status": study.solution.status,
        "holds": study.holds,
        "objective": study.solution.objective,
        "bound": study.solution.bound,
        "gap": study.solution.gap,
        "rounds": study.rounds,
        "breaches": dict(study.breaches),
    }
    lines = tuple(_sentences(study, labels["scenario"], book.inputs.jurisdiction))
    return StudyReport(
        "plan",
        Text("Plan", "多期规划"),
        book.inputs,
        book.regime,
        (path, ratios, held),
        _path(study, labels["branch"]),
        lines,
        entry,
        language,
        (screen,),
    )


def _labels(book: Fund, study: PlanStudy) -> Mapping[str, Mapping[str, Text]]:
    """Return what a reader sees for the accounts, kinds, ratios, scenarios and branches of the tables."""
    happened = {moment.node.branch: moment.node.scenarios for moment in study.moments}
    under = [str(name) for name in study.ratios["scenario"].unique() if name]
    return {
        "account": account_labels(study.holdings["account"], book.inputs.jurisdiction),
        "kind": kind_labels(book.inputs),
        "ratio": book.inputs.jurisdiction.ratio_labels,
        "scenario": {name: scenario_named(book, name, "plan.under").label for name in under},
        "branch": {name: _joined([item.label for item in scenarios]) for name, scenarios in happened.items()},
    }


def _joined(labels: Sequence[Text]) -> Text:
    if not labels:
        return Text("as planned", "按计划")
    return Text("; ".join(label.en for label in labels), "；".join(label.zh for label in labels))


def _sentences(study: PlanStudy, scenarios: Mapping[str, Text], jurisdiction: Jurisdiction) -> Iterator[Text]:
    yield _verdict(study)
    for moment in study.moments:
        own = [x for x in study.points if x.node is moment.node and x.binds]
        for point in own:
            labels = study.positions[moment.node.number].tree.labels
            causes = [labels[name] for name in study.causes(moment)]
            english, chinese = ", ".join(c.en for c in causes), "、".join(c.zh for c in causes)
            name, currency = jurisdiction.ratio(point.ratio).label, jurisdiction.currency
            label = scenarios.get(point.scenario)
            under = ("", "") if label is None else (f" ({label.en})", f"（{label.zh}）")
            ratio = FORMATS["percent"].write(point.reached, money_unit(1.0))
            yield Text(
                f"step {point.node.step} binds{under[0]}: {name.en} {ratio}; own funds are worth "
                f"{point.price * 100:.2f} cents a year per {currency.code} there; what grew most since the step "
                f"before: {english or 'nothing'}",
                f"第 {point.node.step} 期构成约束{under[1]}：{name.zh} {ratio}；每{currency.label.zh}资本的影子价格"
                f"为每年 {point.price * 100:.2f} 分；较上期增长最多的风险：{chinese or '无'}",
            )
    for rule, miss in study.breaches.items():
        yield Text(f"missed by {miss:.3g}: {rule}", f"未满足（差 {miss:.3g}）：{rule}")
    yield from ASSUMPTIONS


def _verdict(study: PlanStudy) -> Text:
    gap = f"{study.solution.gap * 1e4:.3f} bp"
    if study.holds:
        return Text(
            f"every ratio and rule holds at every step, by the exact engine; {study.rounds} rounds; the last model's "
            f"answer is within {gap} a year of its bound, which is no proof for plans around another path",
            f"经精确引擎逐期复核，各期充足率与规则均满足；共 {study.rounds} 轮；末轮模型解与其上界相差 {gap}（年化），"
            "该差距不构成对其他路径的最优性证明",
        )
    missed = sum(not point.holds for point in study.points)
    return Text(
        f"NOT met: {missed} ratios and {len(study.breaches)} rules, by the exact engine, after {study.rounds} rounds",
        f"未满足：经精确引擎复核，{study.rounds} 轮后仍有 {missed} 项充足率、{len(study.breaches)} 项规则未达要求",
    )


ASSUMPTIONS = (
    Text(
        "assumptions: the curve and expected returns stay as they are; contracts run to their first call, put or "
        "maturity; what is bought later keeps today's terms; charges for the gain of stock keep today's gain; stock "
        "grows older with the steps, and what is bought lowers its average age",
        "假设：收益率曲线与预期收益保持不变；合同持有至首个赎回、回售或到期日；后续买入按当前条款并保持期限；"
        "股票特征系数按当前浮盈比例；持有年限随期数增加，新买入部分拉低平均年限",
    ),
    Text(
        "assumptions: liabilities move by the present value of their listed flows on the fund's curve, with no tax, no "
        "dividend to policyholders and no change of insurance risk",
        "假设：负债按所列现金流在组合曲线上的现值变动；不计税、保单红利与保险风险变化",
    ),
)


def _path(study: PlanStudy, branches: Mapping[str, Text]) -> tuple[Chart, ...]:
    """Draw the ratios over time, a line a branch, with what is required; nothing where one has no end."""
    title = Text("Solvency ratios along the plan", "规划期内的偿付能力充足率")
    own = [point for point in study.points if not point.scenario]
    steps = max(point.node.step for point in own)
    figures = [point.reached for point in own] + [x.required for x in own if not np.isnan(x.required)]
    figures += [study.basis.fund.position().ratio(own[0].ratio)]  # type: ignore[union-attr]
    if not np.isfinite(figures).all():
        return ()
    ticks = nice_ticks(min(figures), max(figures))
    canvas = Canvas(WIDTH, HEIGHT, title)
    x = Scale(0.0, float(steps), LEFT, WIDTH - 16.0)
    y = Scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    write = figure_writer("percent", money_unit(1.0))
    for tick in ticks:
        canvas.line((LEFT, y(tick)), (WIDTH - 16.0, y(tick)), "grid")
        canvas.text(LEFT - 6.0, y(tick) + 4.0, write(tick), "tick", "end")
    every = max(1, steps // 10)
    for step in range(0, steps + 1, every):
        canvas.text(x(step), HEIGHT - BOTTOM + 16.0, str(step), "tick", "middle")
    canvas.text(0.5 * (LEFT + WIDTH), HEIGHT - 6.0, PLAN_HEADINGS["step"], "tick", "middle")
    for name in dict.fromkeys(point.ratio for point in own):
        chosen = {point.node.number: point for point in own if point.ratio == name}
        start = study.basis.fund.position().ratio(name)  # type: ignore[union-attr]
        said = study.basis.fund.inputs.jurisdiction.ratio(name).label
        for point in chosen.values():
            parent = chosen.get(point.node.parent)
            before = (0.0, start) if parent is None else (float(parent.node.step), parent.reached)
            canvas.line((x(before[0]), y(before[1])), (x(point.node.step), y(point.reached)), "join")
            percent = FORMATS["percent"].write(point.reached, money_unit(1.0))
            branch = branches[point.node.branch]
            hint = Text(
                f"step {point.node.step}, {branch.en}: {said.en} {percent}",
                f"第 {point.node.step} 期，{branch.zh}：{said.zh} {percent}",
            )
            class_ = "breach" if not point.holds else "binding" if point.binds else "after"
            canvas.circle(x(point.node.step), y(point.reached), 3.5, class_, hint)
        percent = FORMATS["percent"].write(start, money_unit(1.0))
        canvas.circle(x(0.0), y(start), 3.5, "before", Text(f"now: {said.en} {percent}", f"当前：{said.zh} {percent}"))
        canvas.text(x(0.0) + 8.0, y(start) - 8.0, said, "halo")
        asked = [(x(p.node.step), y(p.required)) for p in chosen.values() if not np.isnan(p.required)]
        if asked:
            canvas.path(sorted(asked), "hurdle")
    note = Text(
        "Dashed: what is required. Yellow: the ratio binds there; red: it is missed.",
        "虚线为要求；黄色表示该期充足率构成约束，红色表示未满足。",
    )
    return (Chart(title, canvas, note),)
