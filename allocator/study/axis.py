"""What a frontier runs between: figures of an allocation that can be promised, sought, and measured exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from allocator.arrays import Vector
from allocator.errors import InputError, Problem, did_you_mean
from allocator.model.combination import Combination
from allocator.model.expressions import Expression, Linear
from allocator.model.model import CapitalLimit, Model
from allocator.model.terms import Mode, ObjectiveTerm, Sense, Term
from allocator.solve.search.solution import Solution
from allocator.types import Certainty, Source, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["Axis", "axes_of", "find_axis"]


OWN = Source("frontier", certainty=Certainty.USER)


@dataclass(frozen=True, eq=False)
class Axis(ABC):
    """A figure of an allocation.

    Parameters
    ----------
    name : str
        As the command line names it.
    label : Text
        For reports.
    unit : str
        ``"ratio"``, ``"share"``, ``"annual decimal"``, ``"money"`` …
    """

    name: str
    label: Text
    unit: str

    @property
    def at_least(self) -> bool:
        """Whether a promise is a floor; else it is a ceiling."""
        return True

    @abstractmethod
    def free(self, model: Model) -> Model:
        """Return the model without a promise on this figure."""

    @abstractmethod
    def constrained_at(self, model: Model, level: float) -> Model:
        """Return the model with this figure promised at ``level``, in place of what it promised before.

        Parameters
        ----------
        model : Model
            Before.
        level : float
            What is promised, in the axis' unit.
        """

    @abstractmethod
    def optimised(self, model: Model) -> Model:
        """Return the model whose objective is this figure."""

    @abstractmethod
    def evaluate(self, model: Model, holdings: Vector) -> float:
        """Return the figure at ``holdings`` (n,); the model's tree is exact there.

        Parameters
        ----------
        model : Model
            Its tree is exact at ``holdings``.
        holdings : ndarray (n,)
            Amounts, money.
        """

    @abstractmethod
    def price(self, model: Model, solution: Solution) -> float:
        """Return by how much the objective falls per unit of this figure promised more.

        Parameters
        ----------
        model : Model
            What was maximized.
        solution : Solution
            Its answer, with prices.
        """

    def per_objective(self, model: Model, holdings: Vector) -> float:
        """Return how this figure moves per unit of the objective of `sought` at ``holdings``.

        Parameters
        ----------
        model : Model
            What was maximized.
        holdings : ndarray (n,)
            Amounts, money.
        """
        return 1.0 if self.at_least else -1.0

    @property
    def in_capital(self) -> bool:
        """Whether `sought` minimizes an amount of capital."""
        return False


@dataclass(frozen=True, eq=False)
class _Ratio(Axis):
    """(capital − cost) / minimum capital ≥ level."""

    capital: float

    def free(self, model: Model) -> Model:
        return replace(model, capital_limits=tuple(one for one in model.capital_limits if one.name != self.name))

    def constrained_at(self, model: Model, level: float) -> Model:
        assert model.tree is not None
        promise = CapitalLimit(self.name, self.label, model.tree.root.name, level, self.capital)
        return replace(model, capital_limits=(*self.free(model).capital_limits, promise))

    def optimised(self, model: Model) -> Model:
        # Least minimum capital: trading costs, which move the ratio's other side, are far smaller.
        return replace(model, objective=(), capital_weight=1.0, capital_module="", per_capital=False)

    def evaluate(self, model: Model, holdings: Vector) -> float:
        assert model.tree is not None
        return _ratio(self.capital - float(model.cost.value(holdings)[0]), model.tree.value(holdings))

    def price(self, model: Model, solution: Solution) -> float:
        assert model.tree is not None
        return solution.capital_prices[self.name] * model.tree.value(solution.holdings)

    def per_objective(self, model: Model, holdings: Vector) -> float:
        # The objective is −M; the ratio c / M then moves by c / M² per unit of money of it.
        assert model.tree is not None
        return self.evaluate(model, holdings) / model.tree.value(holdings)

    @property
    def in_capital(self) -> bool:
        return True


def _ratio(capital: float, module: float) -> float:
    """Return capital over what is required of it; without end where nothing is."""
    return capital / module if module else np.copysign(np.inf, capital)


@dataclass(frozen=True, eq=False)
class _Module(Axis):
    """module ≤ level, money."""

    @property
    def at_least(self) -> bool:
        return False

    def free(self, model: Model) -> Model:
        return replace(model, capital_limits=tuple(one for one in model.capital_limits if one.name != self.name))

    def constrained_at(self, model: Model, level: float) -> Model:
        promise = CapitalLimit(self.name, self.label, self.name, 1.0, level, 0.0)
        return replace(model, capital_limits=(*self.free(model).capital_limits, promise))

    def optimised(self, model: Model) -> Model:
        return replace(model, objective=(), capital_weight=1.0, capital_module=self.name, per_capital=False)

    def evaluate(self, model: Model, holdings: Vector) -> float:
        assert model.tree is not None
        return model.tree.values(holdings, [self.name])[self.name]

    def price(self, model: Model, solution: Solution) -> float:
        return -solution.capital_prices[self.name]

    @property
    def in_capital(self) -> bool:
        return True


@dataclass(frozen=True, eq=False)
class _Figure(Axis):
    """expression / per ≥ or ≤ level: one row of a rule, a tilt's score, an objective."""

    expression: Expression
    per: float = 1.0
    floor: bool = True

    @property
    def at_least(self) -> bool:
        return self.floor

    def free(self, model: Model) -> Model:
        terms: list[Term] = []
        for term in model.terms:
            kept = [row for row, name in enumerate(term.row_names()) if name != self.name]
            if len(kept) == len(term.right):
                terms.append(term)
            elif kept:
                terms.append(term.only(kept))
        return replace(model, terms=tuple(terms))

    def constrained_at(self, model: Model, level: float) -> Model:
        sense = Sense.AT_LEAST if self.floor else Sense.AT_MOST
        right, per = np.array([level * self.per]), np.array([self.per])
        promise = Term(self.name, self.label, self.expression, sense, right, per, self.unit, OWN)
        return replace(model, terms=(*self.free(model).terms, promise))

    def optimised(self, model: Model) -> Model:
        weight = (1.0 if self.floor else -1.0) / self.per
        aim = ObjectiveTerm(self.name, self.label, self.expression, weight, self.unit)
        return replace(model, objective=(aim,), capital_weight=0.0, capital_module="", per_capital=False)

    def evaluate(self, model: Model, holdings: Vector) -> float:
        return float(self.expression.value(holdings)[0]) / self.per

    def price(self, model: Model, solution: Solution) -> float:
        price = float(solution.shadow_prices[self.name][0])
        return price if self.floor else -price


