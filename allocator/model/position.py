"""Capital and ratios of one set of holdings."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.regime import OwnFunds, Requirement
from allocator.model.space import Space

__all__ = ["CapitalPosition"]


@dataclass(frozen=True, eq=False)
class CapitalPosition:
    """Capital and ratios of one set of holdings, by the exact tree.

    Parameters
    ----------
    holdings : ndarray (n,)
        Amounts, money.
    tree : CapitalTree
        With charges evaluated at exactly these holdings.
    own_funds : OwnFunds
        Capital available after ``costs``, money.
    requirements : tuple of Requirement
        Ratios with numerators after costs and what is required of each.
    costs : float
        One-off costs already taken from the capital, money.
    space : Space or None
        Names the rows; without it they are numbered.
    sides : tuple of ndarray or None
        Capital for one unit of money more and freed by one less of each row (n,); None takes the tree's slope for both.
    """

    holdings: Vector
    tree: CapitalTree
    own_funds: OwnFunds
    requirements: tuple[Requirement, ...]
    costs: float
    space: Space | None = None
    sides: tuple[Vector, Vector] | None = None

    @property
    def marginals(self) -> tuple[Vector, Vector]:
        """Capital for one unit of money more of each row and capital freed by one less, each shape (n,)."""
        if self.sides is not None:
            return self.sides
        slope = self.tree.gradient(self.holdings)
        return slope, slope

    @property
    def minimum_capital(self) -> float:
        """Minimum capital, money."""
        return self.tree.value(self.holdings)

    @property
    def principal_ratio(self) -> float:
        """The ratio of the first requirement."""
        return self.requirements[0].capital / self.minimum_capital

    def ratio(self, name: str) -> float:
        """Return the ratio of that requirement, by the ratio's name.

        Raises
        ------
        KeyError
            When the regime states no ratio of that name.
        """
        for requirement in self.requirements:
            if requirement.name == name:
                return requirement.over(self.minimum_capital)
        raise KeyError(name)
