"""In Python, too, amounts stand in ``fund.unit`` and go by ``(asset_id, account)``: both ways, and everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator import Fund, InputError

FIRST = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"
SETTINGS = {"fund": {"name": "F", "as_of": "2026-06-30", "unit": 1e8}}
ASSETS = pd.DataFrame(
    {
        "asset_id": ["A", "B", "A"],
        "account": ["traditional", "traditional", "universal"],
        "kind": "cash",
        "amount": [3.0, 1.0, 2.0],
        "expected_return": [0.02, 0.03, 0.02],
    }
)


@pytest.fixture(scope="module")
def first() -> Fund:
    return allocator.load(FIRST)


@pytest.fixture(scope="module")
def result(first: Fund) -> allocator.Result:
    return first.optimize()


def test_what_the_files_say_is_what_python_says(first: Fund) -> None:
    """The current amounts, as they stand in assets.csv and in its order, have the capital of the fund as it is."""
    frame = pd.read_csv(FIRST.parent / "assets.csv")
    held = first.capital()
    assert held is not None
    for given in (frame["amount"].to_numpy(), frame["amount"].tolist()):
        found = first.capital(given)
        assert found is not None
        assert found.minimum_capital == pytest.approx(held.minimum_capital, rel=1e-12)
        assert found.ratios == pytest.approx(held.ratios, rel=1e-12)


def test_what_comes_out_goes_in_again(first: Fund, result: allocator.Result) -> None:
    found = first.capital(result.target)
    assert found is not None and result.after is not None
    assert found.minimum_capital == pytest.approx(result.after.minimum_capital, rel=1e-12)
    mixed = result.target.sample(frac=1.0, random_state=1)
    again = first.capital(mixed)
    assert again is not None and again.minimum_capital == found.minimum_capital


def test_series_and_tables_agree_with_the_files_of_a_run(
    result: allocator.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "register.sqlite"))
    written = pd.read_csv(result.report(tmp_path / "out") / "allocation.csv")
    names = list(map(tuple, written[["asset_id", "account"]].to_numpy()))
    assert result.target.index.tolist() == names
    np.testing.assert_allclose(result.target, written["target"], rtol=1e-12)
    np.testing.assert_allclose(result.trade, written["trade"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result.weights, written["weight"], rtol=1e-12)
    np.testing.assert_allclose(result.allocation["target"], written["target"], rtol=1e-12)
    modules = pd.read_csv(tmp_path / "out" / "capital.csv")
    assert result.capital["after"].iloc[0] == pytest.approx(modules["amount"].iloc[0], rel=1e-12)
    assert result.after is not None
    assert result.after.minimum_capital == pytest.approx(modules["amount"].iloc[0], rel=1e-12)


def test_a_frontier_speaks_the_funds_unit(first: Fund) -> None:
    study = first.frontier(2)
    point = study.value.points[0]
    assert study.frame["minimum_capital"].iloc[0] == pytest.approx(point.minimum_capital / first.inputs.unit)
    assert study.tables["allocations"].select_dtypes("number").to_numpy().max() < first.space.total


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        ([1.0, 2.0], r"one amount a row.*\(2,\).*allowed.*\(3,\)"),
        (["x", "y", "z"], "numbers, or a Series"),
        ([1.0, np.nan, 2.0], "amounts, B, traditional: not a finite number"),
        ({"B": 1.0, "A": 2.0}, r"several accounts hold it.*A.*write \(asset_id, account\)"),
        ({("A", "traditional"): 1.0, "B": 1.0}, r"rows are left out.*universal.*write 0"),
        ({("A", "traditional"): 1.0, "B": 1.0, ("A", "univers"): 1.0}, "no row of this name"),
        ({("A", "traditional"): 1.0, "BB": 1.0}, "no row of this name.*BB.*did you mean 'B'"),
        ({("B", "traditional"): 1.0, "B": 1.0}, "the same row twice"),
        ({("A", "traditional"): "viel", "B": 1.0}, "not a number.*viel"),
    ],
)
def test_amounts_that_are_not_clear_are_refused(amounts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Fund(SETTINGS, ASSETS).capital(amounts)


def test_settings_change_without_a_file_being_touched(first: Fund) -> None:
    stricter = first.with_settings({"capital.require.comprehensive": 1.9})
    assert stricter.requirements[0].required == 1.9
    assert stricter.with_settings({"solve.gap": "1bp"}).requirements[0].required == 1.9
    assert first.requirements[0].required != 1.9
    made = Fund(SETTINGS, ASSETS).with_settings({"accounts": {"universal": {"budget": 5}}})
    assert made.optimize().target.sum() == pytest.approx(9.0)


def test_a_ratio_may_be_required_of_one_run(first: Fund) -> None:
    after = first.optimize(require={"comprehensive": 2.0}).after
    assert after is not None
    assert after.ratio("comprehensive") >= 2.0 - 1e-7


def test_a_result_shows_itself_in_five_lines(result: allocator.Result) -> None:
    lines = repr(result).splitlines()
    assert len(lines) == 5
    assert "verified" in lines[0] and "gap" in lines[1] and "→" in lines[2]
    assert "Comprehensive solvency ratio" in result.summary("en")
    assert "综合偿付能力充足率" in result.summary("zh")


def test_studies_are_methods_of_the_fund(first: Fund, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "register.sqlite"))
    study = first.stress()
    assert study.frame["scenario"].iloc[0] == "base"
    assert study.figure().svg.startswith("<svg")
    assert (study.report(tmp_path / "out") / "report.html").is_file()
    assert "stress 8" in repr(study)
