"""What the search maximizes: a sum, or a sum per unit of capital.

A relaxation is always linear in the price of capital: max gain(x) − τ · M(x). For a plain objective τ is
the price the model gives. For a return on capital, gain / M, τ is the best ratio known so far (Dinkelbach):
if no x has gain − τ M > U, and M is nowhere below m > 0, then no x has a ratio above τ + max(U, 0) / m.
A bound found with an older, lower τ stays a bound. Relaxations take τ half a gap above the best ratio, so
that a branch is closed as soon as it is worth no more than that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from allocator.errors import InputError, Problem
from allocator.model.model import Model
from allocator.types import Text

__all__ = ["Goal", "PerCapital", "Total", "goal_of"]


LEAST_GAP = 1e-9
"""Gap below which a minimized annual decimal is not split further."""


class Goal(ABC):
    """How node bounds and answers are measured.

    Parameters
    ----------
    gap : float
        `SolveSettings.gap`: an annual decimal.
    """

    def __init__(self, gap: float) -> None:
        self._gap = gap

    @property
    @abstractmethod
    def price(self) -> float:
        """What a CNY of the capital module costs where answers are sought."""

    @property
    def hurdle(self) -> float:
        """What it costs where bounds are sought."""
        return self.price

    @abstractmethod
    def bound(self, upper: float) -> float:
        """Return the bound of the objective that ``gain − τ · M ≤ upper`` proves."""

    @abstractmethod
    def raised(self, best: float, module: float) -> None:
        """Take note of a better answer and of the capital module there."""

    def tolerance(self, best: float) -> float:
        """Return the gap that counts as closed when the best answer's objective is ``best``."""
        return self._gap

    def slope(self, module: float) -> float:
        """Return the objective's change per unit of ``gain − τ · M`` where the module is ``module``."""
        return 1.0


class Total(Goal):
    """gain − weight · M.

    Money is held to a relative 1e-6 at the default gap of 0.1 bp, and a minimized figure (a variance, say,
    which is small) to a relative 1e-4.
    """

    def __init__(self, model: Model, gap: float) -> None:
        super().__init__(gap)
        self._price = model.capital_weight
        self._money = model.in_money
        self._minimized = bool(model.objective) and not any(part.weight > 0 for part in model.objective)

    @property
    def price(self) -> float:
        return self._price

    def bound(self, upper: float) -> float:
        return upper

    def raised(self, best: float, module: float) -> None:
        return None

    def tolerance(self, best: float) -> float:
        if self._money:
            return 0.1 * self._gap * abs(best)
        return min(self._gap, 10.0 * self._gap * abs(best) + LEAST_GAP) if self._minimized else self._gap


class PerCapital(Goal):
    """gain / M, by Dinkelbach's prices.

    Parameters
    ----------
    gap : float
        Of the return on ``total``; seen from the capital it is total / M times as much.
    least : float
        A certified lower bound of M, CNY.
    total : float
        `Space.total`.

    Raises
    ------
    InputError
        When nothing keeps M away from zero: the ratio then has no bound.
    """

    def __init__(self, gap: float, least: float, total: float) -> None:
        super().__init__(gap)
        if least <= 0.0:
            raise InputError(
                Problem(
                    Text(
                        "return on capital has no maximum: capital can fall to nothing",
                        "资本收益率没有最大值：资本占用可降至零",
                    ),
                    "objective",
                )
            )
        self._least = least
        self._total = total
        self._price = 0.0
        self._module = 0.0

    @property
    def price(self) -> float:
        return self._price

    @property
    def hurdle(self) -> float:
        return self._price + 0.5 * self.tolerance(self._price) if self._price else 0.0

    def bound(self, upper: float) -> float:
        if upper <= 0.0 and self._price == 0.0:
            raise InputError(
                Problem(
                    Text("return on capital needs a positive return", "资本收益率目标要求收益为正"),
                    "objective",
                    got=f"{upper:.6g}",
                )
            )
        return self.hurdle + max(upper, 0.0) / self._least

    def raised(self, best: float, module: float) -> None:
        self._price = max(self._price, best)
        self._module = module

    def tolerance(self, best: float) -> float:
        return self._gap * self._total / self._module if self._module > 0 else self._gap

    def slope(self, module: float) -> float:
        return 1.0 / module


def goal_of(model: Model, gap: float, least: float) -> Goal:
    """Return the model's goal; ``least`` bounds its capital module from below."""
    return PerCapital(gap, least, model.space.total) if model.per_capital else Total(model, gap)
