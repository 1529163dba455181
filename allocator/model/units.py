"""Units of terms, as they are written in files, and what people read for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.types import Text

__all__ = ["UNIT_NAMES", "MoneyUnit", "money_unit", "unit_code", "unit_names"]

UNIT_NAMES: Mapping[str, Text] = {
    "ratio": Text("ratio", "比率"),
    "share": Text("share", "占比"),
    "share of total assets": Text("share of total assets", "占总资产比例"),
    "share of the portfolio": Text("share of the portfolio", "占组合比例"),
    "share of the group": Text("share of the group", "占该组比例"),
    "share of the fund": Text("share of the fund", "占基金比例"),
    "share of the company's capital": Text("share of the company's capital", "占公司股本比例"),
    "share of outflows": Text("share of outflows", "占现金流出比例"),
    "share of the liabilities' DV01": Text("share of the liabilities' DV01", "占负债基点价值比例"),
    "annual decimal": Text("a year", "年化"),
    "years": Text("years", "年"),
    "number": Text("number", "数值"),
    "CNY": Text("CNY", "元"),
}


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """The unit that a fund's money is written in: CNY per unit and its name."""

    scale: float
    label: Text

    def amount(self, value: float) -> Text:
        """Return an amount (CNY) with the unit's name, as a sentence says it."""
        figure = f"{value / self.scale:,.2f}".replace("-", "−")
        english = f"CNY {figure}" if self.scale == 1.0 else f"{figure} × {self.label.en}"
        return Text(english, f"{figure} {self.label.zh}")


_MONEY_NAMES: Mapping[float, Text] = {
    1e8: Text("CNY 100 million", "亿元"),
    1e6: Text("CNY million", "百万元"),
    1e4: Text("CNY 10,000", "万元"),
    1e3: Text("CNY 1,000", "千元"),
    1.0: Text("CNY", "元"),
}


def money_unit(unit: float) -> MoneyUnit:
    """Return the unit of a fund's money; ``unit`` is ``fund.unit``, CNY per unit."""
    return MoneyUnit(unit, _MONEY_NAMES.get(unit) or Text(f"CNY {unit:,.10g}", f"{unit:,.10g} 元"))


def unit_code(unit: float) -> str:
    """Return how files write a unit of money: ``CNY``, ``CNY 10000``, ``CNY 1e8``."""
    return "CNY" if unit == 1.0 else f"CNY {unit:g}".replace("e+0", "e").replace("e+", "e")


def unit_names(money: MoneyUnit) -> Mapping[str, Text]:
    """Return what people read for the unit of a rule, money in a fund's own unit."""
    return {**UNIT_NAMES, "CNY": money.label, unit_code(money.scale): money.label}
