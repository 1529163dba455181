"""Folders written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from allocator.errors import InputError, Problem
from allocator.types import Text

__all__ = ["write_folder"]


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
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
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
            beside.chmod(0o755)
            beside.replace(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise InputError(
            Problem(Text("the folder cannot be written", "文件夹无法写入"), str(folder), error.strerror or str(error))
        ) from None
