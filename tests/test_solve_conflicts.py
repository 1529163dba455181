"""Infeasible models: which rules are to blame, how far each must give way, and who gives way first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.config.settings import SolveSettings
from allocator.errors import Infeasible
from allocator.model import Linear, Model, Sense, Term
from allocator.solve import find_conflicts, relax_by_priority, solve
from allocator.types import Source
from tests.books import book, build_model, label
from tests.small_models import space_of, trap


def share(name: str, row: list[float], sense: Sense, right: float, priority: int = 0) -> Term:
    return Term(
        name,
        label(name),
        Linear.of(row),
        sense,
        np.array([right]),
        np.array([100.0]),
        "share",
        Source("user"),
        priority=priority,
    )


def crowded(*terms: Term) -> Model:
    """Three rows, 100 in all."""
    base = build_model(space_of([40.0, 30.0, 30.0]), np.array([0.02, 0.03, 0.05]), None)
    return replace(base, terms=(*base.terms, *terms))


FLOOR_A = share("floor_a", [1, 0, 0], Sense.AT_LEAST, 60.0, priority=2)
FLOOR_B = share("floor_b", [0, 1, 0], Sense.AT_LEAST, 50.0, priority=1)
IDLE = share("idle", [0, 0, 1], Sense.AT_MOST, 90.0)


def test_the_irreducible_set_is_named_and_nothing_else() -> None:
    # a ≥ 60 and b ≥ 50 need 110 of the 100 there are; the third rule has no part in it.
    with pytest.raises(Infeasible) as caught:
        solve(crowded(FLOOR_A, FLOOR_B, IDLE))
    assert {problem.where for problem in caught.value.problems} == {"budget[general]", "floor_a", "floor_b"}


def test_each_rule_is_told_how_far_it_must_give_way() -> None:
    found = {
        conflict.rule.name: conflict for conflict in find_conflicts(crowded(FLOOR_A, FLOOR_B, IDLE), SolveSettings())
    }
    assert found["floor_a"].reachable == pytest.approx(0.50, abs=1e-6)
    assert found["floor_a"].amount == pytest.approx(0.10, abs=1e-6)
    assert found["floor_b"].reachable == pytest.approx(0.40, abs=1e-6)
    assert found["budget[general]"].reachable == pytest.approx(1.10, abs=1e-6)


def test_a_rule_that_cannot_mend_it_alone_says_so() -> None:
    # Two conflicts at once: with the budget, and between the third floor and a ceiling of its own.
    twice = (
        FLOOR_A,
        FLOOR_B,
        share("least", [0, 0, 1], Sense.AT_LEAST, 20.0),
        share("most", [0, 0, 1], Sense.AT_MOST, 10.0),
    )
    with pytest.raises(Infeasible) as caught:
        solve(crowded(*twice))
    named = {problem.where for problem in caught.value.problems}
    assert named in ({"least", "most"}, {"budget[general]", "floor_a", "floor_b"})
    assert all("alone is not enough" in str(problem) for problem in caught.value.problems)
    assert all("仅放宽本条规则仍不可行" in problem.render("zh") for problem in caught.value.problems)


def test_a_ratio_out_of_reach_is_told_the_best_that_is() -> None:
    # The least capital of the trap book under a return floor is known: see the test of capital as objective.
    base = trap()
    floor = share("floor", [0.022, 0.022, 0.08], Sense.AT_LEAST, 5.0)
    limit = replace(base.capital_limits[0], multiplier=3.0)
    model = replace(base, terms=(*base.terms, floor), capital_limits=(limit,))
    with pytest.raises(Infeasible) as caught:
        solve(model)
    found = {conflict.rule.name: conflict for conflict in find_conflicts(model, SolveSettings())}
    e = 0.35 * (5 - 2.2) / 0.058
    r = min(0.14 * e, 0.01 * (100 - e / 0.35))
    least = np.sqrt(r * r - 0.28 * r * e + e * e)
    assert found["comprehensive"].reachable == pytest.approx(35.0 / least, rel=1e-5)
    assert found["comprehensive"].amount == pytest.approx(3.0 * least - 35.0, rel=1e-5)
    assert "floor" in {problem.where for problem in caught.value.problems}
    assert "资本缺口" in caught.value.render("zh")


def test_a_rule_that_the_bounds_alone_refuse_is_not_said_to_conflict_with_others() -> None:
    # Equity of 40 at most, by its own bound, where 50 is asked for.
    base = build_model(space_of([40.0, 30.0, 30.0], upper=[100.0, 100.0, 40.0]), np.array([0.02, 0.03, 0.05]), None)
    with pytest.raises(Infeasible) as caught:
        solve(replace(base, terms=(*base.terms, share("most", [0, 0, 1], Sense.AT_LEAST, 50.0))))
    (problem,) = caught.value.problems
    assert "out of reach inside the rows' bounds" in str(problem)
    assert problem.got == "0.4"


def test_infeasibility_is_proven_through_the_pool_too() -> None:
    case = book(20)
    limit = replace(case.model.capital_limits[0], multiplier=4.0 * case.required)
    with pytest.raises(Infeasible) as caught:
        solve(replace(case.model, capital_limits=(limit,)))
    reached = next(problem for problem in caught.value.problems if problem.where == "comprehensive")
    assert reached.got is not None
    # What it calls reachable is reached, and a hundredth more is not.
    best = float(reached.got)
    near = replace(case.model, capital_limits=(replace(limit, multiplier=best - 1e-4),))
    assert solve(near).holdings.sum() == pytest.approx(case.model.space.total)
    with pytest.raises(Infeasible):
        solve(replace(case.model, capital_limits=(replace(limit, multiplier=best + 1e-2),)))


def test_the_lowest_priority_gives_way_first_and_by_no_more_than_needed() -> None:
    relaxed, given = relax_by_priority(crowded(FLOOR_A, FLOOR_B, IDLE))
    assert [(item.name, item.priority) for item in given] == [("floor_b", 1)]
    assert given[0].amount == pytest.approx(0.10, abs=1e-6)
    answer = solve(relaxed)
    np.testing.assert_allclose(answer.holdings, [60.0, 40.0, 0.0], atol=1e-5)


def test_higher_levels_give_way_only_by_what_lower_ones_cannot() -> None:
    # a ≥ 110 cannot be met at all: after b has given everything, a still gives 10.
    relaxed, given = relax_by_priority(crowded(replace(FLOOR_A, right=np.array([110.0])), FLOOR_B))
    assert {item.name: round(item.amount, 6) for item in given} == {"floor_a": 0.1, "floor_b": 0.5}
    np.testing.assert_allclose(solve(relaxed).holdings, [100.0, 0.0, 0.0], atol=1e-5)


def test_a_feasible_model_gives_nothing_away() -> None:
    model = crowded(FLOOR_A, IDLE)
    assert relax_by_priority(model) == (model, ())
