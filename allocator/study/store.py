"""Where a batch keeps what is finished: nothing finished is lost, whatever stops it, and nothing is kept twice.

Tasks come in groups of `GROUP` by number. Each finished task is one line appended to its group's journal in one
write, which survives the end of the process; a last line that was cut short is dropped when the batch resumes. A
group that is complete becomes a Parquet part, written beside its place and renamed, and its journal goes. At the
end the parts are copied into one file, in the order of the tasks, a part at a time: neither memory nor the
file's bytes depend on how often the batch was stopped, or in what order tasks finished.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import InputError, Problem
from allocator.types import Text

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["GROUP", "Record", "Store"]

GROUP = 256
"""Tasks of one part."""

PLAN, RESULTS, PARTS = "batch.json", "results.parquet", "parts"

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
        When the folder holds something else, another plan, or a batch that ``resume`` does not allow to continue.
    """

    def __init__(self, folder: Path, fingerprint: str, size: int, resume: bool) -> None:
        self.folder, self._size = folder, size
        self._open: dict[int, dict[int, Sequence[Record]]] = {}
        self._whole: set[int] = set()
        self._take(fingerprint, resume)

    def _take(self, fingerprint: str, resume: bool) -> None:
        plan = self.folder / PLAN
        if self.folder.exists() and (not self.folder.is_dir() or (any(self.folder.iterdir()) and not plan.is_file())):
            raise _refused(
                self.folder,
                Text("the output folder is not empty and no batch wrote it", "输出目录非空且不是由批量任务生成"),
            )
        if plan.is_file():
            if json.loads(plan.read_text(encoding="utf-8"))["fingerprint"] != fingerprint:
                raise _refused(self.folder, Text("the folder holds another batch", "该目录属于另一批量任务"))
            if not resume:
                what = Text("a batch was begun here", "该目录中已有批量任务")
                raise InputError(
                    Problem(what, str(self.folder), hint=Text("continue it with --resume", "请用 --resume 继续"))
                )
        else:
            (self.folder / PARTS).mkdir(parents=True, exist_ok=True)
            _write_whole(plan, (json.dumps({"fingerprint": fingerprint, "tasks": self._size}) + "\n").encode())
        self._read()

    def _read(self) -> None:
        """Find what is finished: everything, or parts first, then journals of the other groups."""
        if (self.folder / RESULTS).is_file():
            # The end was reached; only the clearing away of the parts may have been stopped.
            self._whole = set(range(-(-self._size // GROUP)))
            shutil.rmtree(self.folder / PARTS, ignore_errors=True)
            return
        (self.folder / PARTS).mkdir(exist_ok=True)
        for path in (self.folder / PARTS).glob("*.tmp"):
            path.unlink()
        self._whole = {int(path.stem) for path in (self.folder / PARTS).glob("*.parquet")}
        for path in sorted((self.folder / PARTS).glob("*.jsonl")):
            group = int(path.stem)
            if group in self._whole:
                path.unlink()
                continue
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]
            if len(whole) < len(text):
                _write_whole(path, whole)
            lines = (json.loads(line) for line in whole.splitlines())
            self._open[group] = dict(lines)
            self._close(group)

    def sign(self, manifest: Mapping[str, Any]) -> None:
        """Say in batch.json what the finished batch was made of; its fingerprint stays."""
        plan = self.folder / PLAN
        kept = json.loads(plan.read_text(encoding="utf-8"))
        _write_whole(plan, (json.dumps({**kept, **manifest}, ensure_ascii=False, indent=2) + "\n").encode())

    @property
    def finished(self) -> int:
        """Number of finished tasks."""
        return sum(self._length(group) for group in self._whole) + sum(map(len, self._open.values()))

    def has(self, number: int) -> bool:
        """Return whether a task is finished."""
        group = number // GROUP
        return group in self._whole or number in self._open.get(group, ())

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
        group = number // GROUP
        line = (json.dumps([number, rows], ensure_ascii=False) + "\n").encode()
        handle = os.open(self._journal(group), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            written = os.write(handle, line)
            while written < len(line):
                written += os.write(handle, line[written:])
        finally:
            os.close(handle)
        self._open.setdefault(group, {})[number] = rows
        self._close(group)

    def _close(self, group: int) -> None:
        """Make a part of a group that is complete."""
        known = self._open[group]
        if len(known) < self._length(group):
            return
        _write_table(self._part(group), _table([row for number in sorted(known) for row in known[number]]))
        self._journal(group).unlink(missing_ok=True)
        self._whole.add(group)
        del self._open[group]

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
        parts = [self._part(group) for group in sorted(self._whole)]
        merged = pa.unify_schemas([pq.read_schema(part) for part in parts], promote_options="permissive")
        named = [name for name in columns if name in merged.names]
        schema = pa.schema(
            [_typed(merged.field(name)) for name in [*named, *(n for n in merged.names if n not in named)]]
        )
        fresh = target.with_suffix(".tmp")
        with pq.ParquetWriter(fresh, schema, compression="zstd") as writer:
            for part in parts:
                writer.write_table(_conformed(pq.read_table(part), schema))
        _sync(fresh)
        os.replace(fresh, target)
        shutil.rmtree(self.folder / PARTS)
        return target

    def statuses(self) -> dict[str, int]:
        """Return how many rows of the finished file have each status."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        counted = pc.value_counts(pq.read_table(self.folder / RESULTS, columns=["status"])["status"])
        return {str(entry["values"]): int(entry["counts"]) for entry in counted.to_pylist()}

    def _length(self, group: int) -> int:
        return min(GROUP, self._size - group * GROUP)

    def _journal(self, group: int) -> Path:
        return self.folder / PARTS / f"{group:08d}.jsonl"

    def _part(self, group: int) -> Path:
        return self.folder / PARTS / f"{group:08d}.parquet"


def _refused(folder: Path, what: Text) -> InputError:
    return InputError(Problem(what, str(folder), hint=Text("name another folder with -o", "请用 -o 指定其他目录")))


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


def _write_table(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    fresh = path.with_suffix(".tmp")
    pq.write_table(table, fresh, compression="zstd")
    _sync(fresh)
    os.replace(fresh, path)


def _write_whole(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_bytes(content)
    _sync(fresh)
    os.replace(fresh, path)


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
