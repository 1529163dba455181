"""What is written is whole or not there; only what may be replaced is; a full disk is told with its place."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command import call
from fake_result import NO_PLUGINS, fake_result

from allocator.errors import InputError, NotProven, Problem
from allocator.folders import check_file, write_folder, write_whole
from allocator.report.out_folder import check_folder
from allocator.report.run_folder import RunFolder
from allocator.report.view import View
from allocator.report.writer import write_failure, write_view
from allocator.types import Language, Text

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "examples" / "first_fund" / "fund.yaml"


def view(**options: str) -> View:
    return View.of(fake_result(**options), Language.ENGLISH, NO_PLUGINS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_view(view(), tmp_path / "out")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files have no such mode")
@pytest.mark.parametrize("mode", [0o700, 0o750, 0o775])
def test_what_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    out, file = tmp_path / "out", tmp_path / "capital.csv"
    out.mkdir()
    file.write_text("before", encoding="utf-8")
    out.chmod(mode)
    file.chmod(mode & 0o666)
    write_view(view(), out)
    write_whole(file, "after")
    assert (out.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (mode, mode & 0o666)
    write_view(view(status="feasible"), out)
    assert out.stat().st_mode & 0o777 == mode


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.with_name("target").write_text("kept", encoding="utf-8")
    path.symlink_to(path.with_name("target"))


def _broken_link(path: Path) -> None:
    path.symlink_to(path.with_name("absent"))


def _device(path: Path) -> None:
    path.symlink_to(os.devnull)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there are no such files")
@pytest.mark.parametrize("make", [_pipe, _link, _broken_link, _device, Path.mkdir])
def test_only_a_regular_file_is_replaced(tmp_path: Path, make: Callable[[Path], object]) -> None:
    place = tmp_path / "capital.csv"
    make(place)
    kind = stat.S_IFMT(place.lstat().st_mode)
    for write in (lambda: write_whole(place, "x"), lambda: check_file(place)):
        with pytest.raises(InputError, match=r"capital\.csv: only a file is replaced"):
            write()
    if make is not Path.mkdir:
        with pytest.raises(InputError):
            write_view(view(), place)
        with pytest.raises(InputError):
            write_folder(place, {})
    assert stat.S_IFMT(place.lstat().st_mode) == kind
    assert not place.with_name("target").exists() or place.with_name("target").read_text() == "kept"
    assert call("capital", str(FIRST), "-o", str(place)) == 2


def test_devices_are_refused_before_anything_is_computed() -> None:
    for device in ("/dev/null", "/dev/full"):
        with pytest.raises(InputError, match="device"):
            check_file(Path(device))


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
from allocator.cli import main
main(sys.argv[1:])
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process cannot be given less room")
def test_a_full_disk_is_bad_input_and_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    """A process that may write no file beyond 300 bytes meets what a full disk says."""
    place = tmp_path / "capital.csv"
    place.write_text("before", encoding="utf-8")
    command = [sys.executable, "-c", LIMITED, "capital", str(FIRST), "-o", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LANG": "C.UTF-8"})
    assert done.returncode == 2, done.stderr
    assert "capital.csv: the file cannot be written" in done.stderr
    assert place.read_text(encoding="utf-8") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["capital.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device here")
@pytest.mark.parametrize("arguments", [["capital", str(FIRST)], ["capital", str(FIRST), "--json"], ["--help"]])
def test_a_full_standard_output_is_bad_input_with_its_place(arguments: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "allocator", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 2, done.stderr
    assert "standard output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


def fixed(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Let a folder be one that cannot be renamed, as a container's volume is."""
    rename = Path.rename

    def busy(self: Path, target: Path) -> Path:
        if place in (self, Path(target)):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return rename(self, target)

    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == place)
    monkeypatch.setattr("allocator.report.out_folder._exchange", lambda first, second: False)
    monkeypatch.setattr(Path, "rename", busy)


def test_a_mount_point_is_filled_file_by_file(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(monkeypatch, out)
    (out / "minutes.txt").write_text("committee", encoding="utf-8")
    inode = out.stat().st_ino
    write_failure(NotProven(Problem(Text("open", "未证明"))), fake_result().inputs, out)
    assert sorted(path.name for path in out.iterdir()) == ["minutes.txt", "report.html", "run.json"]
    write_view(view(status="feasible"), out)
    entry = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert entry["status"] == "feasible"
    assert {path.name for path in out.iterdir()} == {*entry["files"], "run.json", "minutes.txt"}
    assert out.stat().st_ino == inode


def test_a_mount_point_keeps_the_former_run_when_filling_it_fails(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    fixed(monkeypatch, out)
    rename = Path.rename
    left = [5]

    def full(self: Path, target: Path) -> Path:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(InputError, match="cannot be written"):
            write_view(view(status="feasible"), out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_mount_point_that_a_killed_run_left_is_no_run_and_may_be_filled_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed(monkeypatch, out)

    class KilledError(BaseException):
        pass

    def kill(self: Path, target: Path) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", kill)
        patch.setattr("shutil.rmtree", lambda path, **options: None)
        with pytest.raises(KilledError):
            write_view(view(status="feasible"), out)
    with pytest.raises(InputError, match="damaged"):
        RunFolder(out)
    write_view(view(status="feasible"), out)
    assert RunFolder(out).manifest["status"] == "feasible"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_that_may_not_be_written_is_refused_before_the_solve(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    for out in ("out", "a/b/out"):
        with pytest.raises(InputError, match="cannot be written"):
            check_folder(tmp_path / "closed" / out)
