"""The model: everything that decides an allocation, before any solver is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from allocator.model.expressions import TradeCost
from allocator.model.space import Space
from allocator.model.terms import TOLERANCE, Mode, ObjectiveTerm, Term
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.capital.tree import CapitalTree

__all__ = ["CapitalLimit", "Model"]


@dataclass(frozen=True, slots=True)
class CapitalLimit:
    """``multiplier × module(x) + cost_weight × cost(x) ≤ available``: one form for every promise on capital.

    A comprehensive ratio of 180% has multiplier 1.8, available = actual capital, cost weight 1, because
    what trading costs is no longer capital. Free capital F has multiplier 1 and available = capital − F.
    A limit on one module has multiplier 1, available = the limit, cost weight 0.

    Parameters
    ----------
    name : str
        ``"comprehensive"``, ``"core"`` or the module's name.
    label : Text
        For reports.
    module : str
        Name of the tree's node; the root's for ratios.
    multiplier, available, cost_weight : float
        See above; available in CNY.
    """

    name: str
    label: Text
    module: str
    multiplier: float
    available: float
    cost_weight: float = 1.0

    def slack(self, module: float, cost: float) -> float:
        """Return the room left in CNY when the module is ``module`` CNY and trading costs ``cost`` CNY.

        Parameters
        ----------
        module : float
            Amount of the module, CNY.
        cost : float
            One-off cost of trading, CNY.
        """
        return self.available - self.multiplier * module - self.cost_weight * cost

    def holds(self, module: float, cost: float) -> bool:
        """Return whether ``(available − cost) / module`` reaches the multiplier within `TOLERANCE`.

        Parameters
        ----------
        module : float
            Amount of the module, CNY.
        cost : float
            One-off cost of trading, CNY.
        """
        return self.slack(module, cost) >= -TOLERANCE * abs(module)


@dataclass(frozen=True, eq=False)
class Model:
    """What is maximized, over which space, under which promises.

    maximize Σ weightⱼ · expressionⱼ(x) − capital_weight · capital_module(x)
    or, with ``per_capital``, maximize Σ weightⱼ · expressionⱼ(x) / capital_module(x), the sum then in CNY,
    subject to bounds, terms and capital limits.

    Parameters
    ----------
    space : Space
        The decision space with bounds.
    objective : tuple of ObjectiveTerm
        Parts of the objective, maximized.
    terms : tuple of Term
        All rules, monitored ones included.
    cost : TradeCost
        One-off cost of trading, CNY; lowers the capital available.
    tree : CapitalTree or None
        Capital with state-dependent charges frozen; None without a regime.
    capital_limits : tuple of CapitalLimit
        Promises on capital.
    capital_module : str
        Node that ``capital_weight`` and ``per_capital`` speak of; empty means the root.
    capital_weight : float
        Objective per CNY of that module, ≥ 0.
    per_capital : bool
        Whether the objective is divided by that module (return on capital).
    """

    space: Space
    objective: tuple[ObjectiveTerm, ...]
    terms: tuple[Term, ...]
    cost: TradeCost
    tree: CapitalTree | None = None
    capital_limits: tuple[CapitalLimit, ...] = ()
    capital_module: str = ""
    capital_weight: float = 0.0
    per_capital: bool = False

    def value_before_capital(self, holdings: NDArray[np.float64]) -> float:
        """Return Σ weight · expression less the price of soft breaches, by numpy alone."""
        total = sum(part.weight * float(part.expression.value(holdings)[0]) for part in self.objective)
        for term in self.terms:
            if term.mode is Mode.SOFT:
                total -= term.price * float(np.maximum(-term.slack(holdings), 0.0).sum())
        return float(total)

    def module(self, holdings: NDArray[np.float64], tree: CapitalTree | None = None) -> float:
        """Return the module that the objective speaks of, CNY, by ``tree`` in place of the model's own.

        Zero when the objective speaks of none.

        Parameters
        ----------
        holdings : ndarray (n,)
            Amounts, CNY.
        tree : CapitalTree or None
            Read in place of the model's own.
        """
        tree = self.tree if tree is None else tree
        if tree is None or not (self.capital_weight or self.per_capital):
            return 0.0
        name = self.capital_module or tree.root.name
        return tree.values(holdings, [name])[name]

    def objective_value(self, holdings: NDArray[np.float64], tree: CapitalTree | None = None) -> float:
        """Return the objective, in maximized form, at ``holdings`` (n,) in CNY.

        Parameters
        ----------
        holdings : ndarray (n,)
            Amounts, CNY.
        tree : CapitalTree or None
            Read in place of the model's own, where the objective speaks of capital.
        """
        value_before_capital, module = self.value_before_capital(holdings), self.module(holdings, tree)
        return (
            value_before_capital / module if self.per_capital else value_before_capital - self.capital_weight * module
        )

    @property
    def in_money(self) -> bool:
        """Whether the objective is an amount of CNY rather than an annual decimal."""
        return self.capital_weight > 0.0 and not self.per_capital and all(x.unit == "CNY" for x in self.objective)
