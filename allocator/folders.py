"""Files and folders written whole or not at all: built beside their place, then moved there in one step."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from allocator.errors import InputError, Problem
from allocator.types import Text

__all__ = ["check_file", "give_mode", "sync", "write_folder", "write_whole", "writing"]

_FOLDER = Text("the folder cannot be written", "文件夹无法写入")
_KINDS = {
    stat.S_IFDIR: Text("a folder", "目录"),
    stat.S_IFLNK: Text("a symbolic link", "符号链接"),
    stat.S_IFIFO: Text("a named pipe", "命名管道"),
}
_FILE = Text("the file cannot be written", "无法写入文件")


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist, or be empty.
    files : mapping of str to bytes
        Content by path below the folder, with ``/``.

    Raises
    ------
    InputError
        When the folder holds something or cannot be written.
    """
    with writing(folder, _FOLDER):
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise InputError(
                Problem(
                    Text("the folder is not empty", "文件夹不为空"),
                    str(folder),
                    hint=Text("name a new folder: nothing is overwritten", "请指定新文件夹：不会覆盖已有文件"),
                )
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, content in files.items():
                (beside / name).parent.mkdir(parents=True, exist_ok=True)
                (beside / name).write_bytes(content)
            give_mode(beside, folder, 0o777)
            beside.replace(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that it appears whole or not at all; one that was there keeps its mode.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    content : str or bytes
        Text is written as UTF-8.

    Raises
    ------
    InputError
        As `check_file`, or when the disk is full and the like.
    """
    check_file(path)
    with writing(path, _FILE):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            give_mode(Path(name), path, 0o666)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Raise InputError unless a file may be written here: none is there, or a regular one, in a folder that exists.

    A pipe, a device or a link would be replaced, not written to.
    """
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.is_dir():
            return
        raise InputError(Problem(_FILE, str(path), hint=Text("make its folder first", "请先建立其目录"))) from None
    except (OSError, ValueError) as error:
        raise InputError(Problem(_FILE, str(path), str(error))) from None
    if stat.S_ISREG(kind):
        return
    name = _KINDS.get(stat.S_IFMT(kind), Text("a device or a socket", "设备或套接字"))
    what = Text(f"only a file is replaced, and this is {name.en}", f"只能替换普通文件，而此处是{name.zh}")
    raise InputError(Problem(what, str(path), hint=Text("name another file with -o", "请用 -o 指定其他文件")))


@contextmanager
def writing(place: Path, what: Text, hint: Text | None = None) -> Iterator[None]:
    """Turn a full disk, a missing right and the like into an error that names the place."""
    try:
        yield
    except OSError as error:
        raise InputError(Problem(what, str(place), error.strerror or str(error), hint=hint)) from error


def give_mode(fresh: Path, place: Path, mode: int) -> None:
    """Give a temporary file or folder the mode of what it replaces, else the one that new ones are made with."""
    umask = os.umask(0)
    os.umask(umask)
    fresh.chmod(stat.S_IMODE(place.stat().st_mode) if place.exists() else mode & ~umask)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk itself before going on."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
