"""The register in a shared database, by any SQLAlchemy URL (extra ``db``).

SQLite refuses changes by triggers. Elsewhere that is the database's own business: give the account INSERT and
SELECT on the table ``runs`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from allocator.errors import Problem
from allocator.register.place import Place
from allocator.register.rows import COLUMNS, RegisterError, Row, unusable
from allocator.register.sqlite import TRIGGERS
from allocator.types import Text

__all__ = ["SharedRegister"]


class SharedRegister:
    """A register in the database of a place's URL; its table is made when it is absent.

    Raises
    ------
    RegisterError
        When SQLAlchemy is not installed, or the URL is none.
    """

    def __init__(self, place: Place) -> None:
        try:
            import sqlalchemy
        except ImportError as error:
            what = Text("a shared register needs SQLAlchemy", "共享登记库需要 SQLAlchemy")
            hint = Text("install allocator-insurance[db]", "请安装 allocator-insurance[db]")
            raise RegisterError(Problem(what, str(place), hint=hint)) from error
        self.place, self.sql = place, sqlalchemy
        columns = [sqlalchemy.Column(name, sqlalchemy.Text, nullable=False) for name in COLUMNS]
        number = sqlalchemy.Column("number", sqlalchemy.Integer, primary_key=True, autoincrement=True)
        self.runs = sqlalchemy.Table("runs", sqlalchemy.MetaData(), number, *columns)
        with self._failures():
            self.engine = sqlalchemy.create_engine(str(place.url), poolclass=sqlalchemy.pool.NullPool)

    def append(self, row: Row) -> int:
        """Add a row and return its number."""
        with self._failures():
            self._prepare()
            with self.engine.begin() as connection:
                values = {name: getattr(row, name) for name in COLUMNS}
                done = connection.execute(self.runs.insert().values(values))
                return int((done.inserted_primary_key or [0])[0])

    def newest(self, fund: str | None, most: int) -> Sequence[Row]:
        """Return the newest rows first, of one fund or of all."""
        query = self.sql.select(self.runs).order_by(self.runs.c.number.desc()).limit(most)
        return self._read(query if fund is None else query.where(self.runs.c.fund == fund))

    def row(self, number: int) -> Row | None:
        """Return a row by its number, None when there is none."""
        return next(iter(self._read(self.sql.select(self.runs).where(self.runs.c.number == number))), None)

    def _read(self, query: Any) -> list[Row]:
        with self._failures():
            if not self.sql.inspect(self.engine).has_table("runs"):
                return []
            with self.engine.connect() as connection:
                return [Row(*line) for line in connection.execute(query)]

    def _prepare(self) -> None:
        """Make the table when it is absent; a process that comes second may find it made meanwhile."""
        if self.sql.inspect(self.engine).has_table("runs"):
            return
        try:
            self.runs.create(self.engine)
        except self.sql.exc.DBAPIError:
            if not self.sql.inspect(self.engine).has_table("runs"):
                raise
        if self.engine.dialect.name == "sqlite":
            with self.engine.begin() as connection:
                for statement in TRIGGERS:
                    connection.execute(self.sql.text(statement))

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (self.sql.exc.SQLAlchemyError, ImportError) as error:
            cause = getattr(error, "orig", None) or error
            raise unusable(self.place, f"{type(cause).__name__}: {cause}") from error
