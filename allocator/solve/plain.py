"""Everything but the capital tree as one cone program, built once.

Columns: what cvxpy made of the curved expressions (the holdings among them), breaches of soft terms, the
cost of trading, one column for each leaf of the capital tree. Holdings are in units of `Space.total`, so
they are weights; money elsewhere is in the same unit. The objective is minimized and divided by its own
steepest slope, so the solver sees numbers near one whatever the currency unit.

Affine expressions go into the matrix as they stand; only curved ones need cvxpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.capital.tree import CapitalTree
from allocator.errors import PluginError, Problem
from allocator.model.choices import Choices
from allocator.model.expressions import Expression
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense, Term
from allocator.solve.builder import Builder, widened_rows
from allocator.solve.choice_rows import add_choices
from allocator.solve.epigraph_rows import EpigraphRows
from allocator.solve.program import Block, Cone, ConeProgram
from allocator.solve.reach import reachable
from allocator.types import Text

__all__ = ["Plain", "RuleRow", "compile_plain", "money_scale", "objective_scale"]

Vector = NDArray[np.float64]

TINY = 1e-6
"""A right side below this share of the row's unit counts as none: the unit itself then sets the scale."""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row of one term as it stands in the program.

    The program holds ``sign × left / divisor ≤ sign × right / divisor`` (or ``=``) in row ``row``.
    """

    term: Term
    index: int
    row: int
    divisor: float
    sign: float


@dataclass(frozen=True, eq=False)
class Plain:
    """The program and where things stand in it.

    Parameters
    ----------
    program : ConeProgram
        The objective's scale and the money scale are taken out.
    scale, objective_scale : float
        CNY per unit of money; objective per unit of the program's.
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
    """Return the unit of money the solver sees, CNY."""
    space = model.space
    finite = np.abs(np.concatenate([space.lower[np.isfinite(space.lower)], space.upper[np.isfinite(space.upper)]]))
    return space.total or float(finite.max(initial=0.0)) or 1.0


def objective_scale(model: Model, scale: float) -> float:
    """Return the steepest slope of the objective per unit of money the solver sees, at the current holdings."""
    current = model.space.current
    slope = np.zeros(model.space.size)
    for part in model.objective:
        slope += part.weight * part.expression.gradient(current).toarray().ravel()
    steepest = float(np.abs(slope).max(initial=0.0)) * scale
    return max(steepest, model.capital_weight * scale) or 1.0


@dataclass(frozen=True, eq=False)
class _Canonical:
    """What cvxpy made of the curved parts: minimize ½z′Pz + q′z + constant under its rows."""

    quadratic: Any
    linear: Vector
    constant: float
    matrix: Any
    right: Vector
    blocks: list[Block]
    width: int
    holdings: slice
    sides: dict[int, slice]
    cost: int


