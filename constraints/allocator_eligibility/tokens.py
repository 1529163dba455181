"""From the text of a rule to tokens."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum, auto

from allocator.plugin import Text
from allocator_eligibility.faults import Fault

__all__ = ["KEYWORDS", "MAX_LENGTH", "Sort", "Token", "tokens"]

MAX_LENGTH = 2000
"""Longest rule, in characters."""

KEYWORDS = frozenset(
    ("sum", "total", "where", "and", "or", "not", "in", "of", "for", "each", "is", "blank", "contains", "true", "false")
)

_UNITS = {
    "%": (1e-2, False),
    "％": (1e-2, False),
    "bp": (1e-4, False),
    "bps": (1e-4, False),
    "cny": (1.0, True),
    "元": (1.0, True),
    "万": (1e4, True),
    "万元": (1e4, True),
    "million": (1e6, True),
    "亿": (1e8, True),
    "亿元": (1e8, True),
    "billion": (1e9, True),
}
_SAME = {
    **{"≤": "<=", "≥": ">=", "≠": "!=", "<>": "!=", "×": "*", "（": "(", "）": ")", "，": ",", "：": ":"},
    **{"<": "<", "＜": "<", "＞": ">", "＝": "=", "＋": "+", "－": "-", "−": "-", "[": "(", "]": ")", "、": ","},
}
_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    (?:\s*(?P<unit>%|％|亿元|亿|万元|万|元|(?:bps|bp|cny|million|billion)(?!\w)))?
  | "(?P<double>[^"\n]*)" | '(?P<single>[^'\n]*)' | “(?P<wide>[^”\n]*)” | ‘(?P<narrow>[^’\n]*)’
  | `(?P<quoted>[^`\n]+)`
  | (?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)?)
  | (?P<mark><=|>=|==|!=|<>|[≤≥≠<>=＜＞＝+\-*/×＋－−()（）\[\],，、:：])
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Sort(Enum):
    """What a token is."""

    NUMBER = auto()
    MONEY = auto()
    STRING = auto()
    NAME = auto()
    KEYWORD = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token: ``text`` is the name, keyword (lower case), mark or string; ``value`` the number, in CNY for money."""

    sort: Sort
    at: int
    text: str
    value: float = 0.0


def tokens(rule: str) -> list[Token]:
    """Return the tokens of a rule, closed by one of sort END.

    Raises
    ------
    Fault
        At the first character that begins no token.
    """
    if len(rule) > MAX_LENGTH:
        raise Fault(MAX_LENGTH, Text("the rule is too long", "规则过长"), f"{MAX_LENGTH} characters")
    found: list[Token] = []
    place = 0
    while place < len(rule):
        match = _PATTERN.match(rule, place)
        if match is None:
            raise _unreadable(rule, place)
        if match.lastgroup != "space":
            found.append(_token(match))
        place = match.end()
    return [*found, Token(Sort.END, len(rule), "")]


def _token(match: re.Match[str]) -> Token:
    at, groups = match.start(), match.groupdict()
    if groups["number"] is not None:
        factor, money = _UNITS[groups["unit"].lower()] if groups["unit"] else (1.0, False)
        value = float(groups["number"]) * factor
        if not math.isfinite(value):
            raise Fault(at, Text("the number is too large", "数值过大"))
        return Token(Sort.MONEY if money else Sort.NUMBER, at, match.group(), value)
    if groups["mark"] is not None:
        return Token(Sort.MARK, at, _SAME.get(groups["mark"], groups["mark"]))
    if groups["name"] is not None:
        word = groups["name"]
        return Token(Sort.KEYWORD, at, word.lower()) if word.lower() in KEYWORDS else Token(Sort.NAME, at, word)
    if groups["quoted"] is not None:
        return Token(Sort.NAME, at, groups["quoted"].strip())
    return Token(Sort.STRING, at, next(groups[name] for name in _QUOTES if groups[name] is not None))


_QUOTES = ("double", "single", "wide", "narrow")


def _unreadable(rule: str, place: int) -> Fault:
    if rule[place] in "\"'“‘`":
        return Fault(place, Text("the quotation mark is never closed", "引号没有闭合"))
    what = Text(f"unexpected character {rule[place]!r}", f"无法识别的字符 {rule[place]!r}")
    return Fault(place, what)
