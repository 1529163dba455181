"""The files of OUT: their figures, their form, and that they appear whole or not at all."""

from __future__ import annotations

import configparser
import errno
import hashlib
import json
import os
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_result import CAPITAL, CORE, CURRENT, NO_PLUGINS, RETURN, SCORE, TARGET, UNIT, fake_result, with_sections

from allocator.errors import Infeasible, InputError, NotProven, PluginError, Problem
from allocator.report import csv_table
from allocator.report.versions import versions_of
from allocator.report.view import View
from allocator.report.writer import check_folder, dump_json, write_failure, write_view, write_whole
from allocator.result.tables import ReportSectionSpec, ReportTable
from allocator.types import Language, Text


def view(**options: str) -> View:
    return View.of(fake_result(**options), Language.ENGLISH, NO_PLUGINS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_view(view(), tmp_path / "out")


def test_allocation_gives_every_row_in_the_unit_of_the_file(out: Path) -> None:
    frame = pd.read_csv(out / "allocation.csv")
    assert list(frame.columns[:2]) == ["asset_id", "account"]
    np.testing.assert_array_equal(frame["current"], CURRENT)
    np.testing.assert_array_equal(frame["target"], TARGET)
    np.testing.assert_array_equal(frame["trade"], TARGET - CURRENT)
    np.testing.assert_allclose(frame["weight"], TARGET / 1100.0, rtol=1e-15)
    np.testing.assert_allclose(frame["expected_return"], RETURN, rtol=1e-15)
    np.testing.assert_array_equal(frame["tilt_score"], SCORE)
    assert frame["max"].isna().sum() == 7
    assert frame["at_bound"].fillna("").tolist() == ["", "max", "", "", "", "", "", ""]


def test_capital_contributions_and_constants_sum_to_minimum_capital(out: Path) -> None:
    frame = pd.read_csv(out / "allocation.csv")
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    split = entry["capital"]["attribution"]
    total = entry["capital"]["minimum_capital"]
    assert frame["capital_contribution"].sum() + split["liabilities_and_constants"] == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(frame["capital_contribution"], frame["target"] * frame["capital_marginal"], rtol=1e-12)


def test_a_section_s_table_is_saved_in_the_unit_of_the_file_when_it_says_so(tmp_path: Path) -> None:
    frame = pd.DataFrame({"asset_id": ["A"], "amount": [3 * UNIT]})
    title = Text("Own", "自有")
    tables = [
        ReportTable(name, title, frame, {}, {"amount": "money"}, saved=name == "kept") for name in ("kept", "shown")
    ]
    spec = ReportSectionSpec("own", title, lambda result: tables)
    folder = write_view(View.of(fake_result(), Language.ENGLISH, with_sections(spec)), tmp_path / "out")
    assert pd.read_csv(folder / "kept.csv")["amount"].tolist() == [3.0]
    assert not (folder / "shown.csv").exists()


def test_marginal_capital_is_the_slope_of_the_tree(out: Path) -> None:
    frame = pd.read_csv(out / "allocation.csv")
    result = fake_result()
    assert result.after is not None
    step = np.zeros(8)
    step[4] = 0.001 * UNIT
    tree, held = result.after.tree, result.holdings
    slope = (tree.value(held + step) - tree.value(held - step)) / (2 * step[4])
    assert frame["capital_marginal"][4] == pytest.approx(slope, rel=1e-6)


def test_capital_csv_names_every_module_once_with_its_parent(out: Path) -> None:
    frame = pd.read_csv(out / "capital.csv", keep_default_na=False)
    assert list(frame.columns[:5]) == ["module", "parent", "amount", "article", "before"]
    assert frame["module"].is_unique
    assert set(frame["parent"]) <= set(frame["module"]) | {""}
    amounts = frame.set_index("module")["amount"]
    market = np.array([amounts["interest_rate_risk"], amounts["equity_price_risk"]])
    expected = np.sqrt(market[0] ** 2 + 2 * -0.14 * market[0] * market[1] + market[1] ** 2)
    assert amounts["market_risk"] == pytest.approx(expected, rel=1e-12)
    assert amounts["interest_rate_risk"] == 18.0
    assert frame.set_index("module")["before"]["interest_rate_risk"] == pytest.approx(25.6)


def test_rules_show_both_sides_and_their_price_in_the_unit_shown(out: Path) -> None:
    frame = pd.read_csv(out / "constraints.csv").set_index("name")
    ceiling = frame.loc["equity_ceiling"]
    assert (ceiling["label_en"], ceiling["label_zh"]) == (
        "Equity at most 30% of total assets",
        "权益类资产不超过总资产的 30%",
    )
    assert ceiling["lhs"] == pytest.approx(110 / 1200)
    assert ceiling["rhs"] == pytest.approx(110 / 1200)
    assert ceiling["shadow_price"] == 0.012
    assert bool(ceiling["binding"])
    floor = frame.loc["floor[DEP1]"]
    assert (floor["unit"], floor["lhs"], floor["rhs"]) == ("CNY 1e8", 80.0, 80.0)
    assert floor["shadow_price"] == pytest.approx(1.5e-13 * UNIT)
    assert not frame.loc["floor[AAA5]", "binding"]
    assert frame.loc["budget[traditional]", "sense"] == "=="
    assert not frame.loc["rate_hedge_ratio", "binding"]
    monitored = frame.loc["duration_gap"]
    assert monitored["mode"] == "monitor"
    assert not monitored["binding"]
    assert np.isnan(monitored["shadow_price"])


def test_price_of_a_ratio_is_the_price_of_the_capital_it_frees(out: Path) -> None:
    """Asking for dr less of ratio frees M·dr of capital: price = M × price of one CNY."""
    frame = pd.read_csv(out / "constraints.csv").set_index("name")
    result = fake_result()
    assert result.after is not None
    ratio = frame.loc["comprehensive"]
    assert ratio["lhs"] == pytest.approx(1.8, abs=1e-12)
    assert ratio["shadow_price"] == pytest.approx(3.5e-13 * result.after.minimum_capital)
    assert ratio["certainty"] == "user"


def test_run_json_holds_what_outsiders_rely_on(out: Path) -> None:
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert entry["status"] == "optimal"
    assert entry["bound"] - entry["objective"] == pytest.approx(entry["gap"], rel=1e-9)
    assert entry["verified"] is True
    assert entry["nodes"] == 3
    assert entry["solver"] == "CLARABEL 0.11.1"
    assert set(entry["seconds"]) == {"load", "model", "solve", "verify"}
    comprehensive, core = entry["solvency"]["comprehensive"], entry["solvency"]["core"]
    minimum, before = entry["capital"]["minimum_capital"], entry["capital"]["minimum_capital_before"]
    cost = 0.001 * np.abs(TARGET - CURRENT).sum()
    assert comprehensive["after"] == pytest.approx((CAPITAL / UNIT - cost) / minimum, rel=1e-14)
    assert comprehensive["before"] == pytest.approx(CAPITAL / UNIT / before, rel=1e-14)
    assert (comprehensive["required"], core["required"]) == (1.8, None)
    assert core["after"] == pytest.approx((CORE / UNIT - cost) / minimum, rel=1e-14)
    assert entry["inputs"]["assets"] == {"file": "assets.csv", "rows": 8, "sha256": "ab" * 32}
    assert entry["seed"] == 0
    assert [note["rule"] for note in entry["notes"]] == [True, False]
    assert entry["settings"]["inputs"] == {"assets": "assets.csv"}
    assert {"python", "numpy", "cvxpy", "allocator"} <= set(entry["versions"])


def test_versions_are_of_everything_the_library_requires_and_what_that_requires() -> None:
    """Read from setup.cfg; scs and osqp come with cvxpy, and scs is in the chain of solvers."""
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).resolve().parent.parent / "setup.cfg", encoding="utf-8")
    required = {line.split()[0] for line in setup["options"]["install_requires"].split("\n") if line}
    found = versions_of()
    assert required | {"scs", "osqp", "pydantic-core", "scikit-learn", "pyscipopt"} <= set(found)
    assert not {"pytest", "mypy", "mkdocs"} & set(found)
    for name in required:
        assert found[name] == version(name)


