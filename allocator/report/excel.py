"""report.xlsx: summary, allocation, capital, charges, rules, stress, tilts, plugins' sections, inputs.

Money stands in ``fund.unit`` and figures at 16 digits, so every cell equals run.json and the CSV files;
totals are formulas that recompute them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from allocator.language import counted
from allocator.model.units import money_unit, unit_names
from allocator.report import capital_sheet
from allocator.report.csv_table import in_unit, rules_in_unit
from allocator.report.formats import FORMATS, column_format, format_name, is_missing
from allocator.report.headline import headline
from allocator.report.manifest import Json
from allocator.report.sheets import TOTAL, Book, Formula, Sheet
from allocator.report.summary import binding_rules, key_measures, proof_line
from allocator.report.tables import by_trade
from allocator.report.view import View
from allocator.report.words import BINDING, HEADINGS, STATUS
from allocator.result.tables import ReportTable
from allocator.types import Language, Text

__all__ = ["Shown", "write_study_workbook", "write_workbook"]

MOST_ROWS = 2_000
"""Rows of a sheet; the rest, smallest trades and holdings first, is added up and stands in the CSV file."""

ORDER = (
    *("allocation", "capital", "charges", "constraints", "stress", "stress_modules"),
    *("tilts", "cash_flows", "durations"),
)
"""Tables of the library's own, in the order of their sheets."""

SHEETS = {"constraints": "rules"}
"""Sheets named otherwise than their table."""


class Shown(Protocol):
    """What sheets need to know of whatever they show: a run's `View`, a study's `StudyReport`."""

    @property
    def manifest(self) -> Json: ...

    @property
    def language(self) -> Language: ...

    @property
    def unit(self) -> float: ...


def write_study_workbook(shown: Shown, tables: Sequence[ReportTable], path: Path) -> None:
    """Write the workbook of a study: a sheet a table, and the inputs."""
    book = Book()
    for table in tables:
        _sheet_of(book.add(table.name), table, in_unit(table, shown.unit), shown)
    _finish(book, shown, path)


def write_workbook(view: View, path: Path) -> None:
    """Write the workbook of a result."""
    book = Book()
    _summary(book.add("summary"), view)
    for name in ORDER:
        if name in view.tables and not (name == "tilts" and view.tables[name].frame.empty):
            writer = {"allocation": _allocation, "capital": _capital}.get(name, _plain)
            writer(book.add(SHEETS.get(name, name)), view.tables[name], view)
    for section in view.sections:
        for table in section.tables:
            _plain(book.add(table.name), table, view)
    _finish(book, view, path)


def _finish(book: Book, view: Shown, path: Path) -> None:
    _inputs(book.add("inputs"), view)
    book.save(path, view.manifest["fund"]["name"])


def _unit_note(view: Shown) -> str:
    label = money_unit(view.unit).label
    return Text(f"Money in {label.en}.", f"金额单位：{label.zh}。")[view.language]


def _summary(sheet: Sheet, view: View) -> None:
    fund, language, unit = view.manifest["fund"], view.language, view.unit
    sheet.title(f"{fund['name']} · {fund['as_of']}", _unit_note(view))
    for sentence in headline(view):
        sheet.line(sentence[language])
    sheet.row += 1
    words = (
        Text("Measure", "指标"),
        HEADINGS["before"],
        HEADINGS["amount"],
        HEADINGS["change"],
        Text("Required", "要求"),
    )
    sheet.heading([word[language] for word in words])
    for line in key_measures(view):
        scale = unit if line.format == "money" else 1.0
        before, after = (None if value is None else value / scale for value in (line.before, line.after))
        change = None if before is None or after is None else capital_sheet.change(sheet.row + 1, before, after)
        row = [line.label[language], before, after, change, line.required]
        sheet.append(row, ["text", *[line.format] * 4])
    sheet.row += 1
    sheet.heading([HEADINGS[name][language] for name in ("rule", "rhs", "step", "gain", "source")])
    for rule in binding_rules(view, 20):
        gain = rule.gain / unit if rule.gain_in_money else rule.gain
        form = "money" if rule.gain_in_money else "basis_points"
        cells = [rule.label[language], rule.limit, rule.step[language], gain, rule.cited[language]]
        sheet.append(cells, ["text", "text", "text", form, "text"])
    sheet.row += 1
    _proof(sheet, view)
    sheet.fit(widest=34.0)


