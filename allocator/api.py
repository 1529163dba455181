"""The library in Python: a fund loaded, its capital, its best allocation, and what people look at.

Every name is also one of `allocator`. The rooms below work in CNY on arrays; here they meet a person.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.config.load import settings_from_mapping
from allocator.extension.registry import Registry, enabled_plugins
from allocator.inputs import Inputs, from_frames
from allocator.model import position
from allocator.pipeline import fund as pipeline
from allocator.pipeline.optimize import optimize
from allocator.result import result

if TYPE_CHECKING:
    from allocator.result.stress import StressStudy
    from allocator.study.frontier import Frontier
    from allocator.study.plan import PlanStudy

__all__ = ["CapitalPosition", "Fund", "Result", "load"]

Vector = NDArray[np.float64]
Shown = TypeVar("Shown")


def _shown(face: type[Shown], value: Any) -> Shown:
    """Return a value of the rooms below as the class that people use, of the same fields."""
    return face(**{item.name: getattr(value, item.name) for item in fields(value)})


class CapitalPosition(position.CapitalPosition):
    """Capital and ratios of one set of holdings, by the exact tree, with their tables."""

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


class Result(result.Result):
    """A verified answer with its tables, charts and report."""

    before: CapitalPosition | None
    after: CapitalPosition | None

    @classmethod
    def of(cls, value: result.Result) -> Result:
        """Return an answer of the pipeline with its tables, charts and report."""
        found = _shown(cls, value)
        before, after = (
            None if item is None else _shown(CapitalPosition, item) for item in (value.before, value.after)
        )
        return replace(found, before=before, after=after)

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


class Fund(pipeline.Fund):
    """A fund: its inputs, its capital and its best verified allocation.

    Parameters
    ----------
    settings : mapping
        The sections of FUND.yaml as a dictionary; ``inputs`` is not needed.
    assets : DataFrame
        One row per asset and account, columns as in assets.csv.
    **tables : DataFrame
        Further tables by their key under ``inputs:`` (issuers, liabilities, curve, covariance …).

    Raises
    ------
    InputError
        As `load` does.
    """

    def __init__(self, settings: Mapping[str, Any], assets: pd.DataFrame, **tables: pd.DataFrame) -> None:
        known = settings_from_mapping({"inputs": {}, **settings})
        registry = enabled_plugins(known.plugins)
        super().__init__(from_frames(known, {"assets": assets, **tables}, registry), registry)

    @classmethod
    def of(cls, inputs: Inputs, registry: Registry) -> Fund:
        """Return the fund on inputs that are checked already."""
        fund = cls.__new__(cls)
        pipeline.Fund.__init__(fund, inputs, registry)
        return fund

    def with_inputs(self, inputs: Inputs) -> Fund:
        """Return the same fund on other checked inputs, such as those of a stress scenario."""
        return Fund.of(inputs, self.registry)

    def capital(self, holdings: Vector | None = None) -> CapitalPosition | None:
        """Return the exact capital at ``holdings`` (n,), CNY; None is the current holdings, free of costs.

        A fund without a regime has none: the answer is None.
        """
        found = self.position(holdings)
        return None if found is None else _shown(CapitalPosition, found)

    def optimize(self) -> Result:
        """Return the best allocation, verified.

        Raises
        ------
        Infeasible
            When no allocation meets the rules; names the rules in conflict.
        NotProven
            When none was found within the limits and infeasibility is not proven.
        VerificationError
            When the exact re-computation does not confirm the answer: a defect, never a result.
        """
        return Result.of(optimize(self))

    def frontier(self, points: int = 50, between: str = "comprehensive", best: str = "objective") -> Frontier:
        """Return the best of one figure at ``points`` levels of another; see `allocator.study.frontier.frontier`."""
        from allocator.study.frontier import FrontierSettings, frontier

        return frontier(self, FrontierSettings(points, between, best))

    def stress(self) -> StressStudy:
        """Return the capital now and after every scenario that is in force or that the fund file states."""
        from allocator.pipeline.scenarios import stress

        return stress(self)

    def plan(self) -> PlanStudy:
        """Return the years ahead that the section ``plan`` of the fund file asks for; see `allocator.study.plan`."""
        from allocator.study.plan import plan

        return plan(self)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Fund:
    """Read and check a fund file and everything it names.

    Parameters
    ----------
    path : str or Path
        FUND.yaml.
    overrides : sequence of str
        ``KEY=VALUE`` as on the command line.

    Raises
    ------
    InputError
        With every problem found, each with file, row or line, and a cure.
    """
    found = pipeline.load_fund(path, overrides)
    return Fund.of(found.inputs, found.registry)
