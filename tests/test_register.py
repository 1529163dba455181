"""The run register: nothing is lost, nothing is changed, and no run is spoilt by it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from fake_result import NO_PLUGINS, fake_result

from allocator import api
from allocator.config.load import settings_from_mapping
from allocator.config.settings import Settings
from allocator.errors import InputError
from allocator.register import Place, RegisterWarning, history, record, recorded, register_place
from allocator.register.rows import RegisterError
from allocator.register.table import history_table
from allocator.report.view import View
from allocator.report.writer import write_view
from allocator.result.result import Result
from allocator.types import Language

FUND = {"fund": {"name": "f", "as_of": "2026-06-30"}, "inputs": {"assets": "a.csv"}}
WRITER = """
import sys
from pathlib import Path
from allocator.register import record
from allocator.config.load import settings_from_mapping
settings = settings_from_mapping({"fund": {"name": sys.argv[1], "as_of": "2026-06-30"}, "inputs": {"assets": "a.csv"}})
for _ in range(25):
    problem = record(Path(sys.argv[2]), settings, {"ALLOCATOR_REGISTER": sys.argv[3]})
    assert problem is None, problem
"""


def settings(**more: object) -> Settings:
    return settings_from_mapping({**FUND, **more})


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return fake_result(tmp_path)


@pytest.fixture
def out(result: Result, tmp_path: Path) -> Path:
    return write_view(View.of(result, Language.ENGLISH, NO_PLUGINS), tmp_path / "out")


def places(folder: Path) -> list[str]:
    return [str(folder / "runs" / "register.sqlite"), f"sqlite:///{folder}/shared.sqlite"]


@pytest.mark.parametrize("which", [0, 1], ids=["file", "url"])
def test_a_run_is_stored_whole_and_found_again(out: Path, tmp_path: Path, which: int) -> None:
    given = places(tmp_path)[which]
    environ = {"ALLOCATOR_REGISTER": given}
    place = register_place(environ)
    assert place is not None
    assert history(place) == ()
    for _ in range(3):
        assert record(out, settings(), environ) is None
    runs = history(place, most=2)
    assert [run.row.number for run in runs] == [3, 2]
    assert runs[0].manifest == json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert runs[0].unchanged
    assert runs[0].row.folder == str(out.resolve())
    found = recorded(place, 1)
    assert found is not None
    assert found.row.fund == runs[0].row.fund
    assert recorded(place, 99) is None
    assert history(place, fund="another") == ()
    assert len(history(place, fund=runs[0].row.fund)) == 3


@pytest.mark.parametrize("which", [0, 1], ids=["file", "url"])
def test_processes_that_write_at_once_lose_nothing(out: Path, tmp_path: Path, which: int) -> None:
    """Four processes start on a register that does not exist yet and write 25 runs each."""
    given = places(tmp_path)[which]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name, str(out), given]) for name in "abcd"]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
    place = register_place({"ALLOCATOR_REGISTER": given})
    assert place is not None
    numbers = [run.row.number for run in history(place, most=1000)]
    assert numbers == list(range(100, 0, -1))


@pytest.mark.parametrize("which", [0, 1], ids=["file", "url"])
@pytest.mark.parametrize("change", ["UPDATE runs SET status = 'optimal'", "DELETE FROM runs"])
def test_a_registered_run_cannot_be_changed_or_removed(out: Path, tmp_path: Path, which: int, change: str) -> None:
    given = places(tmp_path)[which]
    assert record(out, settings(), {"ALLOCATOR_REGISTER": given}) is None
    with sqlite3.connect(given.removeprefix("sqlite:///")) as database:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(change)
        database.rollback()
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_the_file_keeps_a_write_ahead_log(out: Path, tmp_path: Path) -> None:
    given = places(tmp_path)[0]
    assert record(out, settings(), {"ALLOCATOR_REGISTER": given}) is None
    with sqlite3.connect(given) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_who_decides_where_the_register_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = replace_folder(settings(register="runs/own.sqlite"), tmp_path)
    assert register_place({}, own) == Place(file=tmp_path / "runs" / "own.sqlite")
    assert register_place({"ALLOCATOR_REGISTER": "/elsewhere.sqlite"}, own) == Place(file=Path("/elsewhere.sqlite"))
    assert register_place({"ALLOCATOR_REGISTER": "off"}, own) is None
    asked = own.model_copy(update={"overrides": frozenset({"register"})})
    assert register_place({"ALLOCATOR_REGISTER": "off"}, asked) == Place(file=tmp_path / "runs" / "own.sqlite")
    for off in (False, "off"):
        assert register_place({}, settings(register=off)) is None
    assert register_place({}, settings(register="postgresql://db/runs")) == Place(url="postgresql://db/runs")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    default = register_place({})
    assert default is not None
    assert default.file is not None
    assert default.file.parts[-2:] == ("allocator", "register.sqlite")
    with pytest.raises(InputError):
        settings(register=True)


def replace_folder(given: Settings, folder: Path) -> Settings:
    return given.model_copy(update={"folder": folder})


def test_a_password_is_never_shown_nor_written(tmp_path: Path) -> None:
    place = Place(url="postgresql://desk:s3cret@db.example/runs")
    assert str(place) == "postgresql://db.example/runs"
    result = fake_result(tmp_path)
    own = result.inputs.settings.model_copy(update={"run_register": place.url})
    secret = replace(result, inputs=replace(result.inputs, settings=own))
    folder = write_view(View.of(secret, Language.ENGLISH, NO_PLUGINS), tmp_path / "out")
    for path in folder.iterdir():
        assert b"s3cret" not in path.read_bytes()
    problem = record(folder, own, {})
    assert problem is not None
    assert "s3cret" not in problem.render()


@pytest.mark.parametrize("kind", ["a folder", "not a database", "no driver", "no such server", "a newer layout"])
def test_a_register_that_cannot_be_written_is_a_problem_not_an_error(out: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad"
    given = str(path)
    if kind == "a folder":
        path.mkdir()
    elif kind == "not a database":
        path.write_bytes(b"plain text, and long enough for a header " * 100)
    elif kind == "a newer layout":
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA user_version = 99")
    else:
        given = {"no driver": "nosuch://x/y", "no such server": f"sqlite:///{tmp_path}/absent/x.sqlite"}[kind]
    before = {name.name: name.read_bytes() for name in out.iterdir()}
    problem = record(out, settings(), {"ALLOCATOR_REGISTER": given})
    assert problem is not None
    assert problem.render("zh") != problem.render("en")
    assert {name.name: name.read_bytes() for name in out.iterdir()} == before


def test_reading_a_broken_register_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(b"plain text, and long enough for a header " * 100)
    with pytest.raises(RegisterError, match="bad"):
        history(Place(file=path))


def test_a_result_warns_and_is_written_all_the_same(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allocator.report.view._registry", lambda result: NO_PLUGINS)
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path))
    with pytest.warns(RegisterWarning, match="register"):
        written = api.Result(result).report(tmp_path / "out")
    assert (written / "run.json").is_file()
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "good.sqlite"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        api.Result(result).report(tmp_path / "out")
    assert len(history(Place(file=tmp_path / "good.sqlite"))) == 1


def test_an_altered_manifest_no_longer_has_its_fingerprint(out: Path, tmp_path: Path) -> None:
    """Whoever drops the triggers and edits a row is found out when the register is read."""
    given = places(tmp_path)[0]
    assert record(out, settings(), {"ALLOCATOR_REGISTER": given}) is None
    with sqlite3.connect(given) as database:
        database.execute("DROP TRIGGER runs_no_update")
        database.execute("UPDATE runs SET manifest = replace(manifest, '\"optimal\"', '\"feasible\"')")
    (run,) = history(Place(file=Path(given)))
    assert not run.unchanged
    assert history_table([run]).frame["unchanged"].tolist() == [False]
