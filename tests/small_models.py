"""Models small enough to work by hand."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from allocator.capital import Aggregate, CapitalTree, Leaf, Maximum, correlation_matrix
from allocator.model import CapitalLimit, Model, Space
from tests.books import build_model, label

__all__ = ["space_of", "trap"]


def space_of(current: list[float], upper: list[float] | None = None, account: list[str] | None = None) -> Space:
    size = len(current)
    return Space(
        np.array([f"a{i}" for i in range(size)]),
        np.array(account or ["general"] * size),
        np.array(current, dtype=float),
        np.zeros(size),
        np.full(size, np.inf) if upper is None else np.array(upper, dtype=float),
        np.ones(size, dtype=bool),
        np.zeros(size),
        float(sum(current)),
    )


def trap() -> Model:
    """Short liabilities: the rate module is large, and the aggregate falls in it where equity is large.

    v = (rate, equity), ρ = −0.14: sqrt(v′Rv) falls in the rate module while rate < 0.14 equity. A cone that
    holds the module only from below inflates it to 0.14 × equity and saves capital that is not there.
    """
    leaves = sparse.csr_array(np.array([[0.01, 0.0, 0.0], [-0.01, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.35]]))
    names = ("up", "down", "zero", "equity")
    up, down, zero, equity = (Leaf(name, label(name), row=row) for row, name in enumerate(names))
    rate = Maximum("rate", label("rate"), children=(up, down, zero))
    matrix = correlation_matrix(("rate", "equity"), {("rate", "equity"): -0.14})
    root = Aggregate("root", label("root"), children=(rate, equity), correlations=(matrix,))
    tree = CapitalTree(root, leaves, np.zeros(4))
    space = space_of([30.0, 30.0, 40.0])
    limit = CapitalLimit("comprehensive", label("ratio"), "root", 2.0, 35.0)
    return build_model(space, np.array([0.020, 0.022, 0.08]), tree, (limit,))
