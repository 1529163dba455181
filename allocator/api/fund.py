"""A fund as people use it: loaded or made of frames, its capital, its best allocation, its studies."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.api.amounts import Amounts, by_row
from allocator.api.result import CapitalPosition, Result
from allocator.api.study import Study
from allocator.config.load import settings_from_mapping
from allocator.config.overrides import apply_overrides, override_texts
from allocator.extension.registry import Registry, enabled_plugins
from allocator.inputs import Inputs, from_frames
from allocator.inputs.load import expect_frames
from allocator.language import preferred_language
from allocator.pipeline import fund as pipeline
from allocator.pipeline.optimize import optimize
from allocator.types import Language

__all__ = ["Fund", "load"]

Changed = Callable[[Sequence[str]], "Fund"]


class Fund(pipeline.Fund):
    """A fund: its inputs, its capital and its best verified allocation.

    Parameters
    ----------
    settings : mapping
        The sections of FUND.yaml as a dictionary; ``inputs`` is not needed.
    assets : DataFrame
        One row per asset and account, columns as in assets.csv; money in ``fund.unit``.
    **tables : DataFrame
        Further tables by their key under ``inputs:`` (issuers, liabilities, curve, covariance …).

    Raises
    ------
    InputError
        As `load` does.
    """

    def __init__(self, settings: Mapping[str, Any], assets: pd.DataFrame, **tables: pd.DataFrame) -> None:
        frames = {"assets": assets, **tables}
        expect_frames(settings, frames)

        def made(overrides: Sequence[str]) -> Fund:
            known = apply_overrides(settings_from_mapping({"inputs": {}, **settings}), overrides)
            registry = enabled_plugins(known.plugins)
            return Fund.of(from_frames(known, frames, registry), registry, made)

        first = made(())
        super().__init__(first.inputs, first.registry)
        self._made, self._overrides = made, ()

    _made: Changed | None
    _overrides: tuple[str, ...]

    @classmethod
    def of(cls, inputs: Inputs, registry: Registry, made: Changed | None = None, overrides: Sequence[str] = ()) -> Fund:
        """Return the fund on inputs that are checked already.

        Parameters
        ----------
        inputs : Inputs
            Checked inputs.
        registry : Registry
            The plugins it enables.
        made : callable or None
            Makes the fund anew with overrides; None: its settings cannot be changed.
        overrides : sequence of str
            Those that it was made with.
        """
        fund = cls.__new__(cls)
        pipeline.Fund.__init__(fund, inputs, registry)
        fund._made, fund._overrides = made, tuple(overrides)
        return fund

    def with_inputs(self, inputs: Inputs) -> Fund:
        """Return the same fund on other checked inputs, such as those of a stress scenario."""
        return Fund.of(inputs, self.registry)

    def with_settings(self, changes: Mapping[str, Any]) -> Fund:
        """Return the fund with some settings changed, read and checked anew.

        Parameters
        ----------
        changes : mapping of str to value
            Dotted key, as after ``--set`` on the command line → value: ``{"capital.require.comprehensive": 2.0}``.

        Raises
        ------
        InputError
            As `load`.
        TypeError
            For a fund that stands on the inputs of a scenario.
        """
        if self._made is None:
            raise TypeError("a fund on given inputs has no settings of its own to change")
        added = (f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in changes.items())
        overrides = (*self._overrides, *added)
        fund = self._made(overrides)
        fund._overrides = overrides
        return fund

    def capital(self, amounts: Amounts | None = None) -> CapitalPosition | None:
        """Return the exact capital of amounts held; a fund without a solvency regime has none: the answer is None.

        Parameters
        ----------
        amounts : Series, mapping, sequence, array (n,) or None
            In ``fund.unit``, as in the files: by ``(asset_id, account)``, by ``asset_id`` where that names one row, or
            in the order of the assets table. Trading to them is charged. None: what is held now, free of costs.

        Raises
        ------
        InputError
            For rows that there are not, rows left out, and amounts that are no numbers.
        """
        found = self.position(None if amounts is None else by_row(self.inputs, self.space, amounts) * self.inputs.unit)
        return None if found is None else CapitalPosition(found, self.inputs.unit)

    def optimize(self, require: Mapping[str, float] | None = None) -> Result:
        """Return the best allocation, verified.

        Parameters
        ----------
        require : mapping of str to float or None
            Ratios to hold in place of the fund file's: ``{"comprehensive": 2.0}``.

        Raises
        ------
        Infeasible
            When no allocation meets the rules; names the rules in conflict.
        NotProven
            When none was found within the limits and infeasibility is not proven.
        VerificationError
            When the exact re-computation does not confirm the answer: a defect, never a result.
        """
        if require:
            return self.with_settings({f"capital.require.{name}": level for name, level in require.items()}).optimize()
        return Result(optimize(self))

    def frontier(self, points: int = 50, between: str = "comprehensive", best: str = "objective") -> Study:
        """Return the best of one figure at levels of another.

        Parameters
        ----------
        points : int
            Number of levels, at least 2.
        between, best : str
            The figure held at each level, and the figure made as good as can be: see `allocator.study.frontier`.
        """
        from allocator.report.frontier import frontier_report
        from allocator.study.frontier import FrontierSettings, frontier

        found = frontier(self, FrontierSettings(points, between, best))
        return Study(found, frontier_report(found, self._language))

    def stress(self) -> Study:
        """Return the capital now and after every scenario that is in force or that the fund file states."""
        from allocator.pipeline.scenarios import stress
        from allocator.report.stress import stress_report

        found = stress(self)
        return Study(found, stress_report(self, found, None, self._language))

    def plan(self) -> Study:
        """Return the years ahead that the section ``plan`` of the fund file asks for."""
        from allocator.report.plan import plan_report
        from allocator.study.plan import plan

        found = plan(self)
        return Study(found, plan_report(self, found, self._language))

    @property
    def _language(self) -> Language:
        return preferred_language(None, self.settings.language, os.environ)


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
        With every problem found, each with file, row or line, and a remedy.
    """

    def made(changed: Sequence[str]) -> Fund:
        found = pipeline.load_fund(path, changed)
        return Fund.of(found.inputs, found.registry, made, changed)

    return made(override_texts(overrides))
