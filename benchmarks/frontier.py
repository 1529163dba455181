"""The frontier against runs of the command and against the bare solver.

Run: ``OMP_NUM_THREADS=1 python -m benchmarks.frontier [FUND.yaml] [points]``.

Three times are set beside the frontier's own:

- ``points`` separate runs of ``allocator run`` (a few are timed, in processes of their own, and scaled up);
- ``points`` bare solver calls on the frontier's cone data: the programs that the answers came from, each handed
  to a new Clarabel with the library's settings, nothing else in the time;
- the same for every program the sweep solved, those that only settled a bound included.

The sweep is measured from a built model to verified points. The ends of the range, reading the files and
building the model are printed beside it. Times are the processor's, the least of several; runs of the command are set
beside it with the seconds that their processes were busy.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import allocator
from allocator.solve.program.program import ConeProgram, SolverResult
from allocator.solve.solvers import backends
from allocator.study import frontier as study
from allocator.study.frontier import Frontier, FrontierSettings, frontier

ROUNDS, COMMANDS = 5, 3


class _Recording(backends.Clarabel):
    """Keeps every program it is handed."""

    seen: list[ConeProgram] = []

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        self.seen.append(program)
        return super().solve(program, seconds)


def measure(path: Path, points: int) -> None:
    """Print the figures of one fund."""
    command = min(_command(path) for _ in range(COMMANDS))
    start = time.process_time()
    fund = allocator.load(path)
    _ = fund.model
    built = time.process_time() - start
    settings = FrontierSettings(points)
    found = frontier(fund, settings)
    sweep, ends = map(min, zip(*(_busy(fund, settings) for _ in range(ROUNDS)), strict=True))
    programs = _programs(fund, settings, found)
    count = sum(point.programs for point in found.points)
    per_point = [programs[-count:][i] for i in _answers(found)]
    bare, every = _bare(per_point), _bare(programs[-count:])
    whole = built + ends + sweep
    print(
        f"{path.parent.name}: {points} points, {count} cone programs, {count / points:.2f} a point, "
        f"{sum(point.alone for point in found.points)} levels searched alone; load average {os.getloadavg()[0]:.1f}"
    )
    print(f"  sweep {sweep:.3f} s; ends of the range {ends:.3f} s; reading and building {built:.3f} s")
    print(
        f"  {points} runs of the command: {points * command:.1f} s ({command:.2f} s each): "
        f"{points * command / whole:.0f} times the whole frontier's {whole:.2f} s"
    )
    print(
        f"  {points} bare solver calls: {bare:.3f} s: the sweep takes {sweep / bare:.2f} of it; "
        f"with the ends {(sweep + ends) / bare:.2f}"
    )
    print(f"  all {count} programs bare: {every:.3f} s: the sweep takes {sweep / every:.2f} of it")


def _busy(fund: allocator.Fund, settings: FrontierSettings) -> tuple[float, float]:
    """Return the processor's seconds of one more sweep and of the ends of its range."""
    inner, spent = study._sweep, []

    def sweep(*given: Any) -> Any:
        start = time.process_time()
        try:
            return inner(*given)
        finally:
            spent.append(time.process_time() - start)

    study._sweep = sweep
    start = time.process_time()
    try:
        frontier(fund, settings)
    finally:
        study._sweep = inner
    return spent[0], time.process_time() - start - spent[0]


def _command(path: Path) -> float:
    def busy() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    with tempfile.TemporaryDirectory() as folder:
        start = busy()
        subprocess.run(
            [sys.executable, "-m", "allocator", "run", str(path), "-o", f"{folder}/out", "--json"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return busy() - start


def _programs(fund: allocator.Fund, settings: FrontierSettings, found: Frontier) -> list[ConeProgram]:
    """Return the programs of one more frontier, in the order they were solved."""
    _Recording.seen = []
    plain, backends.Clarabel = backends.Clarabel, _Recording  # type: ignore[misc]
    chain, backends.SolverChain._all = backends.SolverChain._all, (_Recording, *backends.SolverChain._all[1:])
    try:
        frontier(fund, settings)
    finally:
        backends.Clarabel, backends.SolverChain._all = plain, chain  # type: ignore[misc]
    return _Recording.seen


def _answers(found: Frontier) -> list[int]:
    """Return, for each level in the order solved, the number of the last program of it."""
    ends, total = [], 0
    for point in sorted(found.points, key=lambda one: -one.level if found.axis.at_least else one.level):
        total += point.programs
        ends.append(total - 1)
    return ends


def _bare(programs: list[ConeProgram]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for program in programs:
            backends.Clarabel().solve(program, 60.0)
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    given = sys.argv[1:]
    measure(Path(given[0] if given else "examples/life_insurer/fund.yaml"), int(given[1]) if len(given) > 1 else 50)
