"""Files as desks write them: what is read, what is asked, and that nothing is lost in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import call
from desk import PLAIN, desk, faults, loaded, stock

from allocator.inputs.identity import identity, likely_the_same

TENORS = "tenor,spot\n" + "\n".join(f"{year},{0.0129 + 0.0005 * min(year, 20)}" for year in range(1, 51)) + "\n"
LIABILITIES = "account,year,outflow,inflow\n" + "\n".join(f"traditional,{year},3,0.5" for year in range(1, 40)) + "\n"
INSURER = """\
fund: {name: desk, as_of: 2026-06-30, unit: 1e8}
inputs: {assets: assets.csv, curve: curve.csv, liabilities: liabilities.csv}
balance_sheet:
  {total_assets: 1000, admitted_assets: 1000, admitted_liabilities: 987, actual_capital: 13, core_capital: 10}
capital: {regime: cross2, life_insurance_risk: 2.1, nonlife_insurance_risk: 0, loss_absorption_cap: 3, sarmra_score: 80}
"""
TABLES = {"curve.csv": TENORS, "liabilities.csv": LIABILITIES}


def bonds(*issuers: str) -> str:
    head = "asset_id,kind,account,amount,expected_return,yield,coupon,frequency,maturity,rating,issuer"
    rows = [f"C{at},corporate_bond,traditional,15,3%,3%,3%,1,2031-06-30,AAA,{name}" for at, name in enumerate(issuers)]
    government = "G,government_bond,traditional,40,2.4%,2.4%,2.5%,2,2036-06-30,,"
    return "\n".join([head, government, *rows]) + "\n"


def minimum_capital(folder: Path, assets: str) -> float:
    position = loaded(folder, assets, INSURER, TABLES).capital()
    assert position is not None
    return position.minimum_capital


@pytest.mark.parametrize("heading", ["max amount", "max_position", "cap on max"])
def test_a_heading_that_nobody_knows_is_named_with_the_nearest_one(
    tmp_path: Path, heading: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = desk(tmp_path, stock("60", "", headings=heading))
    assert call("validate", str(path), "--lang", "en") == 0
    assert f"{heading} (did you mean max?)" in capsys.readouterr().out
    assert call("run", str(path), "-o", str(tmp_path / "out"), "--set", "register=off") == 0
    manifest = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert any(heading in note["en"] and heading in note["zh"] for note in manifest["notes"])
    assert heading in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    strict = faults(tmp_path, stock("60", "", headings=heading), PLAIN + "strict_columns: true\n")
    assert f"column {heading}" in strict and "max" in strict


def test_a_column_that_the_fund_file_uses_is_no_unknown_one(tmp_path: Path) -> None:
    used = PLAIN + 'constraints: [{limits: {name: esg, where: "esg >= 3", max: 0.6}}]\n'
    book = loaded(tmp_path, stock("4", "2", headings="esg"), used)
    assert not book.inputs.notes
    assert loaded(tmp_path, stock("4", "2", headings="esg")).inputs.notes


@pytest.mark.parametrize(
    ("heading", "column", "cell", "value"),
    [
        ("持有年限（年）", "holding_years", "2", 2.0),
        ("当前票面利率(%)", "coupon", "2.80", 0.028),
        ("修正久期(年)", "modified_duration", "3.1", 3.1),
        ("最新市值", "", "", 0.0),
    ],
)
def test_a_unit_or_a_qualifier_beside_a_known_heading_is_read(
    tmp_path: Path, heading: str, column: str, cell: str, value: float
) -> None:
    if not column:
        table = stock().replace("amount", heading)
        assert loaded(tmp_path, table).inputs.assets["amount"].tolist() == [50.0, 50.0]
        return
    book = loaded(tmp_path, stock(cell, "", headings=heading))
    assert book.inputs.assets[column].iloc[0] == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("heading", ["上限(%)", "max(%)", "max%", "持仓上限(股)", "下限(美元)", "持仓上线"])
def test_a_bound_whose_heading_cannot_be_read_is_asked_for(tmp_path: Path, heading: str) -> None:
    told = faults(tmp_path, stock("10", "", headings=heading))
    assert f"column {heading}" in told and ("max" in told or "min" in told or "持仓上限" in told)


@pytest.mark.parametrize("heading", ["上限(亿元人民币)", "持仓上限(RMB bn)", "maximum(CNY 亿元)"])
def test_a_bound_in_a_readable_unit_binds(tmp_path: Path, heading: str) -> None:
    factor = 1e9 if "bn" in heading else 1e8
    assert loaded(tmp_path, stock("2", "", headings=heading)).inputs.assets["max"].iloc[0] == 2 * factor


@pytest.mark.parametrize(
    ("title", "factor"),
    [("单位：亿元", 1e8), ("(金额单位：人民币万元)", 1e4), ("Unit: RMB million", 1e6), ("编制单位：某某保险", 1e4)],
)
def test_a_unit_above_the_headings_is_applied_and_said(tmp_path: Path, title: str, factor: float) -> None:
    rows = "\n".join(
        ["持仓明细表,,,", f"{title},,,", "证券代码,资产类型,账户,持仓市值,", "A,股票型基金,传统险,12.5,", ""]
    )
    fund = "fund: {name: t, as_of: 2026-06-30, unit: 1e4}\ninputs: {assets: assets.csv}\n"
    book = loaded(tmp_path, rows, fund)
    assert book.inputs.assets["amount"].tolist() == [12.5 * factor]
    assert bool(book.inputs.notes) == (factor != 1e4)


@pytest.mark.parametrize("title", ["单位：万美元", "单位：亿元、%"])
def test_a_unit_above_the_headings_that_cannot_be_applied_is_asked_about(tmp_path: Path, title: str) -> None:
    rows = "\n".join([f"{title},,,", "证券代码,资产类型,账户,持仓市值", "A,股票型基金,传统险,12.5", ""])
    assert "stated above the headings" in faults(tmp_path, rows)


def test_rows_worth_next_to_nothing_need_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = PLAIN + "balance_sheet: {total_assets: 1000000}\n"
    assert "under 1%" in faults(tmp_path, stock(), sheet)
    path = desk(tmp_path, stock(), sheet.replace("unit: 1}", "unit: 1, mandate: true}"))
    assert call("validate", str(path), "--lang", "zh") == 0
    assert "各行金额合计 100，占总资产 0.0%" in capsys.readouterr().out
    assert loaded(tmp_path, stock(), sheet.replace("1000000", "10000")).validate() == ()


@pytest.mark.parametrize("word", ["nan", "NaN", "-nan", "0x1F", "NULL", "inf"])
def test_a_word_is_no_number_on_any_path(tmp_path: Path, word: str) -> None:
    assets = stock().replace("A,listed_stock,traditional,50", f"A,listed_stock,traditional,{word}")
    assert "row 2, column amount" in faults(tmp_path, assets)
    assert "row 2, column amount" in faults(tmp_path, assets + f"C,listed_stock,traditional,{'x' * 3},1%\n")
    liabilities = f"account,year,outflow,inflow\ntraditional,1,10,{word}\ntraditional,2,10,1\n"
    fund = PLAIN.replace("assets.csv}", "assets.csv, liabilities: liabilities.csv}")
    assert "row 2, column inflow" in faults(tmp_path, stock(), fund, {"liabilities.csv": liabilities})


@pytest.mark.parametrize("word", ["NULL", "nan", "None", "N/A", "无", "–", "－", "不适用", ""])
def test_an_issuer_that_is_a_word_for_none_is_no_issuer(tmp_path: Path, word: str) -> None:
    unnamed = minimum_capital(tmp_path / "none", bonds("", "", "", ""))
    assert minimum_capital(tmp_path / "word", bonds(word, word, word, word)) == unnamed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("甲（集团）", "甲(集团)"),
        ("甲集团", "甲 集团"),
        ("甲集团", "甲\u200b集团"),
        ("ABC Ltd", "ABC  Ltd"),
        ("ＡＢＣ", "ABC"),
    ],
)
def test_one_issuer_in_two_spellings_is_one_counterparty(tmp_path: Path, one: str, other: str) -> None:
    together = minimum_capital(tmp_path / "one", bonds(one, one, one, one))
    assert minimum_capital(tmp_path / "two", bonds(one, other, one, other)) == together
    assert minimum_capital(tmp_path / "four", bonds("甲", "乙", "丙", "丁")) < together


def test_names_that_are_likely_the_same_company_are_listed(tmp_path: Path) -> None:
    book = loaded(tmp_path, bonds("甲集团有限公司", "甲集团", "乙公司", "丙公司"), INSURER, TABLES)
    assert any("甲集团 / 甲集团有限公司" in note.zh for note in book.inputs.notes)
    assert likely_the_same(["中国银行", "中国工商银行", "A Co., Ltd.", "a"]) == [("A Co., Ltd.", "a")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("600519.0", "600519"),
        ('="600519"', "600519"),
        ("'600519", "600519"),
        ("６００５１９", "600519"),
        ("000001", "000001"),
        ("600519.SH", "600519.SH"),
        ("中国 石油", "中国石油"),
        ("A  1", "A 1"),
    ],
)
def test_a_code_is_the_one_that_is_meant(tmp_path: Path, written: str, meant: str) -> None:
    assert identity(written) == meant
    quoted = '"' + written.replace('"', '""') + '"'
    book = loaded(tmp_path, stock().replace("\nA,", f"\n{quoted},"))
    assert meant in book.inputs.assets["asset_id"].tolist()


def test_codes_are_one_in_every_table(tmp_path: Path) -> None:
    fund = PLAIN.replace("assets.csv}", "assets.csv, covariance: covariance.csv, cash_flows: flows.csv}")
    tables = {
        "covariance.csv": "asset_id,６００５１９.0,B\n'600519,0.04,0.01\nB,0.01,0.02\n",
        "flows.csv": "asset_id,date,principal,interest\n600519,2027-06-30,1,0\n",
    }
    book = loaded(tmp_path, stock().replace("\nA,", '\n"=""600519""",'), fund, tables)
    assert book.inputs.tables["covariance"]["asset_id"].tolist() == ["600519", "B"]


