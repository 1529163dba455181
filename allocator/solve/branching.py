"""Where to split a node of the search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.capital.nodes import Aggregate
from allocator.solve.boxes import Box, Branch
from allocator.solve.envelope import Norm
from allocator.solve.formulation import Assembled, Formulation
from allocator.solve.program import Answer

__all__ = ["split"]

Vector = NDArray[np.float64]

HONEST = 1e-10
"""A lie, in the program's money, that is rounding."""

INWARD = 0.3
"""How far a split point is moved from the relaxed value towards the interval's middle."""


@dataclass(frozen=True, slots=True)
class _Lie:
    """A node whose column differs from its true value: ``cost`` is the difference at the price of its row."""

    position: int
    cost: float
    size: float


def split(formulation: Formulation, box: Box | None, assembled: Assembled, answer: Answer) -> list[Branch]:
    """Return the branches of a node; none when its relaxation tells the truth everywhere."""
    form, relaxed = formulation.form, assembled.relaxed
    if form is None or box is None or relaxed is None:
        return []
    values = {position: function.value(answer.primal) for position, function in relaxed.functions.items()}
    undecided = _undecided_selector(formulation, box, values)
    if undecided is not None:
        return [box.branch.decided(undecided, (piece,)) for piece in box.allowed[undecided]]
    lies = []
    for position, rows in relaxed.loose.items():
        truth = _truth(formulation, box, position, values)
        size = abs(values[position] - truth)
        price = float(np.abs(answer.dual[assembled.first + np.array(rows)]).sum())
        if size > HONEST:
            lies.append(_Lie(position, price * size, size))
    for lie in sorted(lies, key=lambda lie: (-lie.cost, -lie.size, lie.position)):
        if lie.position in form.pieces:
            allowed = box.allowed[lie.position]
            if len(allowed) > 1:
                return [box.branch.decided(lie.position, (piece,)) for piece in allowed]
        else:
            branches = _split_norm(box, formulation.sides.norms[lie.position], values)
            if branches:
                return branches
    return []


def _truth(formulation: Formulation, box: Box, position: int, values: dict[int, float]) -> float:
    form = formulation.form
    assert form is not None
    if position in form.pieces:
        pieces = form.pieces[position]
        signed = [
            pieces.sign * weight * values[child] for weight, child in zip(pieces.weights, pieces.children, strict=True)
        ]
        return pieces.sign * max(signed)
    norm = formulation.sides.norms[position]
    point = np.array([[values[argument] for argument in norm.arguments]])
    return float(norm.values(point, box.allowed)[0])


def _undecided_selector(formulation: Formulation, box: Box, values: dict[int, float]) -> int | None:
    """Return the selector of an aggregate that is under-estimated because its matrix is still open."""
    form = formulation.form
    assert form is not None
    for position, selector in form.selected.items():
        if position not in values or selector not in values or len(box.allowed[selector]) < 2:
            continue
        below = np.array([values[child] for child in form.children[position]])
        matrices = form.matrices(position, box.allowed[selector])
        if values[position] < max(Aggregate.value_with(below, matrix) for matrix in matrices) - HONEST:
            return selector
    return None


def _split_norm(box: Box, norm: Norm, values: dict[int, float]) -> list[Branch]:
    """Split the interval along which the chord of the aggregate lies furthest above it at the relaxed point."""
    arguments = np.array(norm.arguments)
    lower, upper = box.lower[arguments], box.upper[arguments]
    point = np.clip([values[argument] for argument in norm.arguments], lower, upper)
    count = len(arguments)
    ends = np.tile(point, (2 * count + 1, 1))
    ends[np.arange(count), np.arange(count)] = lower
    ends[count + np.arange(count), np.arange(count)] = upper
    heights = norm.values(ends, box.allowed)
    width = upper - lower
    open_ = width > HONEST
    share = np.where(open_, (point - lower) / np.where(open_, width, 1.0), 0.0)
    excess = np.where(open_, (1 - share) * heights[:count] + share * heights[count:-1] - heights[-1], 0.0)
    if excess.max(initial=0.0) <= 0.0:
        excess = np.where(open_, width, 0.0)
    chosen = int(np.argmax(excess))
    if not open_[chosen]:
        return []
    low, high = float(lower[chosen]), float(upper[chosen])
    at = (1 - INWARD) * float(point[chosen]) + INWARD * 0.5 * (low + high)
    position = int(arguments[chosen])
    return [box.branch.narrowed(position, (low, at)), box.branch.narrowed(position, (at, high))]
