"""One allocation that holds its ratios in stress scenarios too.

Each scenario adds a tree over the same holdings x to the model: minimum capital of p ∘ x under the stressed regime,
held against own funds that have moved by g′x. Charges that depend on the book as a whole (the gain of the stock book,
concentration) are taken at an answer and the model is solved again around it; every answer is judged by the scenario
itself, laid on checked inputs that hold it. Where that judgement misses, more is asked for in the next round. Where
charges of a scenario move with the answer, models around better and better answers follow one another, and the bound is
that of the model without such scenarios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.joined import ScenarioTree, StressedRequirement, join_trees, stressed_requirement_name
from allocator.capital.tree import CapitalTree
from allocator.errors import Infeasible, InputError, NotProven, Problem
from allocator.inputs.fund import Inputs
from allocator.inputs.terms import column
from allocator.model.model import CapitalLimit, Model
from allocator.model.position import CapitalPosition
from allocator.model.regime import Regime
from allocator.model.space import Space
from allocator.model.terms import TOLERANCE
from allocator.pipeline.scenarios import (
    capital_of,
    outcome_of,
    required_under,
    scenario_named,
    shock_fund,
    stressed_fund,
)
from allocator.result.stress import StressStudy
from allocator.solve.search.objective_form import tolerance_of
from allocator.solve.search.solution import Solved, Status
from allocator.stress.shocks import Scenario, Shocked, at_amounts
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["ScenarioRequirements"]

Asked = Mapping[tuple[str, str], float]
Solve = Callable[[Model, Callable[[CapitalTree], CapitalTree]], Solved]
Pieces = Mapping[tuple[str, str], tuple["Piece", ...]]

ROUNDS = 9
"""Models solved around one another's answers before giving up."""

PATIENCE = 3
"""Rounds in which charges may settle by themselves before more than the requirement is asked for."""

NUDGE = 1e-5
"""Loss that tells how capital moves, as a share of all holdings."""

SPARE = 1.02
"""By how much more than it missed a ratio is asked for in the next round."""


@dataclass(frozen=True, eq=False)
class _Outcome:
    """A scenario laid on a fund that holds certain amounts: charges and tier limits are exact there.

    ``recognised`` says by how much the capital of each ratio moves with a unit of loss, and from where: by more than
    one where a limit on a tier cuts off what core capital no longer carries.
    """

    scenario: Scenario
    shocked: Shocked
    regime: Regime
    recognised: Mapping[str, tuple[float, float]]

    @property
    def held(self) -> Vector:
        """Amounts after the scenario (n,)."""
        return np.nan_to_num(column(self.shocked.inputs.assets, "amount"))


@dataclass(frozen=True, slots=True)
class Piece:
    """Recognised capital as an affine function of what a scenario gains: ``available + slope · gain``.

    Tier limits make it the least of several such pieces; each one met on the way stays in the model.
    """

    slope: float
    available: float

    def near(self, other: Piece) -> bool:
        """Return whether two pieces are one, rounding aside."""
        return bool(np.allclose((self.slope, self.available), (other.slope, other.available), rtol=1e-7))


