"""OUT/ is written whole or not at all: built in a folder of its own, then swapped in by one rename.

A folder that cannot be renamed, such as a container's volume, is filled file by file instead. Meanwhile its
run.json says that it is not whole; the new one comes last, and what fails on the way is undone.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from allocator.errors import InputError, Problem
from allocator.folders import give_mode, sync, write_whole, writing
from allocator.types import Text

__all__ = ["MARK", "check_folder", "replacing"]

MARK = "run.json"
"""A folder that holds this file, written by the library, may be replaced by a new run."""

BUILT = ".allocator."
"""Beginning of the name under which a folder is built inside OUT."""

AT_FDCWD = -100
RENAME_EXCHANGE = 2

_UNWRITABLE = Text("the folder cannot be written; nothing in it has changed", "无法写入该目录；其中内容未变")
_ELSEWHERE = Text("make room, or choose another folder with -o", "请腾出空间，或用 -o 另选目录")


def check_folder(folder: str | Path) -> None:
    """Raise InputError unless a run may write ``folder``: absent, empty, or written by a former run."""
    target = Path(folder)
    with writing(target, Text("the output folder cannot be written", "输出目录无法写入")):
        _check(target)


def _check(target: Path) -> None:
    if target.is_symlink():
        raise _refused(target, Text("the output folder is a symbolic link", "输出目录是符号链接"))
    if target.exists() and not target.is_dir():
        raise _refused(target, Text("the output folder is a file", "输出目录是一个文件"))
    if target.is_dir() and _own_files(target) is None and (any(_foreign(target)) or (target / MARK).exists()):
        raise _refused(
            target, Text("the output folder is not empty and no run wrote it", "输出目录非空且不是由本程序生成")
        )
    above = next(place for place in target.absolute().parents if place.exists())
    if not os.access(target if target.exists() and _fixed(target) else above, os.W_OK):
        raise _refused(target, Text("the output folder cannot be written", "输出目录无法写入"))


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a fresh folder that takes the place of ``target`` when the block ends well, else vanishes."""
    check_folder(target)
    fixed = target.exists() and _fixed(target)
    with writing(target, _UNWRITABLE, _ELSEWHERE):
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = (BUILT, target) if fixed else (f".{target.name}.", target.parent)
        fresh = Path(tempfile.mkdtemp(prefix=beside[0], suffix=".tmp", dir=beside[1]))
    try:
        with writing(target, _UNWRITABLE, _ELSEWHERE):
            yield fresh
            if fixed:
                _fill(fresh, target)
            else:
                _keep_foreign(target, fresh)
                give_mode(fresh, target, 0o777)
                _sync_files(fresh)
                _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _refused(folder: Path, what: Text) -> InputError:
    return InputError(Problem(what, str(folder), hint=Text("name another folder with -o", "请用 -o 指定其他目录")))


def _fixed(folder: Path) -> bool:
    """Return whether a folder keeps its place: something is mounted there, or nothing beside it may be written."""
    return os.path.ismount(folder) or _mounted(folder) or not os.access(folder.absolute().parent, os.W_OK)


def _mounted(folder: Path) -> bool:
    """Return whether Linux lists the folder as mounted; a folder bound from the same disk shows in no other way."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    escaped = str(folder.resolve()).replace("\\", "\\134").replace(" ", "\\040")
    return any(line.split(" ")[4:5] == [escaped] for line in lines)


def _own_files(folder: Path) -> frozenset[str] | None:
    """Return the names that the run which made ``folder`` wrote, or None when no run made it."""
    try:
        entry = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return frozenset(entry["files"]) | {MARK}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _foreign(folder: Path) -> Iterator[Path]:
    """Yield what a user laid into the former OUT."""
    own = _own_files(folder) or frozenset({MARK})
    for path in sorted(folder.iterdir()):
        if path.name not in own and not path.name.startswith(BUILT):
            yield path


def _keep_foreign(target: Path, fresh: Path) -> None:
    """Copy what a user laid into the former OUT."""
    for path in _foreign(target) if target.is_dir() else ():
        if (fresh / path.name).exists():
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, fresh / path.name, symlinks=True)
        else:
            shutil.copy2(path, fresh / path.name, follow_symlinks=False)


def _swap(fresh: Path, target: Path) -> None:
    """Put ``fresh`` in the place of ``target``; afterwards ``fresh`` holds the former folder or nothing."""
    if target.exists():
        if not _exchange(fresh, target):
            former = fresh.with_suffix(".former")
            target.rename(former)
            try:
                fresh.rename(target)
            except OSError:
                former.rename(target)
                raise
            shutil.rmtree(former, ignore_errors=True)
    else:
        fresh.rename(target)
    sync(target.parent)


def _fill(fresh: Path, target: Path) -> None:
    """Put the files of ``fresh`` into ``target``, which keeps its place, and take away those of the former run."""
    _sync_files(fresh)
    own, new = _own_files(target) or frozenset(), [path.name for path in fresh.iterdir()]
    former = Path(tempfile.mkdtemp(dir=fresh))
    moved: list[tuple[Path, Path]] = []
    replaced = [name for name in {*own, *new} if name != MARK and (target / name).exists()]
    steps = [(target / name, former / name) for name in replaced]
    steps += [(fresh / name, target / name) for name in new if name != MARK]
    try:
        before = (target / MARK).read_bytes() if MARK in own else None
        write_whole(target / MARK, json.dumps({"status": "incomplete", "files": sorted({*own, *new})}))
        for start, end in steps:
            start.rename(end)
            moved.append((end, start))
        os.replace(fresh / MARK, target / MARK)
    except (OSError, InputError):
        for end, start in reversed(moved):
            end.rename(start)
        if before is None:
            (target / MARK).unlink(missing_ok=True)
        else:
            (target / MARK).write_bytes(before)
        raise
    sync(target)


def _sync_files(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            sync(path)
    sync(folder)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0)
