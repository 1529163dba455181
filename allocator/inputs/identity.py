"""Codes and names that identify: one normal form, so that two spellings of one issuer are one issuer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.inputs.cells import Parsed, parse_words, plain_text
from allocator.inputs.distinct import EMPTY, distinct_of
from allocator.types import Measure, Table

__all__ = ["identities", "identity", "likely_the_same", "parse_identities"]

PARTIES = frozenset({"issuer", "counterparty"})
"""Columns that name a company whether or not a table of companies is given."""

_MISSING = frozenset({"nan", "null", "none", "n/a", "na", "nat", "<na>", "–", "无", "不适用", "暂无", "不详"})
_PLAIN = bytes(byte for byte in range(0x21, 0x7F) if chr(byte) not in "'=\"")
"""Bytes of codes that are in normal form already."""
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_FORMULA = re.compile(r'=\s*"(.*)"')
_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)
_BETWEEN_CHINESE = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_LEGAL_FORM = re.compile(r"(股份有限公司|有限责任公司|有限公司|集团|公司|,?(co|corp|inc|ltd|limited|company)\.?)+$")
_PUNCTUATION = re.compile(r"[\W_]+")


def identities(table: Table) -> frozenset[str]:
    """Return the text columns of a table that identify an asset or a company."""
    named = {*table.key, *table.references, *PARTIES}
    return frozenset(column.name for column in table.columns if column.measure is Measure.TEXT and column.name in named)


def identity(text: str) -> str:
    """Return a code or name in normal form.

    Half-width, without surrounding or invisible characters, inner blanks single and none beside Chinese. What a
    spreadsheet wraps around a code (``="600519"``, ``'600519``) or leaves behind it (``600519.0``) is taken off.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).strip()
    wrapped = _FORMULA.fullmatch(plain)
    plain = wrapped[1].strip() if wrapped else plain
    if plain[:1] == "'" and plain[1:2].isalnum():
        plain = plain[1:]
    whole = _WHOLE.fullmatch(plain)
    return whole[1] if whole else " ".join(_BETWEEN_CHINESE.sub("", plain).split())


def parse_identities(cells: pd.Series, *, words_for_none: bool) -> Parsed:
    """Return codes or names in normal form; with ``words_for_none``, NULL, 无, 不适用 and the like are empty cells."""
    distinct = distinct_of(cells)

    def convert(value: object) -> object:
        text = identity(plain_text(value))
        return EMPTY if text in ("", "-", "--", "---", "/") or words_for_none and text.lower() in _MISSING else text

    return parse_words(distinct, convert)


def in_normal_form(cells: pd.Series) -> bool:
    """Return whether codes surely are in normal form as they stand: ASCII without blanks, quotes and ``.0``."""
    if not isinstance(cells.dtype, pd.StringDtype):
        return False
    texts = distinct_of(cells).values
    data = texts.buffers()[2] if isinstance(texts, pa.Array) else None
    if data is None or data.to_pybytes().translate(None, _PLAIN):
        return False
    return not pc.any(pc.ends_with(texts, ".0")).as_py()


def likely_the_same(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of names that differ in case, punctuation or legal form only."""
    groups: dict[str, list[str]] = {}
    for name in names:
        bare = _LEGAL_FORM.sub("", _PUNCTUATION.sub("", name.casefold()))
        groups.setdefault(bare or name, []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]
