"""How a backtest is shown: each strategy's ratio path, growth, dates short of the requirement, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.model.units import money_unit
from allocator.report.chart_parts import WIDTH, Chart, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.study import StudyReport
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.words import HEADINGS, RATIOS
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund
    from allocator.study.backtest import BacktestStudy

__all__ = ["backtest_report"]

NAMES = {
    "exact": Text("exact optimizer", "精确优化"),
    "hold": Text("mix kept", "维持配置"),
    "naive": Text("naive cone", "朴素锥松弛"),
}
MARKS = ("after", "before", "binding")
"""Colours of the strategies, in order."""

BACKTEST_HEADINGS = {
    **HEADINGS,
    "strategy": Text("Strategy", "策略"),
    "date": Text("Date", "日期"),
    "comprehensive_ratio": RATIOS["comprehensive"],
    "core_ratio": RATIOS["core"],
    "comprehensive_required": Text("Comprehensive required", "综合要求"),
    "core_required": Text("Core required", "核心要求"),
    "holds": Text("Holds", "是否满足"),
    "answered": Text("Answered", "有解"),
    "assets": Text("Assets", "资产"),
    "actual_capital": Text("Actual capital", "实际资本"),
    "cost": Text("Cost", "交易成本"),
    "turnover": Text("Turnover", "换手率"),
    "growth": Text("Growth a year", "年化增长"),
    "worst_room": Text("Worst room", "最小余量"),
    "dates_short": Text("Dates short", "未达标次数"),
    "dates": Text("Dates", "决策次数"),
    "unanswered": Text("Unanswered", "无解次数"),
}
TOP, BOTTOM, LEFT, HEIGHT = 12.0, 30.0, 54.0, 280.0
"""Margins and height of the chart, drawing units."""


def backtest_report(book: Fund, study: BacktestStudy, language: Language) -> StudyReport:
    """Return the report of a backtest."""
    ratios = [str(name) for name in study.frame if str(name).endswith(("_ratio", "_required"))]
    formats = {
        **dict.fromkeys((*ratios, "turnover"), "percent"),
        **dict.fromkeys(("assets", "actual_capital", "cost"), "money"),
        **dict.fromkeys(("holds", "answered"), "flag"),
    }
    labels = {"strategy": NAMES}
    title = Text("Date by date", "逐期")
    path = ReportTable("backtest", title, study.frame, BACKTEST_HEADINGS, formats, labels=labels)
    formats = {
        **{"growth": "percent", "worst_room": "points", "turnover": "percent", "cost": "money"},
        **dict.fromkeys(("dates_short", "dates", "unanswered"), "integer"),
    }
    title = Text("How each strategy fared", "各策略结果")
    summary = ReportTable("backtest_summary", title, study.summary, BACKTEST_HEADINGS, formats, labels=labels)
    lines = list(_LINES)
    if study.unseen:
        names = ", ".join(study.unseen)
        lines.append(
            Text(
                f"without returns, taken to earn their expected return: {names}", f"无历史收益率，按预期收益计：{names}"
            )
        )
    return StudyReport(
        "backtest",
        Text("Backtest", "回测"),
        book.inputs,
        book.regime,
        (summary, path),
        (_path(study),),
        tuple(lines),
        {"years": study.years},
        language,
        (summary,),
    )


_LINES = (
    Text(
        "every decision saw returns and curves up to its date only; rules, liabilities and terms are the fund file's",
        "每次决策仅使用截至当日的收益率与曲线；规则、负债与条款取自组合文件",
    ),
    Text(
        "ratios are the exact engine's, after trading and its costs",
        "充足率由精确引擎在交易及成本之后计算",
    ),
)


def _path(study: BacktestStudy) -> Chart:
    """Draw the first ratio of each strategy over time, with what is required."""
    title = Text("Exact ratio after each decision", "各次决策后的精确充足率")
    name = next(iter(study.decisions[0].ratios))
    strategies = list(study.last)
    dates = sorted({item.date for item in study.decisions})
    levels = [item.limits[name] for item in study.decisions if name in item.limits]
    figures = [*(item.ratios[name] for item in study.decisions), *levels]
    ticks = nice_ticks(min(figures), max(figures))
    canvas = Canvas(WIDTH, HEIGHT, title)
    x = Scale(0.0, float(max(len(dates) - 1, 1)), LEFT, WIDTH - 16.0)
    y = Scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    write = figure_writer("percent", money_unit(1.0))
    for tick in ticks:
        canvas.line((LEFT, y(tick)), (WIDTH - 16.0, y(tick)), "grid")
        canvas.text(LEFT - 6.0, y(tick) + 4.0, write(tick), "tick", "end")
    for place in range(0, len(dates), max(1, len(dates) // 6)):
        canvas.text(x(place), HEIGHT - 10.0, dates[place], "tick", "middle")
    for number, strategy in enumerate(strategies):
        before: tuple[float, float] | None = None
        for item in (one for one in study.decisions if one.strategy == strategy):
            point = (x(dates.index(item.date)), y(item.ratios[name]))
            if before is not None:
                canvas.line(before, point, "join")
            said = NAMES.get(strategy) or Text(strategy, strategy)
            percent = FORMATS["percent"].write(item.ratios[name], money_unit(1.0))
            hint = Text(f"{said.en}, {item.date}: {percent}", f"{said.zh}，{item.date}：{percent}")
            canvas.circle(*point, 3.5, "breach" if not item.holds else MARKS[number % len(MARKS)], hint)
            before = point
    if levels:
        canvas.path([(LEFT, y(levels[0])), (WIDTH - 16.0, y(levels[0]))], "hurdle")
    note = Text("Dashed: what is required; red: below it.", "虚线为要求；红色为未达标。")
    return Chart(title, canvas, note)
