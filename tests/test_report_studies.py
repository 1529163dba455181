"""Study pages and workbooks: every figure read back, no word left in one language, nothing in the console."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from browsing import SCREEN, opened_browser, opened_page, spoilt_in_print
from office import recomputed
from pages import Reader, Tables, given_names, left_in_a_page, left_in_a_workbook
from test_backtest import fund as walked
from test_backtest import history

from allocator import load
from allocator.pipeline.scenarios import stress
from allocator.report.backtest import backtest_report
from allocator.report.formats import FORMATS, column_format
from allocator.report.frontier import frontier_report
from allocator.report.plan import plan_report
from allocator.report.stress import stress_report
from allocator.report.study import StudyReport
from allocator.report.writer import write_study
from allocator.result.tables import ReportTable
from allocator.study.backtest import backtest
from allocator.study.plan import plan
from allocator.study.reverse import reverse_stress
from allocator.types import Language

FUND = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"
SCENARIOS = "stress.scenarios={crash: {label: 股灾, equity: {all: -30%, star: -45%}}}"
PLAN = (
    "plan={per_year: 1, steps: 2, branches: [{at: 2, scenarios: {base: 70%, sensitivity_equity: 30%}}], "
    "under: {quarterly_equity: {comprehensive: 0.5}}}"
)
NAMES = ("stress", "plan", "frontier", "backtest")
KEYS = ("own_funds", "capital", "life_insurance_risk", "liability_curve")
"""Keys of the fund file that sentences name."""

UNTRANSLATED = ("股灾", "中文", "English", "SHA", "run.json", "CSV", *KEYS)


@pytest.fixture(scope="module")
def reports() -> Mapping[str, StudyReport]:
    """One study of each kind, small."""
    asked = load(FUND, [SCENARIOS, "capital.require_under={sensitivity_equity: {comprehensive: 190%}}"])
    planned, frontier_of = load(FUND, [PLAN]), load(FUND).frontier(6).value
    history_of = walked(history(), every=12, window=24)
    return {
        "stress": stress_report(asked, stress(asked), reverse_stress(asked), Language.ENGLISH),
        "plan": plan_report(planned, plan(planned), Language.ENGLISH),
        "frontier": frontier_report(frontier_of, Language.ENGLISH),
        "backtest": backtest_report(history_of, backtest(history_of), Language.ENGLISH),
    }


@pytest.fixture(scope="module")
def folders(reports: Mapping[str, StudyReport], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("studies")
    return {name: write_study(report, folder / name) for name, report in reports.items()}


def own_names(report: StudyReport) -> list[str]:
    """Return what the data call things, and cells of columns that are headed by their language."""
    assets = report.inputs.assets
    cells = {str(cell) for name in ("asset_id", "name") if name in assets for cell in assets[name]}
    both = {
        cell for table in report.tables for name in ("binding_en", "binding_zh") for cell in table.frame.get(name, ())
    }
    return [*cells, *both, *given_names(report.manifest), *UNTRANSLATED]


def figures(table: ReportTable, unit: float) -> dict[str, float]:
    """Return the columns of figures with what one of the file is in the page's CNY."""
    forms = {str(name): column_format(table.frame[name], table.formats.get(str(name))) for name in table.frame}
    return {name: unit if form == "money" else 1.0 for name, form in forms.items() if form in FORMATS}


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_the_page_is_that_of_the_files(
    name: str, reports: Mapping[str, StudyReport], folders: Mapping[str, Path]
) -> None:
    """Each cell of each table of the page against the CSV file, and that against run.json."""
    report, folder = reports[name], folders[name]
    read = Tables((folder / "report.html").read_text(encoding="utf-8"))
    entry, compared = json.loads((folder / "run.json").read_text(encoding="utf-8")), 0
    for table in report.tables:
        frame = pd.read_csv(folder / f"{table.name}.csv")
        for column, scale in figures(table, report.unit).items():
            told = frame[column].to_numpy(dtype=float)
            if report.record is None:
                noted = np.array([row[column] for row in entry[table.name]], dtype=float)
                np.testing.assert_array_equal(noted, told, err_msg=f"{table.name}.{column}")
            if column in table.files_only:
                continue
            shown = np.array(read.column(table.name, column), dtype=float)
            np.testing.assert_allclose(shown, told * scale, rtol=1e-14, err_msg=f"{table.name}.{column}")
            compared += len(shown)
    assert compared >= {"stress": 400, "plan": 60, "frontier": 80, "backtest": 60}[name]