def compile_plain(model: Model, tree: CapitalTree | None) -> Plain:
    """Return the program of objective, terms, bounds and trading cost, with a column for each leaf of ``tree``."""
    scale = money_scale(model)
    objective = objective_scale(model, scale)
    binding = [term for term in model.terms if term.mode is not Mode.MONITOR and not term.left.discrete]
    canonical = _canonicalise(model, binding, scale, objective)
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
    builder: Builder, terms: list[Term], canonical: _Canonical, scale: float, objective: float
) -> tuple[tuple[RuleRow, ...], list[tuple[int, float]]]:
    """Add the rows of all terms; return where they stand and the price of each breach column."""
    rules: list[RuleRow] = []
    prices: list[tuple[int, float]] = []
    for position, term in enumerate(terms):
        affine = term.left.affine()
        sign = -1.0 if term.sense is Sense.AT_LEAST else 1.0
        count = len(term.right)
        if affine is not None:
            shift = sparse.csr_array((count, canonical.holdings.start))
            left = sparse.csr_array(sparse.hstack([shift, affine.matrix * scale]))
            right = np.asarray(term.right - affine.constant, dtype=float)
            divisor = np.maximum(abs(left).max(axis=1).toarray().ravel(), 0.0)
            divisor = np.where(divisor > 0, divisor, np.maximum(np.abs(right), term.per))
        else:
            divisor = _divisor(term)
            side = canonical.sides[position]
            left = sparse.csr_array(
                (divisor, (np.arange(count), np.arange(side.start, side.stop))), shape=(count, side.stop)
            )
            right = np.asarray(term.right, dtype=float)
        left = sparse.diags_array(sign / divisor) @ left
        right = sign * right / divisor
        if term.mode is Mode.SOFT:
            # The breach is in the program's unit; shown, it is breach × divisor / per.
            price = term.price * divisor / np.broadcast_to(term.per, (count,)) / objective
            ways = (-1.0, 1.0) if term.sense is Sense.EQUAL else (-1.0,)
            for way in ways:
                columns = builder.add_columns(count)
                give = sparse.diags_array(np.full(count, way))
                left = sparse.hstack([widened_rows(sparse.csr_array(left), columns.start), give], format="csr")
                prices += zip(range(columns.start, columns.stop), price.tolist(), strict=True)
                negative = sparse.hstack([sparse.csr_array((count, columns.start)), -sparse.eye_array(count)])
                builder.add_rows(Cone.NONNEGATIVE, negative, np.zeros(count))
        cone = Cone.ZERO if term.sense is Sense.EQUAL else Cone.NONNEGATIVE
        rows = builder.add_rows(cone, left, right)
        rules += [RuleRow(term, i, int(row), float(divisor[i]), sign) for i, row in enumerate(rows)]
    return tuple(rules), prices


def _divisor(term: Term) -> Vector:
    """Return what brings a curved row's right side to one, where its cone is round."""
    per, size = np.broadcast_to(term.per, term.right.shape), np.abs(term.right)
    return np.where(size > TINY * per, size, per).astype(float)


@dataclass(frozen=True)
class _Curved:
    """A curved term as cvxpy needs it; hashable, so that what was canonicalised once is not again."""

    left: Expression
    sense: Sense
    divisor: tuple[float, ...]
    name: str


def _canonicalise(model: Model, terms: list[Term], scale: float, objective: float) -> _Canonical:
    """Hand the curved expressions to cvxpy and take its arrays; without any, the holdings are the only columns."""
    size = model.space.size
    curved = tuple(
        (part.expression, part.weight, part.name) for part in model.objective if part.expression.affine() is None
    )
    sides = {
        position: _Curved(term.left, term.sense, tuple(_divisor(term).tolist()), term.name)
        for position, term in enumerate(terms)
        if term.left.affine() is None
    }
    costly = model.cost.affine() is None and any(limit.cost_weight for limit in model.capital_limits)
    if not (curved or sides or costly):
        empty = sparse.csr_array((0, size))
        return _Canonical(
            sparse.csr_array((size, size)), np.zeros(size), 0.0, empty, np.empty(0), [], size, slice(0, size), {}, -1
        )
    by_hand = _by_hand(curved, sides, model.cost if costly else None, size, scale, objective)
    if by_hand is not None:
        return by_hand
    found = _by_cvxpy(curved, tuple(sides.values()), model.cost if costly else None, size, scale, objective)
    return replace(found, sides=dict(zip(sides, found.sides.values(), strict=True)))


def _by_hand(
    curved: tuple[tuple[Expression, float, str], ...],
    sides: dict[int, _Curved],
    cost: Expression | None,
    size: int,
    scale: float,
    objective: float,
) -> _Canonical | None:
    """Return the program of expressions that know their epigraph; None when one of them does not."""
    valued = [(expression.epigraph(-np.sign(weight)), abs(weight) / objective) for expression, weight, _ in curved]
    ways = {Sense.AT_MOST: 1.0, Sense.AT_LEAST: -1.0}
    held = [
        (position, ways[side.sense], side.left.epigraph(ways[side.sense]), side.divisor[0])
        for position, side in sides.items()
        if side.sense in ways and len(side.divisor) == 1
    ]
    spent = None if cost is None else cost.epigraph(1.0)
    known = all(found is not None for found, _ in valued) and all(found is not None for _, _, found, _ in held)
    if not known or len(held) < len(sides) or (cost is not None and spent is None):
        return None
    rows = EpigraphRows(size, scale)
    for found, weight in valued:
        assert found is not None
        rows.minimize(found.scaled(weight))
    places = {}
    for position, way, found, divisor in held:
        assert found is not None
        places[position] = rows.bound(found.scaled(1.0 / divisor), way)
    column = -1 if spent is None else rows.bound(spent.scaled(1.0 / scale), 1.0)
    quadratic, linear, matrix, right, blocks = rows.arrays()
    return _Canonical(
        quadratic,
        linear,
        rows.constant,
        matrix,
        right,
        blocks,
        rows.width,
        slice(0, size),
        {position: slice(place, place + 1) for position, place in places.items()},
        column,
    )


