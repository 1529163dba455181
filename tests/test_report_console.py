"""The console view: one screen, both languages, figures equal to run.json."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest
from fake_result import NO_PLUGINS, fake_result
from rich.console import Console

from allocator.language import preferred_language
from allocator.model.units import money_unit
from allocator.report.console import print_summary
from allocator.report.console_table import print_table
from allocator.report.explain import explain_entry, explain_lines
from allocator.report.formats import FORMATS
from allocator.report.summary import binding_rules, key_measures, top_trades, watched_breaches
from allocator.report.view import View
from allocator.result.tables import ReportTable
from allocator.types import Language, Text


def shown(language: Language, **options: str) -> str:
    stream = io.StringIO()
    print_summary(View.of(fake_result(**options), language, NO_PLUGINS), Console(file=stream, width=130))
    return stream.getvalue()


@pytest.mark.parametrize("language", list(Language))
def test_the_summary_fits_one_screen_and_is_plain_when_not_a_terminal(language: Language) -> None:
    text = shown(language)
    assert len(text.splitlines()) <= 48
    assert "\x1b" not in text


def test_a_terminal_shows_colour_and_the_same_words() -> None:
    stream = io.StringIO()
    view = View.of(fake_result(), Language.ENGLISH, NO_PLUGINS)
    print_summary(view, Console(file=stream, width=130, force_terminal=True, color_system="standard"))
    assert re.search(r"\x1b\[[\d;]*3[1-6]", stream.getvalue())
    assert re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()) == shown(Language.ENGLISH)


@pytest.mark.parametrize("language", list(Language))
def test_the_summary_says_what_run_json_says(language: Language) -> None:
    text = shown(language)
    entry = View.of(fake_result(), language, NO_PLUGINS).manifest
    for ratio in entry["solvency"].values():
        assert f"{ratio['before']:.2%}" in text
        assert f"{ratio['after']:.2%}" in text
    assert f"{entry['capital']['minimum_capital']:.2f}" in text
    assert f"{entry['expected_return']['after']:.2%}" in text
    assert f"{entry['turnover']:.2%}" in text
    assert f"{entry['gap'] * 1e4:.2f} bp" in text
    assert "<script>alert('name')</script>" in text  # a name is text, never markup


def test_chinese_and_english_differ_in_words_not_in_figures() -> None:
    figures = re.compile(r"[+−]?\d[\d,.]*%?")
    english, chinese = shown(Language.ENGLISH), shown(Language.CHINESE)
    assert "综合偿付能力充足率" in chinese
    assert "Comprehensive solvency ratio" in english
    units = {"100", "1"}
    assert [f for f in figures.findall(english) if f not in units] == [
        f for f in figures.findall(chinese) if f not in units
    ]


def test_an_unverified_or_unproven_answer_is_not_dressed_up() -> None:
    assert "optimality not proven" in shown(Language.ENGLISH, status="feasible")


def test_trades_are_the_largest_on_each_side() -> None:
    bought, sold = top_trades(View.of(fake_result(), Language.ENGLISH, NO_PLUGINS), 2)
    assert [(trade.asset_id, trade.trade / 1e8) for trade in bought] == [("LGB20", 40.0), ("TIB5", 30.0)]
    assert [(trade.asset_id, trade.trade / 1e8) for trade in sold] == [("DEP1", -40.0), ("=SUM(A1:A9)", -30.0)]


def test_binding_rules_come_dearest_first_and_budgets_last() -> None:
    rules = binding_rules(View.of(fake_result(), Language.ENGLISH, NO_PLUGINS))
    assert [rule.name for rule in rules] == [
        "equity_ceiling",
        "comprehensive",
        "floor[DEP1]",
        "budget[traditional]",
        "budget[participating]",
    ]
    assert rules[0].gain == pytest.approx(0.012 * 0.01)
    assert rules[2].gain == pytest.approx(1.5e-13 * 1e8)
    assert rules[3].label.zh == "传统账户预算"


def test_a_watched_rule_that_does_not_hold_is_said_on_the_first_page() -> None:
    view = View.of(fake_result(), Language.CHINESE, NO_PLUGINS)
    assert [(one.label.zh, one.value, one.limit) for one in watched_breaches(view)] == [("资产久期", "8.19", "≥ 12.00")]
    assert "关注: 未满足：资产久期：实际 8.19（要求 ≥ 12.00）" in shown(Language.CHINESE)
    assert "watch: not met: Asset duration: 8.19 (asked ≥ 12.00)" in shown(Language.ENGLISH)


def test_prices_of_a_money_objective_are_money() -> None:
    view = View.of(fake_result(minimize="capital"), Language.ENGLISH, NO_PLUGINS)
    assert all(rule.gain_in_money for rule in binding_rules(view))
    assert not binding_rules(view)[0].write_gain(view.money).endswith("bp")


def test_explain_puts_each_binding_rule_in_words() -> None:
    for language, word in ((Language.ENGLISH, "binds"), (Language.CHINESE, "起约束作用")):
        lines = explain_lines(View.of(fake_result(), language, NO_PLUGINS))
        assert len(lines) == 7, "the answer, five rules, one tilt"
        assert all(word in line for line in lines[1:-1])
        assert ("Tilt “tech_bonds”" if word == "binds" else "政策倾斜“tech_bonds”") in lines[-1]
    entry = explain_entry(View.of(fake_result(), Language.ENGLISH, NO_PLUGINS))
    assert entry["rules"][0]["shadow_price"] == 0.012
    assert "金发〔2025〕12号" in entry["rules"][0]["source"]


def test_measures_carry_requirement_and_sign_of_welcome() -> None:
    lines = {line.name: line for line in key_measures(View.of(fake_result(), Language.ENGLISH, NO_PLUGINS))}
    assert lines["comprehensive"].required == 1.8
    assert lines["core"].required is None
    assert lines["rate_hedge_ratio"].after == pytest.approx(0.6432857142857143)
    assert lines["minimum_capital"].welcome is False


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("money", 123456789012.0, "1,234.57"),
        ("money", -5e6, "−0.05"),
        ("percent", 1.8, "180.00%"),
        ("basis_points", 0.00031, "3.10 bp"),
        ("points", -0.0123, "−1.23 pp"),
        ("percent", -0.000001, "0.00%"),
        ("percent", float("nan"), "—"),
        ("percent", None, "—"),
        ("number", float("inf"), "∞"),
    ],
)
def test_figures_are_written_the_usual_way(name: str, value: float | None, text: str) -> None:
    assert FORMATS[name].write(value, money_unit(1e8)) == text


def test_the_unit_of_money_is_the_funds_own() -> None:
    assert money_unit(1e8).label == Text("CNY 100 million", "亿元")
    assert money_unit(1e4).label.zh == "万元"
    assert money_unit(1.0).label.zh == "元"
    assert money_unit(5e5).label == Text("CNY 500,000", "500,000 元")


def test_language_is_the_one_asked_for_then_the_funds_then_the_environments() -> None:
    chinese = {"LANG": "zh_CN.UTF-8"}
    assert preferred_language("en", "zh", chinese) is Language.ENGLISH
    assert preferred_language(None, "en", chinese) is Language.ENGLISH
    assert preferred_language(None, None, chinese) is Language.CHINESE
    assert preferred_language(None, None, {"LC_ALL": "C", **chinese}) is Language.ENGLISH
    assert preferred_language(None, None, {}) is Language.ENGLISH


def test_a_long_table_says_how_many_rows_it_leaves_out() -> None:
    table = ReportTable("rows", Text("Rows", "行"), pd.DataFrame({"row": range(12)}))
    stream = io.StringIO()
    print_table(table, Language.ENGLISH, money_unit(1e8), Console(file=stream, width=80), most=5)
    assert "+7" in stream.getvalue()
