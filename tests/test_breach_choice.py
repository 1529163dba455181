"""Concentration thresholds broken where that pays for the charge, against a case worked by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import allocator_cross2
import numpy as np
import pandas as pd
import pytest
from needed import package
from scipy import sparse
from support import make_inputs, make_registry

from allocator import Fund, Infeasible, InputError
from allocator.capital import CapitalTree
from allocator.config.settings import SolveSettings
from allocator.model import Linear, Model, Sense, Space, Term
from allocator.model.discrete import Switched
from allocator.model.regime import BookState, OptionalBreach
from allocator.result.result import Result
from allocator.solve import solve
from allocator.solve.solvers import backends
from allocator.solve.state.state import solve_with_state
from allocator.types import Source
from tests.books import label
from tests.small_models import trap

REGISTRY = make_registry(("cross2", allocator_cross2))
needs_solver = pytest.mark.usefixtures("solver")

# Total assets of CNY 100 bn: a counterparty's threshold is 8% of 10, 5% of 40 and 4% of 50 = CNY 4.8 bn.
# Unlisted equity is charged 0.41 (R8 §27), above the threshold 0.41 × 1.4; capital costs 1% a year. With a return of y
# a stake earns (y − 0.41%) × 48 within the threshold, and (y − 0.574%) × 120 up to its bound of 120:
#   2.00%:  76.32 against 171.12, broken;   0.62%: 10.08 against 5.52, kept, from above the threshold too.
STAKES = {"PAYS": (10.0, 0.0200), "LESS": (10.0, 0.0062), "OVER": (60.0, 0.0062)}


@pytest.fixture
def solver() -> None:
    package("pyscipopt", "limits broken by choice were not tried")


def stakes(guard: Any, **changes: Any) -> Fund:
    stake = {"kind": "unlisted_equity", "max": 120.0, "account": "traditional"}
    rows = [
        stake | {"asset_id": name, "issuer": name, "amount": amount, "expected_return": earned}
        for name, (amount, earned) in STAKES.items()
    ]
    rows.append({"asset_id": "CASH", "kind": "cash", "account": "traditional", "amount": 420.0, "expected_return": 0.0})
    settings = {
        "fund": {"name": "Stakes", "as_of": "2026-06-30", "unit": 1e8},
        "balance_sheet": {"total_assets": 1000.0, "actual_capital": 300.0, "core_capital": 200.0},
        "capital": {
            "regime": "cross2",
            "life_insurance_risk": 0.0,
            "control_risk": 0.0,
            "size_factor": 1.0,
            "without_liabilities": True,
            "guard_concentration": guard,
            **changes,
        },
        "objective": {"maximize": "expected_return", "risk": {"measure": "capital", "aversion": 0.01}},
    }
    issuers = pd.DataFrame({"issuer": list(STAKES), "strategic_emerging": [False] * 3})
    inputs = make_inputs(pd.DataFrame(rows), tables={"issuers": issuers}, settings=settings, registry=REGISTRY)
    return Fund.of(inputs, REGISTRY)


def held(result: Result) -> list[float]:
    return (result.holdings[:3] / 1e8).tolist()


@needs_solver
def test_a_threshold_is_broken_where_that_pays_for_its_charge() -> None:
    result = stakes("choose").optimize().value
    assert held(result) == pytest.approx([120.0, 48.0, 48.0], abs=1e-3)
    assert result.solution.status == "optimal"
    assert result.after is not None
    assert result.after.minimum_capital / 1e8 == pytest.approx(0.41 * (1.4 * 120.0 + 48.0 + 48.0), abs=1e-3)
    gained = 171.12 + 10.08 + 10.08
    assert result.solution.objective == pytest.approx(gained / 100.0 / 500.0, abs=1e-8)


@needs_solver
def test_without_the_choice_no_threshold_is_broken_that_the_book_keeps() -> None:
    assert max(held(stakes(True).optimize().value)[:2]) <= 48.0


@needs_solver
def test_the_charge_of_a_breach_counts_against_the_promise() -> None:
    """Free capital allows 0.41 × 3 × 48 = 59.04; even broken, 2% earns most for it: 59.04 / 0.574 and nothing else."""
    most = 300.0 - 0.41 * 3.0 * 48.0
    result = stakes("choose", require={"comprehensive": {"free_capital": most}}).optimize().value
    assert held(result) == pytest.approx([59.04 / 0.574, 0.0, 0.0], abs=1e-2)


def test_what_may_be_broken_is_told_with_its_charge() -> None:
    fund = stakes("choose")
    assert fund.regime is not None
    assert fund.regime.guards(fund.space) == ()
    state = fund.book_state
    assert state is not None
    first, *others = state.alternatives(fund.space)
    assert [one.name for one in (first, *others)] == [f"counterparty: {name}" for name in STAKES]
    assert first.left.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert first.right / 1e8 == pytest.approx(48.0, abs=1e-3) and first.right < 48e8
    # The company's leaf of equity price alone: these rows are in no pool.
    assert first.charges.toarray().sum(axis=0) == pytest.approx([0.4 * 0.41, 0.0, 0.0, 0.0])
    assert [tree.value(fund.space.upper.clip(max=120e8)) for tree in state.trees(0.0, 0.0)] == pytest.approx(
        [0.41 * 3 * 120e8] * 2
    )
    assert stakes(True).book_state is not None  # the third is over now: charged until it comes down


def test_without_a_mixed_integer_solver_the_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends.Scip, "installed", classmethod(lambda cls: False))
    with pytest.raises(InputError, match=r"capital\.guard_concentration: .*mixed-integer solver.*\[mip\]"):
        stakes("choose").optimize()


def test_another_word_is_refused_with_its_key() -> None:
    with pytest.raises(InputError, match=r"capital\.guard_concentration"):
        _ = stakes("chose").regime


class Choice(BookState):
    """Charges that depend on nothing but what is broken."""

    def __init__(self, tree: CapitalTree, rules: list[OptionalBreach]) -> None:
        self.tree, self.rules_of = tree, rules

    def reach(self, space: Space) -> tuple[float, float]:
        return 0.0, 0.0

    def at(self, holdings: np.ndarray) -> float:
        return 0.0

    def trees(self, low: float, high: float) -> tuple[CapitalTree, CapitalTree]:
        return self.tree, self.tree

    def rules(self, space: Space, low: float, high: float) -> tuple[Term, ...]:
        return ()

    def split(self, space: Space, state: float, holdings: np.ndarray) -> None:
        return None

    def alternatives(self, space: Space) -> tuple[OptionalBreach, ...]:
        return tuple(self.rules_of)

    def with_broken(self, broken: list[bool]) -> CapitalTree:
        added = sum(
            (rule.charges for rule, on in zip(self.rules_of, broken, strict=True) if on), 0.0 * self.tree.coefficients
        )
        return replace(self.tree, coefficients=sparse.csr_array(self.tree.coefficients + added))

    def exact(self, holdings: np.ndarray) -> CapitalTree:
        return self.with_broken([bool(rule.left @ holdings > rule.right + 1e-6) for rule in self.rules_of])


@needs_solver
@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_all_choices_is_found_and_bounded(seed: int) -> None:
    """Each of the eight ways to keep and break three limits, solved one by one, under a tree that is not convex."""
    random, model = np.random.default_rng(seed), trap()
    rules = []
    for row in range(3):
        left, charges = np.zeros(3), np.zeros((4, 3))
        left[row] = 1.0
        # Rate leaves and the equity leaf alike: either sign of the aggregate's slope is met.
        charges[[0, 3], row] = random.uniform(0.0, 0.05, 2)
        rules.append(
            OptionalBreach(f"limit {row}", left, random.uniform(15.0, 60.0), sparse.csr_array(charges), "here")
        )
    state = Choice(model.tree, rules)  # type: ignore[arg-type]
    best = -np.inf
    for broken in itertools.product([False, True], repeat=3):
        kept = [rule for rule, on in zip(rules, broken, strict=True) if not on]
        limits = [limit_of(rule, model) for rule in kept]
        fixed = replace(model, tree=state.with_broken(list(broken)), terms=(*model.terms, *limits))
        try:
            best = max(best, solve(fixed, diagnose=False).objective)
        except (Infeasible, InputError):
            continue
    tree, answer = solve_with_state(model, state, state.exact, SolveSettings(time_limit=60))
    assert answer.status == "optimal" and len(answer.holdings) == 3 == len(answer.reduced_costs)
    assert answer.objective == pytest.approx(best, abs=1e-6)
    assert best <= answer.bound + 1e-7
    assert 35.0 / tree.value(answer.holdings) >= 2.0 - 1e-7
    assert set(answer.shadow_prices) == {term.name for term in model.terms}


def limit_of(rule: OptionalBreach, model: Model) -> Term:
    left = Linear.of(rule.left)
    return Term(
        rule.name,
        label(rule.name),
        left,
        Sense.AT_MOST,
        np.array([rule.right]),
        np.full(1, 100.0),
        "share",
        Source("test"),
    )


def test_a_switch_has_one_side_empty() -> None:
    switch = Switched(np.array([0, 2]), np.array([0, 1]), np.array([1]), np.array([0]))
    assert switch.value(np.array([3.0, 2.0, 5.0])).tolist() == [2.0, 0.0]
    choices = switch.choices(np.array([10.0, 20.0, 30.0]))
    on = choices.narrowed(np.array([1.0, 0.0]), np.zeros(3), np.full(3, 50.0))
    assert on[1].tolist() == [10.0, 0.0, 0.0]
    off = choices.narrowed(np.array([0.0, 1.0]), np.zeros(3), np.full(3, 50.0))
    assert off[1].tolist() == [0.0, 20.0, 30.0]
