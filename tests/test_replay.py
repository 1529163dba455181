"""A past run is had again to the last bit; whatever differs, going in or coming out, is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator.cli import main
from allocator.register.comparison import Comparison, Side
from allocator.register.replay import Past, Replay, SolverStatus, replay
from allocator.report.manifest import file_hash, recipe
from allocator.types import Language

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "first_fund"
CHANGE = "capital.require.comprehensive=1.95"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a fund, and beside it OUT of a run with one setting changed."""
    here = tmp_path_factory.mktemp("replay")
    shutil.copytree(EXAMPLE, here / "fund")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        allocator.load("fund/fund.yaml", [CHANGE, "register=off"]).optimize().value.report("out")
    return here


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as left:
        main(["run", "--replay", "out/run.json", *arguments])
    shown = capsys.readouterr()
    return left.value.code, shown.out + shown.err


def tampered(out: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    change(manifest)
    (out / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


def moved(out: Path, by: float) -> Callable[[dict[str, Any]], None]:
    """Put another target into the first row of allocation.csv, as if the run had written it."""
    file = out / "allocation.csv"
    heading, row, *rest = file.read_text(encoding="utf-8").splitlines()
    cells = row.split(",")
    place = heading.split(",").index("target")
    cells[place] = repr(float(cells[place]) + by)
    file.write_text("\n".join([heading, ",".join(cells), *rest]) + "\n", encoding="utf-8")
    return lambda manifest: manifest["files"].update({"allocation.csv": file_hash(file)})


def test_a_run_is_had_again_to_the_last_bit(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(here.rglob("*"))
    assert command(capsys, "--lang", "en") == (0, "The same to the last bit.\n")
    assert command(capsys, "--lang", "zh") == (0, "结果逐位一致。\n")
    status, shown = command(capsys, "--json")
    entry = json.loads(shown)
    assert (status, entry["verdict"], entry["differences"]) == (0, "same_bits", {})
    assert sorted(here.rglob("*")) == before


def test_the_recipe_holds_the_changes_as_given_and_no_folder_of_the_machine(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert json.loads((here / "out" / "run.json").read_text(encoding="utf-8"))["replay"] == {
        "fund": "../fund/fund.yaml",
        "set": [CHANGE],
    }
    settings = allocator.load("fund/fund.yaml").settings
    assert recipe(settings, tmp_path / "elsewhere")["fund"] is None
    (tmp_path / "another").mkdir()
    monkeypatch.chdir(tmp_path / "another")
    assert recipe(allocator.load(here / "fund" / "fund.yaml").settings, here / "out")["fund"] is None


def test_a_changed_input_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve = here / "fund" / "curve.csv"
    curve.write_text(curve.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    status, shown = command(capsys, "--json")
    entry = json.loads(shown)
    assert (status, entry["verdict"]) == (2, "other_inputs")
    assert [line["key"] for line in entry["inputs"]] == ["curve"]


def test_a_changed_setting_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, shown = command(capsys, "--lang", "en", "--set", "capital.require.comprehensive=2.0")
    assert status == 2 and "capital.require.comprehensive" in shown and "solvency.comprehensive.after" in shown


@pytest.mark.parametrize(("share", "status", "verdict"), [(1e-9, 0, "same"), (1e-4, 1, "other_answer")])
def test_another_answer_is_rounding_or_a_defect(
    here: Path, capsys: pytest.CaptureFixture[str], share: float, status: int, verdict: str
) -> None:
    out = here / "out"
    total = json.loads((out / "run.json").read_text(encoding="utf-8"))["funded_total"]
    tampered(out, moved(out, share * total))
    got, shown = command(capsys, "--json")
    entry = json.loads(shown)
    assert (got, entry["verdict"]) == (status, verdict)
    ((row, size),) = entry["differences"].items()
    assert " / " in row and size == pytest.approx(share, rel=1e-5)


@pytest.mark.parametrize(("by", "status"), [(0.0, 0), (1e-3, 2)])
def test_another_version_is_named_and_excuses_another_answer(
    here: Path, capsys: pytest.CaptureFixture[str], by: float, status: int
) -> None:
    def older(manifest: dict[str, Any]) -> None:
        manifest["versions"]["numpy"] = "1.0"
        manifest["objective"] += by

    tampered(here / "out", older)
    got, shown = command(capsys, "--lang", "en")
    assert got == status and "numpy" in shown


def test_a_file_changed_since_the_run_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved(here / "out", 1.0)
    assert "has changed since the run" in command(capsys)[1]


def test_the_fund_file_is_asked_for_where_the_run_does_not_say(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "fund").rename(here / "moved")
    status, shown = command(capsys, "--lang", "en")
    assert status == 2 and "must be given" in shown
    assert command(capsys, "moved/fund.yaml", "--lang", "en") == (0, "The same to the last bit.\n")


def test_a_run_of_an_earlier_version_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tampered(here / "out", lambda manifest: manifest.pop("replay"))
    status, shown = command(capsys, "--lang", "en")
    assert status == 2 and "does not say how it was made" in shown


def test_a_run_without_a_fund_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run"])
    assert left.value.code == 2 and "FUND.yaml" in capsys.readouterr().err


def test_an_infeasible_run_is_had_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(
            ["run", "fund/fund.yaml", "-o", "out", "--set", "capital.require.comprehensive=90", "--set", "register=off"]
        )
    capsys.readouterr()
    assert command(capsys, "--lang", "en") == (0, "The same to the last bit.\n")


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (("optimal", "feasible"), SolverStatus.UNPROVEN),
        (("not_proven", "optimal"), SolverStatus.UNPROVEN),
        (("optimal", "infeasible"), SolverStatus.OTHER_ANSWER),
    ],
)
def test_what_a_limit_of_the_search_ended_is_no_defect(statuses: tuple[str, str], verdict: SolverStatus) -> None:
    same: dict[str, Any] = {"fund": {"name": "F", "as_of": "2026-06-30", "unit": 1.0}, "created": ""}
    same |= {"inputs": {}, "settings": {}, "versions": {}}
    sides = tuple(Side(str(place), same | {"status": status}) for place, status in enumerate(statuses))
    assert Replay(Comparison(sides)).verdict is verdict


def test_from_python(here: Path) -> None:
    past = Past(here / "out")
    assert past.changes == (CHANGE,)
    fund = allocator.load(past.fund_file(), past.changes)
    assert replay(past, fund, Language.ENGLISH).verdict is SolverStatus.BITS
