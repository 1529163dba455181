"""report.xlsx: figures equal to run.json, totals as formulas, and no text that could start a formula."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from fake_result import NO_PLUGINS, TARGET, fake_result, with_sections
from office import recomputed

from allocator.report import excel
from allocator.report.excel import write_workbook
from allocator.report.sheets import DANGEROUS, safe_text, sheet_name
from allocator.report.view import View
from allocator.result.tables import ReportSectionSpec, ReportTable
from allocator.types import Language, Text


def view(language: Language = Language.ENGLISH, *sections: ReportSectionSpec) -> View:
    return View.of(fake_result(), language, with_sections(*sections))


@pytest.fixture
def book(tmp_path: Path) -> Any:
    write_workbook(view(), tmp_path / "report.xlsx")
    return openpyxl.load_workbook(tmp_path / "report.xlsx")


def column(sheet: Any, heading: str) -> list[Any]:
    """Return the cells below a heading."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value == heading:
                return [sheet.cell(number, cell.column).value for number in range(cell.row + 1, sheet.max_row + 1)]
    raise AssertionError(f"no heading {heading}")


def test_sheets_stand_in_the_order_of_the_questions(book: Any) -> None:
    assert book.sheetnames == ["summary", "allocation", "capital", "charges", "rules", "tilts", "inputs"]


def test_allocation_holds_every_row_and_recomputes_its_totals(book: Any) -> None:
    sheet = book["allocation"]
    target = column(sheet, "Target")
    assert target[:8] == TARGET.tolist()
    assert target[8] == "=SUM(F5:F12)"
    contribution = column(sheet, "Capital contribution")
    assert contribution[8] == "=SUM(L5:L12)"
    assert contribution[10] == "=L13+L14"
    attribution = view().manifest["capital"]["attribution"]
    assert contribution[9] == pytest.approx(attribution["liabilities_and_constants"], rel=1e-14)
    assert sheet.freeze_panes == "B5"
    assert sheet.auto_filter.ref == "A4:S12"


def test_figures_carry_the_format_of_what_they_are(book: Any) -> None:
    """Money with two decimals, shares and ratios as percentages; every sheet's heading stays in sight."""
    sheet = book["allocation"]
    forms = {str(cell.value): sheet.cell(5, cell.column).number_format for cell in sheet[4]}
    assert forms["Target"].startswith("#,##0.00") and forms["Weight"] == "0.00%" and forms["Expected return"] == "0.00%"
    assert sheet.cell(13, 6).number_format == forms["Target"]
    frozen = {one.title for one in book if one.freeze_panes is not None}
    assert frozen == set(book.sheetnames) - {"summary", "inputs"}


def test_capital_is_a_tree_of_formulas_over_its_own_lines(book: Any) -> None:
    """Written from the tree's weights and correlations: the lines are 5 minimum capital … 11 interest rate …"""
    sheet = book["capital"]
    labels = column(sheet, "Module")
    line = {label: row for row, label in enumerate(labels[: labels.index(None)], 5)}
    after = {label: sheet.cell(row, 3).value for label, row in line.items() if label}
    rate, equity, market = line["Interest rate risk"], line["Equity price risk"], line["Market risk"]
    assert after["Market risk"] == f"=SQRT(C{rate}^2+C{equity}^2-0.28*C{rate}*C{equity})"
    assert after["Interest rate risk"] == f"=MAX(C{rate + 1},C{rate + 2})"
    assert after["Diversification of market risk"] == f"=C{rate}+C{equity}-C{market}"
    assert after["Minimum capital"] == f"=0.95*C{line['Quantifiable risk capital']}"
    assert after["Equity price risk"] == 35.5
    assert after["Loss absorption"] == 6.0  # a value: one of its parts has no line
    assert sheet.cell(market, 2).value == f"=SQRT(B{rate}^2+B{equity}^2-0.28*B{rate}*B{equity})"
    assert sheet.cell(rate, 1).alignment.indent == 8


def test_text_never_starts_a_formula(book: Any) -> None:
    formulas = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    formulas += 1
                    assert re.fullmatch(r"=[A-Z0-9+*^().,:-]+", cell.value), cell.value
                elif isinstance(cell.value, str):
                    assert not cell.value.startswith(DANGEROUS), cell.coordinate
    assert formulas > 20
    assert "'=SUM(A1:A9)" in column(book["allocation"], "Asset")
    assert "'+公司债 AAA 5年" in column(book["allocation"], "Name")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1"])
def test_dangerous_text_is_written_behind_an_apostrophe(text: str) -> None:
    assert safe_text(text).startswith("'")
    assert safe_text(f" {text}") == f" {text}"


