"""A new plugin's project: its tests pass at once, and names that cannot be used are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import call

from allocator.errors import InputError
from allocator.hooks import HOOKS
from allocator.testing.scaffold import PARTS, project_files, write_project


def test_the_tests_of_a_project_with_everything_pass_and_its_code_is_clean(tmp_path: Path) -> None:
    assert call("plugins", "new", "my_plugin", "--with", ",".join(PARTS), "--in", str(tmp_path)) == 0
    folder = tmp_path / "my_plugin"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(PARTS) + 1} passed" in run.stdout
    lint = [sys.executable, "-m", "ruff", "check", "--select", "E,F", "--line-length", "120", "--no-cache", "."]
    assert subprocess.run(lint, cwd=folder, check=False).returncode == 0
    assert (folder / ".github" / "workflows" / "test.yml").is_file()


@pytest.mark.parametrize("part", PARTS)
def test_every_part_stands_alone(part: str) -> None:
    files = project_files("one", [part])
    assert set(files) >= {"pyproject.toml", "README.md", "src/one/__init__.py", f"src/one/{part}.py"}
    for path, content in files.items():
        assert b"$name" not in content
        if path.endswith(".py"):
            compile(content, path, "exec")


def test_every_hook_but_the_regimes_can_be_begun_with() -> None:
    assert {part.hook for part in PARTS.values()} == set(HOOKS) - {"allocator_regimes"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("1st", "no lower-case Python identifier"),
        ("My_plugin", "no lower-case Python identifier"),
        ("a-b", "no lower-case Python identifier"),
        ("../evil", "no lower-case Python identifier"),
        ("class", "no lower-case Python identifier"),
        ("测试", "no lower-case Python identifier"),
        ("limits", "installed already"),
        ("json", "module of this name exists"),
        ("allocator", "module of this name exists"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        write_project(name, ["constraint"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="exists already"):
        write_project("mine", ["tilt"], tmp_path)
    assert list((tmp_path / "mine").iterdir()) == []


def test_an_unknown_part_is_named_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("plugins", "new", "mine", "--with", "tilts", "--in", str(tmp_path), "--lang", "zh") == 2
    error = capsys.readouterr().err
    assert "不支持的组成部分" in error
    assert "'tilt'" in error
