"""Where a batch keeps what is finished: nothing finished is lost, whatever stops it, and nothing is kept twice.

Each finished task is one Parquet part, written beside its place and renamed, so that it survives the end of the
process. Its name holds the task's number and the hash of its bytes: a part that was cut or altered is found out when
the batch resumes, and done again. At the end the parts become one file, in the order of the tasks, `GROUP` at a
time: neither memory nor the file's bytes depend on how often the batch was stopped, or in what order tasks finished.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import InputError, Problem
from allocator.folders import sync, write_whole, writing
from allocator.types import Text

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["GROUP", "Record", "Store"]

GROUP = 256
"""Tasks whose results are in memory at once while the one file is written."""

PLAN, RESULTS, PARTS = "batch.json", "results.parquet", "parts"

_PART = re.compile(r"(\d{8,})-([0-9a-f]{16})\.parquet")

_UNWRITABLE = Text(
    "the batch's folder cannot be written; what is finished is kept", "批量任务目录无法写入；已完成的结果均已保留"
)
_GO_ON = Text("make room and continue with --resume", "请腾出空间后用 --resume 继续")

Record = Mapping[str, Any]
"""One line of the results: column → int, float, text or None."""


class Store:
    """The folder of one batch.

    Parameters
    ----------
    folder : Path
        OUT.
    fingerprint : str
        Of the plan.
    size : int
        Number of tasks.
    resume : bool
        Whether a batch that was stopped may be continued.

    Raises
    ------
    InputError
        When the folder holds something else, another plan, or a batch that ``resume`` does not allow to continue;
        from every method, when the folder cannot be written.
    """

    def __init__(self, folder: Path, fingerprint: str, size: int, resume: bool) -> None:
        self.folder, self._size = folder, size
        self._parts: dict[int, Path] = {}
        self.damaged: tuple[Path, ...] = ()
        """Files that were cut or altered since they were written: what was in them is done again."""
        with writing(folder, _UNWRITABLE, _GO_ON):
            self._take(fingerprint, resume)
            self._read()

    def _take(self, fingerprint: str, resume: bool) -> None:
        plan = self.folder / PLAN
        if self.folder.exists() and (not self.folder.is_dir() or (any(self.folder.iterdir()) and not plan.is_file())):
            raise _refused(
                self.folder,
                Text("the output folder is not empty and no batch wrote it", "输出目录非空且不是由批量任务生成"),
            )
        if not plan.is_file():
            (self.folder / PARTS).mkdir(parents=True, exist_ok=True)
            write_whole(plan, json.dumps({"fingerprint": fingerprint, "tasks": self._size}) + "\n")
        elif self._plan().get("fingerprint") != fingerprint:
            raise _refused(self.folder, Text("the folder holds another batch", "该目录属于另一批量任务"))
        elif not resume:
            what = Text("a batch was begun here", "该目录中已有批量任务")
            raise InputError(
                Problem(what, str(self.folder), hint=Text("continue it with --resume", "请用 --resume 继续"))
            )

    def _plan(self) -> dict[str, Any]:
        """Return what batch.json says."""
        try:
            entry = json.loads((self.folder / PLAN).read_text(encoding="utf-8"))
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise _refused(self.folder / PLAN, Text("batch.json is damaged", "batch.json 已损坏"))
        return entry

    def _read(self) -> None:
        """Find what is finished, and take away what is damaged."""
        results = self.folder / RESULTS
        if results.is_file():
            signed = self._plan().get("files", {}).get(RESULTS)
            if signed in (None, _hash(results)):
                shutil.rmtree(self.folder / PARTS, ignore_errors=True)
                return
            self.damaged += (results,)
            results.unlink()
        (self.folder / PARTS).mkdir(exist_ok=True)
        for path in sorted((self.folder / PARTS).iterdir()):
            named = _PART.fullmatch(path.name)
            if named and _hash(path).startswith(named[2]):
                self._parts[int(named[1])] = path
                continue
            if path.suffix != ".tmp":
                self.damaged += (path,)
            path.unlink()

    def sign(self, manifest: Mapping[str, Any]) -> None:
        """Say in batch.json what the finished batch was made of; its fingerprint stays."""
        text = json.dumps({**self._plan(), **manifest}, ensure_ascii=False, indent=2)
        write_whole(self.folder / PLAN, text + "\n")

    @property
    def signed(self) -> bool:
        """Whether batch.json says what the finished batch was made of."""
        return "files" in self._plan()

    @property
    def finished(self) -> int:
        """Number of finished tasks."""
        return self._size if (self.folder / RESULTS).is_file() else len(self._parts)

    def has(self, number: int) -> bool:
        """Return whether a task is finished."""
        return number in self._parts or (self.folder / RESULTS).is_file()

    def add(self, number: int, rows: Sequence[Record]) -> None:
        """Keep a finished task; one that is there already is left as it is.

        Parameters
        ----------
        number : int
            Number of the task.
        rows : sequence of Record
            Its results.
        """
        if self.has(number):
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(_table(rows), sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        path = self.folder / PARTS / f"{number:08d}-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
        with writing(path, _UNWRITABLE, _GO_ON):
            fresh = path.with_suffix(".tmp")
            fresh.write_bytes(content)
            os.replace(fresh, path)
        self._parts[number] = path

    def finish(self, columns: Sequence[str]) -> Path:
        """Write all results into one file, in the order of the tasks, and return it; the parts go.

        Parameters
        ----------
        columns : sequence of str
            The columns that come first; the others follow in the order they turn up.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        target = self.folder / RESULTS
        if target.is_file():
            return target
        parts = [self._parts[number] for number in sorted(self._parts)]
        merged = pa.unify_schemas([pq.read_schema(part) for part in parts], promote_options="permissive")
        named = [name for name in columns if name in merged.names]
        schema = pa.schema(
            [_typed(merged.field(name)) for name in [*named, *(n for n in merged.names if n not in named)]]
        )
        with writing(target, _UNWRITABLE, _GO_ON):
            fresh = target.with_suffix(".tmp")
            with pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
                for start in range(0, len(parts), GROUP):
                    tables = [_conformed(pq.read_table(part), schema) for part in parts[start : start + GROUP]]
                    writer.write_table(pa.concat_tables(tables).combine_chunks())
            sync(fresh)
            os.replace(fresh, target)
            shutil.rmtree(self.folder / PARTS)
        return target

    def statuses(self) -> dict[str, int]:
        """Return how many rows of the finished file have each status."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        counted = pc.value_counts(pq.read_table(self.folder / RESULTS, columns=["status"])["status"])
        return {str(entry["values"]): int(entry["counts"]) for entry in counted.to_pylist()}


def _refused(folder: Path, what: Text) -> InputError:
    return InputError(Problem(what, str(folder), hint=Text("name another folder with -o", "请用 -o 指定其他目录")))


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _table(rows: Iterable[Record]) -> pa.Table:
    """Return the rows as a table; columns in the order they turn up."""
    import pyarrow as pa

    kept = list(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    return pa.table({name: pa.array([row.get(name) for row in kept]) for name in names})


def _typed(field: pa.Field) -> pa.Field:
    """Return the field; one that was empty everywhere is text."""
    import pyarrow as pa

    return pa.field(field.name, pa.string()) if pa.types.is_null(field.type) else field


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
