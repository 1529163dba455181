"""A new plugin's project, filled in from the templates: what ``allocator plugins new`` writes."""

from __future__ import annotations

import keyword
import string
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from allocator.errors import Problem, Problems, did_you_mean
from allocator.folders import write_folder
from allocator.hooks import API_VERSION
from allocator.types import Text

__all__ = ["PARTS", "Part", "project_files", "write_project"]


@dataclass(frozen=True, slots=True)
class Part:
    """Something a new plugin may begin with.

    Parameters
    ----------
    hook : str
        Hook it enters by.
    home, spec : str
        Module and name of the specification.
    constant : str
        Name of the tuple that the template's module defines.
    label : str
        What it is, for the README.
    """

    hook: str
    home: str
    spec: str
    constant: str
    label: str


_TABLES, _TERMS, _STRESS = "allocator.plugin.tables", "allocator.plugin.terms", "allocator.plugin.stress"

PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "asset_kind": Part("allocator_asset_kinds", _TABLES, "AssetKind", "KINDS", "a kind of asset"),
        "column": Part("allocator_tables", _TABLES, "Table", "TABLES", "a column of assets.csv"),
        "constraint": Part("allocator_constraints", _TERMS, "ConstraintSpec", "CONSTRAINTS", "a rule"),
        "objective": Part("allocator_objectives", _TERMS, "ObjectiveSpec", "OBJECTIVES", "an objective"),
        "tilt": Part("allocator_tilts", _TERMS, "TiltSpec", "TILTS", "a policy tilt"),
        "return_model": Part(
            "allocator_return_models",
            _TERMS,
            "ReturnModelSpec",
            "RETURN_MODELS",
            "a model of returns",
        ),
        "risk_model": Part("allocator_risk_models", _TERMS, "RiskModelSpec", "RISK_MODELS", "a risk model"),
        "scenario": Part("allocator_scenarios", _TERMS, "ScenarioSpec", "SCENARIOS", "return scenarios"),
        "shock": Part("allocator_shocks", _STRESS, "ShockSpec", "SHOCKS", "a shock of stress tests"),
        "stress": Part("allocator_stresses", _STRESS, "StressSpec", "STRESSES", "a stress scenario"),
        "commitment": Part(
            "allocator_commitments",
            _STRESS,
            "CommitmentSpec",
            "COMMITMENTS",
            "a projection of committed funds",
        ),
        "report_section": Part(
            "allocator_report_sections",
            "allocator.plugin.report",
            "ReportSectionSpec",
            "SECTIONS",
            "a section of the report",
        ),
        "command": Part("allocator_commands", "allocator.plugin", "CommandSpec", "COMMANDS", "a command"),
    }
)
"""What ``--with`` may name, in the order in which the hooks stand."""


def write_project(name: str, parts: Sequence[str], parent: Path) -> Path:
    """Write a plugin's project into a new folder ``parent/name`` and return it.

    Parameters
    ----------
    name : str
        Name of the plugin and of its package: lower case, an identifier, of nothing that is there already.
    parts : sequence of str
        Some of `PARTS`; its tests pass as they are.
    parent : Path
        Where the folder is made.

    Raises
    ------
    InputError
        When a name cannot be used or the folder is there already.
    """
    problems = Problems()
    problems.extend(_name_problems(name))
    problems.extend(_part_problems(parts))
    folder = parent / name
    if folder.exists():
        hint = Text("choose another name: nothing is overwritten", "请换一个名称：不会覆盖已有文件")
        problems.add(Text("the folder exists already", "文件夹已存在"), str(folder), hint=hint)
    problems.raise_if_any()
    write_folder(folder, project_files(name, parts))
    return folder


def project_files(name: str, parts: Sequence[str]) -> Mapping[str, bytes]:
    """Return the files of the project by path; ``name`` and ``parts`` are valid.

    Parameters
    ----------
    name : str
        Of the plugin: an identifier in lower case.
    parts : sequence of str
        What it offers.
    """
    chosen = {key: part for key, part in PARTS.items() if key in parts}
    values = {
        "name": name,
        "distribution": name.replace("_", "-"),
        "command": name.replace("_", "-"),
        "api": API_VERSION,
        "offered": "\n".join(f"- {part.label}: `src/{name}/{key}.py`" for key, part in chosen.items()),
        "imports": "\n".join(_imports(chosen.values())),
    }
    hooks = [_fill("hook.py", values | _hook_values(key, part)) for key, part in chosen.items()]
    tests = [_fill(f"test_{key}.py", values) for key in chosen]
    values |= {"hooks": "".join(hooks), "tests": "".join(tests)}
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        ".github/workflows/test.yml": "ci.yml",
        f"src/{name}/__init__.py": "package.py",
        f"tests/test_{name}.py": "test.py",
        **{f"src/{name}/{key}.py": f"{key}.py" for key in chosen},
    }
    written = {path: f"{_fill(template, values).rstrip()}\n".encode() for path, template in files.items()}
    return written | {f"src/{name}/py.typed": b""}


def _hook_values(key: str, part: Part) -> dict[str, str]:
    return {"hook": part.hook, "spec": part.spec, "module": key, "constant": part.constant}


def _imports(parts: Iterable[Part]) -> list[str]:
    names: dict[str, set[str]] = {"allocator.plugin": {"hookimpl"}}
    for part in parts:
        names.setdefault(part.home, set()).add(part.spec)
    return [f"from {home} import {', '.join(sorted(names[home]))}" for home in sorted(names)]


def _fill(template: str, values: Mapping[str, str]) -> str:
    text = (resources.files("allocator") / "templates" / "plugin" / f"{template}.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(values)


def _name_problems(name: str) -> Iterable[Problem]:
    from allocator.extension.registry import installed_plugins

    if not name.isascii() or not name.isidentifier() or name != name.lower() or keyword.iskeyword(name):
        what = Text("the name is no lower-case Python identifier", "名称应为小写的 Python 标识符")
        yield Problem(what, "NAME", name, "my_plugin")
    elif name in {info.name for info in installed_plugins()}:
        what = Text("a plugin of this name is installed already", "已安装同名插件")
        yield Problem(what, "NAME", name, hint=Text("choose another name", "请换一个名称"))
    elif name == "allocator" or name in sys.stdlib_module_names:
        what = Text("a module of this name exists already", "已有同名模块")
        yield Problem(what, "NAME", name, hint=Text("choose another name", "请换一个名称"))


def _part_problems(parts: Sequence[str]) -> Iterable[Problem]:
    for part in parts:
        if part not in PARTS:
            what = Text("a plugin cannot begin with this", "不支持的组成部分")
            yield Problem(what, "--with", part, ", ".join(PARTS), did_you_mean(part, PARTS))
    if not parts:
        yield Problem(Text("a plugin begins with something", "至少选择一个组成部分"), "--with", "", ", ".join(PARTS))
