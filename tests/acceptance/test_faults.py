"""Kills, interruptions, full disks and rivals: OUT is whole, old or new, and the exit status is right.

Prints how many of each were tried. Two funds that differ in one setting tell old results from new ones.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from allocator.report.manifest import file_hash

pytestmark = pytest.mark.acceptance

FUND = Path(__file__).resolve().parents[2] / "examples" / "first_fund" / "fund.yaml"
KILLS = 200
INTERRUPTIONS = 40
RIVALS = 20
OLD, NEW = "capital.require.comprehensive=1.9", "capital.require.comprehensive=2.0"
REQUIRED = {1.9: "old", 2.0: "new"}


def start(out: Path, setting: str, prepare: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "allocator", "run", str(FUND), "-o", str(out), "--set", setting]
    environment = os.environ | {"ALLOCATOR_REGISTER": str(out.parent / "register.sqlite")}

    def before() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what a shell starts in the background ignores it
        if prepare is not None:
            prepare()

    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=before
    )


def state(out: Path) -> str:
    """Return which run OUT holds, having checked that every file of it is the one that was written."""
    if not out.exists():
        return "none"
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    for name, written in manifest["files"].items():
        assert file_hash(out / name) == written, f"{name} is not of the run that run.json tells of"
    extra = {path.name for path in out.iterdir()} - set(manifest["files"]) - {"run.json"}
    assert not extra, f"left behind: {extra}"
    return REQUIRED[manifest["solvency"]["comprehensive"]["required"]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return a folder of the old run and the seconds a run takes now."""
    out = tmp_path_factory.mktemp("old") / "out"
    began = time.perf_counter()
    process = start(out, OLD)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert state(out) == "old"
    return out, time.perf_counter() - began


@pytest.fixture
def out(whole: tuple[Path, float], tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(whole[0], tmp_path / "out")
    yield tmp_path / "out"


def moments(count: int, longest: float, seed: int) -> Iterator[float]:
    """Yield delays, half of them near the end, where files are written."""
    chance = random.Random(seed)
    for number in range(count):
        yield chance.uniform(0.0, longest) if number % 2 else chance.uniform(0.6 * longest, 1.1 * longest)


def test_two_hundred_kills_lose_nothing(whole: tuple[Path, float], out: Path) -> None:
    found: Counter[str] = Counter()
    for delay in moments(KILLS, whole[1], 1):
        process = start(out, NEW)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        came = state(out)
        found[came] += 1
        if came == "new":
            shutil.rmtree(out)
            shutil.copytree(whole[0], out)
    process = start(out, NEW)
    process.communicate()
    assert process.returncode == 0 and state(out) == "new"
    print(f"{KILLS} kills: {dict(found)}; the next run succeeds")
    assert set(found) <= {"old", "new"} and found["old"] > 0


def test_interruptions_end_with_their_own_status(whole: tuple[Path, float], out: Path) -> None:
    found: Counter[tuple[int, str]] = Counter()
    for delay in moments(INTERRUPTIONS, whole[1], 2):
        process = start(out, NEW)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        came = state(out)
        found[process.returncode, came] += 1
        # Before the command line has begun, the interpreter itself says how it ends: by the signal.
        assert process.returncode in (0, 130, -signal.SIGINT, 1), said
        if process.returncode == 0:
            assert came == "new"
        if process.returncode == 1:
            assert "KeyboardInterrupt" in said and came == "old"
        if came == "new":
            shutil.rmtree(out)
            shutil.copytree(whole[0], out)
    assert sum(count for (code, _), count in found.items() if code in (130, -signal.SIGINT)) > INTERRUPTIONS / 4
    print(f"{INTERRUPTIONS} interruptions: { {f'exit {code}, {came}': n for (code, came), n in found.items()} }")


@pytest.mark.parametrize("limit", [0, 1_000, 20_000, 100_000])
def test_a_full_disk_leaves_the_old_result(out: Path, limit: int) -> None:
    """No file may grow beyond ``limit`` bytes, as on a disk with no more room."""
    process = start(out, NEW, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    _, said = process.communicate()
    assert process.returncode == 2, said
    assert "Traceback" not in said and "cannot be written" in said
    assert state(out) == "old"
    assert {path.name for path in out.parent.iterdir()} <= {
        "out",
        "register.sqlite",
        "register.sqlite-wal",
        "register.sqlite-shm",
    }


@pytest.mark.parametrize("place", ["/proc/allocator/out", "/dev/null/out", "/sys/out"])
def test_a_place_that_cannot_be_written_is_told(place: str) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "allocator", "run", str(FUND), "-o", place], capture_output=True, text=True, check=False
    )
    assert process.returncode == 2, process.stderr
    assert place.split("/")[1] in process.stderr and "Traceback" not in process.stderr


def test_rivals_leave_one_whole_result(out: Path) -> None:
    found: Counter[str] = Counter()
    for _ in range(RIVALS):
        both = [start(out, setting) for setting in (OLD, NEW)]
        for process in both:
            _, said = process.communicate()
            assert process.returncode == 0, said
        found[state(out)] += 1
    print(f"{RIVALS} pairs of runs into one folder: {dict(found)}")


def test_a_file_changed_while_it_is_read_is_one_version_or_the_other(tmp_path: Path) -> None:
    """The hash that a run reports is that of the bytes it used."""
    fund = tmp_path / "fund"
    shutil.copytree(FUND.parent, fund)
    assets = fund / "assets.csv"
    first = assets.read_bytes()
    second = first.replace(
        b"GOV_30Y,Government bond 30y,government_bond,traditional,30,",
        b"GOV_30Y,Government bond 30y,government_bond,traditional,31,",
    )
    assert first != second
    seen: Counter[int] = Counter()
    for _ in range(10):
        assets.write_bytes(first)
        process = subprocess.Popen(
            [sys.executable, "-m", "allocator", "run", str(fund / "fund.yaml"), "-o", str(tmp_path / "out")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        versions = itertools.cycle((second, first))
        while process.poll() is None:
            (fund / "next.csv").write_bytes(next(versions))
            (fund / "next.csv").replace(assets)
            time.sleep(0.003)
        process.communicate()
        assert process.returncode == 0
        manifest = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
        hashes = {hashlib.sha256(version).hexdigest(): amount for version, amount in ((first, 30), (second, 31))}
        held = {
            row.split(",")[0]: row.split(",")[4]
            for row in (tmp_path / "out" / "allocation.csv").read_text(encoding="utf-8").splitlines()
        }
        amount = hashes[manifest["inputs"]["assets"]["sha256"]]
        assert float(held["GOV_30Y"]) == amount
        seen[amount] += 1
    print(f"10 runs over a file that changes: {dict(seen)}")
