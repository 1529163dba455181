"""At least 300 broken or hostile inputs of each format: told with their place, or read as documented.

Every format runs in a process of its own, so that its memory is its own. Prints what was tried.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
FEWEST = 300
SECONDS = 10.0
MEBIBYTES = 1024.0


@pytest.mark.parametrize("form", ["yaml", "csv", "excel", "parquet", "manifest"])
def test_every_input_is_told_or_read_and_nothing_else_happens(form: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.acceptance.hostile.runner", form, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3600, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    summary = json.loads(ended.stdout)
    print(
        f"{form}: {summary['tried']} inputs, {summary['refused']} refused with their place, "
        f"{summary['read']} read as documented; slowest {summary['slowest']:.2f} s ({summary['slowest_name']}), "
        f"peak memory {summary['mebibytes']:.0f} MiB"
    )
    assert summary["faults"] == []
    assert summary["tried"] >= FEWEST
    assert summary["slowest"] < SECONDS
    assert summary["mebibytes"] < MEBIBYTES
