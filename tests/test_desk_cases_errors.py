"""What a desk is told: everything at once, in its own language, once each; figures that cannot be meant are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command import call
from desk import PLAIN, desk, faults, loaded, stock

import allocator
from allocator.config.load import settings_from_mapping
from allocator.config.overrides import apply_overrides
from allocator.errors import InputError, Problems
from allocator.inputs.cash_flows import asset_cash_flows

MESSY = """\
language: zh
fund: {name: messy, as_of: 2026-06-30, unit: 1e8}
inputs: {assets: assets.csv, curve: curve.csv, liabilities: liabilities.csv}
balance_sheet:
  {total_assets: 100, admitted_assets: 100, admitted_liabilities: 90, actual_capital: 10, core_capital: 2.1%}
capital: {regime: cross2, life_insurance_risk: 2_1, sarmra_score: 80, requre: {comprehensive: 2.1}}
objective: {maximize: expected_return}
constraints:
  - limit: {name: L, rule: 'sum(amount where account == "传统账") <= 1% of total_assets'}
  - equity_ceilin
solve: {gapp: 1bp}
models: {rissk: history}
"""
BOOK = """\
证券代码,资产类型,账户,持仓市值(亿元),预期收益率,票面利率(%),到期日,付息频率,收益率,评级
000001,股票,传统险,10,6%,,,,,
EB1,企业债,普通险,20,3%,3.0,2031-06-30,年付,3%,AA+
EB2,企业债,传统险,20,3%,3.0,2031-06-30,年付,3%,
合计,,,50,,,,,,
"""
TABLES = {
    "curve.csv": "tenor,spot\n1,2%\n50,2%\n",
    "liabilities.csv": "account,year,outflow,inflow\n传统,1,10,nan\n",
}


def test_a_messy_book_is_usable_after_two_rounds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = desk(tmp_path, BOOK, MESSY, TABLES)
    assert call("validate", str(path)) == 2
    told = capsys.readouterr().err
    places = (
        *("balance_sheet.core_capital", "solve.gapp", "models.rissk", "疑似合计行", "普通险", "第 2 行，“inflow”列"),
        *("capital.life_insurance_risk", "capital.requre", "constraints.0.limit.rule", "equity_ceilin"),
    )
    for place in places:
        assert told.count(place) == 1 or place in ("普通险", "equity_ceilin")
        assert place in told
    assert "输入无法使用" in told
    fund = MESSY
    for wrong, right in (
        *(("2.1%", "8"), ("2_1", "2.1"), ("requre", "require"), ("equity_ceilin", "turnover: {max: 1}")),
        *(("传统账", "传统"), ("gapp", "gap"), ("{rissk: history}", "{}"), ("<= 1%", "<= 100%")),
    ):
        fund = fund.replace(wrong, right)
    book = BOOK.replace("普通险", "传统险").replace("合计,,,50,,,,,,\n", "")
    tables = {**TABLES, "liabilities.csv": TABLES["liabilities.csv"].replace("nan", "0")}
    path = desk(tmp_path, book, fund, tables)
    assert call("validate", str(path)) == 2
    told = capsys.readouterr().err
    assert "“评级”列" in told and "board" in told
    book = book.replace("3%,\n", "3%,AA\n").replace("评级\n", "评级,板块,持有年限,成本\n")
    book = book.replace(",6%,,,,,", ",6%,,,,,,主板,1,9").replace(",AA+\n", ",AA+,,,\n").replace(",AA\n", ",AA,,,\n")
    path = desk(tmp_path, book, fund, tables)
    assert call("validate", str(path)) == 0, capsys.readouterr().err


@pytest.mark.parametrize("value", ["2_1", "2.1%", "3bp", "0x1F", "nan", "inf", "1,5", "二"])
@pytest.mark.parametrize("key", ["balance_sheet: {total_assets", "accounts: {traditional: {budget"])
def test_what_is_no_amount_of_money_is_refused(tmp_path: Path, value: str, key: str) -> None:
    told = faults(tmp_path, stock(), f'{PLAIN}{key}: "{value}"{"}" * key.count("{")}\n')
    assert key.split(":")[0] in told


@pytest.mark.parametrize(("value", "amount"), [("1,000.5", 1000.5), ("1e3", 1000.0), ("１０００", 1000.0)])
def test_an_amount_of_money_is_read_as_in_tables(value: str, amount: float) -> None:
    content = {"fund": {"name": "f", "as_of": "2026-06-30"}, "inputs": {}, "balance_sheet": {"total_assets": value}}
    assert settings_from_mapping(content).balance_sheet.total_assets == amount


@pytest.mark.parametrize(("ratio", "meant"), [("210", "2.1"), ("150", "1.5"), ("21000%", "2.1")])
def test_a_required_ratio_in_percent_is_asked_about(tmp_path: Path, ratio: str, meant: str) -> None:
    fund = f"{PLAIN}capital: {{regime: cross2, life_insurance_risk: 1, require_under: {{crash: {{core: {ratio}}}}}}}\n"
    assert f"write {meant} or" in faults(tmp_path, stock(), fund)
    own = f"{PLAIN}capital: {{regime: cross2, life_insurance_risk: 1, require: {{comprehensive: {ratio}}}}}\n"
    assert "capital.require" in faults(tmp_path, stock(), own)


COVARIANCE = PLAIN.replace("assets.csv}", "assets.csv, covariance: covariance.csv}")
RETURNS = PLAIN.replace("assets.csv}", "assets.csv, returns: returns.csv}")


@pytest.mark.parametrize("scale", [400.0, 10_000.0, 4.5])
def test_a_covariance_in_percent_squared_is_asked_about(tmp_path: Path, scale: float) -> None:
    table = f"asset_id,A,B\nA,{scale},0.1\nB,0.1,{0.5 * scale}\n"
    told = faults(tmp_path, stock(), COVARIANCE, {"covariance.csv": table})
    assert "percent squared" in told and "divide by 10,000" in told and "请除以 10,000" in told
    assert not loaded(tmp_path, stock(), COVARIANCE, {"covariance.csv": "asset_id,A,B\nA,4,0\nB,0,1\n"}).inputs.notes


@pytest.mark.parametrize("prices", [("10.1", "10.2", "10.3"), ("3,001.5", "3,010", "2,990"), ("1.01", "1.02", "1.03")])
def test_prices_given_as_returns_are_asked_about(tmp_path: Path, prices: tuple[str, ...]) -> None:
    rows = "".join(f'2026-0{at}-28,"{price}",0.01\n' for at, price in enumerate(prices, 1))
    told = faults(tmp_path, stock(), RETURNS, {"returns.csv": f"date,A,B\n{rows}"})
    assert "column A: these look like prices" in told and "column B" not in told


def test_few_observations_are_said(tmp_path: Path) -> None:
    rows = "".join(f"2026-{at:02d}-28,0.0{at % 9},-0.01\n" for at in range(1, 13))
    few = "".join(rows.splitlines(keepends=True)[:2])
    assert not loaded(tmp_path, stock(), RETURNS, {"returns.csv": f"date,A,B\n{rows}"}).inputs.notes
    (note,) = loaded(tmp_path, stock(), RETURNS, {"returns.csv": f"date,A,B\n{few}"}).inputs.notes
    assert "2 observations are few" in note.en and "2 期观测" in note.zh


def test_a_repeated_liability_is_named_without_what_is_missing(tmp_path: Path) -> None:
    fund = PLAIN.replace("assets.csv}", "assets.csv, liabilities: liabilities.csv}")
    table = "account,year,outflow\ntraditional,1,10\ntraditional,1,20\n"
    told = faults(tmp_path, stock(), fund, {"liabilities.csv": table})
    assert "got traditional, 1 (row 2)" in told and "NaT" not in told


@pytest.mark.parametrize("name", ["constraints", "tilts"])
def test_a_term_of_a_list_that_is_not_there_is_told_as_such(tmp_path: Path, name: str) -> None:
    path = desk(tmp_path, stock())
    with pytest.raises(InputError) as error:
        allocator.load(path, [f"{name}.turnover.max=0.3"])
    assert error.value.render("en").startswith(f"--set {name}.turnover.max: the fund file has no {name}")
    assert f"--set '{name}=[{{turnover: {{…}}}}]'" in error.value.render("zh")


def test_overrides_as_one_text_are_one_override(tmp_path: Path) -> None:
    path = desk(tmp_path, stock())
    assert allocator.load(path, "solve.gap=3bp").settings.solve.gap == pytest.approx(3e-4)
    for wrong in (3, [3], {"solve.gap": 1}):
        with pytest.raises(InputError, match="KEY=VALUE") as error:
            allocator.load(path, wrong)  # type: ignore[arg-type]
        assert len(error.value.problems) == 1
    assert apply_overrides(allocator.load(path).settings, ()) is not None


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        ((pd.DataFrame({"asset_id": ["A"]}), {"fund": {}}), 2),
        (("fund.yaml", pd.DataFrame({"asset_id": ["A"]})), 1),
        (({"fund": {"name": "f", "as_of": "2026-06-30"}}, "assets.csv"), 1),
        ((None, None), 2),
    ],
)
def test_arguments_in_the_wrong_place_are_told_once_each(arguments: tuple[Any, Any], problems: int) -> None:
    with pytest.raises(InputError) as error:
        allocator.Fund(*arguments)
    assert len(error.value.problems) == problems


@pytest.mark.parametrize("wrong", [3, None, pd.DataFrame({"asset_id": ["A"]})])
def test_what_is_no_path_is_told_once(wrong: Any) -> None:
    with pytest.raises(InputError, match="the path of a fund file is needed") as error:
        allocator.load(wrong)
    assert len(error.value.problems) == 1


@pytest.mark.parametrize("language", ["zh", "'zh'", '"zh"   # 中文'])
@pytest.mark.parametrize("fault", ["objective: {maximise: x}", "solve: {gap: wide}", "capital: [1"])
def test_the_language_of_the_file_is_that_of_its_errors(
    tmp_path: Path, language: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fund = PLAIN.replace("objective: {maximize: expected_return}\n", "") + f"language: {language}\n{fault}\n"
    path = desk(tmp_path, stock(), fund)
    assert call("validate", str(path)) == 2
    assert "输入无法使用" in capsys.readouterr().err
    assert call("validate", str(path), "--lang", "en") == 2
    assert "the inputs cannot be used" in capsys.readouterr().err


CURVE = PLAIN.replace("assets.csv}", "assets.csv, curve: curve.csv}")
EXPORT = "日期,标准期限说明,标准期限(年),收益率(%)\n2026-06-30,{},0.0,1.30\n2026-06-30,1m,0.08,1.35\n{},10y,10.0,1.80\n"


@pytest.mark.parametrize("overnight", ["0d", "0D", "隔夜"])
def test_a_published_curve_is_read_as_it_is_exported(tmp_path: Path, overnight: str) -> None:
    book = loaded(tmp_path, stock(), CURVE, {"curve.csv": EXPORT.format(overnight, "2026-06-30")})
    curve = book.inputs.tables["curve"]
    assert curve["tenor"].tolist() == [0.08, 10.0]
    assert curve["spot"].tolist() == pytest.approx([0.0135, 0.018], rel=1e-14)
    assert "row 4" in book.inputs.where("curve", 1)


def test_a_curve_of_several_days_or_before_today_is_asked_about(tmp_path: Path) -> None:
    told = faults(tmp_path, stock(), CURVE, {"curve.csv": EXPORT.format("0d", "2026-06-29")})
    assert "a curve of several days" in told and "curve_history" in told
    assert "row 2, column tenor" in faults(tmp_path, stock(), CURVE, {"curve.csv": "tenor,spot\n-1,1%\n1,1%\n"})


def test_a_hint_names_what_is_near_only() -> None:
    from allocator.errors import did_you_mean

    assert did_you_mean("证券投资基金", ["风险投资基金", "股票型基金"]) is None
    assert str(did_you_mean("风险投资基金A", ["风险投资基金"]).zh) == "是否想写 '风险投资基金'？"  # type: ignore[union-attr]
    assert did_you_mean("corporate_bnd", ["corporate_bond"]) is not None


def test_an_empty_cell_is_called_so_in_each_language(tmp_path: Path) -> None:
    table = "asset_id,kind,account,amount,expected_return,maturity,rating\nA,corporate_bond,traditional,50,5%,,AA\n"
    problems = Problems()
    asset_cash_flows(loaded(tmp_path, table).inputs, np.array([True]), problems)
    english, chinese = (" ".join(problem.render(language) for problem in problems) for language in ("en", "zh"))
    assert "got empty" in english and "empty" not in chinese and "实际为 空" in chinese
    assert "年付" in chinese and "no face and amount" not in english
