"""Universes of any size under solvency: budgets, sparse rules, six risk modules under one correlated aggregate."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from allocator.capital import Aggregate, CapitalTree, Leaf, correlation_matrix
from allocator.model import CapitalLimit, Linear, Model, ObjectiveTerm, Sense, Space, Term, TradeCost
from allocator.types import Source, Text

__all__ = ["MODULES", "universe"]

MODULES = ("rate", "equity", "property", "overseas", "spread", "default")
CORRELATIONS = {
    ("rate", "equity"): 0.05,
    ("rate", "spread"): 0.10,
    ("equity", "property"): 0.22,
    ("equity", "overseas"): 0.50,
    ("equity", "spread"): 0.35,
    ("property", "overseas"): 0.19,
    ("spread", "default"): 0.25,
}
ACCOUNTS = ("traditional", "participating", "universal", "shareholder")
RULES = 26
"""Sparse rules beside one budget for each account: thirty shared rows."""

OWN = Source("house")


def universe(size: int, seed: int = 0, *, cost: float = 0.0) -> Model:
    """Return a model of ``size`` instruments that are charged for one or two modules each.

    A module's charge grows with what an instrument is expected to earn, so that capital is worth something;
    holdings start at random, no instrument may exceed twenty times its even share, and the capital available
    is that of the present holdings.
    """
    rng = np.random.default_rng(seed)
    module = rng.integers(0, len(MODULES), size)
    charge = rng.uniform(0.02, 0.35, size)
    rows, columns = [module, (module + 1) % len(MODULES)], [np.arange(size)] * 2
    second = np.where(rng.random(size) < 0.3, 0.2 * charge, 0.0)
    charges = sparse.csr_array(
        (np.concatenate([charge, second]), (np.concatenate(rows), np.concatenate(columns))), (len(MODULES), size)
    )
    charges.eliminate_zeros()
    current = rng.dirichlet(np.full(4, 8.0)).repeat(-(-size // 4))[:size] * rng.uniform(0.5, 1.5, size)
    current *= 1e10 / current.sum()
    account = np.array(ACCOUNTS)[np.arange(size) * len(ACCOUNTS) // size]
    expected = 0.015 + 0.18 * charge * rng.uniform(0.5, 1.2, size) + rng.normal(0.0, 0.004, size)
    space = Space(
        np.char.add("I", np.arange(size).astype(str)),
        account,
        current,
        np.zeros(size),
        np.full(size, 20.0 * 1e10 / size),
        np.ones(size, dtype=bool),
        np.full(size, cost),
        float(current.sum()),
    )
    tree = _tree(charges, float(0.02 * current.sum()))
    terms = (*_budgets(space), _rules(space, rng))
    objective = [ObjectiveTerm("return", Text("Return", "收益"), Linear.of(expected / space.total))]
    trading = TradeCost(space.linear_cost, space.linear_cost, np.zeros(size), current)
    if cost:
        objective.append(ObjectiveTerm("costs", Text("Costs", "成本"), trading, -1.0 / space.total))
    limit = CapitalLimit("comprehensive", Text("Ratio", "充足率"), "root", 2.0, 2.0 * tree.value(current))
    return Model(space, tuple(objective), terms, trading, tree, (limit,))


def _tree(charges: sparse.csr_array, constant: float) -> CapitalTree:
    leaves = tuple(Leaf(name, Text(name, name), row=row) for row, name in enumerate(MODULES))
    matrix = correlation_matrix(MODULES, CORRELATIONS)
    root = Aggregate("root", Text("Capital", "资本"), children=leaves, correlations=(matrix,))
    return CapitalTree(root, charges, np.full(len(MODULES), constant))


def _budgets(space: Space) -> list[Term]:
    terms = []
    for name, rows in space.accounts().items():
        left = sparse.csr_array((np.ones(len(rows)), (np.zeros(len(rows), dtype=int), rows)), shape=(1, space.size))
        right, per = np.array([float(space.current[rows].sum())]), np.array([space.total])
        label = Text(f"Budget {name}", f"预算 {name}")
        terms.append(Term(f"budget[{name}]", label, Linear(left, np.zeros(1)), Sense.EQUAL, right, per, "share", OWN))
    return terms


def _rules(space: Space, rng: np.random.Generator) -> Term:
    """Return limits on random twentieths of the universe, each a little above what is held there now."""
    parts = [rng.choice(space.size, max(space.size // 20, 1), replace=False) for _ in range(RULES)]
    rows = np.repeat(np.arange(RULES), [len(part) for part in parts])
    left = sparse.csr_array((np.ones(len(rows)), (rows, np.concatenate(parts))), shape=(RULES, space.size))
    return Term(
        "groups",
        Text("Groups", "分组"),
        Linear(left, np.zeros(RULES)),
        Sense.AT_MOST,
        np.asarray(left @ space.current) * 1.2,
        np.full(RULES, space.total),
        "share",
        OWN,
        rows=tuple(str(row) for row in range(RULES)),
    )
