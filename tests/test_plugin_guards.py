"""An installed plugin that leaves, loops or was altered: it is named, no result is claimed, OUT stays as it was."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from allocator.extension.fingerprints import fingerprint

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "examples" / "first_fund" / "fund.yaml"
HARMLESS = "from allocator.hooks import hookimpl\n\n@hookimpl\ndef allocator_tilts():\n    return []\n"
LEAVES = "from allocator.hooks import hookimpl\nimport os, sys\n\n@hookimpl\ndef allocator_tilts():\n    {}\n"


def install(site: Path, source: str = HARMLESS) -> Distribution:
    """Write a distribution of one package as an installer leaves it, and return it."""
    info = site / "odd_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "odd_plugin").mkdir()
    (site / "odd_plugin" / "__init__.py").write_text(source, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-plugin\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[allocator]\nodd_plugin = odd_plugin\n", encoding="utf-8")
    files = ["odd_plugin/__init__.py", *(f"{info.name}/{name}" for name in ("METADATA", "entry_points.txt", "RECORD"))]
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in files), encoding="utf-8")
    return PathDistribution(info)


def run(site: Path, out: Path, *changes: str) -> subprocess.CompletedProcess[str]:
    """Run a fund that enables the plugin, in a process of its own."""
    command = [sys.executable, "-m", "allocator", "run", str(FIRST), "-o", str(out)]
    for change in ("register=off", "plugins.enable=[odd_plugin]", *changes):
        command += ["--set", change]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "LANG": "C.UTF-8"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (LEAVES.format("sys.exit(0)"), "allocator_tilts.*SystemExit"),
        (LEAVES.format("os._exit(0)"), "allocator_tilts.*_exit"),
        ("import sys\nsys.exit(0)\n", "import.*SystemExit"),
        ("import os\nos._exit(0)\n", "import.*_exit"),
    ],
    ids=["exit in a hook", "_exit in a hook", "exit at import", "_exit at import"],
)
def test_a_plugin_that_leaves_is_no_result(tmp_path: Path, source: str, told: str) -> None:
    install(tmp_path / "site", source)
    (tmp_path / "out").mkdir()
    done = run(tmp_path / "site", tmp_path / "out")
    assert done.returncode == 2
    assert list((tmp_path / "out").iterdir()) == []
    assert "plugin odd_plugin" in done.stderr
    assert all(word in done.stderr for word in told.split(".*"))


def test_a_plugin_that_loops_at_import_is_stopped(tmp_path: Path) -> None:
    install(tmp_path / "site", "while True:\n    pass\n")
    done = run(tmp_path / "site", tmp_path / "out", "plugins.time_limit=1")
    assert done.returncode == 2
    assert "plugin odd_plugin, import" in done.stderr and "takes too long" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_pin_covers_every_importable_file_and_nothing_else(tmp_path: Path) -> None:
    held = install(tmp_path)
    pinned = fingerprint(held, "odd_plugin")
    package = tmp_path / "odd_plugin"
    py_compile.compile(str(package / "__init__.py"))
    (package / "notes.txt").write_text("left by an editor", encoding="utf-8")
    assert fingerprint(held, "odd_plugin") == pinned
    for name in ("extra.py", "deep/extra.py", "extra.pyc", f"extra{importlib.machinery.EXTENSION_SUFFIXES[0]}"):
        added = package / name
        added.parent.mkdir(exist_ok=True)
        added.write_bytes(b"")
        assert fingerprint(held, "odd_plugin") != pinned, name
        added.unlink()
    assert fingerprint(held, "odd_plugin") == pinned


def test_a_pinned_plugin_is_never_run_from_a_cache(tmp_path: Path) -> None:
    """A cache with the date and size of the source it does not come from: Python alone would run it."""
    pinned = fingerprint(install(tmp_path / "site"), "odd_plugin")
    source = tmp_path / "site" / "odd_plugin" / "__init__.py"
    other = tmp_path / "other.py"
    other.write_text(f"raise ValueError('from the cache')\n{'#' * 500}"[: source.stat().st_size], encoding="utf-8")
    os.utime(other, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    py_compile.compile(str(other), cfile=importlib.util.cache_from_source(str(source)))
    unpinned = run(tmp_path / "site", tmp_path / "out")
    assert unpinned.returncode == 2 and "from the cache" in unpinned.stderr, "the cache must be one Python believes"
    done = run(tmp_path / "site", tmp_path / "out", f"plugins.pin.odd_plugin={pinned}")
    assert done.returncode == 0, done.stderr
