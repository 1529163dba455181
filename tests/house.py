"""The house's laws, each a function from a tree of files to what breaks it. Run: python tests/house.py

Every import counts: at the top, inside a function, for type checking alone, and by ``import_module("…")``. A room is a
file or a folder; the rooms of ``allocator/`` stand in `ORDER`, and none imports one that stands later.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ORDER = (
    "arrays",
    "types",
    "jurisdiction",
    "parsing",
    "errors",
    "language",
    "folders",
    "rulebook",
    "config",
    "capital",
    "inputs",
    "model",
    "stress",
    "solve",
    "verify",
    "result",
    "hooks",
    "plugin",
    "extension",
    "pipeline",
    "study",
    "report",
    "register",
    "api",
    "testing",
    "cli",
    "__main__",
)
"""Rooms of ``allocator/``, the ground floor first."""

SURFACE = "allocator.plugin"
"""What plugins import, and nothing else; ``allocator.testing`` besides in their tests."""

COUNTRY = re.compile(
    r"\bCNY\b|\bRMB\b|\byuan\b|人民币|(?<!单)元(?![素格数])|C-ROSS|cross2|偿二代|保监|\bNFRA\b|\bCBIRC\b"
    r"|comprehensive|综合偿付|核心偿付|综合充足|\bcore_(?!assets|tables)|[\"'`]core[\"'`]|supplementary_tier|核心资本"
    r"|附属.级|\btraditional\b|\bparticipating\b|\buniversal\b|\bshareholders?\b|传统|分红(?=账|险|保)|万能|资本金|股东",
    re.IGNORECASE,
)
"""Words of one country's regime: currency, authority, ratios, tiers of capital, accounts."""

WRITTEN = (".py", ".yaml", ".csv", ".txt", ".html", ".svg", ".js", ".css")
"""Endings of the files of the core in which those words are looked for."""

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
"""Lines of a file; lines of a function without its documentation."""

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class House:
    """The core and its shelves below one root: ``allocator/``, ``constraints/*``, ``plugins/*``."""

    root: Path

    @cached_property
    def files(self) -> Mapping[str, Path]:
        """Every module by its dotted name."""
        found: dict[str, Path] = {}
        for base in (self.root, self.root / "constraints", self.root / "plugins"):
            for package in sorted(base.glob("allocator" if base == self.root else "allocator_*")):
                found |= {_module(path, base): path for path in sorted(package.rglob("*.py"))}
        return found

    @cached_property
    def imports(self) -> Graph:
        """Module → the modules of the house that it names in any import, itself aside."""
        return {
            name: frozenset(_resolved(target, self.files) for target in _named(self.trees[name], name, path))
            - {"", name}
            for name, path in self.files.items()
        }

    @cached_property
    def outside(self) -> Graph:
        """Module → every dotted name that it imports, whoever's."""
        return {name: frozenset(_named(self.trees[name], name, path)) for name, path in self.files.items()}

    @cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        """Every module's syntax tree."""
        return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.files.items()}


def _module(path: Path, base: Path) -> str:
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _named(tree: ast.Module, name: str, path: Path) -> Iterator[str]:
    """Yield every dotted name that a module imports, with the names taken from it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            home = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{home}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            literals = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
            yield from (text for text in literals if isinstance(text, str) and text.isidentifier() | ("." in text))


def _resolved(target: str, files: Mapping[str, Path]) -> str:
    """Return the module of the house that a dotted name lies in, empty for none."""
    while target and target not in files:
        target = target.rpartition(".")[0]
    return target


def circles(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components of more than one node (Tarjan 1972), each sorted."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = lowest[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == index[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def circles_of_files(house: House) -> list[str]:
    """No file imports itself through others."""
    return [" → ".join(circle) for circle in circles(house.imports)]


def circles_of_rooms(house: House) -> list[str]:
    """Of the rooms side by side in a folder, none imports itself through others."""
    found = []
    for folder in sorted({name.rpartition(".")[0] for name in house.files} | {""}):
        found += [f"{folder or 'the shelves'}: {' → '.join(circle)}" for circle in circles(rooms(house, folder))]
    return found


def rooms(house: House, folder: str) -> Graph:
    """Return which of the rooms side by side in a folder imports which; the empty folder holds the packages."""
    graph: dict[str, set[str]] = {}
    for name, targets in house.imports.items():
        room = _room(name, folder)
        if room:
            graph.setdefault(room, set()).update({_room(target, folder) for target in targets} - {"", room})
    return {room: frozenset(others) for room, others in graph.items()}


def _room(name: str, folder: str) -> str:
    """Return the child of a folder that a module lies in; empty for the folder's own face and for strangers."""
    if not folder:
        return name.split(".")[0]
    return name[len(folder) + 1 :].split(".")[0] if name.startswith(f"{folder}.") else ""


