"""One point of a frontier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from allocator.arrays import Vector
from allocator.solve.search.solution import Status

__all__ = ["FrontierPoint"]


@dataclass(frozen=True, eq=False)
class FrontierPoint:
    """The verified answer at one level.

    Parameters
    ----------
    level : float
        What was promised.
    reached : float
        The same figure at the answer, exactly.
    value : float
        The best of the other figure, at the answer.
    bound : float
        Certified bound of the maximized objective at this level.
    gap : float
        Bound less objective, in the objective's unit.
    status : str
        ``"optimal"`` when the gap is within the fund's ``solve.gap``.
    slope : float
        d value / d level by the promise's shadow price.
    programs : int
        Cone programs solved for it.
    alone : bool
        Whether the level needed a search of its own.
    expected_return : float
        Annual decimal.
    minimum_capital : float
        Currency units; NaN without a regime.
    ratios : mapping of str to float
        Exact ratios.
    prices : mapping of str to float
        Binding rules by row name: objective gained per unit shown by which the row is relaxed (capital limits:
        per unit of the ratio).
    holdings : ndarray (n,)
        The allocation, money.
    """

    level: float
    reached: float
    value: float
    bound: float
    gap: float
    status: Status
    slope: float
    programs: int
    alone: bool
    expected_return: float
    minimum_capital: float
    ratios: Mapping[str, float]
    prices: Mapping[str, float]
    holdings: Vector
