"""Functions that share trades and squares stay what they are: the rows' least value is the functions' own."""

from __future__ import annotations

import clarabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from allocator.model import Linear, Quadratic, TradeCost
from allocator.model.combination import Combination
from allocator.solve.program.epigraph_rows import EpigraphRows

SIZE, SCALE = 4, 100.0


def drawn(seed: int) -> tuple[np.ndarray, list[Combination]]:
    """Return holdings and functions of them that trade from the same and from other starts."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0.0, 2.0, SIZE) * SCALE

    def cost(reference: np.ndarray) -> TradeCost:
        return TradeCost(rng.uniform(0, 1, SIZE), rng.choice([0.0, 0.3], SIZE), rng.choice([0.0, 0.7], SIZE), reference)

    specific = rng.choice([0.0, 0.5], SIZE) / SCALE**2
    variance = Quadratic(rng.normal(size=(2, SIZE)) / SCALE, specific, rng.choice([0.0, 1.0], SIZE) * SCALE)
    linear = Linear.of(rng.normal(size=SIZE) / SCALE)
    functions = [
        Combination(((1.0, variance), (0.01, cost(start)))),
        Combination(((0.02, cost(start)), (-1.0, linear))),
        Combination(((0.01, cost(start + rng.choice([0.0, 1.0], SIZE) * SCALE)), (2.0, variance))),
    ]
    return rng.uniform(0.0, 3.0, SIZE) * SCALE, functions


def least(rows: EpigraphRows, held: np.ndarray, column: int | None = None) -> float:
    """Return the least objective, or the least value of a column, at fixed holdings."""
    quadratic, linear, matrix, right, blocks = rows.arrays()
    fixed = sparse.csc_array(sparse.eye_array(SIZE, rows.width))
    if column is not None:
        quadratic, linear = sparse.csc_array(quadratic.shape), np.zeros(rows.width)
        linear[column] = 1.0
    names = {"zero": "ZeroConeT", "nonnegative": "NonnegativeConeT", "second order": "SecondOrderConeT"}
    cones = [clarabel.ZeroConeT(SIZE)] + [getattr(clarabel, names[block.cone.value])(block.size) for block in blocks]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    both, right = sparse.csc_array(sparse.vstack([fixed, matrix])), np.concatenate([held / SCALE, right])
    answer = clarabel.DefaultSolver(sparse.triu(quadratic, format="csc"), linear, both, right, cones, settings).solve()
    assert str(answer.status) == "Solved"
    return float(answer.obj_val) + (0.0 if column is not None else rows.constant)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_shared_columns_change_no_value(seed: int) -> None:
    held, functions = drawn(seed)
    rows = EpigraphRows(SIZE, SCALE)
    for function in functions[:2]:
        found = function.epigraph(1.0)
        assert found is not None
        rows.minimize(found)
    expected = sum(float(function.value(held)[0]) for function in functions[:2])
    assert least(rows, held) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    bounded = functions[2].epigraph(1.0)
    assert bounded is not None
    column = rows.bound(bounded, 1.0)
    assert least(rows, held, column) == pytest.approx(float(functions[2].value(held)[0]), rel=1e-6, abs=1e-6)


def test_one_trade_is_split_once_and_a_square_needs_no_column() -> None:
    start = np.arange(1.0, SIZE + 1)
    fees = TradeCost(np.full(SIZE, 0.1), np.full(SIZE, 0.2), np.zeros(SIZE), start)
    turnover = TradeCost(np.full(SIZE, 0.5), np.full(SIZE, 0.5), np.zeros(SIZE), start)
    rows = EpigraphRows(SIZE, 1.0)
    for function in (fees, turnover, Quadratic(sparse.csr_array((0, SIZE)), np.ones(SIZE))):
        found = function.epigraph(1.0)
        assert found is not None
        rows.minimize(found)
    assert rows.width == 3 * SIZE
    elsewhere = TradeCost(np.full(SIZE, 0.5), np.full(SIZE, 0.5), np.zeros(SIZE), start + np.array([0.0, 0, 0, 1]))
    found = elsewhere.epigraph(1.0)
    assert found is not None
    rows.minimize(found)
    assert rows.width == 3 * SIZE + 2
