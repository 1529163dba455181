"""The register's database: one SQLite file, or any database by its SQLAlchemy URL.

In SQLite triggers refuse to change a row. Elsewhere that is the database's own business: give the account INSERT
and SELECT on the table ``runs`` and nothing else.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sql

from allocator.errors import Problem
from allocator.register.place import Place
from allocator.register.rows import COLUMNS, RegisterError, Row
from allocator.types import Text

__all__ = ["RunDatabase"]

VERSION = 1
"""Layout of an SQLite file, kept in its ``user_version``."""

PATIENCE = 5.0
"""Seconds to wait for another process that is writing to the same file."""

RUNS = sql.Table(
    "runs",
    sql.MetaData(),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    *(sql.Column(name, sql.Text, nullable=False) for name in COLUMNS),
    sqlite_autoincrement=True,
)
TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS runs_no_{action.lower()} BEFORE {action} ON runs "
    "BEGIN SELECT RAISE(ABORT, 'the run register is append-only'); END"
    for action in ("UPDATE", "DELETE")
)

_URL_PARTS = re.compile(r"[:/@?&=#;,\s]+")


class RunDatabase:
    """The table of runs at a place; a file, its folder and the table are made by the first row.

    Parameters
    ----------
    place : Place
        A file, or a database's URL.

    Raises
    ------
    RegisterError
        When the URL is none, or its driver is not installed; from every method, when the database cannot be used.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._secrets: set[str] = set(_URL_PARTS.split(place.url or ""))
        with self._failures():
            url = sql.make_url(place.url) if place.url else sql.URL.create("sqlite", database=str(place.file))
            self._secrets |= {url.username or "", str(url.password or ""), *map(str, url.query.values())}
            self._lite = url.get_backend_name() == "sqlite"
            options = {"connect_args": {"timeout": PATIENCE}, "isolation_level": "AUTOCOMMIT"} if self._lite else {}
            self._engine = sql.create_engine(url, poolclass=sql.pool.NullPool, **options)
            self._file = Path(url.database) if self._lite and url.database else None

    def append(self, row: Row) -> int:
        """Add a row and return its number."""
        with self._failures():
            self._prepare()
            with self._engine.begin() as connection:
                done = connection.execute(RUNS.insert().values({name: getattr(row, name) for name in COLUMNS}))
                return int((done.inserted_primary_key or [0])[0])

    def newest(self, fund: str | None, most: int) -> Sequence[Row]:
        """Return the newest rows first, of one fund or of all; none where no run was registered yet."""
        query = sql.select(RUNS).order_by(RUNS.c.number.desc()).limit(most)
        return self._read(query if fund is None else query.where(RUNS.c.fund == fund))

    def row(self, number: int) -> Row | None:
        """Return a row by its number, None when there is none."""
        return next(iter(self._read(sql.select(RUNS).where(RUNS.c.number == number))), None)

    def _read(self, query: sql.Select[tuple[object, ...]]) -> list[Row]:
        if self._file is not None and not self._file.exists():
            return []
        with self._failures(), self._engine.connect() as connection:
            self._check_version(connection)
            if not sql.inspect(connection).has_table(RUNS.name):
                return []
            return [Row(**line) for line in connection.execute(query).mappings()]

    def _prepare(self) -> None:
        """Make the table when it is absent; a process that comes second may find it made meanwhile."""
        if self.place.file is not None:
            self._make_file(self.place.file)
        with self._engine.connect() as connection:
            self._check_version(connection)
            if sql.inspect(connection).has_table(RUNS.name):
                return
            if self._lite:
                self._lay_out(connection)
                return
        try:
            RUNS.create(self._engine)
        except sql.exc.DBAPIError:
            if not sql.inspect(self._engine).has_table(RUNS.name):
                raise

    def _make_file(self, file: Path) -> None:
        """Make folder and file; a private one, and the log SQLite lays beside it, can be read by its user alone."""
        file.parent.mkdir(mode=0o700 if self.place.private else 0o777, parents=True, exist_ok=True)
        if self.place.private:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            file.chmod(0o600)

    def _lay_out(self, connection: sql.Connection) -> None:
        """Lay out a new SQLite file, with a write-ahead log."""
        end = time.monotonic() + PATIENCE
        while True:  # SQLite does not wait by itself for another process that switches to the log too
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                break
            except sql.exc.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        RUNS.create(connection, checkfirst=True)
        for statement in (*TRIGGERS, f"PRAGMA user_version = {VERSION}", "COMMIT"):
            connection.exec_driver_sql(statement)

    def _check_version(self, connection: sql.Connection) -> None:
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) if self._lite else VERSION
        if version > VERSION:
            what = Text("the run register was written by a newer version", "运行登记库由更新的版本写成")
            raise RegisterError(Problem(what, str(self.place), str(version), f"≤ {VERSION}"))

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except RegisterError:
            raise
        except Exception as error:  # a driver raises what it likes, a TypeError for an option it does not know
            cause = getattr(error, "orig", None) or error
            what = Text("the run register cannot be used", "运行登记库无法使用")
            hint = Text(
                "name another place by ALLOCATOR_REGISTER, for a run also by register: in the fund file; or say off",
                "请用 ALLOCATOR_REGISTER 指定其他位置，运行时也可用基金文件的 register:；或写 off 关闭",
            )
            told = self._without_secrets(f"{type(cause).__name__}: {cause}")
            raise RegisterError(Problem(what, str(self.place), told, hint=hint)) from None

    def _without_secrets(self, message: str) -> str:
        """Return what a database said, without any part of the URL that is not shown."""
        shown = set(_URL_PARTS.split(str(self.place)))
        for part in sorted(self._secrets - shown, key=len, reverse=True):
            message = message.replace(part, "…") if len(part) > 1 else message
        return message
