"""From a path under ``inputs:`` to a table as read. Each file is read once, so its hash is that of what was used."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from allocator.config.settings import Settings
from allocator.errors import did_you_mean
from allocator.inputs.csv_files import read_csv
from allocator.inputs.error_collector import ErrorCollector
from allocator.inputs.excel_files import read_excel
from allocator.inputs.parquet_files import read_parquet
from allocator.inputs.raw import RawTable, TableQuery, joined
from allocator.types import Text

__all__ = ["FileReader"]

_COMMA = re.compile(r"[,，、]")
_CSV = frozenset({".csv", ".tsv", ".txt"})
_EXCEL = frozenset({".xlsx", ".xlsm"})
_PARQUET = frozenset({".parquet", ".pq"})
_FORMATS = ".csv, .tsv, .txt, .xlsx, .xlsm, .parquet"


@dataclass(eq=False)
class FileReader:
    """Reads the tables a fund file names.

    Parameters
    ----------
    settings : Settings
        The fund file: paths, the folder they start from, and lines for messages.
    """

    settings: Settings
    _contents: dict[Path, tuple[memoryview, str]] = field(default_factory=dict)
    _sheets: dict[Path, dict[str, bool]] = field(default_factory=dict)

    def read(self, wanted: TableQuery, errors: ErrorCollector) -> RawTable | None:
        """Return a table as read, or None with the reason in ``errors``."""
        given = str(self.settings.inputs[wanted.name])
        where = self.settings.where(f"inputs.{wanted.name}")
        path, sheet = self._resolve(given)
        suffix = path.suffix.lower()
        if suffix == ".xls":
            errors.add(
                Text("the old Excel format .xls is not read", "不支持旧版 Excel 格式 .xls"),
                where,
                given,
                _FORMATS,
                Text("open it in Excel and save it as .xlsx", "请用 Excel 打开后另存为 .xlsx"),
            )
            return None
        if suffix not in _CSV | _EXCEL | _PARQUET:
            errors.add(Text("a format that is not read", "不支持的文件格式"), where, given, _FORMATS)
            return None
        loaded = self._load(path, where, given, errors)
        if loaded is None:
            return None
        content, fingerprint = loaded
        if suffix in _EXCEL:
            return self._workbook(content, path, fingerprint, sheet, wanted, errors)
        read = read_csv if suffix in _CSV else read_parquet
        return read(content, path.name, fingerprint, wanted, errors)

    def _workbook(
        self, content: memoryview, path: Path, fingerprint: str, sheet: str, wanted: TableQuery, errors: ErrorCollector
    ) -> RawTable | None:
        """Return the table of a sheet, or of several with commas between."""
        sheets = self._sheets.setdefault(path, {})
        names = [name.strip() for name in _COMMA.split(sheet)]
        parts = [read_excel(content, path.name, fingerprint, name, wanted, errors, sheets) for name in names]
        found = [part for part in parts if part is not None]
        return None if len(found) < len(names) else found[0] if len(found) == 1 else joined(found, path.name)

    def unread(self) -> tuple[Text, ...]:
        """Return, for each workbook read, which of its sheets were not."""
        notes = []
        for path, sheets in self._sheets.items():
            left = [name for name, read in sheets.items() if not read]
            if left:
                listed = ", ".join(left)
                notes.append(
                    Text(f"{path.name}: sheets that were not read: {listed}", f"{path.name}：未读取的工作表：{listed}")
                )
        return tuple(notes)

    def _resolve(self, given: str) -> tuple[Path, str]:
        """Return path and sheet: what follows the last ``#`` is a sheet unless a file has the whole name."""
        whole = self.settings.folder / given
        name, mark, sheet = given.rpartition("#")
        return (whole, "") if not mark or whole.exists() else (self.settings.folder / name, sheet)

    def _load(self, path: Path, where: str, given: str, errors: ErrorCollector) -> tuple[memoryview, str] | None:
        if path in self._contents:
            return self._contents[path]
        try:
            if not path.is_file():
                near = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
                errors.add(Text("no such file", "文件不存在"), where, given, hint=did_you_mean(path.name, near))
                return None
            content = _content(path)
        except (OSError, ValueError) as error:
            errors.add(Text("the file cannot be read", "文件无法读取"), where, f"{given}: {error}"[:200])
            return None
        if not len(content):
            errors.add(Text("the file is empty", "文件为空"), where, given)
            return None
        self._contents[path] = content, hashlib.sha256(content).hexdigest()
        return self._contents[path]


def _content(path: Path) -> memoryview:
    """Return a file's bytes, in memory that costs least to come by: large arrays of numpy's stand on large pages."""
    with path.open("rb", buffering=0) as file:
        room = np.empty(os.fstat(file.fileno()).st_size + 1, dtype=np.uint8).data
        held = file.readinto(room)
        rest = file.read()
    return memoryview(bytes(room[:held]) + rest) if rest else room[:held]
