"""A batch killed at twenty random moments loses no finished result; its memory does not grow with its tasks."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.acceptance

FIRST = Path(__file__).resolve().parent.parent.parent / "examples" / "first_fund" / "fund.yaml"
KILLS, INTERRUPTIONS, TASKS = 20, 8, 400
SIDE, EARLY, FLAT = 100, 1_000, 60.0
"""The memory test: SIDE² scenarios, and by how many MB (of three processes) those after the first EARLY may add."""


def _study(folder: Path, count: int) -> Path:
    study = folder / "study.yaml"
    study.write_text(f"study: capital\nfunds: ['{FIRST.as_posix()}']\nvary:\n  solve.seed: {{count: {count}}}\n")
    return study


def _finished(out: Path) -> dict[int, bytes]:
    """Return the journalled line of every finished task, and nothing for a line that was cut short."""
    found = {}
    for path in sorted((out / "parts").glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                found[json.loads(line)[0]] = line
    for path in sorted((out / "parts").glob("*.parquet")):
        found |= dict.fromkeys(pd.read_parquet(path, columns=["task"])["task"].tolist(), b"part")
    return found


def test_twenty_kills_lose_no_finished_result_and_the_file_is_that_of_a_run_in_one_go(tmp_path: Path) -> None:
    study, seeded = _study(tmp_path, TASKS), random.Random(20260331)
    command = [sys.executable, "-m", "allocator", "batch", str(study), "--jobs", "2"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*command, "-o", str(tmp_path / "straight")], check=True, **quiet)  # type: ignore[call-overload]
    out, before = tmp_path / "killed", {}
    kills = 0
    while kills < KILLS and not (out / "results.parquet").exists():
        process = subprocess.Popen(
            [*command, "-o", str(out), "--resume"],
            start_new_session=True,
            **quiet,  # type: ignore[call-overload]
        )
        # Reading Python and the plugins takes a while: begin to count when the first new result is there.
        deadline = time.monotonic() + 60.0
        while len(_finished(out) if out.exists() else {}) <= len(before) and time.monotonic() < deadline:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        time.sleep(seeded.uniform(0.0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        if (out / "results.parquet").exists():
            break
        after = _finished(out)
        assert before.keys() <= after.keys()
        before = after
    print(f"{kills} kills, {len(before)} of {TASKS} tasks finished when the last one came")
    subprocess.run([*command, "-o", str(out), "--resume"], check=True, **quiet)  # type: ignore[call-overload]
    assert (out / "results.parquet").read_bytes() == (tmp_path / "straight" / "results.parquet").read_bytes()
    frame = pd.read_parquet(out / "results.parquet")
    assert frame["task"].tolist() == list(range(TASKS))
    assert kills == KILLS


@pytest.mark.parametrize("to_all", [True, False], ids=["the terminal's whole group", "the command alone"])
def test_ctrl_c_at_any_moment_leaves_whole_files_its_own_status_and_nothing_running(
    tmp_path: Path, to_all: bool
) -> None:
    study, seeded, out = _study(tmp_path, TASKS), random.Random(20260930), tmp_path / "out"
    command = [sys.executable, "-m", "allocator", "batch", str(study), "--jobs", "2", "-o", str(out)]
    ended: Counter[int] = Counter()
    kept: set[int] = set()
    for number in range(INTERRUPTIONS):
        process = subprocess.Popen(
            [*command, "--resume"],
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell that starts the tests in the background lets them ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        # Every other time while Python and the plugins are being read, else once new results come in.
        deadline = time.monotonic() + (seeded.uniform(0.5, 2.0) if number % 2 else 60.0)
        while time.monotonic() < deadline and process.poll() is None:
            if number % 2 == 0 and out.exists() and len(_finished(out)) > len(kept):
                break
            time.sleep(0.02)
        (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
        told, said = process.communicate(timeout=60)
        ended[process.returncode] += 1
        if process.returncode == -signal.SIGINT:  # before the command line began, the interpreter ends by the signal
            assert not told
        else:
            assert process.returncode == 130, said
            assert "Traceback" not in said and "defect" not in said, said
        _gone(process.pid)
        if out.exists():
            # Not one line is cut short, and every part can be read.
            assert all(path.read_bytes().endswith(b"\n") for path in (out / "parts").glob("*.jsonl"))
            finished = set(_finished(out))
            assert kept <= finished
            kept = finished
    print(f"{INTERRUPTIONS} interruptions: exit statuses {dict(ended)}, {len(kept)} of {TASKS} tasks kept")
    assert ended[130] > 0 and kept
    subprocess.run([*command, "--resume"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert pd.read_parquet(out / "results.parquet")["task"].tolist() == list(range(TASKS))


def _gone(session: int) -> None:
    """Wait until no process of the session is left; one that stays is a failure."""
    deadline = time.monotonic() + 20.0
    while (left := list(_session(session))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, left


def _session(number: int) -> Iterator[list[str]]:
    """Yield the fields after the name in /proc/…/stat of every process of a session that is not a zombie."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == number and fields[0] != "Z":
            yield fields


def _resident(session: int) -> float:
    """Return the resident memory in MB of all processes of a session."""
    return sum(int(fields[21]) for fields in _session(session)) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory is read from /proc")
def test_memory_stays_flat_over_ten_thousand_scenarios(tmp_path: Path) -> None:
    """A hundred falls of equity times a hundred shifts of the curve, each one laid on the fund."""
    study, out = tmp_path / "study.yaml", tmp_path / "out"
    falls = [f"{-0.5 * share:.1f}%" for share in range(SIDE)]
    shifts = [f"{share - SIDE // 2}bp" for share in range(SIDE)]
    vary = {"stress.scenarios.mine.equity": falls, "stress.scenarios.mine.curve": shifts, "stress.only": [["mine"]]}
    study.write_text(json.dumps({"study": "stress", "funds": [FIRST.as_posix()], "vary": vary}))
    process = subprocess.Popen(
        [sys.executable, "-m", "allocator", "batch", str(study), "-o", str(out), "--jobs", "2"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    early = late = 0.0
    start = time.monotonic()
    while process.poll() is None:
        parts = len(list((out / "parts").glob("*.parquet"))) if (out / "parts").exists() else 0
        memory = _resident(process.pid)
        early, late = (max(early, memory), late) if 256 * parts < EARLY else (early, max(late, memory))
        time.sleep(1.0)
    assert process.returncode == 0
    spent = time.monotonic() - start
    print(f"{SIDE**2} scenarios in {spent:.0f} s: at most {early:.0f} MB up to {EARLY} of them, {late:.0f} MB after")
    assert late <= early + FLAT
    frame = pd.read_parquet(out / "results.parquet")
    assert len(frame) == 2 * SIDE**2 and set(frame["status"]) == {"done"}
    assert frame.loc[frame["scenario"] == "mine", "comprehensive_ratio"].nunique() > 0.9 * SIDE**2
