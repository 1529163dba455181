"""The highest value of a linear function over bounds and budgets, against a linear program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from allocator.model import Linear, Model, Sense, Term, TradeCost
from allocator.solve.relaxation.boxes import Knapsack
from allocator.types import Source
from tests.books import label
from tests.small_models import space_of

SCALE = 10.0


def budget(name: str, row: np.ndarray, sense: Sense, amount: float) -> Term:
    matrix = sparse.csr_array(row.reshape(1, -1))
    left = Linear(matrix, np.zeros(1))
    return Term(name, label(name), left, sense, np.array([amount]), np.array([1.0]), "share", Source("test"))


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_the_highest_value_is_that_of_a_linear_program(seed: int) -> None:
    """One budget that must be spent, one that may be, rows outside both, slopes of both signs and none."""
    random = np.random.default_rng(seed)
    size = int(random.integers(6, 13))
    lower = random.uniform(0.0, 2.0, size)
    upper = lower + random.choice([0.0, 1.0, 7.0], size)
    current = random.uniform(lower, upper)
    rows = np.array([np.where(np.arange(size) % 3 == number, 2.0, 0.0) for number in (0, 1)])
    amounts = rows @ current
    terms = tuple(map(budget, ("spent", "most"), rows, (Sense.EQUAL, Sense.AT_MOST), amounts))
    space = replace(space_of(current.tolist(), upper.tolist()), lower=lower)
    slopes = random.integers(-2, 3, (4, size)).astype(float)
    found = Knapsack(Model(space, (), terms, TradeCost(*np.zeros((3, size)), current)), SCALE).highest(slopes)
    for slope, highest in zip(slopes, found, strict=True):
        answer = linprog(-slope, rows[1:], amounts[1:], rows[:1], amounts[:1], np.stack([lower, upper], axis=1))
        assert highest * SCALE == pytest.approx(-answer.fun, abs=1e-7)


@pytest.mark.parametrize(("sense", "least"), [(Sense.EQUAL, 5.0), (Sense.AT_MOST, 1.0)])
def test_a_budget_of_one_row_bounds_it(sense: Sense, least: float) -> None:
    """An account that holds a single row: without max it could hold any amount, were it not for the budget of 5."""
    space = replace(space_of([5.0, 95.0], None, ["own", "other"]), lower=np.array([1.0, 0.0]))
    terms = (budget("own", np.array([2.0, 0.0]), sense, 10.0), budget("other", np.array([0.0, 1.0]), sense, 95.0))
    knapsack = Knapsack(Model(space, (), terms, TradeCost(*np.zeros((3, 2)), space.current)), SCALE)
    assert knapsack.highest(np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 1.0]])) * SCALE == pytest.approx(
        [5.0, -least, 100.0]
    )
