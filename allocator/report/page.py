"""report.html: one self-contained page, in both languages, that opens without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from allocator.report import charts
from allocator.report.chart_cash_flows import cash_flow_chart
from allocator.report.chart_durations import duration_chart
from allocator.report.chart_marginal import marginal_chart
from allocator.report.chart_returns import return_chart
from allocator.report.chart_tilts import tilt_exposure_chart, tilt_price_chart
from allocator.report.document import Part, document, evidence, panel
from allocator.report.html import both, figure, plain, table, tag
from allocator.report.overview import overview
from allocator.report.stress import StressParts
from allocator.report.tables import CHARGE_COLUMNS, by_trade
from allocator.report.view import View
from allocator.report.words import HEADINGS
from allocator.result.tables import ReportTable
from allocator.types import Text

__all__ = ["page", "write_page"]


AS_A_TABLE = Text("As a table", "表格")


def write_page(view: View, path: Path) -> None:
    """Write the page of a result."""
    path.write_text(page(view), encoding="utf-8")


def page(view: View) -> str:
    """Return the page of a result as HTML."""
    parts = [*_own_parts(view), *_plugin_parts(view), evidence(view.manifest)]
    name, written = view.manifest["fund"]["name"], view.manifest["created"]
    title = Text(f"{name}: allocation report", f"{name}：资产配置报告")
    footer = Text(
        f"Every figure equals run.json and the CSV files beside this page. Written {written}.",
        f"本页数字与同目录 run.json 及 CSV 文件一致。生成时间 {written}。",
    )
    return document(title, view.language, _title(view), parts, footer)


def _title(view: View) -> str:
    fund = view.manifest["fund"]
    money = view.money.label
    regime = view.result.regime.label if view.result.regime is not None else None
    line = [plain(fund["as_of"]), both(Text(f"money in {money.en}", f"金额单位：{money.zh}"))]
    if regime is not None:
        line.append(both(regime))
    heading = tag("h1", plain(fund["name"])) + tag("p", " · ".join(line))
    return tag("div", [tag("div", heading), tag("div", _chips(view), class_="chips")], class_="title")


def _chips(view: View) -> list[str]:
    from allocator.report.words import STATUS

    entry = view.manifest
    verified = Text("verified", "已复核") if entry["verified"] else Text("not verified", "未通过复核")
    status = "good" if entry["status"] == "optimal" else "warn"
    chips = [
        tag("span", both(STATUS[entry["status"]]), class_=f"chip {status}"),
        tag("span", both(verified), class_=f"chip {'good' if entry['verified'] else 'bad'}"),
    ]
    if any(not note["rule"] for note in entry["notes"]):
        chips.append(
            tag("span", both(Text("holds what-ifs, not the rule", "含假设情景，非监管口径")), class_="chip warn")
        )
    return chips


def _own_parts(view: View) -> list[Part]:
    parts = [
        ("overview", Text("Overview", "概览"), overview(view)),
        ("allocation", Text("Allocation", "资产配置"), _allocation(view)),
    ]
    if view.result.after is not None:
        parts.append(("capital", Text("Capital", "资本"), _capital(view)))
    parts.append(("rules", Text("Rules", "约束与限额"), _rules(view)))
    if view.stress is not None:
        parts.append(("stress", Text("Stress", "压力测试"), _stress(view, view.stress)))
    if not view.tables["tilts"].frame.empty:
        parts.append(("tilts", Text("Policy tilts", "政策倾斜"), _tilts(view)))
    return parts


def _allocation(view: View) -> str:
    legend = tag(
        "ul",
        [
            tag("li", tag("i", class_="key before") + both(HEADINGS["current"])),
            tag("li", tag("i", class_="key after") + both(HEADINGS["target"])),
        ],
        class_="legend",
    )
    kinds = figure(
        Text("Holdings before and after, by kind", "调整前后持仓（按类别）"), charts.allocation_chart(view) + legend
    )
    cells = [panel(kinds)]
    if view.result.after is not None:
        note = Text(
            "Area: target amount; hollow: not held. The further to the upper left, the more it earns for its capital.",
            "面积为调整后金额，空心点为未持有。越靠左上，单位资本的收益越高。",
        )
        title = Text("Who earns its capital", "谁对得起所占资本")
        cells.append(panel(figure(title, return_chart(view), note)))
    if view.result.after is not None:
        note = Text(
            "Bar: mean by amount. Line: from the cheapest to the dearest row of the kind.",
            "柱为按金额加权的平均，线为该类别内最低至最高。",
        )
        title = Text("What one more CNY costs in capital", "每增持 1 元占用多少资本")
        cells.append(panel(figure(title, marginal_chart(view), note)))
    if "durations" in view.tables:
        match = view.tables["durations"]
        fold = tag("details", tag("summary", both(AS_A_TABLE)) + table(match, view.money, tools=False))
        cells.append(panel(figure(match.title, duration_chart(view), match.note) + fold))
    matching = ""
    if "cash_flows" in view.tables:
        flows = view.tables["cash_flows"]
        fold = tag("details", tag("summary", both(AS_A_TABLE)) + table(flows, view.money, tools=False))
        matching = panel(figure(flows.title, cash_flow_chart(view), flows.note, wide=True) + fold, "panel full long")
    rows = panel(table(_by_trade(view), view.money), "panel full long")
    return tag("div", cells, class_="grid") + matching + rows


def _tilts(view: View) -> str:
    steered = figure(Text("What the tilts steer", "倾斜的敞口"), tilt_exposure_chart(view))
    against = Text("Against the best allocation without tilts.", "与不作倾斜的最优配置相比。")
    priced = figure(Text("What the tilts cost", "倾斜的代价"), tilt_price_chart(view), against)
    grid = tag("div", [panel(steered), panel(priced)], class_="grid")
    return grid + panel(table(view.tables["tilts"], view.money), "panel full")


def _by_trade(view: View) -> ReportTable:
    """Return the allocation with the largest trades first, then the largest holdings, without empty columns."""
    source = view.tables["allocation"]
    frame = source.frame
    hidden = {"min", "max", "weight_before"} | {name for name in frame if str(name).startswith("tilt_score_")}
    shown = frame.iloc[by_trade(frame)].drop(columns=[name for name in hidden if name in frame])
    return ReportTable(source.name, source.title, shown, source.headings, source.formats, labels=source.labels)


def _capital(view: View) -> str:
    steps_note = Text(
        "Grey figures: before. Green: what adding up takes away.", "灰色数字为调整前；绿色为汇总时的扣减。"
    )
    waterfall = figure(
        Text("From risk modules to minimum capital", "从各风险模块到最低资本"), charts.waterfall_chart(view), steps_note
    )
    euler = Text(
        "Marginal capital times amount (Euler): the parts sum to minimum capital.",
        "边际资本乘以金额（欧拉分解），各部分之和等于最低资本。",
    )
    shares = figure(Text("Who uses the capital", "资本占用分解"), charts.contribution_chart(view), euler)
    grid = tag("div", [panel(waterfall), panel(shares)], class_="grid")
    modules = view.tables["capital"]
    ordered = replace(modules, frame=modules.frame[["module", "before", "amount", "change", "article", "parent"]])
    shown = [_titled(ordered, view)]
    charged = view.tables.get("charges")
    if charged is not None and not charged.frame.empty:
        columns = [column for column in CHARGE_COLUMNS if column in charged.frame]
        lines = replace(charged, frame=charged.frame[columns])
        shown.append(_titled(lines, view, "screen"))
    return grid + "".join(shown)


def _titled(one: ReportTable, view: View, where: str = "") -> str:
    """Return a table with its heading; ``where`` "screen" leaves it out of print."""
    return panel(tag("h3", both(one.title)) + table(one, view.money), f"panel full long {where}".rstrip())


def _rules(view: View) -> str:
    note = Text(
        "A full bar has no room left. Grey bars are monitored only, red ones are beyond their limit.",
        "满格表示没有余量；灰色为仅监测，红色为已超限。",
    )
    chart = figure(
        Text("How much of each limit is used", "各项限额使用程度"), charts.rules_chart(view), note, wide=True
    )
    return panel(chart, "panel") + panel(table(view.tables["constraints"], view.money), "panel full long")


def _stress(view: View, stress: StressParts) -> str:
    chart = panel(figure(stress.chart.title, stress.chart.picture, stress.chart.note, wide=True), "panel full")
    scenarios, modules = stress.tables
    notes = panel(tag("ul", [tag("li", both(line)) for line in stress.lines], class_="notes")) if stress.lines else ""
    return chart + _titled(scenarios, view) + notes + _titled(modules, view, "screen")


def _plugin_parts(view: View) -> list[Part]:
    parts = []
    for position, section in enumerate(view.sections):
        tables = "".join(_titled(one, view) for one in section.tables)
        parts.append((f"section-{position + 1}", section.title, tables))
    return parts