def test_a_frontiers_points_are_those_of_run_json(folders: Mapping[str, Path]) -> None:
    entry = json.loads((folders["frontier"] / "run.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(folders["frontier"] / "frontier.csv")
    for column in ("level", "reached", "value", "slope", "expected_return", "minimum_capital", "gap"):
        assert [point[column] for point in entry["points"]] == frame[column].tolist(), column
    segments = pd.read_csv(folders["frontier"] / "stretches.csv")
    assert [one["low"] for one in entry["stretches"]] == segments["low"].tolist()
    assert [one["at"] for one in entry["kinks"]] == segments["kink"].dropna().tolist()


def test_a_frontier_of_capital_speaks_of_one_unit_of_money(tmp_path: Path) -> None:
    """Least capital at each return: value and gap of run.json stand in the fund's unit, as in the CSV file."""
    found = load(FUND).frontier(3, "expected_return", "minimum_capital").value
    folder = write_study(frontier_report(found, Language.ENGLISH), tmp_path / "out")
    points = json.loads((folder / "run.json").read_text(encoding="utf-8"))["points"]
    frame = pd.read_csv(folder / "frontier.csv")
    for column in ("value", "gap", "minimum_capital"):
        assert [point[column] for point in points] == frame[column].tolist(), column


@pytest.mark.parametrize("name", NAMES)
def test_every_mark_of_the_chart_says_a_figure_of_the_files(name: str, folders: Mapping[str, Path]) -> None:
    text = (folders[name] / "report.html").read_text(encoding="utf-8")
    hints = [values for _, values in Reader(text).tags if "data-en" in values]
    said = {figure for hint in hints for figure in re.findall(r"−?[\d,.]+%", str(hint["data-en"]))}
    assert said == {figure for hint in hints for figure in re.findall(r"−?[\d,.]+%", str(hint["data-zh"]))}
    frame = pd.read_csv(folders[name] / f"{name}.csv")
    if name == "stress":
        told = frame[[column for column in frame if column.endswith(("_ratio", "_required"))]].to_numpy().ravel()
        told = np.append(told, [0.5, 1.0])  # what the rules ask where the fund asks nothing
    elif name == "frontier":
        told = frame[["level", "value"]].to_numpy().ravel()
    else:
        told = frame[[column for column in frame if column.endswith("_ratio")]].to_numpy().ravel()
    written = {f"{figure:.2%}".replace("-", "−") for figure in told[np.isfinite(told)]}
    if name == "plan":
        written |= {f"{ratio:.2%}" for ratio in start_of(folders)}
    assert len(hints) >= len(frame) and said <= written, said - written


def start_of(folders: Mapping[str, Path]) -> list[float]:
    """Return the ratios of the fund as it is, by the stress test of the same fund."""
    base = pd.read_csv(folders["stress"] / "stress.csv").set_index("scenario").loc["base"]
    return [float(base["comprehensive_ratio"]), float(base["core_ratio"])]


@pytest.mark.parametrize("name", NAMES)
def test_no_word_is_left_in_one_language(
    name: str, reports: Mapping[str, StudyReport], folders: Mapping[str, Path], tmp_path: Path
) -> None:
    report = reports[name]
    text = (folders[name] / "report.html").read_text(encoding="utf-8")
    assert text.count('class="en"') == text.count('class="zh"') > 20
    assert left_in_a_page(text, own_names(report)) == []
    for language in Language:
        folder = write_study(replace(report, language=language), tmp_path / language)
        assert left_in_a_workbook(folder / "report.xlsx", language, own_names(report)) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_holds_a_stand_in_for_what_is_not_there(name: str, folders: Mapping[str, Path]) -> None:
    for path in sorted(folders[name].glob("*.csv")):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False)
        found = {one: {"-1", "-1.0", "inf", "-inf", "nan", "None", "<NA>", "NaT"} & set(cells[one]) for one in cells}
        assert not any(found.values()), (path.name, found)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_opens_switches_and_prints_without_a_word_in_the_console(
    name: str, folders: Mapping[str, Path]
) -> None:
    with opened_browser() as browser, opened_page(browser, folders[name] / "report.html") as page:
        for language, word in (("zh", "输入文件及指纹"), ("en", "Inputs and their fingerprints")):
            page.click(f"[data-speak={language}]")
            assert word in page.locator("main").inner_text()
        for box in page.locator("svg[role=img]").all():
            assert (box.bounding_box() or {}).get("height", 0) > 40
        for width in (390, 1320):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.set_viewport_size(SCREEN)
        assert spoilt_in_print(page) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_workbook_opens_in_an_office_and_holds_the_figures_of_the_files(
    name: str, reports: Mapping[str, StudyReport], folders: Mapping[str, Path], tmp_path: Path
) -> None:
    report, path = reports[name], folders[name] / "report.xlsx"
    book, written = recomputed(path, tmp_path), openpyxl.load_workbook(path)
    assert book.sheetnames == [*(table.name for table in report.tables), "inputs"]
    sums = 0
    for table in report.tables:
        frame, sheet = pd.read_csv(folders[name] / f"{table.name}.csv"), book[table.name]
        for place, column in enumerate(frame, 1):
            if column not in figures(table, report.unit):
                continue
            cells = [sheet.cell(row, place).value for row in range(5, 5 + len(frame))]
            np.testing.assert_allclose(np.array(cells, dtype=float), frame[column].to_numpy(dtype=float), rtol=1e-14)
            below = 5 + len(frame)
            if column in table.summed:
                assert str(written[table.name].cell(below, place).value).startswith("=SUM(")
                assert sheet.cell(below, place).value == pytest.approx(frame[column].sum(), rel=1e-12)
                sums += 1
    assert sums == {"frontier": 6}.get(name, 0)
