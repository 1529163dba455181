"""Cash flows of assets and liabilities by year."""

from __future__ import annotations

from allocator.report.chart_parts import WIDTH, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.view import View
from allocator.types import Text

__all__ = ["cash_flow_chart"]

LEFT, TOP, HEIGHT = 58.0, 10.0, 250.0
WIDE = 2 * WIDTH
"""The chart takes the whole width of the page."""


def cash_flow_chart(view: View) -> Canvas:
    """Draw assets before and after as bars and the liabilities' net outflow as a line, year by year."""
    frame = view.tables["cash_flows"].frame
    columns = ["assets_before", "assets_after", "liabilities"]
    title = Text("Cash flows of assets and liabilities by year", "资产与负债分年度现金流")
    canvas = Canvas(WIDE, HEIGHT + 24, title)
    amounts = frame[columns].to_numpy()
    ticks = nice_ticks(min(0.0, float(amounts.min())), max(0.0, float(amounts.max())))
    y = Scale(ticks[0], ticks[-1], HEIGHT, TOP)
    write = figure_writer("money", view.money)
    for tick in ticks:
        canvas.line((LEFT, y(tick)), (WIDE - 4, y(tick)), "axis" if tick == 0.0 else "grid")
        canvas.text(LEFT - 6, y(tick) + 4, write(tick), "tick", "end")
    step = (WIDE - LEFT - 4) / len(frame)
    for position, (year, before, after, owed) in enumerate(zip(frame["year"], *amounts.T, strict=True)):
        left = LEFT + step * position
        hint = _hint(int(year), (before, after, owed), view)
        _bar(canvas, y, (left + step * 0.10, step * 0.36), before, "bar before", hint)
        _bar(canvas, y, (left + step * 0.48, step * 0.42), after, "bar after", hint)
        if year == 1 or year % 5 == 0:
            canvas.text(left + step / 2, HEIGHT + 16, str(int(year)), "tick", "middle")
    net = [(LEFT + step * (place + 0.5), y(value)) for place, value in enumerate(frame["liabilities"])]
    canvas.path(net, "owed")
    canvas.legend(KEYS.items())
    return canvas


KEYS = {
    "before": Text("assets before", "调整前资产"),
    "after": Text("assets after", "调整后资产"),
    "liability": Text("liabilities' net outflow", "负债净流出"),
}


def _bar(canvas: Canvas, y: Scale, across: tuple[float, float], amount: float, class_: str, hint: Text) -> None:
    top, bottom = sorted((y(amount), y(0.0)))
    canvas.rect(across[0], top, across[1], bottom - top, class_, hint)


def _hint(year: int, amounts: tuple[float, float, float], view: View) -> Text:
    before, after, owed = (FORMATS["money"].write(amount, view.money) for amount in amounts)
    return Text(
        f"Year {year}: assets {before} → {after}, liabilities {owed}",
        f"第 {year} 年：资产 {before} → {after}，负债 {owed}",
    )
