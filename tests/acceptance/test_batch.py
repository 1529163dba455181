"""A batch killed at twenty random moments loses no finished result; its memory does not grow with its tasks."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.acceptance

FIRST = Path(__file__).resolve().parent.parent.parent / "examples" / "first_fund" / "fund.yaml"
KILLS, TASKS = 20, 400
SCENARIOS, FLAT = 10_000, 60.0
"""Scenarios of the memory test, and by how many MB the second half may add to the first half's peak."""


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


def _resident(group: int) -> float:
    """Return the resident memory in MB of all processes of a session."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group:
            total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total / 1e6


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory is read from /proc")
def test_memory_stays_flat_over_ten_thousand_scenarios(tmp_path: Path) -> None:
    study, out = _study(tmp_path, SCENARIOS), tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "allocator", "batch", str(study), "-o", str(out), "--jobs", "2"],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen: list[tuple[int, float]] = []
    start = time.monotonic()
    while process.poll() is None:
        parts = len(list((out / "parts").glob("*.parquet"))) if (out / "parts").exists() else 0
        seen.append((256 * parts, _resident(process.pid)))
        time.sleep(1.0)
    assert process.returncode == 0
    spent = time.monotonic() - start
    early = max(memory for done, memory in seen if 0.1 * SCENARIOS < done < 0.5 * SCENARIOS)
    late = max(memory for done, memory in seen if done >= 0.5 * SCENARIOS)
    print(
        f"{SCENARIOS} scenarios in {spent:.0f} s; resident memory {early:.0f} MB in the first half, {late:.0f} MB after"
    )
    assert late <= early + FLAT
    assert len(pd.read_parquet(out / "results.parquet", columns=["task"])) == SCENARIOS
