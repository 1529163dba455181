"""What the search may say: nothing is proven of a branch that no solver answered, or that could not be split further.

The books are those that need branches: the root's bound of the first lies 1 bp above the optimum, and the root of the
second has an answer where the book itself has none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.config.settings import SolveSettings
from allocator.errors import Problem, SolverFailure
from allocator.model import Linear, Model, ObjectiveTerm, Sense, Term
from allocator.solve import solve
from allocator.solve.infeasible import conflict
from allocator.solve.relaxation.boxes import Box
from allocator.solve.search import search as searching
from allocator.solve.search.objective_form import tolerance_of
from allocator.solve.search.search import Outcome, Search
from allocator.types import Source, Text
from tests.books import book, build_model, label
from tests.small_models import space_of, trap

SETTINGS = SolveSettings()


class Unanswered(Search):
    """A search whose branches defeat all solvers."""

    def _node(self, box: Box | None, ceiling: float = np.inf, *, fine: bool = False) -> object:
        if ceiling < np.inf:
            raise SolverFailure(Problem(Text("no solver returned a usable answer", "没有求解器给出可用的结果")))
        return super()._node(box, ceiling, fine=fine)


def out_of_reach() -> Model:
    """A ratio that the relaxation of the whole book reaches and no book does."""
    case = book(3)
    return replace(case.model, capital_limits=(replace(case.model.capital_limits[0], multiplier=8.78),))


def test_the_books_are_what_they_are_said_to_be() -> None:
    found = Search(book(3).model, SETTINGS).run()
    root = Search(book(3).model, SETTINGS)._root
    assert found.best is not None and found.proven and root is not None
    assert root.bound > found.best.objective + 5e-5
    none = Search(out_of_reach(), SETTINGS).run()
    assert none.best is None and none.proven
    assert Search(out_of_reach(), SETTINGS)._root is not None


@pytest.mark.parametrize("split_ends", [False, True])
def test_a_branch_left_open_leaves_its_bound_open(split_ends: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Search(book(3).model, SETTINGS).run()
    assert exact.best is not None
    if split_ends:
        monkeypatch.setattr(searching, "split", lambda *_: [])
    search = (Search if split_ends else Unanswered)(book(3).model, SETTINGS)
    assert search._root is not None
    found = search.run()
    assert found.bound == pytest.approx(search._root.bound, abs=1e-12)
    assert not found.proven
    assert found.bound >= exact.best.objective


@pytest.mark.parametrize("split_ends", [False, True])
def test_a_branch_left_open_proves_no_contradiction(split_ends: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if split_ends:
        monkeypatch.setattr(searching, "split", lambda *_: [])
    found = (Search if split_ends else Unanswered)(out_of_reach(), SETTINGS).run()
    assert found.best is None
    assert not found.proven


def test_a_limit_reached_proves_nothing() -> None:
    for model in (book(3).model, out_of_reach()):
        found = Search(model, SETTINGS.model_copy(update={"max_nodes": 3})).run()
        assert not found.proven


@pytest.mark.parametrize(("miss", "taken"), [(-1e-8, True), (0.0, True), (1e-8, False), (1e-6, False)])
def test_an_answer_is_taken_only_where_its_ratio_is_met_as_written(miss: float, taken: bool) -> None:
    """The trap's book at 30, 30, 40: what its ratio is by the exact tree, and ``miss`` more required."""
    held = np.array([30.0, 30.0, 40.0])
    model = trap()
    assert model.tree is not None
    limit = model.capital_limits[0]
    ratio = limit.available / model.tree.value(held)
    search = Search(replace(model, capital_limits=(replace(limit, multiplier=ratio + miss),)), SETTINGS)
    assert search.compliant(held) == taken
    assert search.offer(held) == taken
    # Off its budget it is no answer whatever its ratio.
    assert not search.offer(held * 0.5)


def test_of_two_ratios_the_scarcer_decides() -> None:
    model = trap()
    limit = model.capital_limits[0]
    wide = replace(limit, name="wide", multiplier=0.1)
    held = np.array([0.0, 0.0, 100.0])  # a ratio of one
    for limits in ((limit, wide), (wide, limit)):
        assert Search(replace(model, capital_limits=limits), SETTINGS).exact.headroom(held) == pytest.approx(-1.0)


