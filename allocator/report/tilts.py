"""What each tilt bought and what it cost, in words."""

from __future__ import annotations

import numpy as np

from allocator.report.formats import FORMATS
from allocator.report.tables import BINDING_TOLERANCE
from allocator.report.view import View
from allocator.report.words import TILT_MODES
from allocator.result.result import TiltPrice
from allocator.types import Text

__all__ = ["tilt_sentences"]

LARGEST = 3
"""Rows named among those bought and among those sold."""


def tilt_sentences(view: View) -> tuple[Text, ...]:
    """Return a sentence for each tilt alone and, when there are several, one for all of them together."""
    prices = view.result.tilts
    return tuple(_sentence(view, price) for price in (prices if len(prices) > 2 else prices[:1]))


def _sentence(view: View, price: TiltPrice) -> Text:
    def shown(value: float, kind: str) -> str:
        return FORMATS[kind].write(value, view.money)

    name = view.tables["tilts"].labels["name"].get(price.name) or Text(price.name, price.name)
    mode = TILT_MODES.get(price.mode)
    given_up = shown(price.return_given_up, "basis_points")
    if mode is None:
        english, chinese = "All tilts together", "全部倾斜合计"
    else:
        before, after = shown(price.score_untilted, "percent"), shown(price.score_after, "percent")
        english = f"Tilt “{name.en}” ({mode.en}) takes its score from {before} to {after}"
        chinese = f"政策倾斜“{name.zh}”（{mode.zh}）使评分由 {before} 变为 {after}"
    english += f": against the best allocation without tilts, expected return falls by {given_up}"
    chinese += f"：与不作倾斜的最优配置相比，预期收益下降 {given_up}"
    if not np.isnan(price.capital_used):
        used, ratio = shown(price.capital_used, "money"), shown(price.ratio_change, "points")
        english += f", minimum capital changes by {used} and the comprehensive ratio by {ratio}"
        chinese += f"，最低资本变动 {used}，综合偿付能力充足率变动 {ratio}"
    bought, sold = _largest(view, price.moved), _largest(view, -price.moved)
    if bought or sold:
        english += f"; bought for it: {bought or '—'}; sold for it: {sold or '—'}"
        chinese += f"；为此买入：{bought or '—'}；卖出：{sold or '—'}"
    return Text(english + ".", chinese + "。")


def _largest(view: View, moved: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    space = view.result.model.space
    order = np.argsort(-moved, kind="stable")[:LARGEST]
    rows = order[moved[order] > BINDING_TOLERANCE * space.total]
    return ", ".join(f"{space.asset_id[row]} {FORMATS['money'].write(moved[row], view.money)}" for row in rows)
