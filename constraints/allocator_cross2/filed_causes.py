"""Why a filed aggregate is not what its filed children give: the first explanation that fits is named.

Each explanation looks at the filed figures alone, diversification lines included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

import numpy as np
import pandas as pd

from allocator.plugin import Text
from allocator_cross2.filed_layout import ABSORPTION, COMPUTED, MINIMUM, QUANTIFIABLE, Aggregated, filled, numbers
from allocator_cross2.pack import RulePack

__all__ = ["TOLERANCE", "likely_cause"]

TOLERANCE = 1e-4
"""Relative difference up to which computed and filed agree."""

_ROUNDING = 0.005
"""Filings are rounded to two decimals of their unit."""


def likely_cause(one: Aggregated, row: pd.DataFrame, filed: float, computed: float) -> Text:
    """Return the likely cause why one filed aggregate is not what its filed children give."""
    below = float(numbers(row, QUANTIFIABLE.name)[0])
    if one is MINIMUM and not np.isnan(below) and _parts_missing(one, row, filed, computed) is None:
        return likely_cause(QUANTIFIABLE, row, below, float(row[QUANTIFIABLE.name + COMPUTED].iloc[0]))
    for test in _CAUSES:
        found = test(one, row, filed, computed)
        if found is not None:
            return found
    return Text(
        "the filed parts add up, but not by the rule's correlations: a transition policy, or the filing errs",
        "披露的各部分可加总，但与规则相关系数不符：过渡期政策，或披露有误",
    )


def _rounded(one: Aggregated, row: pd.DataFrame, filed: float, computed: float) -> Text | None:
    if abs(computed - filed) > _ROUNDING * (len(one.children) + 1):
        return None
    return Text("rounding of the filed parts", "披露各部分的四舍五入")


def _other_band(one: Aggregated, row: pd.DataFrame, filed: float, computed: float) -> Text | None:
    if one is not QUANTIFIABLE:
        return None
    bands = RulePack.at(date.max).ladder("size_factor.life").values
    for used in bands:
        for other in bands[bands != used]:
            if abs(computed / used * other - filed) <= TOLERANCE * abs(filed):
                return Text(
                    f"filed with the size factor {other:g} of another band, not {used:g}",
                    f"披露采用了相邻档的规模系数 {other:g}，而非 {used:g}",
                )
    return None


def _audited(one: Aggregated, row: pd.DataFrame, filed: float, computed: float) -> Text | None:
    if "quarter" not in row or not str(row["quarter"].iloc[0]).strip().endswith("4"):
        return None
    return Text(
        "a fourth quarter: audited totals stand beside modules before the audit",
        "第四季度：审计后的合计与审计前的分项并列",
    )


def _parts_missing(one: Aggregated, row: pd.DataFrame, filed: float, computed: float) -> Text | None:
    total = sum(filled(row, name)[0] for name in one.children)
    total -= filled(row, one.diversification)[0] if one.diversification else 0.0
    slack = _ROUNDING * (len(one.children) + 2)
    if one is QUANTIFIABLE:
        total -= filled(row, ABSORPTION)[0]
        factors = np.append(RulePack.at(date.max).ladder("size_factor.life").values, 1.0)
        gap = float(np.min(np.abs(factors * total - filed)))
    else:
        gap = abs(total - filed)
    if gap <= slack:
        return None
    return Text(
        "filed parts are missing: what is filed does not add up to the filed total",
        "披露分项不全：已披露部分与披露合计不相加",
    )


_Test = Callable[[Aggregated, pd.DataFrame, float, float], "Text | None"]
_CAUSES: Iterable[_Test] = (_rounded, _other_band, _audited, _parts_missing)
