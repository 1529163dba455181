"""CSV, Excel and Parquet: the same table in every form, and what each form can do wrong."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from support import make_registry

from allocator.config.load import load_settings
from allocator.errors import InputError
from allocator.inputs import csv_files, files, load_inputs
from allocator.inputs.fund import Inputs

FUND = "fund: {{name: f, as_of: 2026-06-30, unit: 1e8}}\ninputs: {{assets: {assets}{more}}}\n"
HEADINGS = ["证券代码", "证券简称", "资产类别", "账户", "市值(万元)", "到期收益率(%)", "到期日", "绿债"]
ROWS: list[list[Any]] = [
    ["000001", "平安银行债", "金融债", "传统", "12,345.67", 2.5, "2030-06-30", "是"],
    ["019547", "国债，一期", "国债", "分红", "8,000", 1.8, "2036/6/30", ""],
]


def read(folder: Path, assets: str = "a.csv", **more: str) -> Inputs:
    named = "".join(f", {name}: {json_quoted(file)}" for name, file in more.items())
    (folder / "fund.yaml").write_text(FUND.format(assets=json_quoted(assets), more=named), encoding="utf-8")
    return load_inputs(load_settings(folder / "fund.yaml"), make_registry())


def json_quoted(text: str) -> str:
    return f'"{text}"'


def told(folder: Path, assets: str = "a.csv", **more: str) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        read(folder, assets, **more)
    return caught.value.render("en"), caught.value.render("zh")


def csv_text(delimiter: str = ",", title: str = "") -> str:
    lines = [delimiter.join(f'"{cell}"' if delimiter in str(cell) else str(cell) for cell in row) for row in ROWS]
    return title + delimiter.join(HEADINGS) + "\r\n" + "\r\n".join(lines) + "\r\n"


def expect_the_table(inputs: Inputs) -> None:
    frame = inputs.assets
    assert frame["asset_id"].tolist() == ["000001", "019547"]
    assert frame["name"].tolist() == ["平安银行债", "国债，一期"]
    assert frame["kind"].tolist() == ["financial_bond", "government_bond"]
    assert frame["account"].tolist() == ["traditional", "participating"]
    assert frame["amount"].tolist() == pytest.approx([123_456_700.0, 80_000_000.0], rel=1e-15)
    assert frame["yield"].tolist() == pytest.approx([0.025, 0.018], rel=1e-15)
    assert frame["maturity"].tolist() == [pd.Timestamp("2030-06-30"), pd.Timestamp("2036-06-30")]
    assert frame["green"].tolist() == [True, pd.NA]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoted", [False, True])
def test_rows_end_where_they_end_wherever_a_block_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoted: bool, end: str
) -> None:
    """Arrow reads block by block; without quotation marks it need not look for line ends inside cells."""
    monkeypatch.setattr(csv_files, "_BLOCK", 64)
    name = '"two\nlines"' if quoted else "plain"
    lines = [f"{number:06},{name},国债,传统,{number},2.5,2036-06-30,是" for number in range(200)]
    (tmp_path / "a.csv").write_bytes(end.join((",".join(HEADINGS), *lines, "")).encode())
    frame = read(tmp_path).assets
    assert frame["asset_id"].tolist() == [f"{number:06}" for number in range(200)]
    assert set(frame["name"]) == {name.strip('"')}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_encoding_and_delimiter_is_one_table(tmp_path: Path, encoding: str, delimiter: str) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(delimiter).encode(encoding))
    expect_the_table(read(tmp_path))


def test_title_lines_and_blank_rows_are_skipped_and_rows_keep_their_number(tmp_path: Path) -> None:
    text = csv_text(title="某寿险公司持仓表,,,\r\n\r\n单位：万元\r\n") + ",,,,,,,\r\n\r\n  ,,,,,,,\r\n"
    (tmp_path / "a.csv").write_bytes(text.encode("gb18030"))
    inputs = read(tmp_path)
    expect_the_table(inputs)
    assert inputs.sources["assets"].rows.tolist() == [5, 6]
    assert inputs.where("assets", 1, "yield") == "a.csv, row 6, column 到期收益率(%)"


def test_a_quoted_line_break_does_not_begin_a_row(tmp_path: Path) -> None:
    text = 'asset_id,name,kind,amount\nA,"two\nlines",cash,1\nB,b,cash,-1\n'
    (tmp_path / "a.csv").write_text(text)
    en, _ = told(tmp_path)
    assert "a.csv, row 3, column amount: a negative amount" in en


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = csv_text().encode()
    (tmp_path / "a.csv").write_bytes(content)
    assert read(tmp_path).sources["assets"].fingerprint == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "english", "chinese"),
    [
        (b"", ["inputs.assets: the file is empty"], ["文件为空"]),
        (b"\n\n", ["the file is empty"], ["文件为空"]),
        (
            csv_text().encode("big5", errors="ignore"),
            ["encoding is not known", "GB18030", "CSV UTF-8"],
            ["无法识别文件编码"],
        ),
        (
            "asset_id,name\nA,crème brûlée à volonté\n".encode("latin-1"),
            ["encoding is not known"],
            ["无法识别文件编码"],
        ),
        (csv_text().encode("utf-16")[2:], ["encoding is not known"], ["无法识别文件编码"]),
        (csv_text().encode("utf-16")[:-1], ["encoding is not known"], ["无法识别文件编码"]),
        (
            b"asset_id,kind,amount\nA,cash,1,234\nB,cash,1\n",
            ["a.csv, row 2: the row has more or fewer cells", "4 cells", "quotation marks"],
            ["第 2 行：该行单元格数与表头不一致", "4 个单元格"],
        ),
        (
            b"asset_id,kind,amount\nA,cash,1\nB,cash\nC,cash,x\n",
            ["a.csv, row 3: the row has more", "a.csv, row 4, column amount: not an amount, got x"],
            ["第 3 行"],
        ),
        (
            b'asset_id,kind,amount\nA,cash,1\n"B,cash,1\nC,cash,1\n',
            ["a.csv, row 3: a quotation mark is not closed"],
            ["引号未闭合"],
        ),
        (
            b'"' + b"x" * 140_000 + b'"\nasset_id,kind,amount\nA,cash,1\n',
            ["a.csv, row 1: no headings stand above a cell too long to be one", "≤ 131,072", "quotation mark"],
            ["a.csv，第 1 行：在一个过长的单元格之前没有表头"],
        ),
        (
            b'Holdings\n"asset_id,kind,amount\n' + b"A,cash,1\n" * 20_000 + b'"\n',
            ["a.csv, row 2: no headings stand above a cell too long to be one"],
            ["a.csv，第 2 行"],
        ),
        (b"\x00\x01\x02", ["encoding is not known"], ["无法识别文件编码"]),
        (b"PK\x03\x04 not a csv", ["a needed column is missing"], ["缺少必需的列"]),
        (b"asset_id,kind,amount\n", ["the table has no rows"], ["表中没有数据行"]),
        (b"asset_id,kind,amount,amount\nA,cash,1,2\n", ["two headings mean the same column"], ["两个表头对应同一列"]),
        (b"asset_id,kind,amount,\nA,cash,1,2\n", ["column D: a column with cells but no heading"], ["没有表头"]),
    ],
)
def test_broken_csv_is_told(tmp_path: Path, content: bytes, english: list[str], chinese: list[str]) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    en, zh = told(tmp_path)
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh


@tuned(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.sampled_from([b"", b"asset_id,kind,amount\n", b"\xef\xbb\xbf", b'"']))
def test_any_bytes_are_inputs_or_a_told_mistake(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("a.csv", "a.xlsx", "a.parquet"):
        (folder / name).write_bytes(start + content)
        with pytest.raises(InputError):
            read(folder, name)


TEXT = st.text(st.characters(codec="gb18030", exclude_categories=("C", "Z")), min_size=1, max_size=12)


@tuned(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXT, min_size=1, max_size=5, unique=True), st.sampled_from(["utf-8", "utf-16"]))
def test_names_survive_every_unicode_encoding(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], encoding: str
) -> None:
    folder = tmp_path_factory.mktemp("names")
    frame = pd.DataFrame({"asset_id": [f"A{n}" for n in range(len(names))], "name": names, "kind": "cash", "amount": 1})
    frame.to_csv(folder / "a.csv", index=False, encoding=encoding)
    expected = ["" if name in {"-", "--", "---", "—", "——", "/"} else name for name in names]
    try:
        assert read(folder).assets["name"].fillna("").tolist() == expected
    except InputError as error:  # a name such as #N/A is a spreadsheet error
        assert "spreadsheet error" in error.render()


def workbook(path: Path, change: Callable[[openpyxl.Workbook], None] = lambda book: None, start: int = 1) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "持仓"
    for row in [[]] * (start - 1) + [HEADINGS, *ROWS]:
        page.append(row)
    change(book)
    book.save(path)


def test_excel_is_the_same_table(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx")
    expect_the_table(read(tmp_path, "a.xlsx"))


def test_excel_numbers_dates_and_percentages_are_taken_as_shown(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        page = book.active
        page["A2"], page["E2"], page["H2"] = 600519, 12345.67, True
        page["G2"] = pd.Timestamp("2030-06-30").to_pydatetime()
        page["G3"] = 49856  # 2036-06-30 as a serial
        page["F2"], page["F2"].number_format = 0.025, "0.00%"

    workbook(tmp_path / "a.xlsx", change)
    frame = read(tmp_path, "a.xlsx").assets
    frame = frame.set_index("asset_id").loc[["600519", "019547"]].reset_index()
    assert frame["yield"].tolist() == pytest.approx([0.025, 0.018], rel=1e-15)
    assert frame["maturity"].tolist() == [pd.Timestamp("2030-06-30"), pd.Timestamp("2036-06-30")]


def test_a_sheet_is_found_by_name_by_table_or_by_its_headings(tmp_path: Path) -> None:
    def add(book: openpyxl.Workbook) -> None:
        book.create_sheet("说明", 0).append(["本工作簿说明"])
        page = book.create_sheet("发行人")
        page.append(["发行人", "类型"])
        page.append(["甲公司", "银行"])
        hidden = book.create_sheet("旧")
        for row in (HEADINGS, *ROWS):
            hidden.append(row)
        hidden.sheet_state = "hidden"

    workbook(tmp_path / "a.xlsx", add)
    inputs = read(tmp_path, "a.xlsx", issuers="a.xlsx")
    expect_the_table(inputs)
    assert inputs.sources["assets"].file == "a.xlsx#持仓"
    assert inputs.tables["issuers"]["type"].tolist() == ["bank"]
    expect_the_table(read(tmp_path, "a.xlsx#旧"))
    en, zh = told(tmp_path, "a.xlsx#持苍")
    assert "no such sheet, got 持苍, allowed 说明, 持仓, 发行人, 旧" in en
    assert "工作表不存在" in zh


def test_two_sheets_that_fit_are_not_chosen_between(tmp_path: Path) -> None:
    def add(book: openpyxl.Workbook) -> None:
        page = book.create_sheet("另一")
        page.append(HEADINGS)

    workbook(tmp_path / "a.xlsx", add)
    en, zh = told(tmp_path, "a.xlsx")
    assert "which sheet holds the table assets?, allowed 持仓, 另一, hint: name it: a.xlsx#持仓" in en
    assert "无法确定表 assets 所在的工作表" in zh


@pytest.mark.parametrize(
    ("change", "english", "chinese"),
    [
        (
            lambda page: page.merge_cells("B3:B4"),
            ["a.xlsx#持仓, cells B3:B4: merged cells"],
            ["单元格 B3:B4：合并单元格"],
        ),
        (lambda page: page.__setitem__("E2", "#REF!"), ["column 市值(万元) (E2): the cell holds a"], ["公式错误值"]),
        (
            lambda page: page.__setitem__("E2", "=1+1"),
            ["cell E2: the formula has no saved value"],
            ["没有已保存的计算结果"],
        ),
        (lambda page: page.__setitem__("E3", "x"), ["row 3, column 市值(万元) (E3): not an amount, got x"], ["(E3)"]),
        (lambda page: page.__setitem__("A4", "合计"), ["column 证券代码 (A4): looks like a total"], ["合计行"]),
    ],
)
def test_excel_mistakes_name_the_cell(
    tmp_path: Path, change: Callable[[Any], None], english: list[str], chinese: list[str]
) -> None:
    workbook(tmp_path / "a.xlsx", lambda book: change(book.active))
    en, zh = told(tmp_path, "a.xlsx")
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh


def test_a_merged_title_above_the_headings_is_no_mistake(tmp_path: Path) -> None:
    def title(book: openpyxl.Workbook) -> None:
        book.active["A1"] = "持仓明细表"
        book.active.merge_cells("A1:H1")

    workbook(tmp_path / "a.xlsx", title, start=3)
    inputs = read(tmp_path, "a.xlsx")
    expect_the_table(inputs)
    assert inputs.where("assets", 0, "amount") == "a.xlsx#持仓, row 4, column 市值(万元) (E4)"


def test_what_is_no_workbook_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0 encrypted")
    en, zh = told(tmp_path, "a.xlsx")
    assert "not an .xlsx workbook" in en and "password" in en
    assert "不是 .xlsx 工作簿" in zh
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    assert "the workbook is damaged" in told(tmp_path, "b.xlsx")[0]
    openpyxl.Workbook().save(tmp_path / "c.xlsx")
    assert "the sheet is empty" in told(tmp_path, "c.xlsx")[0]


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (20 << 20))
    en, zh = told(tmp_path, "a.xlsx")
    assert "the workbook unpacks to too much" in en
    assert "解压后过大" in zh


def test_parquet_keeps_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=HEADINGS)
    frame["市值(万元)"] = [12345.67, 8000.0]
    frame["到期日"] = pd.to_datetime(["2030-06-30", "2036-06-30"])
    frame["绿债"] = pd.array([True, None], dtype="boolean")
    frame["资产类别"] = frame["资产类别"].astype("category")
    frame["层级"] = pd.array([None, 2], dtype="Int64")
    frame["所属指数"] = [["csi300", "x"], None]
    frame.to_parquet(tmp_path / "a.parquet")
    inputs = read(tmp_path, "a.parquet")
    expect_the_table(inputs)
    assert inputs.assets["layers"].tolist()[1] == 2.0
    assert inputs.assets["indices"].tolist() == [("csi300", "x"), ()]
    assert inputs.where("assets", 1) == "a.parquet, row 2"


def test_damaged_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing PAR1")
    en, zh = told(tmp_path, "a.parquet")
    assert "the file cannot be read as Parquet" in en
    assert "无法按 Parquet 读取该文件" in zh


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        (
            "assest.csv",
            ["fund.yaml, line 2, inputs.assets: no such file", "did you mean 'assets.csv'?"],
            ["文件不存在"],
        ),
        ("folder.csv", ["no such file"], ["文件不存在"]),
        (
            "old.xls",
            ["the old Excel format .xls is not read", "save it as .xlsx"],
            ["不支持旧版 Excel 格式", "另存为 .xlsx"],
        ),
        ("assets.pdf", ["a format that is not read", ".parquet"], ["不支持的文件格式"]),
    ],
)
def test_files_that_cannot_be_had_are_told(tmp_path: Path, name: str, english: list[str], chinese: list[str]) -> None:
    (tmp_path / "assets.csv").write_text(csv_text(), encoding="utf-8")
    (tmp_path / "folder.csv").mkdir()
    en, zh = told(tmp_path, name)
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text(csv_text(), encoding="utf-8")
    monkeypatch.setattr(files.os, "fstat", lambda descriptor: SimpleNamespace(st_size=7))
    expect_the_table(read(tmp_path))


def test_paths_start_at_the_fund_file_and_may_leave_its_folder(tmp_path: Path) -> None:
    (tmp_path / "funds").mkdir()
    (tmp_path / "a#1.csv").write_text(csv_text(), encoding="utf-8")
    expect_the_table(read(tmp_path / "funds", "../a#1.csv"))
    expect_the_table(read(tmp_path / "funds", str(tmp_path / "a#1.csv")))


def test_an_unknown_table_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text(), encoding="utf-8")
    en, zh = told(tmp_path, isuers="b.csv")
    assert "fund.yaml, line 2, inputs.isuers: no table of this name is known" in en
    assert "fund.yaml，第 2 行，inputs.isuers：未知的表名" in zh


def test_plain_and_text_numbers_are_one(tmp_path: Path) -> None:
    """The fast path (a column of plain numbers) and the slow one (a single odd cell) give the same figures."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {"asset_id": [f"A{n}" for n in range(500)], "kind": "cash", "amount": rng.lognormal(3, 9, 500)}
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    plain = read(tmp_path).assets["amount"]
    text = frame.astype({"amount": object})
    text.loc[0, "amount"] = f"{float(frame['amount'][0])!r} "
    text.to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path).assets["amount"].tolist() == plain.tolist()


