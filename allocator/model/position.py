"""Capital and ratios of one set of holdings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.capital.tree import CapitalTree
from allocator.model.regime import OwnFunds, Requirement
from allocator.model.space import Space

__all__ = ["CapitalPosition"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CapitalPosition:
    """Capital and ratios of one set of holdings, by the exact tree.

    Parameters
    ----------
    holdings : ndarray (n,)
        Amounts, CNY.
    tree : CapitalTree
        With charges evaluated at exactly these holdings.
    own_funds : OwnFunds
        Capital available after ``costs``, CNY.
    requirements : tuple of Requirement
        Ratios with numerators after costs and what is required of each.
    costs : float
        One-off costs already taken from the capital, CNY.
    space : Space or None
        Names the rows; without it they are numbered.
    """

    holdings: Vector
    tree: CapitalTree
    own_funds: OwnFunds
    requirements: tuple[Requirement, ...]
    costs: float
    space: Space | None = None

    @property
    def minimum_capital(self) -> float:
        """Minimum capital, CNY."""
        return self.tree.value(self.holdings)

    def ratio(self, name: str) -> float:
        """Return the ratio of that requirement, e.g. ``"comprehensive"``.

        Raises
        ------
        KeyError
            When the regime states no ratio of that name.
        """
        for requirement in self.requirements:
            if requirement.name == name:
                return requirement.capital / self.minimum_capital
        raise KeyError(name)
