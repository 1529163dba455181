"""The decision space: one amount per row of the assets table (asset × account)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.jurisdiction import MONEY, Currency

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
        Amounts now.
    lower, upper : ndarray (n,)
        Bounds of the target amounts; upper may be inf.
    funded : ndarray of bool (n,)
        Rows that count in budgets and weights (derivatives do not).
    linear_cost : ndarray (n,)
        Annual cost per unit traded, decimal.
    total : float
        Σ current amount of the funded rows: the denominator of weights.
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
    currency: Currency = MONEY

    @property
    def size(self) -> int:
        """Number of rows n."""
        return len(self.current)

    def accounts(self) -> Mapping[str, NDArray[np.int64]]:
        """Return the funded rows of each account, in order of first appearance."""
        names = dict.fromkeys(self.account.tolist())
        return {name: np.flatnonzero((self.account == name) & self.funded) for name in names}
