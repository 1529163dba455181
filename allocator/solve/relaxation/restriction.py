"""The capital tree as convex rows that hold only where the true tree does: the source of answers.

At a point each node is asked for on one side only, by the sign of its parent's slope there. The convex
side is kept; the other is replaced by the tangent, which under-estimates a convex function: the active
piece of a maximum, g′y of a norm. What satisfies these rows satisfies the tree as long as no slope has
changed its sign on the way, and the exact tree has the last word. Repeated from answer to answer this is
the convex–concave procedure.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.nodes import Aggregate, Leaf, WeightedSum
from allocator.solve.program.affine import Affine, Rows
from allocator.solve.program.program import Cone
from allocator.solve.relaxation.indexed_tree import OVER, UNDER, IndexedTree, Side
from allocator.solve.relaxation.relaxation import add_norm, flipped

__all__ = ["Restriction"]


STEP_ASIDE = 1e-9
"""How far, in the program's money, a piece must lie above an earlier one to be surely the one that selects."""


class Restriction:
    """Builds the rows around one point.

    Parameters
    ----------
    form : Form
        The tree.
    amounts : ndarray (nodes,)
        Exact amounts at the point, in the program's money.
    leaves : slice
        Columns of the leaves.
    width : int
        Columns that stand before the new ones.
    affine : mapping of int to Affine
        Functions of the leaves' columns that are known already, of nodes that are affine in them.
    """

    def __init__(
        self, form: IndexedTree, amounts: Vector, leaves: slice, width: int, affine: Mapping[int, Affine] | None = None
    ) -> None:
        self._form = form
        self._affine = affine or {}
        self._amounts = amounts
        self._leaves = leaves
        self.rows = Rows(width)
        self._known: dict[tuple[int, Side], Affine] = {}
        self._settled: set[int] = set()

    def bounded(self, position: int, side: Side) -> Affine:
        """Return a function of the columns that is at least (`UNDER`) or at most (`OVER`) the node's value.

        Parameters
        ----------
        position : int
            A node of the tree.
        side : Side
            `UNDER` or `OVER`.
        """
        known = self._affine.get(position)
        if known is not None:
            return known
        key = (position, side)
        if key not in self._known:
            self._known[key] = self._build(position, side)
        return self._known[key]

    def _build(self, position: int, side: Side) -> Affine:
        node = self._form.nodes[position]
        below = self._form.children[position]
        if isinstance(node, Leaf):
            return Affine.column(self._leaves.start + node.row)
        if isinstance(node, WeightedSum):
            return self._sum(node.weights, below, side)
        if position in self._form.pieces:
            return self._pieces(position, side)
        values = self._amounts[list(below)]
        matrix = self._matrix(position)
        slopes = matrix @ values
        if side == OVER:
            total = Aggregate.value_with(values, matrix)
            return self._sum((slopes / total if total > 0 else np.zeros(len(values))).tolist(), below, OVER)
        value = Affine.column(self.rows.new_column())
        modules = [
            self.bounded(child, UNDER if slope >= 0 else OVER) for child, slope in zip(below, slopes, strict=True)
        ]
        add_norm(self.rows, value, matrix, modules)
        return value

    def _sum(self, weights: tuple[float, ...] | list[float], below: tuple[int, ...], side: Side) -> Affine:
        return Affine.combine(
            (weight, self.bounded(child, side if weight > 0 else flipped(side)))
            for weight, child in zip(weights, below, strict=True)
            if weight
        )

    def _active(self, position: int) -> int:
        pieces = self._form.pieces[position]
        signed = pieces.sign * np.asarray(pieces.weights) * self._amounts[list(pieces.children)]
        return int(np.argmax(signed))

    def _pieces(self, position: int, side: Side) -> Affine:
        pieces = self._form.pieces[position]
        if (side == UNDER) == (pieces.sign > 0):
            value = Affine.column(self.rows.new_column())
            for weight, child in zip(pieces.weights, pieces.children, strict=True):
                piece = self._sum([weight], (child,), side)
                self.rows.at_least_zero(Affine.combine([(pieces.sign, value), (-pieces.sign, piece)]))
            return value
        active = self._active(position)
        return self._sum([pieces.weights[active]], (pieces.children[active],), side)

    def _matrix(self, position: int) -> NDArray[np.float64]:
        """Return the matrix at the point; where a maximum picks it, ask that it goes on picking the same."""
        selector = self._form.selected.get(position)
        if selector is None:
            return self._form.matrices(position)[0]
        active = self._active(selector)
        if selector not in self._settled:
            self._settled.add(selector)
            children = self._form.pieces[selector].children
            chosen = self.bounded(children[active], OVER)
            self.rows.require(
                Cone.NONNEGATIVE,
                [
                    Affine.combine(
                        [(1.0, chosen), (-1.0, self.bounded(child, UNDER))], -STEP_ASIDE if i < active else 0.0
                    )
                    for i, child in enumerate(children)
                    if i != active
                ],
            )
        return self._form.matrices(position, (active,))[0]
