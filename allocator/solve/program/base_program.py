"""Everything but the capital tree as one cone program, built once.

Columns: what cvxpy made of the curved expressions (the holdings among them), breaches of soft terms, the
cost of trading, one column for each leaf of the capital tree. Holdings are in units of `Space.total`, so
they are weights; money elsewhere is in the same unit. The objective is minimized and divided by its own
steepest slope, so the solver sees numbers near one whatever the currency unit.

Affine expressions go into the matrix as they stand; only curved ones need cvxpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.tree import CapitalTree
from allocator.model.choices import Choices
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense, Term
from allocator.solve.program.builder import Builder, stacked, widened_rows
from allocator.solve.program.canonical import Canonical, canonicalise, divisor_of
from allocator.solve.program.choice_rows import add_choices
from allocator.solve.program.program import Cone, ConeProgram
from allocator.solve.program.state_range import reachable

__all__ = ["Plain", "RuleRow", "compile_plain", "money_scale", "objective_scale"]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row of one term as it stands in the program.

    The program holds ``sign × left / divisor ≤ sign × right / divisor`` (or ``=``) in row ``row``; what is shown is
    ``left / per``.
    """

    term: Term
    index: int
    row: int
    divisor: float
    sign: float
    per: float


@dataclass(frozen=True, eq=False)
class Plain:
    """The program and where things stand in it.

    Parameters
    ----------
    program : ConeProgram
        The objective's scale and the money scale are taken out.
    scale, objective_scale : float
        Currency units per unit of money; objective per unit of the program's.
    holdings, leaves : slice
        Columns of the holdings and of the tree's leaves.
    cost : int
        Column of the trading cost, −1 when trading costs nothing.
    rules : tuple of RuleRow
        Hard and soft terms, row by row.
    lower, upper, fixed : (rows, assets)
        Program rows of the bounds and the asset rows they belong to.
    whole : tuple of (Choices, range)
        What rules in whole numbers must choose, and the columns of it.
    """

    program: ConeProgram
    scale: float
    objective_scale: float
    holdings: slice
    leaves: slice
    cost: int
    rules: tuple[RuleRow, ...]
    lower: tuple[NDArray[np.int64], NDArray[np.int64]]
    upper: tuple[NDArray[np.int64], NDArray[np.int64]]
    fixed: tuple[NDArray[np.int64], NDArray[np.int64]]
    whole: tuple[tuple[Choices, range], ...] = ()


def money_scale(model: Model) -> float:
    """Return the unit of money the solver sees, money."""
    space = model.space
    finite = np.abs(np.concatenate([space.lower[np.isfinite(space.lower)], space.upper[np.isfinite(space.upper)]]))
    return space.total or float(finite.max(initial=0.0)) or 1.0


def objective_scale(model: Model, scale: float) -> float:
    """Return the steepest slope of the objective per unit of money the solver sees, at the current holdings.

    Parameters
    ----------
    model : Model
        The model.
    scale : float
        Currency units per unit of money.
    """
    current = model.space.current
    slope = np.zeros(model.space.size)
    for part in model.objective:
        slope += part.weight * part.expression.gradient(current).toarray().ravel()
    steepest = float(np.abs(slope).max(initial=0.0)) * scale
    return max(steepest, model.capital_weight * scale) or 1.0


def compile_plain(model: Model, tree: CapitalTree | None) -> Plain:
    """Return the program of objective, terms, bounds and trading cost, with a column for each leaf of ``tree``.

    Parameters
    ----------
    model : Model
        The model.
    tree : CapitalTree or None
        Tree whose leaves get a column each; None for a model that asks nothing of capital.
    """
    scale = money_scale(model)
    objective = objective_scale(model, scale)
    binding = [term for term in model.terms if term.mode is not Mode.MONITOR and not term.left.discrete]
    canonical = canonicalise(model, binding, scale, objective)
    builder = Builder()
    builder.add_columns(canonical.width)
    if len(canonical.right):
        builder.add_blocks(canonical.blocks, canonical.matrix, canonical.right)
    linear = np.zeros(canonical.width)
    linear[: len(canonical.linear)] += canonical.linear
    constant = canonical.constant
    for part in model.objective:
        affine = part.expression.affine()
        if affine is not None:
            linear[canonical.holdings] -= affine.matrix.toarray().ravel() * (part.weight * scale / objective)
            constant -= part.weight * float(affine.constant[0]) / objective
    rules, prices = _add_rules(builder, binding, canonical, scale, objective)
    leaves = slice(builder.columns, builder.columns)
    if tree is not None:
        leaves = builder.add_columns(tree.coefficients.shape[0])
        shift = sparse.csr_array((tree.coefficients.shape[0], canonical.holdings.start))
        gap = leaves.start - canonical.holdings.stop
        between = sparse.csr_array((tree.coefficients.shape[0], gap))
        identity = -sparse.eye_array(tree.coefficients.shape[0])
        # C x − ℓ = −c: as a column of its own a leaf costs the cones one entry instead of n.
        builder.add_rows(
            Cone.ZERO, sparse.hstack([shift, tree.coefficients, between, identity]), -tree.constants / scale
        )
    whole = add_choices(builder, model, canonical.holdings, scale)
    bounds = _add_bounds(builder, model, canonical.holdings, scale)
    linear = np.append(linear, np.zeros(builder.columns - len(linear)))
    for column, price in prices:
        linear[column] = price
    program = builder.build(canonical.quadratic, linear, constant)
    program = replace(program, whole=tuple(column for _, columns in whole for column in columns))
    return Plain(program, scale, objective, canonical.holdings, leaves, canonical.cost, rules, *bounds, whole)


