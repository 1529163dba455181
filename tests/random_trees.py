"""Random capital trees of every kind of node, and points of the books they stand over.

A tree has three to eight leaves of charges of either sign over five to eight rows in one or two budgets, and up to
seven nodes above them: sums with weights of either sign, maxima, minima, absolute values, aggregates with correlations
of either sign, singular ones too, and aggregates whose matrix a maximum picks. Its limits are wide enough to hold
everywhere, so that whatever is said of points in a box is said of every point of the book. In one of five books
a row stands outside the budgets and has no upper bound.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from allocator.capital import Absolute, Aggregate, CapitalTree, Leaf, Maximum, Minimum, Node, WeightedSum
from allocator.model import CapitalLimit, Model, Space
from tests.books import build_model, label

__all__ = ["correlations", "draw_model", "draw_points", "draw_tree"]

Vector = NDArray[np.float64]


def correlations(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Return a correlation matrix (size, size): of random signs, of none below zero, or a singular one."""
    kind = random.choice(["mixed", "positive", "singular"], p=[0.6, 0.2, 0.2])
    if kind == "singular":
        signs = random.choice([-1.0, 1.0], size)
        return np.outer(signs, signs)
    rows = random.normal(size=(size, size + 1))
    rows = np.abs(rows) if kind == "positive" else rows
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = 0.98 * rows @ rows.T
    found = 0.5 * (found + found.T)
    np.fill_diagonal(found, 1.0)
    return found


def _aggregate(random: np.random.Generator, name: str, below: list[Node]) -> Aggregate:
    picked = next((i for i, child in enumerate(below) if isinstance(child, Maximum)), None)
    if picked is not None and random.random() < 0.5:
        matrices = tuple(correlations(random, len(below)) for _ in below[picked].children)
        return Aggregate(name, label(name), children=tuple(below), correlations=matrices, selector=picked)
    return Aggregate(name, label(name), children=tuple(below), correlations=(correlations(random, len(below)),))


def _node(random: np.random.Generator, name: str, known: list[Node]) -> Node:
    """Return a node over some of ``known``, later ones with preference."""
    kind = random.choice(["sum", "maximum", "minimum", "absolute", "aggregate"], p=[0.2, 0.2, 0.1, 0.1, 0.4])
    chance = np.arange(1.0, len(known) + 1.0) ** 2
    count = 1 if kind == "absolute" else min(int(random.integers(2, 4)), len(known))
    places = random.choice(len(known), count, replace=False, p=chance / chance.sum())
    below = [known[place] for place in places.tolist()]
    if kind == "aggregate":
        return _aggregate(random, name, below)
    if kind == "sum":
        weights = tuple(random.choice([-0.6, 0.5, 1.0], count).tolist())
        return WeightedSum(name, label(name), children=tuple(below), weights=weights)
    plain = {"maximum": Maximum, "minimum": Minimum, "absolute": Absolute}[str(kind)]
    return plain(name, label(name), children=tuple(below))


def draw_tree(random: np.random.Generator, size: int) -> CapitalTree:
    """Return a tree over ``size`` rows; at its root an aggregate of the last nodes."""
    count = int(random.integers(3, 9))
    sign = random.choice([-1.0, 1.0], (count, size), p=[0.2, 0.8])
    charges = sign * random.uniform(0.05, 0.6, (count, size)) * (random.random((count, size)) < 0.5)
    constants = random.choice([0.0, 1.0], count) * random.normal(0.0, 10.0, count)
    if random.random() < 0.3:  # two leaves that are equal everywhere, and two pieces where a maximum takes both
        charges[1], constants[1] = charges[0], constants[0]
    known: list[Node] = [Leaf(f"leaf{row}", label(f"leaf{row}"), row=row) for row in range(count)]
    for number in range(int(random.integers(2, 8))):
        known.append(_node(random, f"node{number}", known))
    tops = [node for node in known if not any(node in other.children for other in known)]
    return CapitalTree(_aggregate(random, "root", tops[-4:]), sparse.csr_array(charges), constants)


def _derivative(random: np.random.Generator, space: Space) -> Space:
    """Return the space with its last row outside the budgets and without an upper bound."""
    last = np.arange(space.size) == space.size - 1
    lower = np.where(last, float(random.choice([-5.0, 0.0])), space.lower)
    upper = np.where(last, np.inf, space.upper)
    return replace(space, funded=~last, lower=lower, upper=upper)


def draw_model(seed: int) -> Model:
    """Return the model of that seed: budgets of 100, bounds, a tree, wide limits on the root and one more node."""
    random = np.random.default_rng(seed)
    size = int(random.integers(5, 9))
    account = np.sort(random.choice(["one", "two"][: int(random.integers(1, 3))], size))
    current = random.uniform(0.2, 1.0, size)
    current *= 100.0 / current.sum()
    upper = np.where(random.random(size) < 0.5, np.inf, current + random.uniform(0.0, 60.0, size))
    lower = np.where(random.random(size) < 0.7, 0.0, 0.5 * current)
    zeros = np.zeros(size)
    names = np.array([f"a{i}" for i in range(size)])
    space = Space(names, account, current, lower, upper, np.ones(size, dtype=bool), zeros, 100.0)
    unbounded = random.random() < 0.2
    space = _derivative(random, space) if unbounded else space
    tree = draw_tree(random, size)
    other = str(random.choice([node.name for node in tree.nodes]))
    limits = (
        CapitalLimit("root", label("root"), "root", 1.5, 1e6),
        CapitalLimit("other", label("other"), other, float(random.choice([-1.0, 1.0])), 1e6),
    )
    # What nothing bounds must cost something.
    expected = np.where(space.funded, random.uniform(0.0, 0.1, size), -1.0)
    model = build_model(space, expected, tree, limits)
    weight = float(random.choice([0.0, 1e-3]))
    return replace(model, capital_weight=weight, capital_module="root" if weight else "")


def draw_points(model: Model, random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return points (count, n) inside bounds and budgets: corners of the book, and mixtures of three of them."""
    space = model.space
    accounts = list(space.accounts().values())
    rows = np.zeros((len(accounts), space.size))
    for place, members in enumerate(accounts):
        rows[place, members] = 1.0
    sides = np.stack([space.lower, np.minimum(space.upper, 300.0)], axis=1)
    corners = np.array(
        [
            linprog(random.normal(size=space.size), A_eq=rows, b_eq=rows @ space.current, bounds=sides).x
            for _ in range(count)
        ]
    )
    shares = random.dirichlet(np.ones(3), count)
    chosen = corners[random.integers(0, count, (count, 3))]
    return np.where(np.arange(count)[:, None] % 2 == 0, corners, np.einsum("ij,ijk->ik", shares, chosen))
