"""What can be said before solving: bounds that cross, budgets that are missing or cannot be met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.errors import Problem, Problems
from allocator.model.model import Model
from allocator.model.terms import Mode, Sense
from allocator.types import Text

__all__ = ["check_model", "unbounded"]

SHOWN = 5
"""Names listed in one message."""


def check_model(model: Model) -> None:
    """Raise InputError for a model that no solver should see.

    Raises
    ------
    InputError
        Bounds that are not numbers or cross; rows of an account that nothing bounds from above; a budget
        that the bounds cannot meet.
    """
    problems = Problems()
    space = model.space
    crossed = np.flatnonzero(~(space.lower <= space.upper) | (space.lower == np.inf) | (space.upper == -np.inf))
    if crossed.size:
        problems.add(
            Text("the least amount lies above the greatest", "下限高于上限"),
            where=_names(model, crossed),
            got="; ".join(f"{space.lower[i]:g} > {space.upper[i]:g}" for i in crossed[:SHOWN]),
        )
        problems.raise_if_any()
    _check_budgets(model, problems)
    problems.raise_if_any()


def unbounded(model: Model, direction: NDArray[np.float64]) -> Problem:
    """Return what to say when the objective grows for ever along ``direction`` (n,).

    Parameters
    ----------
    model : Model
        The model.
    direction : ndarray (n,)
        Along which the objective grows, in any unit of money.
    """
    moving = np.flatnonzero(np.abs(direction) > 1e-6 * np.abs(direction).max(initial=0.0))
    return Problem(
        Text("the objective grows without end along these rows", "沿以下各行目标可无限增大"),
        where=_names(model, moving),
        hint=Text("bound the rows by min, max or a budget", "请用 min、max 或预算加以约束"),
    )


def _check_budgets(model: Model, problems: Problems) -> None:
    space = model.space
    bounded = np.isfinite(space.upper)
    for term in model.terms:
        linear = term.left.affine()
        if linear is None or term.mode is not Mode.HARD or term.sense is Sense.AT_LEAST:
            continue
        lowest, highest = _reach(linear.matrix, space.lower), _reach(linear.matrix, space.upper)
        for row, (low, high) in enumerate(zip(lowest, highest, strict=True)):
            span = slice(linear.matrix.indptr[row], linear.matrix.indptr[row + 1])
            members, weights = linear.matrix.indices[span], linear.matrix.data[span]
            if not len(members) or not np.all(weights > 0) or not np.isfinite(space.lower[members]).all():
                continue
            bounded[members] = True
            right = float(term.right[row] - linear.constant[row])
            slack = term.tolerance()[row] * float(np.broadcast_to(term.per, term.right.shape)[row])
            if low > right + slack:
                what = Text("the least amounts of its rows add up to more", "各行下限之和已超过该值")
                problems.add(what, where=term.row_names()[row], got=f"{low:.6g}", allowed=f"≤ {right:.6g}")
            elif term.sense is Sense.EQUAL and high < right - slack:
                what = Text("the greatest amounts of its rows do not reach it", "各行上限之和达不到该值")
                problems.add(what, where=term.row_names()[row], got=f"{high:.6g}", allowed=f"≥ {right:.6g}")
    for account in dict.fromkeys(space.account.tolist()):
        open_rows = np.flatnonzero((space.account == account) & space.funded & ~bounded)
        if open_rows.size:
            problems.add(
                Text("these rows have neither a budget nor a greatest amount", "以下各行既无预算约束也无上限"),
                where=f"{account}: {_names(model, open_rows)}",
                hint=Text("give the account a budget or the rows a max", "请为账户设置预算，或为各行设置 max"),
            )


def _reach(matrix: object, side: NDArray[np.float64]) -> NDArray[np.float64]:
    # 0 · inf must count as nothing: only stored entries take part.
    pointers, indices, data = matrix.indptr, matrix.indices, matrix.data  # type: ignore[attr-defined]
    sums = np.append(0.0, np.cumsum(np.where(np.isfinite(side[indices]), data * side[indices], 0.0)))
    endless = np.append(0, np.cumsum(~np.isfinite(side[indices])))
    total = sums[pointers[1:]] - sums[pointers[:-1]]
    return np.where(endless[pointers[1:]] > endless[pointers[:-1]], np.inf, total)


def _names(model: Model, rows: NDArray[np.int64]) -> str:
    space = model.space
    shown = [f"{space.asset_id[i]} ({space.account[i]})" for i in rows[:SHOWN]]
    return ", ".join(shown) + (f" … (+{len(rows) - SHOWN})" if len(rows) > SHOWN else "")
