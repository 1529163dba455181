"""Numbers, dates, flags and choices as people write them: the grammar and its limits."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from allocator_cross2.jurisdiction import JURISDICTION
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator.inputs.cells import parse, parse_choice, parse_free, parse_numbers
from allocator.inputs.headings import HeadingIndex, spelling
from allocator.parsing import parse_date_text, parse_number_text
from allocator.types import Column, Measure, Table, Text

SOME = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = st.floats(-1e14, 1e14, allow_nan=False)
FULL_WIDTH = {ord(half): ord(half) + 0xFEE0 for half in "0123456789.,-+%()eE"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", 1234.5),
        ("1,234,567.89", 1234567.89),
        ("１，２３４．５", 1234.5),
        ("-5", -5.0),
        ("−5", -5.0),
        ("(1,234.50)", -1234.5),
        ("（12）", -12.0),
        ("+3", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e8", 1e8),
        (" 7 ", 7.0),
        ("3.5%", 0.035),
        ("３．５％", 0.035),
        ("(3.5%)", None),
        ("35bp", 0.0035),
        ("0.1 bps", 1e-5),
        ("-0.1%", -0.001),
        ("1,5", None),
        ("1,23,456", None),
        ("12,34", None),
        ("1.234.567", None),
        ("1 234", None),
        ("1_000", None),
        ("0x10", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("--5", None),
        ("(-5)", None),
        ("5-", None),
        ("12万", None),
        ("", None),
        ("٣", None),
        ("9" * 100, None),
    ],
)
def test_number_text(text: str, value: float | None) -> None:
    read = parse_number_text(text)
    assert (read and read[0]) == value


@SOME
@given(NUMBERS)
def test_a_number_formatted_in_any_way_is_read_back(number: float) -> None:
    cents = round(number, 2)
    grouped = f"{cents:,.2f}"
    accounting = f"({grouped[1:]})" if grouped.startswith("-") else grouped
    for text in (repr(number), f"{number:.17e}", repr(number).translate(FULL_WIDTH)):
        read = parse_number_text(text)
        assert read is not None and read[0] == number
    for text in (grouped, accounting, grouped.translate(FULL_WIDTH), f" {grouped}\u3000"):
        read = parse_number_text(text)
        assert read is not None and read[0] == cents


@SOME
@given(st.lists(st.one_of(NUMBERS, st.none()), min_size=1, max_size=30))
def test_columns_of_text_numbers_and_objects_agree(numbers: list[float | None]) -> None:
    expected = np.array([np.nan if number is None else number for number in numbers])
    text = ["" if number is None else repr(number) for number in numbers]
    for cells in (
        pd.Series(expected),
        pd.Series(numbers, dtype=object),
        pd.Series(text, dtype=object),
        pd.Series(text, dtype="string[pyarrow]"),
        pd.Series(text).astype("category"),
    ):
        parsed = parse_numbers(cells)
        np.testing.assert_array_equal(parsed.values.to_numpy(), expected)
        np.testing.assert_array_equal(parsed.empty, np.isnan(expected))
        assert not parsed.bad.any()


@SOME
@given(st.text(max_size=20))
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    read = parse_number_text(text)
    assert read is None or np.isfinite(read[0])
    parsed = parse_numbers(pd.Series([text], dtype=object))
    assert parsed.bad[0] or parsed.empty[0] or np.isfinite(parsed.values[0])


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-06-30", date(2026, 6, 30)),
        ("2026/6/3", date(2026, 6, 3)),
        ("2026.6.3", date(2026, 6, 3)),
        ("20260630", date(2026, 6, 30)),
        (20260630, date(2026, 6, 30)),
        (20260630.0, date(2026, 6, 30)),
        ("2026年6月30日", date(2026, 6, 30)),
        ("２０２６－０６－３０", date(2026, 6, 30)),
        ("2026-06-30 00:00:00", date(2026, 6, 30)),
        ("2026-06-30T00:00:00.000", date(2026, 6, 30)),
        (datetime(2026, 6, 30), date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 6, 30)),
        (46203, date(2026, 6, 30)),
        ("46203", date(2026, 6, 30)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2026-02-29", None),
        ("30/06/2026", None),
        ("06-30-2026", None),
        ("2026-06", None),
        (2026, None),
        ("2026-06-30 15:30", None),
        (datetime(2026, 6, 30, 15, 30), None),
        ("soon", None),
        (46203.5, None),
        (True, None),
    ],
)
def test_dates(cell: object, day: date | None) -> None:
    parsed = parse(pd.Series([cell], dtype=object), Measure.DATE)
    if day is None:
        assert parsed.bad[0] and pd.isna(parsed.values[0])
    else:
        assert parsed.values.to_numpy()[0] == np.datetime64(day)
        assert parsed.values.dtype == "datetime64[s]"


@SOME
@given(st.dates(date(1955, 1, 1), date(9999, 12, 31)))
def test_a_date_in_any_notation_is_read_back(day: date) -> None:
    for text in (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
    ):
        assert parse_date_text(text) == day
    serial = (day - date(1899, 12, 30)).days
    assert parse(pd.Series([serial]), Measure.DATE).values.to_numpy()[0] == np.datetime64(day)


def test_a_workbook_that_counts_from_1904_is_shifted() -> None:
    parsed = parse(pd.Series([46203 - 1462]), Measure.DATE, epoch_shift=1462)
    assert parsed.values.to_numpy()[0] == np.datetime64("2026-06-30")


def test_typed_dates_keep_their_day_and_refuse_a_time() -> None:
    day = pd.Timestamp("2026-06-30")
    assert parse(pd.Series([day, pd.NaT]), Measure.DATE).empty.tolist() == [False, True]
    assert parse(pd.Series([day + timedelta(hours=1)]), Measure.DATE).bad[0]
    assert not parse(pd.Series([day.tz_localize("Asia/Shanghai")]), Measure.DATE).bad[0]


@pytest.mark.parametrize(
    ("cell", "flag"),
    [("是", True), ("YES", True), (1, True), ("true", True), (True, True), ("否", False), ("n", False), (0.0, False)],
)
def test_flags(cell: object, flag: bool) -> None:
    assert parse(pd.Series([cell], dtype=object), Measure.FLAG).values[0] == flag


def test_flags_know_empty_from_wrong() -> None:
    parsed = parse(pd.Series(["", None, "maybe", "-"], dtype=object), Measure.FLAG)
    assert parsed.empty.tolist() == [True, True, False, True]
    assert parsed.bad.tolist() == [False, False, True, False]


def test_rates_scale_by_their_own_sign_or_by_the_heading() -> None:
    cells = pd.Series(["3.5", "3.5%", "35bp", 3.5, ""], dtype=object)
    assert parse(cells, Measure.RATE, 0.01).values.tolist()[:4] == [0.035, 0.035, 0.0035, 0.035]
    assert parse(pd.Series([3.5]), Measure.RATE, 0.01).values[0] == 0.035


def test_a_percentage_is_no_amount() -> None:
    assert parse(pd.Series(["3%"]), Measure.MONEY).bad[0]
    assert parse(pd.Series(["￥1,234"]), Measure.MONEY, 1e4).values[0] == 12_340_000.0


def test_whole_numbers_refuse_fractions() -> None:
    assert parse(pd.Series([2.5, 2.0]), Measure.INTEGER).bad.tolist() == [True, False]


def test_infinite_numbers_are_refused() -> None:
    assert parse_numbers(pd.Series([np.inf, 1.0])).bad.tolist() == [True, False]
    assert parse_numbers(pd.Series([10**400, 1], dtype=object)).bad.tolist() == [True, False]


def test_codes_read_as_numbers_become_text_again() -> None:
    cells = pd.Series([600519, 600519.0, "000001", " A　", "-"], dtype=object)
    assert parse(cells, Measure.TEXT).values.fillna("").tolist() == ["600519", "600519", "000001", "A", ""]


def test_lists_are_split_at_either_semicolon() -> None:
    cells = pd.Series(["csi300; a", "x；y", "", ("p", "q"), 0.05], dtype=object)
    assert parse(cells, Measure.LIST).values.tolist() == [("csi300", "a"), ("x", "y"), (), ("p", "q"), ("0.05",)]


def test_choices_ignore_case_space_width_and_marks() -> None:
    choices = {"large_state": ("国有大行",), "other": ()}
    cells = pd.Series(["Large State", "LARGE-STATE", "国有 大行", "ｏｔｈｅｒ", "n/a", "small"])
    parsed = parse_choice(cells, choices)
    assert parsed.values.fillna("").tolist() == ["large_state"] * 3 + ["other", "", ""]
    assert parsed.bad.tolist() == [False] * 5 + [True]


def test_a_column_nobody_declared_is_numbers_or_text() -> None:
    assert parse_free(pd.Series(["1", "2,000", ""])).values.dtype == float
    assert parse_free(pd.Series(["1", "A"])).values.tolist() == ["1", "A"]


TABLE = Table(
    "t",
    (
        Column("amount", Measure.MONEY, Text("a", "甲"), ("市值", "market value")),
        Column("yield", Measure.RATE, Text("y", "乙"), ("到期收益率",)),
        Column("layers", Measure.INTEGER, Text("l", "丙"), ("层级",)),
    ),
)


@pytest.mark.parametrize(
    ("heading", "name", "factor"),
    [
        ("amount", "amount", None),
        (" Market Value ", "amount", None),
        ("market_value", "amount", None),
        ("市值(万元)", "amount", 1e4),
        ("市值（亿元）", "amount", 1e8),
        ("市值（人民币万元）", "amount", 1e4),
        ("市值（单位：元）", "amount", 1.0),
        ("市值 万元", "amount", 1e4),
        ("市值/亿", "amount", 1e8),
        ("amount [CNY million]", "amount", 1e6),
        ("amount (RMB)", "amount", 1.0),
        ("到期收益率(%)", "yield", 1e-2),
        ("yield％", "yield", 1e-2),
        ("yield (bp)", "yield", 1e-4),
        ("市值(%)", None, None),
        ("层级(万元)", None, None),
        ("市值(USD)", None, None),
        ("净值", None, None),
    ],
)
def test_headings_and_their_units(heading: str, name: str | None, factor: float | None) -> None:
    match = HeadingIndex(TABLE, JURISDICTION.currency).find(heading)
    assert (match.column.name if match else None) == name
    assert (match.factor if match else None) == factor


def test_spelling_is_idempotent() -> None:
    for text in ("Ａ_b - C", "市值（万元）", "  "):
        assert spelling(spelling(text)) == spelling(text)
