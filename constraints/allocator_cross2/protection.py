"""Credit protection on a rated asset (R9 §8): part of the charge moves to the better of two ratings.

    MC   = EX_A · RF_after + EX_B · RF_before
    EX_A = CRM · EX_protected + EX_tool,   EX_B = (1 − CRM) · EX_protected + EX_unprotected

RF_after is that of the protection issuer's rating or the asset's own, whichever is better; EX_tool is the
protection's book value. Policy banks' and agencies' bonds have no CRM.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.plugin import Text, Vector
from allocator_cross2.attributes import Attributes

__all__ = ["Protected", "protected_part", "refuse_protection"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Protected:
    """How protection splits the exposure of rows.

    Parameters
    ----------
    before : ndarray (m,)
        EX_B of each row as a share of its EX; 1 without protection.
    place : ndarray of int (p,)
        Which of the rows are protected.
    after : ndarray (p,)
        EX_A of those as a share of their EX.
    rank : ndarray of int (p,)
        The better of both ratings' ranks.
    """

    before: Vector
    place: Rows
    after: Vector
    rank: Rows


def protected_part(a: Attributes, rows: Rows, rank: Rows, mitigation: Vector) -> Protected:
    """Return the split for ``rows`` (m,) with rating ``rank`` (m,) and CRM ``mitigation`` (m,)."""
    share = np.nan_to_num(a.number("protected_share")[rows])
    covered = np.flatnonzero(share > 0)
    before = np.ones(len(rows))
    a.require_number(rows[covered], "protection_book_value")
    rated, issuer_rank = a.ratings(rows[covered], "protection_rating")
    known = np.isin(rows[covered], rated)
    place = covered[known]
    amount = a.number("amount") if "amount" in a.frame else np.zeros(len(a))
    held = amount[rows[place]]
    tool = np.divide(a.number("protection_book_value")[rows[place]], held, out=np.zeros(len(place)), where=held != 0)
    moved = mitigation[place] * share[place]
    before[place] = 1.0 - moved
    return Protected(before, place, moved + np.nan_to_num(tool), np.minimum(rank[place], issuer_rank))


def refuse_protection(a: Attributes, rows: Rows) -> None:
    """Report protection on assets for which the rule gives no CRM."""
    share = a.number("protected_share")
    covered = rows[share[rows] > 0]
    what = Text(
        "the rules credit no protection on this asset (R9 §8)", "规则对该类资产不认可信用保护（规则第9号第八条）"
    )
    a.report(covered, "protected_share", what, share, Text("leave the column empty", "请将该列留空"))
