"""A model with further columns beside its holdings: amounts that its rules need and that nobody holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.choices import Choices
from allocator.model.epigraph import Epigraph
from allocator.model.expressions import Expression, Linear, TradeCost
from allocator.model.model import Model
from allocator.model.regime import BookState
from allocator.model.space import Space
from allocator.model.terms import Sense, Term
from allocator.types import Source, Text

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["between", "between_trees", "leaf_columns", "padded", "shared_rows", "widened"]

Rows = NDArray[np.int64]


def widened(model: Model, name: str, ceiling: Vector, tree: CapitalTree, terms: Sequence[Term] = ()) -> Model:
    """Return the model with columns 0 ≤ s ≤ ``ceiling`` (k,) behind the holdings, in currency units.

    Parameters
    ----------
    model : Model
        Over n holdings.
    name : str
        What the columns are called, before their number.
    ceiling : ndarray (k,)
        Their greatest amounts.
    tree : CapitalTree
        Over all n + k columns.
    terms : sequence of Term
        Further rules over all n + k columns.
    """
    extra = len(ceiling)
    return replace(
        model,
        space=_space(model.space, name, ceiling),
        objective=tuple(replace(part, expression=_extended(part.expression, extra)) for part in model.objective),
        terms=(*(replace(term, left=_extended(term.left, extra)) for term in model.terms), *terms),
        cost=_cost(model.cost, extra),
        tree=tree,
    )


def shared_rows(charges: sparse.csc_array) -> list[tuple[Rows, Vector]]:
    """Return (leaves, row over n) of the entries of a matrix (leaves, n): leaves that are charged alike share a row.

    The company's leaf and its pool's, say, for what the pool holds.
    """
    pattern: dict[tuple[int, ...], list[int]] = {}
    for column in np.flatnonzero(np.diff(charges.indptr)).tolist():
        leaves = charges.indices[charges.indptr[column] : charges.indptr[column + 1]]
        pattern.setdefault(tuple(sorted(leaves.tolist())), []).append(column)
    found: list[tuple[Rows, Vector]] = []
    for own, columns in pattern.items():
        leaves, members = np.array(own), np.array(columns)
        block = charges[:, members].toarray()[leaves]
        alike = np.allclose(block, block[:1], rtol=1e-12, atol=0.0)
        for group, values in [(leaves, block[0])] if alike else zip(leaves[:, None], block, strict=True):
            row = np.zeros(charges.shape[1])
            row[members] = values
            found.append((group, row))
    return found


def leaf_columns(tree: CapitalTree, leaves: Sequence[Rows], width: int) -> CapitalTree:
    """Return the tree over ``width`` more columns, the first of which each add their amount to ``leaves``.

    Parameters
    ----------
    tree : CapitalTree
        Over n columns.
    leaves : sequence of ndarray of int
        Leaves that each new column adds to.
    width : int
        New columns, at least as many.
    """
    count = tree.coefficients.shape[0]
    into = np.concatenate([np.zeros(0, dtype=np.int64), *leaves])
    column = np.repeat(np.arange(len(leaves)), [len(rows) for rows in leaves])
    unit = sparse.csr_array((np.ones(len(into)), (into, column)), shape=(count, width))
    return replace(tree, coefficients=sparse.csr_array(sparse.hstack([tree.coefficients, unit])))


def between(model: Model, state: BookState, low: float, high: float) -> Model:
    """Return the relaxed model of the books whose state lies from ``low`` to ``high``.

    Behind the holdings come what is held long of each straddling row, then what is charged between the two trees.

    Parameters
    ----------
    model : Model
        The model.
    state : BookState
        The state of the book.
    low, high : float
        Ends of its interval.
    """
    model = replace(model, terms=(*model.terms, *state.rules(model.space, low, high)))
    least, greatest = state.trees(low, high)
    rows = state.straddling(model.space)
    if len(rows):
        long, short = (least, greatest), state.held_short().trees(low, high)
        least, greatest = (_by_side(ours, theirs, rows) for ours, theirs in zip(long, short, strict=True))
        model = _with_long_parts(model, rows, least)
    return between_trees(model, least, greatest)


def _by_side(long: CapitalTree, short: CapitalTree, rows: Rows) -> CapitalTree:
    """Return the tree over the holdings and the long parts of ``rows``: C⁻ x + (C⁺ − C⁻) p."""
    more = sparse.csc_array(long.coefficients - short.coefficients)[:, rows]
    return replace(short, coefficients=sparse.csr_array(sparse.hstack([short.coefficients, more])))


def _with_long_parts(model: Model, rows: Rows, tree: CapitalTree) -> Model:
    """Return the model with columns p for max(x, 0) of ``rows``: x ≤ p, and p below the chord of max(x, 0)."""
    space, count = model.space, len(rows)
    lower, upper = space.lower[rows], space.upper[rows]
    bounded = np.isfinite(lower) & np.isfinite(upper)
    slope = np.divide(upper, upper - lower, out=np.zeros(count), where=bounded)
    picked = sparse.csr_array((np.ones(count), (np.arange(count), rows)), shape=(count, space.size))
    unit, chord = sparse.eye_array(count, format="csr"), sparse.csr_array(sparse.diags_array(-slope)) @ picked
    below = np.flatnonzero(bounded)
    left = sparse.vstack([sparse.hstack([picked, -unit]), sparse.hstack([chord, unit])[below]])
    right = np.concatenate([np.zeros(count), -(slope * np.where(bounded, lower, 0.0))[below]])
    term = Term(
        "state:long",
        Text("What is held long", "多头持仓"),
        Linear(sparse.csr_array(left), np.zeros(len(right))),
        Sense.AT_MOST,
        right,
        np.full(len(right), space.total),
        "share",
        Source("model"),
        rows=tuple(str(row) for row in range(len(right))),
    )
    return widened(model, "long", upper, tree, [term])


def between_trees(model: Model, least: CapitalTree, greatest: CapitalTree) -> Model:
    """Return the model whose leaves may lie anywhere between the two trees.

    Parameters
    ----------
    model : Model
        The model.
    least, greatest : CapitalTree
        Trees of one shape.
    """
    space = model.space
    difference = sparse.csc_array(greatest.coefficients - least.coefficients)
    # On the wrong side of zero only by rounding: a slack's ceiling would follow it below its floor.
    side = np.repeat(np.where(space.lower < 0.0, -1.0, 1.0), np.diff(difference.indptr))
    difference.data = side * np.maximum(side * difference.data, 0.0)
    difference.eliminate_zeros()
    charged = shared_rows(difference)
    extra = len(charged)
    if not extra:
        return replace(model, tree=least)
    # sₖ − Dₖ x ≤ 0
    reach = -sparse.csr_array(np.stack([row for _, row in charged]))
    within = Term(
        "state",
        Text("Charges between their least and greatest", "因子介于最小值与最大值之间"),
        Linear(sparse.csr_array(sparse.hstack([reach, sparse.eye_array(extra)])), np.zeros(extra)),
        Sense.AT_MOST,
        np.zeros(extra),
        np.full(extra, space.total),
        "share",
        Source("model"),
        rows=tuple(str(k) for k in range(extra)),
    )
    # No holding exceeds what its bounds and all the money allow.
    all_money = np.where(space.funded, space.total + np.maximum(space.current, 0.0), np.inf)
    most = np.minimum(space.upper, all_money)
    ends = np.maximum(most, 0.0), np.minimum(space.lower, 0.0)
    ceiling = np.array([_most(row, *ends) for _, row in charged])
    tree = leaf_columns(least, [leaves for leaves, _ in charged], extra)
    return widened(model, "state", ceiling, tree, [within])


def _most(row: Vector, high: Vector, low: Vector) -> float:
    """Return the most that Σ row · x comes to; 0 · ∞ counts as nothing."""
    up, down = row > 0.0, row < 0.0
    return float(row[up] @ high[up] + row[down] @ low[down])


def padded(matrix: sparse.csr_array, height: int, width: int) -> sparse.csr_array:
    """Return the matrix with empty rows and columns behind its own.

    Parameters
    ----------
    matrix : csr_array
        Its own rows and columns.
    height, width : int
        Rows and columns of the result.
    """
    wide = sparse.csr_array(matrix, copy=True)
    wide.resize(height, width)
    return wide


def _space(space: Space, name: str, ceiling: Vector) -> Space:
    extra = len(ceiling)
    zeros = np.zeros(extra)
    return Space(
        np.concatenate([space.asset_id, np.array([f"{name} {k}" for k in range(extra)], dtype=str)]),
        np.concatenate([space.account, np.full(extra, "")]),
        np.concatenate([space.current, zeros]),
        np.concatenate([space.lower, zeros]),
        np.concatenate([space.upper, ceiling]),
        np.concatenate([space.funded, np.zeros(extra, dtype=bool)]),
        np.concatenate([space.linear_cost, zeros]),
        space.total,
        space.unit,
        space.currency,
    )


def _cost(cost: TradeCost, extra: int) -> TradeCost:
    zeros = np.zeros(extra)
    return replace(
        cost,
        buy=np.concatenate([cost.buy, zeros]),
        sell=np.concatenate([cost.sell, zeros]),
        quadratic=np.concatenate([cost.quadratic, zeros]),
        reference=np.concatenate([cost.reference, zeros]),
        least=None if cost.least is None else np.concatenate([cost.least, zeros]),
        greatest=None if cost.greatest is None else np.concatenate([cost.greatest, zeros + np.inf]),
    )


def _extended(expression: Expression, extra: int) -> Expression:
    affine = expression.affine()
    if affine is not None:
        empty = sparse.csr_array((affine.matrix.shape[0], extra))
        return Linear(sparse.csr_array(sparse.hstack([affine.matrix, empty])), affine.constant)
    return _Narrow(expression, extra)


@dataclass(frozen=True)
class _Narrow(Expression):
    """An expression of the first columns only."""

    inner: Expression
    extra: int

    def value(self, holdings: Vector) -> Vector:
        return self.inner.value(holdings[: -self.extra])

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return self.inner.convex(variable[: -self.extra], scale)

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        inner = self.inner.gradient(holdings[: -self.extra])
        return sparse.csr_array(sparse.hstack([inner, sparse.csr_array((inner.shape[0], self.extra))]))

    def epigraph(self, sign: float) -> Epigraph | None:
        inner = self.inner.epigraph(sign)
        return None if inner is None else inner.widened(self.extra)

    @property
    def discrete(self) -> bool:
        return self.inner.discrete

    def choices(self, upper: Vector) -> Choices:
        return self.inner.choices(upper[: -self.extra]).widened(self.extra)
