"""The capital tree as the optimizer sees it: positions instead of objects, kinds of node reduced to three.

Maximum, minimum and absolute value are one kind: the largest (or smallest) of affine pieces of the
children. What remains is sums and correlated aggregates. Nothing here knows a regime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.capital.nodes import Absolute, Aggregate, Leaf, Maximum, Minimum, Node, WeightedSum
from allocator.capital.tree import CapitalTree

__all__ = ["OVER", "UNDER", "IndexedTree", "Pieces", "Side"]


Side = int
"""Which side of a node's true value a formulation must hold: `UNDER`, `OVER` or both."""
UNDER: Side = 1
OVER: Side = 2


@dataclass(frozen=True, slots=True)
class Pieces:
    """``sign · max over pieces of sign · weight · child``: sign +1 for a maximum, −1 for a minimum."""

    sign: float
    children: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class IndexedTree:
    """A tree with numbered nodes, children before parents.

    Parameters
    ----------
    tree : CapitalTree
        The tree.
    scale : float
        Currency units per unit of money in the program.
    """

    tree: CapitalTree
    scale: float

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes by position."""
        return self.tree.nodes

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Positions of each node's children."""
        return tuple(tuple(self.tree.positions[id(child)] for child in node.children) for node in self.nodes)

    @cached_property
    def pieces(self) -> dict[int, Pieces]:
        """The piecewise nodes."""
        found: dict[int, Pieces] = {}
        for position, node in enumerate(self.nodes):
            below = self.children[position]
            if isinstance(node, Maximum):
                found[position] = Pieces(1.0, below, (1.0,) * len(below))
            elif isinstance(node, Minimum):
                found[position] = Pieces(-1.0, below, (1.0,) * len(below))
            elif isinstance(node, Absolute):
                found[position] = Pieces(1.0, (below[0], below[0]), (1.0, -1.0))
        return found

    @cached_property
    def selected(self) -> dict[int, int]:
        """Position of the maximum that picks the matrix, for each aggregate that has one."""
        return {
            position: self.children[position][node.selector]
            for position, node in enumerate(self.nodes)
            if isinstance(node, Aggregate) and node.selector is not None
        }

    @cached_property
    def over_leaves(self) -> dict[int, Vector]:
        """Weights on the leaves (leaves,) of every node that is affine in the holdings."""
        count = self.tree.coefficients.shape[0]
        found: dict[int, Vector] = {}
        for position, node in enumerate(self.nodes):
            if isinstance(node, Leaf):
                found[position] = np.zeros(count)
                found[position][node.row] = 1.0
            elif isinstance(node, WeightedSum) and all(child in found for child in self.children[position]):
                found[position] = np.sum(
                    [weight * found[child] for weight, child in zip(node.weights, self.children[position], strict=True)]
                    or [np.zeros(count)],
                    axis=0,
                )
        return found

    def position(self, name: str) -> int:
        """Return the position of the module of that name."""
        return self.tree.positions[id(self.tree.node(name))]

    def amounts(self, holdings: Vector) -> Vector:
        """Return the exact amount of every node, in the program's money."""
        return self.tree.amounts(holdings) / self.scale

    def matrices(self, position: int, allowed: tuple[int, ...] | None = None) -> list[NDArray[np.float64]]:
        """Return the correlation matrices of an aggregate that ``allowed`` pieces of its selector may pick.

        Parameters
        ----------
        position : int
            An aggregate.
        allowed : tuple of int or None
            Pieces of its selector; None for all.
        """
        node = self.nodes[position]
        assert isinstance(node, Aggregate)
        if position not in self.selected or allowed is None:
            return list(node.correlations)
        return [node.correlations[piece] for piece in allowed]

    @cached_property
    def ancestors(self) -> tuple[tuple[int, ...], ...]:
        """Positions above each node, nearer ones first."""
        found: list[tuple[int, ...]] = []
        for position in range(len(self.nodes)):
            above = {position}
            for other in range(position + 1, len(self.nodes)):
                if above.intersection(self.children[other]):
                    above.add(other)
            found.append(tuple(sorted(above - {position})))
        return tuple(found)

    def value_at(self, position: int, values: Mapping[int, float]) -> float:
        """Return the node's exact value for given ``values`` of the nodes below it.

        Parameters
        ----------
        position : int
            A node.
        values : mapping of int to float
            Amounts by position, of its children at least.
        """
        node = self.nodes[position]
        below = np.array([values[child] for child in self.children[position]])
        if not isinstance(node, Aggregate):
            return node.value(below)
        selector = self.selected.get(position)
        if selector is None:
            return node.value_with(below, node.correlations[0])
        pieces = [values[child] for child in self.children[selector]]
        return node.value_with(below, node.correlations[int(np.argmax(pieces))])
