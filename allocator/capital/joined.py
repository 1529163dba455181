"""Several capital trees over one vector of holdings, read as one tree.

The fund's own tree stays at the root. Each further part is a tree over holdings M x of its own (the same holdings
after a stress, or those of another time) with promises: for a ratio r required of own funds a + g′x,

    r · MC(M x) − g′x ≤ a

is one more node of the joint tree, r · MC + (−g′x), and a limit a on it. So whatever can limit a module of one
tree can hold ratios in many, and the exact value, the relaxation and the check all come from the same nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.nodes import Leaf, Node, WeightedSum
from allocator.capital.tree import CapitalTree
from allocator.types import Text

__all__ = ["JOINED", "StressedRequirement", "ScenarioTree", "join_trees", "stressed_requirement_name"]


JOINED = "joined"
"""Name of the root of a joint tree; its amount is that of the first tree."""


@dataclass(frozen=True, eq=False)
class StressedRequirement:
    """A ratio that one part must hold.

    Parameters
    ----------
    name : str
        The ratio's name.
    required : float
        The ratio.
    gain : ndarray (n,)
        Own funds per unit of money of each holding, beyond what stands in the limit.
    """

    name: str
    required: float
    gain: Vector


@dataclass(frozen=True, eq=False)
class ScenarioTree:
    """One further tree.

    Parameters
    ----------
    name : str
        Put before the names of its nodes.
    tree : CapitalTree
        Over k holdings.
    mapping : csr_array (k, n)
        M: its holdings from the joint ones.
    promises : tuple of Promise
        What must hold in it.
    """

    name: str
    tree: CapitalTree
    mapping: sparse.csr_array
    promises: tuple[StressedRequirement, ...] = ()


def stressed_requirement_name(part: str, promise: str) -> str:
    """Return the name of the node that a promise's limit speaks of.

    Parameters
    ----------
    part : str
        Name of the tree.
    promise : str
        Name of the ratio it must hold.
    """
    return f"{part}:{promise}_required"


def join_trees(parts: Sequence[ScenarioTree], first: CapitalTree | None = None) -> CapitalTree:
    """Return one tree of all parts; its value is that of ``first``, or zero without one.

    Parameters
    ----------
    parts : sequence of ScenarioTree
        The further trees, each with a mapping (k, n) from the joint holdings.
    first : CapitalTree or None
        The tree over the joint holdings (n,) that stays at the root.

    Raises
    ------
    ValueError
        When two parts share a name.
    """
    matrices = [] if first is None else [first.coefficients]
    constants = [] if first is None else [first.constants]
    rows = 0 if first is None else first.coefficients.shape[0]
    children: list[Node] = [] if first is None else [first.root]
    for part in parts:
        tops, matrix, constant = _promised(part, rows)
        matrices.append(matrix)
        constants.append(constant)
        children += tops
        rows += matrix.shape[0]
    weights = tuple(float(place == 0 and first is not None) for place in range(len(children)))
    root = WeightedSum(JOINED, Text("All capital trees", "全部资本计量树"), "", tuple(children), False, weights)
    memoranda = () if first is None else first.memoranda
    return CapitalTree(root, sparse.csr_array(sparse.vstack(matrices)), np.concatenate(constants), memoranda)


def _promised(part: ScenarioTree, first_row: int) -> tuple[list[Node], sparse.csr_array, Vector]:
    """Return the nodes of a part's promises, and the rows of its leaves over the joint holdings."""
    known: dict[int, Node] = {}

    def copied(node: Node) -> Node:
        if id(node) not in known:
            below = tuple(copied(child) for child in node.children)
            moved = replace(node, name=f"{part.name}:{node.name}", children=below, shown=False)
            known[id(node)] = replace(moved, row=moved.row + first_row) if isinstance(moved, Leaf) else moved
        return known[id(node)]

    root = copied(part.tree.root)
    matrix = part.tree.coefficients @ part.mapping
    count = matrix.shape[0]
    tops: list[Node] = []
    for place, promise in enumerate(part.promises):
        name = stressed_requirement_name(part.name, promise.name)
        label = Text(f"{promise.name} in {part.name}", f"{part.name}：{promise.name}")
        less = Leaf(f"{name}_less", label, shown=False, row=first_row + count + place)
        tops.append(WeightedSum(name, label, "", (root, less), False, (promise.required, 1.0)))
    below = [matrix, *(sparse.csr_array(-promise.gain[None, :]) for promise in part.promises)]
    return tops or [root], sparse.csr_array(sparse.vstack(below)), np.append(part.tree.constants, np.zeros(len(tops)))
