"""Joint trees: every part keeps its own value, and a promise is the ratio it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from allocator.capital import Aggregate, CapitalTree, Leaf, Maximum, WeightedSum, correlation_matrix
from allocator.capital.joined import JOINED, ScenarioTree, StressedRequirement, join_trees, stressed_requirement_name
from allocator.model import Linear, Quadratic
from allocator.model.mapped import Mapped
from allocator.types import Text

LABEL = Text("module", "模块")
amounts = st.lists(st.floats(-50.0, 200.0), min_size=3, max_size=3).map(np.array)


def tree(scale: float) -> CapitalTree:
    """sqrt(v′Rv) of max(up, down) and equity, two holdings, times 0.95."""
    up, down, equity = (Leaf(name, LABEL, row=row) for row, name in enumerate(("up", "down", "equity")))
    rate = Maximum("rate", LABEL, children=(up, down))
    matrix = correlation_matrix(("rate", "equity"), {("rate", "equity"): -0.14})
    market = Aggregate("market", LABEL, children=(rate, equity), correlations=(matrix,))
    root = WeightedSum("minimum", LABEL, children=(market,), weights=(0.95,))
    coefficients = sparse.csr_array(scale * np.array([[-0.1, 0.0], [0.08, 0.0], [0.0, 0.35]]))
    return CapitalTree(root, coefficients, np.array([5.0, -4.0, 1.0]))


MAPPING = sparse.csr_array(np.array([[0.0, 0.9, 0.0], [0.0, 0.0, 0.7]]))
FIRST = sparse.csr_array(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))


@given(amounts)
def test_parts_keep_their_values_and_promises_their_ratio(held: np.ndarray) -> None:  # type: ignore[type-arg]
    gain = np.array([1.0, -0.3, 0.2])
    part = ScenarioTree("later", tree(2.0), MAPPING, (StressedRequirement("comprehensive", 1.8, gain),))
    joint = join_trees([ScenarioTree("now", tree(1.0), FIRST), part])
    values = joint.values(held)
    assert values["now:minimum"] == pytest.approx(tree(1.0).value(FIRST @ held))
    assert values["later:minimum"] == pytest.approx(tree(2.0).value(MAPPING @ held))
    expected = 1.8 * tree(2.0).value(MAPPING @ held) - gain @ held
    assert values[stressed_requirement_name("later", "comprehensive")] == pytest.approx(expected)
    assert joint.value(held) == 0.0


def test_a_first_tree_stays_the_root_and_the_only_one_shown() -> None:
    held = np.array([100.0, 50.0])
    square = sparse.csr_array(np.diag([0.8, 0.5]))
    joint = join_trees(
        [ScenarioTree("crash", tree(1.0), square, (StressedRequirement("core", 1.0, np.zeros(2)),))], tree(1.0)
    )
    assert joint.root.name == JOINED
    assert joint.value(held) == pytest.approx(tree(1.0).value(held))
    assert joint.gradient(held) == pytest.approx(tree(1.0).gradient(held))
    assert joint.table(held)["module"].tolist() == tree(1.0).table(held)["module"].tolist()


@given(amounts)
def test_a_mapped_expression_is_the_inner_one_of_other_holdings(held: np.ndarray) -> None:  # type: ignore[type-arg]
    linear = Mapped(Linear.of([[1.0, 2.0]], 3.0), MAPPING)
    assert linear.value(held) == pytest.approx([0.9 * held[1] + 1.4 * held[2] + 3.0])
    affine = linear.affine()
    assert affine is not None and affine.value(held) == pytest.approx(linear.value(held))
    curved = Mapped(Quadratic(np.array([[1.0, -1.0]]), np.array([0.5, 0.0])), MAPPING)
    first, second = 0.9 * held[1], 0.7 * held[2]
    assert curved.value(held) == pytest.approx([(first - second) ** 2 + 0.5 * first**2])
    step = 1e-4
    slopes = [
        (curved.value(held + step * unit)[0] - curved.value(held - step * unit)[0]) / (2 * step) for unit in np.eye(3)
    ]
    assert curved.gradient(held).toarray().ravel() == pytest.approx(slopes, abs=1e-4)
