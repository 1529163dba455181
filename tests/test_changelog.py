"""Every changelog fragment has a kind, and a release can be made of them."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from towncrier._shell import cli

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "changelog.d"
KINDS = [
    kind["directory"]
    for kind in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]["type"]
]
FRAGMENTS = sorted(path.name for path in FOLDER.iterdir() if path.name not in ("README.md", "template.md.jinja"))


def draft(folder: Path) -> str:
    """Return what a release of the fragments of a project would say."""
    run = CliRunner().invoke(
        cli, ["build", "--draft", "--version", "9.9", "--date", "2026-06-30", "--dir", str(folder)]
    )
    assert run.exit_code == 0, run.output
    return run.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of this configuration without fragments."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "changelog.d").mkdir()
    shutil.copy(FOLDER / "template.md.jinja", tmp_path / "changelog.d")
    return tmp_path


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_has_a_known_kind(name: str) -> None:
    parts = name.split(".")
    assert len(parts) == 3 and parts[1] in KINDS and parts[2] == "md", (
        f"changelog.d/{name} must be named NAME.KIND.md, KIND one of {', '.join(KINDS)}: "
        f"git mv changelog.d/{name} changelog.d/{parts[0]}.{KINDS[0]}.md"
    )


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_is_a_list(name: str) -> None:
    """Each line begins a point or goes on with one, so that fragments stand below one another."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("- "), f"changelog.d/{name}: begin each point with '- '"
    assert all(line.startswith(("- ", "  ")) for line in lines), f"changelog.d/{name}: indent the rest by two"


def test_the_readme_says_every_kind() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")] == KINDS


def test_a_release_gathers_the_fragments_by_kind(project: Path) -> None:
    fragments = {
        "b.fixed.md": "- A ratio is right.\n",
        "a.added.md": "- One.\n- Two,\n  long.\n",
        "c.added.md": "- Three.\n",
    }
    for name, text in fragments.items():
        (project / "changelog.d" / name).write_text(text, encoding="utf-8")
    assert draft(project).strip() == (
        "## 9.9 (2026-06-30)\n\n### Added\n\n- One.\n- Two,\n  long.\n- Three.\n\n### Fixed\n\n- A ratio is right."
    )


@pytest.mark.parametrize("name", ["frontier.md", "frontier.feature.md"])
def test_a_release_refuses_a_fragment_without_a_known_kind(name: str, project: Path) -> None:
    (project / "changelog.d" / name).write_text("- One.\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="Invalid news fragment name"):
        draft(project)


def test_the_next_release_holds_every_fragment() -> None:
    said = draft(ROOT)
    for name in FRAGMENTS:
        assert (FOLDER / name).read_text(encoding="utf-8").rstrip() in said


def test_a_release_finds_its_place_in_the_changelog() -> None:
    assert (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").count("<!-- towncrier release notes start -->\n") == 1
