"""Runs every comparison and writes the figures into docs/speed.md: ``python -m benchmarks [CASE …]``.

Each measurement is a process of its own, the rivals in turn, with single-threaded BLAS. A time counts only if the
answer is worth what the best answer is, to 1e-5.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from math import log
from pathlib import Path

from benchmarks.chart import growth_chart

RUNS = 5
SAME = 1e-5
DOCS = Path(__file__).parents[1] / "docs"
MARKS = ("<!-- results -->", "<!-- end of results -->")
LONGEST = 1_500
PACKAGES = ("numpy", "scipy", "clarabel", "highspy", "cvxpy")
PEERS = ("pyportfolioopt", "skfolio", "riskfolio-lib", "cvxportfolio")

NAMES = {"bare": "the solver alone", "bare:SameGap": "the solver alone, to the same gap", "ours": "allocator"}


@dataclass(frozen=True)
class Comparison:
    """A problem at a size, and who solves it."""

    case: str
    size: int
    title: str
    rivals: tuple[str, ...]
    bar: str


@dataclass
class Measured:
    """What came of one rival."""

    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    objective: float = float("nan")
    peak: float = 0.0
    fault: str = ""

    @property
    def median(self) -> float:
        """Processor seconds: on a shared machine the clock on the wall measures the neighbours, too."""
        return statistics.median(self.busy) if self.busy else float("nan")

    @property
    def wall(self) -> float:
        return statistics.median(self.seconds) if self.seconds else float("nan")


COMPARISONS = (
    Comparison(
        "minimum_variance",
        2_000,
        "Least variance, 2,000 assets, 20 factors",
        ("bare", "bare:SameGap", "ours", "peers:Cvxportfolio", "peers:PyPortfolioOpt", "peers:Skfolio"),
        "≤ 1.5 × bare, ≥ 50 × faster than the fastest that takes a dense covariance",
    ),
    Comparison("minimum_variance", 500, "Least variance, 500 assets", ("ours", "peers:Riskfolio"), ""),
    Comparison(
        "maximum_return",
        2_000,
        "Most return under a variance limit, 2,000 assets",
        ("bare", "ours", "peers:Cvxportfolio", "peers:PyPortfolioOpt", "peers:Skfolio"),
        "≤ 1.5 × bare, ≥ 50 × faster than the fastest that takes a dense covariance",
    ),
    Comparison(
        "frontier",
        500,
        "Frontier of 30 points, 500 assets",
        ("bare", "ours", "peers:PyPortfolioOpt", "peers:Cvxportfolio", "peers:Skfolio"),
        "≤ 1.5 × bare data updates, ≥ 20 × faster than the fastest peer",
    ),
    Comparison(
        "least_shortfall",
        200,
        "Least shortfall (CVaR 95%), 200 assets, 1,000 scenarios",
        ("bare", "ours", "peers:PyPortfolioOpt", "peers:Skfolio", "peers:Riskfolio"),
        "≤ 1.2 × bare HiGHS",
    ),
    Comparison("solvency", 100_000, "Solvency, 100,000 instruments", ("bare", "ours"), "≤ 0.4 × bare Clarabel"),
)
GROWTH = (100, 1_000, 10_000, 100_000, 1_000_000)


def main(chosen: Sequence[str]) -> None:
    """Run what is chosen, all by default, and write the page."""
    lines = [f"Run on {_machine()}."]
    for comparison in COMPARISONS:
        if not chosen or comparison.case in chosen:
            lines += ["", *_compared(comparison)]
    if not chosen or "growth" in chosen:
        lines += ["", *_growth()]
    if not chosen or "run" in chosen:
        lines += ["", *_whole_run()]
    if not chosen or "reading" in chosen:
        lines += ["", "**Reading** (checks of every cell included)", "", *_called("benchmarks.reading")]
    page = DOCS / "speed.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    page.write_text("\n".join([before + MARKS[0], "", *lines, "", MARKS[1]]) + rest.partition(MARKS[1])[2], "utf-8")


def _compared(comparison: Comparison) -> list[str]:
    found = {rival: Measured() for rival in comparison.rivals}
    for _ in range(RUNS):
        for rival in comparison.rivals:
            if not found[rival].fault:
                _measure(comparison.case, rival, comparison.size, found[rival])
    best = (min if comparison.case in ("minimum_variance", "least_shortfall") else max)(
        item.objective for item in found.values() if item.seconds
    )
    ours = found["ours"].median
    lines = [f"**{comparison.title}**" + (f" — bar: {comparison.bar}" if comparison.bar else ""), ""]
    lines += ["| who | runs | processor s | wall s | times ours | peak GiB | answer |", "|---|---|---|---|---|---|---|"]
    for rival, item in found.items():
        same = bool(item.seconds) and abs(item.objective - best) <= SAME * abs(best)
        answer = item.fault or ("same" if same else f"off by {abs(item.objective / best - 1.0):.1e}: does not count")
        lines.append(
            f"| {_name(rival)} | {len(item.seconds)} | {item.median:.3f} | {item.wall:.3f} | {item.median / ours:.2f} "
            f"| {item.peak:.2f} | {answer} |"
        )
    return lines


def _measure(case: str, rival: str, size: int, into: Measured) -> None:
    command = [sys.executable, "-m", "benchmarks.one", case, rival, str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, env=_environment(), check=False)
    except subprocess.TimeoutExpired:
        into.fault = f"more than {LONGEST} s"
        return
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        into.fault = "not installed" if "No module named" in reason else f"failed: {reason[:80]}"
        return
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    into.seconds.append(answer["seconds"])
    into.busy.append(answer["busy"])
    into.objective, into.peak = answer["objective"], max(into.peak, answer["peak"])


def _growth() -> list[str]:
    points = []
    lines = ["**Solvency, from a hundred to a million instruments**", ""]
    lines += ["| instruments | processor s | peak GiB | slope since the last |", "|---|---|---|---|"]
    for size in GROWTH:
        item = Measured()
        for _ in range(RUNS):
            _measure("solvency", "ours", size, item)
        points.append((size, item.median, item.peak))
    for place, (size, seconds, peak) in enumerate(points):
        slope = "" if not place else f"{_slope(points[place - 1][:2], (size, seconds)):.2f}"
        lines.append(f"| {size:,} | {seconds:.3f} | {peak:.2f} | {slope} |")
    (DOCS / "speed.svg").write_text(growth_chart(points), encoding="utf-8")
    return [*lines, "", "![Time and memory by instruments](speed.svg)"]


def _slope(first: tuple[int, float], second: tuple[int, float]) -> float:
    return log(second[1] / first[1]) / log(second[0] / first[0])


def _whole_run() -> list[str]:
    return ["**The whole command** on 5,000 rows", "", *_called("benchmarks.whole_run")]


def _called(module: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", module], capture_output=True, text=True, env=_environment(), check=False
    )
    return [f"- {line}" for line in done.stdout.strip().splitlines()] or [f"- failed: {done.stderr.strip()[-200:]}"]


def _name(rival: str) -> str:
    return NAMES.get(rival, rival.partition(":")[2])


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _machine() -> str:
    found = []
    for package in (*PACKAGES, *PEERS):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {platform.machine()}, Python "
        f"{platform.python_version()}, {', '.join(found)}; BLAS on one thread; load average at the start {load:.1f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
