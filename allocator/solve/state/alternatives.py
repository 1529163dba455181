"""Rules that may be kept or broken at a charge: one whole number each.

Broken, an alternative adds D to the coefficients of the tree's leaves; kept, a′x ≤ h. With b = 1 for broken and
columns s, r, e ≥ 0 beside the holdings, S and E their greatest amounts,

    s + r = D x,   s ≤ S b,   r ≤ S (1 − b),   a′x − e ≤ h,   e ≤ E b,

the leaves are C x + s. A condition on b looks at one column alone, so that with b decided it is a bound: what is left
is a model of the ordinary kind (see `allocator.solve.search.discrete`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.errors import InputError, Problem
from allocator.model.discrete import Switched
from allocator.model.expressions import Linear
from allocator.model.model import Model
from allocator.model.regime import OptionalBreach
from allocator.model.terms import Sense, Term
from allocator.solve.program.state_range import reachable
from allocator.solve.solvers.backends import Scip
from allocator.solve.state.interval_relaxation import leaf_columns, padded, shared_rows, widened
from allocator.types import Source, Text

__all__ = ["with_alternatives"]


def with_alternatives(model: Model, alternatives: Sequence[OptionalBreach]) -> Model:
    """Return the model that may keep or break each rule; its tree charges for none of them.

    Parameters
    ----------
    model : Model
        The model.
    alternatives : sequence of OptionalBreach
        Rules that may be broken at a charge.

    Raises
    ------
    InputError
        Without a mixed-integer solver.
    """
    if not alternatives:
        return model
    _require_solver(alternatives[0])
    assert model.tree is not None
    size, leaves = model.space.size, model.tree.coefficients.shape[0]
    most = np.maximum(np.minimum(model.space.upper, reachable(model)), 0.0)
    charged, owner = [], []
    for number, one in enumerate(alternatives):
        rows = shared_rows(sparse.csc_array(padded(one.charges, leaves, size)))
        charged += rows
        owner += [number] * len(rows)
    count, total = len(charged), len(alternatives)
    charges = sparse.csr_array(np.stack([row for _, row in charged]) if charged else np.zeros((0, size)))
    limits = padded(sparse.csr_array(np.stack([one.left for one in alternatives])), total, size)
    right = np.array([one.right for one in alternatives])
    # Columns: s and r of each charge, e of each limit.
    ceiling = np.concatenate([_greatest(charges, most)] * 2 + [np.maximum(_greatest(limits, most) - right, 0.0)])
    width = len(ceiling)
    unit = sparse.eye_array(width, format="csr")
    shares = sparse.hstack([-charges, unit[:count] + unit[count : 2 * count]])
    kept = sparse.hstack([limits, -unit[2 * count :]])
    names = tuple(one.name for one in alternatives)
    place, numbers = size + np.arange(count), np.array(owner, dtype=np.int64)
    switched = Switched(
        np.concatenate([place, size + 2 * count + np.arange(total)]),
        np.concatenate([numbers, np.arange(total)]),
        place + count,
        numbers,
    )
    per = np.full(total, model.space.total)
    terms = [
        _term("limits", Linear(sparse.csr_array(kept), np.zeros(total)), Sense.AT_MOST, right, per, names),
        _term("switches", switched, Sense.AT_MOST, np.zeros(total), per, names),
    ]
    if count:
        charge = Linear(sparse.csr_array(shares), np.zeros(count))
        rows_of = tuple(f"{names[number]} {k}" for k, number in enumerate(owner))
        terms.append(_term("charges", charge, Sense.EQUAL, np.zeros(count), np.full(count, per[0]), rows_of))
    tree = leaf_columns(model.tree, [into for into, _ in charged], width)
    return widened(model, "alternative", ceiling, tree, terms)


def _term(name: str, left: Linear | Switched, sense: Sense, right: Vector, per: Vector, rows: tuple[str, ...]) -> Term:
    label = Text("Rules kept, or broken at a charge", "遵守或付出资本代价突破的规则")
    return Term(f"alternatives:{name}", label, left, sense, right, per, "share", Source("model"), rows=rows)


def _greatest(matrix: sparse.csr_array, most: Vector) -> Vector:
    """Return the greatest value of each row of a non-negative matrix; 0 · inf counts as nothing."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.asarray(np.bincount(row, matrix.data * most[matrix.indices], matrix.shape[0]), dtype=float)


def _require_solver(first: OptionalBreach) -> None:
    if Scip.installed():
        return
    raise InputError(
        Problem(
            Text(
                "choosing which limits to break needs a mixed-integer solver, and none is installed",
                "选择突破哪些限额需要混合整数求解器，但尚未安装",
            ),
            first.where,
            hint=Text(
                "pip install 'allocator-insurance[mip]', or say true or false",
                "请执行 pip install 'allocator-insurance[mip]'，或改为 true 或 false",
            ),
        )
    )
