"""Manifests of past runs that were cut, altered or made up: `compare`, `trace` and `run --replay` read them back."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from allocator.cli import main

from .cases import Case, good_fund

__all__ = ["manifest_cases"]

COMPARE = ("compare", "{folder}/out", "{folder}/out")
TRACE = ("trace", "{folder}/out", "funded_total")
REPLAY = ("run", "{folder}/fund.yaml", "--replay", "{folder}/out")

VALUES: tuple[Any, ...] = (None, 3, "text", [], {}, [1], {"a": 1}, True)


@cache
def _made() -> dict[str, bytes]:
    """Return the files of a run of the good fund."""
    with tempfile.TemporaryDirectory() as place:
        good_fund(Path(place))
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            main(["run", f"{place}/fund.yaml", "-o", f"{place}/out", "--set", "register=off"])
        return {path.name: path.read_bytes() for path in (Path(place) / "out").iterdir()}


def _write(folder: Path, manifest: bytes) -> None:
    (folder / "out").mkdir()
    for name, content in _made().items():
        (folder / "out" / name).write_bytes(manifest if name == "run.json" else content)


def _manifests() -> Iterator[tuple[str, bytes, tuple[str, ...], bool]]:
    good = _made()["run.json"]
    yield "as it should be", good, COMPARE, True
    for cut in range(0, len(good) - 3, max(1, len(good) // 120)):
        yield f"cut at {cut}", good[:cut], (COMPARE, TRACE)[cut % 2], False
    for place in range(0, len(good), max(1, len(good) // 180)):
        spoiled = bytearray(good)
        spoiled[place] ^= 0x08
        yield f"bits turned at {place}", bytes(spoiled), COMPARE, True
    yield "deep", b"[" * 100_000, COMPARE, False
    yield "no text", bytes(range(256)), TRACE, False
    yield "a long number", b'{"fund": ' + b"9" * 10_000 + b"}", TRACE, False
    entry = json.loads(good)
    for key in ("fund", "inputs", "settings", "versions", "created", "replay", "status", "solvency", "files"):
        for value in VALUES:
            text = json.dumps({**entry, key: value}).encode()
            yield f"{key}: {value!r}", text, COMPARE, True
    for change in ("plugins.enable=[odd_plugin]", "plugins={enable: [odd_plugin]}", "plugins.pin.odd_plugin=a"):
        asked = {**entry["replay"], "set": [change]}
        yield f"asks for {change}", json.dumps({**entry, "replay": asked}).encode(), REPLAY, False


def manifest_cases() -> Iterator[Case]:
    """Yield damaged and hostile manifests."""
    for name, content, command, may_pass in _manifests():
        yield Case(name, lambda folder, content=content: _write(folder, content), may_pass, command)
