"""Every command works without a network and asks for none, whatever the libraries below it would do.

Python tells an audit hook of every connection and look-up before it is made; compiled code that asks the system itself
finds no network, where the system lets a process have one of its own (``unshare``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

FIRST = Path(__file__).resolve().parents[2] / "examples" / "first_fund"
WATCHED = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"):
        if "AF_UNIX" not in repr(arguments):
            raise AssertionError(f"{event} {arguments}")
sys.addaudithook(refuse)
from allocator.cli import main
main(sys.argv[1:])
"""
COMMANDS = {
    "validate": ("validate", "fund.yaml"),
    "capital": ("capital", "fund.yaml"),
    "run": ("run", "fund.yaml", "-o", "out"),
    "replay": ("run", "--replay", "past"),
    "trace": ("trace", "past", "capital"),
    "compare": ("compare", "past", "past"),
    "explain": ("explain", "fund.yaml"),
    "frontier": ("frontier", "fund.yaml", "-o", "frontier"),
    "stress": ("stress", "fund.yaml", "-o", "stress"),
    "plan": ("plan", "fund.yaml", "--set", "plan.steps=3", "--set", "plan.per_year=1", "-o", "plan"),
    "history": ("history",),
    "plugins": ("plugins", "list"),
    "init": ("init", "new"),
    "rules": ("rules",),
}


def alone() -> list[str]:
    """Return what makes a process have a network of its own, with nothing in it; nothing where that is not allowed."""
    without = ["unshare", "--map-root-user", "--net"]
    allowed = (
        shutil.which("unshare") and subprocess.run([*without, "true"], capture_output=True, check=False).returncode == 0
    )
    return without if allowed else []


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("past") / "fund"
    shutil.copytree(FIRST, here)
    subprocess.run([sys.executable, "-m", "allocator", "run", "fund.yaml", "-o", "past"], cwd=here, check=True)
    return here


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_asks_for_no_network(name: str, past: Path, tmp_path: Path) -> None:
    shutil.copytree(past, tmp_path / "fund")
    environment = os.environ | {"ALLOCATOR_REGISTER": str(tmp_path / "register.sqlite")}
    command = [*alone(), sys.executable, "-c", WATCHED, *COMMANDS[name]]
    done = subprocess.run(
        command, cwd=tmp_path / "fund", capture_output=True, text=True, check=False, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_the_watch_would_notice() -> None:
    asks = WATCHED.replace("from allocator.cli", "import socket; socket.create_connection(('127.0.0.1', 9)); from x")
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=False)
    assert "AssertionError: socket." in done.stderr
