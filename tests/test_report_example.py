"""The report of a real run: the small example, optimized once, its files held against each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from browsing import opened_browser, opened_page, spoilt_in_print
from office import recomputed
from pages import Tables, given_names, left_in_a_page, left_in_a_workbook

import allocator
from allocator.report.chart_returns import hurdles
from allocator.report.excel import write_workbook
from allocator.report.tables import by_trade
from allocator.report.view import View
from allocator.report.writer import write_view
from allocator.result.result import Result
from allocator.types import Language

FUND = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"


@pytest.fixture(scope="module")
def result() -> Result:
    return allocator.load(FUND).optimize()


@pytest.fixture(scope="module")
def view(result: Result) -> View:
    return View.of(result, Language.CHINESE)


@pytest.fixture(scope="module")
def out(view: View, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield write_view(view, tmp_path_factory.mktemp("example") / "out")


def test_every_file_is_there_and_names_no_machine(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    tables = {f"{name}.csv" for name in ("allocation", "capital", "charges", "constraints", "commitments", "tilts")}
    assert names == tables | {"run.json", "report.html", "report.xlsx"}
    for name in ("run.json", "report.html"):
        assert str(FUND.parent) not in (out / name).read_text(encoding="utf-8")


def test_ratios_follow_from_the_files_alone(out: Path) -> None:
    """A reader recomputes capital, ratios and weights from the CSV files and run.json."""
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    allocation, capital = pd.read_csv(out / "allocation.csv"), pd.read_csv(out / "capital.csv")
    minimum = capital.set_index("module")["amount"]["minimum_capital"]
    assert minimum == entry["capital"]["minimum_capital"]
    after = entry["solvency"]["comprehensive"]["after"]
    assert after == pytest.approx(entry["capital"]["actual_capital"] / minimum, rel=1e-14)
    assert after >= entry["solvency"]["comprehensive"]["required"] - 1e-7
    split = entry["capital"]["attribution"]["liabilities_and_constants"]
    assert allocation["capital_contribution"].sum() + split == pytest.approx(minimum, rel=1e-10)
    earned = float(allocation["expected_return"] @ allocation["weight"])
    assert earned == pytest.approx(entry["expected_return"]["after"], rel=1e-12)


def test_rows_that_are_free_to_move_lie_on_their_accounts_hurdle(view: View) -> None:
    """At the optimum the objective's slope equals price of money + price of capital × marginal capital.

    What remains is the row's own trading cost, which capital feels too: π·m·cost, under 2 bp here.
    """
    result, lines = view.result, hurdles(view)
    frame, space = view.tables["allocation"].frame, result.model.space
    slope = sum(term.weight * term.expression.gradient(result.holdings).toarray()[0] for term in result.model.objective)
    moved = (np.abs(frame["trade"]) > 1e-4 * space.total) & (frame["at_bound"] == "")
    assert moved.sum() >= 3
    for row in np.flatnonzero(moved):
        intercept, per_capital = lines[frame["account"][row]]
        cutoff = intercept + per_capital * frame["capital_marginal"][row]
        assert slope[row] * space.total == pytest.approx(cutoff, abs=2e-4)


def test_the_page_shows_the_figures_of_run_json(out: Path) -> None:
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    text = (out / "report.html").read_text(encoding="utf-8")
    cards = dict(re.findall(r'data-measure="(\w+)">([^<]*)<', text))
    assert cards["comprehensive"] == f"{entry['solvency']['comprehensive']['after']:.2%}"
    assert cards["minimum_capital"] == f"{entry['capital']['minimum_capital']:,.2f}"
    assert 'data-lang="zh"' in text
    body = re.search(r'id="table-capital">(.*?)</table>', text, re.DOTALL)
    assert body is not None
    shown = np.array([float(value) for value in re.findall(r'data-value="([^"]*)"', body[1])]).reshape(-1, 3)
    frame = pd.read_csv(out / "capital.csv")
    np.testing.assert_allclose(shown[:, :2] / 1e8, frame[["before", "amount"]], rtol=1e-12, atol=1e-12)


def test_the_workbook_recomputes_every_module_of_the_rule(out: Path, tmp_path: Path) -> None:
    """Sums, maxima and correlated aggregates are live formulas: the sheet is a second engine for capital."""
    sheet = recomputed(out / "report.xlsx", tmp_path)["capital"]
    formulas = openpyxl.load_workbook(out / "report.xlsx")["capital"]
    frame = pd.read_csv(out / "capital.csv")
    for place, line in enumerate(frame.to_dict("records"), 5):
        assert sheet.cell(place, 2).value == pytest.approx(line["before"], rel=1e-10, abs=1e-12), line["module"]
        assert sheet.cell(place, 3).value == pytest.approx(line["amount"], rel=1e-10, abs=1e-12), line["module"]
    live = [formulas.cell(place, 3).value for place in range(5, 5 + len(frame))]
    assert sum(str(value).startswith("=") for value in live) >= 12


MONEY = {
    "allocation": ("current", "target", "trade", "capital_contribution"),
    "capital": ("before", "amount", "change"),
}
PLAIN = {
    "allocation": ("weight", "expected_return", "capital_marginal", "reduced_cost"),
    "constraints": ("lhs", "rhs", "slack", "shadow_price"),
}


@pytest.fixture(scope="module")
def answer() -> Result:
    """The life insurer's answer, with a tilt so that every part of the page has something to show."""
    tilt = "tilts=[{tech_innovation_bonds: {mode: budget, cost: 0.1bp}}]"
    return allocator.load(FUND.parents[1] / "life_insurer" / "fund.yaml", [tilt]).optimize()


