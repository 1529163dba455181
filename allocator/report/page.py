"""report.html: one self-contained page, in both languages, that opens without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from allocator.report import charts
from allocator.report.chart_cash_flows import cash_flow_chart
from allocator.report.chart_durations import duration_chart
from allocator.report.chart_marginal import marginal_chart
from allocator.report.chart_parts import Chart
from allocator.report.chart_returns import return_chart
from allocator.report.chart_tilts import tilt_exposure_chart, tilt_price_chart
from allocator.report.document import Chip, Part, document, evidence, footer, money_note
from allocator.report.overview import overview
from allocator.report.page_table import page_table
from allocator.report.stress import StressParts
from allocator.report.tables import CHARGE_COLUMNS, by_trade
from allocator.report.templating import render
from allocator.report.view import View
from allocator.report.words import STATUS
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["page", "write_page"]


def write_page(view: View, path: Path) -> None:
    """Write the page of a result."""
    path.write_text(page(view), encoding="utf-8")


def page(view: View) -> str:
    """Return the page of a result as HTML."""
    parts = [*_own_parts(view), *_plugin_parts(view), evidence(view.manifest)]
    fund = view.manifest["fund"]
    title = Text(f"{fund['name']}: allocation report", f"{fund['name']}：资产配置报告")
    facts = [Text(fund["as_of"], fund["as_of"]), money_note(view.money)]
    if view.result.regime is not None:
        facts.append(view.result.regime.label)
    return document(title, view.language, fund["name"], facts, parts, footer(view.manifest["created"]), _chips(view))


def _chips(view: View) -> list[Chip]:
    entry = view.manifest
    chips = [
        (STATUS[entry["status"]], "good" if entry["status"] == "optimal" else "warn"),
        (Text("verified", "已复核"), "good") if entry["verified"] else (Text("not verified", "未通过复核"), "bad"),
    ]
    if any(not note["rule"] for note in entry["notes"]):
        chips.append((Text("holds what-ifs, not the rule", "含假设情景，非监管口径"), "warn"))
    return chips


def _own_parts(view: View) -> list[Part]:
    parts = [
        Part("overview", Text("Overview", "概览"), overview(view)),
        Part("allocation", Text("Allocation", "资产配置"), _allocation(view)),
    ]
    if view.result.after is not None:
        parts.append(Part("capital", Text("Capital", "资本"), _capital(view)))
    parts.append(Part("rules", Text("Rules", "约束与限额"), _rules(view)))
    if view.stress is not None:
        parts.append(Part("stress", Text("Stress", "压力测试"), _stress(view, view.stress)))
    if not view.tables["tilts"].frame.empty:
        parts.append(Part("tilts", Text("Policy tilts", "政策倾斜"), _tilts(view)))
    return parts


def _allocation(view: View) -> Markup:
    kinds = Text("Holdings before and after, by kind", "调整前后持仓（按类别）")
    cells = [Chart(kinds, charts.allocation_chart(view))]
    if view.result.after is not None:
        note = Text(
            "Area: target amount; hollow: not held. The further to the upper left, the more it earns for its capital.",
            "面积为调整后金额，空心点为未持有。越靠左上，单位资本的收益越高。",
        )
        cells.append(Chart(Text("Who earns its capital", "资本使用效率"), return_chart(view), note))
        note = Text(
            "Bar: mean by amount. Line: from the cheapest to the dearest row of the kind.",
            "柱为按金额加权的平均，线为该类别内最低至最高。",
        )
        title = Text("What one more CNY costs in capital", "每增持 1 元占用多少资本")
        cells.append(Chart(title, marginal_chart(view), note))
    if "durations" in view.tables:
        match = view.tables["durations"]
        cells.append(Chart(match.title, duration_chart(view), match.note, page_table(match, view.money)))
    flows = None
    if "cash_flows" in view.tables:
        source = view.tables["cash_flows"]
        flows = Chart(source.title, cash_flow_chart(view), source.note, page_table(source, view.money))
    rows = page_table(_by_trade(view), view.money, headed=False)
    return render("allocation.html", charts=cells, flows=flows, rows=rows)


def _by_trade(view: View) -> ReportTable:
    """Return the allocation with the largest trades first, then the largest holdings, without empty columns."""
    source = view.tables["allocation"]
    frame = source.frame
    hidden = {"min", "max", "weight_before"} | {name for name in frame if str(name).startswith("tilt_score_")}
    shown = frame.iloc[by_trade(frame)].drop(columns=[name for name in hidden if name in frame])
    return ReportTable(source.name, source.title, shown, source.headings, source.formats, labels=source.labels)


def _tilts(view: View) -> Markup:
    steered = Chart(Text("What the tilts steer", "倾斜的敞口"), tilt_exposure_chart(view))
    against = Text("Against the best allocation without tilts.", "与不作倾斜的最优配置相比。")
    priced = Chart(Text("What the tilts cost", "倾斜的代价"), tilt_price_chart(view), against)
    tables = [page_table(view.tables["tilts"], view.money, headed=False)]
    return render("section.html", charts=[steered, priced], tables=tables, lines=())


def _capital(view: View) -> Markup:
    steps = Text("Grey figures: before. Green: what adding up takes away.", "灰色数字为调整前；绿色为汇总时的扣减。")
    euler = Text(
        "Marginal capital times amount (Euler): the parts sum to minimum capital.",
        "边际资本乘以金额（欧拉分解），各部分之和等于最低资本。",
    )
    title = Text("From risk modules to minimum capital", "从各风险模块到最低资本")
    drawn = [
        Chart(title, charts.waterfall_chart(view), steps),
        Chart(Text("Who uses the capital", "资本占用分解"), charts.contribution_chart(view), euler),
    ]
    modules = view.tables["capital"]
    ordered = replace(modules, frame=modules.frame[["module", "before", "amount", "change", "article", "parent"]])
    tables = [page_table(ordered, view.money)]
    charged = view.tables.get("charges")
    if charged is not None and not charged.frame.empty:
        columns = [column for column in CHARGE_COLUMNS if column in charged.frame]
        tables.append(page_table(replace(charged, frame=charged.frame[columns]), view.money, screen_only=True))
    return render("section.html", charts=drawn, tables=tables, lines=())


def _rules(view: View) -> Markup:
    note = Text(
        "A full bar has no room left. Grey bars are monitored only, red ones are beyond their limit.",
        "满格表示没有余量；灰色为仅监测，红色为已超限。",
    )
    drawn = Chart(Text("How much of each limit is used", "各项限额使用程度"), charts.rules_chart(view), note)
    tables = [page_table(view.tables["constraints"], view.money, headed=False)]
    return render("section.html", charts=[drawn], tables=tables, lines=())


def _stress(view: View, stress: StressParts) -> Markup:
    scenarios, modules = stress.tables
    tables = [page_table(scenarios, view.money), page_table(modules, view.money, screen_only=True)]
    return render("section.html", charts=[stress.chart], tables=tables, lines=stress.lines)


def _plugin_parts(view: View) -> list[Part]:
    return [
        Part(
            f"section-{position}",
            section.title,
            render("section.html", charts=(), tables=[page_table(one, view.money) for one in section.tables], lines=()),
        )
        for position, section in enumerate(view.sections, 1)
    ]
