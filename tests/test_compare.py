"""Runs side by side, and the register on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import call
from fake_result import NO_PLUGINS, FakeFund, fake_result

from allocator.errors import InputError
from allocator.register.comparison import Comparison, compare, find_side
from allocator.report.view import View
from allocator.report.writer import write_view
from allocator.result.result import Result
from allocator.types import Language


def written(result: Result, folder: Path) -> Path:
    return write_view(View.of(result, Language.ENGLISH, NO_PLUGINS), folder)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return written(fake_result(tmp_path), tmp_path / "first")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The same fund with another requirement, another table and 5 (CNY 100 million) moved from row 3 to row 4."""
    result = fake_result(tmp_path)
    holdings = result.solution.holdings + np.array([0, 0, 0, -5.0, 5.0, 0, 0, 0]) * 1e8
    settings = result.inputs.settings
    solve = settings.solve.model_copy(update={"time_limit": 30.0})
    inputs = replace(result.inputs, settings=settings.model_copy(update={"solve": solve}))
    sources = {name: replace(source, fingerprint="cd" * 32) for name, source in result.inputs.sources.items()}
    inputs = replace(inputs, sources=sources)
    moved = replace(result, inputs=inputs, solution=replace(result.solution, holdings=holdings))
    return written(moved, tmp_path / "second")


def tables(*folders: Path) -> Comparison:
    return compare([find_side(str(folder), None) for folder in folders])


def test_what_changed_going_in_is_named_by_fingerprint_and_setting(first: Path, second: Path) -> None:
    entry = tables(first, second).entry
    assert {line["key"] for line in entry["inputs"]} == {"assets"}
    assert entry["inputs"][0][str(second)] == "cd" * 6
    assert entry["settings"] == [{"key": "solve.time_limit", str(first): "60.0", str(second): "30.0"}]
    assert "versions" not in entry


def test_what_changed_coming_out_is_the_difference_of_the_manifests(first: Path, second: Path) -> None:
    found = {line["measure"]: line for line in tables(first, second).entry["measures"]}
    one, two = (json.loads((folder / "run.json").read_text(encoding="utf-8")) for folder in (first, second))
    line = found["capital.minimum_capital"]
    assert line[str(first)] == pytest.approx(one["capital"]["minimum_capital"], rel=1e-12)
    change = two["capital"]["minimum_capital"] - one["capital"]["minimum_capital"]
    assert line["change"] == pytest.approx(change, rel=1e-9)
    ratios = [entry["solvency"]["comprehensive"]["after"] for entry in (one, two)]
    assert found["solvency.comprehensive.after"]["change"] == pytest.approx(ratios[1] - ratios[0], rel=1e-9)


def test_targets_that_moved_are_listed_by_size(first: Path, second: Path) -> None:
    lines = tables(first, second).entry["targets"]
    assert [line["asset_id"] for line in lines] == ["TIB5", "'=SUM(A1:A9)"] or len(lines) == 2
    assert sorted(line["change"] for line in lines) == pytest.approx([-5.0, 5.0])


def test_rules_are_named_as_people_read_them(first: Path, second: Path) -> None:
    rules = next(table for table in tables(first, second).tables if table.name == "rules")
    said = {name: rules.labels["name"][name].zh for name in rules.frame["name"]}
    assert said["comprehensive"] == "综合偿付能力充足率"
    assert said["budget[traditional]"] == "传统账户预算"
    frame = pd.read_csv(first / "constraints.csv")
    frame.drop(columns=["label_en", "label_zh"]).to_csv(first / "constraints.csv", index=False)
    former = next(table for table in tables(first, first).tables if table.name == "rules")
    assert "budget[traditional]" in set(former.frame["name"])


def test_a_run_beside_itself_differs_in_nothing(first: Path) -> None:
    entry = tables(first, first).entry
    assert not {"inputs", "settings", "versions", "targets"} & set(entry)
    assert [line["change"] for line in entry["measures"]] == [0.0] * len(entry["measures"])
    assert [line["run"] for line in entry["runs"]] == [str(first), f"{first} (2)"]


def test_one_run_or_none_at_that_place_cannot_be_compared(first: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two runs or more"):
        tables(first)
    with pytest.raises(InputError, match="no run was written here"):
        find_side(str(tmp_path / "absent"), None)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text('{"other": 1}', encoding="utf-8")
    with pytest.raises(InputError, match="fund: not a run.s manifest"):
        find_side(str(tmp_path / "foreign"), None)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hand-made fund in the place of the pipeline's, and a register of its own."""
    book = FakeFund(fake_result(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("allocator.api.load", lambda path, overrides=(): book)
    monkeypatch.setattr("allocator.report.view._registry", lambda result: NO_PLUGINS)
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "register.sqlite"))
    return tmp_path


def test_every_run_is_in_the_history(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("history") == 0
    assert "No run is registered" in capsys.readouterr().out
    assert call("run", "fund.yaml", "-o", "a") == 0
    assert call("run", "fund.yaml", "-o", "b") == 0
    capsys.readouterr()
    assert call("history", "--lang", "zh") == 0
    shown = capsys.readouterr().out
    assert "180.00%" in shown
    assert "估值日" in shown
    assert call("history", "--json", "--last", "1") == 0
    entry = json.loads(capsys.readouterr().out)
    assert [run["number"] for run in entry["runs"]] == [2]
    assert entry["runs"][0]["manifest"]["status"] == "optimal"
    assert call("history", "--fund", "nobody", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


def test_folders_and_numbers_are_compared(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "fund.yaml", "-o", "a") == 0
    capsys.readouterr()
    assert call("compare", "a", "1", "--json") == 0
    entry = json.loads(capsys.readouterr().out)
    assert [line["run"] for line in entry["runs"]] == ["a", "#1"]
    assert "targets" not in entry  # the register holds manifests, not allocations
    assert call("compare", "a", "1") == 0
    assert "Minimum capital" in capsys.readouterr().out
    assert call("compare", "a", "7") == 2
    assert "no run was written here" in capsys.readouterr().err


def test_a_register_that_fails_changes_neither_results_nor_exit_status(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(desk))
    assert call("run", "fund.yaml", "-o", "a", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["verified"] is True
    assert "not in the register" in err
    assert (desk / "a" / "report.html").is_file()
    assert call("history") == 2