@pytest.fixture(scope="module")
def large(answer: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_view(View.of(answer, Language.ENGLISH), tmp_path_factory.mktemp("large") / "out")


def test_every_figure_on_the_page_is_that_of_the_files(large: Path) -> None:
    """Each cell of each table against allocation.csv, capital.csv, constraints.csv and tilts.csv, to the last bit."""
    read = Tables((large / "report.html").read_text(encoding="utf-8"))
    keys = {"allocation": by_trade}
    compared = 0
    for group, unit in ((MONEY, 1e8), (PLAIN, 1.0)):
        for table, columns in group.items():
            frame = pd.read_csv(large / f"{table}.csv")
            frame["change"] = frame["amount"] - frame["before"] if table == "capital" else np.nan
            frame = frame.iloc[keys[table](frame)] if table in keys else frame
            for column in columns:
                shown = np.array(read.column(table, column), dtype=float) / unit
                np.testing.assert_allclose(shown, frame[column], rtol=1e-12, atol=1e-9, err_msg=f"{table}.{column}")
                compared += len(shown)
    tilts = pd.read_csv(large / "tilts.csv")
    for column in ("score_before", "score_untilted", "score_after", "return_given_up"):
        np.testing.assert_array_equal(np.array(read.column("tilts", column), dtype=float), tilts[column])
    assert compared > 700


def test_the_first_page_says_what_run_json_says(large: Path) -> None:
    entry = json.loads((large / "run.json").read_text(encoding="utf-8"))
    text = (large / "report.html").read_text(encoding="utf-8")
    first = text[text.index('id="overview"') : text.index('id="allocation"')]
    said = {
        f"{entry['expected_return']['after']:.2%}",
        f"{entry['volatility']['after']:.2%}",
        f"{entry['solvency']['comprehensive']['before']:.2%}",
        f"{entry['solvency']['core']['after']:.2%}",
        f"{entry['capital']['minimum_capital']:,.2f}",
        f"{entry['capital']['actual_capital']:,.2f}",
        f"{entry['turnover']:.2%}",
        f"{entry['trading_cost']:,.2f}",
        f"{entry['objective']:.4%}",
        f"{entry['bound']:.4%}",
        f"{entry['gap'] * 1e4:.2f} bp",
        f"{entry['tilts']['tech_innovation_bonds']['score_after']:.2%}",
        f"{entry['tilts']['all']['return_given_up'] * 1e4:.2f} bp",
        str(entry["nodes"]),
        entry["solver"],
    }
    assert [figure for figure in said if figure not in first] == []
    for source in entry["inputs"].values():
        assert source["sha256"] in text


def test_no_cell_holds_a_stand_in_for_what_is_not_there(large: Path) -> None:
    """Nothing is blank: no −1, no infinity, no word of a programming language."""
    stand_ins = {"-1", "-1.0", "inf", "-inf", "nan", "NaN", "None", "<NA>", "NaT", "null"}
    for path in sorted(large.glob("*.csv")):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False)
        found = {name: stand_ins & set(cells[name]) for name in cells}
        assert not any(found.values()), (path.name, found)
    for sheet in openpyxl.load_workbook(large / "report.xlsx"):
        cells = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert not stand_ins & set(cells), sheet.title
    page = (large / "report.html").read_text(encoding="utf-8")
    assert not stand_ins & set(re.findall(r'data-value="([^"]*)"', page) + re.findall(r"<td[^>]*>([^<]*)<", page))


