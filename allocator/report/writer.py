"""OUT/ is written whole or not at all: built in a sibling folder, then swapped in by one rename."""

from __future__ import annotations

import ctypes
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import AllocatorError, InputError, Problem
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs
    from allocator.report.study import StudyReport
    from allocator.report.view import View
    from allocator.result.result import Result

__all__ = [
    "check_folder",
    "dump_json",
    "replacing",
    "write",
    "write_failure",
    "write_manifest",
    "write_study",
    "write_view",
    "write_whole",
]

MARK = "run.json"
"""A folder that holds this file, written by the library, may be replaced by a new run."""

AT_FDCWD = -100
RENAME_EXCHANGE = 2


def write(result: Result, folder: str | Path, language: str | None = None) -> Path:
    """Write every file of a result to ``folder`` and return it.

    Files that a user laid into a former OUT stay there. If anything fails the former OUT stays as it was.

    Parameters
    ----------
    result : Result
        The verified answer.
    folder : str or Path
        OUT; made if needed, with its parents.
    language : str or None
        ``"en"`` or ``"zh"`` for report.xlsx and the language report.html opens in (the page holds both).
        None: the fund file's language, else the environment's.

    Raises
    ------
    InputError
        When ``folder`` is a file, a link, or a non-empty folder that no run wrote.
    """
    from allocator.language import preferred_language
    from allocator.report.view import View

    check_folder(folder)
    return write_view(
        View.of(result, preferred_language(language, result.inputs.settings.language, os.environ)), folder
    )


def write_view(view: View, folder: str | Path) -> Path:
    """Write every file of a view to ``folder`` and return it; see `write`."""
    from allocator.report.csv_table import write_csv
    from allocator.report.csvfiles import csv_frames
    from allocator.report.excel import write_workbook
    from allocator.report.manifest import recipe
    from allocator.report.page import write_page

    formulas = view.result.inputs.settings.csv_formulas == "keep"
    with replacing(Path(folder)) as fresh:
        for name, frame in csv_frames(view).items():
            write_csv(frame, fresh / f"{name}.csv", formulas=formulas)
        write_workbook(view, fresh / "report.xlsx")
        write_page(view, fresh / "report.html")
        write_manifest(fresh, view.manifest | {"replay": recipe(view.result.inputs.settings, Path(folder))})
    return Path(folder)


def write_study(report: StudyReport, folder: str | Path) -> Path:
    """Write the files of a study to ``folder`` and return it: a CSV file a table, report.xlsx, report.html, run.json.

    Raises
    ------
    InputError
        As `write`.
    """
    from allocator.report.csv_table import in_unit, write_csv
    from allocator.report.excel import write_study_workbook

    formulas = report.inputs.settings.csv_formulas == "keep"
    with replacing(Path(folder)) as fresh:
        for table in report.tables:
            write_csv(in_unit(table, report.unit), fresh / f"{table.name}.csv", formulas=formulas)
        write_study_workbook(report, report.tables, fresh / "report.xlsx")
        (fresh / "report.html").write_text(report.page(), encoding="utf-8")
        write_manifest(fresh, report.manifest)
    return Path(folder)


def write_failure(error: AllocatorError, inputs: Inputs, folder: str | Path, language: str | None = None) -> Path:
    """Write OUT of a run without an answer: run.json with status and problems, report.html, and no allocation."""
    from allocator.language import preferred_language
    from allocator.report.failure_page import write_failure_page
    from allocator.report.manifest import failure_manifest, recipe

    entry = failure_manifest(error, inputs) | {"replay": recipe(inputs.settings, Path(folder))}
    spoken = preferred_language(language, inputs.settings.language, os.environ)
    with replacing(Path(folder)) as fresh:
        write_failure_page(error, inputs, entry, spoken, fresh / "report.html")
        write_manifest(fresh, entry)
    return Path(folder)


def dump_json(value: Any) -> str:
    """Return JSON text in UTF-8 order of keys as given; figures that are not finite become null."""
    text = json.dumps(_finite(value), ensure_ascii=False, indent=2, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a character is an escape of JSON too


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that it appears whole or not at all.

    Raises
    ------
    InputError
        When its folder is absent or cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        what = Text("the file cannot be written", "无法写入文件")
        raise InputError(Problem(what, str(path), error.strerror)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _open_to_all(Path(name), 0o666)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _open_to_all(path: Path, mode: int) -> None:
    """Give a temporary file or folder the mode it would have had without being temporary."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(mode & ~umask)


def check_folder(folder: str | Path) -> None:
    """Raise InputError unless a run may write ``folder``: absent, empty, or written by a former run."""
    target = Path(folder)
    if target.is_symlink():
        raise _refused(target, Text("the output folder is a symbolic link", "输出目录是符号链接"))
    if target.exists() and not target.is_dir():
        raise _refused(target, Text("the output folder is a file", "输出目录是一个文件"))
    if target.is_dir() and any(target.iterdir()) and _own_files(target) is None:
        raise _refused(
            target, Text("the output folder is not empty and no run wrote it", "输出目录非空且不是由本程序生成")
        )


def _refused(folder: Path, what: Text) -> InputError:
    return InputError(Problem(what, str(folder), hint=Text("name another folder with -o", "请用 -o 指定其他目录")))


def _own_files(folder: Path) -> frozenset[str] | None:
    """Return the names that the run which made ``folder`` wrote, or None when no run made it."""
    try:
        entry = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return frozenset(entry["files"]) | {MARK}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(folder: Path, entry: dict[str, Any]) -> None:
    """Write run.json with the hash of every other file; it comes last because it marks the folder as whole."""
    from allocator.report.manifest import file_hash

    files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    (folder / MARK).write_text(dump_json({**entry, "files": files}) + "\n", encoding="utf-8")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a fresh folder beside ``target`` that takes its place when the block ends well, else vanishes."""
    check_folder(target)
    with _told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    try:
        with _told(target):
            yield fresh
            _keep_foreign(target, fresh)
            _open_to_all(fresh, 0o777)
            _sync(fresh)
            _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Turn a full disk, a missing right and the like into an error that names the folder."""
    try:
        yield
    except OSError as error:
        what = Text("the folder cannot be written; nothing in it has changed", "无法写入该目录；其中内容未变")
        hint = Text("make room, or choose another folder with -o", "请腾出空间，或用 -o 另选目录")
        raise InputError(Problem(what, str(target), error.strerror or str(error), hint=hint)) from error


def _keep_foreign(target: Path, fresh: Path) -> None:
    """Copy what a user laid into the former OUT."""
    own = (_own_files(target) if target.is_dir() else None) or frozenset({MARK})
    for path in sorted(target.iterdir()) if target.is_dir() else ():
        if path.name in own or (fresh / path.name).exists():
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
    _sync_folder(target.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0)


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
