"""The capital tree: built once over the holdings, read as value, attribution and table.

Mathematics. Holdings x (n,). Leaves ℓ = C x + c, C sparse (leaves × n). Every other node is a
positively homogeneous function of degree one of the leaves (sums, maxima, minima, absolute values,
sqrt(v′Rv)), so Euler's theorem splits the total exactly:

    total = Σᵢ xᵢ ∂total/∂xᵢ + Σₗ cₗ ∂total/∂ℓₗ

the first sum over assets, the second one row "liabilities and constants". The gradient with respect to
the leaves is found backwards through the few nodes; one sparse product Cᵀg gives it for all assets.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.nodes import Absolute, Aggregate, Leaf, Maximum, Minimum, Node
from allocator.types import Text

__all__ = ["Attribution", "CapitalTree", "Memorandum"]


@dataclass(frozen=True)
class Attribution:
    """Who causes the capital.

    Parameters
    ----------
    marginal : ndarray (n,)
        Capital per additional unit of money of each row.
    contribution : ndarray (n,)
        Euler allocation in currency units, amount × marginal.
    constants : float
        The row "liabilities and constants": everything that does not scale with the assets.
    total : float
        Sum of all of it.
    """

    marginal: Vector
    contribution: Vector
    constants: float
    total: float


@dataclass(frozen=True, slots=True)
class Memorandum:
    """A line that tables print but the total does not need: a diversification effect, a part of a factor.

    Parameters
    ----------
    node : Node
        Its children are nodes of the tree.
    parent : str
        Name of the module below which it is printed, after that module's own children.
    """

    node: Node
    parent: str


@dataclass(frozen=True, eq=False)
class CapitalTree:
    """A tree of risk modules over the holdings.

    Parameters
    ----------
    root : Node
        The minimum capital.
    coefficients : csr_matrix (leaves, n)
        Charge of each leaf per unit of money of each row.
    constants : ndarray (leaves,)
        What each leaf holds apart from the assets, money.
    memoranda : tuple of Memorandum
        Further lines of the table; they stand outside `nodes`.

    Raises
    ------
    ValueError
        When two modules share a name, a leaf has no row, or a memorandum leans on nothing in the tree.
    """

    root: Node
    coefficients: sparse.csr_array
    constants: Vector
    memoranda: tuple[Memorandum, ...] = ()
    _order: tuple[Node, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        order: dict[int, Node] = {}
        names: dict[str, Node] = {}

        def visit(node: Node) -> None:
            if id(node) in order:
                return
            for child in node.children:
                visit(child)
            if names.setdefault(node.name, node) is not node:
                raise ValueError(f"two modules are named {node.name!r}")
            if isinstance(node, Leaf) and not 0 <= node.row < self.coefficients.shape[0]:
                raise ValueError(f"{node.name}: no row {node.row} in the coefficient matrix")
            order[id(node)] = node

        visit(self.root)
        for memorandum in self.memoranda:
            node = memorandum.node
            if memorandum.parent not in names or any(id(child) not in order for child in node.children):
                raise ValueError(f"{node.name}: a memorandum needs a parent and children in the tree")
            if names.setdefault(node.name, node) is not node:
                raise ValueError(f"two modules are named {node.name!r}")
        object.__setattr__(self, "_order", tuple(order.values()))

    def charging(self, coefficients: sparse.csr_array) -> CapitalTree:
        """Return the tree with other coefficients, as many leaves (leaves, n); what is known of its nodes is kept.

        Raises
        ------
        ValueError
            When the matrix has another number of leaves.
        """
        if coefficients.shape[0] != self.coefficients.shape[0]:
            raise ValueError(f"{coefficients.shape[0]} leaves in place of {self.coefficients.shape[0]}")
        # Found before the copy is taken, so that all copies have it.
        _ = self._leaf_places, self._above_leaves, self._by_name
        other = copy(self)
        object.__setattr__(other, "coefficients", coefficients)
        # Amounts are those of the former coefficients.
        other.__dict__.pop("_last", None)
        return other

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, children before parents."""
        return self._order

    @cached_property
    def positions(self) -> dict[int, int]:
        """Position in `nodes` by ``id(node)``."""
        return {id(node): position for position, node in enumerate(self._order)}

    @cached_property
    def _children(self) -> tuple[NDArray[np.int64], ...]:
        """Positions of each node's children."""
        return tuple(
            np.array([self.positions[id(child)] for child in node.children], dtype=np.int64) for node in self._order
        )

    def node(self, name: str) -> Node:
        """Return the module or memorandum of that name; KeyError if there is none.

        Raises
        ------
        KeyError
            When nothing is called so.
        """
        for candidate in (*self._order, *(memorandum.node for memorandum in self.memoranda)):
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    @cached_property
    def labels(self) -> dict[str, Text]:
        """Title of every module and memorandum by name."""
        nodes = (*self._order, *(memorandum.node for memorandum in self.memoranda))
        return {node.name: node.label for node in nodes}

    def leaves(self, holdings: Vector) -> Vector:
        """Return C x + c, shape (leaves,)."""
        return np.asarray(self.coefficients @ holdings + self.constants)

    def amounts(self, holdings: Vector) -> Vector:
        """Return the amount of every node, in the order of `nodes`, money."""
        # Search, verification and report ask for the same point in turn.
        seen = holdings.tobytes()
        found = self._last.get(seen)
        if found is None:
            found = self._amounts(holdings)
            found.flags.writeable = False
            self._last.clear()
            self._last[seen] = found
        return found

    @cached_property
    def _last(self) -> dict[bytes, Vector]:
        """The amounts at the last point, by its bytes."""
        return {}

    def _amounts(self, holdings: Vector) -> Vector:
        amounts = np.empty(len(self._order))
        places, rows = self._leaf_places
        amounts[places] = self.leaves(holdings)[rows]
        for position, node, children in self._above_leaves:
            below = amounts[children]
            if isinstance(node, Aggregate):
                amounts[position] = node.value_with(below, self._correlation(node, amounts))
            else:
                amounts[position] = node.value(below)
        return amounts

    @cached_property
    def _leaf_places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the leaves, and their rows."""
        leaves = [(at, node.row) for at, node in enumerate(self._order) if isinstance(node, Leaf)]
        places, rows = np.array(leaves, dtype=np.int64).reshape(-1, 2).T
        return places, rows

    @cached_property
    def _above_leaves(self) -> tuple[tuple[int, Node, NDArray[np.int64]], ...]:
        """Position, node and positions of its children, of every node that is no leaf."""
        both = enumerate(zip(self._order, self._children, strict=True))
        return tuple((at, node, children) for at, (node, children) in both if not isinstance(node, Leaf))

    def value(self, holdings: Vector) -> float:
        """Return the exact minimum capital in currency units at ``holdings`` (n,)."""
        return float(self.amounts(holdings)[-1])

    def values(self, holdings: Vector, names: Iterable[str] | None = None) -> dict[str, float]:
        """Return the amount of every module and memorandum by name, or of those ``names`` alone, money.

        Parameters
        ----------
        holdings : ndarray (n,)
            Amounts, money.
        names : iterable of str or None
            Modules and memoranda wanted; None for all.

        Raises
        ------
        KeyError
            When nothing is called so.
        """
        amounts = self.amounts(holdings)
        wanted = self._by_name if names is None else {name: self._by_name[name] for name in names}
        return {
            name: float(amounts[at]) if isinstance(at, int) else at.value(self._below(at, amounts))
            for name, at in wanted.items()
        }

    @cached_property
    def _by_name(self) -> dict[str, int | Node]:
        """Position of every module, and every memorandum itself, by name."""
        found: dict[str, int | Node] = {node.name: at for at, node in enumerate(self._order)}
        return found | {memorandum.node.name: memorandum.node for memorandum in self.memoranda}

    def picked(self, holdings: Vector) -> dict[str, str]:
        """Return which piece counts at ``holdings``: a maximum's or minimum's child, an absolute value's sign."""
        amounts, found = self.amounts(holdings), {}
        for _, node, children in self._above_leaves:
            if isinstance(node, (Maximum, Minimum)):
                found[node.name] = node.children[int(np.argmax(node.slopes(amounts[children])))].name
            elif isinstance(node, Absolute):
                found[node.name] = "−" if amounts[children[0]] < 0 else "+"
        return found

    def leaf_gradient(self, holdings: Vector) -> tuple[float, Vector]:
        """Return the total and its derivative with respect to each leaf."""
        amounts = self.amounts(holdings)
        slope = np.zeros(len(self._order))
        slope[-1] = 1.0
        gradient = np.zeros(self.coefficients.shape[0])
        for position in range(len(self._order) - 1, -1, -1):
            node = self._order[position]
            if slope[position] == 0.0:
                continue
            if isinstance(node, Leaf):
                gradient[node.row] += slope[position]
                continue
            below = self._below(node, amounts)
            if isinstance(node, Aggregate):
                partial = node.slopes_with(below, self._correlation(node, amounts))
            else:
                partial = node.slopes(below)
            for child, share in zip(node.children, partial, strict=True):
                slope[self.positions[id(child)]] += slope[position] * share
        return float(amounts[-1]), gradient

    def gradient(self, holdings: Vector) -> Vector:
        """Return the marginal capital per unit of money of each row, shape (n,)."""
        return np.asarray(self.coefficients.T @ self.leaf_gradient(holdings)[1])

    def attribute(self, holdings: Vector) -> Attribution:
        """Split the total over the rows and one row of constants."""
        total, by_leaf = self.leaf_gradient(holdings)
        marginal = np.asarray(self.coefficients.T @ by_leaf)
        return Attribution(marginal, holdings * marginal, float(by_leaf @ self.constants), total)

    def table(self, holdings: Vector) -> pd.DataFrame:
        """Return the modules as a report prints them: module, parent, amount (money), article.

        Parents stand before children, memoranda after them. A parent that is not shown hands its place to
        the nearest shown one; a module that two others use stands below the first.
        """
        amounts = self.values(holdings)
        rows: list[tuple[str, str, float, str]] = []
        seen: set[int] = set()
        below: dict[str, list[Node]] = {}
        for memorandum in self.memoranda:
            below.setdefault(memorandum.parent, []).append(memorandum.node)

        def visit(node: Node, parent: str) -> None:
            if id(node) in seen:
                return
            if node.shown:
                seen.add(id(node))
                rows.append((node.name, parent, amounts[node.name], node.article))
            place = node.name if node.shown else parent
            for child in node.children:
                visit(child, place)
            rows.extend((line.name, place, amounts[line.name], line.article) for line in below.pop(node.name, ()))

        visit(self.root, "")
        return pd.DataFrame(rows, columns=["module", "parent", "amount", "article"])

    def homes(self) -> dict[str, str]:
        """Return the module that `table` prints each leaf under, by the leaf's name: itself where it is shown."""
        found: dict[str, str] = {}

        def visit(node: Node, place: str) -> None:
            here = node.name if node.shown else place
            if isinstance(node, Leaf):
                found.setdefault(node.name, here)
            for child in node.children:
                visit(child, here)

        visit(self.root, self.root.name)
        return found

    def _below(self, node: Node, amounts: Vector) -> Vector:
        return np.array([amounts[self.positions[id(child)]] for child in node.children])

    def _correlation(self, node: Aggregate, amounts: Vector) -> NDArray[np.float64]:
        if node.selector is None:
            return node.correlations[0]
        return node.correlations[int(np.argmax(self._below(node.children[node.selector], amounts)))]
