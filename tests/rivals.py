"""What the optimizer is measured against: the naive cone, and local searches from many starts."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from allocator.capital import Absolute, Aggregate, Leaf, Maximum, Minimum, Node, WeightedSum
from allocator.model import Model

__all__ = ["best_of_local_searches", "naive_answer"]

Vector = NDArray[np.float64]


def naive_answer(model: Model) -> Vector:
    """Return the holdings of the cone that is tempting to write, CNY.

    Every module is held from below only (v ≥ each piece, m ≥ ‖L′v‖). Loss absorption, which that cone cannot
    express, is frozen, and taken anew at each answer, as a careful user of that cone would.
    """
    holdings = model.space.current
    for _ in range(6):
        holdings = _naive_step(model, holdings)
    return holdings


def _naive_step(model: Model, frozen_at: Vector) -> Vector:
    space, tree = model.space, model.tree
    assert tree is not None
    total = space.total
    weights = cp.Variable(space.size)
    leaves = tree.coefficients @ weights + tree.constants / total
    frozen = tree.values(frozen_at)
    rules: list[Any] = [weights >= space.lower / total, weights <= space.upper / total]

    def module(node: Node) -> Any:
        if isinstance(node, Leaf):
            return leaves[node.row]
        if isinstance(node, Minimum):
            return frozen[node.name] / total
        below = [module(child) for child in node.children]
        if isinstance(node, WeightedSum):
            return sum(weight * part for weight, part in zip(node.weights, below, strict=True))
        value = cp.Variable()
        if isinstance(node, Maximum):
            rules.extend(value >= part for part in below)
        elif isinstance(node, Absolute):
            rules.extend([value >= below[0], value >= -below[0]])
        else:
            assert isinstance(node, Aggregate)
            rules.append(cp.norm(np.linalg.cholesky(node.correlations[0]).T @ cp.hstack(below)) <= value)
        return value

    (limit,) = model.capital_limits
    root = module(tree.node(limit.module))
    rules.append(limit.multiplier * root <= limit.available / total)
    for term in model.terms:
        linear = term.left.affine()
        assert linear is not None
        rules.append(linear.matrix @ weights == (term.right - linear.constant) / total)
    gain = _slope(model)
    problem = cp.Problem(cp.Maximize(gain @ weights), rules)
    problem.solve(solver=cp.CLARABEL)
    return np.asarray(weights.value) * total


def best_of_local_searches(model: Model, starts: int, seed: int = 0) -> float:
    """Return the best objective of SLSQP from random starts on the exact capital with its gradient.

    A start that ends outside the promise by more than 1e-7 of ratio, or outside a budget by more than 1e-7
    of the total, does not count; −inf when none ends inside.
    """
    space, tree = model.space, model.tree
    assert tree is not None
    (limit,) = model.capital_limits
    total, gain = space.total, _slope(model)
    linear = [term.left.affine() for term in model.terms]
    rows = np.vstack([part.matrix.toarray() for part in linear if part is not None])
    right = np.concatenate([term.right for term in model.terms]) / total
    random = np.random.default_rng(seed)
    best = -np.inf
    for _ in range(starts):
        result = minimize(
            lambda weights: -gain @ weights,
            _random_start(model, random) / total,
            jac=lambda weights: -gain,
            bounds=list(zip(space.lower / total, space.upper / total, strict=True)),
            constraints=[
                {"type": "eq", "fun": lambda weights: rows @ weights - right, "jac": lambda weights: rows},
                {
                    "type": "ineq",
                    "fun": lambda weights: (limit.available - limit.multiplier * tree.value(weights * total)) / total,
                    "jac": lambda weights: -limit.multiplier * tree.gradient(weights * total),
                },
            ],
            method="SLSQP",
            options={"maxiter": 200, "ftol": 1e-10},
        )
        weights = np.clip(result.x, space.lower / total, space.upper / total)
        inside = np.abs(rows @ weights - right).max() <= 1e-7
        if inside and limit.holds(tree.value(weights * total), 0.0):
            best = max(best, float(gain @ weights))
    return best


def _slope(model: Model) -> Vector:
    return np.asarray(model.objective[0].expression.gradient(model.space.current).toarray()[0] * model.space.total)


def _random_start(model: Model, random: np.random.Generator) -> Vector:
    """Return a random book that meets every budget, and every bound as far as rescaling keeps them."""
    space = model.space
    point = random.gamma(0.7, size=space.size) * space.total
    for rows in space.accounts().values():
        for _ in range(20):
            point[rows] = np.clip(point[rows] * space.current[rows].sum() / point[rows].sum(), 0, space.upper[rows])
    return point