def test_codes_with_leading_zeros_are_compared_as_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "asset_id,kind,account,amount,max,expected_return\n"
    table += "000001,listed_stock,traditional,40,90,6%\n000002,money_market_fund,traditional,60,100,1%\n"
    path = desk(tmp_path, table)
    for out, limit in (("a", "1"), ("b", "2")):
        more = ("--set", "register=off", "--set", f"solve.time_limit={limit}0")
        if out == "b":
            path.with_name("assets.csv").write_text(table.replace(",90,", ",80,"), encoding="utf-8")
        assert call("run", str(path), "-o", str(tmp_path / out), *more) == 0
    capsys.readouterr()
    assert call("compare", str(tmp_path / "a"), str(tmp_path / "b"), "--json") == 0
    lines = json.loads(capsys.readouterr().out)["targets"]
    assert sorted(line["asset_id"] for line in lines) == ["000001", "000002"]


@pytest.mark.parametrize("cell", ['"1,5"', '"12,34"', "inf", "nan", "0x1F", "1_000"])
def test_filed_amounts_keep_the_one_grammar(tmp_path: Path, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "filed.csv"
    file.write_text(f"company,quarter,market_risk,interest_rate,equity_price\nA,2026Q1,15,{cell},3\n", encoding="utf-8")
    assert call("capital", "--filed", str(file), "--size-factor", "1") == 2
    assert "row 2, column interest_rate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "value"), [('"1,500.5"', 1500.5), ("(3)", -3.0), ("１５", 15.0), ("", 0.0), ("-", 0.0)]
)
def test_filed_amounts_are_read_as_everywhere(tmp_path: Path, cell: str, value: float) -> None:
    from allocator_cross2.filed import aggregate_filed

    file = tmp_path / "filed.csv"
    file.write_text(f"quarter,interest_rate,equity_price\n2026Q1,{cell},4\n", encoding="utf-8")
    # Correlation −0.14 between interest rate and equity price (R2, annex).
    expected = (value**2 + 16 - 2 * 0.14 * 4 * value) ** 0.5
    assert aggregate_filed(file, size_factor="1")["market_risk_computed"].iloc[0] == pytest.approx(expected)