def _proof(sheet: Sheet, view: View) -> None:
    proof, language = proof_line(view), view.language
    sheet.heading([Text("Proof", "证明")[language], ""])
    status, verified = STATUS[str(proof["status"])], BINDING[bool(proof["verified"])]
    lines = [
        (Text("Status", "状态"), status[language]),
        (Text("Objective", "目标值"), proof["objective"]),
        (Text("Certified bound", "可证明的界"), proof["bound"]),
        (Text("Gap", "差距"), proof["gap"]),
        (Text("Relaxations solved", "求解节点数"), proof["nodes"]),
        (Text("Solver", "求解器"), proof["solver"]),
        (Text("Verified", "已复核"), verified[language]),
    ]
    for label, value in lines:
        sheet.append([label[language], value], ["text", "text"])
    sheet.row += 1
    for note in view.manifest["notes"]:
        mark = "" if note["rule"] else Text("[not the rule] ", "［非监管口径］")[language]
        article = f" ({note['article']})" if note["article"] else ""
        sheet.line(f"{mark}{note[language]}{article}")


def _column(
    table: ReportTable, frame: pd.DataFrame, column: str, view: Shown
) -> tuple[Sequence[object], Iterable[str]]:
    """Return a column's values, labels in the workbook's language, and the format of each."""
    form, values = column_format(frame[column], table.formats.get(column)), frame[column].tolist()
    if form == "by_unit":
        return values, [format_name(form, unit) for unit in frame["unit"].tolist()]
    if form in FORMATS:
        return values, repeat(form)
    if form == "flag":
        return [None if is_missing(value) else BINDING[bool(value)][view.language] for value in values], repeat("text")
    labels = {name: label[view.language] for name, label in table.labels.get(column, {}).items()}
    return [labels.get(str(value), value) for value in values] if labels else values, repeat("text")


def _head(sheet: Sheet, table: ReportTable, columns: Sequence[str], view: Shown) -> int:
    note = _unit_note(view) + (" " + table.note[view.language] if table.note is not None else "")
    sheet.title(table.title[view.language], note)
    row = sheet.heading([table.heading(column)[view.language] for column in columns])
    sheet.freeze(row)
    return row


def _rows(sheet: Sheet, table: ReportTable, frame: pd.DataFrame, view: Shown) -> tuple[int, int]:
    """Write heading and rows; return the numbers of the first and the last row."""
    columns = [str(column) for column in frame.columns]
    head, shown = _head(sheet, table, columns, view), frame.head(MOST_ROWS)
    filled = [_column(table, shown, column, view) for column in columns]
    depths = [table.indent.get(str(key), 0) for key in shown[columns[0]].tolist()] if table.indent else repeat(0)
    sheet.extend([values for values, _ in filled], [forms for _, forms in filled], depths)
    sheet.filter(head, len(columns))
    return head + 1, sheet.row


def _plain(sheet: Sheet, table: ReportTable, view: View) -> None:
    frame = in_unit(table, view.unit)
    if table.name == "constraints":
        frame = rules_in_unit(table.frame, view.unit, view.result.objective_in_money)
        table = replace(table, labels={**table.labels, "unit": unit_names(view.money)})
    _sheet_of(sheet, table, frame, view)


def _sheet_of(sheet: Sheet, table: ReportTable, frame: pd.DataFrame, view: Shown) -> None:
    lines = _rows(sheet, table, frame, view)
    if table.summed:
        _total(sheet, table, frame, lines, view)
    else:
        _say_rest(sheet, frame, view)
    sheet.fit()


