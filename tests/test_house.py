"""The house's laws, each with violations planted, and what every hook must have."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from allocator import hooks
from allocator.extension.registry import load_registry
from tests.house import LAWS, ORDER, House

ROOT = Path(__file__).resolve().parent.parent
HOUSE = House(ROOT)
SHELVES = sorted(path for shelf in ("constraints", "plugins") for path in (ROOT / shelf).glob("allocator_*"))

SOUND = {
    "allocator/__init__.py": "from allocator.api import load\n",
    "allocator/types.py": "",
    "allocator/model/__init__.py": "",
    "allocator/model/terms.py": "from allocator.types import Text\n",
    "allocator/model/tilts.py": "from allocator.model.terms import Term\n",
    "allocator/solve/__init__.py": "",
    "allocator/solve/search/__init__.py": "",
    "allocator/solve/search/search.py": "from allocator.model.terms import Term\n",
    "allocator/solve/state.py": "from allocator.solve.search.search import Search\n",
    "allocator/verify.py": "from allocator.model.terms import Term\n",
    "allocator/plugin/__init__.py": "from allocator.types import Text\n\n__all__ = ['Text']\n",
    "allocator/api.py": "from allocator.solve.state import State\n",
    "constraints/allocator_one/__init__.py": "from allocator.plugin import Text\n",
    "plugins/allocator_two/__init__.py": "from allocator_two.tilt import TILTS\n",
    "plugins/allocator_two/tilt.py": "",
}
"""A small house that keeps every law."""

PLANTED = [
    ("circles_of_files", "allocator/model/terms.py", "from allocator.model.tilts import Tilt"),
    ("circles_of_files", "allocator/model/terms.py", "def f():\n    from allocator.model.tilts import Tilt"),
    ("circles_of_files", "allocator/model/terms.py", "if TYPE_CHECKING:\n    from allocator.model.tilts import Tilt"),
    ("circles_of_files", "allocator/model/terms.py", "from .tilts import Tilt"),
    ("circles_of_files", "allocator/model/terms.py", "import_module('allocator.model.tilts')"),
    ("circles_of_files", "plugins/allocator_two/tilt.py", "import allocator_two"),
    ("circles_of_rooms", "allocator/solve/search/local.py", "from allocator.solve.state import State"),
    ("circles_of_rooms", "allocator/types.py", "def f():\n    import allocator.model.terms"),
    ("arrows_up", "allocator/types.py", "from allocator.verify import verify"),
    ("arrows_up", "allocator/model/regime.py", "def f():\n    from allocator.solve.state import State"),
    ("arrows_up", "allocator/model/regime.py", "if TYPE_CHECKING:\n    from allocator.api import Fund"),
    ("arrows_up", "allocator/model/regime.py", "from allocator import api"),
    ("arrows_up", "allocator/model/regime.py", "import allocator"),
    ("arrows_up", "allocator/cellar.py", "from allocator.types import Text"),
    ("shelves_in_the_core", "allocator/types.py", "import allocator_one"),
    ("shelves_in_the_core", "allocator/types.py", "def f():\n    from allocator_two import tilt"),
    ("beyond_the_surface", "constraints/allocator_one/rules.py", "from allocator.types import Text"),
    ("beyond_the_surface", "constraints/allocator_one/rules.py", "def f():\n    import allocator.solve.state"),
    ("beyond_the_surface", "constraints/allocator_one/rules.py", "from allocator.plugin import Measure"),
    ("beyond_the_surface", "constraints/allocator_one/rules.py", "from allocator import load"),
    ("beyond_the_surface", "constraints/allocator_one/rules.py", "from allocator_two import TILTS"),
    ("beyond_the_surface", "constraints/allocator_one/rules.py", "import_module('allocator.model.terms')"),
    ("solvers_in_the_check", "allocator/verify.py", "def f():\n    import cvxpy"),
    ("solvers_in_the_check", "allocator/verify.py", "from allocator.solve.state import State"),
    ("too_long", "allocator/types.py", "x = 1\n" * 401),
    ("too_long", "plugins/allocator_two/tilt.py", "def f():\n" + "    x = 1\n" * 61),
]
"""One law, a file, and what breaks the law when it stands in the file as well."""


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_house_keeps_its_laws(law: Callable[[House], list[str]]) -> None:
    assert law(HOUSE) == []


def test_every_file_is_looked_at() -> None:
    there = {path for folder in ("allocator", "constraints", "plugins") for path in (ROOT / folder).rglob("*.py")}
    assert set(HOUSE.files.values()) == there
    assert {name.split(".")[1] for name in HOUSE.files if name.startswith("allocator.")} == set(ORDER)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_sound_house_breaks_no_law(law: Callable[[House], list[str]], tmp_path: Path) -> None:
    assert law(built(tmp_path, SOUND)) == []


@pytest.mark.parametrize(("law", "file", "line"), PLANTED, ids=lambda value: str(value)[:60])
def test_what_breaks_a_law_is_found(law: str, file: str, line: str, tmp_path: Path) -> None:
    house = built(tmp_path, {**SOUND, file: f"{SOUND.get(file, '')}{line}\n"})
    chosen = next(each for each in LAWS if each.__name__ == law)
    assert chosen(house), f"{law} does not see {line!r} in {file}"


def test_every_law_has_a_planted_violation() -> None:
    assert {law for law, _, _ in PLANTED} == {law.__name__ for law in LAWS}


def built(root: Path, files: Mapping[str, str]) -> House:
    """Return the house of these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return House(root)


def test_every_hook_has_documentation_and_a_first_party_user() -> None:
    registry = load_registry()
    used = {hook for plugin in registry.names for hook in registry.hooks_of(plugin)}
    for name in hooks.HOOKS:
        assert getattr(hooks, name).__doc__
        assert name in used, f"no first-party plugin uses {name}"


def test_the_readme_names_two_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test"):
        assert f"make {target}" in readme
        assert f"\n{target}:" in makefile


def test_benchmarks_is_no_namespace_that_another_package_would_hide() -> None:
    found = importlib.util.find_spec("benchmarks")
    assert found is not None and found.origin == str(ROOT / "benchmarks" / "__init__.py")


def test_setup_lists_every_package() -> None:
    listed = (ROOT / "setup.cfg").read_text(encoding="utf-8").split("[options.extras_require]")[0]
    for package in SHELVES:
        for folder in [package, *(path for path in package.rglob("*") if path.is_dir() and list(path.glob("*.py")))]:
            name = ".".join([package.name, *folder.relative_to(package).parts])
            assert f"    {name}\n" in listed, f"setup.cfg does not list {name}"


WALL_CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
DATED = {
    "allocator/report/manifest.py": "says when a run was made",
    "constraints/allocator_cross2/commands.py": "shows the rules in force today where no date is given",
}


@pytest.mark.parametrize(
    "path",
    sorted(HOUSE.files.values()),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_figure_or_limit_hangs_on_the_wall_clock(path: Path) -> None:
    """A clock that is set back or forward changes nothing: limits are counted on a monotonic one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read = {".".join(ast.unparse(node).split(".")[-2:]) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    taken = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    # Both ways round: an exemption that is no longer needed fails as well.
    assert bool((read | taken) & WALL_CLOCKS) == (str(path.relative_to(ROOT)) in DATED)