def test_an_issue_without_a_rating_takes_its_issuers(tmp_path: Path) -> None:
    """R9 §5; D = 3.1 in the AA+ row: 3.1 × (0.0007 × 3.1 + 0.0165) = 0.057877."""
    head = "证券代码,资产类型,账户,持仓市值(万元),票面利率(%),到期日,付息频率,收益率,修正久期,主体评级,债项评级\n"
    bond = 'EB1,企业债,传统险,"10,000.00",0,20291115,年付,2.6%,3.1,{},{}\nCASH,现金,传统险,"5,000.00",,,,,,,\n'
    fund = INSURER.replace("unit: 1e8", "unit: 1e4").replace("total_assets: 1000,", "total_assets: 20000,")
    fund = fund.replace("liabilities: liabilities.csv", "").replace("curve.csv, }", "curve.csv}")
    fund = fund.replace("sarmra_score: 80", "sarmra_score: 80, without_liabilities: true")
    factors = {}
    for name, pair in {"issuer": ("AA+", ""), "issue": ("", "AA+"), "none": ("", "NR"), "both": ("AAA", "AA+")}.items():
        position = loaded(tmp_path / name, head + bond.format(*pair), fund, {"curve.csv": TENORS}).capital()
        assert position is not None
        modules = position.modules.set_index("module")["amount"]
        factors[name] = modules["spread"] / 1e4
    assert factors["issuer"] == pytest.approx(3.1 * (0.0007 * 3.1 + 0.0165), rel=1e-12)
    assert factors["issue"] == factors["both"] == factors["issuer"]
    assert factors["none"] > 4 * factors["issuer"]
    assert "issuer_rating" in faults(tmp_path / "blank", head + bond.format("", ""), fund, {"curve.csv": TENORS})


