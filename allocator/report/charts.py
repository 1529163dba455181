"""The charts of the report page, drawn from the same tables as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.model.units import MoneyUnit
from allocator.report.chart_parts import LABEL, ROW, WIDTH, draw_axis, figure_writer
from allocator.report.formats import FORMATS, format_name
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.tables import BINDING_TOLERANCE
from allocator.report.view import View
from allocator.report.waterfall import Step, waterfall
from allocator.report.words import HEADINGS
from allocator.types import Text

__all__ = [
    "MOST",
    "allocation_chart",
    "contribution_chart",
    "kind_column",
    "kind_label",
    "kind_sums",
    "rules_chart",
    "waterfall_chart",
]

MOST = 18
"""Bars a chart shows; the rest is added up in one."""

OTHER = Text("Other", "其他")


def _money(value: float, money: MoneyUnit, *, sign: bool = False) -> str:
    return FORMATS["money"].write(value, money, sign=sign)


def _both(english: str, chinese: str, label: Text) -> Text:
    return Text(f"{label.en}: {english}", f"{label.zh}：{chinese}")


def kind_sums(view: View, columns: Sequence[str]) -> tuple[pd.DataFrame, list[Text]]:
    """Return sums by kind with the kinds' labels, largest first by the first column; those beyond the most are added
    up, and kinds of which there is nothing are left out."""
    sums = _by_kind(view, columns)
    sums = sums[(sums != 0.0).any(axis=1)]
    return sums, [kind_label(view, kind) for kind in sums.index]


def kind_column(allocation: pd.DataFrame) -> pd.Series[Any]:
    """Return what rows are grouped by: their kind, or their account where no kind is known."""
    return (allocation["kind"] if "kind" in allocation else allocation["account"]).fillna("")


def _by_kind(view: View, columns: Sequence[str]) -> pd.DataFrame:
    """Return sums by kind, largest first by the first column; kinds beyond the most are added up."""
    frame = view.tables["allocation"].frame
    sums = frame.groupby(kind_column(frame), sort=False)[list(columns)].sum()
    sums = sums.iloc[np.argsort(-sums[columns[0]].abs().to_numpy(), kind="stable")]
    if len(sums) > MOST:
        rest = sums.iloc[MOST - 1 :].sum().to_frame("").T
        sums = pd.concat([sums.iloc[: MOST - 1], rest])
    return sums


def kind_label(view: View, kind: object) -> Text:
    """Return the label of a kind."""
    if kind == "":
        return OTHER
    return view.tables["allocation"].labels["kind"].get(str(kind)) or Text(str(kind), str(kind))


def allocation_chart(view: View) -> Canvas:
    """Draw what is held before and after, by kind."""
    sums, labels = kind_sums(view, ("target", "current"))
    title = Text("Holdings before and after, by kind", "调整前后持仓（按类别）")
    row = ROW + 4
    canvas = Canvas(WIDTH, row * len(sums) + 30, title)
    top = float(sums.to_numpy().max()) if len(sums) else 1.0
    low = min(0.0, float(sums.to_numpy().min())) if len(sums) else 0.0
    ticks = nice_ticks(low, top)
    scale = Scale(ticks[0], ticks[-1], LABEL, WIDTH - 96)
    draw_axis(canvas, scale, ticks, (0, row * len(sums)), figure_writer("money", view.money))
    for position, (label, (_, line)) in enumerate(zip(labels, sums.iterrows(), strict=True)):
        y = row * position
        before, after = _money(line["current"], view.money), _money(line["target"], view.money)
        change = _money(line["target"] - line["current"], view.money, sign=True)
        hint = Text(f"{label.en}: {before} → {after} ({change})", f"{label.zh}：{before} → {after}（{change}）")
        canvas.text(LABEL - 8, y + row / 2 + 4, label, "label", "end", LABEL - 12)
        canvas.rect(scale(0.0), y + 4, scale(line["current"]) - scale(0.0), 8, "bar before", hint)
        canvas.rect(scale(0.0), y + 13, scale(line["target"]) - scale(0.0), 11, "bar after", hint)
        canvas.text(WIDTH - 2, y + row / 2 + 4, change, _direction(change), "end")
    canvas.legend((("before", HEADINGS["current"]), ("after", HEADINGS["target"])))
    return canvas


def _direction(change: str) -> str:
    return "value up" if change.startswith("+") else "value down" if change.startswith("−") else "value flat"


def waterfall_chart(view: View) -> Canvas:
    """Draw the way from the modules to minimum capital at the target holdings; a tick marks the level before."""
    after, before = view.result.after, view.result.before
    assert after is not None
    assert before is not None
    steps = waterfall(after.tree, after.tree.values(after.holdings))
    former = {step.name: step.amount for step in waterfall(before.tree, before.tree.values(before.holdings))}
    title = Text("From risk modules to minimum capital", "从各风险模块到最低资本")
    canvas = Canvas(WIDTH, ROW * len(steps) + 30, title)
    levels = np.concatenate([[0.0], np.cumsum([step.amount for step in steps[:-1]])])
    ticks = nice_ticks(min(0.0, float(levels.min())), float(levels.max()))
    left = LABEL + 62
    scale = Scale(ticks[0], ticks[-1], left, WIDTH - 140)
    draw_axis(canvas, scale, ticks, (0, ROW * len(steps)), figure_writer("money", view.money))
    for position, step in enumerate(steps):
        start = 0.0 if step.kind == "total" else float(levels[position])
        _waterfall_row(canvas, scale, step, start, (ROW * position, left), former.get(step.name), view.money)
        if step.kind != "total":
            end = scale(float(levels[position + 1]))
            canvas.line((end, ROW * position + 5), (end, ROW * (position + 1) + 5), "join")
    return canvas


def _waterfall_row(
    canvas: Canvas,
    scale: Scale,
    step: Step,
    start: float,
    corner: tuple[float, float],
    former: float | None,
    money: MoneyUnit,
) -> None:
    y, left = corner
    amount = _money(step.amount, money)
    before = "—" if former is None else _money(former, money)
    hint = Text(f"{step.label.en}: {before} → {amount}", f"{step.label.zh}：{before} → {amount}")
    canvas.text(
        left - 8, y + ROW / 2 + 4, step.label, "label" + (" strong" if step.kind == "total" else ""), "end", left - 12
    )
    canvas.rect(scale(start), y + 5, scale(start + step.amount) - scale(start), ROW - 10, f"bar {step.kind}", hint)
    canvas.text(WIDTH - 70, y + ROW / 2 + 4, before, "value flat", "end")
    canvas.text(WIDTH - 2, y + ROW / 2 + 4, amount, "value" + (" strong" if step.kind == "total" else ""), "end")


def contribution_chart(view: View) -> Canvas:
    """Draw each kind's share of minimum capital (Euler), liabilities and constants beside it."""
    sums, labels = kind_sums(view, ("capital_contribution",))
    constants = view.cny(view.manifest["capital"]["attribution"]["liabilities_and_constants"]) or 0.0
    used = sums["capital_contribution"]
    rows = [(label, float(amount), "after") for label, amount in zip(labels, used, strict=True)]
    rows.append((Text("Liabilities and constants", "负债与常数项"), constants, "constant"))
    rows.sort(key=lambda row: -row[1])
    title = Text("Who uses the capital, by kind", "资本占用分解（按类别）")
    canvas = Canvas(WIDTH, ROW * len(rows) + 30, title)
    amounts = [amount for _, amount, _ in rows]
    ticks = nice_ticks(min(0.0, *amounts), max(0.0, *amounts))
    scale = Scale(ticks[0], ticks[-1], LABEL, WIDTH - 76)
    draw_axis(canvas, scale, ticks, (0, ROW * len(rows)), figure_writer("money", view.money))
    for position, (label, amount, kind) in enumerate(rows):
        y, shown = ROW * position, _money(amount, view.money)
        canvas.text(LABEL - 8, y + ROW / 2 + 4, label, "label", "end", LABEL - 12)
        class_ = f"bar {kind}" if amount >= 0 else "bar relief"
        canvas.rect(scale(0.0), y + 5, scale(amount) - scale(0.0), ROW - 10, class_, _both(shown, shown, label))
        canvas.text(WIDTH - 2, y + ROW / 2 + 4, shown, "value", "end")
    return canvas


