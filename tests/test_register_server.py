"""The run register in a database server: runs of several processes meet in one table, and none is lost."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_result import NO_PLUGINS, fake_result
from needed import need, package
from test_register import WRITER, settings

from allocator.register import history, record, register_place
from allocator.report.view import View
from allocator.report.writer import write_view
from allocator.types import Language

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
MISSING = [
    name for name, there in (("PostgreSQL", PROGRAMS), ("pg8000", importlib.util.find_spec("pg8000"))) if not there
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a PostgreSQL of the tests' own, which listens on a socket in a folder of theirs, and give its URL."""
    need(MISSING, "the register was not tried in a database server")
    folder, programs = Path(tempfile.mkdtemp(prefix="register-")), PROGRAMS[-1].parent
    as_other: list[str] = []
    if os.geteuid() == 0:  # the server refuses to be run by root
        as_other = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run([*as_other, str(programs / program), *arguments], check=True, capture_output=True, cwd=folder)

    run("initdb", "-D", str(data), "-U", "allocator", "-A", "trust", "-E", "UTF8", "--no-sync")
    run(
        "pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", f"-k {folder} -c listen_addresses=''", "start"
    )
    yield f"postgresql+pg8000://allocator@/postgres?unix_sock={folder}/.s.PGSQL.5432"
    run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    return write_view(View.of(fake_result(folder), Language.ENGLISH, NO_PLUGINS), folder / "out")


def test_processes_that_write_to_a_server_at_once_lose_nothing(server: str, out: Path) -> None:
    """Four processes find no table yet and write 25 runs each; every manifest comes back whole."""
    place = register_place({"ALLOCATOR_REGISTER": server})
    assert place is not None and history(place) == ()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name, str(out), server]) for name in "abcd"]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
    runs = history(place, most=1000)
    assert len(runs) == len({run.row.number for run in runs}) == 100
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert all(run.unchanged and run.manifest == manifest for run in runs)
    assert record(out, settings(), {"ALLOCATOR_REGISTER": server}) is None
    assert len(history(place, most=1000)) == 101


def test_an_account_that_may_only_add_and_read_can_do_no_more(server: str, out: Path) -> None:
    """As docs/register.md advises: INSERT and SELECT on the table, and nothing else."""
    sqlalchemy = package("sqlalchemy", "what an account may do was not tried")
    assert record(out, settings(), {"ALLOCATOR_REGISTER": server}) is None
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        for order in (
            "CREATE ROLE desk LOGIN",
            "GRANT INSERT, SELECT ON runs TO desk",
            "GRANT USAGE ON SEQUENCE runs_number_seq TO desk",
        ):
            connection.execute(sqlalchemy.text(order))
    desk = server.replace("allocator@", "desk@")
    assert record(out, settings(), {"ALLOCATOR_REGISTER": desk}) is None
    for change in ("UPDATE runs SET status = 'optimal'", "DELETE FROM runs"):
        with (
            pytest.raises(sqlalchemy.exc.DBAPIError, match="permission denied"),
            sqlalchemy.create_engine(desk).begin() as connection,
        ):
            connection.execute(sqlalchemy.text(change))
