"""The hooks that a contributor's commits pass: local ones, of the project's own tools."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path
from typing import Any

import pytest
from pre_commit.clientlib import load_config
from pre_commit.languages import pygrep

ROOT = Path(__file__).resolve().parent.parent
CONFIG = load_config(str(ROOT / ".pre-commit-config.yaml"))
HOOKS: dict[str, dict[str, Any]] = {hook["id"]: hook for repo in CONFIG["repos"] for hook in repo["hooks"]}


def test_nothing_is_fetched() -> None:
    assert {repo["repo"] for repo in CONFIG["repos"]} == {"local"}
    for hook in HOOKS.values():
        assert hook["language"] in ("system", "unsupported", "pygrep"), f"{hook['id']} makes an environment of its own"
        assert not hook.get("additional_dependencies")


def test_both_kinds_of_hooks_are_installed() -> None:
    assert CONFIG["default_install_hook_types"] == ["pre-commit", "commit-msg"]


@pytest.mark.parametrize("name", ["ruff", "ruff-format", "mypy", "changelog"])
def test_a_hook_runs_a_tool_that_the_set_up_installs(name: str) -> None:
    tools = [word for word in shlex.split(HOOKS[name]["entry"]) if word.startswith(".venv/bin/")]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    installed = [line.split()[0] for line in setup["options.extras_require"]["test"].splitlines() if line]
    assert [tool.removeprefix(".venv/bin/") in installed for tool in tools] == [True]


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Name rules by their article\n\n" + "A long line of the body is nobody's business here. " * 3, True),
        ("x" * 71 + "\n", True),
        ("x" * 72 + "\n", False),
        ("x" * 72, False),
    ],
)
def test_a_commit_subject_stays_under_72_characters(message: str, passes: bool, tmp_path: Path) -> None:
    hook, file = HOOKS["commit-subject"], tmp_path / "COMMIT_EDITMSG"
    assert hook["stages"] == ["commit-msg"]
    file.write_text(message, encoding="utf-8")
    assert pygrep.main([*hook["args"], hook["entry"], str(file)]) == (0 if passes else 1)
