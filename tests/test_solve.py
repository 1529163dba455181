"""The optimizer against hand-worked optima and against the promise it makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from allocator.capital import CapitalTree, Leaf
from allocator.config.settings import SolveSettings
from allocator.errors import InputError, SolverFailure
from allocator.model import Linear, Mode, ObjectiveTerm, Quadratic, Sense, Space, Term, TradeCost
from allocator.model.model import CapitalLimit, Model
from allocator.solve import solve
from allocator.solve.program.program import ConeProgram, SolverResult, SolverStatus
from allocator.solve.search.search import Search
from allocator.solve.solvers.backends import Clarabel, Scs, SolverChain
from allocator.solve.state.interval_relaxation import between_trees
from allocator.types import Source, Text
from allocator.verify import verify
from tests.books import book, build_model, label
from tests.rivals import best_of_local_searches
from tests.small_models import space_of, trap

USER = Source("user")


def ceiling(name: str, row: list[float], right: float, space: Space, **extra: object) -> Term:
    per = np.array([space.total])
    return Term(name, label(name), Linear.of(row), Sense.AT_MOST, np.array([right]), per, "share", USER, **extra)  # type: ignore[arg-type]


def test_linear_program_fills_the_best_row_to_its_bound() -> None:
    # 100 in all; the best row may hold 30, the second best takes the rest.
    model = build_model(space_of([50, 30, 20], upper=[100, 100, 30]), np.array([0.02, 0.03, 0.05]), None)
    answer = solve(model)
    np.testing.assert_allclose(answer.holdings, [0, 70, 30], atol=1e-9)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(0.7 * 0.03 + 0.3 * 0.05, abs=1e-12)
    # One more point of weight goes into row 1; row 0 needs one point more return to enter; row 2 is at its most.
    assert answer.shadow_prices["budget[general]"][0] == pytest.approx(0.03, abs=1e-7)
    np.testing.assert_allclose(answer.reduced_costs, [0.01, 0.0, -0.02], atol=1e-7)


def test_quadratic_program_matches_the_hand_worked_optimum() -> None:
    # max 0.02 w0 + 0.06 w1 − 2 (0.01 w0² + 0.04 w1²), w0 + w1 = 1:
    # 0.02 − 0.04 w0 = 0.06 − 0.16 w1 → 0.2 w1 = 0.08 → w1 = 0.4.
    space = space_of([60.0, 40.0])
    model = build_model(space, np.array([0.02, 0.06]), None)
    variance = Quadratic(np.zeros((0, 2)), np.array([0.01, 0.04]) / space.total**2)
    risk = ObjectiveTerm("variance", label("variance"), variance, weight=-2.0)
    model = Model(space, (*model.objective, risk), model.terms, model.cost)
    answer = solve(model)
    np.testing.assert_allclose(answer.holdings, [60.0, 40.0], atol=1e-4)
    assert answer.objective == pytest.approx(0.012 + 0.024 - 2 * (0.01 * 0.36 + 0.04 * 0.16), abs=1e-10)
    assert answer.gap <= 1e-5


def test_soft_term_is_breached_only_while_the_breach_pays() -> None:
    space = space_of([50.0, 50.0])
    for price, held in ((0.005, 100.0), (0.05, 40.0)):
        model = build_model(space, np.array([0.02, 0.03]), None)
        soft = ceiling("cap", [0.0, 1.0], 40.0, space, mode=Mode.SOFT, price=price)
        model = Model(space, model.objective, (*model.terms, soft), model.cost)
        answer = solve(model)
        assert answer.holdings[1] == pytest.approx(held, abs=1e-6)
        breach = (held - 40.0) / 100.0
        assert answer.objective == pytest.approx(0.02 + 0.01 * held / 100.0 - price * breach, abs=1e-9)


def test_monitored_term_does_not_bind() -> None:
    space = space_of([50.0, 50.0])
    model = build_model(space, np.array([0.02, 0.03]), None)
    watched = ceiling("cap", [0.0, 1.0], 40.0, space, mode=Mode.MONITOR)
    answer = solve(Model(space, model.objective, (*model.terms, watched), model.cost))
    assert answer.holdings[1] == pytest.approx(100.0, abs=1e-6)
    assert answer.shadow_prices["cap"].tolist() == [0.0]


def test_trading_costs_lower_the_capital_available() -> None:
    # M = 0.5 x1; 2 × M + cost ≤ 40 with cost 0.1 per unit bought or sold, x1 from 20: x1 + 0.2 (x1 − 20) = 40.
    space = space_of([80.0, 20.0])
    tree = CapitalTree(Leaf("root", label("root"), row=0), sparse.csr_array(np.array([[0.0, 0.5]])), np.zeros(1))
    limit = CapitalLimit("comprehensive", label("ratio"), "root", 2.0, 40.0)
    base = build_model(space, np.array([0.02, 0.06]), tree, (limit,))
    cost = TradeCost(np.full(2, 0.1), np.full(2, 0.1), np.zeros(2), space.current)
    answer = solve(Model(space, base.objective, base.terms, cost, tree, (limit,)))
    assert answer.holdings[1] == pytest.approx(44 / 1.2, abs=1e-5)


def test_the_naive_cones_trap_is_not_stepped_into() -> None:
    # Bonds with duration earn less, so the exact optimum weighs their return against the diversification they
    # truly bring: M² = r² − 0.28 r e + e² with r = 0.01 x0, e = 0.35 x2, and M = 17.5.
    model = trap()
    answer = solve(model)
    assert model.tree is not None
    exact = model.tree.value(answer.holdings)
    assert 35.0 / exact >= 2.0 - 1e-7
    assert answer.status == "optimal"
    # The naive answer is e = 17.5 / sqrt(1 − 0.14²) with the rate module inflated; its true capital is more.
    naive = 17.5 / np.sqrt(1 - 0.14**2)
    assert answer.holdings[2] * 0.35 < naive - 0.05
    grid = [
        (0.02 * x0 + 0.022 * (100 - x0 - x2) + 0.08 * x2) / 100
        for x0 in np.linspace(0, 50, 501)
        for x2 in [_largest_equity(x0)]
    ]
    assert answer.objective == pytest.approx(max(grid), abs=1e-8)


def _largest_equity(x0: float) -> float:
    # e² − 0.28 r e + r² = 17.5²
    r = 0.01 * x0
    return (0.14 * r + np.sqrt((0.14 * r) ** 2 - r**2 + 17.5**2)) / 0.35


@pytest.mark.parametrize("seed", [2, 3, 11, 12])
def test_random_books_keep_the_promise(seed: int) -> None:
    case = book(seed)
    answer = solve(case.model)
    assert case.model.tree is not None
    reached = case.model.capital_limits[0].available / case.model.tree.value(answer.holdings)
    assert reached >= case.required - 1e-7
    assert answer.status == "optimal"
    assert 0.0 <= answer.gap <= 1e-5
    verify(case.model, answer.holdings)


@pytest.mark.parametrize("seed", [2, 3, 11])
def test_no_local_search_beats_the_answer(seed: int) -> None:
    # A few starts here; the acceptance tests make 200 on each of 50 books.
    case = book(seed)
    answer = solve(case.model)
    assert best_of_local_searches(case.model, 6, seed) <= answer.objective + 1e-5
    assert best_of_local_searches(case.model, 6, seed) <= answer.bound + 1e-7


class _Broken(Clarabel):
    """A solver that gives up."""

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        return SolverResult(SolverStatus.FAILED, np.zeros(program.size), np.zeros(len(program.right)), "broken 0")


class _Wrong(Clarabel):
    """A solver that calls anything solved."""

    def solve(self, program: ConeProgram, seconds: float) -> SolverResult:
        return SolverResult(SolverStatus.SOLVED, np.ones(program.size), np.zeros(len(program.right)), "wrong 0")


def test_the_next_solver_answers_where_one_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trap()
    expected = solve(model)
    monkeypatch.setattr(SolverChain, "_all", (_Broken, Scs))
    answer = solve(model)
    assert answer.solver.startswith("SCS")
    assert answer.objective == pytest.approx(expected.objective, abs=1e-5)
    verify(model, answer.holdings, objective=answer.objective)
    monkeypatch.setattr(SolverChain, "_all", (_Broken,))
    with pytest.raises(SolverFailure, match="CLARABEL"):
        solve(model)


def test_a_wrong_solver_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trap()
    right = solve(model)
    monkeypatch.setattr(SolverChain, "_all", (_Wrong,))
    answer = solve(model, SolveSettings(max_nodes=30))
    # What it calls solved is judged by the exact tree, and its duals bound nothing.
    verify(model, answer.holdings, objective=answer.objective)
    assert answer.status == "feasible"
    assert answer.bound >= right.objective


def test_two_runs_give_the_same_numbers() -> None:
    first, second = solve(book(2).model), solve(book(2).model)
    assert np.array_equal(first.holdings, second.holdings)
    assert (first.objective, first.bound, first.nodes) == (second.objective, second.bound, second.nodes)


def test_an_account_without_a_budget_is_named() -> None:
    space = space_of([50.0, 50.0], account=["a", "b"])
    model = build_model(space, np.array([0.02, 0.03]), None)
    with pytest.raises(InputError, match=r"b: a1 \(b\)"):
        solve(Model(space, model.objective, model.terms[:1], model.cost))


def test_an_objective_that_grows_without_end_names_the_rows_it_grows_along() -> None:
    """A derivative counts in no budget: without a greatest amount nothing holds it."""
    space = replace(space_of([100.0, 0.0]), funded=np.array([True, False]))
    budget = ceiling("budget", [1.0, 0.0], 100.0, space)
    model = build_model(space, np.array([0.02, 0.03]), None)
    with pytest.raises(InputError, match=r"without end.*") as raised:
        solve(Model(space, model.objective, (budget,), model.cost))
    (problem,) = raised.value.problems
    assert problem.where == "a1 (general)"


def test_bounds_that_cross_are_named() -> None:
    space = space_of([50.0, 50.0], upper=[-1.0, 60.0])
    with pytest.raises(InputError, match=r"a0 \(general\)"):
        solve(build_model(space, np.array([0.02, 0.03]), None))


def test_a_budget_that_the_bounds_cannot_meet_is_named() -> None:
    space = space_of([50.0, 50.0], upper=[40.0, 40.0])
    with pytest.raises(InputError, match=r"budget\[general\]"):
        solve(build_model(space, np.array([0.02, 0.03]), None))


def test_unknown_solver_is_refused_with_the_installed_ones() -> None:
    with pytest.raises(InputError, match="CLARABEL"):
        solve(book(2).model, SolveSettings(solver="CLARABELL"))


def test_capital_can_be_the_objective() -> None:
    # Least capital under a return floor: 0.02 (100 − x2) + 0.08 x2 ≥ 5 → x2 = 50, no bond with duration.
    base = trap()
    floor = Term(
        "floor",
        Text("return floor", "收益下限"),
        Linear.of(np.array([0.022, 0.022, 0.08])),
        Sense.AT_LEAST,
        np.array([5.0]),
        np.array([100.0]),
        "annual decimal",
        USER,
    )
    answer = solve(Model(base.space, (), (*base.terms, floor), base.cost, base.tree, (), "root", 1.0))
    x2 = (5 - 2.2) / 0.058
    e = 0.35 * x2
    r = min(0.14 * e, 0.01 * (100 - x2))
    assert answer.objective == pytest.approx(-np.sqrt(r * r - 0.28 * r * e + e * e), rel=1e-6)
    assert answer.status == "optimal"


def test_an_answer_that_is_no_number_goes_to_the_next_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    def nonsense(self: Clarabel, program: ConeProgram, seconds: float) -> SolverResult:
        columns, rows = program.matrix.shape[1], program.matrix.shape[0]
        return SolverResult(SolverStatus.SOLVED, np.full(columns, np.nan), np.zeros(rows), "nonsense")

    honest = solve(trap())
    monkeypatch.setattr(Clarabel, "solve", nonsense)
    answer = solve(trap(), SolveSettings(gap=1e-4))
    assert answer.solver.startswith("SCS")
    assert answer.objective == pytest.approx(honest.objective, abs=1e-4)


def test_two_trees_that_differ_by_rounding_leave_room_to_search() -> None:
    """A coefficient a rounding below its least value once gave a slack whose ceiling lay below its floor."""
    model = trap()
    assert model.tree is not None
    below = model.tree.coefficients.copy()
    below.data = below.data - 1e-17
    widened = between_trees(model, model.tree, replace(model.tree, coefficients=below))
    assert np.all(widened.space.lower <= widened.space.upper)


def test_what_the_solver_s_margin_alone_rules_out_is_no_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least capital is that of 49, 41 and 10; a wide margin of a twentieth lies beyond what it reaches."""
    model = trap()
    assert model.tree is not None
    space = replace(model.space, lower=np.array([0.0, 0.0, 10.0]), upper=np.full(3, 60.0))
    (limit,) = model.capital_limits
    reached = limit.available / model.tree.value(np.array([49.0, 41.0, 10.0]))
    asked = replace(model, space=space, capital_limits=(replace(limit, multiplier=reached - 1e-6),))
    monkeypatch.setattr(Search, "margin", 0.05)
    solution = solve(asked)
    assert solution.status == "optimal"
    assert limit.available / model.tree.value(solution.holdings) >= reached - 1e-6 - 1e-7
