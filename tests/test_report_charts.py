"""What the charts draw: cash flows by year, hurdle lines, use of limits."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_result import CAPITAL, NO_PLUGINS, RETURN, TARGET, UNIT, fake_result

from allocator.report.chart_marginal import marginal_by_kind, marginal_chart
from allocator.report.chart_returns import hurdles, return_chart
from allocator.report.charts import allocation_chart, rules_chart
from allocator.report.headline import headline
from allocator.report.matching import matching_tables
from allocator.report.page import page
from allocator.report.view import View
from allocator.result.result import Result
from allocator.types import Language


def shown(result: Result) -> View:
    return View.of(result, Language.ENGLISH, NO_PLUGINS)


def with_flows() -> Result:
    """Give one bond its payments and the fund its liabilities.

    TIB5 (held 90, target 120) pays 2 after one year and 92 on its second anniversary, which lies 731 days
    after the valuation date because 2028 has a leap day.
    """
    result = fake_result()
    flows = pd.DataFrame(
        {
            "asset_id": ["TIB5", "TIB5"],
            "date": pd.to_datetime(["2027-06-30", "2028-06-30"]),
            "principal": [0.0, 90.0 * UNIT],
            "interest": [2.0 * UNIT, 2.0 * UNIT],
        }
    )
    liabilities = pd.DataFrame(
        {
            "account": ["traditional", "participating", "traditional"],
            "year": [1.0, np.nan, 3.0],
            "date": pd.to_datetime([None, "2028-06-30", None]),
            "outflow": [10.0 * UNIT, 20.0 * UNIT, 5.0 * UNIT],
            "inflow": [4.0 * UNIT, 0.0, np.nan],
        }
    )
    tables = {**result.inputs.tables, "cash_flows": flows, "liabilities": liabilities}
    return replace(result, inputs=replace(result.inputs, tables=tables))


def test_cash_flows_are_summed_by_anniversary_before_and_after() -> None:
    (table,) = matching_tables(with_flows())
    frame = table.frame.set_index("year") / UNIT
    np.testing.assert_allclose(frame["assets_before"], [2.0, 92.0, 0.0])
    np.testing.assert_allclose(frame["assets_after"], np.array([2.0, 92.0, 0.0]) * 120.0 / 90.0)
    np.testing.assert_allclose(frame["liabilities"], [6.0, 20.0, 5.0])
    np.testing.assert_allclose(frame["gap_after"], frame["assets_after"] - frame["liabilities"])


def test_there_is_no_table_without_liabilities_or_contracts() -> None:
    assert matching_tables(fake_result()) == []
    result = with_flows()
    for missing in ("cash_flows", "liabilities"):
        tables = {name: frame for name, frame in result.inputs.tables.items() if name != missing}
        assert matching_tables(replace(result, inputs=replace(result.inputs, tables=tables))) == []


def test_durations_of_both_sides_are_those_of_the_payments() -> None:
    """On a flat curve of 2% TIB5 pays 2 after 1 year and 92 after 2, the traditional policies 6 and 5."""
    result = with_flows()
    flat = pd.DataFrame({"tenor": [1.0, 50.0], "spot": [0.02, 0.02]})
    curved = replace(result, inputs=replace(result.inputs, tables={**result.inputs.tables, "curve": flat}))
    table = matching_tables(curved)[1]
    frame = table.frame.set_index("account")
    times, paid = np.array([1.0, 2.0]), np.array([2.0, 92.0])
    value = paid @ 1.02**-times
    slope = paid @ (times * 1.02 ** -(times + 1))
    line = frame.loc["traditional"]
    assert line["duration_before"] == pytest.approx(slope / value, rel=1e-12)
    assert line["dv01_before"] == pytest.approx(slope * UNIT * 1e-4, rel=1e-12)
    assert line["dv01_after"] == pytest.approx(slope * UNIT * 1e-4 * 120 / 90, rel=1e-12)
    owed = 6.0 * 1.02**-2 + 5.0 * 3 * 1.02**-4
    assert line["dv01_liabilities"] == pytest.approx(owed * UNIT * 1e-4, rel=1e-12)
    assert np.isnan(frame.loc["participating", "duration_after"])
    total = frame.loc["total", "dv01_liabilities"]
    assert total == pytest.approx(frame["dv01_liabilities"].iloc[1:].sum(), rel=1e-12)
    page_text = page(shown(curved))
    assert 'id="table-durations"' in page_text


def test_cash_flows_stand_in_page_and_workbook(tmp_path: Path) -> None:
    from allocator.report.excel import write_workbook

    view = shown(with_flows())
    assert "Year 2: assets 92.00 → 122.67, liabilities 20.00" in page(view)
    write_workbook(view, tmp_path / "report.xlsx")
    assert (tmp_path / "report.xlsx").stat().st_size > 5000


def test_hurdles_are_the_price_of_money_and_of_capital() -> None:
    """Slope T·π·m: one CNY of marginal capital needs m CNY of capital, each worth π of the objective."""
    lines = hurdles(shown(fake_result()))
    assert lines["traditional"][0] == 0.021
    assert lines["participating"][0] == 0.019
    assert lines["traditional"][1] == pytest.approx(1100 * UNIT * 3.5e-13 * 1.8)
    assert hurdles(shown(fake_result(minimize="capital"))) == {}


def test_every_row_is_a_point_and_unheld_rows_are_hollow() -> None:
    result = fake_result()
    sold = TARGET.copy()
    sold[6] = 0.0
    emptied = replace(result, solution=replace(result.solution, holdings=sold * UNIT))
    drawing = str(return_chart(shown(emptied)))
    assert drawing.count("<circle") == len(RETURN)
    assert drawing.count("hollow") == 1
    assert drawing.count('class="hurdle"') == 2


def test_bars_have_the_length_of_their_amounts() -> None:
    drawing = str(allocation_chart(shown(fake_result())))
    bars = re.findall(r'width="([\d.]+)" height="11"[^>]*data-en="([^:]*): [\d.]+ → ([\d.]+)', drawing)
    lengths = {name: float(width) / float(after) for width, name, after in bars}
    assert len(lengths) == 6
    assert np.ptp(list(lengths.values())) < 1e-3


def test_use_of_a_limit_is_the_nearer_side_over_the_farther() -> None:
    drawing = str(rules_chart(shown(fake_result())))
    full = re.search(r'class="track"/><rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"[^>]*binding', drawing)
    hedge = re.search(r'width="([\d.]+)" height="14.0" rx="1.5" class="bar after" data-en="Assets[^:]*rate', drawing)
    assert full is not None
    assert hedge is not None
    assert float(hedge[1]) / float(full[1]) == pytest.approx(0.5 / 0.6432857, rel=1e-3)
    assert CAPITAL > 0


def test_marginal_capital_by_kind_is_the_mean_by_amount_between_its_rows() -> None:
    view = shown(fake_result())
    frame = view.tables["allocation"].frame
    stock = frame[frame["kind"] == "listed_stock"]
    line = marginal_by_kind(view).set_index("kind").loc["listed_stock"]
    mean = float(stock["capital_marginal"] @ stock["target"]) / float(stock["target"].sum())
    assert line["mean"] == pytest.approx(mean)
    assert line["low"] == stock["capital_marginal"].min()
    assert line["high"] == stock["capital_marginal"].max()
    assert "Listed stock: " in str(marginal_chart(view))


def test_the_headline_answers_the_first_pages_questions_in_both_languages() -> None:
    view = shown(fake_result())
    said = headline(view)
    entry = view.manifest
    english = " ".join(text.en for text in said)
    assert f"to {entry['expected_return']['after']:.2%} (" in english
    assert f"to {entry['capital']['minimum_capital']:,.2f}" in english
    assert f"to {entry['solvency']['comprehensive']['after']:.2%} (" in english
    assert "; 180.00% is required." in english
    assert "What holds it back most is" in english
    assert "recomputed" in english
    assert all(re.search("[\\u4e00-\\u9fff]", text.zh) for text in said)


def test_the_headline_of_a_fund_without_tilts_regime_or_trades_says_so() -> None:
    result = fake_result()
    model = replace(result.model, capital_limits=(), tree=None, terms=())
    still = replace(result.solution, holdings=result.model.space.current)
    bare = replace(
        result, model=model, regime=None, before=None, after=None, risk=None, scores={}, tilts=(), solution=still
    )
    said = [text.en for text in headline(shown(bare))]
    assert said[0] == "The holdings stay as they are."
    assert any("stays at" in text for text in said)
    assert "No limit holds it back." in said
    assert "No policy tilt is set." in said
