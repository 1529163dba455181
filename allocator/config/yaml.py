"""Fund files as plain values with line numbers: a strict, bounded subset of YAML.

Refused are tags, merge keys, duplicate keys, keys that are not scalars, several documents, nesting beyond
`DEEPEST` levels and more than `MOST_VALUES` values after aliases are expanded. Scalars are text, null, true
and false, decimal integers, decimal numbers and ISO dates; ``yes``, ``on``, ``010`` and ``1:30`` are text, and
a key is always text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from allocator.errors import Problem, Problems
from allocator.types import LocalizedPhrase, Text

__all__ = ["Document", "line_place", "parse_scalar", "parse_yaml"]

LARGEST = 512 * 1024
DEEPEST = 32
MOST_VALUES = 50_000

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LEADING_ZERO = re.compile(r"[+-]?0\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Parameters
    ----------
    content : object
        Mappings, lists and scalars.
    lines : dict of str to int
        Dotted key (list items by number) → line, from 1.
    """

    content: Any
    lines: dict[str, int] = field(default_factory=dict)


def line_place(file: str, line: int, key: str = "") -> str:
    """Return a place in a YAML file: file, line, key.

    Parameters
    ----------
    file : str
        Name of the file.
    line : int
        Counted from one.
    key : str
        Dotted key; empty for none.
    """
    return LocalizedPhrase(
        ", ".join(filter(None, (file, f"line {line}", key))), "，".join(filter(None, (file, f"第 {line} 行", key)))
    )


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.render())
        self.problem = problem


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses tags and deep nesting before the composer recurses into them."""

    depth = 0
    file = ""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if getattr(event, "tag", None) not in (None, "!"):
            raise _Refused(
                Problem(
                    Text("tags are not allowed", "不允许使用 YAML 标签"),
                    line_place(self.file, line),
                    str(event.tag),
                    hint=Text("write the plain value", "请直接写值"),
                )
            )
        if self.depth >= DEEPEST:
            raise _Refused(
                Problem(
                    Text("nested too deeply", "嵌套过深"),
                    line_place(self.file, line),
                    None,
                    LocalizedPhrase(f"≤ {DEEPEST} levels", f"≤ {DEEPEST} 层"),
                )
            )
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def parse_scalar(text: str) -> Any:
    """Return a plain scalar as null, boolean, int, float, date or the text itself."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and not _LEADING_ZERO.match(text):
        return float(text)
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text


def parse_yaml(text: str, file: str, problems: Problems) -> Document:
    """Return the values and lines of a YAML text; what is wrong goes to ``problems``.

    Parameters
    ----------
    text : str
        The file's content.
    file : str
        Its name, for messages.
    problems : Problems
        Receives syntax errors, duplicate keys and everything refused; the content is then partial.
    """
    try:
        loader = _Loader(text)
        loader.file = file
        node = loader.get_single_node()
        reader = _Reader(file, problems)
        content = reader.value(node, "", 0) if node is not None else None
    except _Refused as refused:
        problems.extend((refused.problem,))
        return Document(None)
    except yaml.YAMLError as error:
        problems.extend((_syntax_problem(error, file),))
        return Document(None)
    return Document(content, reader.lines)


class _Reader:
    """Turns nodes into values, counting them: an alias counts as all that it stands for."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.lines: dict[str, int] = {}
        self._file = file
        self._problems = problems
        self._count = 0

    def value(self, node: Node, key: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > MOST_VALUES or depth > DEEPEST:
            raise _Refused(
                Problem(
                    Text("aliases expand to too many values", "别名展开后的内容过多"),
                    line_place(self._file, line),
                    None,
                    LocalizedPhrase(
                        f"≤ {MOST_VALUES:,} values, ≤ {DEEPEST} levels", f"≤ {MOST_VALUES:,} 个值，≤ {DEEPEST} 层"
                    ),
                )
            )
        self.lines.setdefault(key, line)
        if isinstance(node, ScalarNode):
            return parse_scalar(node.value) if node.style is None else node.value
        if isinstance(node, SequenceNode):
            return [self.value(item, _join(key, str(place)), depth + 1) for place, item in enumerate(node.value)]
        assert isinstance(node, MappingNode)
        return self._mapping(node, key, depth)

    def _mapping(self, node: MappingNode, key: str, depth: int) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for name, item in node.value:
            line = name.start_mark.line + 1
            if not isinstance(name, ScalarNode) or name.tag == "tag:yaml.org,2002:merge":
                self._problems.add(
                    Text("a key must be plain text", "键必须是普通文本"),
                    line_place(self._file, line),
                    hint=Text("merge keys (<<) are not supported", "不支持合并键（<<）"),
                )
                continue
            full = _join(key, name.value)
            if name.value in content:
                self._problems.add(
                    Text("the key appears twice", "键重复"),
                    line_place(self._file, line, full),
                    hint=Text(f"it stands in line {self.lines[full]} already", f"该键已在第 {self.lines[full]} 行出现"),
                )
                continue
            self.lines[full] = line
            content[name.value] = self.value(item, full, depth + 1)
        return content


def _join(key: str, part: str) -> str:
    return f"{key}.{part}" if key else part


def _syntax_problem(error: yaml.YAMLError, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = file
    if mark is not None:
        line, column = mark.line + 1, mark.column + 1
        place = LocalizedPhrase(f"{file}, line {line}, column {column}", f"{file}，第 {line} 行第 {column} 列")
    detail = getattr(error, "problem", None) or getattr(error, "reason", None)
    return Problem(
        Text("the file is not valid YAML", "文件不是有效的 YAML"),
        place,
        str(detail) if detail else None,
        hint=Text(
            "check indentation (spaces, no tabs), colons followed by a space, and quotes",
            "请检查缩进（用空格，不用制表符）、冒号后的空格以及引号",
        ),
    )
