"""A figure of a run is traced to file and row, from OUT alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

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


@pytest.mark.parametrize("figure", ["capital.nothing", "weather", "allocation.GONE", "solvency.", "constraints."])
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
    assert json.loads(shown[2])["lines"][0]["name"] == "market_risk"