def rules_chart(view: View, most: int = MOST) -> Canvas:
    """Draw how much of each limit is used; a full bar is a rule without room."""
    frame = view.tables["constraints"].frame
    labels = view.tables["constraints"].labels["name"]
    frame = frame[frame["sense"] != "=="]
    used = _used(frame)
    frame = frame.assign(used=used)[np.isfinite(used)].sort_values("used", ascending=False, kind="stable").head(most)
    wide = 2 * WIDTH
    title = Text("How much of each limit is used", "各项限额使用程度")
    canvas = Canvas(wide, ROW * len(frame) + 30, title)
    left, end = 0.44 * wide, wide - 130
    scale = Scale(0.0, 1.0, left, end)
    quarters = [0.0, 0.25, 0.5, 0.75, 1.0]
    draw_axis(canvas, scale, quarters, (0, ROW * len(frame)), figure_writer("percent", view.money))
    for position, line in enumerate(frame.to_dict("records")):
        y, label = ROW * position, labels[line["name"]]
        shown = FORMATS[format_name("by_unit", line["unit"])]
        value, limit = shown.write(line["lhs"], view.money), shown.write(line["rhs"], view.money)
        sense = {"<=": "≤", ">=": "≥"}[line["sense"]]
        canvas.text(left - 8, y + ROW / 2 + 4, label, "label", "end", left - 12)
        state = "binding" if line["binding"] else "monitor" if line["mode"] == "monitor" else "after"
        state = "breach" if line["used"] > 1.0 + BINDING_TOLERANCE else state
        canvas.rect(left, y + 5, scale(1.0) - left, ROW - 10, "track")
        length = scale(min(max(line["used"], 0.0), 1.0)) - left
        hint = _both(f"{value} {sense} {limit}", f"{value} {sense} {limit}", label)
        canvas.rect(left, y + 5, length, ROW - 10, f"bar {state}", hint)
        canvas.text(wide - 2, y + ROW / 2 + 4, f"{value} {sense} {limit}", "value small", "end", 126)
    return canvas


def _used(frame: pd.DataFrame) -> np.ndarray:
    """Return lhs/rhs of a ceiling and rhs/lhs of a floor; NaN where a side is not positive."""
    left, right = frame["lhs"].to_numpy(dtype=float), frame["rhs"].to_numpy(dtype=float)
    at_most = (frame["sense"] == "<=").to_numpy()
    above, below = np.where(at_most, left, right), np.where(at_most, right, left)
    ratio = np.full(len(frame), np.nan)
    np.divide(above, below, out=ratio, where=(below > 0) & (above >= 0))
    return ratio