def _total(sheet: Sheet, table: ReportTable, frame: pd.DataFrame, lines: tuple[int, int], view: Shown) -> int:
    """Write what is left out, then the sums of the columns that have one, as formulas; return the sums' row."""
    first, last = lines
    columns = [str(column) for column in frame.columns]
    forms = [table.formats[column] if column in table.summed else "text" for column in columns]
    if len(frame) > MOST_ROWS:
        rest = frame.iloc[MOST_ROWS:]
        label = Text(counted(len(rest), "further row"), f"其余 {len(rest):,} 行")[view.language]
        last = sheet.append([label, *(rest[c].sum() if c in table.summed else None for c in columns[1:])], forms)
    sums = []
    for place, column in enumerate(columns[1:], 1):
        letter = xl_col_to_name(place)
        total = (
            Formula(f"=SUM({letter}{first}:{letter}{last})", float(frame[column].sum()))
            if column in table.summed
            else None
        )
        sums.append(total)
    return sheet.append([Text("Total", "合计")[view.language], *sums], forms, TOTAL)


def _say_rest(sheet: Sheet, frame: pd.DataFrame, view: Shown) -> None:
    left = len(frame) - MOST_ROWS
    if left > 0:
        sheet.line(
            Text(f"{counted(left, 'further row')} in the CSV file.", f"其余 {left:,} 行见 CSV 文件。")[view.language]
        )


def _allocation(sheet: Sheet, table: ReportTable, view: View) -> None:
    """Write the rows, then what is left out, totals, constants and minimum capital, all recomputed."""
    frame, language = in_unit(table, view.unit), view.language
    if len(frame) > MOST_ROWS:
        frame = frame.iloc[by_trade(frame)]
    total = _total(sheet, table, frame, _rows(sheet, table, frame, view), view)
    columns = [str(column) for column in frame.columns]
    if "capital_contribution" in columns:
        place = columns.index("capital_contribution")
        letter, empty = xl_col_to_name(place), [None] * (place - 1)
        constants = view.manifest["capital"]["attribution"]["liabilities_and_constants"]
        label = Text("Liabilities and constants", "负债与常数项")[language]
        row = sheet.append([label, *empty, constants], ["text"] * place + ["money"])
        label = Text("Minimum capital", "最低资本")[language]
        formula = Formula(f"={letter}{total}+{letter}{row}", view.manifest["capital"]["minimum_capital"])
        sheet.append([label, *empty, formula], ["text"] * place + ["money"], TOTAL)
    sheet.fit()


def _capital(sheet: Sheet, table: ReportTable, view: View) -> None:
    """Write the modules as a tree of formulas, then the bridge."""
    _head(sheet, table, capital_sheet.COLUMNS, view)
    capital_sheet.modules(sheet, view)
    capital_sheet.bridge(sheet, view)
    sheet.fit()


def _inputs(sheet: Sheet, view: Shown) -> None:
    entry, language = view.manifest, view.language
    sheet.title(Text("Inputs and their fingerprints", "输入文件及指纹")[language])
    sheet.heading([HEADINGS[name][language] for name in ("table", "file", "rows", "sha256")])
    for name, source in entry["inputs"].items():
        sheet.append([name, source["file"], source["rows"], source["sha256"]], ["text", "text", "integer", "text"])
    sheet.row += 1
    sheet.heading([Text("Version", "版本")[language], ""])
    for name, version in entry["versions"].items():
        sheet.append([name, version], ["text", "text"])
    sheet.append(["seed", entry["seed"]], ["text", "integer"])
    sheet.row += 1
    sheet.heading([Text("Setting", "设置")[language], ""])
    for key, value in _flat(entry["settings"]):
        sheet.append([key, value], ["text", "text"])
    sheet.fit(widest=72.0)


def _flat(settings: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return dotted keys with their values as text; lists stay whole, what is not set is left out."""
    if isinstance(settings, dict) and settings:
        return [
            pair for key, value in settings.items() for pair in _flat(value, f"{prefix}.{key}" if prefix else str(key))
        ]
    if settings is None:
        return []
    shown = settings if isinstance(settings, str) else json.dumps(settings, ensure_ascii=False)
    return [(prefix, shown)]