@pytest.mark.parametrize("seed", [1, 2, 3, 8, 20, 23])
def test_a_restriction_admits_the_point_it_is_made_for_and_nothing_that_falls_short(seed: int) -> None:
    """Around a book that keeps its ratio the answer earns no less, and keeps it by the exact tree.

    In these books no slope changes its sign on the way, which is what a restriction cannot answer for.
    """
    model = book(seed).model
    held, limit = model.space.current, model.capital_limits[0]
    assert model.tree is not None
    kept = replace(limit, multiplier=0.999 * limit.available / model.tree.value(held))
    search = Search(replace(model, capital_limits=(kept,)), SETTINGS)
    assembled = search.formulation.restriction(held, search.price)
    answer = search.chain.solve(assembled.program, 10.0)
    reached = -assembled.program.value(answer.primal) * search.formulation.plain.objective_scale
    assert reached >= search.exact.objective(held) - 1e-9
    assert search.exact.headroom(search.point(answer)) >= -1e-7


def test_only_a_better_answer_takes_the_place_of_another() -> None:
    """The trap's book earns 2%, 2.2% and 8%; half of its capital would do for any of these."""
    model = trap()
    search = Search(replace(model, capital_limits=(replace(model.capital_limits[0], multiplier=0.5),)), SETTINGS)
    good, better, worse = np.array([30.0, 30.0, 40.0]), np.array([20.0, 30.0, 50.0]), np.array([40.0, 30.0, 30.0])
    assert search.offer(good) and not search.offer(worse) and not search.offer(good)
    assert search.best is not None and search.best.holdings is good
    assert search.offer(better)
    assert search.best.objective == pytest.approx((0.4 + 0.66 + 4.0) / 100.0)
    assert not search.offer(None)


@pytest.mark.parametrize(("proven", "counts"), [(False, True), (True, False)])
def test_an_open_question_keeps_a_rule_in_the_conflict(proven: bool, counts: bool) -> None:
    """Without an answer and without a proof the rules may hold together: the rule left out may be needed."""
    found = Outcome(None, np.inf, proven, 1, "")
    asked = conflict._Questions(trap(), [], SETTINGS, lambda *_: found, None)
    assert asked.feasible(()) == counts


@pytest.mark.parametrize("seed", range(3))
def test_a_bound_at_a_price_bounds_every_return_on_capital(seed: int) -> None:
    """No book that complies earns more per unit of capital than the bound, which lies within the gap."""
    space = replace(trap().space, lower=np.array([5.0, 10.0, 20.0]))
    model = replace(trap(), space=space, objective=in_money(trap()), per_capital=True)
    solution = solve(model, SolveSettings(time_limit=30))
    assert solution.status == "optimal" and 0.0 <= solution.gap <= 1e-5
    random, tree = np.random.default_rng(seed), model.tree
    assert tree is not None
    for _ in range(300):
        held = 100.0 * random.dirichlet(np.ones(3))
        inside = np.all(held >= model.space.lower) and np.all(held <= model.space.upper)
        limits = all(one.holds(tree.values(held)[one.module], 0.0) for one in model.capital_limits)
        if inside and limits and all(term.holds(held) for term in model.terms):
            assert model.objective_value(held) <= solution.bound + 1e-9


def in_money(model: Model) -> tuple[ObjectiveTerm, ...]:
    return tuple(replace(part, weight=100.0 * part.weight, unit="CNY") for part in model.objective)


def test_a_gap_is_closed_at_a_tenth_of_a_basis_point_or_its_counterpart() -> None:
    """0.1 bp of annual return; a relative 1e-6 of money."""
    model = trap()
    money = replace(model, objective=(), capital_weight=1.0)
    assert tolerance_of(model, 1e-5, 0.05) == 1e-5
    assert tolerance_of(money, 1e-5, -2e9) == pytest.approx(2e3)


def test_an_equality_has_a_price_of_either_sign() -> None:
    """A share of what earns 2% instead of 8% costs 6% each; the budget itself earns the 8% at the margin."""
    base = build_model(space_of([60.0, 40.0]), np.array([0.02, 0.08]), None)
    source, per = Source("user"), np.array([100.0])
    pin = Term("pin", label("pin"), Linear.of([1.0, 0.0]), Sense.EQUAL, np.array([40.0]), per, "share", source)
    prices = solve(replace(base, terms=(*base.terms, pin))).shadow_prices
    assert prices["pin"] == pytest.approx([-0.06], abs=1e-8)
    assert prices["budget[general]"] == pytest.approx([0.08], abs=1e-8)
