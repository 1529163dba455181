"""``allocator run`` on a fund of 5,000 rows, stage by stage. Run: ``python -m benchmarks.whole_run [rows]``.

Compiled modules are kept between the runs, as an installation keeps them; a run before the clock starts makes them.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

from benchmarks.large_fund import write_large_fund

RUNS = 5
IMPORTS = "import allocator.pipeline.fund, allocator.cli, allocator.report"

STAGES = (
    ("allocator.config.load:load_settings", "settings"),
    ("allocator.pipeline.fund:load_settings", "settings"),
    ("allocator.pipeline.fund:enabled_plugins", "plugins"),
    ("allocator.report.view:enabled_plugins", "plugins"),
    ("allocator.pipeline.fund:load_inputs", "read"),
    ("allocator.pipeline.fund:Fund.space", "model"),
    ("allocator.pipeline.fund:Fund.context", "model"),
    ("allocator.pipeline.fund:Fund._rules", "model"),
    ("allocator.pipeline.fund:Fund.regime", "charges"),
    ("allocator.pipeline.fund:Fund.model", "model"),
    ("allocator.pipeline.fund:Fund.capital", "capital"),
    ("allocator.pipeline.fund:Fund.solve", "solve"),
    ("allocator.pipeline.fund:Fund.tilts", "tilts"),
    ("allocator.pipeline.fund:verify", "verify"),
    ("allocator.report.view:View.of", "tables"),
    ("allocator.report.csvfiles:write_csv", "CSV"),
    ("allocator.report.csvfiles:csv_frames", "CSV"),
    ("allocator.report.excel:write_workbook", "report.xlsx"),
    ("allocator.report.page:write_page", "report.html"),
    ("allocator.report.writer:write_manifest", "run.json"),
    ("allocator.report.console:print_summary", "console"),
    ("allocator.cli.fund:register_run", "register"),
)
"""Where each stage is entered; what a stage calls that has a stage of its own counts there."""


def main(rows: int) -> None:
    """Print medians of the whole command, of importing alone, and of the stages."""
    with tempfile.TemporaryDirectory() as name:
        fund, out = write_large_fund(Path(name) / "fund", rows), Path(name) / "out"
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(name) / "compiled")
        run = ["-m", "allocator", "run", str(fund), "-o", str(out)]
        _timed(run)
        wholes, imports, stages = [], [], []
        for _ in range(RUNS):
            wholes.append(_timed(run))
            imports.append(_timed(["-c", IMPORTS]))
            told = subprocess.run(
                [sys.executable, "-m", "benchmarks.whole_run", "--stages", str(fund), str(out)],
                check=True,
                capture_output=True,
                text=True,
            )
            stages.append(json.loads(told.stderr.splitlines()[-1]))
        report = json.loads((out / "run.json").read_text(encoding="utf-8"))
    whole, imported = statistics.median(wholes), statistics.median(imports)
    medians = {stage: statistics.median(run[stage] for run in stages) for stage in stages[0]}
    print(
        f"whole command {whole:.2f} processor s: {whole - imported:.2f} s beside importing the library, "
        f"{whole - medians['import']:.2f} s beside all that it imports, plugins included (bar: 2.5 s)"
    )
    print(f"model building {medians['model'] / (whole - imported):.0%} of what is not importing (bar: 15%)")
    for stage, seconds in medians.items():
        print(f"{stage:12} {seconds:.3f} processor s")
    print(f"status {report['status']}, gap {report['gap'] * 1e4:.3f} bp, nodes {report['nodes']}")


def _timed(arguments: list[str]) -> float:
    """Return the processor seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def stages(fund: str, out: str) -> dict[str, float]:
    """Run the command in this process and return the processor seconds of each stage."""
    exec(IMPORTS, {})
    spent: dict[str, float] = {"import": time.process_time()}
    running = ["rest"]
    last = time.process_time()

    def turn() -> None:
        nonlocal last
        now = time.process_time()
        spent[running[-1]] = spent.get(running[-1], 0.0) + now - last
        last = now

    def clocked(action: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(action)
        def run(*args: Any, **kwargs: Any) -> Any:
            turn()
            running.append(stage)
            try:
                return action(*args, **kwargs)
            finally:
                turn()
                running.pop()

        return run

    for place, stage in STAGES:
        module, _, path = place.partition(":")
        owner: Any = importlib.import_module(module)
        *holders, name = path.split(".")
        for holder in holders:
            owner = getattr(owner, holder)
        former = vars(owner)[name]
        if isinstance(former, cached_property):
            replaced: Any = cached_property(clocked(former.func, stage))
            replaced.__set_name__(owner, name)
        elif isinstance(former, classmethod):
            replaced = classmethod(clocked(former.__func__, stage))
        else:
            replaced = clocked(former, stage)
        setattr(owner, name, replaced)
    # What plugins and later stages import counts as importing, wherever it happens.
    builtins.__import__ = clocked(builtins.__import__, "import")
    importlib.import_module = clocked(importlib.import_module, "import")
    turn()
    spent.pop("rest")
    from allocator.cli import main as command

    sys.argv = ["allocator", "run", fund, "-o", out]
    with contextlib.suppress(SystemExit):
        command()
    turn()
    return spent


if __name__ == "__main__":
    if sys.argv[1:2] == ["--stages"]:
        print(json.dumps(stages(*sys.argv[2:])), file=sys.stderr)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
