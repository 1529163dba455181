"""A fund as the rooms below make it: its inputs, its space, its regime and its model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.config.load import load_settings, lookup, validate_options
from allocator.config.overrides import apply_overrides
from allocator.config.settings import Settings
from allocator.errors import InputError, Problems
from allocator.extension.registry import Registry, enabled_plugins
from allocator.inputs import load_inputs
from allocator.inputs.fund import Inputs
from allocator.model import CapitalLimit, Model, ModelContext, Objective, Space, Term
from allocator.model.build import build_space, build_trade_cost
from allocator.model.constraints import build_rules, check_terms, required_capital, unchecked_limits
from allocator.model.estimates import Estimates
from allocator.model.limits import rules_without_rows
from allocator.model.objective import build_objective
from allocator.model.position import CapitalPosition
from allocator.model.regime import BookState, Regime, RegimeNote, Requirement
from allocator.model.terms import refuse_repeated
from allocator.model.tilts import Tilt, named_tilts
from allocator.types import Text

__all__ = ["Fund", "load_fund"]

P = ParamSpec("P")
Answer = TypeVar("Answer")


class Fund:
    """A fund: its inputs, its decision space, its solvency regime and its model. Amounts are money throughout.

    Parameters
    ----------
    inputs : Inputs
        Its checked inputs.
    registry : Registry
        The plugins it enables.
    """

    def __init__(self, inputs: Inputs, registry: Registry) -> None:
        self.inputs, self.registry = inputs, registry

    def with_inputs(self, inputs: Inputs) -> Fund:
        """Return the same fund on other checked inputs, such as those of a stress scenario."""
        return Fund(inputs, self.registry)

    @property
    def settings(self) -> Settings:
        """The fund file."""
        return self.inputs.settings

    @cached_property
    def space(self) -> Space:
        """The decision space."""
        space = build_space(self.inputs)
        for amounts in (space.current, space.lower, space.upper, space.funded, space.linear_cost):
            amounts.setflags(write=False)  # plugins are handed these very arrays
        return space

    @cached_property
    def regime(self) -> Regime | None:
        """The solvency regime bound to this fund, or None without a ``capital`` section."""
        capital = self.settings.capital
        if capital is None:
            return None
        spec = lookup(self.registry.regimes, capital.regime, self.settings.where("capital.regime"))
        options = validate_options(spec.options, capital.options, self.settings, "capital")
        return spec.build(self.inputs, options)

    @cached_property
    def context(self) -> ModelContext:
        """The estimates that terms are built from."""
        estimates = Estimates(self.inputs, self.registry)
        return ModelContext(
            self.inputs,
            self.space,
            estimates.expected_return,
            estimates.risk,
            lambda: estimates.scenarios(self.context.expected_return),
            lambda: {tilt.spec.name: tilt.parts for tilt in self.tilts},
        )

    @cached_property
    def model(self) -> Model:
        """Everything that decides the allocation, with charges taken at the current holdings."""
        objective = self._objective()
        terms, limits = self._rules
        tree = self._tree()
        return Model(
            self.space,
            objective.terms,
            terms,
            build_trade_cost(self.inputs, self.space),
            tree,
            limits if tree is None else (*required_capital(self.requirements, tree.root.name), *limits),
            objective.capital_module,
            objective.capital_weight,
            objective.per_capital,
        )

    def position(self, holdings: Vector | None = None) -> CapitalPosition | None:
        """Return the exact capital at ``holdings`` (n,); None is the current holdings, free of costs.

        A fund without a regime has none: the answer is None.
        """
        if self.regime is None:
            return None
        held = self.space.current if holdings is None else holdings
        costs = 0.0 if holdings is None else float(build_trade_cost(self.inputs, self.space).value(held)[0])
        funds = self.ask_regime(self.regime.own_funds)()
        return CapitalPosition(
            held,
            self.ask_regime(self.regime.tree)(held),
            funds.less(costs),
            tuple(replace(item, capital=item.capital - costs) for item in self.ask_regime(self.regime.requirements)()),
            costs,
            self.space,
            self.ask_regime(self.regime.marginals)(held),
        )

    @property
    def book_state(self) -> BookState | None:
        """What charges depend on as a whole book, or None (see `allocator.model.regime.Regime.book_state`)."""
        return None if self.regime is None else self.ask_regime(self.regime.book_state)(self.space)

    @property
    def unchecked(self) -> tuple[Text, ...]:
        """Titles of the statutory limits that no rule of the fund file checks; none without a solvency regime."""
        return tuple(spec.label for spec in unchecked_limits(self.settings, self.registry.constraints))

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The ratios to report, in order; none without a regime."""
        return () if self.regime is None else self.ask_regime(self.regime.requirements)()

    def tree_at(self, holdings: Vector) -> CapitalTree | None:
        """Return the capital tree that is exact at ``holdings`` (n,); None without a regime."""
        return None if self.regime is None else self.ask_regime(self.regime.tree)(holdings)

    def rule_checks(self, holdings: Vector | None = None) -> pd.DataFrame:
        """Return every rule's two sides at ``holdings`` by numpy alone: one line per row of each term."""
        return check_terms(self.model.terms, self.space.current if holdings is None else holdings)

    def validate(self) -> tuple[RegimeNote, ...]:
        """Build everything that a run builds short of solving; return what a reader of the figures must know.

        Raises
        ------
        InputError
            With everything that the regime, the models, the rules and the tilts find missing.
        """
        problems = Problems()
        parts: tuple[Callable[[], object], ...] = (
            lambda: self.regime,
            lambda: self.context.expected_return,
            self._objective,
            lambda: self._rules,
            lambda: self.tilts,
        )
        for part in parts:
            with problems.collected():
                part()
        problems.raise_if_any()
        _ = self.model
        return self.notes

    @property
    def notes(self) -> tuple[RegimeNote, ...]:
        """What a reader of the figures must know: of the files first, then of the regime's assumptions."""
        stated = () if self.regime is None else self.ask_regime(self.regime.notes)()
        idle = rules_without_rows(self.terms)
        return (*map(RegimeNote, (*self.inputs.notes, *idle)), *stated)

    @cached_property
    def tilts(self) -> tuple[Tilt, ...]:
        """The tilts that the fund file names, scored."""
        return named_tilts(self.inputs, self.registry.tilts)

    def _objective(self) -> Objective:
        return build_objective(self.context, self.registry.objectives, self._tree)

    def _tree(self) -> CapitalTree | None:
        return None if self.regime is None else self.ask_regime(self.regime.tree)()

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every rule: budgets, the fund file's own, and those that keep frozen charges true."""
        return self._rules[0]

    @cached_property
    def _rules(self) -> tuple[tuple[Term, ...], tuple[CapitalLimit, ...]]:
        """Every rule, the regime's guards among them; limits on capital apart."""
        terms, limits = build_rules(self.context, self.registry.constraints, self._tree)
        if self.regime is not None:
            terms = (*terms, *self.ask_regime(self.regime.guards)(self.space))
        refuse_repeated([*terms, *limits], self.settings.where("constraints"))
        return terms, limits

    def ask_regime(self, method: Callable[P, Answer]) -> Callable[P, Answer]:
        """Return a method of the regime, watched as the functions of a specification are."""
        assert self.settings.capital is not None
        name = self.settings.capital.regime
        return self.registry.watch("allocator_regimes", name, f"{name}.{method.__name__}").guard(method)