MATRIX: Mapping[str, str] = {
    "covariance": "asset_id,A,B\nA,0.04,0.01\nB,0.01,0.09\n",
    "returns": "date,A,B\n2026-01-31,1%,-2%\n2026-02-28,0.5%,0.01\n",
    "scenarios": "情景,概率,A,B\n基准,50%,1%,2%\n下行,0.5,-10%,3%\n",
}


def matrix(folder: Path, name: str, text: str) -> Inputs:
    (folder / "a.csv").write_text("asset_id,kind,amount\nA,cash,1\nB,cash,1\n")
    (folder / "m.csv").write_text(text, encoding="utf-8")
    return read(folder, **{name: "m.csv"})


def test_matrices_are_read(tmp_path: Path) -> None:
    covariance = matrix(tmp_path, "covariance", "代码,B,A\nA,0.01,0.04\nB,0.09,0.01\n").tables["covariance"]
    assert covariance.columns.tolist() == ["asset_id", "A", "B"]
    assert covariance[["A", "B"]].to_numpy().tolist() == [[0.04, 0.01], [0.01, 0.09]]
    returns = matrix(tmp_path, "returns", MATRIX["returns"]).tables["returns"]
    assert returns["date"].tolist() == [pd.Timestamp("2026-01-31"), pd.Timestamp("2026-02-28")]
    assert returns["A"].tolist() == [0.01, 0.005]
    scenarios = matrix(tmp_path, "scenarios", MATRIX["scenarios"]).tables["scenarios"]
    assert scenarios["probability"].tolist() == [0.5, 0.5]
    assert scenarios["B"].tolist() == [0.02, 0.03]