@pytest.mark.parametrize(
    ("word", "frequency"),
    [("年付", 1), ("半年付", 2), ("按季付息", 4), ("月付", 12), ("到期一次还本付息", 0), ("利随本清", 0), ("2", 2)],
)
def test_payments_a_year_are_read_in_words(tmp_path: Path, word: str, frequency: int) -> None:
    assert loaded(tmp_path, stock(word, "", headings="付息频率")).inputs.assets["frequency"].iloc[0] == frequency
    assert "半年付" in faults(tmp_path, stock("偶尔", "", headings="付息频率"))


@pytest.mark.parametrize(
    "row", ["合计,,,100,", ",合计,,100,", ",,传统账户小计：,100,", "制表人：张三,,,,", ",,,,复核：李四"]
)
def test_totals_and_signatures_look_like_what_they_are(tmp_path: Path, row: str) -> None:
    told = faults(tmp_path, stock() + row + "\n").splitlines()
    assert len(told) == 2
    assert "row 4" in told[0] and "looks like a total" in told[0] and "疑似合计行或签字行" in told[1]


def test_one_cell_has_one_fault_and_each_language_its_own_words(tmp_path: Path) -> None:
    english, chinese = faults(
        tmp_path, stock().replace("A,listed_stock,traditional", "A,listed_stock,普通险")
    ).splitlines()
    assert "traditional, participating" in english
    assert "传统、分红、万能、股东" in chinese and "traditional" not in chinese


@pytest.mark.parametrize("day", ["9999-12-31", "2999/12/31", "1899-12-31"])
def test_a_placeholder_is_no_maturity(tmp_path: Path, day: str) -> None:
    assert "a placeholder, not a date" in faults(tmp_path, stock(day, "", headings="到期日"))
