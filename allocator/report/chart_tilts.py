"""What the tilts steered and what it cost: exposures beside prices."""

from __future__ import annotations

from typing import Any

import numpy as np

from allocator.report.chart_parts import ROW, WIDTH, draw_axis, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.view import View
from allocator.types import Text

__all__ = ["tilt_exposure_chart", "tilt_price_chart"]

LABEL = 236.0
"""Names of tilts are long."""

HEIGHT = ROW + 4
"""Of one tilt's bars."""

NOISE = 1e-7
"""A gain in return below this is the solver's rounding and gets no room on the axis."""

KEYS = {
    "before": Text("held now", "调整前"),
    "untilted": Text("best without tilts", "不倾斜的最优配置"),
    "after": Text("with the tilts", "倾斜后"),
}


def tilt_exposure_chart(view: View) -> Canvas:
    """Draw each tilt's exposure before and after; a stroke marks that of the best allocation without tilts."""
    frame = view.tables["tilts"].frame
    frame = frame[frame["name"] != "all"]
    title = Text("Exposure of each tilt before and after", "各项政策倾斜的敞口变化")
    canvas = Canvas(WIDTH, HEIGHT * len(frame) + 30, title)
    scores = frame[["score_before", "score_untilted", "score_after"]].to_numpy(dtype=float)
    ticks = nice_ticks(0.0, float(np.nanmax(scores, initial=0.0)) or 1.0)
    scale = Scale(0.0, ticks[-1], LABEL, WIDTH - 130)
    draw_axis(canvas, scale, ticks, (0, HEIGHT * len(frame)), figure_writer("percent", view.money))
    percent = FORMATS["percent"]
    for position, line in enumerate(frame.to_dict("records")):
        y, label = HEIGHT * position, _label(view, line["name"])
        before, untilted, after = (
            percent.write(line[f"score_{when}"], view.money) for when in ("before", "untilted", "after")
        )
        hint = Text(
            f"{label.en}: {before} now, {untilted} without tilts, {after} with them",
            f"{label.zh}：调整前 {before}，不倾斜 {untilted}，倾斜后 {after}",
        )
        canvas.text(LABEL - 8, y + HEIGHT / 2 + 4, label, "label", "end", LABEL - 12)
        canvas.rect(LABEL, y + 4, scale(line["score_before"]) - LABEL, 8, "bar before", hint)
        canvas.rect(LABEL, y + 13, scale(line["score_after"]) - LABEL, 11, "bar after", hint)
        mark = scale(line["score_untilted"])
        canvas.line((mark, y + 3), (mark, y + 25), "untilted")
        canvas.text(WIDTH - 2, y + HEIGHT / 2 + 4, f"{untilted} → {after}", "value", "end")
    canvas.legend(KEYS.items())
    return canvas


def tilt_price_chart(view: View) -> Canvas:
    """Draw the return that each tilt gives up, its capital written beside it; all together come last."""
    frame = view.tables["tilts"].frame
    title = Text("Return given up for each tilt", "各项政策倾斜让渡的收益")
    canvas = Canvas(WIDTH, HEIGHT * len(frame) + 30, title)
    given = frame["return_given_up"].to_numpy(dtype=float)
    low = float(given.min())
    ticks = nice_ticks(low if low < -NOISE else 0.0, float(given.max()) if given.max() > NOISE else 1e-4)
    scale = Scale(ticks[0], ticks[-1], LABEL, WIDTH - 150)
    draw_axis(canvas, scale, ticks, (0, HEIGHT * len(frame)), figure_writer("basis_points", view.money))
    for position, line in enumerate(frame.to_dict("records")):
        y, label = HEIGHT * position, _label(view, line["name"])
        price = FORMATS["basis_points"].write(line["return_given_up"], view.money)
        used = FORMATS["money"].write(line["capital_used"], view.money, sign=True)
        hint = Text(
            f"{label.en}: {price} of return, {used} of capital", f"{label.zh}：让渡收益 {price}，占用资本 {used}"
        )
        strong = " strong" if line["name"] == "all" else ""
        canvas.text(LABEL - 8, y + HEIGHT / 2 + 4, label, "label" + strong, "end", LABEL - 12)
        class_ = "bar binding" if line["return_given_up"] >= 0 else "bar relief"
        canvas.rect(scale(0.0), y + 7, scale(line["return_given_up"]) - scale(0.0), 14, class_, hint)
        canvas.text(WIDTH - 2, y + HEIGHT / 2, price, "value" + strong, "end")
        canvas.text(WIDTH - 2, y + HEIGHT / 2 + 12, Text(f"capital {used}", f"资本 {used}"), "tick", "end")
    return canvas


def _label(view: View, name: Any) -> Text:
    return view.tables["tilts"].labels["name"].get(str(name)) or Text(str(name), str(name))
