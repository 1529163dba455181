"""Studies in the run register: each with its kind, compared with their own kind alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from command import call

from allocator.register.comparison import STUDY_KEYS
from allocator.register.table import KINDS
from allocator.study.studies import STUDIES

FIRST = Path(__file__).resolve().parent.parent / "examples" / "first_fund" / "fund.yaml"
ONLY = ("--set", "stress.only=[sensitivity_equity]")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a register of its own and a study file."""
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "register.sqlite"))
    (tmp_path / "fund").symlink_to(FIRST.parent)
    (tmp_path / "study.yaml").write_text("study: capital\nfunds: [fund/fund.yaml]\n", encoding="utf-8")
    return tmp_path


def test_studies_are_in_the_history_with_their_kind(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fund = "fund/fund.yaml"
    assert call("stress", fund, *ONLY) == 0  # nothing is written, nothing registered
    assert call("stress", fund, *ONLY, "-o", "stress") == 0
    assert call("plan", fund, "--set", "plan.steps=1", "--set", "plan.per_year=1", "-o", "plan") == 0
    assert call("frontier", fund, "--points", "2", "-o", "frontier") == 0
    assert call("batch", "study.yaml", "--jobs", "1", "-o", "batch") == 0
    assert call("batch", "study.yaml", "--jobs", "1", "-o", "batch", "--resume") == 0  # it was finished
    capsys.readouterr()
    assert call("history", "--json") == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["number"], run["kind"]) for run in runs[::-1]] == [
        (1, "stress"),
        (2, "plan"),
        (3, "frontier"),
        (4, "batch"),
    ]
    assert [run["status"] for run in runs[::-1]] == ["done", "optimal", "optimal", "done"]
    assert all(run["unchanged"] for run in runs)
    assert call("history", "--lang", "zh") == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("压力测试", "多期规划", "有效前沿", "批量研究", "已完成"))

    batch = json.loads((desk / "batch" / "batch.json").read_text(encoding="utf-8"))
    assert batch["rows"] == {"done": 1} and batch["question"] == "capital"
    assert list(batch["inputs"]) == [fund]
    assert str(desk) not in json.dumps(batch)
    assert call("compare", "4", "batch") == 0


def test_a_study_is_compared_with_its_own_kind_alone(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fund, more = "fund/fund.yaml", "capital.life_insurance_risk=3"
    assert call("stress", fund, *ONLY, "-o", "a") == 0
    assert call("stress", fund, *ONLY, "--set", more, "-o", "b") == 0
    assert call("run", fund, "-o", "run") == 0
    capsys.readouterr()
    assert call("compare", "a", "2", "--json") == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry["settings"][0]["key"] == "capital.life_insurance_risk"
    lines = {(line["line"], line["ratio"]): line for line in entry["ratios"]}
    tables = [pd.read_csv(desk / name / "stress.csv").set_index("scenario") for name in "ab"]
    for scenario in ("base", "sensitivity_equity"):
        for ratio in ("comprehensive", "core"):
            before, after = (float(table.loc[scenario, f"{ratio}_ratio"]) for table in tables)
            assert lines[scenario, ratio]["change"] == pytest.approx(after - before)
    assert call("compare", "a", "1", "--json") == 0
    assert "ratios" not in json.loads(capsys.readouterr().out)

    for language, words in (("en", ("of one kind", "a: stress test", "run: run")), ("zh", ("同一类型", "压力测试"))):
        assert call("compare", "a", "run", "--lang", language) == 2
        said = capsys.readouterr().err
        assert all(word in said for word in words), said


def test_every_study_has_a_kind_for_people() -> None:
    # A reverse stress test is written by the stress command, a capital position by none.
    assert set(STUDIES) - {"capital", "reverse_stress"} | {"batch"} == set(KINDS)
    assert set(STUDY_KEYS) <= set(KINDS)
