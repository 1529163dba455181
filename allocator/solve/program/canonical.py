"""The curved parts of a model in cone form: by hand where they know their epigraph, by cvxpy where they do not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.errors import PluginError, Problem
from allocator.model.expressions import Expression
from allocator.model.model import Model
from allocator.model.terms import Sense, Term
from allocator.solve.program.epigraph_rows import EpigraphRows
from allocator.solve.program.program import Block, Cone
from allocator.types import Text

__all__ = ["Canonical", "canonicalise", "divisor_of"]


TINY = 1e-6
"""A right side below this share of the row's unit counts as none: the unit itself then sets the scale."""


@dataclass(frozen=True, eq=False)
class Canonical:
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


def divisor_of(term: Term) -> Vector:
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


def canonicalise(model: Model, terms: list[Term], scale: float, objective: float) -> Canonical:
    """Hand the curved expressions to cvxpy and take its arrays; without any, the holdings are the only columns.

    Parameters
    ----------
    model : Model
        The model.
    terms : list of Term
        Hard and soft terms, without those in whole numbers.
    scale : float
        Currency units per unit of money.
    objective : float
        Objective per unit of the program's.
    """
    size = model.space.size
    curved = tuple(
        (part.expression, part.weight, part.name) for part in model.objective if part.expression.affine() is None
    )
    sides = {
        position: _Curved(term.left, term.sense, tuple(divisor_of(term).tolist()), term.name)
        for position, term in enumerate(terms)
        if term.left.affine() is None
    }
    costly = model.cost.affine() is None and any(limit.cost_weight for limit in model.capital_limits)
    if not (curved or sides or costly):
        empty = sparse.csr_array((0, size))
        return Canonical(
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
) -> Canonical | None:
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
    return Canonical(
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
) -> Canonical:
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


def _canonical(cp: Any, problem: Any, variable: Any, rights: dict[int, Any], cost: Any) -> Canonical:
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

    return Canonical(
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
