"""Small values shared by every room: bilingual text, sources, declarations of kinds and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

__all__ = [
    "AssetKind",
    "Certainty",
    "Column",
    "Declarations",
    "EMPTY",
    "Language",
    "Measure",
    "LocalizedPhrase",
    "Source",
    "Table",
    "Text",
    "visible",
]


class Language(StrEnum):
    """A language the library speaks."""

    ENGLISH = "en"
    CHINESE = "zh"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in both languages.

    Parameters
    ----------
    en, zh : str
        The English and the Chinese wording. Neither may be empty.
    """

    en: str
    zh: str

    def __post_init__(self) -> None:
        if not self.en or not self.zh:
            raise ValueError(f"a Text needs both languages, got en={self.en!r}, zh={self.zh!r}")

    def __getitem__(self, language: str) -> str:
        return self.zh if language == Language.CHINESE else self.en

    def __str__(self) -> str:
        return self.en


_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control and format characters: those that steer a terminal, turn the direction of writing or show nothing."""

_HIDDEN_BUT_LINES = re.compile(f"(?!\n){_HIDDEN.pattern}")


def visible(text: str, *, lines: bool = False) -> str:
    """Return text with control and format characters as escapes, ``\\u202e``; ``lines`` keeps the ends of lines.

    Names of the user's reach terminals and pages through it.
    """
    pattern = _HIDDEN_BUT_LINES if lines else _HIDDEN
    return text if text.isprintable() else pattern.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class LocalizedPhrase(str):
    """A str in English that knows its Chinese: ``LocalizedPhrase(en, zh)``, for a place in a file or a value allowed.

    Joined into other text it is plain English.
    """

    zh: str

    def __new__(cls, en: str, zh: str) -> LocalizedPhrase:
        phrase = super().__new__(cls, en)
        phrase.zh = zh
        return phrase

    def __reduce__(self) -> tuple[type[LocalizedPhrase], tuple[str, str]]:
        return LocalizedPhrase, (str(self), self.zh)


class Certainty(StrEnum):
    """How a figure is known: read in the rule itself, in secondary sources, or recalled."""

    RULE_TEXT = "A"
    SECONDARY = "B"
    RECALLED = "C"
    USER = "user"


EMPTY = LocalizedPhrase("empty", "空")
"""What an empty cell is called in messages."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure or a rule comes from.

    Parameters
    ----------
    document : str
        The document, e.g. ``"银保监发〔2021〕51号"``, or ``"user"`` for the user's own limit.
    article : str
        Rule and article in short, e.g. ``"R8 §26"``; empty when there is none.
    effective : str
        ISO date from which it applies; empty when it always does.
    certainty : Certainty
        How sure the figure is.
    """

    document: str
    article: str = ""
    effective: str = ""
    certainty: Certainty = Certainty.RULE_TEXT

    def __str__(self) -> str:
        return " ".join(part for part in (self.document, self.article) if part)

    @property
    def text(self) -> Text:
        """What a reader sees: a document keeps its own name, unless the book gives it in English too."""
        chinese = (part.zh if isinstance(part, LocalizedPhrase) else part for part in (self.document, self.article))
        return Text(str(self), " ".join(part for part in chinese if part))


class Measure(StrEnum):
    """How the cells of a column are read.

    ``MONEY`` is multiplied by ``fund.unit`` (or by the heading's own 元 / 万元 / 亿元) and held in CNY.
    ``RATE`` accepts ``3.5%`` and ``0.035``. ``FLAG`` accepts true/false, yes/no, 1/0, 是/否.
    ``CHOICE`` takes one of ``Column.choices``; ``LIST`` is text split at ``;``.
    """

    TEXT = "text"
    MONEY = "money"
    RATE = "rate"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a table may hold.

    Parameters
    ----------
    name : str
        The English heading, also the name in the checked frame.
    measure : Measure
        How cells are read.
    label : Text
        What it is, for messages and templates.
    aliases : tuple of str
        Other headings accepted (Chinese ones, say). Compared without case and white space.
    choices : mapping of str to tuple of str
        For ``CHOICE``: canonical value → other spellings accepted.
    minimum, maximum : float or None
        Inclusive range of a numeric cell, in the file's unit for ``MONEY``.
    required : bool
        Whether the column must be present with every cell filled.
    default : object
        What an empty cell means; ``None`` keeps it empty (NaN, NaT or ``None``).
    words : mapping of str to float
        For numbers: words that stand for one, such as 半年付 for 2 payments a year.
    """

    name: str
    measure: Measure
    label: Text
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    default: object = None
    words: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Table:
    """A table the fund file may name under ``inputs:``; several plugins may add columns to one table.

    Parameters
    ----------
    name : str
        Key under ``inputs:``.
    columns : tuple of Column
        Declared columns.
    key : tuple of str
        Columns that together identify a row; a repeated key is an error. Empty: rows may repeat.
    open : bool
        Whether further columns are kept (as text or numbers) instead of refused.
    references : mapping of str to tuple of str
        Column → (table, column) whose values it must be among, when that table is given; further pairs may
        follow, and one of them suffices.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    open: bool = False
    references: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class AssetKind:
    """A kind of asset that a plugin declares.

    Parameters
    ----------
    name : str
        The value in the ``kind`` column.
    label : Text
        For reports.
    group : str
        A coarse group for reports and charts, e.g. ``"fixed_income"``.
    aliases : tuple of str
        Other spellings accepted.
    derivative : bool
        Whether amounts are signed notionals outside budgets and weights.
    theme : Text or None
        What the first page of a report states the share of, before and after; kinds of one theme are added up.
    """

    name: str
    label: Text
    group: str
    aliases: tuple[str, ...] = ()
    derivative: bool = False
    theme: Text | None = None


class Declarations(Protocol):
    """What the enabled plugins declare of the input tables, whoever collected it."""

    @property
    def kinds(self) -> Mapping[str, AssetKind]:
        """Asset kinds by name."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Tables by name, with the columns of all plugins merged."""
