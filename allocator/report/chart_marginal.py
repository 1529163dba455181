"""What one more CNY of each kind costs in minimum capital, and how far the kinds' rows lie apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.report.chart_parts import LABEL, WIDTH, draw_axis, figure_writer
from allocator.report.charts import kind_column, kind_label
from allocator.report.formats import FORMATS
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.view import View
from allocator.types import Text

__all__ = ["marginal_by_kind", "marginal_chart"]

MOST_KINDS = 32
ROW = 16.0
"""Low bars: every kind should find a place."""


def marginal_by_kind(view: View) -> pd.DataFrame:
    """Return mean (by target amount), low and high marginal capital of the kinds held most, dearest first.

    A kind of which nothing is held has the plain mean of its rows.
    """
    frame = view.tables["allocation"].frame
    rows = []
    for kind, part in frame.groupby(kind_column(frame), sort=False):
        marginal, held = part["capital_marginal"], part["target"].abs()
        mean = float(np.average(marginal, weights=held if held.sum() > 0.0 else None))
        rows.append((kind, mean, float(marginal.min()), float(marginal.max()), float(held.sum())))
    found = pd.DataFrame(rows, columns=["kind", "mean", "low", "high", "held"])
    most = found.sort_values("held", ascending=False, kind="stable").head(MOST_KINDS)
    return most.sort_values("mean", ascending=False, kind="stable")


def marginal_chart(view: View) -> Canvas:
    """Draw a bar to each kind's mean and a line from its cheapest to its dearest row."""
    frame = marginal_by_kind(view)
    title = Text("What one more CNY costs in capital, by kind", "每增持 1 元占用的资本（按类别）")
    canvas = Canvas(WIDTH, ROW * len(frame) + 30, title)
    ticks = nice_ticks(min(0.0, float(frame["low"].min())), max(0.0, float(frame["high"].max())))
    scale = Scale(ticks[0], ticks[-1], LABEL, WIDTH - 76)
    draw_axis(canvas, scale, ticks, (0, ROW * len(frame)), figure_writer("percent", view.money))
    for position, line in enumerate(frame.to_dict("records")):
        y, label = ROW * position, kind_label(view, line["kind"])
        mean, low, high = (FORMATS["percent"].write(line[name], view.money) for name in ("mean", "low", "high"))
        hint = Text(f"{label.en}: {mean} on average, {low} to {high}", f"{label.zh}：平均 {mean}，区间 {low} 至 {high}")
        canvas.text(LABEL - 8, y + ROW / 2 + 4, label, "label", "end", LABEL - 12)
        class_ = "bar after" if line["mean"] >= 0 else "bar relief"
        canvas.rect(scale(0.0), y + 3, scale(line["mean"]) - scale(0.0), ROW - 6, class_, hint)
        canvas.line((scale(line["low"]), y + ROW / 2), (scale(line["high"]), y + ROW / 2), "range")
        canvas.text(WIDTH - 2, y + ROW / 2 + 4, mean, "value", "end")
    return canvas