def _add_bounds(
    builder: Builder, model: Model, holdings: slice, scale: float
) -> tuple[tuple[Any, Any], tuple[Any, Any], tuple[Any, Any]]:
    lower, upper = model.space.lower / scale, model.space.upper / scale
    fixed = upper - lower <= 1e-13
    # A bound that a budget implies is left out: beside the budget it would leave the multipliers undetermined.
    needed = upper < reachable(model) / scale * (1.0 - 1e-12)
    identity = sparse.eye_array(len(lower), format="csr")
    shift = sparse.csr_array((len(lower), holdings.start))
    placed = sparse.csr_array(sparse.hstack([shift, identity]))
    found = []
    for chosen, sign, cone, side in (
        (np.isfinite(lower) & ~fixed, -1.0, Cone.NONNEGATIVE, lower),
        (np.isfinite(upper) & ~fixed & needed, 1.0, Cone.NONNEGATIVE, upper),
        (fixed, 1.0, Cone.ZERO, lower),
    ):
        assets = np.flatnonzero(chosen)
        rows = builder.add_rows(cone, sign * placed[assets], sign * side[assets])
        found.append((rows, assets))
    return found[0], found[1], found[2]


def _add_rules(
    builder: Builder, terms: list[Term], canonical: Canonical, scale: float, objective: float
) -> tuple[tuple[RuleRow, ...], list[tuple[int, float]]]:
    """Add the rows of all terms; return where they stand and the price of each breach column."""
    rules: list[RuleRow] = []
    prices: list[tuple[int, float]] = []
    lefts = [_left(term, canonical.sides.get(position), canonical, scale) for position, term in enumerate(terms)]
    # Hard terms of one cone that follow each other are added at once.
    for (mode, cone), run in groupby(range(len(terms)), lambda at: (terms[at].mode, _cone(terms[at].sense))):
        for places in [list(run)] if mode is Mode.HARD else ([at] for at in run):
            rows, divisor, sign = _scaled_rows(builder, [terms[at] for at in places], [lefts[at] for at in places])
            left, right = rows
            if mode is Mode.SOFT:
                (term,) = (terms[at] for at in places)
                left, priced = _with_breaches(builder, term, left, divisor, objective)
                prices += priced
            first = int(builder.add_rows(cone, left, right)[0]) if len(right) else 0
            per = np.concatenate([np.broadcast_to(terms[at].per, terms[at].right.shape) for at in places])
            of = [(terms[at], index) for at in places for index in range(len(terms[at].right))]
            rules += [
                RuleRow(term, index, first + k, float(divisor[k]), float(sign[k]), float(per[k]))
                for k, (term, index) in enumerate(of)
            ]
    return tuple(rules), prices


@dataclass(frozen=True, eq=False)
class _Left:
    """A term's left side over the program's columns, its right side, and what brings each row near one."""

    matrix: sparse.csr_array
    right: Vector
    divisor: Vector


def _left(term: Term, side: slice | None, canonical: Canonical, scale: float) -> _Left:
    affine = term.left.affine()
    count, right = len(term.right), np.asarray(term.right, dtype=float)
    if affine is None:
        assert side is not None
        divisor = divisor_of(term)
        places = (np.arange(count), np.arange(side.start, side.stop))
        return _Left(sparse.csr_array((divisor, places), shape=(count, side.stop)), right, divisor)
    right = right - affine.constant
    entries, start = affine.matrix, canonical.holdings.start
    data = entries.data * scale
    divisor = np.zeros(count)
    np.maximum.at(divisor, np.repeat(np.arange(count), np.diff(entries.indptr)), np.abs(data))
    divisor = np.where(divisor > 0, divisor, np.maximum(np.abs(right), term.per))
    matrix = sparse.csr_array((data, entries.indices + start, entries.indptr), shape=(count, start + entries.shape[1]))
    return _Left(matrix, right, divisor)


def _scaled_rows(
    builder: Builder, terms: list[Term], lefts: list[_Left]
) -> tuple[tuple[sparse.csr_array, Vector], Vector, Vector]:
    """Return ``sign × left / divisor`` and ``sign × right / divisor`` of some terms, the divisors and the signs."""
    sign = np.repeat([-1.0 if term.sense is Sense.AT_LEAST else 1.0 for term in terms], [len(x.right) for x in lefts])
    divisor = np.concatenate([left.divisor for left in lefts])
    matrix = stacked([left.matrix for left in lefts], builder.columns)
    matrix.data = matrix.data * np.repeat(sign / divisor, np.diff(matrix.indptr))
    matrix.eliminate_zeros()
    return (matrix, sign * np.concatenate([left.right for left in lefts]) / divisor), divisor, sign


def _with_breaches(
    builder: Builder, term: Term, left: sparse.csr_array, divisor: Vector, objective: float
) -> tuple[sparse.csr_array, list[tuple[int, float]]]:
    """Return a soft term's rows with columns that give way, and the price of each of them.

    The breach is in the program's unit; shown, it is breach × divisor / per.
    """
    count = len(divisor)
    prices: list[tuple[int, float]] = []
    price = term.price * divisor / np.broadcast_to(term.per, (count,)) / objective
    for way in (-1.0, 1.0) if term.sense is Sense.EQUAL else (-1.0,):
        columns = builder.add_columns(count)
        give = sparse.diags_array(np.full(count, way))
        left = sparse.csr_array(sparse.hstack([widened_rows(left, columns.start), give]))
        prices += zip(range(columns.start, columns.stop), price.tolist(), strict=True)
        negative = sparse.hstack([sparse.csr_array((count, columns.start)), -sparse.eye_array(count)])
        builder.add_rows(Cone.NONNEGATIVE, negative, np.zeros(count))
    return left, prices


def _cone(sense: Sense) -> Cone:
    return Cone.ZERO if sense is Sense.EQUAL else Cone.NONNEGATIVE