def examine(path: str | Path, overrides: Sequence[str] = ()) -> Fund:
    """Read, check and build all that a run builds short of solving.

    What is wrong at one stage does not hide what is wrong at the next: each goes on with what the one before could
    read, without the rows and keys already found at fault.

    Parameters
    ----------
    path : str or Path
        FUND.yaml.
    overrides : sequence of str
        ``KEY=VALUE`` as on the command line.

    Raises
    ------
    InputError
        With the problems of every stage.
    """
    problems = Problems()

    def stage(make: Callable[[], Any]) -> Any:
        try:
            return make()
        except InputError as error:
            problems.extend(error.problems)
            return error.partial

    settings = stage(lambda: load_settings(path))
    settings = settings and stage(lambda: apply_overrides(settings, overrides))
    registry = settings and enabled_plugins(settings.plugins)
    inputs = settings and stage(lambda: load_inputs(settings, registry))
    if inputs is None:
        problems.raise_if_any()
    fund = Fund(inputs, registry)
    if not len(problems):
        fund.validate()
        return fund
    known = {problem.where for problem in problems}
    unread = [f"inputs.{name}" for name in settings.inputs if name not in inputs.tables]
    try:
        fund.validate()
    except InputError as error:
        new = (problem for problem in error.problems if problem.where not in known)
        problems.extend(problem for problem in new if not any(name in problem.where for name in unread))
    except Exception:  # what is missing, which is named already, may stop whatever needs it
        raise InputError(problems) from None
    raise InputError(problems)


def load_fund(path: str | Path, overrides: Sequence[str] = ()) -> Fund:
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
        With every problem found, each with file, row or line, and how to fix it.
    """
    settings = apply_overrides(load_settings(path), overrides)
    registry = enabled_plugins(settings.plugins)
    return Fund(load_inputs(settings, registry), registry)
