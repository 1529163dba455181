"""Frames to checked inputs: what is read, and what each kind of mistake is told, in both languages."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from support import make_inputs, make_registry

from allocator.errors import InputError, PluginError
from allocator.hooks import hookimpl
from allocator.inputs.core_tables import declared_tables
from allocator.inputs.headings import spelling
from allocator.types import Column, Measure, Table, Text

BOND = {"asset_id": "B1", "kind": "government_bond", "account": "traditional", "amount": 10.0}
STOCK = {"asset_id": "S1", "kind": "listed_stock", "account": "participating", "amount": 5.0}
Tables = Mapping[str, pd.DataFrame]


def told(assets: Any, tables: Tables | None = None, settings: Mapping[str, Any] | None = None) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        make_inputs(assets, tables=tables, settings=settings)
    return caught.value.render("en"), caught.value.render("zh")


def test_chinese_headings_kinds_accounts_and_units_are_understood() -> None:
    inputs = make_inputs(
        [{"证券代码": "019547", "资产类别": "国债", "账户": "分红", "市值（万元）": "1,234.5", "到期收益率(%)": 2.5}],
        settings={"fund": {"name": "f", "as_of": "2026-06-30", "unit": "1e8"}},
    )
    row = inputs.assets.iloc[0]
    assert (row["asset_id"], row["kind"], row["account"]) == ("019547", "government_bond", "participating")
    assert row["amount"] == 12_345_000.0
    assert row["yield"] == 0.025


def test_every_declared_column_is_there_with_its_type() -> None:
    registry = make_registry()
    inputs = make_inputs([BOND, {**STOCK, "note": "mine", "score": "1,000"}], registry=registry)
    kinds = {
        Measure.MONEY: "float64",
        Measure.RATE: "float64",
        Measure.NUMBER: "float64",
        Measure.INTEGER: "float64",
        Measure.DATE: "datetime64[s]",
        Measure.FLAG: "boolean",
        Measure.TEXT: "str",
        Measure.CHOICE: "str",
        Measure.LIST: "object",
    }
    for column in declared_tables(registry)["assets"].columns:
        assert str(inputs.assets[column.name].dtype) == kinds[column.measure], column.name
    assert inputs.assets["indices"].tolist() == [(), ()]
    assert inputs.assets["currency"].isna().all()
    assert inputs.assets["rating"].isna().all()
    assert inputs.assets["note"].fillna("").tolist() == ["", "mine"]
    assert inputs.assets["score"].tolist()[1] == 1000.0
    assert inputs.assets.index.tolist() == [0, 1]


def test_money_is_in_the_funds_unit_and_an_empty_amount_is_nothing_held() -> None:
    inputs = make_inputs(
        [{**BOND, "amount": "", "max": 3, "book_value": 2}],
        settings={"fund": {"name": "f", "as_of": "2026-06-30", "unit": 1e4}},
    )
    assert inputs.assets[["amount", "max", "book_value"]].iloc[0].tolist() == [0.0, 30_000.0, 20_000.0]


def test_one_account_need_not_be_named() -> None:
    assert make_inputs([{"asset_id": "B", "kind": "cash", "amount": 1}]).assets["account"].tolist() == ["traditional"]


def test_derivatives_have_signed_amounts_outside_the_total() -> None:
    swap = {"asset_id": "IRS", "kind": "rate_swap", "account": "traditional", "amount": -500.0}
    inputs = make_inputs([BOND, swap], settings={"balance_sheet": {"total_assets": 10}})
    assert inputs.assets["amount"].tolist() == [10.0, -500.0]


ISSUERS = pd.DataFrame({"issuer": ["财政部", "甲公司"], "type": ["政府", "科技企业"]})


@pytest.mark.parametrize(
    ("change", "english", "chinese"),
    [
        (
            {"asset_id": None},
            ["row 2, column asset_id: a needed cell is empty"],
            ["第 2 行，“asset_id”列：必填单元格为空"],
        ),
        (
            {"kind": "goverment_bond"},
            ["row 2, column kind", "did you mean 'government_bond'?"],
            ["资产类别的取值无法识别"],
        ),
        ({"kind": "地方债务"}, ["did you mean '地方债'?"], ["是否想写 '地方债'？"]),
        ({"account": "trad"}, ["column account", "allowed traditional, participating"], ["账户的取值无法识别"]),
        ({"account": None}, ["row 2, column account: a needed cell is empty"], ["必填单元格为空"]),
        ({"amount": -1.0}, ["row 2, column amount: a negative amount", "only derivatives"], ["金额为负", "衍生品"]),
        ({"amount": "12万"}, ["not an amount, got 12万", "市值(万元)"], ["不是有效金额", "单位写在表头"]),
        ({"amount": np.inf}, ["not an amount, got inf"], ["不是有效金额"]),
        ({"min": 3, "max": 2}, ["row 2, column min: min is greater than max, got 3.00 > 2.00"], ["下限大于上限"]),
        ({"max": -2}, ["column max: a negative amount"], ["金额为负"]),
        ({"coupon": 3.5}, ["column coupon: out of range, got 3.5", "0.035"], ["超出允许范围", "比率以小数表示"]),
        ({"coupon": "3,5%"}, ["column coupon: not a rate, got 3,5%"], ["不是有效比率"]),
        ({"maturity": "30/06/2030"}, ["column maturity: not a date, got 30/06/2030", "year first"], ["不是有效日期"]),
        ({"floating": "maybe"}, ["neither yes nor no, got maybe"], ["既不是“是”也不是“否”"]),
        ({"layers": 1.5}, ["column layers: not a whole number"], ["不是整数"]),
        ({"modified_duration": "五年"}, ["column modified_duration: not a number"], ["不是有效数字"]),
        ({"rating": "#REF!"}, ["column rating: the cell holds a spreadsheet error, got #REF!"], ["公式错误值"]),
        ({"amount": "#N/A"}, ["the cell holds a spreadsheet error, got #N/A"], ["公式错误值"]),
        (
            {"asset_id": "合计"},
            ["column asset_id: looks like a total or a signature, not a holding, got 合计", "delete the row"],
            ["疑似合计行", "请删除该行"],
        ),
        ({"asset_id": "Total "}, ["not a holding, got Total"], ["合计行"]),
        ({"asset_id": "B1"}, ["row 2", "the same asset_id and account twice, got B1, traditional (row 1)"], ["重复"]),
        (
            {"issuer": "丙公司"},
            ["row 2, column issuer: not in issuers (DataFrame) (issuer), got 丙公司"],
            ["未在", "中找到"],
        ),
        ({"issuer": "甲公词"}, ["did you mean '甲公司'?"], ["是否想写 '甲公司'？"]),
        ({"tap_of": "B9"}, ["column tap_of: not in assets (DataFrame) (asset_id), got B9"], ["未在"]),
        ({"yeild": 0.03}, ["column yeild: a heading looks like a misspelt column", "'yield'"], ["表头疑似拼写错误"]),
        ({"市值": 3}, ["column 市值: two headings mean the same column", "amount"], ["两个表头对应同一列"]),
        ({"": 3}, ["a column with cells but no heading"], ["该列有数据但没有表头"]),
    ],
)
def test_each_mistake_is_told_by_row_and_column(change: dict[str, Any], english: list[str], chinese: list[str]) -> None:
    en, zh = told([{**BOND, "issuer": "财政部"}, {**BOND, "asset_id": "B2", **change}], {"issuers": ISSUERS})
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh


def test_everything_wrong_is_told_at_once() -> None:
    en, _ = told(
        [{**BOND, "coupon": 3.5}, {**BOND, "kind": "bnod", "amount": -1.0}],
        {"issuers": pd.DataFrame({"issuer": ["a", "a"]}), "curve": pd.DataFrame({"tenor": [2, 1], "spot": [1, 1]})},
        {"accounts": {"universal": {"min": 3}}, "balance_sheet": {"total_assets": -1}},
    )
    for part in ("column coupon", "column kind", "negative", "twice", "issuers", "tenors must increase", "universal"):
        assert part in en


def test_a_million_mistakes_stay_readable() -> None:
    count = 3000
    frame = pd.DataFrame({"asset_id": [f"A{n}" for n in range(count)], "kind": "x", "amount": -1.0, "coupon": 9.0})
    with pytest.raises(InputError) as caught:
        make_inputs(frame)
    assert len(caught.value.problems) <= 201
    assert "(and 2,980 more rows)" in caught.value.render()
    assert "另有 2,980 行" in caught.value.render("zh")


def test_many_faulty_columns_are_capped_in_all() -> None:
    frame = pd.DataFrame({"asset_id": [f"A{n}" for n in range(30)], "kind": "cash", "amount": 1.0})
    wrong = ["coupon", "yield", "maturity", "floating", "layers", "face", "cost", "issue_date", "put_date", "green"]
    with pytest.raises(InputError) as caught:
        make_inputs(frame.assign(**dict.fromkeys(wrong, "??")))
    assert len(caught.value.problems) == 201
    assert caught.value.problems[-1].what.en == "and 10 more problems"


def test_missing_columns_are_told_with_the_heading_that_may_be_meant() -> None:
    en, zh = told([{"assetid ": "B1", "knd": "cash", "amount": 1}])
    assert "a needed column is missing, got kind" in en and "is it the column 'knd'?" in en
    assert "asset_id" not in en  # case, space and _ do not matter
    assert "缺少必需的列" in zh


def test_the_amount_column_may_be_empty_but_not_absent() -> None:
    en, _ = told([{"asset_id": "B1", "kind": "cash"}])
    assert "amount" in en and "a needed column is missing" in en


def test_an_empty_table_is_told() -> None:
    en, zh = told(pd.DataFrame({"asset_id": [], "kind": [], "amount": []}))
    assert "the table has no rows" in en
    assert "表中没有数据行" in zh


def test_unknown_columns_of_a_closed_table_are_told() -> None:
    en, zh = told([BOND], {"curve": pd.DataFrame({"tenor": [1], "spot": [0.02], "sopt": [0.02], "备注": ["x"]})})
    assert "curve (DataFrame), column sopt: an unknown column, allowed tenor, date" in en
    assert "hint: did you mean 'spot'?" in en
    assert "“备注”列：无法识别的列" in zh


def test_unknown_tables_are_told() -> None:
    en, zh = told([BOND], {"isuers": ISSUERS})
    assert "inputs.isuers: no table of this name is known" in en and "did you mean 'issuers'?" in en
    assert "未知的表名" in zh


def test_look_through_refers_to_an_asset_or_to_another_look_through_row() -> None:
    fund = {"asset_id": "F", "kind": "trust_plan", "account": "traditional", "amount": 1}
    rows = pd.DataFrame(
        {
            "asset_id": ["F", "F1", "F2"],
            "underlying_id": ["F1", None, None],
            "kind": ["trust_plan", "cash", "cash"],
            "share": [1, 1, 1],
        }
    )
    assert len(make_inputs([fund], tables={"underlying": rows.iloc[:2]}).tables["underlying"]) == 2
    en, _ = told([fund], {"underlying": rows})
    assert "row 3, column asset_id: not in assets (DataFrame) (asset_id) / underlying (DataFrame)" in en


@pytest.mark.parametrize(
    ("balance", "english", "chinese"),
    [
        ({"total_assets": 9.9}, ["the rows sum to more than the company's total assets", "≥ 10"], ["大于公司总资产"]),
        ({"total_assets": 0}, ["balance_sheet.total_assets: out of range, got 0, allowed > 0"], ["超出允许范围"]),
        (
            {"admitted_assets": 12, "admitted_liabilities": 8, "actual_capital": 5},
            ["actual_capital does not agree with admitted_assets − admitted_liabilities, got 5, allowed 4"],
            ["不一致"],
        ),
        ({"actual_capital": 5, "core_capital": 6}, ["core capital exceeds actual capital"], ["核心资本大于实际资本"]),
        (
            {"core_capital": 6, "core_tier1": 5, "core_tier2": 2},
            ["core_capital does not agree with core_tier1 + core_tier2"],
            ["不一致"],
        ),
        ({"reported_comprehensive_ratio": 185}, ["the reported ratio is not a multiple", "185%"], ["不是倍数"]),
        ({"admitted_liabilities": -1}, ["admitted_liabilities: out of range"], ["超出允许范围"]),
    ],
)
def test_balance_sheets_that_contradict_are_told(
    balance: dict[str, float], english: list[str], chinese: list[str]
) -> None:
    en, zh = told([BOND], settings={"balance_sheet": balance})
    for part in english:
        assert part in en
    for part in chinese:
        assert part in zh


def test_the_balance_sheet_is_in_cny_and_actual_capital_the_difference() -> None:
    sheet = make_inputs(
        [BOND],
        settings={
            "fund": {"name": "f", "as_of": "2026-06-30", "unit": "1e4"},
            "balance_sheet": {"admitted_assets": 12, "admitted_liabilities": 8, "reported_comprehensive_ratio": "185%"},
        },
    ).balance_sheet
    assert (sheet.admitted_assets, sheet.actual_capital) == (120_000.0, 40_000.0)
    assert sheet.reported_comprehensive_ratio == 1.85
    assert sheet.total_assets is None


def test_rows_may_be_part_of_the_company_and_rounding_is_forgiven() -> None:
    make_inputs([BOND], settings={"balance_sheet": {"total_assets": 1000}})
    make_inputs([BOND], settings={"balance_sheet": {"total_assets": 10 * (1 - 1e-10)}})


def test_frames_are_not_changed_and_equal_frames_have_equal_fingerprints() -> None:
    frame = pd.DataFrame([BOND, STOCK])
    before = frame.copy(deep=True)
    first = make_inputs(frame).sources["assets"].fingerprint
    pd.testing.assert_frame_equal(frame, before)
    assert first == make_inputs(frame.copy()).sources["assets"].fingerprint
    assert first != make_inputs(frame.assign(amount=[10.0, 6.0])).sources["assets"].fingerprint


def test_a_filtered_frame_is_counted_from_one() -> None:
    frame = pd.DataFrame([BOND, STOCK, {**STOCK, "asset_id": "S2", "amount": -1.0}]).iloc[1:]
    en, _ = told(frame)
    assert "row 2, column amount" in en


def test_places_survive_pickling_in_both_languages() -> None:
    with pytest.raises(InputError) as caught:
        make_inputs([{**BOND, "amount": -1.0}])
    again = pickle.loads(pickle.dumps(caught.value.problems))
    assert [problem.render("zh") for problem in again] == [problem.render("zh") for problem in caught.value.problems]


CELLS = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=8), st.dates(), st.lists(st.text(max_size=3))
)


@tuned(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["asset_id", "kind", "amount", "maturity", "green", "indices", "coupon", "x"]), CELLS
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_frame_is_inputs_or_a_told_mistake(rows: list[dict[str, Any]]) -> None:
    try:
        make_inputs(rows)
    except InputError as error:
        assert all(problem.what.en and problem.what.zh for problem in error.problems)


def test_no_spelling_means_two_things() -> None:
    registry = make_registry()
    for table in declared_tables(registry).values():
        seen: dict[str, str] = {}
        for column in table.columns:
            for name in {spelling(name) for name in (column.name, *column.aliases)}:
                assert seen.setdefault(name, column.name) == column.name, (table.name, name, column.name, seen[name])
            values: dict[str, str] = {}
            for choice, aliases in column.choices.items():
                for name in {spelling(name) for name in (choice, *aliases)}:
                    assert values.setdefault(name, choice) == choice, (column.name, name)


def test_a_plugin_cannot_take_what_the_core_owns() -> None:
    class Taking:
        @hookimpl
        def allocator_tables(self) -> list[Table]:
            return [Table("assets", (Column("amount", Measure.TEXT, Text("a", "甲")),))]

    with pytest.raises(PluginError, match=r"assets\.amount"):
        make_inputs([BOND], registry=make_registry(("taking", Taking())))
