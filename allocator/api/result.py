"""Capital and answers as people use them: amounts in ``fund.unit``, by ``(asset_id, account)``."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from allocator.api.amounts import file_order, labelled
from allocator.api.writing import registered
from allocator.language import preferred_language
from allocator.types import Language

if TYPE_CHECKING:
    from allocator.model import position
    from allocator.report.figures import Figure
    from allocator.report.view import View
    from allocator.result import result
    from allocator.result.result import TiltPrice

__all__ = ["CapitalPosition", "Result"]


class CapitalPosition:
    """Capital and ratios of one set of holdings, by the exact tree; money in ``fund.unit``.

    Parameters
    ----------
    value : position.CapitalPosition
        What was computed; money in currency units.
    unit : float
        Currency units per unit of the fund's money.
    """

    def __init__(self, value: position.CapitalPosition, unit: float) -> None:
        self.value, self._unit = value, unit

    @property
    def minimum_capital(self) -> float:
        """Minimum capital."""
        return self.value.minimum_capital / self._unit

    @property
    def costs(self) -> float:
        """One-off costs already taken from the capital available."""
        return self.value.costs / self._unit

    @property
    def ratios(self) -> dict[str, float]:
        """Every solvency ratio by its name, decimals."""
        return {item.name: self.value.ratio(item.name) for item in self.value.requirements}

    def ratio(self, name: str) -> float:
        """Return one solvency ratio by its name; KeyError where there is none of that name."""
        return self.value.ratio(name)

    @cached_property
    def modules(self) -> pd.DataFrame:
        """The risk modules as a solvency report prints them: ``module``, ``parent``, ``depth``, ``amount``,
        ``article``."""
        from allocator.report.frames import module_frame

        return module_frame(self.value, self._unit)

    @cached_property
    def assets(self) -> pd.DataFrame:
        """Who uses the capital: ``asset_id``, ``account``, ``amount``, ``marginal`` (capital per unit more held),
        ``freed`` (by one unit less) and ``contribution``; the last row holds liabilities and constants, and
        contributions sum to the total."""
        from allocator.report.frames import asset_capital_frame

        return asset_capital_frame(self.value, self._unit)

    def __repr__(self) -> str:
        ratios = ", ".join(f"{name} {ratio:.2%}" for name, ratio in self.ratios.items())
        return f"<minimum capital {self.minimum_capital:,.6g}; {ratios}>"

    def _repr_html_(self) -> str:
        from allocator.report.notebook import position_html

        return position_html(self.value)


class Result:
    """A verified answer with its tables, charts and report; money in ``fund.unit``.

    Parameters
    ----------
    value : result.Result
        What was computed and verified; money in currency units, arrays in the order of the assets table.
    """

    def __init__(self, value: result.Result) -> None:
        self.value = value

    @property
    def status(self) -> str:
        """``"optimal"`` only when `gap` is within ``solve.gap``, else ``"feasible"``."""
        return self.value.status

    @property
    def objective(self) -> float:
        """What was maximized or minimized, at the target: annual decimal, or money for an objective in money."""
        return self.value.objective / self._objective_unit

    @property
    def bound(self) -> float:
        """The certified bound of `objective`, on its optimistic side, in the same unit."""
        return self.value.bound / self._objective_unit

    @property
    def gap(self) -> float:
        """|`bound` − `objective`|."""
        return self.value.gap / self._objective_unit

    @property
    def nodes(self) -> int:
        """Programs solved up to the verdict."""
        return self.value.solution.nodes

    @cached_property
    def weights(self) -> pd.Series:
        """Target by ``(asset_id, account)`` as a share of what all accounts hold after trading."""
        return labelled(self.value.inputs, self.value.model.space, self.value.shares, "weight")

    @cached_property
    def target(self) -> pd.Series:
        """Target amounts by ``(asset_id, account)``; `Fund.capital` takes them as they are."""
        return labelled(self.value.inputs, self.value.model.space, self.value.holdings / self._unit, "target")

    @cached_property
    def trade(self) -> pd.Series:
        """Target less current amounts by ``(asset_id, account)``."""
        return labelled(self.value.inputs, self.value.model.space, self.value.traded / self._unit, "trade")

    @property
    def return_before(self) -> float:
        """Expected return of the current holdings, annual decimal."""
        return self.value.return_before

    @property
    def return_after(self) -> float:
        """Expected return of the target holdings, annual decimal, before costs."""
        return self.value.return_after

    @property
    def before(self) -> CapitalPosition | None:
        """Exact capital of the current holdings; None without a solvency regime."""
        return None if self.value.before is None else CapitalPosition(self.value.before, self._unit)

    @property
    def after(self) -> CapitalPosition | None:
        """Exact capital of the target, after what trading to it costs; None without a solvency regime."""
        return None if self.value.after is None else CapitalPosition(self.value.after, self._unit)

    @property
    def tilts(self) -> tuple[TiltPrice, ...]:
        """What each tilt steered and what it cost against the untilted optimum; ``moved`` in row order."""
        unit = self._unit
        return tuple(
            replace(item, capital_used=item.capital_used / unit, moved=item.moved / unit) for item in self.value.tilts
        )

    @cached_property
    def allocation(self) -> pd.DataFrame:
        """One line for each row, in the order of the assets table: ``asset_id``, ``account``, ``name``, ``kind``,
        ``current``, ``target``, ``weight_before``, ``weight``, ``expected_return``."""
        from allocator.report.frames import allocation_frame

        return allocation_frame(self.value).iloc[file_order(self.value.inputs)].reset_index(drop=True)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """What is bought and sold, largest first: as `allocation`, with ``trade`` and ``capital_marginal``."""
        from allocator.report.frames import trades_frame

        return trades_frame(self.value)

    @cached_property
    def capital(self) -> pd.DataFrame:
        """The risk modules: ``module``, ``parent``, ``depth``, ``before``, ``after``, ``change``, ``article``;
        without lines for a fund without a regime."""
        from allocator.report.frames import capital_frame

        return capital_frame(self.value)

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Every rule: ``name``, ``source``, ``unit``, ``lhs``, ``sense``, ``rhs``, ``slack``, ``shadow_price``
        (what the objective gains per unit shown by which the limit is relaxed), ``binding``, ``mode``,
        ``certainty``."""
        from allocator.report.frames import prices_frame

        return prices_frame(self.value)

    def figure(self, name: str, language: str | None = None) -> Figure:
        """Return a chart of the report as SVG, which a notebook shows; ``save`` writes it to a file.

        Parameters
        ----------
        name : str
            ``allocation``, ``waterfall``, ``returns``, ``marginal``, ``capital``, ``rules``, ``durations``,
            ``cash_flows``, ``tilts`` or ``stress``.
        language : str or None
            ``"en"`` or ``"zh"``; None takes the fund's own.

        Raises
        ------
        InputError
            When there is no such chart, or nothing to draw in it.
        """
        from allocator.report.figures import figure

        return figure(self._view(language), name)

    def summary(self, language: str | None = None) -> str:
        """Return what the command line prints of a run: before and after, trades, rules that bind, proof.

        Parameters
        ----------
        language : str or None
            ``"en"`` or ``"zh"``; None takes the fund's own.
        """
        from io import StringIO

        from rich.console import Console

        from allocator.report.console import print_summary

        console = Console(file=StringIO(), width=120)
        print_summary(self._view(language), console)
        assert isinstance(console.file, StringIO)
        return console.file.getvalue()

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
        from allocator.report import write

        return registered(write(self.value, Path(folder), language), self.value.inputs.settings)

    def __repr__(self) -> str:
        fund, traded = self.value.inputs.settings.fund, self.trades["trade"]
        lines = [
            f"{fund.name}, {fund.as_of}: {self.status}, verified",
            f"objective {self.objective:.6g}, bound {self.bound:.6g}, gap {self.gap:.2g}, {self.nodes} programs",
            f"expected return {self.return_before:.4%} → {self.return_after:.4%}",
        ]
        if self.before is not None and self.after is not None:
            after = self.after.ratios
            lines.append(
                ", ".join(f"{name} {ratio:.2%} → {after[name]:.2%}" for name, ratio in self.before.ratios.items())
            )
        return "\n".join([*lines, f"{int((traded > 0).sum())} rows bought, {int((traded < 0).sum())} sold"])

    def _repr_html_(self) -> str:
        from allocator.report.notebook import result_html

        return result_html(self.value)

    @property
    def _unit(self) -> float:
        return self.value.inputs.unit

    @property
    def _objective_unit(self) -> float:
        return self._unit if self.value.objective_in_money else 1.0

    def _view(self, language: str | None) -> View:
        from allocator.report.view import View

        spoken: Language = preferred_language(language, self.value.inputs.settings.language, os.environ)
        return View.of(self.value, spoken)
