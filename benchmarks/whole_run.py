"""``allocator run`` on a fund of 5,000 rows, stage by stage. Run: ``python -m benchmarks.whole_run [rows]``."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.large_fund import write_large_fund

RUNS = 3


def main(rows: int) -> None:
    """Print medians of the whole command, of importing alone, and of the stages."""
    with tempfile.TemporaryDirectory() as name:
        fund, out = write_large_fund(Path(name) / "fund", rows), Path(name) / "out"
        wholes, imports, stages = [], [], []
        for _ in range(RUNS):
            wholes.append(_timed(["-m", "allocator", "run", str(fund), "-o", str(out)]))
            imports.append(_timed(["-c", "import allocator.pipeline, allocator.cli, allocator.report"]))
            report = json.loads((out / "run.json").read_text(encoding="utf-8"))
            stages.append(report["seconds"])
    whole, imported = statistics.median(wholes), statistics.median(imports)
    print(f"whole command {whole:.2f} processor s, of which importing {imported:.2f} s (bar: 2.5 s beside importing)")
    for stage in stages[0]:
        seconds = statistics.median(run[stage] for run in stages)
        print(f"{stage} {seconds:.2f} s on the wall")
    print(f"status {report['status']}, gap {report['gap'] * 1e4:.3f} bp, nodes {report['nodes']}")


def _timed(arguments: list[str]) -> float:
    """Return the processor seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
