"""What the conformance suite finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from allocator.types import Text

__all__ = ["CHECKS", "Finding", "Outcome"]


class Outcome(StrEnum):
    """How a check ended; ``noted`` is nothing wrong, but something the reader must know."""

    PASSED = "passed"
    FAILED = "failed"
    NOTED = "noted"


CHECKS: Mapping[str, Text] = MappingProxyType(
    {
        "api": Text("says which version of the hooks it was written for", "声明所适配的钩子接口版本"),
        "hooks": Text(
            "every hook is marked, takes nothing, and offers the same twice", "钩子有标记、无参数、可重复调用"
        ),
        "specification": Text("names, labels in both languages, strict options", "名称、双语标签与严格选项"),
        "builds": Text(
            "builds on the small fund, in time, and leaves the inputs alone", "可在小型组合上按时构建且不改动输入"
        ),
        "errors": Text("what is missing or unknown is reported with its place", "缺失或未知项的报错指明位置"),
        "convexity": Text("convex for at most, concave for at least, affine for equal", "凸性与不等号方向一致"),
        "agreement": Text("the numpy value and the convex form agree", "数值与凸表达式一致"),
        "gradient": Text("the gradient agrees with finite differences", "梯度与有限差分一致"),
        "units": Text("the same fund in another unit of money gives the same figures", "更换货币单位后结果不变"),
        "disabled": Text("a fund that does not use it is not changed by it", "未使用时对结果没有影响"),
    }
)
"""Check → what it makes sure of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check on one thing.

    Parameters
    ----------
    check : str
        One of `CHECKS`.
    subject : str
        The plugin, hook, offer or term that was checked.
    outcome : Outcome
        How it ended.
    detail : Text or None
        What was found, unless it passed.
    """

    check: str
    subject: str
    outcome: Outcome = Outcome.PASSED
    detail: Text | None = None
