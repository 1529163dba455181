"""The syntax tree of a rule: arithmetic on one side, tests of rows on the other."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Aggregate",
    "Blank",
    "Both",
    "Column",
    "Compare",
    "Contains",
    "Either",
    "Literal",
    "Member",
    "Minus",
    "Node",
    "Not",
    "Number",
    "Product",
    "Rule",
    "Sum",
    "Test",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A number; ``money`` when its unit is one of CNY."""

    at: int
    value: float
    money: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A name: a column of assets.csv (``issuer.x`` of issuers.csv), or a total outside sums."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Minus:
    """The negative of something."""

    at: int
    inner: Node


@dataclass(frozen=True, slots=True)
class Sum:
    """Parts added up, each with its sign."""

    at: int
    parts: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors multiplied, or divided by where the flag says so, each with the place of its operator."""

    at: int
    factors: tuple[tuple[bool, int, Node], ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``sum`` over the rows of the group, ``total`` (``whole``) over all rows."""

    at: int
    whole: bool
    measure: Node
    where: Test | None


Node = Number | Column | Minus | Sum | Product | Aggregate


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a test: text, number or truth."""

    at: int
    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands and how they compare."""

    at: int
    sign: str
    left: Column | Literal
    right: Column | Literal


@dataclass(frozen=True, slots=True)
class Member:
    """Whether a column is among values."""

    at: int
    column: Column
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """Whether a list in a cell holds a value."""

    at: int
    column: Column
    value: Literal


@dataclass(frozen=True, slots=True)
class Blank:
    """Whether a cell is empty."""

    at: int
    column: Column


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a test."""

    at: int
    inner: Test


@dataclass(frozen=True, slots=True)
class Both:
    """Whether all tests hold."""

    at: int
    parts: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Whether any test holds."""

    at: int
    parts: tuple[Test, ...]


Test = Column | Compare | Member | Contains | Blank | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Rule:
    """A whole rule: ``sides`` with ``signs`` between them; ``each`` the column that makes one row per value."""

    sides: tuple[Node, ...]
    signs: tuple[tuple[int, str], ...]
    each: Column | None = None
    where: Test | None = None
