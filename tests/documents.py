"""The documentation's code blocks, and a workshop in which they are tried.

A fence names its language. What becomes of it:

- ``python``: run; the blocks of one page share their names. A ``text`` block right below holds what is printed.
- ``sh``: its ``allocator`` commands are run; ``# exit status N`` on the line says how they end (else 0).
- ``yaml``: sections of a fund file, read by the real loader (those left out are taken from the first example).
- ``csv``, ``json``: parsed.
- any of them with ``title="FILE"``: saved under that name for the blocks below, and not run.
- ``text``, ``mermaid``: shown to the reader only.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from allocator import cli
from allocator.config.load import load_settings, validate_options
from allocator.config.settings import Settings
from allocator.extension.registry import Registry, load_registry

__all__ = ["ROOT", "Block", "Workshop", "blocks", "pages"]

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("allocator", "benchmarks", "constraints", "docs", "plugins", "tests", "Makefile", "setup.cfg")
"""What of the project a page may name."""

PLAIN = frozenset({"cat", "cp", "head", "ls", "mkdir", "printf", "rm"})
FENCE = re.compile(r"^( *)```(.*?)\n(.*?)^\1```[ \t]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language, the file it stands for, its text."""

    line: int
    language: str
    title: str
    text: str
    follows: bool
    """Whether only blank lines part it from the block before."""


def pages() -> list[str]:
    """Return every page that users read, by its path in the project."""
    found = [*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for folder in ("examples", "plugins", "constraints", "benchmarks"):
        found += (ROOT / folder).rglob("README*.md")
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found, end = [], -1
    for match in FENCE.finditer(text):
        language, _, rest = match[2].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        body = re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
        follows = end >= 0 and not text[end : match.start()].strip()
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(line, language, title[1] if title else "", body, follows))
        end = match.end()
    return found


class Workshop:
    """A folder that looks like the project, in which a page's blocks are tried one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names = folder, {"__name__": "page"}
        self.printed: str | None = None
        for name in SHOWN:
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "examples", folder / "examples")  # a block may write beside a fund file

    def try_block(self, block: Block) -> None:
        """Try a block; an assertion or an exception says what is wrong with it."""
        attempt = getattr(self, f"_{block.language}", None)
        assert attempt is not None, (
            f"a fence names a language, python, sh, yaml, csv, json, mermaid or text: {block.language!r}"
        )
        if block.title:
            path = self.folder / block.title
            assert path.resolve().is_relative_to(self.folder.resolve()), f"{block.title} lies elsewhere"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            if block.language == "python":
                compile(block.text, block.title, "exec")
        else:
            attempt(block)

    def _python(self, block: Block) -> None:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, f"line {block.line}", "exec"), self.names)
        self.printed = printed.getvalue()

    def _text(self, block: Block) -> None:
        if block.follows and self.printed is not None:
            assert self.printed == block.text, f"the block above prints\n{self.printed}"
        self.printed = None

    def _mermaid(self, block: Block) -> None:
        assert block.text.startswith("flowchart "), "a diagram begins with its kind"

    def _sh(self, block: Block) -> None:
        self.printed = None
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                status = re.search(r"#.*\bexit status (\d)", line)
                self._command(words, int(status[1]) if status else 0)

    def _command(self, words: list[str], status: int) -> None:
        name = words[0].removeprefix(".venv/bin/")
        if name == "python" and words[1:3] == ["-m", "allocator"]:
            name, words = "allocator", words[2:]
        if name == "allocator":
            with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
                got = _status(words[1:])
            assert got == status, f"{shlex.join(words)}: exit status {got}\n{out.getvalue()}{err.getvalue()}"
        elif name == "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            assert [word for word in words[1:] if "=" not in word][0] in targets, shlex.join(words)
        elif name in ("pip", "pip3"):
            _check_extras(words)
        elif name == "cd":
            os.chdir(self.folder / words[1])
        else:
            assert name in PLAIN, f"only allocator, make, pip, cd and {', '.join(sorted(PLAIN))} are tried, not {name}"
            subprocess.run(words, check=True, capture_output=True)

    def _yaml(self, block: Block) -> None:
        content = yaml.safe_load(block.text)
        assert isinstance(content, dict), "show sections of a fund file, as `constraints:`"
        assert not set(content) - {field.alias or name for name, field in Settings.model_fields.items()}, (
            "not sections of a fund file"
        )
        base = yaml.safe_load((ROOT / "examples/first_fund/fund.yaml").read_text(encoding="utf-8"))
        path = self.folder / "page_fund.yaml"
        path.write_text(yaml.safe_dump({**base, **content}, allow_unicode=True), encoding="utf-8")
        check_terms(load_settings(path))
        path.unlink()

    def _csv(self, block: Block) -> None:
        widths = {len(row) for row in csv.reader(io.StringIO(block.text))}
        assert len(widths) == 1, f"rows of {sorted(widths)} cells"

    def _json(self, block: Block) -> None:
        json.loads(block.text)


def _status(arguments: list[str]) -> int:
    try:
        cli.main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    raise AssertionError("the command line leaves with a status")


def _check_extras(words: list[str]) -> None:
    """Check that ``pip install NAME[EXTRA]`` names extras that the project has."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    for names in re.findall(r"\[([\w,-]+)\]", " ".join(words)):
        for extra in names.split(","):
            assert extra in setup["options.extras_require"], f"setup.cfg has no extra {extra}"


def check_terms(settings: Settings, registry: Registry | None = None) -> None:
    """Check names and options of everything a fund file asks plugins for, without reading its tables."""
    registry = registry or load_registry(settings.plugins.enable, settings.plugins.disable)

    def check(offered: Any, name: str, options: dict[str, Any], place: str) -> None:
        assert name in offered, f"{place}: no plugin offers {name}"
        model: type[BaseModel] = offered[name].options
        validate_options(model, options, settings, place)

    if settings.capital is not None:
        check(registry.regimes, settings.capital.regime, settings.capital.options, "capital")
    aim = settings.objective.maximize or settings.objective.minimize
    check(registry.objectives, str(aim), settings.objective.options, "objective")
    for entry in settings.constraints:
        check(registry.constraints, entry.name, entry.options, f"constraints.{entry.name}")
    from allocator.model.tilts import MODES, mode_keys

    for entry in settings.tilts:
        apply_tilts = {key: value for key, value in entry.options.items() if key in mode_keys()}
        validate_options(MODES[apply_tilts["mode"]], apply_tilts, settings, f"tilts.{entry.name}")
        own = {key: value for key, value in entry.options.items() if key not in mode_keys()}
        check(registry.tilts, entry.name, own, f"tilts.{entry.name}")
    for key, offered in (
        ("returns", registry.return_models),
        ("risk", registry.risk_models),
        ("scenarios", registry.scenarios),
    ):
        given = settings.models.get(key, [])
        for entry in given if isinstance(given, list) else [given]:
            options = {} if isinstance(entry, str) else {k: v for k, v in entry.items() if k != "name"}
            check(offered, entry if isinstance(entry, str) else entry["name"], options, f"models.{key}")
