"""Ratings in the notations met in files, read to the one scale the rules use.

R9 §5: an issue rating comes before the issuer's, the lowest of several applies. The scale of the rules'
tables ends at BBB−; whatever is lower, and no rating at all, stands in the tables' last row.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.types import Text

__all__ = ["RATINGS", "UNRATED", "RatingFault", "at_least", "parse_rating", "table_row"]

UNRATED = "unrated"
_TABLE = ("AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-")
_BELOW = ("BB+", "BB", "BB-", "B+", "B", "B-", "CCC+", "CCC", "CCC-", "CC", "C", "D")
RATINGS = (*_TABLE, *_BELOW, UNRATED)
"""From best to worst."""

_NUMBER = {rating: number for number, rating in enumerate(RATINGS)}
_NO_RATING = {"NR", "N.R.", "N/R", "UNRATED", "NOTRATED", "NORATING", "无评级", "未评级", "无", "WR"}
_MOODY = re.compile(r"(Aaa|Aa[123]|A[123]|Baa[123]|Ba[123]|B[123]|Caa[123]|Ca)(\(sf\)|sf)?")
_SHORT_TERM = re.compile(r"A-[123][+-]?|F[123][+-]?|P-[123]|[BCD]-[123]")
_SEPARATORS = re.compile(r"[/;,、|]|(?<=[+\-A-Z])\s+(?=[A-D])")
_OUTLOOK = re.compile(r"\((SF|STABLE|POSITIVE|NEGATIVE|稳定|正面|负面|列入观察|观察)\)$")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－ー", "-"))


@dataclass(frozen=True, slots=True)
class RatingFault:
    """Why a text is no rating."""

    hint: Text


def parse_rating(text: str) -> int | RatingFault:
    """Return the place on `RATINGS` of one cell, or why it cannot be read.

    ``AAA``, ``AAAsf``, ``AA +``, ``AA＋``, ``AA−``, ``AA+（稳定）``, ``无评级`` and ``NR`` are understood; of
    several (``AA+/AAA``) the lowest counts. Short-term ratings and Moody's notation are refused: the rules'
    tables speak neither.

    Source: R9 §5.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).strip()
    if not plain:
        return RatingFault(Text("write NR for an asset without a rating", "无评级请写 NR"))
    if plain.upper().replace(" ", "") in _NO_RATING:  # N/R holds a separator
        return _NUMBER[UNRATED]
    given = []
    for part in filter(None, map(str.strip, _SEPARATORS.split(plain))):
        found = _one(part)
        if isinstance(found, RatingFault):
            return found
        given.append(found)
    if not given:
        return RatingFault(Text("write AAA … C or NR", "请写 AAA … C 或 NR"))
    rated = [place for place in given if place != _NUMBER[UNRATED]]  # an agency that does not rate says nothing
    return max(rated) if rated else _NUMBER[UNRATED]


def _one(part: str) -> int | RatingFault:
    moody = _MOODY.fullmatch(part)
    if moody:
        return RatingFault(
            Text(
                f"{part} is Moody's notation; write the domestic agency's rating or its counterpart in R9 §29",
                f"{part} 为穆迪评级符号；请填写境内评级或规则第9号第二十九条对照表中的对应级别",
            )
        )
    compact = part.upper().replace(" ", "")
    if compact in _NO_RATING:
        return _NUMBER[UNRATED]
    compact = _OUTLOOK.sub("", compact).removesuffix("级")
    if _SHORT_TERM.fullmatch(compact):
        return RatingFault(
            Text(
                f"{part} is a short-term rating; give the issuer's long-term rating (R9 §5)",
                f"{part} 为短期评级；请填写发行主体的长期评级（规则第9号第五条）",
            )
        )
    compact = compact.removesuffix("SF")
    if compact in _NUMBER:
        return _NUMBER[compact]
    return RatingFault(Text("write one of AAA, AA+, AA … C, or NR for none", "请写 AAA、AA+、AA … C，无评级写 NR"))


def at_least(rating: str) -> int:
    """Return the place on `RATINGS` that a rating must not pass to be at least ``rating``."""
    return _NUMBER[rating]


_ROW = np.array([number if number < len(_TABLE) else len(_TABLE) for number in range(len(RATINGS))], dtype=np.int64)


def table_row(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of the rules' tables, 0 (AAA) … 9 (BBB−), 10 (lower or unrated)."""
    return np.asarray(_ROW[numbers])
