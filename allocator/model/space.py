"""The decision space: one amount per row of the assets table (asset × account)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Space"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Space:
    """What may be decided.

    Parameters
    ----------
    asset_id, account : ndarray of str (n,)
        Names of the rows; a pair is unique.
    current : ndarray (n,)
        Amounts now, CNY.
    lower, upper : ndarray (n,)
        Bounds of the target amounts, CNY; upper may be inf.
    funded : ndarray of bool (n,)
        Rows that count in budgets and weights (derivatives do not).
    linear_cost : ndarray (n,)
        Annual cost per CNY traded, decimal.
    total : float
        What the funded rows hold after trading, CNY: the sum of the accounts' budgets, a constant of the program and
        the denominator of weights, returns, risk and turnover.
    unit : float
        CNY per unit of the fund's money, in which people read amounts.
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
