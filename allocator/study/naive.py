"""The cone that is tempting to write for a solvency formula, to be measured against and never to be trusted.

Every module is held from below only: v ≥ each piece of a maximum, m ≥ ‖L′v‖ for an aggregate. Since correlations are
negative here and there, the solver inflates modules to shrink the whole, and what it calls compliant is not. Loss
absorption, which such a cone cannot express, is frozen and updated at each solution, as a careful user would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.arrays import Vector
from allocator.capital.nodes import Absolute, Aggregate, Leaf, Maximum, Minimum, Node, WeightedSum
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["naive_answer"]


ROUNDS = 4
"""How often loss absorption is updated."""


def naive_answer(model: Model) -> Vector | None:
    """Return the holdings (n,) that the naive cone calls best, money; None where it has no answer.

    Parameters
    ----------
    model : Model
        Soft terms are left out.
    """
    holdings: Vector | None = None
    frozen = model.space.current
    for _ in range(ROUNDS):
        found = _step(model, frozen)
        if found is None:
            return holdings
        holdings = frozen = found
    return holdings


def _step(model: Model, frozen_at: Vector) -> Vector | None:
    import cvxpy as cp

    space, tree = model.space, model.tree
    total = space.total
    weights = cp.Variable(space.size)
    finite = np.isfinite(space.upper)
    rules: list[Any] = [weights >= space.lower / total]
    if finite.any():
        rules.append(weights[finite] <= space.upper[finite] / total)
    if tree is not None:
        leaves = (tree.coefficients * total) @ weights + tree.constants
        values = tree.values(frozen_at)
        known: dict[int, Any] = {}
        cost = model.cost.convex(weights, total)
        for limit in model.capital_limits:
            module = _module(tree.node(limit.module), leaves / total, values, total, known, rules)
            spent = limit.multiplier * module + limit.cost_weight * cost / total
            rules.append(spent <= limit.available / total)
    for term in model.terms:
        if term.mode is not Mode.HARD:
            continue
        left, right = term.left.convex(weights, total) / term.per, term.right / term.per
        if term.sense is Sense.EQUAL:
            rules.append(left == right)
        else:
            rules.append(left <= right if term.sense is Sense.AT_MOST else left >= right)
    aim = sum(part.weight * cp.sum(part.expression.convex(weights, total)) for part in model.objective)
    problem = cp.Problem(cp.Maximize(aim), rules)
    try:
        problem.solve(solver=cp.CLARABEL)
    except cp.error.SolverError:
        return None
    return None if weights.value is None else np.clip(np.asarray(weights.value) * total, space.lower, space.upper)


def _module(
    node: Node, leaves: cp.Expression, frozen: dict[str, float], total: float, known: dict[int, Any], rules: list[Any]
) -> Any:
    """Return the node held from below, in units of ``total``; what two nodes share is held once."""
    import cvxpy as cp

    if id(node) in known:
        return known[id(node)]
    if isinstance(node, Leaf):
        found: Any = leaves[node.row]
    elif isinstance(node, Minimum):
        found = frozen[node.name] / total
    else:
        below = [_module(child, leaves, frozen, total, known, rules) for child in node.children]
        if isinstance(node, WeightedSum):
            found = sum(weight * part for weight, part in zip(node.weights, below, strict=True))
        else:
            found = cp.Variable()
            if isinstance(node, Maximum):
                rules.extend(found >= part for part in below)
            elif isinstance(node, Absolute):
                rules.extend([found >= below[0], found >= -below[0]])
            else:
                assert isinstance(node, Aggregate)
                factor = np.linalg.cholesky(node.correlations[0] + 1e-12 * np.eye(len(below)))
                rules.append(cp.norm(factor.T @ cp.hstack(below)) <= found)
    known[id(node)] = found
    return found