def arrows_up(house: House) -> list[str]:
    """No room of the core imports one of a higher floor, and every room has a floor."""
    found = []
    for name, targets in house.imports.items():
        room = _room(name, "allocator")
        if not room:
            continue
        if room not in ORDER:
            found.append(f"{name}: the room {room} has no floor")
            continue
        for target in sorted(targets):
            other = _room(target, "allocator")
            if other in ORDER and ORDER.index(other) > ORDER.index(room):
                found.append(f"{name} → {target}")
            if target == "allocator":
                found.append(f"{name} → allocator, its own face")
    return found


def shelves_in_the_core(house: House) -> list[str]:
    """The core imports no plugin."""
    core = {name: targets for name, targets in house.imports.items() if name.split(".")[0] == "allocator"}
    return [
        f"{name} → {target}" for name, targets in core.items() for target in targets if _package(target) != "allocator"
    ]


def beyond_the_surface(house: House) -> list[str]:
    """A plugin imports `allocator.plugin` and its own package, and of the former only what its ``__all__`` lists."""
    found = []
    for name, targets in house.outside.items():
        package = _package(name)
        if package == "allocator":
            continue
        for target in sorted(targets):
            if _package(target) not in {_package(other) for other in house.files} - {package}:
                continue
            module = _resolved(target, house.files)
            listed = _listed(house, module)
            if not f"{module}.".startswith(f"{SURFACE}.") or (
                target != module and target.rpartition(".")[2] not in listed
            ):
                found.append(f"{name} → {target}")
    return found


def _package(name: str) -> str:
    return name.split(".")[0]


def _listed(house: House, module: str) -> frozenset[str]:
    for node in house.trees[module].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


def solvers_in_the_check(house: House) -> list[str]:
    """The check of an answer, ``allocator.verify``, imports nothing of the solver."""
    named = house.outside.get("allocator.verify", frozenset())
    return sorted(name for name in named if name.startswith(("cvxpy", "clarabel", "highspy", "allocator.solve")))


def countries_in_the_core(house: House) -> list[str]:
    """The core, its templates and the assets of its reports name nothing of one country: a regime declares it."""
    found = []
    for path in sorted((house.root / "allocator").rglob("*")):
        if path.suffix in WRITTEN:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                found += [f"{path.relative_to(house.root)}:{number}: {word}" for word in COUNTRY.findall(line)]
    return found


def too_long(house: House) -> list[str]:
    """A file has at most 400 lines, a function at most 60 without its documentation."""
    found = []
    for name, path in house.files.items():
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONGEST_FILE:
            found.append(f"{name}: {lines} lines")
        for node in ast.walk(house.trees[name]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                length = node.body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
                if length > LONGEST_FUNCTION:
                    found.append(f"{name}.{node.name}: {length} lines")
    return found


LAWS: tuple[Callable[[House], list[str]], ...] = (
    circles_of_files,
    circles_of_rooms,
    arrows_up,
    shelves_in_the_core,
    beyond_the_surface,
    solvers_in_the_check,
    countries_in_the_core,
    too_long,
)


def main() -> None:
    """Print what breaks each law, and how large the house is."""
    house = House(Path(__file__).resolve().parent.parent)
    for law in LAWS:
        broken = law(house)
        print(f"{law.__name__}: {len(broken)}", *broken, sep="\n  ")
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in house.files.items()}
    core = sum(count for name, count in lines.items() if _package(name) == "allocator")
    print(f"{len(lines)} files, {sum(lines.values()):,} lines, {core:,} of them in allocator/")


if __name__ == "__main__":
    main()
