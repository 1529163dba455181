"""The console view: a summary that fits one screen, in colour on a terminal and plain elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text as Line

from allocator.model.units import MoneyUnit
from allocator.report.console_table import BAD, GOOD, QUIET
from allocator.report.formats import FORMATS
from allocator.report.warnings import unchecked_lines
from allocator.report.words import HEADINGS, STATUS
from allocator.types import Text, visible

if TYPE_CHECKING:
    from allocator.report.summary import Measure, Trade
    from allocator.report.view import View

__all__ = [
    "print_summary",
]

TRADES, RULES, TILTS, WATCHED = 4, 6, 4, 3
"""How many lines of each fit one screen."""

GAP = 3
"""Blanks between two columns."""


def print_summary(view: View, console: Console) -> None:
    """Print the first page of a result."""
    language, fund = view.language, view.manifest["fund"]
    for warning in unchecked_lines(view.result.unchecked):
        console.print(Line(visible(warning[language]), style="yellow"), soft_wrap=True)
    money = Text(f"money in {view.money.label.en}", f"金额单位：{view.money.label.zh}")
    console.print(Line(visible(f"{fund['name']}  ·  {fund['as_of']}  ·  {money[language]}"), style="bold"))
    console.print(_measures(view, console.width))
    _print_trades(view, console)
    _print_rules(view, console)
    _print_tilts(view, console)
    console.print(_proof(view))
    for note in view.result.inputs.notes:
        console.print(f"· {note[language]}", markup=False, highlight=False, soft_wrap=True)


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str | Line]], width: int) -> Table:
    """Return a table: the first column gives way where the screen is narrow, figures never do."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rows = [[visible(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    widest = [
        max([cell_len(heading), *(cell_len(str(row[place])) for row in rows)]) for place, heading in enumerate(headings)
    ]
    room = width - sum(widest[1:]) - GAP * (len(widest) - 1)
    table.add_column(escape(headings[0]), overflow="ellipsis", no_wrap=True, max_width=max(12, min(room, 56)))
    for heading, needed in zip(headings[1:], widest[1:], strict=True):
        table.add_column(escape(heading), justify="right", no_wrap=True, min_width=needed)
    for row in rows:
        table.add_row(*(escape(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def _measures(view: View, width: int) -> Table:
    from allocator.report.summary import key_measures

    language = view.language
    words = (Text("Measure", "指标"), *(HEADINGS[name] for name in ("before", "amount", "change", "required")))
    rows: list[list[str | Line]] = [
        [
            line.label[language],
            "" if line.before is None else line.write(line.before, view.money),
            Line(line.write(line.after, view.money), style="bold"),
            _change(line, view.money),
            "" if line.required is None else f"≥ {line.write(line.required, view.money)}",
        ]
        for line in key_measures(view)
    ]
    return _grid([word[language] for word in words], rows, width)


def _change(line: Measure, money: MoneyUnit) -> Line:
    if line.change is None:
        return Line("")
    return Line(line.write_change(money), style={True: GOOD, False: BAD, None: QUIET}[line.improves(money)])


def _print_trades(view: View, console: Console) -> None:
    from allocator.report.summary import top_trades

    bought, sold = top_trades(view, TRADES)
    language = view.language
    if not bought and not sold:
        console.print(Text("No trades.", "无需调整。")[language])
        return
    names = ["account", "trade", "target", "expected_return"]
    rows = [_trade_cells(trade, view, GOOD) for trade in bought] + [_trade_cells(trade, view, BAD) for trade in sold]
    if view.result.after is not None:
        names.append("capital_marginal")
    headings = [Text("Largest trades", "主要买卖"), *(HEADINGS[name] for name in names)]
    console.print(_grid([word[language] for word in headings], [row[: len(headings)] for row in rows], console.width))


def _trade_cells(trade: Trade, view: View, style: str) -> list[str | Line]:
    money, percent = FORMATS["money"], FORMATS["percent"]
    return [
        trade.name if trade.name == trade.asset_id else f"{trade.asset_id} {trade.name}",
        trade.account[view.language],
        Line(money.write(trade.trade, view.money, sign=True), style=style),
        money.write(trade.target, view.money),
        percent.write(trade.expected_return, view.money),
        percent.write(trade.capital_marginal, view.money),
    ]


def _print_rules(view: View, console: Console) -> None:
    from allocator.report.summary import binding_rules

    language, rules = view.language, binding_rules(view)
    if not rules:
        console.print(Text("No rule binds.", "没有起约束作用的规则。")[language])
        _print_watched(view, console)
        return
    headings = [
        Text("Rules that hold us back", "起约束作用的规则"),
        *(HEADINGS[name] for name in ("rhs", "step", "gain")),
    ]
    rows = [
        [rule.label[language], rule.limit, rule.step[language], rule.write_gain(view.money)] for rule in rules[:RULES]
    ]
    console.print(_grid([word[language] for word in headings], rows, console.width))
    if len(rules) > RULES:
        more = len(rules) - RULES
        text = Text(f"… {more} more in constraints.csv", f"……另有 {more} 条见 constraints.csv")
        console.print(Line(text[language], style=QUIET))
    _print_watched(view, console)


def _print_watched(view: View, console: Console) -> None:
    from allocator.report.summary import watched_breaches

    for breach in watched_breaches(view)[:WATCHED]:
        mark = Text("watch", "关注")[view.language]
        console.print(Line(visible(f"{mark}: {breach.said[view.language]}"), style="yellow"))


def _print_tilts(view: View, console: Console) -> None:
    table, language = view.tables["tilts"], view.language
    if table.frame.empty:
        return
    columns = ("score_untilted", "score_after", "return_given_up", "capital_used", "ratio_change")
    rows = []
    for line in table.frame.head(TILTS).to_dict("records"):
        label = table.labels["name"].get(line["name"]) or Text(line["name"], line["name"])
        figures = [FORMATS[table.formats[column]].write(line[column], view.money) for column in columns]
        rows.append([label[language], *figures])
    headings = [HEADINGS["tilt"], *(HEADINGS[column] for column in columns)]
    console.print(_grid([word[language] for word in headings], rows, console.width))


def _proof(view: View) -> Line:
    from allocator.report.summary import proof_line

    proof, language = proof_line(view), view.language
    checked = bool(proof["verified"])
    words = {
        "bound": Text("bound", "界"),
        "gap": Text("gap", "差距"),
        "nodes": Text("nodes", "节点"),
        "objective": Text("objective", "目标值"),
    }
    line = Line()
    line.append(STATUS[str(proof["status"])][language], GOOD if proof["status"] == "optimal" else "yellow")
    for name in ("objective", "bound", "gap", "nodes"):
        line.append(f"  ·  {words[name][language]} {proof[name]}")
    line.append(f"  ·  {proof['solver']}  ·  ")
    verdict = Text("verified", "已复核") if checked else Text("NOT verified", "未通过复核")
    line.append(verdict[language], f"bold {GOOD if checked else BAD}")
    return line
