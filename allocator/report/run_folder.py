"""OUT of a past run, read back: a file that was changed since is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.errors import InputError, Problem
from allocator.report.csv_table import read_csv
from allocator.report.manifest import file_hash
from allocator.types import Text

__all__ = ["RunFolder"]


class RunFolder:
    """The files of a past run.

    Parameters
    ----------
    folder : Path
        OUT of a run with an answer.

    Raises
    ------
    InputError
        When it holds no run, the run had no answer, or a file is not the one that was written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            what = Text("this folder holds no run", "该目录不含运行结果")
            hint = Text("give the folder that 'allocator run -o' wrote", "请给出 'allocator run -o' 写出的目录")
            raise InputError(Problem(what, str(folder / "run.json"), hint=hint)) from error

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as the run wrote it."""
        return read_csv(self.file(name))

    def wrote(self, name: str) -> bool:
        """Return whether the run wrote a table."""
        return f"{name}.csv" in self.manifest.get("files", {})

    def place(self, row: Mapping[Any, Any]) -> str:
        """Return file and row of a line of ``allocation.csv``; the charges know them, without a regime the file."""
        known = self._places.get((str(row["asset_id"]), str(row["account"])))
        return str(known or self.manifest["inputs"].get("assets", {}).get("file", ""))

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], str]:
        if not self.wrote("charges"):
            return {}
        charges = self.table("charges")
        return dict(zip(zip(charges["asset_id"], charges["account"], strict=True), charges["place"], strict=True))

    def file(self, name: str) -> Path:
        """Return the file of a table, the very one that the run wrote."""
        path = self.folder / f"{name}.csv"
        written = self.manifest.get("files", {}).get(path.name)
        if not path.is_file() or written is None:
            what = Text("the run wrote no such file", "该次运行未写出此文件")
        elif file_hash(path) != written:
            what = Text("the file has changed since the run", "文件在运行之后被改动")
        else:
            return path
        raise InputError(Problem(what, str(path), hint=Text("run it again", "请重新运行")))
