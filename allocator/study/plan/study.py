"""Making a plan: solve around a path, evaluate every step with the exact engine, solve again where it falls short.

Charges that depend on the book as a whole, denominators of limits and the limits on capital tiers are taken at a
path: first that of a fund that keeps its mix, then the plan's own. Nothing is promised about plans that were not
looked at; what is reported at each moment is what the exact engine gives there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.arrays import Vector
from allocator.errors import InputError, Problem
from allocator.model.position import CapitalPosition
from allocator.model.regime import Regime
from allocator.model.terms import TOLERANCE, Mode
from allocator.pipeline.scenarios import capital_of, scenario_named, shock_fund, stressed_fund
from allocator.solve import solve
from allocator.solve.search.solution import Solution
from allocator.stress.shocks import Scenario, Shocked
from allocator.study.plan.plan_node import PlanNode, make_moment, moments_along, sold_at
from allocator.study.plan.program import Program, limit_name
from allocator.study.plan.projection_basis import ProjectionBasis, make_world
from allocator.study.plan.timeline import Node, timeline
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["PlanPoint", "PlanStudy", "keep_the_mix", "plan"]


WORTH = 1e-6
"""Price of own funds from which a ratio counts as binding, a year per unit."""

SPARE = 1.05
"""By how much more than it missed a ratio is asked for in the next round."""


@dataclass(frozen=True, eq=False)
class PlanPoint:
    """One ratio at one moment, by the exact engine.

    Parameters
    ----------
    node : Node
        When.
    scenario : str
        Scenario to be survived, empty for the moment itself.
    ratio : str
        Name of the ratio.
    reached, required : float
        The exact ratio, and what is required of it (NaN for nothing).
    price : float
        What one more unit of own funds there would add to the yearly return of the plan, money a year.
    """

    node: Node
    scenario: str
    ratio: str
    reached: float
    required: float
    price: float

    @property
    def holds(self) -> bool:
        """Whether the ratio is what it must be, within the library's one tolerance."""
        return bool(np.isnan(self.required) or self.reached >= self.required - TOLERANCE)

    @property
    def binds(self) -> bool:
        """Whether the plan would earn more if this ratio were let down."""
        return self.price > WORTH


