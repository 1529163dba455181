"""How results and capital look in a notebook: small tables, every text escaped, no style sheet needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape

from allocator.language import preferred_language
from allocator.model.position import CapitalPosition
from allocator.report.console_table import table_cell
from allocator.report.formats import FORMATS, MoneyUnit, column_format, money_unit
from allocator.report.summary import binding_rules, key_measures, proof_line, top_trades
from allocator.report.tables import capital_table
from allocator.report.view import View
from allocator.report.words import HEADINGS, RATIOS, STATUS
from allocator.result.result import Result
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

__all__ = ["position_html", "result_html", "table_html"]

TRADES, MOST = 6, 200
LEFT, RIGHT = "text-align:left", "text-align:right;white-space:nowrap"


def result_html(result: Result) -> str:
    """Return the first page of a result: before and after, largest trades, rules that bind, tilts, proof."""
    view = View.of(result, preferred_language(None, result.inputs.settings.language, os.environ))
    fund, proof, language = view.manifest["fund"], proof_line(view), view.language
    verified = Text("verified", "已复核") if proof["verified"] else Text("NOT verified", "未通过复核")
    money = Text(f"money in {view.money.label.en}", f"金额单位：{view.money.label.zh}")
    gap = Text("gap", "差距")[language]
    facts = [STATUS[str(proof["status"])][language], f"{gap} {proof['gap']}", verified[language]]
    parts = [
        f"<h4>{escape(fund['name'])} · {escape(fund['as_of'])}</h4>",
        f"<p>{escape(' · '.join([money[language], *facts]))}</p>",
        _measures(view),
        _trades(view),
        _rules(view),
    ]
    if not view.tables["tilts"].frame.empty:
        parts.append(table_html(view.tables["tilts"], language, view.money))
    return f'<div class="allocator">{"".join(parts)}</div>'


def position_html(position: CapitalPosition) -> str:
    """Return ratios and the tree of risk modules, indented."""
    language = preferred_language(None, None, os.environ)
    table = capital_table(position.tree, position.holdings)
    money = money_unit(position.minimum_capital)
    percent = FORMATS["percent"]
    ratios = [
        f"{(RATIOS.get(item.name) or Text(item.name, item.name))[language]} "
        f"{percent.write(item.ratio(position.minimum_capital), money)}"
        for item in position.requirements
    ]
    unit = Text(f"money in {money.label.en}", f"金额单位：{money.label.zh}")[language]
    lead = f"<p>{escape(' · '.join([unit, *ratios]))}</p>"
    return f'<div class="allocator">{lead}{table_html(table, language, money)}</div>'


def table_html(table: ReportTable, language: Language, money: MoneyUnit) -> str:
    """Return a report table; a tree's lines are indented and its column of parents left out."""
    columns = [str(column) for column in table.frame.columns if not (table.indent and column == "parent")]
    forms = {column: column_format(table.frame[column], table.formats.get(column)) for column in columns}
    rows = []
    for record in table.frame.head(MOST).to_dict("records"):
        line = {str(key): value for key, value in record.items()}
        depth = table.indent.get(str(line[columns[0]]), 0)
        rows.append([table_cell(table, column, line, language, money) for column in columns] + [str(depth)])
    headings = [table.heading(column)[language] for column in columns]
    is_text = [forms[column] in {"text", "flag"} for column in columns]
    return _grid(headings, rows, is_text, table.title[language])


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]], is_text: Sequence[bool], caption: str = "") -> str:
    """Return a table; a row may hold the depth of its first cell behind the others."""
    aligned = [LEFT if text else RIGHT for text in is_text]
    head = "".join(f'<th style="{style}">{escape(text)}</th>' for text, style in zip(headings, aligned, strict=True))
    body = []
    for row in rows:
        depth = int(row[len(headings)]) if len(row) > len(headings) else 0
        first = f"{aligned[0]};padding-left:{0.5 + 1.4 * depth:.1f}em"
        styles = [first, *aligned[1:]]
        cells = [f'<td style="{style}">{escape(text)}</td>' for text, style in zip(row, styles, strict=False)]
        body.append(f"<tr>{''.join(cells)}</tr>")
    title = f'<caption style="{LEFT};font-weight:bold">{escape(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _measures(view: View) -> str:
    words = (Text("Measure", "指标"), *(HEADINGS[name] for name in ("before", "amount", "change", "required")))
    rows = [
        [
            line.label[view.language],
            "" if line.before is None else line.write(line.before, view.money),
            line.write(line.after, view.money),
            "" if line.change is None else line.write_change(view.money),
            "" if line.required is None else f"≥ {line.write(line.required, view.money)}",
        ]
        for line in key_measures(view)
    ]
    return _grid([word[view.language] for word in words], rows, [True, False, False, False, False])


def _trades(view: View) -> str:
    bought, sold = top_trades(view, TRADES)
    words = [Text("Largest trades", "主要买卖"), *(HEADINGS[name] for name in ("account", "trade", "target"))]
    money = FORMATS["money"]
    rows = [
        [
            trade.name,
            trade.account[view.language],
            money.write(trade.trade, view.money, sign=True),
            money.write(trade.target, view.money),
        ]
        for trade in (*bought, *sold)
    ]
    return _grid([word[view.language] for word in words], rows, [True, True, False, False]) if rows else ""


def _rules(view: View) -> str:
    names = ("rhs", "step", "gain")
    words = [Text("Rules that hold us back", "起约束作用的规则"), *(HEADINGS[name] for name in names)]
    rows = [
        [rule.label[view.language], rule.limit, rule.step[view.language], rule.write_gain(view.money)]
        for rule in binding_rules(view)
    ]
    return _grid([word[view.language] for word in words], rows, [True, False, False, False]) if rows else ""
