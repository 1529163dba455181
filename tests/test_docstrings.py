"""Public functions say what they are handed: of two parameters or more each with shape and unit, and what they raise.

Public is what a module's ``__all__`` names: its functions, and the methods of its classes that carry a docstring of
their own (one that takes another's place is described there).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = [
    "allocator/capital",
    "allocator/errors.py",
    "allocator/model",
    "allocator/result",
    "allocator/rulebook",
    "allocator/solve",
    "allocator/stress",
    "allocator/study",
    "allocator/testing",
    "allocator/verify.py",
    "constraints/allocator_alm",
    "constraints/allocator_eligibility",
    "constraints/allocator_limits",
    "constraints/allocator_liquidity",
    "plugins",
]
"""Where every public function does; the other rooms are to join."""


def public_functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield name and definition of each."""
    named: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            named = set(ast.literal_eval(node.value))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in named:
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name in named:
            for method in node.body:
                if (
                    isinstance(method, ast.FunctionDef)
                    and not method.name.startswith("_")
                    and ast.get_docstring(method)
                ):
                    yield f"{node.name}.{method.name}", method


def lacking(function: ast.FunctionDef) -> Iterator[str]:
    """Yield what a docstring lacks: the sections, or a parameter in them."""
    text = ast.get_docstring(function) or ""
    given = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    given = [name for name in given if name not in ("self", "cls")]
    if len(given) > 1:
        _, found, section = text.partition("Parameters\n----------\n")
        heads = [line.split(" : ")[0] for line in section.split("\n\n")[0].splitlines() if not line.startswith(" ")]
        described = {name.strip(" *") for head in heads for name in head.split(",")}
        if not found:
            yield "no Parameters"
        elif missing := [name for name in given if name not in described]:
            yield f"no word on {', '.join(missing)}"
    raises = any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(function))
    if raises and "Raises\n------\n" not in text:
        yield "no Raises"


def offenders(room: Path) -> list[str]:
    """Return every public function below a folder, or in a file, whose docstring lacks something."""
    paths = [room] if room.suffix == ".py" else sorted(room.rglob("*.py"))
    return [
        f"{path.relative_to(room.parent)}: {name}: {what}"
        for path in paths
        for name, function in public_functions(ast.parse(path.read_text(encoding="utf-8")))
        for what in lacking(function)
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_describe_their_parameters_and_what_they_raise(room: str) -> None:
    found = offenders(ROOT / room)
    assert not found, f"{len(found)}:\n" + "\n".join(found)


def test_what_is_missing_is_found(tmp_path: Path) -> None:
    text = '''__all__ = ["plain", "raising", "half", "Thing"]
def plain(one, two):
    """Add."""
def raising(one):
    """Refuse."""
    raise ValueError(one)
def half(one, two):
    """Add.

    Parameters
    ----------
    one : float
        CNY.
    """
def _private(one, two): ...
class Thing:
    def both(self, one, two):
        """Add.

        Parameters
        ----------
        one, two : float
            CNY.
        """
    def inherited(self, one, two): ...
'''
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "some.py").write_text(text, encoding="utf-8")
    found = [line.partition(": ")[2] for line in offenders(tmp_path / "room")]
    assert found == ["plain: no Parameters", "raising: no Raises", "half: no word on two"]
