"""What SECURITY.md promises."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import allocator
from allocator.errors import InputError
from allocator.folders import write_folder

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "examples" / "first_fund"
SOURCES = sorted(path for room in ("allocator", "constraints", "plugins") for path in (ROOT / room).rglob("*.py"))

EVALUATES = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN = {
    "pickle",
    "shelve",
    "marshal",
    "dill",
    "subprocess",
    "socket",
    "urllib",
    "http",
    "ftplib",
    "smtplib",
    "ssl",
}
FORBIDDEN |= {"requests", "httpx", "aiohttp", "telnetlib", "xmlrpc", "webbrowser"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_evaluates_text_unpickles_or_talks_to_a_network(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in EVALUATES, f"line {node.lineno}: {node.func.id}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            unsafe = called in ("os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load")
            assert not unsafe, f"line {node.lineno}: {called}"
            if called == "yaml.load":
                given = {keyword.arg for keyword in node.keywords}
                assert "Loader" in given or len(node.args) == 2, f"line {node.lineno}: yaml.load without a loader"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not FORBIDDEN & {name.split(".")[0] for name in names}, f"line {node.lineno}: {names}"


def test_a_tag_in_a_fund_file_makes_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made"
    text = (FIRST / "fund.yaml").read_text(encoding="utf-8")
    path = tmp_path / "fund.yaml"
    path.write_text(f"{text}\nmodels: !!python/object/apply:pathlib.Path.touch [{made}]\n", encoding="utf-8")
    with pytest.raises(InputError, match="tags are not allowed"):
        allocator.load(path)
    assert not made.exists()


NO_NETWORK = """
import socket, sys
def refuse(*given, **named):
    raise AssertionError("a connection is opened")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.create_connection = refuse
from allocator.cli import main
main(sys.argv[1:])
"""


def test_a_run_opens_no_connection_and_writes_its_folder_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NO_NETWORK, "run", str(FIRST / "fund.yaml"), "-o", "out", "--json"]
    before = {path: path.stat().st_mtime_ns for path in FIRST.rglob("*")}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path: path.stat().st_mtime_ns for path in FIRST.rglob("*")} == before
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "@import" not in page


def test_the_refusal_of_connections_would_be_noticed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK.replace("from allocator.cli", "socket.create_connection(('h', 1))\nfrom x")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a connection is opened" in done.stderr
    assert socket.create_connection is not None


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    files = {"one.txt": b"1", "deep/two.txt": b"2", "deep/two.txt/three.txt": b"a file cannot be a folder"}
    with pytest.raises(InputError, match="cannot be written"):
        write_folder(tmp_path / "new", files)
    assert list(tmp_path.iterdir()) == []
    write_folder(tmp_path / "new", {"one.txt": b"1"})
    with pytest.raises(InputError, match="not empty"):
        write_folder(tmp_path / "new", {"one.txt": b"2"})
    assert (tmp_path / "new" / "one.txt").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/\w+\.py)`", page))
    assert len(named) >= 5
    for name in named:
        assert (ROOT / name).is_file(), name
