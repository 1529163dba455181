"""The capital tree against hand-worked modules, and the laws that every tree keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from allocator.capital import (
    Absolute,
    Aggregate,
    CapitalTree,
    Leaf,
    Maximum,
    Memorandum,
    Minimum,
    Node,
    WeightedSum,
    correlation_matrix,
)
from allocator.types import Text

ROWS = 5
SIGNED = np.array([[1.0, -0.14, 0.07], [-0.14, 1.0, 0.22], [0.07, 0.22, 1.0]])
POSITIVE = np.array([[1.0, 0.3, 0.15], [0.3, 1.0, 0.35], [0.15, 0.35, 1.0]])


def label(name: str) -> Text:
    return Text(name, name)


def leaf(name: str, row: int) -> Leaf:
    return Leaf(name, label(name), row=row)


def solvency(correlation: np.ndarray) -> Node:
    """A tree with every kind of node: rate, currency, a further module, an absorption, two scales."""
    rate = Maximum("rate", label("rate"), "A", (leaf("up", 0), leaf("down", 1), leaf("zero", 2)))
    currency = Absolute("currency", label("currency"), "B", (leaf("position", 3),))
    equity = leaf("equity", 4)
    market = Aggregate("market", label("market"), "C", (rate, currency, equity), correlations=(correlation,))
    pool = Aggregate("pool", label("pool"), "", (equity, leaf("credit", 5)), correlations=(POSITIVE[:2, :2],))
    cap = leaf("cap", 6)
    pieces = (
        WeightedSum("half", label("half"), "", (pool,), shown=False, weights=(0.5,)),
        WeightedSum("flat", label("flat"), "", (pool, cap), shown=False, weights=(0.02, 0.22)),
    )
    absorbed = Minimum("absorbed", label("absorbed"), "D", (*pieces, cap))
    return WeightedSum("total", label("total"), "E", (market, absorbed), weights=(0.95, -0.95))


def tree(seed: int, correlation: np.ndarray = SIGNED) -> CapitalTree:
    generator = np.random.default_rng(seed)
    coefficients = generator.normal(size=(7, ROWS))
    coefficients[4:6] = np.abs(coefficients[4:6])
    coefficients[[2, 6]] = 0.0
    constants = generator.normal(size=7) * 3
    constants[[2, 4, 5]] = 0.0
    constants[6] = abs(constants[6])
    return CapitalTree(solvency(correlation), sparse.csr_array(coefficients), constants)


HOLDINGS = st.lists(st.floats(0.0, 50.0), min_size=ROWS, max_size=ROWS).map(np.array)
SEEDS = st.integers(0, 10_000)


def test_each_node_by_hand() -> None:
    capital = CapitalTree(
        solvency(SIGNED),
        sparse.csr_array(np.array([[1.0], [-2.0], [0.0], [1.0], [1.0], [2.0], [0.0]])),
        np.array([0.0, 10.0, 0.0, -7.0, 0.0, 0.0, 4.0]),
    )
    values = capital.values(np.array([3.0]))
    # up 3, down 10 − 6 = 4, so rate 4; |3 − 7| = 4; equity 3; credit 6; pool² = 9 + 36 + 2·0.3·18.
    assert (values["rate"], values["currency"], values["equity"]) == (4.0, 4.0, 3.0)
    assert values["market"] == pytest.approx(np.sqrt(16 + 16 + 9 + 2 * (-0.14 * 16 + 0.07 * 12 + 0.22 * 12)))
    pool = np.sqrt(9 + 36 + 10.8)
    assert values["pool"] == pytest.approx(pool)
    assert values["absorbed"] == pytest.approx(min(0.5 * pool, 0.02 * pool + 0.88, 4.0))
    assert capital.value(np.array([3.0])) == pytest.approx(0.95 * (values["market"] - values["absorbed"]))


@given(SEEDS, HOLDINGS)
def test_assets_and_constants_add_up_to_the_total(seed: int, holdings: np.ndarray) -> None:
    share = tree(seed).attribute(holdings)
    assert share.contribution.sum() + share.constants == pytest.approx(share.total, rel=1e-9, abs=1e-9)
    assert share.total == tree(seed).value(holdings)


@settings(deadline=None)
@given(SEEDS, HOLDINGS, st.integers(0, ROWS - 1))
def test_the_gradient_is_the_slope_between_two_near_points(seed: int, holdings: np.ndarray, row: int) -> None:
    capital, step = tree(seed), 1e-5
    above, below = holdings + step * np.eye(ROWS)[row], holdings - step * np.eye(ROWS)[row]
    ends = capital.gradient(above)[row], capital.gradient(below)[row]
    assume(abs(ends[0] - ends[1]) < 1e-3)  # no kink between them
    assert capital.gradient(holdings)[row] == pytest.approx(
        (capital.value(above) - capital.value(below)) / (2 * step), abs=1e-3
    )


@given(SEEDS, HOLDINGS, st.floats(0.01, 100.0))
def test_capital_scales_with_all_money(seed: int, holdings: np.ndarray, factor: float) -> None:
    capital = tree(seed)
    scaled = CapitalTree(capital.root, capital.coefficients, capital.constants * factor)
    assert scaled.value(holdings * factor) == pytest.approx(factor * capital.value(holdings), rel=1e-9, abs=1e-9)


@given(SEEDS, HOLDINGS, st.permutations(range(ROWS)))
def test_the_order_of_rows_does_not_matter(seed: int, holdings: np.ndarray, order: list[int]) -> None:
    capital = tree(seed)
    moved = CapitalTree(capital.root, sparse.csr_array(capital.coefficients.toarray()[:, order]), capital.constants)
    assert moved.value(holdings[order]) == pytest.approx(capital.value(holdings), rel=1e-12, abs=1e-12)
    assert moved.gradient(holdings[order]) == pytest.approx(capital.gradient(holdings)[order], rel=1e-9, abs=1e-12)


@given(SEEDS, HOLDINGS, HOLDINGS)
def test_an_aggregate_with_positive_correlations_is_subadditive(seed: int, one: np.ndarray, two: np.ndarray) -> None:
    capital = tree(seed, POSITIVE)
    only_assets = CapitalTree(capital.node("market"), capital.coefficients, np.zeros(7))
    together = only_assets.value(one + two)
    assert together <= only_assets.value(one) + only_assets.value(two) + 1e-9 * (1 + together)


def test_a_point_changed_in_place_is_another_point() -> None:
    capital, holdings = tree(3), np.full(ROWS, 10.0)
    before = capital.value(holdings)
    holdings *= 2.0
    assert capital.value(holdings) == tree(3).value(np.full(ROWS, 20.0)) != before


def test_at_a_kink_the_first_piece_counts() -> None:
    rate = Maximum("rate", label("rate"), "", (leaf("up", 0), leaf("down", 1), leaf("zero", 2)))
    capital = CapitalTree(rate, sparse.csr_array(np.array([[1.0], [-1.0], [0.0]])), np.zeros(3))
    assert capital.gradient(np.array([0.0])).tolist() == [1.0]


def test_an_aggregate_of_nothing_is_zero_with_zero_slope() -> None:
    market = Aggregate("market", label("m"), "", tuple(leaf(f"l{n}", n) for n in range(3)), correlations=(SIGNED,))
    capital = CapitalTree(market, sparse.csr_array(np.ones((3, 1))), np.zeros(3))
    assert (capital.value(np.zeros(1)), capital.gradient(np.zeros(1)).tolist()) == (0.0, [0.0])


def test_a_selector_picks_the_correlations_of_the_piece_that_binds() -> None:
    rate = Maximum("rate", label("rate"), "", (leaf("up", 0), leaf("down", 1)))
    first, second = np.eye(2), np.array([[1.0, 0.5], [0.5, 1.0]])
    market = Aggregate("m", label("m"), "", (rate, leaf("e", 2)), correlations=(first, second), selector=0)
    capital = CapitalTree(market, sparse.csr_array(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])), np.zeros(3))
    assert capital.value(np.array([3.0, 1.0])) == pytest.approx(np.sqrt(9 + 16))
    assert capital.value(np.array([1.0, 3.0])) == pytest.approx(np.sqrt(9 + 16 + 12))


def test_the_table_prints_parents_first_memoranda_last_and_skips_what_is_hidden() -> None:
    base = tree(1)
    parts = (*base.node("market").children, base.node("market"))
    relief = WeightedSum("relief", label("relief"), "C2", parts, weights=(1.0, 1.0, 1.0, -1.0))
    capital = CapitalTree(base.root, base.coefficients, base.constants, (Memorandum(relief, "market"),))
    holdings = np.arange(1.0, ROWS + 1)
    table = capital.table(holdings).set_index("module")
    assert list(table.index[:3]) == ["total", "market", "rate"]
    assert table.loc["relief", "parent"] == "market"
    assert table.loc["pool", "parent"] == "absorbed"
    assert "half" not in table.index
    values = capital.values(holdings)
    parts_sum = values["rate"] + values["currency"] + values["equity"]
    assert table.loc["relief", "amount"] == pytest.approx(parts_sum - values["market"])
    assert capital.value(holdings) == base.value(holdings)
    assert capital.node("relief") is relief
    assert capital.labels["relief"] == label("relief")


def test_what_a_tree_refuses() -> None:
    data = sparse.csr_array(np.ones((2, 1)))
    twice = WeightedSum("t", label("t"), "", (leaf("a", 0), leaf("a", 1)), weights=(1.0, 1.0))
    with pytest.raises(ValueError, match="two modules"):
        CapitalTree(twice, data, np.zeros(2))
    with pytest.raises(ValueError, match="no row 2"):
        CapitalTree(leaf("a", 2), data, np.zeros(2))
    stray = Memorandum(WeightedSum("w", label("w"), "", (leaf("b", 1),), weights=(1.0,)), "a")
    with pytest.raises(ValueError, match="memorandum"):
        CapitalTree(leaf("a", 0), data, np.zeros(2), (stray,))
    with pytest.raises(ValueError, match="symmetric"):
        Aggregate("a", label("a"), "", (leaf("x", 0),), correlations=(np.ones((2, 2)),))
    with pytest.raises(ValueError, match="semidefinite"):
        both = (leaf("x", 0), leaf("y", 1))
        Aggregate("a", label("a"), "", both, correlations=(np.array([[1.0, 2.0], [2.0, 1.0]]),))
    with pytest.raises(ValueError, match="1 correlation matrices"):
        Aggregate("a", label("a"), "", (leaf("x", 0),), correlations=())
    with pytest.raises(ValueError, match="weights"):
        WeightedSum("w", label("w"), "", (leaf("x", 0),), weights=())


def test_a_tree_with_other_charges_is_the_one_built_with_them() -> None:
    base, other = tree(1), tree(2)
    holdings = np.linspace(1.0, 2.0, base.coefficients.shape[1])
    charged = base.charging(other.coefficients)
    built = replace(base, coefficients=other.coefficients)
    assert charged.values(holdings) == built.values(holdings) != base.values(holdings)
    name = base.root.name
    assert charged.values(holdings, [name]) == {name: built.value(holdings)}
    with pytest.raises(ValueError, match="1 leaves in place of"):
        base.charging(sparse.csr_array(other.coefficients[[0]]))


def test_correlations_are_named_by_pair() -> None:
    matrix = correlation_matrix(["a", "b", "c"], {("a", "c"): -0.2})
    assert matrix.tolist() == [[1.0, 0.0, -0.2], [0.0, 1.0, 0.0], [-0.2, 0.0, 1.0]]
