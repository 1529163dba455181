"""The only room that sees all: from a fund file to a verified result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from allocator.capital.tree import CapitalTree
from allocator.config.load import apply_overrides, choose, load_settings, settings_from_mapping, validate_options
from allocator.config.settings import Settings, SolveSettings
from allocator.errors import Infeasible, Problems
from allocator.extension.registry import Registry, enabled_plugins
from allocator.inputs import from_frames, load_inputs
from allocator.inputs.fund import Inputs
from allocator.model import CapitalLimit, Model, ModelContext, Objective, Space, Term
from allocator.model.build import build_space, build_trade_cost
from allocator.model.constraints import build_rules, check_terms, required_capital
from allocator.model.estimates import Estimates
from allocator.model.objective import build_objective
from allocator.model.position import CapitalPosition
from allocator.model.regime import BookState, OwnFunds, Regime, RegimeNote, Requirement
from allocator.model.terms import refuse_repeated
from allocator.model.tilts import Tilt, named_tilts
from allocator.pipeline.survival import JoinedState, Survival
from allocator.pipeline.tilting import alone_or_together, price, steer
from allocator.result.result import Result
from allocator.solve import Concession, relax_by_priority, solve
from allocator.solve.search.solution import Solved
from allocator.solve.state.state import solve_with_state
from allocator.verify import verify

if TYPE_CHECKING:
    from allocator.study.frontier import Frontier

__all__ = ["Fund", "load"]

Vector = NDArray[np.float64]
P = ParamSpec("P")
Answer = TypeVar("Answer")


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
    settings = apply_overrides(load_settings(Path(path)), overrides)
    registry = enabled_plugins(settings.plugins)
    return Fund._of(load_inputs(settings, registry), registry)


class Fund:
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
        self.registry = enabled_plugins(known.plugins)
        self.inputs = from_frames(known, {"assets": assets, **tables}, self.registry)

    @classmethod
    def _of(cls, inputs: Inputs, registry: Registry) -> Fund:
        fund = cls.__new__(cls)
        fund.inputs, fund.registry = inputs, registry
        return fund

    def with_inputs(self, inputs: Inputs) -> Fund:
        """Return the same fund on other checked inputs, such as those of a stress scenario."""
        return Fund._of(inputs, self.registry)

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
        spec = choose(self.registry.regimes, capital.regime, self.settings.where("capital.regime"))
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

    def capital(self, holdings: Vector | None = None) -> CapitalPosition | None:
        """Return the exact capital at ``holdings`` (n,), CNY; None is the current holdings, free of costs.

        A fund without a regime has none: the answer is None.
        """
        if self.regime is None:
            return None
        held = self.space.current if holdings is None else holdings
        costs = 0.0 if holdings is None else float(build_trade_cost(self.inputs, self.space).value(held)[0])
        funds = self._ask(self.regime.own_funds)()
        return CapitalPosition(
            held,
            self._ask(self.regime.tree)(held),
            OwnFunds(funds.comprehensive - costs, None if funds.core is None else funds.core - costs),
            tuple(replace(item, capital=item.capital - costs) for item in self._ask(self.regime.requirements)()),
            costs,
            self.space,
            self._ask(self.regime.marginals)(held),
        )

    @property
    def book_state(self) -> BookState | None:
        """What charges depend on as a whole book, or None (see `allocator.model.regime.Regime.book_state`)."""
        return None if self.regime is None else self._ask(self.regime.book_state)(self.space)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The ratios to report, in order; none without a regime."""
        return () if self.regime is None else self._ask(self.regime.requirements)()

    def tree_at(self, holdings: Vector) -> CapitalTree | None:
        """Return the capital tree that is exact at ``holdings`` (n,), CNY; None without a regime."""
        return None if self.regime is None else self._ask(self.regime.tree)(holdings)

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
        return () if self.regime is None else self._ask(self.regime.notes)()

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
        # Threads would add up in an order of their own: one makes the same files give the same bits.
        with threadpool_limits(limits=1):
            return self._optimize()

    def _optimize(self) -> Result:
        seconds: dict[str, float] = {}
        with _timed(seconds, "model"):
            model = self.model
            before = self.capital()
        with _timed(seconds, "solve"):
            untilted, concessions = self._solve_or_relax(model)
        with _timed(seconds, "tilts"):
            tilts = self.tilts
            steered = self._steered(untilted, tilts)
            alone = alone_or_together(untilted, steered, tilts, self._steered)
            prices = [price(untilted, *pair, self.capital, self.context.expected_return) for pair in alone]
        solution = steered.solution
        model = self._survival.applied(steered.model, solution.holdings)
        solution.holdings.setflags(write=False)
        with _timed(seconds, "verify"):
            after = self.capital(solution.holdings)
            stressed = self._survival.study(after)
            if after is not None and model.tree is not None and self._survival.required:
                after = replace(after, tree=model.tree)
            verify(model, solution.holdings, None if after is None else after.tree, solution.objective)
        return Result(
            self.inputs,
            model,
            self.regime,
            solution,
            before,
            after,
            self.context.expected_return,
            self.context.risk if self.context.risk_was_used else None,
            {tilt.spec.name: tilt.score for tilt in tilts},
            tuple(prices),
            seconds,
            concessions,
            stressed,
        )

    def _solve_or_relax(self, model: Model) -> tuple[Solved, tuple[Concession, ...]]:
        """Solve; where the rules contradict each other and the user wants it, the lowest priorities give way."""
        if not self.settings.solve.relax:
            return self.solve(model), ()

        def ask(question: Model) -> Vector | None:
            try:
                return self.solve(question, diagnose=False).solution.holdings
            except Infeasible:
                return None

        try:
            return self.solve(model, diagnose=False), ()
        except Infeasible:
            relaxed, concessions = relax_by_priority(model, ask=ask)
        return self.solve(relaxed), concessions

    def solve(self, model: Model, settings: SolveSettings | None = None, *, diagnose: bool = True) -> Solved:
        """Return the answer to a model over this fund's space, with the tree that is exact at it.

        Where charges depend on the book as a whole, the search branches on that too. The scenarios of
        ``capital.require_under`` are survived.

        Parameters
        ----------
        model : Model
            This fund's model, or one that differs in objective, terms or capital limits.
        settings : SolveSettings or None
            None takes the fund file's.
        diagnose : bool
            Whether an infeasible model is worth finding the rules in conflict.

        Raises
        ------
        Infeasible, NotProven
            As `optimize`.
        """
        settled = settings or self.settings.solve
        return self._survival.hold(model, partial(self._solve_alone, settings=settled, diagnose=diagnose))

    def _solve_alone(
        self, model: Model, join: Callable[[CapitalTree], CapitalTree], settings: SolveSettings, diagnose: bool
    ) -> Solved:
        state = self.book_state
        if self.regime is None or state is None:
            return Solved(model, solve(model, settings, diagnose=diagnose))
        tree_at, joined = self._ask(self.regime.tree), JoinedState(state, join)
        tree, solution = solve_with_state(model, joined, lambda x: join(tree_at(x)), settings, diagnose=diagnose)
        return Solved(replace(model, tree=tree), solution)

    @cached_property
    def _survival(self) -> Survival:
        return Survival(self)

    @cached_property
    def tilts(self) -> tuple[Tilt, ...]:
        """The tilts that the fund file names, scored."""
        return named_tilts(self.inputs, self.registry.tilts)

    def _steered(self, untilted: Solved, tilts: Sequence[Tilt]) -> Solved:
        return steer(untilted, tilts, self.solve, self.settings.solve, self.context.expected_return)

    def frontier(self, points: int = 50, between: str = "comprehensive", best: str = "objective") -> Frontier:
        """Return the best of one figure at ``points`` levels of another; see `allocator.study.frontier.frontier`."""
        from allocator.study.frontier import FrontierSettings, frontier

        return frontier(self, FrontierSettings(points, between, best))

    def _objective(self) -> Objective:
        return build_objective(self.context, self.registry.objectives, self._tree)

    def _tree(self) -> CapitalTree | None:
        return None if self.regime is None else self._ask(self.regime.tree)()

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every rule: budgets, the fund file's own, and those that keep frozen charges true."""
        return self._rules[0]

    @cached_property
    def _rules(self) -> tuple[tuple[Term, ...], tuple[CapitalLimit, ...]]:
        """Every rule, the regime's guards among them; limits on capital apart."""
        terms, limits = build_rules(self.context, self.registry.constraints, self._tree)
        if self.regime is not None:
            terms = (*terms, *self._ask(self.regime.guards)(self.space))
        refuse_repeated([*terms, *limits], self.settings.where("constraints"))
        return terms, limits

    def _ask(self, method: Callable[P, Answer]) -> Callable[P, Answer]:
        """Return a method of the regime, watched as the functions of a specification are."""
        assert self.settings.capital is not None
        name = self.settings.capital.regime
        return self.registry.watch("allocator_regimes", name, f"{name}.{method.__name__}").guard(method)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
