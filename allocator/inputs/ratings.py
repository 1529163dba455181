"""Credit ratings in any usual notation, put on one scale.

Of several ratings the lowest counts. Short-term ratings and Moody's notation are refused: they are no places
on this scale, and reading ``Aaa`` as ``AAA`` would turn ``A1`` into something else the next time.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import Problems
from allocator.inputs.fund import Inputs
from allocator.types import Text

__all__ = ["SCALE", "UNRATED", "parse_rating", "rating_cells", "rating_ranks", "read_rating"]

SCALE = (
    *("AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-"),
    *("BB+", "BB", "BB-", "B+", "B", "B-", "CCC+", "CCC", "CCC-", "CC", "C", "D"),
)
"""Ratings from the best down; the rank of a rating is its place here."""

UNRATED = len(SCALE)
"""Rank of what has no rating: below every rating."""

_RANK = {rating: rank for rank, rating in enumerate(SCALE)}
_NONE = {
    *("", "NR", "N.R.", "N/R", "N/A", "NA", "NONE", "UNRATED", "NOTRATED", "WR", "-", "--"),
    *("无", "无评级", "未评级", "暂无评级", "无债项评级"),
}
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－ー", "-"))
_SEPARATORS = re.compile(r"[/;,、|]|(?<=[+\-A-Z])\s+(?=[A-D])")
_REMARK = re.compile(r"\(.*\)$")
_MOODYS = re.compile(r"Aaa|Aa[123]|A[123]|Baa[123]|Ba[123]|B[123]|Caa[123]|Ca")
_SHORT_TERM = re.compile(r"A-[123][+-]?|F[123][+-]?|P-[123]|[BCD]-[123]")


def read_rating(text: str) -> int | Text:
    """Return the rank of a rating: 0 for AAA, `UNRATED` for none; or the cure, where it cannot be read.

    ``AA +``, ``AA＋``, ``aaa``, ``AAAsf``, ``AAA级``, ``AA(稳定)``, ``AA+/AAA`` (the lower counts), 无评级 and blank
    are understood.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).strip()
    if re.sub(r"\s", "", plain).upper() in _NONE:
        return UNRATED
    ranks = []
    for part in filter(None, map(str.strip, _SEPARATORS.split(plain))):
        rank = _one(re.sub(r"\s", "", part))
        if isinstance(rank, Text):
            return rank
        ranks.append(rank)
    rated = [rank for rank in ranks if rank != UNRATED]  # an agency that does not rate says nothing
    if ranks and not rated:
        return UNRATED
    return max(rated) if rated else Text("write AAA, AA+ … D, or NR for none", "请写 AAA、AA+ … D，无评级写 NR")


def _one(part: str) -> int | Text:
    if _MOODYS.fullmatch(_REMARK.sub("", part).removesuffix("sf")):
        return Text(
            f"{part} is Moody's notation: write the corresponding rating of the domestic scale",
            f"{part} 为穆迪评级符号：请填写境内评级体系中的对应级别",
        )
    compact = _REMARK.sub("", part.upper()).removesuffix("级").removesuffix("SF")
    if part.upper() in _NONE:
        return UNRATED
    if _SHORT_TERM.fullmatch(compact):
        return Text(
            f"{part} is a short-term rating: give the issuer's long-term rating",
            f"{part} 为短期评级：请填写发行主体的长期评级",
        )
    unknown = Text("write AAA, AA+ … D, or NR for none", "请写 AAA、AA+ … D，无评级写 NR")
    return _RANK.get(compact, unknown)


def parse_rating(cell: object) -> int | None:
    """Return the rank of a rating as `read_rating` does; an empty cell is no rating, None cannot be read."""
    if cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell)):
        return UNRATED
    rank = read_rating(str(cell))
    return None if isinstance(rank, Text) else rank


def rating_cells(frame: pd.DataFrame, issuers: pd.DataFrame | None) -> pd.Series:
    """Return the rating of each row as written: its own, else its issuer's (R9 §5).

    The issuer's stands in the row's ``issuer_rating``, else in the table ``issuers``.

    Parameters
    ----------
    frame : DataFrame
        The table ``assets``, or one with its columns ``rating`` and ``issuer``.
    issuers : DataFrame or None
        The table ``issuers``.
    """
    if "rating" not in frame:
        return pd.Series(np.nan, index=frame.index, dtype="str")
    own = frame["rating"]
    if "issuer_rating" in frame:
        own = own.where(own.notna(), frame["issuer_rating"])
    if issuers is None or "rating" not in issuers or "issuer" not in frame or not issuers["rating"].notna().any():
        return own
    rated = issuers.dropna(subset="rating")
    of_issuer = frame["issuer"].map(dict(zip(rated["issuer"], rated["rating"], strict=True)))
    return own.where(own.notna(), of_issuer)


def rating_ranks(inputs: Inputs, rows: NDArray[np.bool_], problems: Problems) -> NDArray[np.int64]:
    """Return the rank of each row's rating (n,); `UNRATED` outside ``rows``. An empty cell takes the issuer's.

    A rating that cannot be read is added to ``problems``.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.
    rows : ndarray of bool (n,)
        Rows whose rating is asked for.
    problems : Problems
        Takes the ratings that are not understood, with their cells.
    """
    ranks = np.full(len(inputs.assets), UNRATED, dtype=np.int64)
    if "rating" not in inputs.assets:
        return ranks
    given = rating_cells(inputs.assets, inputs.table("issuers"))
    codes, cells = pd.factorize(given.where(rows), use_na_sentinel=True)
    for number, cell in enumerate(cells):
        rank = read_rating(str(cell))
        if not isinstance(rank, Text):
            ranks[codes == number] = rank
            continue
        for row in np.flatnonzero(codes == number):
            problems.add(
                Text("a rating that is not understood", "无法识别的评级"),
                inputs.where("assets", int(row), "rating"),
                str(cell),
                f"{', '.join(SCALE[:10])} …",
                rank,
            )
    return ranks
