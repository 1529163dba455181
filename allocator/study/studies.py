"""The questions a batch may ask of every fund: each turns a fund into rows of plain figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from allocator.config.messages import Place, translate
from allocator.config.settings import Number, Section
from allocator.errors import InputError
from allocator.model.position import CapitalPosition
from allocator.pipeline.optimize import optimize
from allocator.pipeline.scenarios import stress
from allocator.study.backtest import backtest
from allocator.study.frontier import FrontierSettings, frontier
from allocator.study.plan import plan
from allocator.study.reverse import reverse_stress
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["STUDIES", "Row", "StudySpec"]

Row = Mapping[str, float | int | str | None]
"""One line of a study's table: column → figure or text, the same columns in every row of one fund."""


@dataclass(frozen=True, slots=True)
class StudySpec:
    """A question that a batch can ask.

    Parameters
    ----------
    name : str
        Value of ``study:``.
    label : Text
        For reports.
    options : type of BaseModel
        Keys under ``options:``.
    rows : callable
        ``rows(fund, options) -> sequence of Row``. Times do not belong in it: a row is the same every time.
    """

    name: str
    label: Text
    options: type[BaseModel]
    rows: Callable[[Fund, Any], Sequence[Row]] = field(repr=False)

    def validated(self, options: Mapping[str, Any]) -> BaseModel:
        """Return the options checked.

        Raises
        ------
        InputError
            Naming the keys at fault.
        """
        try:
            return self.options.model_validate(dict(options))
        except ValidationError as error:
            place = Place(lambda key: f"options.{key}" if key else "options")
            raise InputError(translate(error, self.options, options, place)) from None


class NoOptions(Section):
    """A question without keys of its own."""


class FrontierOptions(Section):
    """The keys of ``allocator frontier``."""

    points: int = Field(50, ge=2)
    between: str = "comprehensive"
    best: str = "objective"
    low: Number | None = None
    high: Number | None = None


def _capital_row(position: CapitalPosition | None) -> dict[str, float]:
    if position is None:
        return {}
    return {
        **{f"{item.name}_ratio": position.ratio(item.name) for item in position.requirements},
        "minimum_capital": position.minimum_capital,
    }


def _run(fund: Fund, options: NoOptions) -> Sequence[Row]:
    result = optimize(fund)
    return [
        {
            "solution": result.status,
            "objective": result.objective,
            "bound": result.bound,
            "gap": result.gap,
            "expected_return": result.return_after,
            "turnover": 0.5 * float(np.abs(result.traded[result.model.space.funded]).sum()) / result.model.space.total,
            **_capital_row(result.after),
        }
    ]


def _capital(fund: Fund, options: NoOptions) -> Sequence[Row]:
    position = fund.position()
    if position is None:
        return []
    modules = {f"module_{name}": amount for name, amount in position.tree.values(position.holdings).items()}
    return [{**_capital_row(position), "own_funds": position.own_funds.comprehensive, **modules}]


def _frontier(fund: Fund, options: FrontierOptions) -> Sequence[Row]:
    settings = FrontierSettings(options.points, options.between, options.best, options.low, options.high)
    return _rows(frontier(fund, settings).frame)


def _stress(fund: Fund, options: NoOptions) -> Sequence[Row]:
    return _rows(stress(fund).frame)


def _reverse_stress(fund: Fund, options: NoOptions) -> Sequence[Row]:
    return _rows(reverse_stress(fund).frame)


def _plan(fund: Fund, options: NoOptions) -> Sequence[Row]:
    found = plan(fund)
    solution = found.solution
    return _rows(found.frame.assign(solution=solution.status, gap=solution.gap, holds=found.holds))


def _backtest(fund: Fund, options: NoOptions) -> Sequence[Row]:
    return _rows(backtest(fund).frame)


def _rows(frame: pd.DataFrame) -> Sequence[Row]:
    """Return a study's table as rows: a cell without a figure is None; ``status`` is the task's own column."""
    cells = frame.rename(columns={"status": "solution"}).astype(object)
    return [
        {str(name): value for name, value in row.items()} for row in cells.where(cells.notna(), None).to_dict("records")
    ]


STUDIES: Mapping[str, StudySpec] = {
    spec.name: spec
    for spec in (
        StudySpec("run", Text("Optimize", "优化"), NoOptions, _run),
        StudySpec("capital", Text("Capital of what is held", "当前持仓的资本"), NoOptions, _capital),
        StudySpec("frontier", Text("Frontier", "有效前沿"), FrontierOptions, _frontier),
        StudySpec("stress", Text("Stress test", "压力测试"), NoOptions, _stress),
        StudySpec("reverse_stress", Text("Reverse stress test", "反向压力测试"), NoOptions, _reverse_stress),
        StudySpec("plan", Text("Plan", "多期规划"), NoOptions, _plan),
        StudySpec("backtest", Text("Backtest", "回测"), NoOptions, _backtest),
    )
}
"""Every question by name."""
