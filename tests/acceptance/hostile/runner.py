"""Runs every hostile input of one format through the command line and prints what came of them as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from allocator.cli import main

from .book_cases import excel_cases, parquet_cases
from .cases import Case, good_fund
from .csv_cases import csv_cases
from .manifest_cases import manifest_cases
from .yaml_cases import yaml_cases

FORMS: Mapping[str, Callable[[], Iterator[Case]]] = {
    "yaml": yaml_cases,
    "csv": csv_cases,
    "excel": excel_cases,
    "parquet": parquet_cases,
    "manifest": manifest_cases,
}
HANG = 30


@dataclass(frozen=True)
class Outcome:
    """What came of one input: exit status, what was said, seconds."""

    status: object
    said: str
    seconds: float


class Hang(BaseException):
    """The input was not done with in time; no handler of the library may swallow it."""


def attempt(folder: Path, case: Case) -> Outcome:
    """Run the command of a case in this process, by default `validate`."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    said = io.StringIO()
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANG)
    start = time.perf_counter()
    status: object
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            main([*(word.format(folder=folder) for word in case.command), "--lang", "en"])
        status = "returned"
    except SystemExit as left:
        status = left.code
    except Hang:
        status = "hang"
    except BaseException as error:
        status = repr(error)
    finally:
        signal.alarm(0)
    return Outcome(status, said.getvalue(), time.perf_counter() - start)


def fault(case: Case, outcome: Outcome, before: set[Path], after: set[Path]) -> str | None:
    """Return what is wrong with an outcome, or None."""
    if outcome.status not in (0, 2):
        return f"{case.name}: {outcome.status}: {outcome.said[:300]}"
    if outcome.status == 0 and not case.may_pass:
        return f"{case.name}: accepted"
    if outcome.status == 2 and not any(
        word in outcome.said for word in ("fund.yaml", "assets", "inputs", "limit", "row", "run.json")
    ):
        return f"{case.name}: told without a place: {outcome.said[:300]}"
    if "s3cret" in outcome.said:
        return f"{case.name}: a password is told"
    if "Traceback" in outcome.said:
        return f"{case.name}: a traceback"
    return f"{case.name}: wrote {sorted(map(str, after - before))}" if after - before else None


def run(form: str, place: Path) -> dict[str, object]:
    """Try every case of a form in a folder of its own below ``place``."""
    faults: list[str] = []
    counts = {0: 0, 2: 0}
    slowest, slowest_name, tried = 0.0, "", 0
    for case in FORMS[form]():
        folder = place / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        good_fund(folder)
        case.write(folder)
        before = set(place.rglob("*"))
        outcome = attempt(folder, case)
        wrong = fault(case, outcome, before, set(place.rglob("*")))
        faults += [wrong] if wrong else []
        if isinstance(outcome.status, int) and outcome.status in counts:
            counts[outcome.status] += 1
        tried += 1
        if outcome.seconds > slowest:
            slowest, slowest_name = outcome.seconds, case.name
    return {
        **{"tried": tried, "read": counts[0], "refused": counts[2], "faults": faults},
        **{"slowest": slowest, "slowest_name": slowest_name},
        "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1], Path(sys.argv[2])), ensure_ascii=False))
