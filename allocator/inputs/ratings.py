"""Credit ratings in any usual notation, put on one scale."""

from __future__ import annotations

import re
from collections.abc import Hashable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import Problems, did_you_mean
from allocator.inputs.fund import Inputs
from allocator.types import Text

__all__ = ["SCALE", "UNRATED", "parse_rating", "rating_ranks"]

SCALE = (
    *("AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-"),
    *("BB+", "BB", "BB-", "B+", "B", "B-", "CCC", "CC", "C", "D"),
)
"""Ratings from the best down; the rank of a rating is its place here."""

UNRATED = len(SCALE)
"""Rank of what has no rating: below every rating."""

_NONE = {"", "NR", "N/A", "NA", "NONE", "UNRATED", "-", "--", "无", "无评级", "未评级", "暂无评级", "无债项评级"}
_SIGNS = str.maketrans({"＋": "+", "－": "-", "−": "-", "–": "-", "（": "(", "）": ")"})


def parse_rating(cell: object) -> int | None:
    """Return the rank of a rating: 0 for AAA, `UNRATED` for none, None when it cannot be read.

    ``"AA +"``, ``"aaa"``, ``"AAAsf"``, ``"AAA级"`` and ``"AA(稳定)"`` are understood; blank and 无评级 are no rating.
    """
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return UNRATED
    text = re.sub(r"\s", "", str(cell)).translate(_SIGNS).upper()
    text = re.sub(r"\(.*\)$", "", text)
    if text in _NONE:
        return UNRATED
    text = text.removesuffix("级").removesuffix("SF")
    return SCALE.index(text) if text in SCALE else None


def rating_ranks(inputs: Inputs, rows: NDArray[np.bool_], problems: Problems) -> NDArray[np.int64]:
    """Return the rank of each row's rating (n,); `UNRATED` outside ``rows``.

    A rating that cannot be read is added to ``problems``.
    """
    ranks = np.full(len(inputs.assets), UNRATED, dtype=np.int64)
    if "rating" not in inputs.assets:
        return ranks
    codes, cells = pd.factorize(inputs.assets["rating"].where(rows), use_na_sentinel=True)
    known: dict[Hashable, int | None] = {cell: parse_rating(cell) for cell in cells}
    for number, cell in enumerate(cells):
        rank = known[cell]
        if rank is not None:
            ranks[codes == number] = rank
            continue
        for row in np.flatnonzero(codes == number):
            problems.add(
                Text("a rating that is not understood", "无法识别的评级"),
                inputs.where("assets", int(row), "rating"),
                str(cell),
                f"{', '.join(SCALE[:10])} …",
                did_you_mean(str(cell).upper(), SCALE),
            )
    return ranks
