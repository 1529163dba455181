"""The register as one SQLite file: write-ahead log, append-only by triggers, safe for several processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from allocator.errors import Problem
from allocator.register.rows import COLUMNS, RegisterError, Row, unusable
from allocator.types import Text

__all__ = ["TRIGGERS", "SqliteRegister"]

VERSION = 1
"""Layout of the file, kept in its ``user_version``."""

PATIENCE = 5.0
"""Seconds to wait for another process that is writing."""

TABLE = f"""CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, {", ".join(f"{name} TEXT NOT NULL" for name in COLUMNS)})"""
TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS runs_no_{action.lower()} BEFORE {action} ON runs "
    "BEGIN SELECT RAISE(ABORT, 'the run register is append-only'); END"
    for action in ("UPDATE", "DELETE")
)
INSERT = f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
SELECT = f"SELECT number, {', '.join(COLUMNS)} FROM runs"


class SqliteRegister:
    """A register in ``path``; the file and its folder are made by the first row."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Row) -> int:
        """Add a row and return its number.

        Raises
        ------
        RegisterError
            When the file cannot be written within the patience.
        """
        with self._failures():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as database:
                self._prepare(database)
                cursor = database.execute(INSERT, [getattr(row, name) for name in COLUMNS])
                return int(cursor.lastrowid or 0)

    def newest(self, fund: str | None, most: int) -> Sequence[Row]:
        """Return the newest rows first, of one fund or of all; none where no run was registered yet."""
        where, values = ("", []) if fund is None else (" WHERE fund = ?", [fund])
        return self._read(f"{SELECT}{where} ORDER BY number DESC LIMIT ?", [*values, most])

    def row(self, number: int) -> Row | None:
        """Return a row by its number, None when there is none."""
        return next(iter(self._read(f"{SELECT} WHERE number = ?", [number])), None)

    def _read(self, query: str, values: Sequence[object]) -> list[Row]:
        if not self.path.exists():
            return []
        with self._failures(), closing(sqlite3.connect(self.path, timeout=PATIENCE)) as database:
            self._check_version(database)
            return [Row(*line) for line in database.execute(query, values)]

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Lay out a new file; a process that comes second finds it done."""
        if self._check_version(database) == VERSION:
            return
        self._write_ahead(database)
        database.execute("BEGIN IMMEDIATE")
        for statement in (TABLE, *TRIGGERS, f"PRAGMA user_version = {VERSION}"):
            database.execute(statement)
        database.execute("COMMIT")

    def _write_ahead(self, database: sqlite3.Connection) -> None:
        """Switch to the write-ahead log; SQLite does not wait by itself for another process that does the same."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                database.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def _check_version(self, database: sqlite3.Connection) -> int:
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            what = Text("the run register was written by a newer version", "运行登记库由更新的版本写成")
            raise RegisterError(Problem(what, str(self.path), str(version), f"≤ {VERSION}"))
        return version

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise unusable(self.path, error) from error
