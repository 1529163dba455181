"""The charts as plotly figures, for notebooks (extra ``notebook``); the report page draws its own without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from allocator.errors import InputError, Problem, did_you_mean
from allocator.report.charts import kind_sums
from allocator.report.view import View
from allocator.report.waterfall import waterfall
from allocator.report.words import HEADINGS
from allocator.types import Text

__all__ = ["FIGURES", "figure"]

BEFORE, AFTER, RELIEF, TOTAL, OWED = "#b6c2d1", "#1f5fa8", "#7fa7a0", "#16202e", "#b4552d"
MARGIN = {"l": 10, "r": 10, "t": 48, "b": 10}


def figure(view: View, name: str) -> Any:
    """Return a chart as a ``plotly.graph_objects.Figure``, in the view's language.

    Raises
    ------
    InputError
        When there is no chart of that name, the result has nothing to draw in it, or plotly is not installed.
    """
    if name not in FIGURES:
        known = ", ".join(FIGURES)
        what = Text("there is no such chart", "没有这种图表")
        raise InputError(Problem(what, "figure", name, known, did_you_mean(name, FIGURES)))
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        what = Text("charts in notebooks need plotly", "笔记本图表需要 plotly")
        hint = Text("install allocator-insurance[notebook]", "请安装 allocator-insurance[notebook]")
        raise InputError(Problem(what, "figure", hint=hint)) from error
    drawn = FIGURES[name](view, go)
    if drawn is None:
        what = Text("this result has nothing to draw in that chart", "该结果没有此图表所需的数据")
        raise InputError(Problem(what, "figure", name))
    drawn.update_layout(template="plotly_white", margin=MARGIN)
    return drawn


def _money(view: View, amounts: Any) -> Any:
    return np.asarray(amounts, dtype=float) / view.money.scale


def _titled(view: View, title: Text) -> dict[str, str]:
    unit = view.money.label
    return {"title": f"{title[view.language]} ({unit[view.language]})"}


def _allocation(view: View, go: Any) -> Any:
    sums, labels = kind_sums(view, ("target", "current"))
    names = [label[view.language] for label in labels]
    drawn = go.Figure(layout=_titled(view, Text("Holdings before and after, by kind", "调整前后持仓（按类别）")))
    for column, colour in (("current", BEFORE), ("target", AFTER)):
        amounts = _money(view, sums[column])
        drawn.add_bar(y=names, x=amounts, name=HEADINGS[column][view.language], orientation="h", marker_color=colour)
    drawn.update_yaxes(autorange="reversed")
    return drawn


def _waterfall(view: View, go: Any) -> Any:
    after = view.result.after
    if after is None:
        return None
    steps = waterfall(after.tree, after.tree.values(after.holdings))
    drawn = go.Figure(layout=_titled(view, Text("From risk modules to minimum capital", "从各风险模块到最低资本")))
    drawn.add_waterfall(
        y=[step.label[view.language] for step in steps],
        x=_money(view, [step.amount for step in steps]),
        measure=["total" if step.kind == "total" else "relative" for step in steps],
        orientation="h",
        increasing_marker_color=AFTER,
        decreasing_marker_color=RELIEF,
        totals_marker_color=TOTAL,
    )
    drawn.update_yaxes(autorange="reversed")
    return drawn


def _returns(view: View, go: Any) -> Any:
    frame = view.tables["allocation"].frame
    if "capital_marginal" not in frame:
        return None
    size = np.sqrt(frame["target"].abs() / max(float(frame["target"].abs().max()), 1e-300))
    names = frame["name"] if "name" in frame else frame["asset_id"]
    title = Text("Expected return against marginal capital", "预期收益率与边际资本")
    drawn = go.Figure(layout={"title": title[view.language]})
    drawn.add_scatter(
        x=frame["capital_marginal"],
        y=frame["expected_return"],
        text=names,
        mode="markers",
        marker={"size": 6 + 34 * size, "color": AFTER, "opacity": 0.6},
    )
    drawn.update_xaxes(title=HEADINGS["capital_marginal"][view.language], tickformat=".0%")
    drawn.update_yaxes(title=HEADINGS["expected_return"][view.language], tickformat=".1%")
    return drawn


def _capital(view: View, go: Any) -> Any:
    if view.result.after is None:
        return None
    sums, labels = kind_sums(view, ("capital_contribution",))
    constants = view.amount(view.manifest["capital"]["attribution"]["liabilities_and_constants"]) or 0.0
    names = [
        *(label[view.language] for label in labels),
        Text("Liabilities and constants", "负债与常数项")[view.language],
    ]
    amounts = _money(view, [*sums["capital_contribution"], constants])
    drawn = go.Figure(layout=_titled(view, Text("Who uses the capital, by kind", "资本占用分解（按类别）")))
    drawn.add_bar(y=names, x=amounts, orientation="h", marker_color=AFTER)
    drawn.update_yaxes(autorange="reversed")
    return drawn


def _cash_flows(view: View, go: Any) -> Any:
    table = view.tables.get("cash_flows")
    if table is None:
        return None
    frame, language = table.frame, view.language
    drawn = go.Figure(layout=_titled(view, table.title))
    for column, colour in (("assets_before", BEFORE), ("assets_after", AFTER)):
        name = table.heading(column)[language]
        drawn.add_bar(x=frame["year"], y=_money(view, frame[column]), name=name, marker_color=colour)
    name = table.heading("liabilities")[language]
    drawn.add_scatter(x=frame["year"], y=_money(view, frame["liabilities"]), name=name, line_color=OWED)
    drawn.update_xaxes(title=table.heading("year")[language])
    return drawn


def _tilts(view: View, go: Any) -> Any:
    table = view.tables["tilts"]
    frame = table.frame[table.frame["name"] != "all"]
    if frame.empty:
        return None
    language = view.language
    names = [(table.labels["name"].get(name) or Text(name, name))[language] for name in frame["name"]]
    title = Text("Exposure of each tilt before and after", "各项政策倾斜的敞口变化")
    drawn = go.Figure(layout={"title": title[language]})
    for column, colour in (("score_before", BEFORE), ("score_after", AFTER)):
        drawn.add_bar(x=names, y=frame[column], name=HEADINGS[column][language], marker_color=colour)
    drawn.update_yaxes(tickformat=".1%")
    return drawn


def _stress(view: View, go: Any) -> Any:
    if view.stress is None:
        return None
    table, language = view.stress.tables[0], view.language
    names = [view.stress.labels[str(name)][language] for name in table.frame["scenario"]]
    drawn = go.Figure(layout={"title": view.stress.chart.title[language]})
    ratios = [str(column) for column in table.frame if str(column).endswith("_ratio")]
    for column, colour in zip(ratios, (AFTER, BEFORE), strict=False):
        name = table.heading(column)[language]
        drawn.add_bar(y=names, x=table.frame[column], name=name, orientation="h", marker_color=colour)
    drawn.update_xaxes(tickformat=".0%")
    drawn.update_yaxes(autorange="reversed")
    return drawn


FIGURES: Mapping[str, Callable[[View, Any], Any]] = {
    "allocation": _allocation,
    "waterfall": _waterfall,
    "returns": _returns,
    "capital": _capital,
    "cash_flows": _cash_flows,
    "tilts": _tilts,
    "stress": _stress,
}
"""Charts by name."""