@lru_cache(maxsize=16)
def _by_cvxpy(
    curved: tuple[tuple[Expression, float, str], ...],
    sides: tuple[_Curved, ...],
    cost: Expression | None,
    size: int,
    scale: float,
    objective: float,
) -> _Canonical:
    import cvxpy as cp

    variable = cp.Variable(size)
    total: Any = cp.Constant(0.0)
    for expression, weight, name in curved:
        convex = expression.convex(variable, scale) * (-weight / objective)
        _require(bool(convex.is_convex()), name)
        total = total + cp.sum(convex)
    rights: dict[int, Any] = {}
    # x must appear even if no curved expression holds it.
    constraints = [cp.sum(variable) * 0.0 <= 1.0]
    for position, side in enumerate(sides):
        divisor = np.array(side.divisor)
        right = rights[position] = cp.Variable(len(divisor))
        left = cp.multiply(1.0 / divisor, side.left.convex(variable, scale))
        fits = {Sense.AT_MOST: left.is_convex, Sense.AT_LEAST: left.is_concave, Sense.EQUAL: left.is_affine}
        _require(bool(fits[side.sense]()), side.name)
        constraints.append(_compare(left, side.sense, right))
    spent = cp.Variable(1) if cost is not None else None
    if cost is not None:
        constraints.append(cost.convex(variable, scale) / scale <= spent)
    return _canonical(cp, cp.Problem(cp.Minimize(total), constraints), variable, rights, spent)


def _canonical(cp: Any, problem: Any, variable: Any, rights: dict[int, Any], cost: Any) -> _Canonical:
    data, _, _ = problem.get_problem_data(cp.CLARABEL, solver_opts={})
    form = data["param_prob"]
    columns = form.var_id_to_col
    dims = data["dims"]
    blocks = [Block(Cone.ZERO, dims.zero), Block(Cone.NONNEGATIVE, dims.nonneg)]
    blocks += [Block(Cone.SECOND_ORDER, size) for size in dims.soc]
    blocks += [Block(Cone.SEMIDEFINITE, size) for size in dims.psd]
    blocks += [Block(Cone.EXPONENTIAL, 3)] * dims.exp
    blocks += [Block(Cone.POWER, 3, float(power)) for power in dims.p3d]
    width = len(data["c"])
    quadratic = data["P"] if data.get("P") is not None else sparse.csc_array((width, width))

    def place(symbol: Any) -> slice:
        start = int(columns[symbol.id])
        return slice(start, start + symbol.size)

    return _Canonical(
        quadratic,
        np.asarray(data["c"], dtype=float),
        float(np.asarray(form.apply_parameters()[1])),
        data["A"],
        np.asarray(data["b"], dtype=float),
        blocks,
        width,
        place(variable),
        {position: place(right) for position, right in rights.items()},
        -1 if cost is None else place(cost).start,
    )


def _compare(left: Any, sense: Sense, right: Any) -> Any:
    if sense is Sense.EQUAL:
        return left == right
    return left <= right if sense is Sense.AT_MOST else left >= right


def _require(fits: bool, name: str) -> None:
    if not fits:
        raise PluginError(
            Problem(
                Text(
                    "this term is curved the wrong way for its side: the optimizer could not be exact about it",
                    "该项的凹凸方向与其约束方向不符，优化器无法保证精确",
                ),
                where=name,
            )
        )
