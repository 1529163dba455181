"""What is public is complete, documented, and all that the plugin template uses."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import griffe
import pytest
from public_names import SURFACE

import allocator
from allocator import errors
from allocator.testing.scaffold import PARTS, project_files

ROOT = Path(__file__).resolve().parent.parent
TABLE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


@cache
def package() -> griffe.Module:
    """Return the package as it is read from its source, docstrings of attributes included."""
    loader = griffe.GriffeLoader(search_paths=[str(ROOT)], docstring_parser="numpy")
    loaded = loader.load("allocator")
    loader.resolve_aliases()
    assert isinstance(loaded, griffe.Module)
    return loaded


def public(kind: griffe.Kind | None = None) -> Iterator[tuple[str, str, griffe.Object]]:
    """Yield module, name and definition of every public name."""
    for module in SURFACE:
        for name in import_module(module).__all__:
            if not name.startswith("_"):  # but for __version__
                found = package()[f"{module}.{name}".removeprefix("allocator.")]
                target = found.final_target if isinstance(found, griffe.Alias) else found
                if kind is None or target.kind is kind:
                    yield module, name, target


def explained(found: griffe.Object) -> list[str]:
    """Return the parameters that a docstring describes."""
    assert found.docstring
    parts = found.docstring.parse("numpy", warnings=False)
    return [each.name.strip("*") for part in parts if part.kind.value == "parameters" for each in part.value]


def test_a_fresh_interpreter_lists_every_name_of_the_package() -> None:
    code = "import json, allocator as a; print(json.dumps([dir(a), [n for n in dir(a) if not hasattr(a, n)]]))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    listed, absent = json.loads(run.stdout)
    assert set(allocator.__all__) <= set(listed)
    assert absent == []


def test_the_package_offers_the_facade_and_every_error() -> None:
    facade = set(import_module("allocator.api").__all__)
    raised = {
        name
        for name in errors.__all__
        if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), errors.AllocatorError)
    }
    assert len(raised) > 5
    assert facade | raised <= set(allocator.__all__)


@pytest.mark.parametrize("module", SURFACE)
def test_a_module_lists_what_it_has(module: str) -> None:
    loaded = import_module(module)
    assert loaded.__doc__
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    for name in loaded.__all__:
        assert hasattr(loaded, name), name


@pytest.mark.parametrize("module", [name for name in SURFACE if name != "allocator"])
def test_the_page_of_plugins_names_every_module(module: str) -> None:
    assert f"\n| `{module}` |" in TABLE


def test_every_public_name_has_a_docstring() -> None:
    found = list(public())
    assert len(found) > 100
    assert [f"{module}.{name}" for module, name, each in found if not each.docstring or each.is_module] == []


def test_every_public_function_explains_its_parameters() -> None:
    """One with two parameters or more has a section that names each of them."""
    silent = []
    for module, name, found in public(griffe.Kind.FUNCTION):
        assert isinstance(found, griffe.Function)
        asked = [parameter.name for parameter in found.parameters]
        if len(asked) > 1:
            silent += [f"{module}.{name}: {each}" for each in asked if each not in explained(found)]
    assert silent == []


def test_every_docstring_fits_its_signature() -> None:
    """A class or function describes no parameter that it does not have."""
    wrong = []
    for module, name, found in public():
        if isinstance(found, griffe.Function | griffe.Class) and found.docstring:
            taken = {parameter.name for parameter in found.parameters}
            wrong += [f"{module}.{name}: {each}" for each in explained(found) if each not in taken]
    assert wrong == []


def test_the_template_of_a_plugin_uses_public_names_only() -> None:
    imported = set()
    for path, content in project_files("one", list(PARTS)).items():
        for node in ast.walk(ast.parse(content)) if path.endswith(".py") else ():
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "allocator":
                imported |= {(str(node.module), alias.name) for alias in node.names}
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("allocator.") for alias in node.names), path
    assert len(imported) > 20
    for module, name in imported:
        assert module in SURFACE and name in import_module(module).__all__, f"{module}.{name}"
