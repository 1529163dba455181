"""What one basis point costs the assets, before and after, and the liabilities, account by account."""

from __future__ import annotations

from allocator.report.chart_parts import LABEL, WIDTH, draw_axis, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.view import View
from allocator.types import Text

__all__ = ["duration_chart"]

HEIGHT = 46.0
"""Of one account's three bars."""


def duration_chart(view: View) -> Canvas:
    """Draw the DV01 of both sides by account, with the durations written beside it."""
    table = view.tables["durations"]
    frame = table.frame
    canvas = Canvas(WIDTH, HEIGHT * len(frame) + 30, table.title)
    amounts = frame[["dv01_before", "dv01_after", "dv01_liabilities"]].to_numpy()
    ticks = nice_ticks(min(0.0, float(amounts.min())), max(0.0, float(amounts.max())))
    scale = Scale(ticks[0], ticks[-1], LABEL, WIDTH - 132)
    draw_axis(canvas, scale, ticks, (0, HEIGHT * len(frame)), figure_writer("money", view.money))
    for position, (line, bars) in enumerate(zip(frame.to_dict("records"), amounts, strict=True)):
        y = HEIGHT * position
        label = table.labels["account"].get(str(line["account"])) or Text(str(line["account"]), str(line["account"]))
        before, after, owed = (
            FORMATS["years"].write(line[f"duration_{side}"], view.money) for side in ("before", "after", "liabilities")
        )
        hint = _hint(label, bars.tolist(), view)
        canvas.text(LABEL - 8, y + HEIGHT / 2 + 4, label, "label", "end", LABEL - 12)
        for amount, class_, top, height in zip(
            bars, ("bar before", "bar after", "bar liability"), (6.0, 16.0, 28.0), (8.0, 10.0, 8.0), strict=True
        ):
            canvas.rect(scale(0.0), y + top, scale(amount) - scale(0.0), height, class_, hint)
        canvas.text(WIDTH - 2, y + 21, Text(f"{before} → {after} years", f"{before} → {after} 年"), "value", "end")
        owed_text = Text(f"liabilities {owed}", f"负债 {owed}")
        canvas.text(WIDTH - 2, y + 36, owed_text, "value flat", "end")
    canvas.legend(KEYS.items())
    return canvas


KEYS = {
    "before": Text("assets before", "调整前资产"),
    "after": Text("assets after", "调整后资产"),
    "liability": Text("liabilities", "负债"),
}


def _hint(label: Text, amounts: list[float], view: View) -> Text:
    before, after, owed = (FORMATS["money"].write(amount, view.money) for amount in amounts)
    return Text(
        f"{label.en}: DV01 of assets {before} → {after}, of liabilities {owed}",
        f"{label.zh}：资产 DV01 {before} → {after}，负债 DV01 {owed}",
    )
