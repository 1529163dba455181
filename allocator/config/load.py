"""From FUND.yaml to `Settings`: every problem names file, line, key, got, allowed, and how to fix it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from allocator.config.messages import Place, translate
from allocator.config.settings import Settings
from allocator.config.yaml import LARGEST, Document, line_place, parse_yaml
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.types import Text

__all__ = [
    "OWN",
    "TERM_LISTS",
    "read_settings",
    "load_section",
    "load_settings",
    "settings_from_mapping",
    "validate_options",
    "lookup",
    "Spec",
]

Options = TypeVar("Options", bound=BaseModel)

TERM_LISTS = ("constraints", "tilts")
OWN = ("folder", "file", "lines", "overrides", "given")
"""Fields of `Settings` that are no keys of the fund file."""


def load_settings(path: Path | str) -> Settings:
    """Read and validate a fund file.

    Parameters
    ----------
    path : Path or str
        The YAML file. Paths under ``inputs:`` start at its folder.

    Raises
    ------
    InputError
        When the file cannot be read, is not valid YAML, or has keys or values that are not allowed; all
        problems at once.
    """
    if not isinstance(path, (str, Path)):
        what = Text("the path of a fund file is needed", "应为基金文件路径")
        hint = Text(
            "in Python: allocator.Fund(settings, assets=frame)", "在 Python 中：allocator.Fund(settings, assets=表)"
        )
        raise InputError(Problem(what, "load", type(path).__name__, "fund.yaml", hint))
    path = Path(path)
    problems = Problems()
    document = parse_yaml(_read_text(path), path.name, problems)
    if document.content is None and not len(problems):
        problems.add(
            Text("the file is empty", "文件为空"),
            path.name,
            hint=Text("start from `allocator init DIR`", "可用 `allocator init DIR` 生成模板"),
        )
    problems.raise_if_any()
    return read_settings(document, path.name, path.parent)


def settings_from_mapping(content: Mapping[str, Any], folder: Path | str = "") -> Settings:
    """Validate the content of a fund file given as a mapping, as `load_settings` does.

    Raises
    ------
    InputError
        Naming the dotted keys at fault.
    """
    return read_settings(Document(dict(content)), "", Path(folder))


def load_section(path: Path | str, model: type[Options]) -> Options:
    """Read a YAML file of its own, such as a batch, under the same restrictions as a fund file.

    Parameters
    ----------
    path : Path or str
        The file.
    model : type of BaseModel
        What it must hold.

    Raises
    ------
    InputError
        Naming file, line and key of every problem.
    """
    path = Path(path)
    problems = Problems()
    document = parse_yaml(_read_text(path), path.name, problems)
    problems.raise_if_any()
    frame = Settings.model_construct(file=path.name, lines=dict(document.lines), overrides=frozenset())
    content = document.content if isinstance(document.content, dict) else {}
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise InputError(translate(error, model, content, Place(frame.where))) from None


def validate_options(model: type[Options], options: Mapping[str, Any], settings: Settings, key_prefix: str) -> Options:
    """Validate the options of a regime, term or model against its own pydantic model.

    A validator of the model may raise ``ValueError(Text(en, zh))`` to speak both languages.

    Parameters
    ----------
    model : type of BaseModel
        The options' model.
    options : mapping
        As they stand in the fund file.
    settings : Settings
        The fund file, for lines.
    key_prefix : str
        Dotted key of the options, e.g. ``"capital"`` or ``"constraints.equity_ceiling"``.

    Raises
    ------
    InputError
        Naming file, line and key of every problem.
    """
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        place = Place(lambda key: settings.where(f"{key_prefix}.{key}" if key else key_prefix))
        raise InputError(translate(error, model, options, place)) from None


def _read_text(path: Path) -> str:
    """Return the file's text; the problem says why it cannot be had."""
    try:
        if not path.is_file():
            problem = Problem(
                Text("no such file", "文件不存在"),
                str(path),
                hint=did_you_mean(path.name, _neighbours(path)),
            )
            raise InputError(problem)
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise InputError(
            Problem(Text("the file cannot be read", "文件无法读取"), str(path), error.strerror or str(error))
        ) from None
    if len(content) > LARGEST:
        raise InputError(
            Problem(
                Text("the file is too large for a fund file", "组合文件过大"),
                path.name,
                None,
                f"≤ {LARGEST // 1024} KiB",
                Text("keep tables in files of their own under inputs", "请将数据表放在 inputs 所列的文件中"),
            )
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            Problem(
                Text("the file is not UTF-8", "文件不是 UTF-8 编码"),
                line_place(path.name, line),
                hint=Text("save it as UTF-8", "请另存为 UTF-8 编码"),
            )
        ) from None


