"""How results and capital look in a notebook: small tables, every text escaped, no style sheet needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from allocator.language import preferred_language
from allocator.model.position import CapitalPosition
from allocator.model.units import MoneyUnit, money_unit
from allocator.report.console_table import table_cell
from allocator.report.document import money_note
from allocator.report.formats import FORMATS, column_format
from allocator.report.summary import binding_rules, key_measures, proof_line, top_trades
from allocator.report.tables import capital_table
from allocator.report.templating import render
from allocator.report.view import View
from allocator.report.words import HEADINGS, STATUS
from allocator.result.result import Result
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

__all__ = ["position_html", "result_html"]

TRADES, MOST = 6, 200
LEFT, RIGHT = "text-align:left", "text-align:right;white-space:nowrap"


@dataclass(frozen=True, eq=False)
class Grid:
    """A table: headings, which columns are text, and rows with the depth of each."""

    heads: Sequence[str]
    is_text: Sequence[bool]
    rows: Sequence[tuple[int, Sequence[str]]]
    caption: str = ""


def result_html(result: Result) -> str:
    """Return the first page of a result: before and after, largest trades, rules that bind, tilts, proof."""
    view = View.of(result, preferred_language(None, result.inputs.settings.language, os.environ))
    fund, proof, language = view.manifest["fund"], proof_line(view), view.language
    verified = Text("verified", "已复核") if proof["verified"] else Text("NOT verified", "未通过复核")
    gap = Text("gap", "差距")[language]
    facts = [
        *(money_note(view.money)[language], STATUS[str(proof["status"])][language]),
        *(f"{gap} {proof['gap']}", verified[language]),
    ]
    tables = [_measures(view), _trades(view), _rules(view), _grid(view.tables["tilts"], language, view.money)]
    return _shown(facts, tables, f"{fund['name']} · {fund['as_of']}")


def position_html(position: CapitalPosition) -> str:
    """Return ratios and the tree of risk modules, indented."""
    language = preferred_language(None, None, os.environ)
    table = capital_table(position.tree, position.holdings)
    money = money_unit(1.0) if position.space is None else money_unit(position.space.unit, position.space.currency)
    ratios = [
        f"{item.ratio.label[language]} {FORMATS['percent'].write(item.over(position.minimum_capital), money)}"
        for item in position.requirements
    ]
    return _shown([money_note(money)[language], *ratios], [_grid(table, language, money)])


def _shown(facts: Sequence[str], tables: Sequence[Grid], heading: str = "") -> str:
    return str(render("notebook.html", heading=heading, facts=facts, tables=tables, left=LEFT, right=RIGHT))


def _grid(table: ReportTable, language: Language, money: MoneyUnit) -> Grid:
    """Return a report table; a tree's lines are indented and its column of parents left out."""
    columns = [str(column) for column in table.frame.columns if not (table.indent and column == "parent")]
    is_text = [column_format(table.frame[name], table.formats.get(name)) in {"text", "flag"} for name in columns]
    rows = []
    for record in table.frame.head(MOST).to_dict("records"):
        line = {str(key): value for key, value in record.items()}
        cells = [table_cell(table, column, line, language, money) for column in columns]
        rows.append((table.indent.get(str(line[columns[0]]), 0), cells))
    return Grid([table.heading(column)[language] for column in columns], is_text, rows, table.title[language])


def _measures(view: View) -> Grid:
    words = (Text("Measure", "指标"), *(HEADINGS[name] for name in ("before", "amount", "change", "required")))
    rows = [
        (
            0,
            [
                line.label[view.language],
                "" if line.before is None else line.write(line.before, view.money),
                line.write(line.after, view.money),
                "" if line.change is None else line.write_change(view.money),
                "" if line.required is None else f"≥ {line.write(line.required, view.money)}",
            ],
        )
        for line in key_measures(view)
    ]
    return Grid([word[view.language] for word in words], [True, False, False, False, False], rows)


def _trades(view: View) -> Grid:
    bought, sold = top_trades(view, TRADES)
    words = [Text("Largest trades", "主要买卖"), *(HEADINGS[name] for name in ("account", "trade", "target"))]
    money = FORMATS["money"]
    rows = [
        (
            0,
            [
                trade.name,
                trade.account[view.language],
                money.write(trade.trade, view.money, sign=True),
                money.write(trade.target, view.money),
            ],
        )
        for trade in (*bought, *sold)
    ]
    return Grid([word[view.language] for word in words], [True, True, False, False], rows)


def _rules(view: View) -> Grid:
    names = ("rhs", "step", "gain")
    words = [Text("Rules that hold us back", "起约束作用的规则"), *(HEADINGS[name] for name in names)]
    rows = [
        (0, [rule.label[view.language], rule.limit, rule.step[view.language], rule.write_gain(view.money)])
        for rule in binding_rules(view)
    ]
    return Grid([word[view.language] for word in words], [True, False, False, False], rows)
