"""A figure of a run is traced to file and row, from OUT alone."""

from __future__ import annotations

import html
import itertools
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import allocator
from allocator import InputError
from allocator.cli import main
from allocator.report.trace import Line, trace

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "first_fund"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace") / "out"
    allocator.load(EXAMPLE / "fund.yaml").optimize().report(folder)
    return folder


@pytest.fixture
def copy(out: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(out, tmp_path / "out")
    yield tmp_path / "out"


def below(lines: tuple[Line, ...], name: str) -> list[Line]:
    """Return the lines directly below the first line of that name."""
    start = next(position for position, line in enumerate(lines) if line.name == name)
    found = []
    for line in lines[start + 1 :]:
        if line.depth <= lines[start].depth:
            break
        if line.depth == lines[start].depth + 1:
            found.append(line)
    return found


def test_capital_is_traced_to_the_rows_of_the_file(out: Path) -> None:
    found = trace(out, "capital")
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert found.lines[0].name == "minimum_capital"
    assert found.lines[0].amount == pytest.approx(manifest["capital"]["minimum_capital"], rel=1e-12)
    rows = (EXAMPLE / "assets.csv").read_text(encoding="utf-8").splitlines()
    charged = [line for line in found.lines if " / " in line.name]
    assert {line.name.split(" / ")[0] for line in charged} == {row.split(",")[0] for row in rows[1:]}
    for line in charged:
        file, number = line.place.split(", row ")
        assert file == "assets.csv" and rows[int(number) - 1].startswith(line.name.split(" / ")[0] + ",")
        assert line.source and line.how


def test_a_stock_is_charged_by_its_factor(out: Path) -> None:
    """R8 §26: K of the whole book is x², x the gain over cost; 金规〔2023〕5号: 0.30 for a CSI 300 member."""
    (stock, star) = below(trace(out, "capital.equity").lines, "equity_price")
    held = pd.read_csv(out / "allocation.csv", index_col="asset_id")
    assets = pd.read_csv(EXAMPLE / "assets.csv", index_col="asset_id")
    target, current = held["target"], held["current"]
    cost = {name: assets.loc[name, "cost"] * min(1.0, target[name] / current[name]) for name in ("CSI300", "STAR")}
    cost = {name: cost[name] + max(0.0, target[name] - current[name]) for name in cost}
    gain = (target["CSI300"] + target["STAR"]) / sum(cost.values()) - 1.0
    assert stock.amount == pytest.approx(target["CSI300"] * 0.30 * (1 + gain**2), rel=1e-9)
    assert star.amount == pytest.approx(target["STAR"] * 0.40 * (1 + gain**2), rel=1e-9)


@pytest.mark.parametrize("module", ["interest_rate_up", "interest_rate_down", "equity_price", "spread"])
def test_the_charges_of_a_module_and_what_is_not_the_assets_sum_to_it(out: Path, module: str) -> None:
    lines = trace(out, f"capital.{module}").lines
    assert sum(line.amount for line in below(lines, module)) == pytest.approx(lines[0].amount, rel=1e-9)


def test_a_ratio_is_capital_over_its_tree(out: Path) -> None:
    ratio, available, capital, *_ = trace(out, "solvency.comprehensive").lines
    assert ratio.amount == pytest.approx(available.amount / capital.amount, rel=1e-12)
    assert [line.depth for line in (ratio, available, capital)] == [0, 1, 1]


def test_a_rule_shows_its_sides_and_an_asset_its_charges(out: Path) -> None:
    rule, limit, slack, _ = trace(out, "constraints.comprehensive").lines
    assert slack.amount == pytest.approx(rule.amount - limit.amount, abs=1e-12)
    held, *charges = trace(out, "allocation.STAR").lines
    assert held.amount == pytest.approx(pd.read_csv(out / "allocation.csv", index_col="asset_id").loc["STAR", "target"])
    assert [line.name for line in charges] == ["equity_price"]


def test_a_name_may_be_short_where_one_alone_is_meant(out: Path) -> None:
    assert trace(out, "capital.market").lines[0].name == "market_risk"
    with pytest.raises(InputError, match="several figures begin so"):
        trace(out, "capital.interest_rate_")


FUNDS = [
    "first_fund",
    *(pytest.param(name, marks=pytest.mark.acceptance) for name in ("technology_fund", "life_insurer")),
]


@pytest.fixture(scope="module", params=FUNDS)
def life(request: pytest.FixtureRequest, out: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """OUT of an example, and the example: a pool of loss absorption in each, tilts and currencies in the larger."""
    fund = EXAMPLE.parent / request.param
    if fund == EXAMPLE:
        return out, fund
    folder = tmp_path_factory.mktemp("life") / "out"
    allocator.load(fund / "fund.yaml").optimize().report(folder)
    return folder, fund


def heads(out: Path) -> dict[str, float]:
    """Return every figure of OUT by the name it is asked for: what page and workbook are drawn from."""
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    capital, rules, held, tilts = (
        pd.read_csv(out / f"{name}.csv") for name in ("capital", "constraints", "allocation", "tilts")
    )
    found = {f"capital.{row.module}": row.amount for row in capital.itertuples()}
    found |= {f"constraints.{row.name}": row.lhs for row in rules.itertuples(index=False)}
    found |= {f"allocation.{name}": rows["target"].iloc[0] for name, rows in held.groupby("asset_id")}
    found |= {f"solvency.{name}": ratio["after"] for name, ratio in manifest["solvency"].items()}
    found |= {f"tilts.{row.name}": row.objective_given_up for row in tilts.itertuples(index=False)}
    found |= {name: manifest[name]["after"] for name in ("expected_return", "volatility") if manifest[name]}
    return found | {name: manifest[name] for name in ("objective", "turnover", "trading_cost", "funded_total")}


def test_every_figure_of_a_report_is_traced(life: tuple[Path, Path]) -> None:
    out, _ = life
    figures = heads(out)
    assert len(figures) > 50
    for figure, amount in figures.items():
        first = trace(out, figure).lines[0]
        assert first.amount == pytest.approx(amount, rel=1e-14), figure
        assert first.name.startswith(figure.partition(".")[2] or figure)


def test_every_name_on_the_page_and_in_the_workbook_is_one_that_is_traced(life: tuple[Path, Path]) -> None:
    """Sheet by sheet, in the words that a reader sees; the page's tables have the same lines."""
    out, _ = life
    page = (out / "report.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(out / "report.xlsx", read_only=True)
    modules = {labelled.en for labelled in trace(out, "capital").labels.values()}
    codes = set(pd.read_csv(out / "allocation.csv")["asset_id"])
    rules = len(pd.read_csv(out / "constraints.csv"))

    def first_column(sheet: str) -> list[str]:
        """Return the names of the sheet's first table, which ends at an empty row."""
        cells = (row[0] for row in book[sheet].iter_rows(min_row=5, max_col=1, values_only=True))
        return [str(cell).strip() for cell in itertools.takewhile(lambda cell: cell is not None, cells)]

    shown = {sheet: first_column(sheet) for sheet in ("capital", "allocation", "charges", "rules")}
    assert len(shown["capital"]) > 30 and set(shown["capital"]) <= modules
    assert all(html.escape(name) in page for name in shown["capital"])
    assert set(shown["allocation"]) - modules - {"Total"} == codes and set(shown["charges"]) <= codes
    assert all(code in page for code in codes)
    assert len(shown["rules"]) == rules


def test_every_leaf_is_its_charges_and_what_is_given(life: tuple[Path, Path]) -> None:
    """The pool of loss absorption and the net positions in a currency too, each down to file and row."""
    out, fund = life
    leaves = json.loads((out / "run.json").read_text(encoding="utf-8"))["capital"]["leaves"]
    charges = pd.read_csv(out / "charges.csv")
    rows = (fund / "assets.csv").read_text(encoding="utf-8").splitlines()
    for name, leaf in leaves.items():
        mine = charges[charges["leaves"].str.split(";").map(lambda names, name=name: name in names)]
        assert mine["charge"].sum() + leaf["constant"] == pytest.approx(leaf["amount"], rel=1e-9), name
        assert not leaf["constant"] or leaf["place"].startswith("fund.yaml, line "), name
        for charge in mine.to_dict("records"):
            assert rows[int(charge["place"].split(", row ")[1]) - 1].startswith(f"{charge['asset_id']},")
    assert any(name.startswith("pool_") for name in leaves)


@pytest.mark.parametrize("figure", ["expected_return", "turnover", "trading_cost", "funded_total"])
def test_a_measure_is_the_sum_of_its_rows(life: tuple[Path, Path], figure: str) -> None:
    head, *rows = trace(life[0], figure).lines
    assert rows and sum(line.amount for line in rows) == pytest.approx(head.amount, rel=1e-9)
    assert all(", row " in line.place for line in rows)


def test_capital_that_is_given_names_the_line_of_the_fund_file(out: Path) -> None:
    (given,) = trace(out, "capital.life_insurance_risk").lines
    assert given.amount == 2.1 and given.place.startswith("fund.yaml, line ")
    lines = (EXAMPLE / "fund.yaml").read_text(encoding="utf-8").splitlines()
    assert "life_insurance_risk: 2.1" in lines[int(given.place.split("line ")[1].split(",")[0]) - 1]


def test_without_a_regime_an_asset_is_traced_to_its_file(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "fund")
    text = (EXAMPLE / "fund.yaml").read_text(encoding="utf-8")
    free = "\n".join(part for part in text.split("\n\n") if not part.startswith("capital:"))
    (tmp_path / "fund" / "fund.yaml").write_text(free, encoding="utf-8")
    allocator.load(tmp_path / "fund" / "fund.yaml").optimize().report(tmp_path / "out")
    held, *charges = trace(tmp_path / "out", "allocation.STAR").lines
    assert held.place == "assets.csv" and not charges
    assert len(trace(tmp_path / "out", "expected_return").lines) > 5
    with pytest.raises(InputError, match="no solvency regime"):
        trace(tmp_path / "out", "capital")


def test_a_run_of_an_earlier_version_is_told(copy: Path) -> None:
    manifest = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    del manifest["capital"]["leaves"]
    (copy / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="does not say what its modules sum"):
        trace(copy, "capital")


@pytest.mark.parametrize(
    "figure", ["capital.nothing", "weather", "allocation.GONE", "solvency.", "constraints.", "tilts.", "turnover.x"]
)
def test_an_unknown_figure_is_an_error_that_names_it(out: Path, figure: str) -> None:
    with pytest.raises(InputError) as refused:
        trace(out, figure)
    assert refused.value.problems[0].where == figure


def test_a_file_changed_since_the_run_is_refused(copy: Path) -> None:
    file = copy / "capital.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("R8", "R9"), encoding="utf-8")
    with pytest.raises(InputError, match="has changed since the run"):
        trace(copy, "capital")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        trace(tmp_path, "capital")


def test_the_command_speaks_both_languages_and_json(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for more in (["--lang", "en"], ["--lang", "zh"], ["--json"]):
        with pytest.raises(SystemExit) as left:
            main(["trace", str(out), "capital.market", *more])
        assert left.value.code == 0
        shown.append(capsys.readouterr().out)
    assert "Market risk" in shown[0] and "assets.csv, row 6" in shown[0]
    assert "市场风险最低资本" in shown[1] and "负债与常数项" in shown[1]
    assert "assets.csv，第 6 行" in shown[1] and "每元持仓现值" in shown[1] and " / 传统" in shown[1]
    assert not re.search("row|PV per|traditional", shown[1])
    assert json.loads(shown[2])["lines"][0]["name"] == "market_risk"
