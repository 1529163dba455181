"""``KEY=VALUE`` of the command line: settings changed one by one, validated anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allocator.config.load import OWN, TERM_LISTS, read_settings
from allocator.config.settings import Settings
from allocator.config.yaml import Document, parse_scalar, parse_yaml
from allocator.errors import InputError, Problem, Problems, did_you_mean
from allocator.types import Text

__all__ = ["apply_overrides", "override_texts"]


def override_texts(overrides: object) -> tuple[str, ...]:
    """Return overrides as texts, one text alone as one override.

    Raises
    ------
    InputError
        For anything else.
    """
    if isinstance(overrides, str):
        return (overrides,)
    if not isinstance(overrides, Sequence) or not all(isinstance(override, str) for override in overrides):
        what = Text("overrides are texts of the form KEY=VALUE", "overrides 应为若干 KEY=VALUE 文本")
        raise InputError(Problem(what, "overrides", repr(overrides)[:80], '["solve.gap=1bp"]'))
    return tuple(overrides)


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
    overrides = override_texts(overrides)
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
    return read_settings(document, settings.file, settings.folder, frozenset(changed), given)


def _value(key: str, text: str, problems: Problems) -> Any:
    """Return a scalar, or YAML's one-line form of a list, mapping or quoted text, restricted as in a fund file."""
    if not text.startswith(("[", "{", '"', "'")):
        return parse_scalar(text)
    content = parse_yaml(f"value: {text}", f"--set {key}", problems).content
    return content.get("value") if isinstance(content, dict) else None


def _content(settings: Settings) -> dict[str, Any]:
    """Return the settings as the fund file would state them: what was not given stays out."""
    content = settings.model_dump(exclude_unset=True, exclude=set(OWN), by_alias=True)
    for key in TERM_LISTS:
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
                if part in TERM_LISTS and not full:
                    return _missing_list(part, parts, problems)
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


def _missing_list(name: str, parts: Sequence[str], problems: Problems) -> list[str]:
    entry = ".".join(parts[1:])
    problems.add(
        Text(f"the fund file has no {name}", f"基金文件中没有 {name}"),
        f"--set {'.'.join(parts)}",
        hint=Text(
            f"add the list to the fund file, or set it whole: --set '{name}=[{{{parts[1]}: {{…}}}}]'",
            f"请在基金文件中添加该列表，或整体设置：--set '{name}=[{{{parts[1]}: {{…}}}}]'",
        )
        if entry
        else None,
    )
    return []


def _refuse(parts: Sequence[str], problems: Problems) -> list[str]:
    problems.add(
        Text("this key cannot be set to a value", "该键不能直接赋值"),
        f"--set {'.'.join(parts)}",
        hint=Text("name a key of a section, or an option of a term", "请指定某一节的键或某项规则的选项"),
    )
    return []
