"""The report of a real run: the small example, optimized once, its files held against each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import allocator
from allocator.registry import installed_plugins
from allocator.report.chart_returns import hurdles
from allocator.report.view import View
from allocator.report.writer import write_view
from allocator.result import Result
from allocator.types import Language

FUND = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")

if "cross2" not in {info.name for info in installed_plugins()}:
    pytest.skip("the plugins are not installed (entry points)", allow_module_level=True)


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
    slope = sum(term.weight * term.expression.gradient(result.target).toarray()[0] for term in result.model.objective)
    moved = (np.abs(frame["trade"]) > 1e-4 * space.total) & (frame["at_bound"] == "")
    assert moved.sum() >= 3
    for row in np.flatnonzero(moved):
        intercept, per_capital = lines[frame["account"][row]]
        hurdle = intercept + per_capital * frame["capital_marginal"][row]
        assert slope[row] * space.total == pytest.approx(hurdle, abs=2e-4)


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
    np.testing.assert_allclose(shown[:, :2] / 1e8, frame[["amount", "before"]], rtol=1e-12, atol=1e-12)


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_the_workbook_recomputes_every_module_of_the_rule(out: Path, tmp_path: Path) -> None:
    """Sums, maxima and correlated aggregates are live formulas: the sheet is a second engine for capital."""
    assert OFFICE is not None
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [OFFICE, profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path)]
    environment = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([*command, str(out / "report.xlsx")], check=True, capture_output=True, timeout=120, env=environment)
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx", data_only=True)["capital"]
    formulas = openpyxl.load_workbook(out / "report.xlsx")["capital"]
    frame = pd.read_csv(out / "capital.csv")
    for place, line in enumerate(frame.to_dict("records"), 5):
        assert sheet.cell(place, 2).value == pytest.approx(line["before"], rel=1e-10, abs=1e-12), line["module"]
        assert sheet.cell(place, 3).value == pytest.approx(line["amount"], rel=1e-10, abs=1e-12), line["module"]
    live = [formulas.cell(place, 3).value for place in range(5, 5 + len(frame))]
    assert sum(str(value).startswith("=") for value in live) >= 12
