"""What a certificate is worth: bounds charge what a dual point leaves over, a proof of infeasibility covers the region
it speaks of, the rules named are those a reader can change, and what was computed once cannot be altered or mistaken.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from allocator.capital import CapitalTree, Leaf
from allocator.config.settings import SolveSettings
from allocator.errors import VerificationError
from allocator.model import CapitalLimit, Linear, Model, Sense, Term, TradeCost
from allocator.solve import find_conflicts, solve
from allocator.solve.program.program import Block, Cone, ConeProgram
from allocator.types import Source
from allocator.verify import verify
from tests.books import budgets, build_model, label
from tests.small_models import space_of, trap

Vector = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)
REACH = 1e4
"""Size of the columns that a certificate must cover (docs/optimizer.md): columns are near one."""

BLOCKS = (Block(Cone.ZERO, 2), Block(Cone.NONNEGATIVE, 4), Block(Cone.SECOND_ORDER, 3))


# ---- bounds of cone programs -----------------------------------------------------------------------------


def drawn(random: np.random.Generator, size: int = 5) -> tuple[ConeProgram, Vector]:
    """Return a convex program over a line of each cone, and a point that satisfies it."""
    point = random.normal(size=size)
    matrix = random.normal(size=(9, size)) * (random.random((9, size)) < 0.6)
    slack = np.concatenate([np.zeros(2), random.choice([0.0, 1.0], 4) * random.uniform(0.0, 1.0, 4), np.zeros(3)])
    slack[7:] = random.normal(size=2)
    slack[6] = np.linalg.norm(slack[7:]) + random.choice([0.0, 0.5])
    root = random.normal(size=(2, size)) * random.choice([0.0, 1.0])
    return (
        ConeProgram(
            sparse.csc_array(np.triu(root.T @ root)),
            random.normal(size=size),
            sparse.csc_array(matrix),
            matrix @ point + slack,
            BLOCKS,
            float(random.normal()),
        ),
        point,
    )


@seed(1)
@given(SEEDS)
@settings(max_examples=200)
def test_no_feasible_point_lies_below_a_bound(number: int) -> None:
    """Whatever the dual point in K*, and whatever it leaves over: near the point that the bound was taken at."""
    random = np.random.default_rng(number)
    program, feasible = drawn(random)
    near = feasible + random.choice([0.0, 1e-3, 0.4]) * random.uniform(-1.0, 1.0, len(feasible)) * np.abs(feasible)
    dual = program.projected(random.normal(size=9))
    # The residual is charged for columns up to 0.001 and twice the size they have at the point.
    assert np.all(np.abs(feasible) <= 1e-3 + 2.0 * np.abs(near))
    assert program.bound(near, dual) <= program.value(feasible) + 1e-9


@seed(2)
@given(SEEDS)
@settings(max_examples=50)
def test_a_point_of_the_dual_cone_is_left_where_it_is_and_any_other_is_moved_into_it(number: int) -> None:
    random = np.random.default_rng(number)
    program, _ = drawn(random)
    moved = program.projected(3.0 * random.normal(size=9))
    assert np.all(moved[2:6] >= 0.0) and np.linalg.norm(moved[7:]) <= moved[6] + 1e-12
    assert program.projected(moved) == pytest.approx(moved, abs=1e-12)


@seed(4)
@given(SEEDS)
@settings(max_examples=50)
def test_what_is_moved_into_the_dual_cone_is_moved_to_its_nearest_point(number: int) -> None:
    """At the nearest point p of d no other point q of the cone lies in front of it: (d − p)′(q − p) ≤ 0."""
    random = np.random.default_rng(number)
    program, _ = drawn(random)
    start = 3.0 * random.normal(size=9)
    nearest = program.projected(start)
    for _ in range(10):
        other = random.normal(size=9)
        other[2:6] = np.abs(other[2:6])
        other[6] = np.linalg.norm(other[7:]) + random.choice([0.0, 1.0])
        assert (start - nearest) @ (other - nearest) <= 1e-9


def test_a_residual_costs_the_bound_what_it_may_be_worth() -> None:
    """min x over x ≥ 1 at x = 1 with y = 0.9: the Lagrangian gives 0.9 and leaves 0.1 x, |x| up to 2.001."""
    program = ConeProgram(
        sparse.csc_array((1, 1)),
        np.ones(1),
        sparse.csc_array(-np.ones((1, 1))),
        -np.ones(1),
        (Block(Cone.NONNEGATIVE, 1),),
    )
    assert program.bound(np.ones(1), np.array([0.9])) == pytest.approx(0.9 - 0.1 * 2.001, abs=1e-12)
    assert program.bound(np.ones(1), np.ones(1)) == 1.0
    # Of a looser right side, x ≥ 0.5.
    assert program.bound(np.ones(1), np.ones(1), np.array([-0.5])) == 0.5


def test_curvature_counts_half() -> None:
    """min ½ · 3 x² + 2 x y + ½ · 4 y² − x at (1, 2): P z = (3 + 4, 2 + 8); without rows the bound is −½ z′P z."""
    program = ConeProgram(
        sparse.csc_array(np.array([[3.0, 2.0], [0.0, 4.0]])),
        np.array([-7.0, -10.0]),
        sparse.csc_array((1, 2)),
        np.zeros(1),
        (Block(Cone.NONNEGATIVE, 1),),
        5.0,
    )
    point = np.array([1.0, 2.0])
    assert program.value(point) == pytest.approx(0.5 * (7.0 + 20.0) - 7.0 - 20.0 + 5.0)
    assert program.bound(point, np.zeros(1)) == pytest.approx(-0.5 * 27.0 + 5.0)


# ---- certificates of infeasibility -----------------------------------------------------------------------


def at_least(level: float) -> ConeProgram:
    """x ≥ level and x ≤ 0 … which is feasible for a level of zero only, with multipliers (1, 1)."""
    return ConeProgram(
        sparse.csc_array((1, 1)),
        np.zeros(1),
        sparse.csc_array(np.array([[-1.0], [1.0]])),
        np.array([-level, 0.0]),
        (Block(Cone.NONNEGATIVE, 2),),
    )


@seed(3)
@given(SEEDS, st.sampled_from([1.0, 10.0, 0.999 * REACH]))
@settings(max_examples=100)
def test_what_has_a_point_within_reach_is_never_refuted(number: int, length: float) -> None:
    random = np.random.default_rng(number)
    program, feasible = drawn(random)
    scaled = feasible * length / np.abs(feasible).sum()
    program = replace(program, right=program.right + program.matrix @ (scaled - feasible))
    for _ in range(5):
        assert not program.refuted_by(program.projected(random.normal(size=9)))


def test_a_certificate_is_exact_or_covers_the_columns_within_reach() -> None:
    assert at_least(1.0).refuted_by(np.ones(2))
    assert not at_least(0.0).refuted_by(np.ones(2))
    assert not at_least(1.0).refuted_by(np.zeros(2))
    # A′y = −e leaves every x with |x| ≤ 1 / e unrefuted or not: 1 / e must reach further than `REACH`.
    assert at_least(1.0).refuted_by(np.array([1.0, 1.0 - 0.9 / REACH]))
    assert not at_least(1.0).refuted_by(np.array([1.0, 1.0 - 1.1 / REACH]))


def test_a_point_at_the_end_of_reach_is_not_refuted() -> None:
    """x ≥ REACH alone: its multiplier says that no x below it will do, and x itself lies within reach."""
    program = replace(
        at_least(REACH),
        matrix=sparse.csc_array(-np.ones((1, 1))),
        right=-np.ones(1) * REACH,
        blocks=(Block(Cone.NONNEGATIVE, 1),),
    )
    assert not program.refuted_by(np.ones(1))
    assert replace(program, right=-np.ones(1) * 1.001 * REACH).refuted_by(np.ones(1))


# ---- the rules named in a conflict -----------------------------------------------------------------------


def share(name: str, row: list[float], sense: Sense, right: float) -> Term:
    source = Source("user")
    return Term(name, label(name), Linear.of(row), sense, np.array([right]), np.array([100.0]), "share", source)


def test_where_a_conflict_can_do_without_the_budget_it_is_not_named() -> None:
    """Two conflicts: 60 and 50 of the 100 there are, and a floor above its ceiling, which the reader can change."""
    base = build_model(space_of([40.0, 30.0, 30.0]), np.array([0.02, 0.03, 0.05]), None)
    rules = (
        share("least", [0, 0, 1], Sense.AT_LEAST, 20.0),
        share("most", [0, 0, 1], Sense.AT_MOST, 10.0),
        share("floor_a", [1, 0, 0], Sense.AT_LEAST, 60.0),
        share("floor_b", [0, 1, 0], Sense.AT_LEAST, 50.0),
    )
    for order in (rules, rules[::-1]):
        found = find_conflicts(replace(base, terms=(*base.terms, *order)), SolveSettings())
        assert {conflict.rule.name for conflict in found} == {"least", "most"}


def test_each_rule_left_is_needed_for_the_conflict() -> None:
    """Without any one of them the others can hold: seen by solving them."""
    base = trap()
    rules = (
        share("equity", [0, 0, 1], Sense.AT_LEAST, 60.0),
        share("bonds", [1, 1, 0], Sense.AT_LEAST, 30.0),
        share("idle", [1, 0, 0], Sense.AT_MOST, 90.0),
    )
    model = replace(base, terms=(*base.terms, *rules))
    named = {conflict.rule.name for conflict in find_conflicts(model, SolveSettings())}
    assert "comprehensive" in named and "equity" in named and "idle" not in named
    for name in named:
        rest = replace(
            model,
            terms=tuple(term for term in model.terms if term.name in named - {name}),
            capital_limits=tuple(limit for limit in model.capital_limits if limit.name in named - {name}),
            space=replace(model.space, upper=np.full(3, 1e3)),
        )
        assert solve(rest, SolveSettings()).holdings is not None


# ---- what was computed once ------------------------------------------------------------------------------


def test_amounts_that_are_kept_cannot_be_altered() -> None:
    tree = trap().tree
    assert tree is not None
    held = np.array([30.0, 30.0, 40.0])
    amounts = tree.amounts(held)
    with pytest.raises(ValueError, match="read-only"):
        amounts[-1] = 0.0
    assert tree.amounts(held) is amounts
    with pytest.raises(ValueError, match="read-only"):
        amounts *= 2.0


def test_amounts_that_are_kept_are_those_of_the_point_and_of_the_charges() -> None:
    tree = trap().tree
    assert tree is not None
    held = np.array([30.0, 30.0, 40.0])
    before = tree.value(held)
    doubled = tree.charging(sparse.csr_array(2.0 * tree.coefficients))
    assert doubled.value(held) == pytest.approx(2.0 * before)
    assert tree.value(held) == before
    held *= 2.0
    assert tree.value(held) == pytest.approx(2.0 * before)


# ---- verification ----------------------------------------------------------------------------------------


def charged(factor: float = 1.0) -> CapitalTree:
    """Capital of ``factor`` per CNY of the second row."""
    return CapitalTree(Leaf("root", label("root"), row=0), sparse.csr_array([[0.0, factor]]), np.zeros(1))


def plain(**changes: object) -> Model:
    """Two rows of 50, capital 50 of 100 there is: a ratio of two, as required."""
    limit = CapitalLimit("comprehensive", label("ratio"), "root", 2.0, 100.0)
    base = build_model(space_of([50.0, 50.0]), np.array([0.02, 0.06]), charged(), (limit,))
    return replace(base, **changes)  # type: ignore[arg-type]


HELD = np.array([50.0, 50.0])


@pytest.mark.parametrize(("off", "refused"), [(0.0, False), (0.4e-7, False), (2e-7, True), (1e-6, True), (1e-3, True)])
def test_capital_that_misses_the_ratio_by_a_millionth_is_refused(off: float, refused: bool) -> None:
    if refused:
        with pytest.raises(VerificationError, match=r"capital\[comprehensive\]"):
            verify(plain(), HELD, charged(1.0 + off))
    else:
        assert verify(plain(), HELD, charged(1.0 + off)).passed
    # Less capital than the ratio allows is no miss.
    assert verify(plain(), HELD, charged(1.0 - off)).passed


@pytest.mark.parametrize("off", [1e-6, -1e-6, 1e-3])
@pytest.mark.parametrize("per_capital", [False, True])
def test_a_capital_figure_off_by_a_millionth_is_refused(off: float, per_capital: bool) -> None:
    """The objective is the capital, in money, or what is earned on it: the claim must be the recomputed figure."""
    earned = Linear.of(np.array([0.02, 0.06]))
    model = plain(objective=(), capital_weight=1.0)
    right = -50.0
    if per_capital:
        base = plain()
        model, right = replace(base, objective=(replace(base.objective[0], expression=earned),), per_capital=True), 0.08
    assert verify(model, HELD, charged(), right).passed
    with pytest.raises(VerificationError, match="objective"):
        verify(model, HELD, charged(), right * (1.0 + off) if not per_capital else right + off)
    # The same claim over a tree that charges otherwise is another figure.
    with pytest.raises(VerificationError):
        verify(model, HELD, charged(1.0 - 1e-4), right)


@pytest.mark.parametrize("miss", [1e-6, -1e-6])
def test_bounds_and_budgets_missed_by_a_millionth_are_refused(miss: float) -> None:
    model = plain(capital_limits=(), tree=None)
    tight = replace(model.space, lower=HELD.copy(), upper=HELD.copy())
    assert verify(replace(model, space=tight), HELD).passed
    moved = HELD + miss * 100.0 * np.array([1.0, -1.0])
    with pytest.raises(VerificationError, match="bounds"):
        verify(replace(model, space=tight, terms=()), moved)
    with pytest.raises(VerificationError, match="budget"):
        verify(model, HELD + miss * 100.0 * np.array([1.0, 0.0]))
    assert verify(replace(model, terms=budgets(model.space)), HELD).passed


@pytest.mark.parametrize(("weight", "room"), [(1.0, 96.0), (0.5, 98.0), (0.0, 100.0)])
def test_what_trading_costs_is_no_longer_capital(weight: float, room: float) -> None:
    """20 are bought and 20 sold at 0.1 each: 4 of 100, or the part of it that the limit counts, is gone."""
    model = plain(cost=TradeCost(np.full(2, 0.1), np.full(2, 0.1), np.zeros(2), HELD))
    moved = np.array([30.0, 70.0])
    limit = replace(model.capital_limits[0], cost_weight=weight)
    assert limit.slack(70.0, 4.0) == pytest.approx(room - 140.0)
    just, more = (replace(limit, multiplier=room / 70.0 * (1.0 + off)) for off in (0.0, 1e-6))
    assert verify(replace(model, capital_limits=(just,)), moved).passed
    assert just.holds(70.0, 4.0) and not more.holds(70.0, 4.0)
    with pytest.raises(VerificationError, match=r"capital\[comprehensive\]"):
        verify(replace(model, capital_limits=(more,)), moved)


def test_an_amount_that_is_no_number_lies_outside_its_bounds() -> None:
    """Where no rule speaks of the row, too."""
    free = plain(terms=(), capital_limits=(), tree=None)
    with pytest.raises(VerificationError, match=r"bounds\[a1"):
        verify(free, np.array([50.0, np.nan]))


def test_of_many_misses_the_ten_worst_are_named() -> None:
    """Row k of fifteen misses by k per cent."""
    rows = tuple(str(k) for k in range(1, 16))
    left = Linear.of(np.tile([1.0, 0.0], (15, 1)))
    right = 50.0 - np.arange(1.0, 16.0)
    per, source = np.full(15, 100.0), Source("user")
    term = Term("many", label("many"), left, Sense.AT_MOST, right, per, "share", source, rows=rows)
    with pytest.raises(VerificationError) as caught:
        verify(plain(terms=(term,), capital_limits=(), tree=None), HELD)
    assert [problem.where for problem in caught.value.problems] == [f"many[{k}]" for k in range(15, 5, -1)]
