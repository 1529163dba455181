"""The frontier: the best of one figure at every level of another, and which rule makes it bend.

    v(a) = max { best(x) : x allowed, axis(x) ≥ a }        for N levels a

from the level the optimum reaches by itself to the highest one there is. It is one model at N levels
(`allocator.solve.sweep.sweep`), each answer verified by the exact tree like that of a run. The slope of v is minus the
promise's shadow price; where it bends, and why, is found in `allocator.study.corner_portfolios`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.arrays import Vector
from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible, InputError, Problem
from allocator.inputs.fund import Inputs
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense
from allocator.model.tilts import Budget
from allocator.pipeline.optimize import solve
from allocator.solve.search.solution import Solution
from allocator.solve.sweep.sweep import Sweep, SweepSolution
from allocator.study.axis import Axis, find_axis
from allocator.study.corner_portfolios import CornerPortfolio, Segment, find_corner_portfolios, find_segments
from allocator.study.frontier_point import FrontierPoint
from allocator.types import Text
from allocator.verify import verify

if TYPE_CHECKING:
    from allocator.model.regime import Regime
    from allocator.pipeline.fund import Fund

__all__ = ["Frontier", "FrontierSettings", "frontier"]


INSIDE = 0.005
"""How far inside the end the last level is, as a part of the range: at the end itself one allocation is left."""

ROUGH = 1e-2
"""Gap at which the far end of the range is sought: it only decides where the last level is."""

CAPITAL_GAP = 1e-3
"""Gap where capital is what is sought: a ten-thousandth of it, a fiftieth of a percentage point at 200%."""

FELT = 0.01
"""A rule binds on a segment when its price is at least this part of the highest."""


@dataclass(frozen=True, slots=True)
class FrontierSettings:
    """What a frontier is asked for.

    Parameters
    ----------
    points : int
        Number of levels, at least 2.
    between : str
        The figure promised at each level (see `allocator.study.axis.find_axis`); empty: the principal ratio.
    best : str
        The figure that is made as good as it can be.
    low, high : float or None
        First and last level in the figure's unit; None takes the ends of the range.
    """

    points: int = 50
    between: str = ""
    best: str = "objective"
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.points < 2:
            raise InputError(
                Problem(Text("a frontier needs points", "前沿至少需要两个点"), "--points", str(self.points), "≥ 2")
            )


@dataclass(frozen=True, eq=False)
class Frontier:
    """A frontier; every point of it is verified.

    Parameters
    ----------
    inputs, regime, model
        The fund, and its model without the promise.
    axis, best : Axis
        What is promised and what is sought.
    points : tuple of FrontierPoint
        By rising level.
    stretches : tuple of Stretch
        What binds where.
    kinks : tuple of Kink
        Between them.
    rules : mapping of str to Text
        Label of every row that binds somewhere.
    seconds : mapping of str to float
        Time of the range's ends and of the sweep.
    """

    inputs: Inputs
    regime: Regime | None
    model: Model
    axis: Axis
    best: Axis
    points: tuple[FrontierPoint, ...]
    segments: tuple[Segment, ...]
    corner_portfolios: tuple[CornerPortfolio, ...]
    rules: Mapping[str, Text]
    seconds: Mapping[str, float]

    @property
    def frame(self) -> pd.DataFrame:
        """One line a point: level, reached, value, slope, expected_return, ratios, minimum_capital (money), binding,
        bound, gap, status, programs."""
        return pd.DataFrame(
            {
                "level": point.level,
                "reached": point.reached,
                "value": point.value,
                "slope": point.slope,
                "expected_return": point.expected_return,
                **{f"{name}_ratio": ratio for name, ratio in point.ratios.items()},
                "minimum_capital": point.minimum_capital,
                "binding": ";".join(point.prices),
                "bound": point.bound,
                "gap": point.gap,
                "status": point.status,
                "programs": point.programs,
            }
            for point in self.points
        )

    @property
    def allocations(self) -> pd.DataFrame:
        """Target amounts (money): one line an asset row, one column a level."""
        space = self.model.space
        columns = {f"{point.level:.6g}": point.holdings for point in self.points}
        return pd.DataFrame({"asset_id": space.asset_id, "account": space.account, **columns})


def frontier(fund: Fund, settings: FrontierSettings | None = None) -> Frontier:
    """Return the frontier of a fund.

    Rewards and floors of the fund's tilts are in force; a tilt with a budget is left out, as it steers one optimum.

    Parameters
    ----------
    fund : Fund
        The fund.
    settings : FrontierSettings or None
        None: 50 points of the objective against the principal ratio.

    Raises
    ------
    InputError
        For names that the fund does not know, or ends that are no range.
    Infeasible, NotProven
        When a level asked for has no answer.
    VerificationError
        When the exact re-computation does not confirm a point: a defect, never a result.
    """
    settings = settings or FrontierSettings()
    axis = find_axis(fund, settings.between or fund.inputs.jurisdiction.principal, "--between")
    best = find_axis(fund, settings.best, "--and")
    if axis.name == best.name:
        what = Text("a frontier needs two different figures", "前沿需要两个不同的指标")
        raise InputError(Problem(what, "--and", settings.best))
    started = time.perf_counter()
    model = fund.model
    for tilt in fund.tilts:
        if not isinstance(tilt.mode, Budget) and tilt.spec.name != axis.name:
            model = tilt.apply_tilts(model)
    model = axis.free(best.optimised(model))
    limits = fund.settings.solve
    if best.in_capital:
        limits = limits.model_copy(update={"gap": max(limits.gap, CAPITAL_GAP)})
    levels, known = _levels(fund, model, axis, settings, limits)
    middle = time.perf_counter()
    points = tuple(_sweep(fund, model, (axis, best), levels, known, limits))
    seconds = {"ends": middle - started, "sweep": time.perf_counter() - middle}
    segments = tuple(find_segments(points))
    corner_portfolios = tuple(find_corner_portfolios(model, points, segments, fund.tree_at))
    return Frontier(
        fund.inputs,
        fund.regime,
        model,
        axis,
        best,
        points,
        segments,
        corner_portfolios,
        _labels(model, axis, points),
        seconds,
    )


def _levels(
    fund: Fund, model: Model, axis: Axis, settings: FrontierSettings, limits: SolveSettings
) -> tuple[Vector, Vector | None]:
    """Return the levels, loosest first, and an allocation that meets them all, where the range's far end was sought.

    The near end is what the optimum reaches when nothing is promised, the far end the best there is.
    """
    given = (settings.low, settings.high)
    near, far = given if axis.at_least else given[::-1]
    known = None
    if near is None:
        solved = solve(fund, model, limits)
        near = axis.evaluate(solved.model, solved.solution.holdings)
        if not np.isfinite(near):
            what = Text("this figure has no end: there is no capital to relate it to", "该指标没有上限：不占用任何资本")
            raise InputError(Problem(what, "--between", axis.name))
    if far is None:
        rough = fund.settings.solve.model_copy(update={"gap": ROUGH})
        solved = solve(fund, axis.optimised(model), rough)
        known = solved.solution.holdings
        end = axis.evaluate(solved.model, known)
        far = end - INSIDE * (end - near)
    if not (far > near if axis.at_least else far < near):
        raise InputError(
            Problem(
                Text(
                    "the levels are no range: the optimum reaches the last one by itself",
                    "区间无效：最优解本身已达到末端",
                ),
                "--from … --to",
                f"{near:.6g} … {far:.6g}",
            )
        )
    return np.linspace(near, far, settings.points), known


def _sweep(
    fund: Fund, model: Model, ends: tuple[Axis, Axis], levels: Vector, known: Vector | None, limits: SolveSettings
) -> Sequence[FrontierPoint]:
    """Solve the levels, tightest first, so that each answer is a foothold for the next; return them rising."""
    axis, best = ends
    sweep = Sweep(axis.constrained_at(model, float(levels[0])), limits, fund.book_state, fund.tree_at)
    if known is not None:
        sweep.know(known)
    points = []
    for level in levels[::-1].tolist():
        try:
            reached = sweep.solve(axis.constrained_at(model, level))
        except Infeasible as error:
            raise _beyond(fund, model, axis, level) from error
        verify(reached.model, reached.solution.holdings, reached.model.tree)
        points.append(_point(fund, axis, best, level, reached))
    return sorted(points, key=lambda point: point.level)


def _beyond(fund: Fund, model: Model, axis: Axis, level: float) -> Infeasible:
    """Return what to say of a level that no allocation reaches: how far the figure goes under all other rules."""
    best = solve(fund, axis.optimised(model), fund.settings.solve)
    reached = axis.evaluate(best.model, best.solution.holdings)
    beyond = axis.per_objective(best.model, best.solution.holdings) * best.solution.gap
    return Infeasible(
        Problem(
            Text(f"no allocation reaches this level: {axis.label.en}", f"没有方案能达到该水平：{axis.label.zh}"),
            "--to" if axis.at_least else "--from",
            f"{level:.6g}",
            f"{'≤' if axis.at_least else '≥'} {reached + beyond:.6g}",
        )
    )


def _point(fund: Fund, axis: Axis, best: Axis, level: float, reached: SweepSolution) -> FrontierPoint:
    model, solution = reached.model, reached.solution
    holdings, space = solution.holdings, model.space
    cost = float(model.cost.value(holdings)[0])
    capital = np.nan if model.tree is None else model.tree.value(holdings)
    price = axis.price(model, solution)
    value = best.evaluate(model, holdings)
    return FrontierPoint(
        level,
        axis.evaluate(model, holdings),
        value,
        solution.bound,
        solution.gap,
        solution.status,
        -price * best.per_objective(model, holdings),
        solution.nodes,
        reached.alone,
        float(fund.context.expected_return @ holdings) / space.total,
        capital,
        {item.name: replace(item, capital=item.capital - cost).over(capital) for item in fund.requirements},
        _binding(model, solution, capital),
        holdings,
    )


def _binding(model: Model, solution: Solution, capital: float) -> Mapping[str, float]:
    """Return the rules that have a shadow price, highest first."""
    prices: dict[str, float] = {}
    for term in model.terms:
        if term.sense is not Sense.EQUAL and term.mode is Mode.HARD:
            prices |= dict(zip(term.row_names(), solution.shadow_prices[term.name].tolist(), strict=True))
    root = "" if model.tree is None else model.tree.root.name
    for limit in model.capital_limits:
        per = capital if limit.module == root else abs(limit.available)
        prices[limit.name] = solution.capital_prices[limit.name] * per
    highest = max(prices.values(), default=0.0)
    felt = {name: price for name, price in prices.items() if price > FELT * highest}
    return dict(sorted(felt.items(), key=lambda item: -item[1]))


def _labels(model: Model, axis: Axis, points: Sequence[FrontierPoint]) -> Mapping[str, Text]:
    """Return the label of every row that binds somewhere."""
    labels: dict[str, Text] = {}
    for term in axis.constrained_at(model, points[0].level).terms:
        for row, name in enumerate(term.row_names()):
            rows = f" ({term.rows[row]})" if term.rows else ""
            labels[name] = Text(term.label.en + rows, term.label.zh + rows)
    labels |= {limit.name: limit.label for limit in axis.constrained_at(model, points[0].level).capital_limits}
    found = {name for point in points for name in point.prices}
    return {name: label for name, label in labels.items() if name in found}