def test_text_that_a_cell_cannot_hold_is_mended() -> None:
    assert safe_text("a\x00b\uffff") == "a b "
    assert len(safe_text("x" * 50_000)) <= 32_767


def test_figures_keep_16_digits_and_texts_every_sign(tmp_path: Path) -> None:
    """A spreadsheet shows 15; a text may hold what XML uses for itself, and blanks at its ends."""
    figures = [0.1 + 0.2, 1e-300, -123456789.12345679, 2.0**53 + 2.0]
    texts = ["<a href='x'>&amp;\"", "  两端空格  ", "第一行\n第二行", ""]
    frame = pd.DataFrame({"text": texts, "figure": figures, "open": [np.inf, np.nan, None, 1.0]})
    table = ReportTable("bits", Text("Bits", "精度"), frame)
    spec = ReportSectionSpec("bits", Text("Bits", "精度"), lambda result: (table,))
    write_workbook(view(Language.ENGLISH, spec), tmp_path / "report.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx")["bits"]
    assert column(sheet, "figure") == pytest.approx(figures, rel=1e-15, abs=0.0)
    assert column(sheet, "text") == [*texts[:3], None]
    assert column(sheet, "open") == [None, None, None, 1.0]
    assert sheet.dimensions == "A1:C8"


def test_sheet_names_are_valid_and_unique() -> None:
    assert sheet_name("a/b:c*[d]?", ()) == "a_b_c__d__"
    assert sheet_name("Rules", ["rules"]) == "Rules_2"
    assert len(sheet_name("x" * 60, ["x" * 28])) <= 31


def test_the_workbook_speaks_the_language_asked_for(tmp_path: Path) -> None:
    write_workbook(view(Language.CHINESE), tmp_path / "zh.xlsx")
    chinese = openpyxl.load_workbook(tmp_path / "zh.xlsx")
    assert chinese["资产配置"]["A1"].value == "资产配置"
    assert "国债" in column(chinese["资产配置"], "类别")
    assert "等于" in column(chinese["约束与限额"], "方向")


def test_a_plugins_table_becomes_a_sheet_in_the_unit_of_the_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"scenario": ["up"], "loss": [3e8]})
    table = ReportTable("stress", Text("Stress", "压力测试"), frame, formats={"loss": "money"})
    spec = ReportSectionSpec("stress", Text("Stress", "压力测试"), lambda result: (table,))
    write_workbook(view(Language.ENGLISH, spec), tmp_path / "report.xlsx")
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert column(book["stress"], "loss") == [3.0]


def test_rows_beyond_the_most_are_added_up_so_that_totals_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "MOST_ROWS", 5)
    write_workbook(view(), tmp_path / "report.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx")["allocation"]
    target = column(sheet, "Target")
    assert target[:5] == [300.0, 80.0, 120.0, 50.0, 60.0]  # trades of 40, 40, 30, 30, 20
    assert target[5] == TARGET.sum() - sum(target[:5])
    assert target[6] == "=SUM(F5:F10)"


def test_a_spreadsheet_recomputes_what_run_json_says(tmp_path: Path) -> None:
    shown = view()
    write_workbook(shown, tmp_path / "report.xlsx")
    book = recomputed(tmp_path / "report.xlsx", tmp_path)
    written = openpyxl.load_workbook(tmp_path / "report.xlsx", data_only=True)
    for sheet in written:
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, float)):
            assert book[sheet.title][cell.coordinate].value == pytest.approx(cell.value, rel=1e-12, abs=1e-12)
    minimum = shown.manifest["capital"]["minimum_capital"]
    assert column(book["allocation"], "Capital contribution")[10] == pytest.approx(minimum, rel=1e-12)
    assert column(book["allocation"], "Target")[8] == pytest.approx(shown.manifest["funded_total"], rel=1e-14)
    steps = [value for value in column(book["capital"], "Step") if value]
    amounts = column(book["capital"], "After")
    assert steps[-1] == "Minimum capital"
    assert amounts[-1] == pytest.approx(minimum, rel=1e-12)
    for name, cell in zip(shown.tables["capital"].frame["module"], column(book["capital"], "After"), strict=False):
        exact = shown.tables["capital"].frame.set_index("module")["amount"][name] / 1e8
        assert cell == pytest.approx(exact, rel=1e-12)
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("#")]


def test_weights_need_no_scores(tmp_path: Path) -> None:
    bare = replace(fake_result(), scores={}, tilts=())
    write_workbook(View.of(bare, Language.ENGLISH, NO_PLUGINS), tmp_path / "report.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx")["allocation"]
    np.testing.assert_allclose(column(sheet, "Weight")[:8], TARGET / 1100.0)
