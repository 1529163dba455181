"""Every reader of a user's text, fuzzed for a minute each: only InputError, no hang, no more than 1 GiB.

``ALLOCATOR_FUZZ_SECONDS`` lengthens it. Needs the extra ``fuzz``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: pip install -e '.[fuzz]'"),
]

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("ALLOCATOR_FUZZ_SECONDS", "60"))
SLACK = 600
"""Seconds for imports and seeds, on a busy machine."""


@pytest.mark.parametrize("target", ["yaml", "csv", "excel", "parquet", "matrix", "rule"])
def test_nothing_but_an_input_error_comes_out(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.acceptance.fuzz.harness", target, str(SECONDS), str(tmp_path)]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=SECONDS + SLACK, check=False
    )
    found = [path.name for path in tmp_path.iterdir() if path.name not in ("corpus", "words")]
    assert ended.returncode == 0 and not found, f"{found}\n{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"
    runs = re.search(r"Done (\d+) runs in (\d+) second", ended.stderr)
    peak = re.search(r"peak_rss_mb:\s*(\d+)", ended.stderr)
    assert runs and peak and int(runs[1]) > 0
    print(f"fuzz {target}: {int(runs[1]):,} inputs in {runs[2]} s, peak memory {peak[1]} MiB")