class ScenarioRequirements:
    """The scenarios under which a fund must hold its ratios (``capital.require_under``).

    Parameters
    ----------
    fund : Fund
        The fund; its regime, space and settings are read when first needed.
    """

    def __init__(self, fund: Fund) -> None:
        self._fund = fund

    @cached_property
    def required(self) -> Asked:
        """Scenario and ratio → what is required.

        Raises
        ------
        InputError
            For scenarios and ratios that there are not, and scenarios whose effect is not computed.
        """
        found = required_under(self._fund)
        for name, ratio in found:
            place = f"capital.require_under.{name}"
            scenario = scenario_named(self._fund, name, place)
            if scenario.missing is not None:
                raise InputError(Problem(scenario.missing, self._fund.settings.where(place), name))
            known = [item.name for item in capital_of(self._fund).requirements]
            if ratio not in known:
                what = Text("no such ratio", "没有该充足率")
                raise InputError(Problem(what, self._fund.settings.where(place), ratio, ", ".join(known)))
        return found

    @property
    def _names(self) -> Iterable[str]:
        return dict.fromkeys(name for name, _ in self.required)

    def study(self, position: CapitalPosition | None) -> StressStudy | None:
        """Return what the scenarios do to an answer, after what trading to it cost; None without any."""
        if position is None or not self.required:
            return None
        held = self._fund.with_inputs(holding(self._fund.inputs, position.holdings))
        scenarios = [scenario_named(self._fund, name, "capital.require_under") for name in self._names]
        return StressStudy(position, tuple(outcome_of(held, item, position.costs) for item in scenarios), self.required)

    def _outcomes(self, holdings: Vector, costs: float = 0.0) -> dict[str, _Outcome]:
        """Return every scenario as it meets these holdings (n,), after what trading to them cost."""
        held = self._fund.with_inputs(holding(self._fund.inputs, holdings))
        found = {}
        for name in self._names:
            scenario = scenario_named(self._fund, name, "capital.require_under")
            shocked = shock_fund(held, scenario).given(-costs)
            regime = stressed_fund(held, shocked, scenario).regime
            assert regime is not None
            found[name] = _Outcome(scenario, shocked, regime, self._recognised(held, scenario, shocked, regime))
        return found

    def _recognised(
        self, held: Fund, scenario: Scenario, shocked: Shocked, regime: Regime
    ) -> Mapping[str, tuple[float, float]]:
        """Return slope and height, at these holdings, of the piece of recognised capital that holds where some is left.

        Where core capital is negative no other tier counts, and capital falls with core capital alone. Continued to
        where it is positive, that piece would lie below what is recognised there and cut off answers that comply: it is
        taken a little above nothing instead.
        """
        step = NUDGE * self._fund.space.total
        relief, upper = 0.0, regime
        left = min((item.capital for item in regime.requirements()), default=1.0)
        if left <= 0.0:
            relief = 2.0 * step - left
            upper = stressed_fund(held, shocked.given(relief), scenario).regime or regime
        lower = stressed_fund(held, shocked.given(relief - step), scenario).regime
        assert lower is not None
        found = {}
        for item, less in zip(upper.requirements(), lower.requirements(), strict=True):
            slope = (item.capital - less.capital) / step
            found[item.name] = slope, item.capital - slope * relief
        return found

    def applied(self, model: Model, holdings: Vector) -> Model:
        """Return the model with the promises of every scenario, exact at ``holdings`` (n,), as the check wants them."""
        if not self.required or model.tree is None:
            return model
        outcomes = self._outcomes(holdings)
        pieces = _pieces(outcomes, self.required)
        limits = (*model.capital_limits, *_limits(outcomes, pieces))
        return replace(model, tree=_join(model.tree, outcomes, self.required, pieces), capital_limits=limits)

    def hold(self, model: Model, solve: Solve) -> Solved:
        """Return an answer of the model that survives every scenario.

        Parameters
        ----------
        model : Model
            Without the scenarios.
        solve : callable
            ``solve(model, join)``: answers a model; ``join`` adds the scenarios to further trees it makes.

        Raises
        ------
        Infeasible, NotProven
            When no answer was found that the scenarios themselves confirm.
        """
        if not self.required:
            return solve(model, lambda tree: tree)
        best, refused = None, tuple[Problem, ...]()
        asked, before = dict(self.required), self._outcomes(model.space.current)
        pieces, short = _pieces(before, self.required), dict[tuple[str, str], float]()
        for number in range(1, ROUNDS + 1):
            try:
                solved = solve(*_joined(model, before, asked, pieces))
            except (Infeasible, NotProven) as error:
                if self._exact(before, asked):
                    raise
                refused = error.problems
                break
            held = solved.solution.holdings
            found = self._outcomes(held, float(model.cost.value(held)[0]))
            short = self._short(found)
            if not short:
                assert self._fund.regime is not None
                solved = Solved(replace(model, tree=self._fund.regime.tree(held)), solved.solution)
                if self._exact(found, asked):
                    return solved
                if best is not None and not _is_better(solved, best, self._fund.settings.solve.gap):
                    break
                best = solved
            elif best is not None:
                break
            elif number >= PATIENCE:
                asked = {key: level + SPARE * short.get(key, 0.0) for key, level in asked.items()}
            before = self._outcomes(held)
            pieces = _pieces(before, self.required, pieces)
        bound = self._bound(model, solve, before, pieces)
        if best is not None:
            return _within(best, bound, self._fund.settings.solve.gap)
        what = Text("no answer was found that survives every scenario", "未找到在全部压力情景下均达标的方案")
        missed = ", ".join(f"{scenario}: {ratio} −{miss:.2e}" for (scenario, ratio), miss in short.items())
        hint = Text("with charges as the last book tried has them:", "按最近一次试算组合的因子：") if refused else None
        where = self._fund.settings.where("capital.require_under")
        raise NotProven([Problem(what, where, missed or None, hint=hint), *refused])

    def _short(self, outcomes: Mapping[str, _Outcome]) -> dict[tuple[str, str], float]:
        """Return what each ratio misses, where it misses anything."""
        missing = {key: level - _ratio(outcomes[key[0]], key[1]) for key, level in self.required.items()}
        return {key: miss for key, miss in missing.items() if miss > TOLERANCE}

    def _steady(self, outcomes: Mapping[str, _Outcome]) -> dict[str, _Outcome]:
        """Return the scenarios of which no charge depends on the answer."""
        spaces = {name: _shocked_space(self._fund.space, outcome.shocked) for name, outcome in outcomes.items()}
        return {
            name: outcome
            for name, outcome in outcomes.items()
            if outcome.regime.book_state(spaces[name]) is None and not outcome.regime.guards(spaces[name])
        }

    def _exact(self, outcomes: Mapping[str, _Outcome], asked: Asked) -> bool:
        """Return whether a model around these outcomes is exact: no charge moves, and nothing more is asked for."""
        return dict(asked) == dict(self.required) and len(self._steady(outcomes)) == len(outcomes)

    def _bound(self, model: Model, solve: Solve, outcomes: Mapping[str, _Outcome], pieces: Pieces) -> float:
        """Return the bound under those scenarios alone whose charges stay; Infeasible where these have no answer."""
        steady = self._steady(outcomes)
        kept = {key: known for key, known in pieces.items() if key[0] in steady}
        levels = {key: self.required[key] for key in kept}
        return solve(*_joined(model, steady, levels, kept)).solution.bound


