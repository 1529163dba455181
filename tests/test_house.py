"""The house's own rules: who may import whom, and what every hook must have."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from allocator import hooks
from allocator.extension.registry import load_registry

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "allocator").rglob("*.py"))
SHELVES = sorted(path for shelf in ("constraints", "plugins") for path in (ROOT / shelf).glob("allocator_*"))

# Rooms in the order data walks through them; a room may import its own and earlier ones.
ORDER = [
    "types",
    "errors",
    "settings",
    "config",
    "inputs",
    "capital",
    "model",
    "solve",
    "verify",
    "result",
    "study",
    "report",
    "register",
]


# A result can write and register itself: the one look ahead, made when the user asks.
AHEAD = {("result", "report"), ("result", "register")}


def imported(path: Path, *, at_run_time: bool = True) -> Iterator[str]:
    """Yield modules a file imports, leaving out those for type checking alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if at_run_time and id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_core_never_imports_a_shelf(path: Path) -> None:
    shelves = {package.name for package in SHELVES}
    assert not [name for name in imported(path, at_run_time=False) if name.split(".")[0] in shelves]


@pytest.mark.parametrize("package", SHELVES, ids=lambda path: path.name)
def test_a_shelf_package_imports_no_other(package: Path) -> None:
    others = {other.name for other in SHELVES} - {package.name}
    for path in package.rglob("*.py"):
        assert not [name for name in imported(path, at_run_time=False) if name.split(".")[0] in others]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_data_walks_one_way(path: Path) -> None:
    room = path.relative_to(ROOT / "allocator").parts[0].removesuffix(".py")
    if room not in ORDER:
        return
    allowed = set(ORDER[: ORDER.index(room) + 1])
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "allocator" and len(parts) > 1 and parts[1] in ORDER:
            assert parts[1] in allowed or (room, parts[1]) in AHEAD, f"{room} imports {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "allocator" / "study").glob("*.py")), ids=lambda path: path.name)
def test_a_study_is_handed_its_fund(path: Path) -> None:
    assert not [name for name in imported(path) if name.startswith(("allocator.pipeline.fund", "allocator.cli"))]


def test_verify_reads_nothing_of_the_solver() -> None:
    names = set(imported(ROOT / "allocator" / "verify.py", at_run_time=False))
    assert not [name for name in names if name.startswith(("cvxpy", "clarabel", "allocator.solve"))]


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
    [*CORE, *(path for package in SHELVES for path in sorted(package.rglob("*.py")))],
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
