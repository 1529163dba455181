"""Mutation testing: `make mutants` applies each change of `mutants.toml` to a scratch copy and runs the tests named.

A change that no test notices is one that a slip of the keyboard could make unseen. The tests must pass on the copy as
it is; each change is taken back before the next.

    python tests/mutants.py [--only WORD] [--list]
"""

from __future__ import annotations

import argparse
import compileall
import gc
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("allocator", "constraints", "plugins")
COPIED = (
    *SOURCES,
    "tests",
    "docs",
    "examples",
    "benchmarks",
    "changelog.d",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
)
ENOUGH = 0.95
"""Share that must be killed."""

LIBRARIES = (
    "numpy",
    "scipy.optimize",
    "scipy.sparse.linalg",
    "pandas",
    "pydantic",
    "hypothesis",
    "clarabel",
    "highspy",
)
"""Imported once, before the copy's own modules: every run of the tests starts as a fork from there."""

PATIENCE = 180.0
"""Seconds after which a change counts as noticed: its tests do not end."""


@dataclass(frozen=True)
class Mutant:
    """One change: a piece of one line in the one file that has it, and the tests that should notice."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def place(self, root: Path) -> Path:
        """Return the file; LookupError unless the piece stands exactly once in all files of that name."""
        found = [
            (path, path.read_text(encoding="utf-8").count(self.old))
            for source in SOURCES
            for path in sorted((root / source).rglob(self.file))
        ]
        if sum(count for _, count in found) != 1:
            where = ", ".join(f"{path.relative_to(root)}: {count}" for path, count in found if count) or "nowhere"
            raise LookupError(f"{self.file}: {self.old!r} must stand exactly once, found {where}")
        return next(path for path, count in found if count)

    def missing(self, root: Path) -> list[str]:
        """Return the test files named that there are not."""
        return [name for name in self.tests if not (root / test_file(name)).is_file()]


def test_file(name: str) -> str:
    """Return the path of a test file below the root."""
    return f"tests/test_{name}.py"


def catalogue(path: Path = ROOT / "tests" / "mutants.toml") -> list[Mutant]:
    """Return all changes, in order."""
    rooms = tomllib.loads(path.read_text(encoding="utf-8"))
    return [Mutant(file, old, new, tuple(tests.split())) for room in rooms.values() for file, old, new, tests in room]


def stale(mutants: Sequence[Mutant], root: Path = ROOT) -> Iterator[str]:
    """Yield what is wrong with changes: a piece that has moved on, a test file that is gone, nothing changed."""
    for mutant in mutants:
        try:
            mutant.place(root)
        except LookupError as error:
            yield str(error)
        if mutant.old == mutant.new:
            yield f"{mutant.file}: {mutant.old!r} is not changed"
        yield from (f"{mutant.file}: no {test_file(name)}" for name in mutant.missing(root))


class Scratch:
    """A copy of the tree whose packages are found before any that are installed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "out", ".hypothesis"))
            elif source.is_file():
                shutil.copy2(source, root / name)
        # By hash, not by time: two changes within a second must not look alike.
        for name in SOURCES:
            compileall.compile_dir(root / name, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        for name in LIBRARIES:
            import_module(name)
        gc.freeze()

    def _enter(self) -> None:
        """Make the copy the place that modules are imported from, and say nothing; in a process of its own."""
        os.setsid()
        os.chdir(self.root)
        own = [str(self.root), *(str(self.root / shelf) for shelf in ("constraints", "plugins"))]
        sys.path[:] = own + [path for path in sys.path if not Path(path).resolve().is_relative_to(ROOT / "tests")]
        sys.dont_write_bytecode = True
        os.environ["PYTHONPATH"] = os.pathsep.join(own)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)

    def _inside(self, work: Callable[[], int]) -> int | None:
        """Return what ``work`` returns inside the copy, in a process of its own; None where it does not end."""
        child = os.fork()
        if not child:
            code = 3
            try:
                self._enter()
                code = work()
            finally:
                os._exit(code)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None

    def check(self) -> None:
        """Raise RuntimeError unless both core and shelves are taken from the copy."""

        def work() -> int:
            files = [import_module(name).__file__ or "" for name in ("allocator", "allocator_cross2", "tests.books")]
            return 0 if all(Path(file).is_relative_to(self.root) for file in files) else 1

        if self._inside(work) != 0:
            raise RuntimeError(f"modules are not taken from {self.root}")

    def passes(self, tests: Sequence[str]) -> bool:
        """Return whether the tests pass; tests that do not end do not."""
        arguments = ["-q", "-x", "-p", "no:cacheprovider", *map(test_file, tests)]
        code = self._inside(lambda: int(pytest.main(arguments)))
        if code not in (None, 0, 1, 2):
            raise RuntimeError(f"pytest ends with {code} over {', '.join(tests)}")
        return code == 0

    def survives(self, mutant: Mutant) -> bool:
        """Return whether no test notices the change."""
        path = mutant.place(self.root)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        try:
            return self.passes(mutant.tests)
        finally:
            path.write_text(text, encoding="utf-8")


def run(mutants: Sequence[Mutant]) -> int:
    """Apply all changes, one at a time; return 0 where enough of them are noticed."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "verdict"}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        scratch = Scratch(Path(folder).resolve())
        scratch.check()
        for name in sorted({name for mutant in mutants for name in mutant.tests}):
            if not scratch.passes([name]):
                print(f"{test_file(name)} fails without any change")
                return 2
        print("all tests pass on the copy as it is", flush=True)
        survived = []
        for number, mutant in enumerate(mutants, 1):
            started = time.monotonic()
            alive = scratch.survives(mutant)
            survived += [mutant] * alive
            verdict, spent = "SURVIVED" if alive else "killed", time.monotonic() - started
            print(f"{number:3d} {verdict:8s} {spent:5.1f} s  {mutant.file}: {mutant.old.strip()!r}", flush=True)
    killed = len(mutants) - len(survived)
    print(f"{killed} of {len(mutants)} killed ({killed / len(mutants):.1%})")
    for mutant in survived:
        print(f"survived: {mutant.file}: {mutant.old.strip()!r} → {mutant.new.strip()!r} ({' '.join(mutant.tests)})")
    return 0 if killed >= ENOUGH * len(mutants) else 1


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Mutation testing of what answers rest on.")
    parser.add_argument("--only", default="", help="changes whose file or tests contain this word")
    parser.add_argument("--list", action="store_true", help="print the changes and stop")
    asked = parser.parse_args()
    mutants = [one for one in catalogue() if asked.only in one.file or asked.only in one.tests]
    wrong = list(stale(mutants))
    for line in wrong:
        print(line)
    if asked.list:
        for one in mutants:
            print(f"{one.file}: {one.old.strip()!r} → {one.new.strip()!r} ({' '.join(one.tests)})")
    return 2 if wrong or not mutants else 0 if asked.list else run(mutants)


if __name__ == "__main__":
    sys.exit(main())
