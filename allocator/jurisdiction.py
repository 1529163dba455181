"""What a solvency regime calls things: its currency, accounts, ratios and lines of the balance sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from allocator.types import Measure, Text

__all__ = ["MONEY", "Account", "BalanceSheetKey", "Currency", "Jurisdiction", "Ratio"]


@dataclass(frozen=True, slots=True)
class Currency:
    """The money of a jurisdiction.

    Parameters
    ----------
    code : str
        Stands in files, e.g. ``"GBP"``.
    label : Text
        One unit of it, e.g. ``Text("GBP", "英镑")``.
    multiples : tuple of (float, Text)
        Larger units that a fund file may be in and their names, the largest first.
    heading_units : tuple of (str, float)
        Units in the heading of a column of money, beside the number words of either language.
    heading_words : tuple of str
        Names of the currency that may stand before such a unit.
    """

    code: str
    label: Text
    multiples: tuple[tuple[float, Text], ...] = ()
    heading_units: tuple[tuple[str, float], ...] = ()
    heading_words: tuple[str, ...] = ()

    def of(self, unit: float) -> Text:
        """Return the name of ``unit`` units of it: ``GBP 1,000,000``."""
        named = dict(self.multiples).get(unit)
        if unit == 1.0:
            return self.label
        return named or Text(f"{self.code} {unit:,.10g}", f"{unit:,.10g} {self.label.zh}")


@dataclass(frozen=True, slots=True)
class Account:
    """An account that a jurisdiction keeps apart from others.

    Parameters
    ----------
    name : str
        The value in the column ``account``.
    label : Text
        For reports.
    aliases : tuple of str
        Other spellings accepted.
    """

    name: str
    label: Text
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """A solvency ratio: own funds of some quality over minimum capital.

    Parameters
    ----------
    name : str
        Its key in files, e.g. under ``capital.require``.
    label : Text
        For headings of reports.
    short : Text
        The same in a word, for narrow columns.
    """

    name: str
    label: Text
    short: Text

    @property
    def in_a_sentence(self) -> Text:
        """What messages call it."""
        return Text(f"{self.short.en[:1].lower()}{self.short.en[1:]} ratio", self.label.zh)

    @property
    def required(self) -> Text:
        """Heading of what is required of it."""
        return Text(f"{self.short.en} required", f"{self.short.zh}要求")


@dataclass(frozen=True, slots=True)
class BalanceSheetKey:
    """A key of ``balance_sheet:`` that a jurisdiction adds to the totals every company has.

    Parameters
    ----------
    name : str
        The key.
    label : Text
        For messages.
    measure : Measure
        ``MONEY``, in ``fund.unit``, or ``RATE``.
    minimum : float or None
        Least value, inclusive.
    at_most : str
        Key, one of the core's own or of these, that it must not exceed.
    sum_of : tuple of str
        Keys that it must be the sum of where all are given.
    bears_losses : bool
        Whether it moves by whatever own funds gain or lose.
    reports : str
        The ratio whose last reported value it holds.
    """

    name: str
    label: Text
    measure: Measure = Measure.MONEY
    minimum: float | None = None
    at_most: str = ""
    sum_of: tuple[str, ...] = ()
    bears_losses: bool = False
    reports: str = ""


MONEY = Currency("money", Text("currency units", "货币单位"), ((1e6, Text("million", "百万")),))
"""What amounts are called where no regime says which currency they are in."""


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """What a solvency regime calls things: its money, accounts, ratios and lines of the balance sheet.

    Parameters
    ----------
    ratios : tuple of Ratio
        In the order reported; the first is the principal one, whose numerator is the whole of own funds.
    accounts : tuple of Account
        The first is the account of every row of a table that names none. Empty: any name is an account.
    currency : Currency
        The money that all amounts are in.
    balance_sheet : tuple of BalanceSheetKey
        Further keys of ``balance_sheet:``.
    actual_capital_parts : tuple of str
        Keys whose sum must be ``actual_capital`` where all are given.
    """

    ratios: tuple[Ratio, ...] = ()
    accounts: tuple[Account, ...] = ()
    currency: Currency = MONEY
    balance_sheet: tuple[BalanceSheetKey, ...] = ()
    actual_capital_parts: tuple[str, ...] = ()

    @property
    def principal(self) -> str:
        """Name of the principal ratio."""
        return self.ratios[0].name if self.ratios else "solvency"

    @property
    def default_account(self) -> str:
        """Account of every row of a table that names none."""
        return self.accounts[0].name if self.accounts else "general"

    @property
    def ratio_labels(self) -> Mapping[str, Text]:
        """Ratio → what people read."""
        return {ratio.name: ratio.label for ratio in self.ratios}

    @property
    def account_labels(self) -> Mapping[str, Text]:
        """Account → what people read."""
        return {account.name: account.label for account in self.accounts}

    def ratio(self, name: str) -> Ratio:
        """Return a ratio by its name; one that is not declared is called by it."""
        declared = {ratio.name: ratio for ratio in self.ratios}
        return declared.get(name) or Ratio(name, Text(name, name), Text(name, name))

    @classmethod
    def joined(cls, several: Sequence[Jurisdiction]) -> Jurisdiction:
        """Return all of them as one, for a fund under none: the first has the word where two use one name."""
        if not several:
            return cls()
        ratios: dict[str, Ratio] = {}
        accounts: dict[str, Account] = {}
        keys: dict[str, BalanceSheetKey] = {}
        for one in several:
            ratios |= {ratio.name: ratio for ratio in one.ratios if ratio.name not in ratios}
            accounts |= {account.name: account for account in one.accounts if account.name not in accounts}
            keys |= {key.name: key for key in one.balance_sheet if key.name not in keys}
        return replace(
            several[0],
            ratios=tuple(ratios.values()),
            accounts=tuple(accounts.values()),
            balance_sheet=tuple(keys.values()),
        )
