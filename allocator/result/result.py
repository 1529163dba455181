"""What leaves the library: capital before and after, the verified answer and its prices."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.capital.tree import CapitalTree
from allocator.inputs.fund import Inputs
from allocator.model.model import Model
from allocator.model.models import Risk
from allocator.model.regime import OwnFunds, Regime, Requirement
from allocator.model.space import Space
from allocator.solve.infeasible.priority import Concession
from allocator.solve.search.solution import Solution

if TYPE_CHECKING:
    from allocator.result.stress import StressStudy

__all__ = ["CapitalPosition", "Result", "TiltPrice"]

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
    sides : tuple of ndarray or None
        Capital for one CNY more and freed by one CNY less of each row (n,); None takes the tree's slope for both.
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
        """Capital for one CNY more of each row and capital freed by one CNY less, each shape (n,)."""
        if self.sides is not None:
            return self.sides
        slope = self.tree.gradient(self.holdings)
        return slope, slope

    @property
    def minimum_capital(self) -> float:
        """Minimum capital, CNY."""
        return self.tree.value(self.holdings)

    def ratio(self, name: str) -> float:
        """Return the ratio of that requirement, e.g. ``"comprehensive"``."""
        for requirement in self.requirements:
            if requirement.name == name:
                return requirement.ratio(self.minimum_capital)
        raise KeyError(name)

    @property
    def modules(self) -> pd.DataFrame:
        """The risk modules as a solvency report prints them: ``module``, ``parent``, ``depth``, ``amount`` (CNY),
        ``article``."""
        from allocator.report.frames import module_frame

        return module_frame(self)

    @property
    def assets(self) -> pd.DataFrame:
        """Who uses the capital: ``asset_id``, ``account``, ``amount``, ``marginal`` (capital per further CNY),
        ``freed`` (by one CNY less) and ``contribution``; the last row holds liabilities and constants, and
        contributions sum to the total."""
        from allocator.report.frames import asset_capital_frame

        return asset_capital_frame(self)

    def _repr_html_(self) -> str:
        from allocator.report.notebook import position_html

        return position_html(self)


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
        Rise of minimum capital, CNY; NaN without a regime.
    ratio_change : float
        Change of the comprehensive ratio, decimal; NaN without a regime.
    score_untilted : float
        Score of the untilted optimum; NaN for ``"all"``.
    objective_given_up : float
        Fall of the fund's own objective, in its own unit.
    moved : ndarray (n,)
        Tilted less untilted holdings, CNY: what was bought and sold for it.
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
    concessions : tuple of Concession
        Rules that gave way because the user asked for it; empty when all could hold.
    stress : StressStudy or None
        The target in the scenarios of ``capital.require_under``; None where there are none.
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
    concessions: tuple[Concession, ...] = ()
    stress: StressStudy | None = None

    @property
    def status(self) -> str:
        """``"optimal"`` only when `gap` is within ``solve.gap``, else ``"feasible"``."""
        return self.solution.status

    @property
    def objective(self) -> float:
        """What was maximized or minimized, at the target: annual decimal, or CNY where `objective_in_money`."""
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
        return alone and all(term.unit == "CNY" for term in model.objective)

    @property
    def _sign(self) -> float:
        return -1.0 if self.inputs.settings.objective.minimize else 1.0

    @property
    def target(self) -> Vector:
        """Target amounts, CNY (n,)."""
        return self.solution.holdings

    @property
    def trade(self) -> Vector:
        """Target less current amounts, CNY (n,)."""
        return self.solution.holdings - self.model.space.current

    @property
    def weights(self) -> Vector:
        """Target / Σ current of the funded rows (n,), in the order of `allocation`."""
        return self.solution.holdings / self.model.space.total

    @property
    def allocation(self) -> pd.DataFrame:
        """One line for each row: ``asset_id``, ``account``, ``name``, ``kind``, ``current`` and ``target`` (CNY),
        ``weight_before``, ``weight``, ``expected_return``."""
        from allocator.report.frames import allocation_frame

        return allocation_frame(self)

    @property
    def trades(self) -> pd.DataFrame:
        """What is bought and sold, largest first: as `allocation`, with ``trade`` (CNY) and ``capital_marginal``."""
        from allocator.report.frames import trades_frame

        return trades_frame(self)

    @property
    def capital(self) -> pd.DataFrame:
        """The risk modules: ``module``, ``parent``, ``depth``, ``before``, ``after``, ``change`` (CNY), ``article``;
        without lines for a fund without a regime."""
        from allocator.report.frames import capital_frame

        return capital_frame(self)

    @property
    def prices(self) -> pd.DataFrame:
        """Every rule: ``name``, ``source``, ``unit``, ``lhs``, ``sense``, ``rhs``, ``slack``, ``shadow_price``
        (what the objective gains per unit shown by which the limit is relaxed), ``binding``, ``mode``,
        ``certainty``."""
        from allocator.report.frames import prices_frame

        return prices_frame(self)

    def figure(self, name: str, language: str | None = None) -> Any:
        """Return a chart as a plotly figure (extra ``notebook``).

        Parameters
        ----------
        name : str
            ``allocation``, ``waterfall``, ``returns``, ``capital``, ``cash_flows``, ``tilts`` or
            ``stress``.
        language : str or None
            ``"en"`` or ``"zh"``; None takes the fund's own.

        Raises
        ------
        InputError
            When there is no such chart, nothing to draw in it, or no plotly.
        """
        from allocator.language import preferred_language
        from allocator.report.figures import figure
        from allocator.report.view import View

        return figure(View.of(self, preferred_language(language, self.inputs.settings.language, os.environ)), name)

    def _repr_html_(self) -> str:
        from allocator.report.notebook import result_html

        return result_html(self)

    @property
    def return_before(self) -> float:
        """Expected return of the current holdings, annual decimal."""
        return float(self.expected_return @ self.model.space.current) / self.model.space.total

    @property
    def return_after(self) -> float:
        """Expected return of the target holdings, annual decimal, before costs."""
        return float(self.expected_return @ self.target) / self.model.space.total

    def report(self, folder: str | Path, language: str | None = None) -> Path:
        """Write OUT/ whole or not at all, register the run, and return OUT's path.

        Parameters
        ----------
        folder : str or Path
            New, empty, or an earlier OUT/ of this library, which is replaced.
        language : str or None
            ``"en"`` or ``"zh"``; None takes the fund's own.

        Warns
        -----
        RegisterWarning
            When the run register cannot be written; OUT/ is whole all the same.
        """
        from allocator.register import RegisterWarning, record
        from allocator.report import write

        written = write(self, Path(folder), language)
        problem = record(written, self.inputs.settings)
        if problem is not None:
            warnings.warn(str(problem), RegisterWarning, stacklevel=2)
        return written