def _joined(
    model: Model, outcomes: Mapping[str, _Outcome], levels: Asked, pieces: Pieces
) -> tuple[Model, Callable[[CapitalTree], CapitalTree]]:
    """Return the model with the scenarios, and what adds them to further trees."""
    assert model.tree is not None
    join = partial(_join, outcomes=outcomes, levels=dict(levels), pieces=pieces)
    limits = (*model.capital_limits, *_limits(outcomes, pieces))
    return replace(model, tree=join(model.tree), capital_limits=limits), join


def _is_better(solved: Solved, than: Solved, gap: float) -> bool:
    return solved.solution.objective > than.solution.objective + tolerance_of(than.model, gap, than.solution.objective)


def _within(solved: Solved, bound: float, gap: float) -> Solved:
    """Return the answer with a bound of all that survive, and the status that follows."""
    solution = solved.solution
    bound = max(bound, solution.objective)
    open_ = bound - solution.objective
    status: Status = "optimal" if open_ <= tolerance_of(solved.model, gap, solution.objective) else "feasible"
    return Solved(solved.model, replace(solution, bound=bound, gap=open_, status=status))


def _pieces(outcomes: Mapping[str, _Outcome], levels: Asked, known: Pieces | None = None) -> Pieces:
    """Return the pieces of recognised capital known so far, with those in force in these outcomes."""
    found = {}
    for name, ratio in levels:
        outcome = outcomes[name]
        before = np.nan_to_num(column(outcome.shocked.base.assets, "amount"))
        slope, own = outcome.recognised[ratio]
        piece = Piece(slope, own - slope * outcome.shocked.asset_change(before))
        former = () if known is None else known[name, ratio]
        found[name, ratio] = former if any(piece.near(other) for other in former) else (*former, piece)
    return found


