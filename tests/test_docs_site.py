"""The documentation site: builds without a broken link, holds every page, names every key of the fund file."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
from documents import ROOT
from public_names import SURFACE

import allocator
from allocator.config.settings import Settings
from allocator.extension.registry import load_registry
from tests.house import ORDER

sys.path.insert(0, str(ROOT / "docs"))
from build_house_page import page as house_page  # noqa: E402
from reference import FILE_ONLY, OFFERED, settings_reference  # noqa: E402


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a broken link or anchor is an error."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        page = path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert (site / page).is_file()
        assert f'href="{page}"' in home or page == "index.html", f"{page} is not in the navigation"


def test_how_to_contribute_is_on_the_site(site: Path) -> None:
    assert (site / "contributing.html").is_file()
    assert 'href="contributing.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_the_picture_of_the_house_is_in_step_with_the_imports(site: Path) -> None:
    assert (ROOT / "docs" / "house.md").read_text(encoding="utf-8") == house_page(), "run: make house"
    text = (site / "house.html").read_text(encoding="utf-8")
    for room in ORDER:
        assert f">{room.strip('_')}</text>" in text


@pytest.mark.parametrize("module", SURFACE)
def test_every_public_name_is_documented(module: str, site: Path) -> None:
    """Each has its heading; one that two modules share is shown where it comes first."""
    anchors = set(re.findall(r'id="([\w.]+)"', (site / "api.html").read_text(encoding="utf-8")))
    for name in (name for name in import_module(module).__all__ if not name.startswith("_")):
        shared = name in allocator.__all__ and getattr(allocator, name) is getattr(import_module(module), name)
        assert {f"{module}.{name}", *([f"allocator.{name}"] if shared else [])} & anchors, f"{module}.{name}"


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert 'class="mermaid"' not in text, f"{path.name}: the theme would fetch the script that draws it"
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+', text), path.name


def test_the_generator_stays_out_of_the_site(site: Path) -> None:
    assert not list(site.glob("*.py"))


def test_the_reference_names_every_key() -> None:
    """Each term's part of the page holds each of its keys in the table; so do the sections of the file."""
    parts = dict(re.findall(r"^### (.+?)\n(.*?)(?=^###? |\Z)", settings_reference(), re.DOTALL | re.MULTILINE))
    registry = load_registry()
    for attribute, *_ in OFFERED:
        for name, spec in getattr(registry, attribute).items():
            keys = set(re.findall(r"^\| `(\w+)` \|", parts[f"`{name}`"], re.MULTILINE))
            assert set(spec.options.model_fields) <= keys, f"{attribute}: {name}"
    assert {field.alias or name for name, field in Settings.model_fields.items()} - set(FILE_ONLY) <= set(
        re.findall(r"^\| `(\w+)` \|", parts["the file"], re.M)
    )
    for section, model in (("fund", "unit"), ("solve", "gap"), ("objective.risk", "measure"), ("accounts", "budget")):
        assert f"| `{model}` |" in parts[f"`{section}`"]


def test_the_reference_is_readable() -> None:
    text = settings_reference()
    for raw in ("BeforeValidator", "typing.", "<class", "FieldInfo", "``", "Undefined"):
        assert raw not in text, raw


def test_every_key_is_explained() -> None:
    """The text above a table names each key of it: a type and a default alone explain nothing."""
    unexplained = set()
    for part in re.split(r"^#{2,4} ", settings_reference(), flags=re.MULTILINE):
        title, _, rest = part.partition("\n")
        text, _, table = rest.partition("| key |")
        keys = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        if title != "the file":
            unexplained |= {(title, key) for key in keys if not re.search(rf"\b{key}\b", title + text)}
    assert unexplained == set()
