"""Sifting finds the optimum of the whole program, proves it by its own duals, and looks at few holdings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.config.settings import SolveSettings
from allocator.model import Linear, Model, ObjectiveTerm, Quadratic, Sense, Term, TradeCost
from allocator.solve import Sweep, solve
from allocator.solve.decomposition.groups import Groups, find_groups
from allocator.solve.decomposition.master import Master
from allocator.solve.decomposition.sifting import Sifter, Sizes, WarmStart
from allocator.solve.program.program import ConeProgram, SolverResult, SolverStatus
from allocator.solve.relaxation.formulation import Formulation
from allocator.solve.search.prices import find_prices
from allocator.solve.search.search import Search
from allocator.solve.solvers import choice
from allocator.solve.solvers.backends import SolverChain
from allocator.types import Source, Text
from benchmarks.universe import universe
from tests.books import book

FEW = Sizes(near=10, sample=40, bundles=8)
ROOM = 60.0


def sifter_of(model: Model, sizes: Sizes = FEW) -> tuple[Sifter, Formulation]:
    formulation = Formulation(model)
    plain = formulation.plain
    groups = find_groups(plain.program, plain.holdings)
    return Sifter(plain.program, groups, SolverChain().solve, WarmStart(), sizes), formulation


def direct(program: ConeProgram) -> SolverResult:
    return SolverChain("clarabel").solve(program, ROOM)


def with_risk(model: Model, seed: int) -> Model:
    """Return the model with factor risk and a square of its own for two holdings of three."""
    rng = np.random.default_rng(seed)
    size, total = model.space.size, model.space.total
    factors = rng.normal(0.0, 0.1, (3, size)) / total
    specific = np.where(np.arange(size) % 3 > 0, 2.0 * rng.random(size), 0.0) / total**2
    risk = ObjectiveTerm("risk", Text("Risk", "风险"), Quadratic(factors, specific), -1.0)
    return replace(model, objective=(*model.objective, risk))


def with_turnover(model: Model, most: float) -> Model:
    half = np.full(model.space.size, 0.5 / model.space.total)
    left = TradeCost(half, half, np.zeros(model.space.size), model.space.current)
    turnover = Term(
        "turnover",
        Text("Turnover", "换手率"),
        left,
        Sense.AT_MOST,
        np.array([most]),
        np.ones(1),
        "share",
        Source("house"),
    )
    return replace(model, terms=(*model.terms, turnover))


def drawn(seed: int) -> Model:
    """Return a universe of a few hundred instruments, with some of costs, risk, turnover and open ends."""
    rng = np.random.default_rng(seed)
    model = universe(int(rng.integers(150, 400)), seed, cost=float(rng.choice([0.0, 0.0005, 0.004])))
    if rng.random() < 0.5:
        model = with_risk(model, seed)
    if rng.random() < 0.5:
        model = with_turnover(model, float(rng.uniform(0.05, 0.3)))
    if rng.random() < 0.5:
        space = model.space
        upper = np.where(rng.random(space.size) < 0.5, np.inf, space.upper)
        lower = np.where(rng.random(space.size) < 0.2, 0.9 * space.current, space.lower)
        fixed = rng.random(space.size) < 0.1
        lower, upper = np.where(fixed, space.current, lower), np.where(fixed, space.current, upper)
        model = replace(model, space=replace(space, lower=lower, upper=upper))
    return model


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_sifted_optimum_is_the_optimum_and_its_bound_holds(seed: int) -> None:
    sifter, formulation = sifter_of(drawn(seed))
    program = formulation.relaxation(formulation.whole).program
    whole, found = direct(program), sifter.solve(program, ROOM)
    again = sifter.solve(program, ROOM)
    optimum = program.value(whole.primal)
    for answer in (found, again):
        assert answer.verdict is SolverStatus.SOLVED
        assert program.value(answer.primal) == pytest.approx(optimum, abs=1e-7)
        bound = program.bound(answer.primal, answer.dual)
        assert bound <= optimum + 1e-8
        assert bound == pytest.approx(optimum, abs=1e-6)
        missing = program.matrix @ answer.primal - program.right
        linear = sum(block.rows for block in program.blocks[:-1])
        assert missing[:linear].max() < 1e-6


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_a_search_of_the_capital_tree_ends_at_the_same_optimum(seed: int) -> None:
    model = book(seed).model
    plain = solve(model, SolveSettings(solver="clarabel"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "MANY", 1)
        patch.setattr(choice, "RATIO", 0)
        patch.setattr("allocator.solve.solvers.backends.Sizes", lambda: Sizes(near=4, sample=5, bundles=3))
        sifted = solve(model)
    assert sifted.objective == pytest.approx(plain.objective, abs=2e-5)
    assert sifted.bound >= plain.objective - 1e-9
    assert plain.bound >= sifted.objective - 1e-9


def test_what_contradicts_itself_is_refuted_by_duals_of_the_whole_program() -> None:
    model = universe(300)
    everything = Linear.of(np.ones(model.space.size))
    more = Term(
        "more", Text("More", "更多"), everything, Sense.AT_LEAST, np.array([1.1e10]), np.ones(1), "CNY", Source("house")
    )
    sifter, formulation = sifter_of(replace(model, terms=(*model.terms, more)))
    program = formulation.relaxation(formulation.whole).program
    answer = sifter.solve(program, ROOM)
    assert answer.verdict is SolverStatus.INFEASIBLE
    assert program.refuted_by(answer.dual)


def test_one_small_master_answers_a_program_that_follows_another() -> None:
    """What guards the speed: counts, not seconds."""
    size = 20_000
    sifter, formulation = sifter_of(with_turnover(universe(size, cost=0.001), 0.2), Sizes())
    program = formulation.relaxation(formulation.whole).program
    sifter.solve(program, ROOM)
    assert sifter.masters <= 8
    sifter.masters = sifter.widest = 0
    tighter = formulation.relaxation(formulation.whole, margin=1e-6).program
    assert sifter.solve(tighter, ROOM).solver.endswith("sifted")
    assert sifter.masters <= 2
    assert sifter.widest < 0.05 * size


@pytest.mark.parametrize("seed", [2, 5])
def test_a_large_sample_is_sifted_itself(seed: int) -> None:
    model = universe(4_000, seed, cost=0.001 * (seed % 2))
    sifter, formulation = sifter_of(with_risk(model, seed), Sizes(near=10, sample=100, thinned=4, bundles=20))
    program = formulation.relaxation(formulation.whole).program
    answer, whole = sifter.solve(program, ROOM), direct(program)
    assert answer.solver.endswith("sifted")
    assert program.value(answer.primal) == pytest.approx(program.value(whole.primal), abs=1e-7)
    assert program.bound(answer.primal, answer.dual) == pytest.approx(program.value(whole.primal), abs=1e-6)


def test_the_first_solve_of_many_looks_at_few_of_them() -> None:
    size = 100_000
    sifter, formulation = sifter_of(universe(size), Sizes())
    program = formulation.relaxation(formulation.whole).program
    assert sifter.solve(program, ROOM).solver.endswith("sifted")
    # Prices come from a sample of ten thousand, the prices of which come from one of four thousand.
    assert sifter.masters <= 6
    assert sifter.widest < 0.06 * size


def test_few_holdings_and_a_named_solver_go_straight_to_it() -> None:
    assert not solve(universe(300)).solver.endswith("sifted")
    assert not solve(universe(4_000), SolveSettings(solver="clarabel")).solver.endswith("sifted")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_a_holding_goes_where_its_own_cost_is_least(seed: int) -> None:
    groups, slopes, squares = curves(seed)
    pricing = groups.price(slopes, squares)
    grid = groups.lower + np.linspace(0.0, 1.0, 2001)[:, None] * (groups.upper - groups.lower)
    values = np.array([groups.values(at, slopes, squares) for at in grid])
    least = groups.values(pricing.best, slopes, squares)
    assert np.all(pricing.best >= groups.lower) and np.all(pricing.best <= groups.upper)
    assert np.all(least <= values.min(axis=0) + 1e-12)
    # A price moved by less than the margin leaves it there.
    for sign in (-1.0, 1.0):
        moved = slopes.copy()
        moved[groups.columns[0]] += sign * 0.999 * np.where(np.isfinite(pricing.margin), pricing.margin, 1e3)
        held = pricing.margin > 0
        np.testing.assert_allclose(groups.price(moved, squares).best[held], pricing.best[held], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_the_duals_of_its_own_rows_lie_in_the_cone_and_prove_the_least_cost(seed: int) -> None:
    groups, slopes, squares = curves(seed)
    point = groups.point(groups.price(slopes, squares).best, len(slopes))
    dual = np.zeros(6 * groups.count)
    groups.add_duals(dual, np.arange(groups.count), point, slopes, squares)
    split, buy, sell, low, high = (dual[k * groups.count : (k + 1) * groups.count] for k in range(5))
    assert min(buy.min(), sell.min(), low.min(), high.min()) >= 0.0
    gradient = slopes + squares * point
    x, bought, sold = groups.columns
    np.testing.assert_allclose(gradient[x] + split - low + high, 0.0, atol=1e-12)
    np.testing.assert_allclose(gradient[bought] - split - buy, 0.0, atol=1e-12)
    np.testing.assert_allclose(gradient[sold] + split - sell, 0.0, atol=1e-12)


def curves(seed: int) -> tuple[Groups, np.ndarray, np.ndarray]:
    """Return forty holdings with trades, and slopes and squares of their columns."""
    rng = np.random.default_rng(seed)
    count = 40
    lower = rng.uniform(0.0, 1.0, count)
    upper = lower + rng.uniform(0.1, 1.0, count)
    start = rng.uniform(-0.5, 2.5, count)
    places = np.arange(6 * count).reshape(6, count)
    columns = np.arange(3 * count).reshape(3, count)
    groups = Groups(
        columns,
        lower,
        upper,
        start,
        places[3],
        places[4],
        np.full(count, -1),
        places[0],
        places[1:3],
        np.repeat(np.arange(count), 6),
    )
    slopes = np.concatenate([rng.normal(size=count), rng.random(2 * count) * rng.choice([0.1, 1.0], 2 * count)])
    return groups, slopes, rng.choice([0.0, 0.5], 3 * count)


def test_an_answer_of_thousands_of_rows_settles_in_a_few_solves() -> None:
    """Rows put on their bounds must not push a limited sum over its edge, step after step."""
    search = Search(with_risk(with_turnover(universe(3_000, cost=0.001), 0.1), 1), SolveSettings())
    outcome = search.run()
    assert outcome.proven
    assert search.solves <= 8


def test_without_capital_one_program_is_solved_once() -> None:
    model = replace(universe(200), tree=None, capital_limits=())
    search = Search(model, SolveSettings())
    asked = []
    search.chain._directly = lambda program, seconds: asked.append(program) or direct(program)  # type: ignore[method-assign]
    search.run()
    find_prices(search, search.best.holdings)  # type: ignore[union-attr]
    assert len(asked) == 1


def test_a_sweep_over_a_large_universe_sifts_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "MANY", 300)
    masters: list[int] = []
    answered = Sifter._answered

    def counted(self: Sifter, master: Master, holdings: int, deadline: float) -> SolverResult:
        masters.append(holdings)
        return answered(self, master, holdings, deadline)

    monkeypatch.setattr(Sifter, "_answered", counted)
    model = universe(400)
    (limit,) = model.capital_limits
    sweep = Sweep(model, SolveSettings())
    for factor in (1.02, 1.0):
        level = replace(model, capital_limits=(replace(limit, multiplier=factor * limit.multiplier),))
        swept = sweep.solve(level)
        assert swept.solution.status == "optimal" and not swept.alone
    assert masters and max(masters) < 400
