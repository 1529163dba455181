"""From FUND.yaml to `Settings`: every problem names file, line, key, what was got, what is allowed, and a cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from allocator.config.messages import Place, translate
from allocator.config.settings import Settings
from allocator.config.yaml import LARGEST, Document, line_place, parse_scalar, parse_yaml
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.types import Text

__all__ = [
    "apply_overrides",
    "load_section",
    "load_settings",
    "settings_from_mapping",
    "validate_options",
    "choose",
    "Spec",
]

Options = TypeVar("Options", bound=BaseModel)

_TERM_LISTS = ("constraints", "tilts")
_OWN = ("folder", "file", "lines", "overrides", "given")
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
    return _settings(document, path.name, path.parent)


def settings_from_mapping(content: Mapping[str, Any], folder: Path | str = "") -> Settings:
    """Validate the content of a fund file given as a mapping, as `load_settings` does.

    Raises
    ------
    InputError
        Naming the dotted keys at fault.
    """
    return _settings(Document(dict(content)), "", Path(folder))


def apply_overrides(settings: Settings, overrides: Sequence[str]) -> Settings:
    """Return the settings with ``KEY=VALUE`` applied, validated anew.

    Parameters
    ----------
    settings : Settings
        A validated fund file.
    overrides : sequence of str
        Such as ``"capital.require.comprehensive=2.0"``; a list item is named by number or, for terms, by
        name (``"constraints.equity_ceiling.max=0.3"``). Values are YAML scalars.

    Raises
    ------
    InputError
        For text without ``=``, terms the file does not mention, and whatever validation refuses.
    """
    if not overrides:
        return settings
    content = _content(settings)
    problems = Problems()
    changed = set(settings.overrides)
    for override in overrides:
        key, found, value = override.partition("=")
        parts = [part.strip() for part in key.split(".")]
        if not found or not all(parts):
            problems.add(Text("not of the form KEY=VALUE", "格式应为 KEY=VALUE"), "--set", override)
            continue
        changed.update(_set(content, parts, _value(key, value.strip(), problems), problems))
    problems.raise_if_any()
    document = Document(content, dict(settings.lines))
    given = (*settings.given, *overrides)
    return _settings(document, settings.file, settings.folder, frozenset(changed), given)


def _value(key: str, text: str, problems: Problems) -> Any:
    """Return a scalar, or YAML's one-line form of a list, mapping or quoted text, restricted as in a fund file."""
    if not text.startswith(("[", "{", '"', "'")):
        return parse_scalar(text)
    content = parse_yaml(f"value: {text}", f"--set {key}", problems).content
    return content.get("value") if isinstance(content, dict) else None


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
                Text("the file is too large for a fund file", "基金文件过大"),
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


def _settings(
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
    for key in _OWN:
        if key in content:
            content[f"{key} "] = content.pop(key)
    for key in _TERM_LISTS:
        if key in content:
            content[key] = _terms(content[key], key, frame, problems)
    own = {"folder": folder, "file": file, "lines": lines, "overrides": overrides, "given": given}
    try:
        settings = Settings.model_validate({**content, **own})
    except ValidationError as error:
        problems.extend(translate(error, Settings, {**content, **own}, Place(frame.where, _OWN)))
        raise InputError(problems) from None
    _check_sections(settings, problems)
    problems.raise_if_any()
    return settings


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


def _content(settings: Settings) -> dict[str, Any]:
    """Return the settings as the fund file would state them: what was not given stays out."""
    content = settings.model_dump(exclude_unset=True, exclude=set(_OWN), by_alias=True)
    for key in _TERM_LISTS:
        if key in content:
            content[key] = [{term["name"]: dict(term.get("options", {}))} for term in content[key]]
    return content


def _set(content: dict[str, Any], parts: list[str], value: Any, problems: Problems) -> list[str]:
    """Set one key in place; return its dotted forms: as written, and with terms by number and name."""
    at: Any = content
    full: list[str] = []
    for place, part in enumerate(parts[:-1]):
        if isinstance(at, list):
            position, name = _item(at, part, parts, problems)
            if position is None:
                return []
            at = at[position] if name is None else at[position][name]
            full += [str(position), *([name] if name else [])]
        elif isinstance(at, dict):
            if at.get(part) is None:
                at[part] = {}
            at = at[part]
            full.append(part)
        else:
            return _refuse(parts[:place], problems)
    if not isinstance(at, dict):
        return _refuse(parts, problems)
    at[parts[-1]] = value
    return [".".join(parts), ".".join([*full, parts[-1]])]


def _item(
    items: list[Any], part: str, parts: Sequence[str], problems: Problems
) -> tuple[int, str | None] | tuple[None, None]:
    """Return the position of the list's item of that number or name, and the name its options stand under."""
    names = [next(iter(item)) if isinstance(item, dict) and len(item) == 1 else None for item in items]
    if part.isdecimal() and int(part) < len(items):
        return int(part), names[int(part)]
    if part in names:
        return names.index(part), part
    known = [name for name in names if name]
    problems.add(
        Text("the fund file does not mention this entry", "基金文件中没有该项"),
        f"--set {'.'.join(parts)}",
        part,
        ", ".join(known) or None,
        did_you_mean(part, known),
    )
    return None, None


def _refuse(parts: Sequence[str], problems: Problems) -> list[str]:
    problems.add(
        Text("this key cannot be set to a value", "该键不能直接赋值"),
        f"--set {'.'.join(parts)}",
        hint=Text("name a key of a section, or an option of a term", "请指定某一节的键或某项规则的选项"),
    )
    return []


Spec = TypeVar("Spec")


def choose(offered: Mapping[str, Spec], name: str, where: str) -> Spec:
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
