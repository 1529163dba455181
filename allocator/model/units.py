"""Units of terms, as they are written in files, and what people read for them; ``money`` goes by the currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.jurisdiction import MONEY, Currency
from allocator.types import Text

__all__ = ["UNIT_NAMES", "MoneyUnit", "money_unit", "unit_names"]

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
}


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """The unit that a fund's money is written in: currency units per unit, its name, and how files write it."""

    scale: float
    label: Text
    code: str = ""

    def amount(self, value: float) -> Text:
        """Return an amount, in currency units, with the unit's name, as a sentence says it."""
        figure = f"{value / self.scale:,.2f}".replace("-", "−")
        english = f"{self.code} {figure}" if self.scale == 1.0 else f"{figure} × {self.label.en}"
        return Text(english, f"{figure} {self.label.zh}")


def money_unit(unit: float, currency: Currency = MONEY) -> MoneyUnit:
    """Return the unit of a fund's money.

    Files write it with the currency's code: ``USD``, ``USD 10000``, ``USD 1e8``.

    Parameters
    ----------
    unit : float
        ``fund.unit``, currency units per unit.
    currency : Currency
        Whose units they are.
    """
    code = currency.code if unit == 1.0 else f"{currency.code} {unit:g}".replace("e+0", "e").replace("e+", "e")
    return MoneyUnit(unit, currency.of(unit), code)


def unit_names(money: MoneyUnit) -> Mapping[str, Text]:
    """Return what people read for the unit of a rule, money in a fund's own unit."""
    return {**UNIT_NAMES, "money": money.label, money.code: money.label}
