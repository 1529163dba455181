"""Workbooks as desks keep them: which sheet is read, what is said of the others, and what nobody has calculated."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from desk import PLAIN, faults, loaded

BOOK = PLAIN.replace("assets.csv", "book.xlsx")
HEAD = ("asset_id", "kind", "account", "amount", "expected_return")
ROWS = (("A", "listed_stock", "traditional", 50, 0.05), ("B", "listed_stock", "traditional", 40, 0.04))


def workbook(folder: Path, fill: Callable[[Any], None]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    fill(book)
    book.save(folder / "book.xlsx")


def sheet(book: Any, name: str, *rows: tuple[Any, ...], head: tuple[str, ...] = HEAD) -> Any:
    page = book.create_sheet(name)
    for row in (head, *rows):
        page.append(row)
    return page


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
@pytest.mark.parametrize("visible", ["持仓", "Sheet1"])
def test_a_hidden_sheet_gives_way_to_the_visible_one_and_is_named(tmp_path: Path, state: str, visible: str) -> None:
    def fill(book: Any) -> None:
        sheet(book, visible, *ROWS)
        sheet(book, "assets", ("OLD", "listed_stock", "traditional", 1, 0.01)).sheet_state = state

    workbook(tmp_path, fill)
    book = loaded(tmp_path, "", BOOK)
    assert book.inputs.assets["asset_id"].tolist() == ["A", "B"]
    assert [note.en for note in book.inputs.notes] == ["book.xlsx: sheets that were not read: assets"]


def test_a_hidden_sheet_is_read_where_it_is_asked_for(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet(book, "持仓", *ROWS)
        sheet(book, "assets", ("OLD", "listed_stock", "traditional", 1, 0.01)).sheet_state = "hidden"
        book.create_sheet("空表")

    workbook(tmp_path, fill)
    book = loaded(tmp_path, "", BOOK.replace("book.xlsx", "'book.xlsx#assets'"))
    assert book.inputs.assets["asset_id"].tolist() == ["OLD"]
    assert [note.zh for note in book.inputs.notes] == ["book.xlsx：未读取的工作表：持仓"]


@pytest.mark.parametrize("comma", [",", "，", "、"])
def test_several_sheets_make_one_table(tmp_path: Path, comma: str) -> None:
    abroad = (*HEAD, "currency")

    def fill(book: Any) -> None:
        sheet(book, "境内", *ROWS)
        sheet(book, "境外", ("C", "overseas_stock", "traditional", 300, 0.06, "USD"), head=abroad)

    workbook(tmp_path, fill)
    fund = BOOK.replace("book.xlsx", f"'book.xlsx#境内{comma}境外'")
    book = loaded(tmp_path, "", fund)
    assert book.inputs.assets["asset_id"].tolist() == ["A", "B", "C"]
    assert book.inputs.assets["currency"].tolist()[2] == "USD"
    assert not book.inputs.notes
    assert str(book.inputs.where("assets", 2, "amount")) == "book.xlsx#境外, row 2, column amount"
    assert book.optimize().allocation["asset_id"].tolist() == ["A", "B", "C"]
    assert "no such sheet" in faults(tmp_path, "", fund.replace("境外", "境處"))


def calculated_never(folder: Path, formula: str, value: object, column: int = 3) -> None:
    book = xlsxwriter.Workbook(folder / "book.xlsx")
    page = book.add_worksheet("assets")
    for at, row in enumerate((HEAD, *ROWS)):
        page.write_row(at, 0, row)
    page.write(0, column, HEAD[column] if column < len(HEAD) else "备注")
    page.write_formula(1, column, formula, None, value)
    book.close()


@pytest.mark.parametrize(("formula", "value"), [("=20*2", 0), ("=SUM(D3:D3)", 40), ("=A9", "")])
def test_a_formula_that_nobody_calculated_is_refused(tmp_path: Path, formula: str, value: object) -> None:
    calculated_never(tmp_path, formula, value)
    told = faults(tmp_path, "", BOOK)
    assert "D2" in told and ("nobody has calculated" in told or "no saved value" in told)


def test_a_formula_in_a_column_of_no_use_is_no_matter(tmp_path: Path) -> None:
    calculated_never(tmp_path, "=1+1", 0, column=7)
    assert loaded(tmp_path, "", BOOK).inputs.assets["amount"].tolist() == [50.0, 40.0]


def rewritten(folder: Path, change: Callable[[str, str], str]) -> None:
    source = folder / "book.xlsx"
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    with zipfile.ZipFile(source, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, change(name, text))


@pytest.mark.parametrize("setting", ["calcMode='manual'", 'calcMode="manual" calcId="1"', 'fullCalcOnLoad="true"'])
def test_a_workbook_that_is_calculated_by_hand_is_as_good_as_not(tmp_path: Path, setting: str) -> None:
    calculated_never(tmp_path, "=20*2", 40)
    told = 'calcPr calcId="124519" fullCalcOnLoad="1"'
    rewritten(tmp_path, lambda name, text: text.replace(told, f"calcPr {setting}"))
    assert "D2" in faults(tmp_path, "", BOOK)
    rewritten(tmp_path, lambda name, text: text.replace(f"calcPr {setting}", 'calcPr calcId="191029"'))
    assert loaded(tmp_path, "", BOOK).inputs.assets["amount"].tolist() == [40.0, 40.0]


def test_other_spellings_of_a_formula_are_seen(tmp_path: Path) -> None:
    calculated_never(tmp_path, "=20*2", 0)
    rewritten(tmp_path, lambda name, text: text.replace('<c r="D2"><f>20*2</f>', "<c r='D2' ><f ca='1'>20*2</f>"))
    assert "D2" in faults(tmp_path, "", BOOK)


def test_strict_open_xml_is_named_with_what_to_do(tmp_path: Path) -> None:
    workbook(tmp_path, lambda book: sheet(book, "持仓", *ROWS))
    ordinary = "http://schemas.openxmlformats.org/"
    strict = {
        f"{ordinary}spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
        f"{ordinary}officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }

    def change(name: str, text: str) -> str:
        for old, new in strict.items():
            text = text.replace(old, new)
        return text

    rewritten(tmp_path, change)
    told = faults(tmp_path, "", BOOK)
    assert "Strict Open XML" in told and "ordinary Excel workbook" in told and "另存为普通" in told


@pytest.mark.parametrize(
    ("value", "form", "code"), [(1, "000000", "000001"), (600519, "000000", "600519"), (1, "0", "1")]
)
def test_a_code_has_the_zeros_that_its_number_format_shows(tmp_path: Path, value: int, form: str, code: str) -> None:
    def fill(book: Any) -> None:
        page = sheet(book, "assets", *ROWS)
        page["A2"] = value
        page["A2"].number_format = form

    workbook(tmp_path, fill)
    assert code in loaded(tmp_path, "", BOOK).inputs.assets["asset_id"].tolist()


@pytest.mark.parametrize("name", ["", "甲"])
def test_a_row_without_a_name_goes_by_its_code(tmp_path: Path, name: str) -> None:
    table = "asset_id,name,kind,account,amount,expected_return\n"
    table += f"A,{name},listed_stock,traditional,50,5%\nB,,listed_stock,traditional,50,4%\n"
    assert loaded(tmp_path, table).optimize().allocation["name"].tolist() == [name or "A", "B"]