@dataclass(frozen=True, eq=False)
class PlanStudy:
    """A plan and what the exact engine says of it.

    Parameters
    ----------
    world : World
        Rows and outside cash.
    moments : tuple of Moment
        Every node with its fund, at the plan's own amounts.
    path : ndarray (nodes, k)
        Amounts of the plan rows, money.
    bought : ndarray (nodes, k)
        Purchases, money.
    positions : tuple of CapitalPosition
        Exact capital at every node.
    points : tuple of PlanPoint
        Every ratio required or reported.
    breaches : mapping of str to float
        Rules that the plan misses once denominators are the plan's own, by how much in the unit shown.
    solution : Solution
        Of the last round: its gap is that of the model around the last path but one.
    rounds : int
        Rounds used.
    """

    basis: ProjectionBasis
    moments: tuple[PlanNode, ...]
    path: Vector
    bought: Vector
    positions: tuple[CapitalPosition, ...]
    points: tuple[PlanPoint, ...]
    breaches: Mapping[str, float]
    solution: Solution
    rounds: int

    @property
    def holds(self) -> bool:
        """Whether every ratio and every rule holds at every moment, exactly."""
        return not self.breaches and all(point.holds for point in self.points)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line a moment: date, branch, ratios with what is required, capital, flows, turnover; money."""
        return pd.DataFrame([self._line(moment) for moment in self.moments])

    def _line(self, moment: PlanNode) -> dict[str, object]:
        basis, node = self.basis, moment.node
        funded, number = basis.funded, node.number
        growth = basis.growth(node.step)
        before = basis.start if node.parent < 0 else self.path[node.parent]
        held, bought, sold = self.path[number], self.bought[number], sold_at(basis, moment, self.path, self.bought)
        position = self.positions[number]
        own = [point for point in self.points if point.node is node and not point.scenario]
        received, committed = np.where(basis.funded, growth.paid * before, 0.0), basis.committed.rows
        ratios = {f"{point.ratio}_ratio": point.reached for point in own}
        asked = {f"{point.ratio}_required": point.required for point in own}
        return {
            "node": number,
            "step": node.step,
            "date": node.day(basis.fund.inputs.as_of, basis.settings.per_year).isoformat(),
            "branch": node.branch,
            "probability": node.probability,
            **ratios,
            **asked,
            "binding": any(point.binds for point in own),
            "assets": float(held[funded].sum()),
            "actual_capital": position.own_funds.actual,
            "minimum_capital": position.minimum_capital,
            "matured_and_coupons": float(received[~committed].sum()),
            "distributed": float(received[committed].sum()),
            "capital_called": float(basis.committed.called[node.step - 1].sum()),
            "cash_from_outside": sum(basis.outside(node.step).values()),
            "bought": float(bought[funded].sum()),
            "sold": float(sold[funded].sum()),
            "turnover": float(sold[funded].sum()) / max(float(held[funded].sum()), 1e-300),
        }

    def causes(self, moment: PlanNode, most: int = 2) -> tuple[str, ...]:
        """Return the innermost modules whose charge grew most since the moment before, by name.

        Parameters
        ----------
        moment : PlanNode
            Where.
        most : int
            Modules named at most.
        """
        tree, held = self.positions[moment.node.number].tree, self.positions[moment.node.number].holdings
        now = tree.values(held)
        parent = moment.node.parent
        first = capital_of(self.basis.fund)
        before = (
            first.tree.values(first.holdings)
            if parent < 0
            else self.positions[parent].tree.values(self.positions[parent].holdings)
        )
        table = tree.table(held)
        leaves = [name for name in table["module"] if name not in set(table["parent"])]
        grown = {name: now[name] - before.get(name, 0.0) for name in map(str, leaves)}
        ranked = sorted((name for name, rise in grown.items() if rise > 0.0), key=lambda name: -grown[name])
        return tuple(ranked[:most])

    @cached_property
    def holdings(self) -> pd.DataFrame:
        """One line a moment and row held or traded: amounts, purchases and sales, money."""
        basis = self.basis
        frame = basis.fund.inputs.assets
        lines = []
        for moment in self.moments:
            number, sold = moment.node.number, sold_at(basis, moment, self.path, self.bought)
            for row in np.flatnonzero(np.maximum(self.path[number], np.maximum(self.bought[number], sold)) > 0.5):
                source = frame.iloc[basis.source[row]]
                lines.append(
                    (
                        moment.node.step,
                        moment.node.branch,
                        source["asset_id"],
                        source["account"],
                        source["kind"],
                        bool(basis.is_new[row]),
                        float(self.path[number, row]),
                        float(self.bought[number, row]),
                        float(sold[row]),
                    )
                )
        columns = ["step", "branch", "asset_id", "account", "kind", "new_issue", "amount", "bought", "sold"]
        return pd.DataFrame(lines, columns=columns)

    @cached_property
    def ratios(self) -> pd.DataFrame:
        """One line a moment, scenario and ratio: reached, required, room, price."""
        rows = [
            (
                item.node.step,
                item.node.branch,
                item.scenario,
                item.ratio,
                item.reached,
                item.required,
                item.reached - item.required,
                item.price,
                item.holds,
            )
            for item in self.points
        ]
        columns = ["step", "branch", "scenario", "ratio", "reached", "required", "room", "price", "holds"]
        return pd.DataFrame(rows, columns=columns)


def plan(fund: Fund) -> PlanStudy:
    """Return the plan that the fund file asks for.

    Raises
    ------
    InputError
        For what the plan's settings, scenarios or rows lack.
    Infeasible, NotProven
        When no plan meets the requirements around the path of a fund that keeps its mix, or none was found.
    """
    basis = make_world(fund, fund.settings.plan)
    nodes = timeline(fund, fund.settings.plan)
    wanted = _required(fund, nodes)
    path, moments = keep_the_mix(basis, nodes)
    asked = dict(wanted)
    deadline = time.monotonic() + basis.settings.time_limit
    limits = {"gap": basis.settings.gap, "time_limit": basis.settings.time_limit}
    search = fund.settings.solve.model_copy(update=limits)
    for number in range(1, basis.settings.rounds + 1):
        program = Program(basis, moments, path, asked, _stressed(fund, moments))
        solution = solve(program.model(), search, settled=False)
        path, bought = program.spread(solution.holdings)
        moments = moments_along(basis, nodes, path)
        points = _points(fund, moments, wanted, solution)
        short = [point for point in points if not point.holds]
        left = deadline - time.monotonic()
        if not short or number == basis.settings.rounds or left <= 0.0:
            break
        search = search.model_copy(update={"time_limit": left})
        # The first round took charges at another path than its own: what it misses says little of the next.
        for point in short if number > 1 else ():
            key = (point.node.number, point.scenario, point.ratio)
            asked[key] += SPARE * (point.required - point.reached)
    positions = tuple(capital_of(moment.fund) for moment in moments)
    return PlanStudy(basis, moments, path, bought, positions, points, _breaches(moments), solution, number)


def _required(fund: Fund, nodes: tuple[Node, ...]) -> dict[tuple[int, str, str], float]:
    """Return what every ratio must be at every node and in every scenario to be survived there."""
    settings, regime = fund.settings.plan, fund.regime
    assert regime is not None
    names = [item.name for item in regime.requirements()]
    usual = settings.require
    if usual is None:
        usual = {item.name: item.required for item in regime.requirements() if item.required is not None}
    for key, given in (("require", usual), ("end", settings.end), *settings.under.items()):
        for name in given:
            if name not in names:
                what = Text("no such ratio", "没有该充足率")
                raise InputError(Problem(what, fund.settings.where(f"plan.{key}"), name, ", ".join(names)))
    last = max(node.step for node in nodes)
    found: dict[tuple[int, str, str], float] = {}
    for node in nodes:
        for name in names:
            levels = [given[name] for given in (usual, settings.end if node.step == last else {}) if name in given]
            if levels:
                found[node.number, "", name] = max(levels)
        for scenario, ratios in settings.under.items():
            found |= {(node.number, scenario, name): ratio for name, ratio in ratios.items()}
    return found


def keep_the_mix(basis: ProjectionBasis, nodes: tuple[Node, ...]) -> tuple[Vector, tuple[PlanNode, ...]]:
    """Return the path of a fund that puts whatever comes in into its present mix, and its moments.

    Parameters
    ----------
    basis : ProjectionBasis
        The k rows of the plan.
    nodes : tuple of Node
        In order of time.
    """
    path = np.zeros((len(nodes), basis.size))
    moments: list[PlanNode] = []
    for node in nodes:
        before = basis.start if node.parent < 0 else path[node.parent]
        path[node.number] = _rolled(basis, node, before, np.ones(basis.size))
        moment = make_moment(basis, node, path, moments)
        if node.fresh is not None:
            path[node.number] = _rolled(basis, node, before, moment.price)
            moment = make_moment(basis, node, path, moments)
        moments.append(moment)
    return path, tuple(moments)


def _rolled(basis: ProjectionBasis, node: Node, before: Vector, price: Vector) -> Vector:
    """Return amounts after a step when each account spreads its cash over what it held first, in proportion."""
    growth, cash = basis.growth(node.step), basis.outside(node.step)
    called = basis.committed.called[node.step - 1]
    held: Vector = growth.kept * price * before + called
    now = basis.fund.inputs.assets["amount"].to_numpy(dtype=float)[basis.source]
    renewed = np.isin(basis.source, basis.source[basis.is_new])
    open_to_all = growth.alive & basis.funded & ~basis.committed.rows & (basis.is_new | ~renewed)
    weight = np.where(open_to_all, np.nan_to_num(now), 0.0)
    for name, amount in cash.items():
        rows = (basis.account == name) & basis.funded
        spend = float((growth.paid * before - called)[rows].sum()) + amount
        if spend < 0.0 or weight[rows].sum() <= 0.0:
            left = float(held[rows].sum())
            held[rows] *= max(left + spend, 0.0) / left if left > 0.0 else 1.0
        else:
            held[rows] += spend * weight[rows] / weight[rows].sum()
    return held


def _stressed(fund: Fund, moments: tuple[PlanNode, ...]) -> dict[tuple[int, str], tuple[Scenario, Shocked, Regime]]:
    """Return what each scenario to be survived leaves at each moment."""
    found: dict[tuple[int, str], tuple[Scenario, Shocked, Regime]] = {}
    for name in fund.settings.plan.under:
        scenario = scenario_named(fund, name, "plan.under")
        if scenario.missing is not None:
            raise InputError(Problem(scenario.missing, fund.settings.where("plan.under"), name))
        for moment in moments:
            shocked = shock_fund(moment.fund, scenario)
            regime = stressed_fund(moment.fund, shocked, scenario).regime
            assert regime is not None
            found[moment.node.number, name] = (scenario, shocked, regime)
    return found


def _points(
    fund: Fund, moments: tuple[PlanNode, ...], wanted: Mapping[tuple[int, str, str], float], solution: Solution
) -> tuple[PlanPoint, ...]:
    """Return every ratio at the plan's own amounts, each from checked inputs of its own."""
    total = float(fund.space.total)
    found = []
    for moment in moments:
        funds = {"": moment.fund}
        for name in fund.settings.plan.under:
            scenario = scenario_named(fund, name, "plan.under")
            funds[name] = stressed_fund(moment.fund, shock_fund(moment.fund, scenario), scenario)
        for scenario_name, then in funds.items():
            position = capital_of(then)
            for item in position.requirements:
                number = moment.node.number
                required = wanted.get((number, scenario_name, item.name), np.nan)
                price = solution.capital_prices.get(limit_name(number, scenario_name, item.name), 0.0) * total
                found.append(
                    PlanPoint(moment.node, scenario_name, item.name, position.ratio(item.name), required, price)
                )
    return tuple(found)


def _breaches(moments: tuple[PlanNode, ...]) -> dict[str, float]:
    """Return the rules that the plan's amounts miss at their own date and totals."""
    found: dict[str, float] = {}
    for moment in moments:
        for term in moment.fund.terms:
            if term.mode is not Mode.HARD or term.source.document == "accounts" or term.holds(moment.holdings):
                continue
            found[f"{term.name}@{moment.node.number}"] = float(-term.slack(moment.holdings).min())
    return found
