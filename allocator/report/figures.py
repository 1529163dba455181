"""The page's charts one by one, for notebooks and files: the same drawings, each a picture of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from allocator.errors import InputError, Problem, did_you_mean
from allocator.report import charts
from allocator.report.chart_cash_flows import cash_flow_chart
from allocator.report.chart_durations import duration_chart
from allocator.report.chart_marginal import marginal_chart
from allocator.report.chart_returns import return_chart
from allocator.report.chart_tilts import tilt_exposure_chart
from allocator.report.svg import Canvas
from allocator.report.view import View
from allocator.types import Text

__all__ = ["FIGURES", "Figure", "figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart as SVG; a notebook shows it as it is.

    Parameters
    ----------
    svg : str
        The drawing, with its heading and its style.
    """

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the drawing to an ``.svg`` file and return its path."""
        Path(path).write_text(self.svg, encoding="utf-8")
        return Path(path)


def figure(view: View, name: str) -> Figure:
    """Return a chart of the report by its name, in the view's language.

    Raises
    ------
    InputError
        When there is no chart of that name, or the result has nothing to draw in it.
    """
    if name not in FIGURES:
        known = ", ".join(FIGURES)
        what = Text("there is no such chart", "没有这种图表")
        raise InputError(Problem(what, "figure", name, known, did_you_mean(name, FIGURES)))
    drawn = FIGURES[name](view)
    if drawn is None:
        what = Text("this result has nothing to draw in that chart", "该结果没有此图表所需的数据")
        raise InputError(Problem(what, "figure", name))
    unit = view.money.label
    title = drawn.title if name in SHARES else Text(f"{drawn.title.en} ({unit.en})", f"{drawn.title.zh}（{unit.zh}）")
    return Figure(drawn.alone(title, view.language))


def _with_capital(draw: Callable[[View], Canvas]) -> Callable[[View], Canvas | None]:
    """Return a chart that needs a solvency regime."""
    return lambda view: None if view.result.after is None else draw(view)


def _with_table(name: str, draw: Callable[[View], Canvas]) -> Callable[[View], Canvas | None]:
    """Return a chart that needs a table with rows."""
    return lambda view: draw(view) if name in view.tables and not view.tables[name].frame.empty else None


SHARES = ("returns", "marginal", "durations", "rules", "tilts", "stress")
"""Charts without an amount of money."""

FIGURES: Mapping[str, Callable[[View], Canvas | None]] = {
    "allocation": charts.allocation_chart,
    "waterfall": _with_capital(charts.waterfall_chart),
    "returns": _with_capital(return_chart),
    "marginal": _with_capital(marginal_chart),
    "capital": _with_capital(charts.contribution_chart),
    "rules": charts.rules_chart,
    "durations": _with_table("durations", duration_chart),
    "cash_flows": _with_table("cash_flows", cash_flow_chart),
    "tilts": _with_table("tilts", tilt_exposure_chart),
    "stress": lambda view: None if view.stress is None else view.stress.chart.picture,
}
"""Charts by name."""
