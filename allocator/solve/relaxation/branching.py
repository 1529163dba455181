"""Where to split a node of the search."""

from __future__ import annotations

import numpy as np

from allocator.capital.nodes import Aggregate
from allocator.solve.program.program import SolverResult
from allocator.solve.relaxation.boxes import Box, Branch
from allocator.solve.relaxation.envelope import Norm
from allocator.solve.relaxation.formulation import Assembled, Formulation
from allocator.solve.relaxation.indexed_tree import IndexedTree

__all__ = ["split"]


ERROR_TOLERANCE = 1e-10
"""A lie, in the program's money, that is rounding."""

INWARD = 0.3
"""How far a split point is moved from the relaxed value towards the interval's middle."""


def split(formulation: Formulation, box: Box | None, assembled: Assembled, answer: SolverResult) -> list[Branch]:
    """Return the branches of a node; none when its relaxation tells the truth everywhere.

    A node of the tree whose column is not its true value lies. What the lie is worth: the change of the
    limited modules, at their multipliers, when this one node told the truth.

    Parameters
    ----------
    formulation : Formulation
        Of the model.
    box : Box or None
        The node's box; None without a tree.
    assembled : Assembled
        The node's relaxation.
    answer : SolverResult
        Its answer.
    """
    form = formulation.form
    if form is None or box is None:
        return []
    primal = answer.primal.tolist()
    values = {position: function.value(primal) for position, function in assembled.functions.items()}
    undecided = _undecided_selector(form, box, values)
    if undecided is not None:
        return [box.branch.decided(undecided, (piece,)) for piece in box.allowed[undecided]]
    prices = formulation.module_prices(assembled, answer)
    for position in range(len(form.nodes)):
        # Aggregates that were looked through have no column: they are what their modules make of them.
        if position not in values and all(child in values for child in form.children[position]):
            values[position] = form.value_at(position, values) if form.children[position] else 0.0
    relaxation_error = []
    at_values: dict[int, float] = {}
    for position in assembled.relaxed_nodes:
        truth = _truth(formulation, box, position, values)
        size = abs(values[position] - truth)
        if size > ERROR_TOLERANCE:
            relaxation_error.append((-_worth(form, position, truth, values, prices, at_values), -size, position))
    for _, _, position in sorted(relaxation_error):
        if position in form.pieces:
            return [box.branch.decided(position, (piece,)) for piece in box.allowed[position]]
        branches = _split_norm(box, formulation.sides.norms[position], values)
        if branches:
            return branches
    return []


def _worth(
    form: IndexedTree,
    position: int,
    truth: float,
    values: dict[int, float],
    prices: dict[int, float],
    at_values: dict[int, float],
) -> float:
    """Return the price of the change above ``position`` when it takes its true value, all other lies kept.

    ``at_values`` remembers what nodes make of ``values``, from lie to lie.
    """
    told = {**values, position: truth}
    changed = {position}
    for other in form.ancestors[position]:
        if other in values and changed.intersection(form.children[other]):
            # A column that is held loosely keeps its own lie: only the change is passed on.
            if other not in at_values:
                at_values[other] = form.value_at(other, values)
            change = form.value_at(other, told) - at_values[other]
            if change != 0.0:
                told[other] = values[other] + change
                changed.add(other)
    return sum(price * (told[module] - values[module]) for module, price in prices.items())


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


def _undecided_selector(form: IndexedTree, box: Box, values: dict[int, float]) -> int | None:
    """Return the selector of an aggregate that is under-estimated because its matrix is still open."""
    for position, selector in form.selected.items():
        if position not in values or selector not in values or len(box.allowed[selector]) < 2:
            continue
        below = np.array([values[child] for child in form.children[position]])
        matrices = form.matrices(position, box.allowed[selector])
        if values[position] < max(Aggregate.value_with(below, matrix) for matrix in matrices) - ERROR_TOLERANCE:
            return selector
    return None


def _split_norm(box: Box, norm: Norm, values: dict[int, float]) -> list[Branch]:
    """Split the interval along which the chord of the aggregate lies furthest above it at the relaxed point."""
    arguments = np.array(norm.arguments)
    ends_of_box = box.lower[arguments], box.upper[arguments]
    point = np.clip([values[argument] for argument in norm.arguments], *ends_of_box)
    # An interval without an end has no chord to lie above anything: it is cut first, near the relaxed point.
    endless = ~np.isfinite(ends_of_box).all(axis=0)
    around = point + np.outer((-1.0, 1.0), np.maximum(1.0, np.abs(point)))
    lower, upper = np.where(np.isfinite(ends_of_box), ends_of_box, around)
    count = len(arguments)
    ends = np.tile(point, (2 * count + 1, 1))
    ends[np.arange(count), np.arange(count)] = lower
    ends[count + np.arange(count), np.arange(count)] = upper
    heights = norm.values(ends, box.allowed)
    width = upper - lower
    open_ = width > ERROR_TOLERANCE
    share = np.where(open_, (point - lower) / np.where(open_, width, 1.0), 0.0)
    excess = np.where(open_, (1 - share) * heights[:count] + share * heights[count:-1] - heights[-1], 0.0)
    if excess.max(initial=0.0) <= 0.0:
        excess = np.where(open_, width, 0.0)
    chosen = int(np.argmax(np.where(endless, np.inf, excess)))
    if not open_[chosen]:
        return []
    at = (1 - INWARD) * float(point[chosen]) + INWARD * 0.5 * float(lower[chosen] + upper[chosen])
    position, (low, high) = int(arguments[chosen]), (float(side[chosen]) for side in ends_of_box)
    return [box.branch.narrowed(position, (low, at)), box.branch.narrowed(position, (at, high))]