@pytest.mark.parametrize(
    ("name", "old", "new", "english", "chinese"),
    [
        ("covariance", "B,0.01", "B,0.02", "the covariance is not symmetric, got 0.01 | 0.02", "协方差矩阵不对称"),
        ("covariance", "B,0.01", "B,0.02", "m.csv, row 2, column B | m.csv, row 3, column A", "最大的一对"),
        ("covariance", "0.01", "0.07", "not positive semidefinite, got smallest eigenvalue", "最小特征值"),
        ("covariance", "0.04", "-0.04", "a variance is negative", "方差为负"),
        ("covariance", "B,0.01", ",0.01", "a column has no row of its name, got B", "有列而无同名行"),
        ("covariance", "0.04", "", "m.csv, row 2, column A: an empty cell", "单元格为空"),
        ("covariance", "0.04", "x", "m.csv, row 2, column A: not a number, got x", "不是有效数字"),
        ("covariance", "B,0.01,0.09", "A,0.01,0.09", "the same asset twice, got A", "资产重复"),
        ("covariance", "\nB,0.01,0.09", "", "does not cover these assets, got B", "未覆盖"),
        ("covariance", "\nB,0.01,0.09", "", "a column has no row of its name, got B", "有列而无同名行"),
        ("covariance", ",0.09", ",0.09\nC,1,1", "a row has no column of its name, got C", "有行而无同名列"),
        ("returns", "2026-02-28", "2026-01-31", "m.csv, row 3, column date: dates must increase", "日期必须递增"),
        ("returns", "2026-02-28", "soon", "m.csv, row 3, column date: not a date, got soon", "不是有效日期"),
        ("returns", "-2%", "", "m.csv, row 2, column B: an empty cell, hint: fill it in, or leave", "整列删除"),
        ("returns", "-2%", "-100%", "a return of −100% or less, got -100%", "收益率不高于 −100%"),
        ("returns", "date", "when", "a needed column is missing, got date", "缺少必需的列"),
        ("returns", "A,B", "A,A", "two columns share a heading", "两列表头相同"),
        ("scenarios", "50%", "60%", "the probabilities do not sum to 1, got 1.1", "概率之和不为 1"),
        ("scenarios", "50%", "40%", "the probabilities do not sum to 1, got 0.9", "概率之和不为 1"),
        ("scenarios", "50%", "-50%", "a probability must lie in [0, 1]", "概率须在 0 与 1 之间"),
        ("scenarios", "-10%", "-110%", "a return below −100%", "收益率低于 −100%"),
    ],
)
def test_matrices_that_cannot_be_are_told(
    tmp_path: Path, name: str, old: str, new: str, english: str, chinese: str
) -> None:
    with pytest.raises(InputError) as caught:
        matrix(tmp_path, name, MATRIX[name].replace(old, new))
    assert english in caught.value.render("en")
    assert chinese in caught.value.render("zh")


