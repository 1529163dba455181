"""Expected return against marginal capital: who earns the capital it takes.

At the optimum a row between its bounds, free of other rules, satisfies

    return  =  price of its account's money + (price of capital) × (marginal capital)

up to its own cost and its part in the objective's risk. With π the objective gained per CNY of capital
available, m the ratio required and T the total, the slope is T·Σ π·m; the intercept is the shadow price of
the account's budget, per unit of share. These are the hurdle lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.model.terms import Sense
from allocator.report.chart_parts import WIDTH, draw_axis, figure_writer
from allocator.report.formats import FORMATS
from allocator.report.svg import Canvas, Scale, nice_ticks
from allocator.report.tables import row_name
from allocator.report.view import View
from allocator.report.words import ACCOUNTS, GROUPS
from allocator.types import Text

__all__ = ["hurdles", "return_chart"]

MOST_POINTS = 400
COLOURS = 12
"""Colours of the palette; further groups share the last."""

HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 400.0, 52.0, 26.0, 354.0, WIDTH - 12

LINE = 13.0
"""Least distance between two labels."""

Point = tuple[float, float]


def return_chart(view: View) -> Canvas:
    """Draw the rows: area is the target, hollow points are not held, lines are the accounts' hurdles."""
    frame = view.tables["allocation"].frame
    frame = frame.iloc[np.argsort(-frame["target"].abs().to_numpy(), kind="stable")[:MOST_POINTS]]
    canvas = Canvas(WIDTH, HEIGHT, Text("Expected return against marginal capital", "预期收益率与边际资本"))
    x, y = _axes(canvas, frame, view)
    names = _hurdle_lines(canvas, x, y, hurdles(view))
    groups = _groups(view, frame)
    order = [name for name in GROUPS if name in groups] + [name for name in dict.fromkeys(groups) if name not in GROUPS]
    biggest = max(float(frame["target"].abs().max()), 1e-12)
    for group, line in zip(groups, frame.to_dict("records"), strict=True):
        share = abs(float(line["target"])) / biggest
        radius = 2.5 + 17.0 * math.sqrt(share) if share > 1e-9 else 3.0
        colour = f"point group{_colour(group)}" + ("" if share > 1e-9 else " hollow")
        canvas.circle(x(line["capital_marginal"]), y(line["expected_return"]), radius, colour, _hint(line, view))
    lowest = 0.0
    for height, place, label in sorted(names, key=lambda entry: entry[:2]):
        lowest = max(height, lowest + LINE)
        canvas.text(place, lowest, label, "halo", "end")
    canvas.legend(_legend(order, bool(names)))
    return canvas


def hurdles(view: View) -> dict[str, Point]:
    """Return intercept and slope of each account whose budget is an equality with a price.

    There are none where the objective is an amount of money.
    """
    solution, model = view.result.solution, view.result.model
    if view.manifest["aim"]["unit"] == "money":
        return {}
    slope = model.space.total * sum(
        solution.capital_prices.get(limit.name, 0.0) * limit.multiplier for limit in model.capital_limits
    )
    found = {}
    for term in model.terms:
        price = solution.shadow_prices.get(term.name)
        if term.name.startswith("budget[") and term.sense is Sense.EQUAL and price is not None:
            found[term.name.removeprefix("budget[").removesuffix("]")] = (float(price[0]), float(slope))
    return found


def _axes(canvas: Canvas, frame: pd.DataFrame, view: View) -> tuple[Scale, Scale]:
    marginal, earned = frame["capital_marginal"], frame["expected_return"]
    x_ticks = nice_ticks(min(0.0, float(marginal.min())), float(marginal.max()), 6)
    y_ticks = nice_ticks(min(0.0, float(earned.min())), float(earned.max()), 6)
    x, y = Scale(x_ticks[0], x_ticks[-1], LEFT, RIGHT), Scale(y_ticks[0], y_ticks[-1], BOTTOM, TOP)
    write = figure_writer("percent", view.money)
    draw_axis(canvas, x, x_ticks, (TOP, BOTTOM), write)
    for tick in y_ticks:
        canvas.line((LEFT, y(tick)), (RIGHT, y(tick)), "axis" if tick == 0.0 else "grid")
        canvas.text(LEFT - 6, y(tick) + 4, write(tick), "tick", "end")
    canvas.text(RIGHT, HEIGHT - 12, Text("Marginal capital per CNY", "每元边际资本"), "tick", "end")
    canvas.text(6, 14, Text("Expected return a year", "年化预期收益率"), "tick")
    return x, y


def _hurdle_lines(canvas: Canvas, x: Scale, y: Scale, lines: Mapping[str, Point]) -> list[tuple[float, float, Text]]:
    """Draw each line where it runs inside the axes; return height, place and text of the names to write."""
    names = []
    for account, (intercept, slope) in lines.items():
        ends = _clip(x, y, intercept, slope)
        if ends is None:
            continue
        (first, start), (second, end) = ends
        canvas.path([(x(first), y(start)), (x(second), y(end))], "hurdle")
        label = ACCOUNTS.get(account) or Text(account or "all", account or "全部")
        names.append((y(end) - 4, x(second) - 3, label))
    return names


def _clip(x: Scale, y: Scale, intercept: float, slope: float) -> tuple[Point, Point] | None:
    """Return the ends of the line inside the axes, or None when it runs outside."""
    low, high = x.low, x.high
    if slope != 0.0:
        crossings = sorted(((y.low - intercept) / slope, (y.high - intercept) / slope))
        low, high = max(low, crossings[0]), min(high, crossings[1])
    elif not y.low <= intercept <= y.high:
        return None
    return ((low, intercept + slope * low), (high, intercept + slope * high)) if low < high else None


def _groups(view: View, frame: pd.DataFrame) -> list[str]:
    kinds = view.result.inputs.kinds
    if "kind" not in frame:
        return [""] * len(frame)
    return [kinds[kind].group if kind in kinds else "" for kind in frame["kind"]]


def _colour(group: str) -> int:
    return min(list(GROUPS).index(group), COLOURS - 1) if group in GROUPS else COLOURS - 1


def _hint(line: Mapping[Any, Any], view: View) -> Text:
    label = row_name(line)
    account = view.tables["allocation"].labels["account"].get(str(line["account"])) or Text("—", "—")
    percent = FORMATS["percent"]
    earned = percent.write(line["expected_return"], view.money)
    marginal = percent.write(line["capital_marginal"], view.money)
    amount = FORMATS["money"].write(line["target"], view.money)
    return Text(
        f"{label} · {account.en}: return {earned}, marginal capital {marginal}, target {amount}",
        f"{label} · {account.zh}：收益率 {earned}，边际资本 {marginal}，调整后 {amount}",
    )


def _legend(groups: Sequence[str], lined: bool) -> Iterator[tuple[str, Text]]:
    """Yield the class and the label of each colour."""
    for group in groups:
        yield f"group{_colour(group)}", GROUPS.get(group) or Text(group.replace("_", " ") or "other", group or "其他")
    if lined:
        yield "hurdle", Text("hurdle of each account", "各账户门槛收益线")