@dataclass(frozen=True, eq=False)
class _Objective(Axis):
    """The fund's own objective, whatever it is; it can be sought, and measured, not promised."""

    def free(self, model: Model) -> Model:
        return model

    def constrained_at(self, model: Model, level: float) -> Model:
        raise InputError(
            Problem(
                Text("this objective can be sought but not promised", "该目标只能优化，不能作为约束"),
                "--between objective",
                hint=Text("name it with --and", "请用 --and 指定"),
            )
        )

    def optimised(self, model: Model) -> Model:
        return model

    def evaluate(self, model: Model, holdings: Vector) -> float:
        return model.objective_value(holdings)

    def price(self, model: Model, solution: Solution) -> float:
        return 0.0


def find_axis(fund: Fund, name: str, option: str) -> Axis:
    """Return the axis of that name.

    Parameters
    ----------
    fund : Fund
        Whose rules, capital and tilts are named.
    name : str
        ``"objective"``, ``"expected_return"``, a ratio, a row of a rule as constraints.csv names it, a tilt, a
        module of the capital tree.
    option : str
        Where it was asked for, for the message.

    Raises
    ------
    InputError
        When nothing has that name.
    """
    offered: dict[str, Axis] = {}
    for axis in axes_of(fund):
        offered.setdefault(axis.name, axis)
    if name in offered:
        return offered[name]
    raise InputError(
        Problem(
            Text("nothing of that name can be an end of a frontier", "该名称不能作为前沿的坐标"),
            option,
            name,
            ", ".join(offered),
            did_you_mean(name, offered),
        )
    )


def axes_of(fund: Fund) -> Iterator[Axis]:
    """Yield everything a frontier of this fund can run between; the first of a name counts."""
    model = fund.model
    yield _objective(model)
    mean = Linear.of(np.where(model.space.funded, fund.context.expected_return, 0.0) / model.space.total)
    yield _Figure("expected_return", Text("Expected return", "预期收益率"), "annual decimal", mean)
    for item in fund.requirements:
        yield _Ratio(item.name, item.ratio.label, "ratio", item.capital)
    for term in model.terms:
        yield from _rows(term)
    for tilt in fund.tilts:
        yield _Figure(tilt.spec.name, tilt.spec.label, "share", tilt.expression(model))
    if model.tree is not None:
        for name, label in ((node.name, node.label) for node in model.tree.nodes if node.shown):
            yield _Module(name, label, "money")


def _objective(model: Model) -> Axis:
    """Return the objective; one that is a sum over the holdings alone can be promised too."""
    label = Text("Objective", "目标值")
    if model.per_capital or model.capital_weight or not model.objective:
        return _Objective("objective", label, "money" if model.in_money else "annual decimal")
    whole = Combination(tuple((part.weight, part.expression) for part in model.objective))
    return _WholeObjective("objective", label, "annual decimal", whole)


@dataclass(frozen=True, eq=False)
class _WholeObjective(_Figure):
    """Σ weight · expression, sought with its parts apart so that none needs to be canonicalised."""

    def optimised(self, model: Model) -> Model:
        return model

    def evaluate(self, model: Model, holdings: Vector) -> float:
        return float(self.expression.value(holdings)[0])


def _rows(term: Term) -> Iterator[Axis]:
    if term.sense is Sense.EQUAL or term.mode is Mode.SOFT:
        return
    per = np.broadcast_to(term.per, term.right.shape)
    for row, name in enumerate(term.row_names()):
        one = term.only([row]) if len(term.right) > 1 else term
        label = (
            term.label
            if not term.rows
            else Text(f"{term.label.en}: {term.rows[row]}", f"{term.label.zh}：{term.rows[row]}")
        )
        yield _Figure(name, label, term.unit, one.left, float(per[row]), term.sense is Sense.AT_LEAST)
