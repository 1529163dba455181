"""What a solver hands back, before verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from allocator.arrays import Vector
from allocator.model.model import Model

__all__ = ["Solution", "Status", "Solved"]

Status = Literal["optimal", "feasible"]


@dataclass(frozen=True, eq=False)
class Solution:
    """An answer with its certificate.

    Parameters
    ----------
    holdings : ndarray (n,)
        Target amounts, money, inside their bounds.
    status : str
        ``"optimal"`` only when ``gap`` is within the tolerance asked for.
    objective : float
        Exact objective at ``holdings`` (by the expressions' and the tree's own values).
    bound : float
        Certified bound on the optimistic side.
    gap : float
        ``|bound − objective|``.
    nodes : int
        Relaxations solved.
    solver : str
        Solver that gave the answer, with its version.
    seconds : float
        Time spent solving.
    shadow_prices : mapping of str to ndarray (rows,)
        By term name: how much the objective improves per unit shown by which the row is relaxed; ≥ 0 for
        inequalities, signed (d objective / d right) for equalities.
    capital_prices : mapping of str to float
        By capital limit: how much the objective improves per unit of money of ``available`` more.
    reduced_costs : ndarray (n,)
        By row: how much its objective per unit weight must rise before it is held; 0 for rows held
        between their bounds.
    """

    holdings: Vector
    status: Status
    objective: float
    bound: float
    gap: float
    nodes: int
    solver: str
    seconds: float
    shadow_prices: Mapping[str, Vector]
    capital_prices: Mapping[str, float]
    reduced_costs: Vector


@dataclass(frozen=True, eq=False)
class Solved:
    """A model with its answer.

    Parameters
    ----------
    model : Model
        What was maximized.
    solution : Solution
        The answer.
    score_gap : float
        By how much the score of the last tilt that was sought for its own sake may fall short of the highest there
        is, a share; NaN where none was.
    """

    model: Model
    solution: Solution
    score_gap: float = np.nan