def test_the_smallest_eigenvalue_is_that_of_the_hand_worked_matrix(tmp_path: Path) -> None:
    """Correlation 0.07 / (0.2 · 0.3) = 7/6 gives eigenvalues 1 ± 7/6."""
    with pytest.raises(InputError, match=r"-0\.166667"):
        matrix(tmp_path, "covariance", MATRIX["covariance"].replace("0.01", "0.07"))


def test_a_singular_covariance_and_rounding_asymmetry_are_accepted(tmp_path: Path) -> None:
    matrix(tmp_path, "covariance", "asset_id,A,B\nA,0.04,0.06\nB,0.06000000001,0.09\n")
    matrix(tmp_path, "covariance", "asset_id,A,B\nA,0,0\nB,0,0.09\n")


@pytest.mark.parametrize("seed", range(20))
def test_damaged_files_are_read_or_told(tmp_path: Path, seed: int) -> None:
    """Bytes changed, dropped or added anywhere, and inside a workbook's parts: never anything but InputError."""
    rng = np.random.default_rng(seed)
    workbook(tmp_path / "a.xlsx")
    pd.DataFrame(ROWS, columns=HEADINGS).to_parquet(tmp_path / "a.parquet")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    hurt = str(rng.choice(sorted(parts)))
    with zipfile.ZipFile(tmp_path / "part.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, damaged(content, rng) if name == hurt else content)
    for name in ("a.xlsx", "a.parquet"):
        (tmp_path / name).write_bytes(damaged((tmp_path / name).read_bytes(), rng))
    for name in ("a.xlsx", "part.xlsx", "a.parquet"):
        try:
            assert len(read(tmp_path, name).assets)
        except InputError as error:
            assert error.problems


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 8))):
        place = int(rng.integers(0, len(changed)))
        changed[place : place + int(rng.integers(0, 6))] = rng.bytes(int(rng.integers(0, 6)))
        changed = changed or bytearray(b"x")
    return bytes(changed)


