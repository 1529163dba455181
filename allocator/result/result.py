"""What leaves the library: capital before and after, the verified answer and its prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from allocator.arrays import Vector
from allocator.inputs.fund import Inputs
from allocator.model.model import Model
from allocator.model.models import Risk
from allocator.model.position import CapitalPosition
from allocator.model.regime import Regime
from allocator.solve.infeasible.priority import RelaxedConstraint
from allocator.solve.search.solution import Solution

if TYPE_CHECKING:
    from allocator.result.stress import StressStudy
from allocator.types import Text

__all__ = ["TRADE_NOISE", "Result", "TiltPrice"]

TRADE_NOISE = 1e-6
"""Trades below this share of the total are the solver's rounding, not decisions; tables keep them."""


@dataclass(frozen=True, eq=False)
class TiltPrice:
    """What a tilt steered and what it cost against the untilted optimum.

    Parameters
    ----------
    name : str
        Tilt name, or ``"all"`` for all of them together.
    mode : str
        ``"reward"``, ``"floor"``, ``"budget"``, ``"rank"``; empty for ``"all"``.
    score_before, score_after : float
        Score of the current holdings and of the tilted optimum; NaN for ``"all"``.
    return_given_up : float
        Fall of the expected return against the untilted optimum, annual decimal.
    capital_used : float
        Rise of minimum capital, money; NaN without a regime.
    ratio_change : float
        Change of the principal ratio, decimal; NaN without a regime.
    score_untilted : float
        Score of the untilted optimum; NaN for ``"all"``.
    objective_given_up : float
        Fall of the fund's own objective, in its own unit.
    moved : ndarray (n,)
        Tilted less untilted holdings, money: what was bought and sold for it.
    score_gap : float
        By how much a score sought for its own sake (``"budget"``, ``"rank"``) may fall short of the highest there
        is within the budget, a share; NaN for other modes.
    """

    name: str
    mode: str
    score_before: float
    score_after: float
    return_given_up: float
    capital_used: float
    ratio_change: float
    score_untilted: float
    objective_given_up: float
    moved: Vector
    score_gap: float = np.nan


@dataclass(frozen=True, eq=False)
class Result:
    """A verified answer: nothing leaves the library in this type unless `allocator.verify` passed.

    Parameters
    ----------
    inputs, model, regime, solution
        The stages it came from; ``regime`` is None for a fund without one.
    before, after : CapitalPosition or None
        Exact capital of the current and of the target holdings.
    expected_return : ndarray (n,)
        Annual expected return of each row used, decimal.
    risk : Risk or None
        The risk model, when one was asked for.
    scores : mapping of str to ndarray (n,)
        Score of each tilt by row.
    tilts : tuple of TiltPrice
        Price of each tilt and of all together (name ``"all"``).
    seconds : mapping of str to float
        Time by stage.
    relaxed_constraints : tuple of RelaxedConstraint
        Rules that were relaxed because the user asked for it; empty when all could be met.
    stress : StressStudy or None
        The target in the scenarios of ``capital.require_under``; None where there are none.
    unchecked : tuple of Text
        Statutory limits that no rule of the fund file checks.
    """

    inputs: Inputs
    model: Model
    regime: Regime | None
    solution: Solution
    before: CapitalPosition | None
    after: CapitalPosition | None
    expected_return: Vector
    risk: Risk | None
    scores: Mapping[str, Vector]
    tilts: tuple[TiltPrice, ...]
    seconds: Mapping[str, float]
    relaxed_constraints: tuple[RelaxedConstraint, ...] = ()
    stress: StressStudy | None = None
    unchecked: tuple[Text, ...] = ()

    @property
    def status(self) -> str:
        """``"optimal"`` only when `gap` is within ``solve.gap``, else ``"feasible"``."""
        return self.solution.status

    @property
    def objective(self) -> float:
        """What was maximized or minimized, at the target: annual decimal, or money where `objective_in_money`."""
        return self._sign * self.solution.objective

    @property
    def bound(self) -> float:
        """The certified bound of `objective`, on its optimistic side, in the same unit."""
        return self._sign * self.solution.bound

    @property
    def gap(self) -> float:
        """|`bound` − `objective`|."""
        return self.solution.gap

    @property
    def objective_in_money(self) -> bool:
        """Whether the objective is an amount of money: capital alone, without a return beside it."""
        model = self.model
        alone = model.capital_weight > 0.0 and not model.per_capital
        return alone and all(term.unit == "money" for term in model.objective)

    @property
    def _sign(self) -> float:
        return -1.0 if self.inputs.settings.objective.minimize else 1.0

    @property
    def holdings(self) -> Vector:
        """Target amounts, money (n,)."""
        return self.solution.holdings

    @property
    def traded(self) -> Vector:
        """Target less current amounts, money (n,)."""
        return self.solution.holdings - self.model.space.current

    @property
    def shares(self) -> Vector:
        """Target as a share of what the accounts hold after trading (n,), in the order of the assets table."""
        return self.solution.holdings / self.model.space.total

    @property
    def return_before(self) -> float:
        """Expected return of the current holdings, annual decimal."""
        return float(self.expected_return @ self.model.space.current_weights)

    @property
    def return_after(self) -> float:
        """Expected return of the target holdings, annual decimal, before costs."""
        return float(self.expected_return @ self.holdings) / self.model.space.total