def _promise(ratio: str, number: int) -> str:
    return ratio if number == 0 else f"{ratio}_{number + 1}"


def _join(tree: CapitalTree, outcomes: Mapping[str, _Outcome], levels: Asked, pieces: Pieces) -> CapitalTree:
    parts = []
    for name, outcome in outcomes.items():
        promises = tuple(
            StressedRequirement(_promise(ratio, number), level, piece.slope * outcome.shocked.gain)
            for (scenario, ratio), level in levels.items()
            if scenario == name
            for number, piece in enumerate(pieces[scenario, ratio])
        )
        mapping = sparse.csr_array(sparse.diags_array(outcome.shocked.price))
        parts.append(ScenarioTree(name, outcome.regime.tree(outcome.held), mapping, promises))
    return join_trees(parts, tree)


def _limits(outcomes: Mapping[str, _Outcome], pieces: Pieces) -> tuple[CapitalLimit, ...]:
    """Return a limit for each promise; what trading costs is no longer capital in a scenario either."""
    found = []
    for (name, ratio), known in pieces.items():
        title = outcomes[name].scenario.label
        said = next(item.label for item in outcomes[name].regime.requirements() if item.name == ratio)
        label = Text(f"{said.en}: {title.en}", f"{said.zh}：{title.zh}")
        for number, piece in enumerate(known):
            node = stressed_requirement_name(name, _promise(ratio, number))
            found.append(CapitalLimit(node, label, node, 1.0, piece.available, piece.slope))
    return tuple(found)


def _ratio(outcome: _Outcome, name: str) -> float:
    own = next(item.capital for item in outcome.regime.requirements() if item.name == name)
    return own / outcome.regime.tree(outcome.held).value(outcome.held)


def _shocked_space(space: Space, shocked: Shocked) -> Space:
    price = shocked.price
    upper = np.where(np.isfinite(space.upper), space.upper * price, space.upper)
    return replace(space, current=space.current * price, lower=space.lower * price, upper=upper)


def holding(inputs: Inputs, holdings: Vector) -> Inputs:
    """Return inputs that hold other amounts (n,): purchases cost book value, sales take their average cost."""
    frame = inputs.assets
    amount = np.nan_to_num(column(frame, "amount"))
    ratio = np.divide(holdings, amount, out=np.ones(len(amount)), where=amount != 0)
    moved: dict[str, Vector] = {"amount": holdings}
    for name in ("face", "book_value"):
        if name in frame:
            moved[name] = np.where(amount != 0, column(frame, name) * ratio, np.nan)
    if "cost" in frame:
        book = np.where(np.isnan(column(frame, "book_value")), amount, column(frame, "book_value"))
        per_cny = np.divide(book, amount, out=np.ones(len(amount)), where=amount != 0)
        kept = column(frame, "cost") * np.minimum(ratio, 1.0)
        bought = per_cny * np.maximum(holdings - amount, 0.0)
        moved["cost"] = np.where(amount > 0, kept + bought, np.where(holdings > 0, holdings, column(frame, "cost")))
    before, after = (pd.Series(values).groupby(frame["asset_id"]).sum() for values in (amount, holdings))
    tables = {**at_amounts(inputs.tables, before, after), "assets": frame.assign(**moved)}
    if "cash_flows" in tables:
        factor = (after / before.where(before != 0)).fillna(1.0)
        listed = tables["cash_flows"]
        scale = listed["asset_id"].map(factor).to_numpy(dtype=float)
        tables["cash_flows"] = listed.assign(principal=listed["principal"] * scale, interest=listed["interest"] * scale)
    return replace(inputs, tables=MappingProxyType(tables))