@pytest.mark.parametrize("word", ["nan", "NaN", "nAn", " NaN ", "ＮａＮ", "N/A", "null", "None", "<NA>", "NaT"])
def test_a_word_for_missing_is_no_amount(tmp_path: Path, word: str) -> None:
    """An empty amount says that nothing is held; NaN may hide a position, and capital with it."""
    (tmp_path / "a.csv").write_text(csv_text().replace('"8,000"', word), encoding="utf-8")
    english, chinese = told(tmp_path)
    assert "row 3, column 市值(万元)" in english and "a figure that is not known" in english and word.strip() in english
    assert "数值缺失" in chinese
    (tmp_path / "a.csv").write_text(csv_text().replace('"8,000"', ""), encoding="utf-8")
    assert read(tmp_path).assets["amount"].tolist()[1] == 0.0


def test_a_stray_cell_at_the_end_of_a_sheet_costs_nothing(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active["XFD1048576"] = "stray"

    workbook(tmp_path / "a.xlsx", change)
    english, _ = told(tmp_path, "a.xlsx")
    assert "1048576" in english and "defect" not in english


def test_a_mapping_in_a_cell_is_told(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=HEADINGS).assign(**{"市值(万元)": [{"a": 1}, {"a": 2}]})
    frame.to_parquet(tmp_path / "a.parquet")
    english, _ = told(tmp_path, "a.parquet")
    assert "row 1, column 市值(万元)" in english and "not an amount" in english