def test_run_json_fingerprints_every_other_file(out: Path) -> None:
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    names = {path.name for path in out.iterdir()} - {"run.json"}
    assert set(entry["files"]) == names
    for name, fingerprint in entry["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == fingerprint


def test_a_minimized_objective_is_reported_as_the_minimized_figure(tmp_path: Path) -> None:
    entry = view(minimize="capital").manifest
    assert entry["aim"] == {"direction": "minimize", "name": "capital", "unit": "money"}
    assert entry["objective"] == pytest.approx(entry["capital"]["minimum_capital"], rel=1e-14)
    assert entry["bound"] == pytest.approx(entry["objective"] - 0.02)
    assert entry["gap"] == pytest.approx(0.02)


def test_an_answer_that_breaks_a_rule_is_not_called_verified() -> None:
    result = fake_result()
    broken = result.solution.holdings.copy()
    broken[[3, 4]] += np.array([-1.0, 1.0]) * UNIT
    moved = replace(result, solution=replace(result.solution, holdings=broken))
    assert View.of(moved, Language.ENGLISH, NO_PLUGINS).manifest["verified"] is False


def test_commitments_come_from_the_section_that_declares_them(out: Path, tmp_path: Path) -> None:
    assert (out / "commitments.csv").read_text() == "asset_id,account,current,target\n"
    frame = pd.DataFrame({"asset_id": ["PE1"], "account": ["traditional"], "current": [5e8], "target": [7e8]})
    table = ReportTable(
        "commitments", Text("Commitments", "承诺"), frame, formats={"current": "money", "target": "money"}
    )
    spec = ReportSectionSpec("funds", Text("Funds", "基金"), lambda result: (table,))
    write_view(View.of(fake_result(), Language.ENGLISH, with_sections(spec)), tmp_path / "funds")
    assert (tmp_path / "funds" / "commitments.csv").read_text() == (
        'asset_id,account,current,target\n"PE1","traditional",5,7\n'
    )


def test_a_failing_section_is_named() -> None:
    def fail(result: object) -> tuple[ReportTable, ...]:
        raise KeyError("nav")

    with pytest.raises(PluginError, match="allocator_report_sections, funds"):
        View.of(fake_result(), Language.ENGLISH, with_sections(ReportSectionSpec("funds", Text("Funds", "基金"), fail)))


def test_a_second_run_replaces_the_first_and_keeps_what_the_user_laid_there(out: Path) -> None:
    (out / "minutes.txt").write_text("committee", encoding="utf-8")
    (out / "deck").mkdir()
    (out / "deck" / "slides.txt").write_text("1", encoding="utf-8")
    write_view(view(status="feasible"), out)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["status"] == "feasible"
    assert (out / "minutes.txt").read_text(encoding="utf-8") == "committee"
    assert (out / "deck" / "slides.txt").exists()
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_failure_while_writing_leaves_the_former_run_untouched(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def fail(*args: object, **options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pyarrow.csv.write_csv", fail)
    with pytest.raises(InputError, match="disk full"):
        write_view(view(), out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_without_an_exchange_of_names_the_swap_still_works(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allocator.report.writer._exchange", lambda first, second: False)
    write_view(view(status="feasible"), out)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["status"] == "feasible"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_swap_that_fails_half_way_restores_the_former_run(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allocator.report.writer._exchange", lambda first, second: False)
    rename = Path.rename

    def refuse_fresh(self: Path, target: Path) -> Path:
        if self.suffix == ".tmp":
            raise OSError("refused")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_fresh)
    with pytest.raises(InputError, match="refused"):
        write_view(view(status="feasible"), out)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["status"] == "optimal"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_folders_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    check_folder(foreign)
    (foreign / "chapter.txt").write_text("text", encoding="utf-8")
    file = tmp_path / "file"
    file.write_text("text", encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to(foreign)
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "run.json").write_text("[1]", encoding="utf-8")
    for folder in (foreign, file, link, tmp_path / "json"):
        with pytest.raises(InputError):
            write_view(view(), folder)
    assert (foreign / "chapter.txt").read_text(encoding="utf-8") == "text"


def test_parents_are_made_and_the_folder_is_readable_by_the_usual_mode(tmp_path: Path) -> None:
    former = os.umask(0o022)
    try:
        folder = write_view(view(), tmp_path / "a" / "b" / "out")
        assert folder.stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(former)


@pytest.mark.parametrize(("kind", "status"), [(Infeasible, "infeasible"), (NotProven, "not_proven")])
def test_a_run_without_an_answer_writes_its_diagnosis_and_no_allocation(
    out: Path, kind: type[Infeasible], status: str
) -> None:
    error = kind(Problem(Text("two rules conflict", "两条规则冲突"), "constraints.0"))
    write_failure(error, fake_result().inputs, out)
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (entry["status"], entry["verified"]) == (status, False)
    assert entry["problems"][0]["zh"] == "constraints.0：两条规则冲突"
    assert not (out / "allocation.csv").exists()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "两条规则冲突" in page
    assert "two rules conflict" in page


def test_json_has_no_figure_that_is_not_finite() -> None:
    entry = json.loads(dump_json({"a": float("inf"), "b": [np.float64("nan"), np.int64(3)], "c": "债"}))
    assert entry == {"a": None, "b": [None, 3], "c": "债"}


def test_a_table_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    frame = view().tables["allocation"].frame
    frame["trade"] = np.nextafter(frame["trade"], np.inf)
    frame["name"] = ["plain", "0012", "two\nlines", 'a "word"', "a, b", "=1+1", "", "是"][: len(frame)]
    csv_table.write_csv(frame, tmp_path / "table.csv")
    read = csv_table.read_csv(tmp_path / "table.csv")
    np.testing.assert_array_equal(read["trade"], frame["trade"])
    assert read["name"].fillna("").tolist() == frame["name"].tolist()


def test_a_single_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "capital.csv", "module,amount\n")
    assert (tmp_path / "capital.csv").read_text() == "module,amount\n"
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "absent" / "capital.csv", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["capital.csv"]


def test_a_disk_without_room_is_told_and_leaves_the_old_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = View.of(fake_result(), Language.ENGLISH, NO_PLUGINS)
    out = write_view(view, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(frame: pd.DataFrame, path: Path, *, formulas: bool) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("allocator.report.csv_table.write_csv", full)
    with pytest.raises(InputError, match="cannot be written"):
        write_view(view, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