def test_a_charge_within_a_product_names_the_row_of_the_underlying_file(large: Path) -> None:
    charges = pd.read_csv(large / "charges.csv", dtype=str, keep_default_na=False)
    lines = (FUND.parents[1] / "life_insurer" / "underlying.csv").read_text(encoding="utf-8").splitlines()
    within = charges[charges["underlying"] != ""]
    assert len(within) >= 6
    for charge in within.to_dict("records"):
        assert lines[int(charge["underlying"]) - 1].startswith(f"{charge['asset_id']},")
    assert "STOCK_MAIN" in set(charges.loc[charges["underlying"] == "", "asset_id"])


def test_the_large_reports_page_keeps_to_its_size(large: Path) -> None:
    assert (large / "report.html").stat().st_size < 6_000_000


def own_names() -> list[str]:
    """Return what the example's own files call things, and terms that have no translation."""
    folder = FUND.parents[1] / "life_insurer"
    names = {
        cell
        for table in ("assets", "issuers", "underlying", "funds")
        for cell in pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False).to_numpy().ravel()
    }
    return [*names, *UNTRANSLATED]


UNTRANSLATED = (
    *("REIT", "ABS", "ABN", "CSV", "XIRR", "NAV", "USD", "HKD", "EUR", "AAA", "Takahashi", "Alexander", "CLARABEL"),
    *("SHA", "English", "中文", "run.json"),
)


def test_no_sentence_of_the_large_report_is_left_in_one_language(large: Path) -> None:
    page = (large / "report.html").read_text(encoding="utf-8")
    assert page.count('class="en"') == page.count('class="zh"') > 800
    entry = json.loads((large / "run.json").read_text(encoding="utf-8"))
    assert left_in_a_page(page, [*own_names(), *given_names(entry)]) == []


@pytest.mark.parametrize("language", list(Language))
def test_no_cell_of_the_large_workbook_is_left_in_the_other_language(
    answer: Result, tmp_path: Path, language: Language
) -> None:
    write_workbook(View.of(answer, language), tmp_path / "report.xlsx")
    assert (
        left_in_a_workbook(tmp_path / "report.xlsx", language, [*own_names(), answer.inputs.settings.fund.name]) == []
    )


def test_the_large_report_opens_without_a_word_in_the_console_speaks_both_languages_and_prints(large: Path) -> None:
    with opened_browser() as browser, opened_page(browser, large / "report.html") as page:
        for language, question in (("zh", "政策倾斜的代价是多少？"), ("en", "What does the policy tilt cost?")):
            page.click(f"[data-speak={language}]")
            first = page.locator("#overview").inner_text()
            assert question in first
            assert bool(re.search("要求|最低资本", first)) == (language == "zh")
        # Every drawing is drawn: something of it lies on the page.
        for box in page.locator("svg[role=img]").all():
            assert (box.bounding_box() or {}).get("height", 0) > 40
        assert spoilt_in_print(page) == []
