"""Local searches on the exact capital: what a good answer must not fall below, by another method altogether."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from allocator import Fund
from allocator.model.regime import Requirement
from allocator.model.terms import Mode, Sense, Term

__all__ = ["complies", "local_best"]

Vector = NDArray[np.float64]

INSIDE = 1e-9
"""By how much a local search keeps its sides, so that what it finds is kept as written."""


def complies(fund: Fund, holdings: Vector) -> bool:
    """Return whether bounds, rules and ratios hold as written, the charges taken at these very holdings."""
    space = fund.space
    inside = bool(np.all(holdings >= space.lower - 1e-3) and np.all(holdings <= space.upper + 1e-3))
    return inside and all(term.holds(holdings) for term in _hard(fund)) and _least_room(fund, holdings) >= 0.0


def local_best(fund: Fund, starts: int, seed: int) -> tuple[float, Vector | None]:
    """Return the best objective that searches from random books reach, and its holdings; −∞ where none complies."""
    space, random = fund.space, np.random.default_rng(seed)
    scale = space.total
    lower, upper = space.lower / scale, np.minimum(space.upper, space.total) / scale
    equal = [term for term in _hard(fund) if term.sense is Sense.EQUAL]
    others = [term for term in _hard(fund) if term.sense is not Sense.EQUAL]

    def headroom(w: Vector) -> Vector:
        return np.append(_sides(others, w * scale), _least_room(fund, w * scale)) - INSIDE

    def slopes(w: Vector) -> Vector:
        return scale * np.vstack([_slopes(others, w * scale), _room_slope(fund, w * scale)])

    constraints = [
        {"type": "eq", "fun": lambda w: _sides(equal, w * scale), "jac": lambda w: scale * _slopes(equal, w * scale)},
        {"type": "ineq", "fun": headroom, "jac": slopes},
    ]
    best, found = -np.inf, None
    for number in range(starts):
        mix = random.dirichlet(np.full(space.size, 0.7)) * space.current.sum() / scale
        start = np.clip(space.current / scale if number == 0 else mix, lower, upper)
        if number % 2:
            start = np.clip(0.5 * (start + space.current / scale), lower, upper)
        answer = minimize(
            lambda w: -_objective(fund, w * scale),
            start,
            method="SLSQP",
            bounds=list(zip(lower, upper, strict=True)),
            constraints=constraints,
            options={"maxiter": 150, "ftol": 1e-10},
        )
        held = np.clip(answer.x, lower, upper) * scale
        if complies(fund, held) and _objective(fund, held) > best:
            best, found = _objective(fund, held), held
    return best, found


def _hard(fund: Fund) -> list[Term]:
    return [term for term in fund.terms if term.mode is Mode.HARD]


def _sides(terms: list[Term], holdings: Vector) -> Vector:
    found = [np.zeros(0)]
    for term in terms:
        left, right = term.shown(holdings)
        found.append(right - left if term.sense is Sense.AT_MOST else left - right)
    return np.concatenate(found)


def _slopes(terms: list[Term], holdings: Vector) -> Vector:
    found = [np.zeros((0, len(holdings)))]
    for term in terms:
        slope = term.left.gradient(holdings).toarray() / np.broadcast_to(term.per, term.right.shape)[:, None]
        found.append(-slope if term.sense is Sense.AT_MOST else slope)
    return np.vstack(found)


def _asked(fund: Fund, holdings: Vector) -> list[Requirement]:
    cost = float(fund.model.cost.value(holdings)[0])
    return [replace(item, capital=item.capital - cost) for item in fund.requirements if item.required is not None]


def _least_room(fund: Fund, holdings: Vector) -> float:
    """Return by how much the worst ratio passes what is required of it."""
    tree, asked = fund.tree_at(holdings), _asked(fund, holdings)
    if tree is None or not asked:
        return np.inf
    minimum = tree.value(holdings)
    return min(item.over(minimum) - item.required for item in asked)  # type: ignore[operator]


def _room_slope(fund: Fund, holdings: Vector) -> Vector:
    """Return the slope of the least room per CNY (n,), what a trade does to the gain of the stock book included."""
    tree, asked = fund.tree_at(holdings), _asked(fund, holdings)
    if tree is None or not asked:
        return np.zeros(len(holdings))
    minimum = tree.value(holdings)
    worst = min(asked, key=lambda item: item.over(minimum) - item.required)  # type: ignore[operator]
    assert fund.regime is not None
    more, _ = fund.regime.marginals(holdings)
    cost = fund.model.cost.gradient(holdings).toarray()[0]
    return np.asarray(-(cost + worst.capital / minimum * more) / minimum)


def _objective(fund: Fund, holdings: Vector) -> float:
    model = fund.model
    tree = fund.tree_at(holdings) if model.capital_weight or model.per_capital else model.tree
    return model.objective_value(holdings, tree)
