"""Rules in whole numbers: every answer against every choice there is, tried one by one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import Fund, Infeasible, InputError
from allocator.config.settings import SolveSettings
from allocator.errors import VerificationError
from allocator.model import Model, ObjectiveTerm, Quadratic, Sense, Term
from allocator.model.discrete import NamesHeld, OddLot, ShortTicket
from allocator.solve import solve
from allocator.solve.solvers import backends
from allocator.types import Source
from allocator.verify import verify
from tests.books import book, build_model, label
from tests.small_models import space_of, trap

USER = Source("user")


def term(name: str, left: Any, right: float, per: float, count: int) -> Term:
    return Term(name, label(name), left, Sense.AT_MOST, np.full(count, right), np.full(count, per), "names", USER)


def names(model: Model, most: int) -> Model:
    size = model.space.size
    rule = term("max_names", NamesHeld(np.arange(size), np.arange(size), most), float(most), 1.0, 1)
    return replace(model, terms=(*model.terms, rule))


def best_of(models: Any) -> float:
    best = -np.inf
    for model in models:
        try:
            best = max(best, solve(model, diagnose=False).objective)
        except (Infeasible, InputError):
            continue
    return best


def spread(seed: int) -> Model:
    """Six rows, the best return less a quadratic risk: spreading pays, so few names hurt."""
    random = np.random.default_rng(seed)
    space = space_of([20.0, 20.0, 20.0, 15.0, 15.0, 10.0], upper=[60.0] * 6)
    base = build_model(space, random.uniform(0.02, 0.05, 6), None)
    factors = random.normal(0.0, 0.1, (3, 6)) / 100.0
    risk = Quadratic(factors, random.uniform(0.01, 0.05, 6) / 100.0**2)
    return replace(base, objective=(*base.objective, ObjectiveTerm("risk", label("risk"), risk, -1.0)))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("most", [2, 3])
def test_at_most_so_many_names_is_the_best_of_all_choices(seed: int, most: int) -> None:
    model = spread(seed)
    answer = solve(names(model, most))
    assert np.count_nonzero(answer.holdings) <= most
    assert answer.status == "optimal"

    def only(kept: tuple[int, ...]) -> Model:
        upper = np.where(np.isin(np.arange(6), kept), model.space.upper, 0.0)
        return replace(model, space=replace(model.space, upper=upper))

    best = best_of(only(kept) for kept in itertools.combinations(range(6), most))
    assert answer.objective == pytest.approx(best, abs=1e-7)
    assert best <= answer.bound + 1e-7


@pytest.mark.parametrize("seed", [0, 1])
def test_a_ticket_is_nothing_or_enough(seed: int) -> None:
    model = spread(seed)
    ticket = np.full(6, 22.0)
    rule = term("minimum_ticket", ShortTicket(np.arange(6), ticket), 0.0, 100.0, 6)
    answer = solve(replace(model, terms=(*model.terms, rule)))
    assert np.all((answer.holdings == 0.0) | (answer.holdings >= 22.0))
    assert answer.status == "optimal"

    def held(pattern: tuple[int, ...]) -> Model:
        on = np.array(pattern, dtype=bool)
        space = replace(model.space, lower=np.where(on, 22.0, 0.0), upper=np.where(on, 60.0, 0.0))
        return replace(model, space=space)

    best = best_of(held(pattern) for pattern in itertools.product([0, 1], repeat=6))
    assert answer.objective == pytest.approx(best, abs=1e-7)


def test_lots_are_whole() -> None:
    # max 0.05 a + 0.04 b + 0.02 c, lots of 30 for a and b, at most 70 and 60 of each: 60 of a, 30 of b, 10 of c.
    model = build_model(space_of([30.0, 30.0, 40.0], upper=[70.0, 60.0, 100.0]), np.array([0.05, 0.04, 0.02]), None)
    rule = term("lots", OddLot(np.arange(2), np.full(2, 30.0)), 0.0, 100.0, 2)
    answer = solve(replace(model, terms=(*model.terms, rule)))
    np.testing.assert_allclose(answer.holdings, [60.0, 30.0, 10.0], atol=1e-9)
    assert answer.objective == pytest.approx(0.6 * 0.05 + 0.3 * 0.04 + 0.1 * 0.02, abs=1e-9)
    assert answer.status == "optimal"


def test_the_solvency_ratio_holds_by_the_exact_tree() -> None:
    # The naive cone's trap with two names: cash earns too little with equity alone, so each pair is tried.
    model = trap()
    answer = solve(names(model, 2))
    assert model.tree is not None
    assert 35.0 / model.tree.value(answer.holdings) >= 2.0 - 1e-7
    assert answer.status == "optimal"

    def without(row: int) -> Model:
        upper = np.where(np.arange(3) == row, 0.0, np.inf)
        return replace(model, space=replace(model.space, upper=upper))

    assert answer.objective == pytest.approx(best_of(without(row) for row in range(3)), abs=1e-7)


def test_a_random_book_with_few_names_keeps_its_promise() -> None:
    case = book(5, accounts=1)
    held = names(case.model, 6)
    answer = solve(held, SolveSettings(time_limit=60))
    assert np.count_nonzero(answer.holdings) <= 6
    assert answer.objective <= solve(case.model).bound + 1e-9
    verify(held, answer.holdings, objective=answer.objective)
    assert answer.status == "optimal"


def test_verification_counts_for_itself() -> None:
    model = names(spread(0), 2)
    with pytest.raises(VerificationError, match=r"max_names.*got 3"):
        verify(model, np.array([50.0, 30.0, 20.0, 0.0, 0.0, 0.0]))


def test_prices_hold_while_the_choices_stay() -> None:
    model = names(spread(0), 2)
    answer = solve(model, SolveSettings(gap=1e-9))
    budget = next(term for term in model.terms if term.name.startswith("budget"))
    step = 1e-3

    def moved(way: float) -> float:
        terms = tuple(
            replace(rule, right=rule.right + way * step * 100.0) if rule is budget else rule for rule in model.terms
        )
        return solve(replace(model, terms=terms), SolveSettings(gap=1e-9)).objective

    slope = (moved(1.0) - moved(-1.0)) / (2 * step)
    assert answer.shadow_prices[budget.name][0] == pytest.approx(slope, rel=1e-2)
    assert answer.shadow_prices["max_names"][0] == 0.0


def test_a_conflict_names_the_rule_in_whole_numbers() -> None:
    # Two names of at most 60 can hold 100, one cannot.
    with pytest.raises(Infeasible) as caught:
        solve(names(spread(0), 1))
    found = {problem.where: str(problem) for problem in caught.value.problems}
    assert "without this rule the others can hold" in found["max_names"]


def test_without_the_solver_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends.Scip, "installed", classmethod(lambda cls: False))
    with pytest.raises(InputError, match=r"pip install 'allocator-insurance\[mip\]'") as caught:
        solve(names(spread(0), 2))
    assert "混合整数" in caught.value.render("zh")


HEAD: dict[str, Any] = {"fund": {"name": "Test", "as_of": "2026-03-31", "unit": 1e8}}


def fund(constraints: list[Any], **columns: Any) -> Fund:
    base = {
        "asset_id": [f"A{i}" for i in range(5)],
        "name": "x",
        "kind": ["corporate_bond"] * 4 + ["government_bond"],
        "account": "traditional",
        "amount": [10.0, 10.0, 10.0, 10.0, 60.0],
        "max": [30.0, 30.0, 30.0, 30.0, 100.0],
        "expected_return": [0.050, 0.045, 0.040, 0.035, 0.02],
    }
    return Fund({**HEAD, "constraints": constraints}, pd.DataFrame({**base, **columns}))


def test_the_rules_go_by_their_names_in_the_fund_file() -> None:
    kinds = ["corporate_bond"]
    result = fund([{"max_names": {"max": 2, "kinds": kinds}}]).optimize().value
    assert result.holdings / 1e8 == pytest.approx([30, 30, 0, 0, 40], abs=1e-6)
    assert "SCIP" in result.solution.solver
    result = fund([{"minimum_ticket": {"amount": 35, "kinds": ["government_bond"]}}]).optimize().value
    # 120 fit into the four bonds; the fifth is left out whole.
    assert result.holdings / 1e8 == pytest.approx([30, 30, 30, 10, 0], abs=1e-6)
    result = fund([{"lots": {"size": 7, "kinds": kinds}}]).optimize().value
    assert result.holdings / 1e8 == pytest.approx([28, 28, 28, 14, 2], abs=1e-6)
    # A row's own ticket and lot count before the option's.
    result = fund(["minimum_ticket"], minimum_ticket=[None, None, None, 15.0, None]).optimize().value
    assert result.holdings / 1e8 == pytest.approx([30, 30, 25, 15, 0], abs=1e-6)


def test_names_can_be_issuers() -> None:
    result = fund([{"max_names": {"max": 1, "by": "issuer"}}], issuer=["X", "Y", "X", "Y", "X"]).optimize().value
    assert result.holdings / 1e8 == pytest.approx([30, 0, 30, 0, 40], abs=1e-6)


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="corporate_bnd"):
        fund([{"lots": {"size": 7, "kinds": ["corporate_bnd"]}}]).optimize()
