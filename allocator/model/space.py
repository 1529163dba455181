"""The decision space: one amount per row of the assets table (asset × account)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.jurisdiction import MONEY, Currency
from allocator.model.units import MoneyUnit, money_unit

__all__ = ["Space"]


@dataclass(frozen=True, eq=False)
class Space:
    """What may be decided.

    Parameters
    ----------
    asset_id, account : ndarray of str (n,)
        Names of the rows; a pair is unique.
    current : ndarray (n,)
        Amounts now.
    lower, upper : ndarray (n,)
        Bounds of the target amounts; upper may be inf.
    funded : ndarray of bool (n,)
        Rows that count in budgets and weights (derivatives do not).
    linear_cost : ndarray (n,)
        Annual cost per unit traded, decimal.
    total : float
        What the funded rows hold after trading, money: the sum of the accounts' budgets, a constant of the program and
        the denominator of weights, returns, risk and turnover.
    unit : float
        Currency units per unit of the fund's money, in which people read amounts.
    currency : Currency
        What all amounts are in.
    """

    asset_id: NDArray[np.str_]
    account: NDArray[np.str_]
    current: Vector
    lower: Vector
    upper: Vector
    funded: NDArray[np.bool_]
    linear_cost: Vector
    total: float
    unit: float = 1.0
    currency: Currency = MONEY

    @property
    def money(self) -> MoneyUnit:
        """The unit in which people read amounts."""
        return money_unit(self.unit, self.currency)

    @property
    def current_weights(self) -> Vector:
        """Share of each row in what is held now (n,): another total than `total` where budgets move money in or out."""
        held = float(self.current[self.funded].sum())
        return self.current / (held if held > 0.0 else self.total)

    @property
    def size(self) -> int:
        """Number of rows n."""
        return len(self.current)

    def accounts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return the funded rows of each account, in order of first appearance."""
        names = dict.fromkeys(self.account.tolist())
        return {name: np.flatnonzero((self.account == name) & self.funded) for name in names}