def _neighbours(path: Path) -> list[str]:
    try:
        return [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        return []


def read_settings(
    document: Document,
    file: str,
    folder: Path,
    overrides: frozenset[str] = frozenset(),
    given: tuple[str, ...] = (),
) -> Settings:
    """Validate a document's content; term lists are brought to their typed form first."""
    problems = Problems()
    lines = dict(document.lines)
    frame = Settings.model_construct(file=file, lines=lines, overrides=overrides)
    if not isinstance(document.content, dict):
        raise InputError(
            Problem(Text("the file must hold sections", "文件应由若干节组成"), file, None, "fund:, inputs:, …")
        )
    content = {str(key): value for key, value in document.content.items() if value is not None}
    for key in OWN:
        if key in content:
            content[f"{key} "] = content.pop(key)
    for key in TERM_LISTS:
        if key in content:
            content[key] = _terms(content[key], key, frame, problems)
    own = {"folder": folder, "file": file, "lines": lines, "overrides": overrides, "given": given}
    try:
        settings = Settings.model_validate({**content, **own})
    except ValidationError as error:
        problems.extend(translate(error, Settings, {**content, **own}, Place(frame.where, OWN)))
        refused = InputError(problems)
        refused.partial = _without_faults(content, own, error)
        raise refused from None
    _check_sections(settings, problems)
    if len(problems):
        refused = InputError(problems)
        refused.partial = settings
        raise refused
    return settings


def _without_faults(content: dict[str, Any], own: dict[str, Any], error: ValidationError) -> Settings | None:
    """Return the settings without the values that were refused; None where the file needs them."""
    kept = copy.deepcopy(content)
    for details in error.errors(include_url=False):
        at: Any = kept
        for part in details["loc"][:-1]:
            inner = at.get(part) if isinstance(at, dict) else None
            if not isinstance(inner, dict):
                break
            at = inner
        else:
            part = details["loc"][-1]
        if isinstance(at, dict):
            at.pop(part, None)
    try:
        return Settings.model_validate({**kept, **own})
    except ValidationError:
        return None


def _terms(entries: Any, key: str, frame: Settings, problems: Problems) -> list[dict[str, Any]]:
    """Return ``[name | {name: options}, …]`` as name, options and position; names get lines of their own."""
    if not isinstance(entries, list):
        problems.add(
            Text("must be a list of terms", "应为规则列表"),
            frame.where(key),
            hint=Text("begin each entry with a dash: - name: {option: value}", "每项以短横线开头：- 名称: {选项: 值}"),
        )
        return []
    terms: list[dict[str, Any]] = []
    for position, entry in enumerate(entries):
        name, options = (entry, {}) if isinstance(entry, str) else _single(entry)
        if name is None:
            problems.add(
                Text("each entry is a name, or one name with its options", "每项应为名称，或单个名称及其选项"),
                frame.where(f"{key}.{position}"),
                str(list(entry) if isinstance(entry, dict) else entry)[:80],
                "- name  |  - name: {option: value}",
                Text("indent the options below the name", "选项应缩进在名称之下"),
            )
            continue
        for known in [known for known in frame.lines if known.startswith(f"{key}.{position}.{name}")]:
            tail = known.removeprefix(f"{key}.{position}.")
            frame.lines.setdefault(f"{key}.{tail}", frame.lines[known])
        frame.lines.setdefault(f"{key}.{name}", frame.lines.get(f"{key}.{position}", 0))
        terms.append({"name": name, "options": options, "position": position})
    return terms


def _single(entry: Any) -> tuple[str | None, dict[str, Any]]:
    if not isinstance(entry, dict) or len(entry) != 1:
        return None, {}
    ((name, options),) = entry.items()
    if options is None:
        return str(name), {}
    return (str(name), options) if isinstance(options, dict) else (None, {})


def _check_sections(settings: Settings, problems: Problems) -> None:
    """What one key says about another."""
    objective = settings.objective
    if (objective.maximize is None) == (objective.minimize is None):
        problems.add(
            Text("name one objective: maximize or minimize", "须且只须指定一个目标：maximize 或 minimize"),
            settings.where("objective"),
            allowed="maximize | minimize",
        )
    for name, account in settings.accounts.items():
        if account.budget is not None and (account.min is not None or account.max is not None):
            problems.add(
                Text(
                    "budget fixes the sum: min and max have no place beside it",
                    "budget 已固定总额，不能再给 min 或 max",
                ),
                settings.where(f"accounts.{name}"),
            )
        if account.min is not None and account.max is not None and account.min > account.max:
            problems.add(
                Text("min is greater than max", "下限大于上限"),
                settings.where(f"accounts.{name}"),
                f"{account.min:g} > {account.max:g}",
            )


Spec = TypeVar("Spec")


def lookup(offered: Mapping[str, Spec], name: str, where: str) -> Spec:
    """Return what is offered under a name; InputError with the nearest when nothing is."""
    if name in offered:
        return offered[name]
    raise InputError(
        Problem(
            Text("no enabled plugin offers this name", "没有已启用的插件提供该名称"),
            where,
            name,
            ", ".join(sorted(offered)) or "none",
            did_you_mean(name, offered),
        )
    )
