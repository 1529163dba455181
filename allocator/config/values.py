"""Values of the fund file: numbers, amounts of money, ratios and dates, in the grammar of `allocator.parsing`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticKnownError

from allocator.parsing import parse_date_text, parse_number_text
from allocator.types import Text

__all__ = ["Day", "Money", "Number", "RequiredRatio", "parse_date", "parse_money", "parse_number"]


def parse_number(value: Any) -> Any:
    """Turn ``"1e8"``, ``"1,000.5"``, ``"5%"`` and ``"0.1bp"`` into floats; leave anything else as it is."""
    if isinstance(value, bool):
        raise ValueError(Text("a number is needed, not yes or no", "应为数字，而非是/否"))
    read = parse_number_text(value) if isinstance(value, str) else None
    return value if read is None else read[0]


def _number(value: Any) -> Any:
    """Turn text into a number in the one grammar only: Python itself reads 2_1 and digits of other scripts as well."""
    read = parse_number(value)
    if isinstance(read, str):
        raise PydanticKnownError("float_parsing")
    return read


def parse_money(value: Any) -> Any:
    """Turn text into an amount as `parse_number` does; ``%`` and ``bp`` make no amount."""
    read = parse_number_text(value) if isinstance(value, str) else None
    if read is not None and read[1]:
        raise ValueError(
            Text(
                "an amount of money is needed (in fund.unit), not a percentage",
                "应为金额（以 fund.unit 计），而非百分比",
            )
        )
    return _number(value)


def expect_multiple(ratio: float) -> float:
    """Refuse a ratio that can only be a percentage written as a multiple."""
    if ratio > HIGHEST_REQUIRED:
        raise ValueError(
            Text(
                f"a required ratio of {ratio:.0%}: write {ratio / 100:g} or {ratio:g}%",
                f"要求的充足率为 {ratio:.0%}：请写 {ratio / 100:g} 或 {ratio:g}%",
            )
        )
    return ratio


def parse_date(value: Any) -> Any:
    """Turn ``"2026/6/30"`` and the like into dates, ``20260630`` too; no other number is a date."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    read = parse_date_text(str(value))
    if read is None:
        raise ValueError(Text("not a date: write 2026-06-30", "不是有效日期，请写成 2026-06-30"))
    return read


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
"""A finite number; numeric text, ``%`` and ``bp`` are understood."""

Money = Annotated[float, BeforeValidator(parse_money), Field(allow_inf_nan=False)]
"""A finite amount in ``fund.unit``; numeric text is understood, a percentage is not."""

HIGHEST_REQUIRED = 20.0
"""A required solvency ratio above 2,000% is a percentage written as a multiple."""

RequiredRatio = Annotated[Number, Field(gt=0), AfterValidator(expect_multiple)]
"""What a solvency ratio must be, a multiple: 1.85 or 185%."""

Day = Annotated[date, BeforeValidator(parse_date)]
"""A date; year, month and day in any of the usual notations."""
