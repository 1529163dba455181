"""Rules that only whole numbers can hold: least tickets, lots, names held, switches."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.errors import PluginError, Problem
from allocator.model.choices import Choices
from allocator.model.expressions import Expression
from allocator.types import Text

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["Discrete", "ShortTicket", "OddLot", "NamesHeld", "Switched"]


class Discrete(Expression):
    """A left side that only a mixed-integer solver can hold."""

    @property
    def discrete(self) -> bool:
        return True

    @abstractmethod
    def choices(self, upper: Vector) -> Choices:
        """Return what the solver must choose; ``upper`` (n,) bounds the holdings, money."""

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        what = Text("a mixed-integer rule has no convex form", "混合整数规则没有凸形式")
        raise PluginError(Problem(what, type(self).__name__))

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        """Return zeros: the value steps, it does not slope."""
        return sparse.csr_array((len(self.value(holdings)), len(holdings)))


@dataclass(frozen=True, eq=False)
class ShortTicket(Discrete):
    """How far each chosen holding is from nothing or its least ticket, whichever is nearer: min(x, (m − x)₊).

    Parameters
    ----------
    rows : ndarray of int (rows,)
        The holdings; none of them may be negative.
    ticket : ndarray (rows,)
        m > 0, money.
    """

    rows: NDArray[np.int64]
    ticket: Vector

    def value(self, holdings: Vector) -> Vector:
        held = holdings[self.rows]
        return np.minimum(held, np.maximum(self.ticket - held, 0.0))

    def choices(self, upper: Vector) -> Choices:
        count, size = len(self.rows), len(upper)
        at = sparse.csr_array((np.ones(count), (np.arange(count), self.rows)), shape=(count, size))
        # m k ≤ x ≤ u k
        inputs = sparse.csr_array(sparse.vstack([-at, at]))
        outputs = sparse.csr_array(
            sparse.vstack([sparse.diags_array(self.ticket), sparse.diags_array(-upper[self.rows])])
        )
        return Choices(inputs, outputs, np.zeros(2 * count), np.ones(count))


@dataclass(frozen=True, eq=False)
class OddLot(Discrete):
    """How far each chosen holding is from a whole number of lots: |x − L · round(x / L)|.

    Parameters
    ----------
    rows : ndarray of int (rows,)
        The holdings; none of them may be negative.
    lot : ndarray (rows,)
        L > 0, money.
    """

    rows: NDArray[np.int64]
    lot: Vector

    def value(self, holdings: Vector) -> Vector:
        held = holdings[self.rows]
        return np.abs(held - self.lot * np.round(held / self.lot))

    def choices(self, upper: Vector) -> Choices:
        count, size = len(self.rows), len(upper)
        at = sparse.csr_array((np.ones(count), (np.arange(count), self.rows)), shape=(count, size))
        lots = sparse.diags_array(self.lot)
        # x = L k
        return Choices(
            sparse.csr_array(sparse.vstack([at, -at])),
            sparse.csr_array(sparse.vstack([-lots, lots])),
            np.zeros(2 * count),
            np.floor(upper[self.rows] / self.lot * (1.0 + 1e-12)),
        )


@dataclass(frozen=True, eq=False)
class NamesHeld(Discrete):
    """The number of names held: names with any holding above zero.

    Parameters
    ----------
    rows : ndarray of int (rows,)
        The holdings that count; none of them may be negative.
    name : ndarray of int (rows,)
        The name each belongs to, 0 … names − 1.
    most : int
        The greatest number allowed.
    """

    rows: NDArray[np.int64]
    name: NDArray[np.int64]
    most: int

    def value(self, holdings: Vector) -> Vector:
        return np.array([float(len(np.unique(self.name[holdings[self.rows] > 0.0])))])

    def choices(self, upper: Vector) -> Choices:
        count, size, names = len(self.rows), len(upper), int(self.name.max(initial=-1)) + 1
        place = np.arange(count)
        # x ≤ u k of its name, Σ k ≤ N
        inputs = sparse.csr_array((np.ones(count), (place, self.rows)), shape=(count + 1, size))
        held = sparse.csr_array((-upper[self.rows], (place, self.name)), shape=(count, names))
        outputs = sparse.csr_array(sparse.vstack([held, np.ones((1, names))]))
        return Choices(inputs, outputs, np.append(np.zeros(count), float(self.most)), np.ones(names))


@dataclass(frozen=True, eq=False)
class Switched(Discrete):
    """How far each switch is from one of its two sides holding nothing: min(Σ on, Σ off).

    Parameters
    ----------
    on, off : ndarray of int
        The holdings that may be above zero while the switch is on, and while it is off; none may be negative.
    on_switch, off_switch : ndarray of int
        The switch of each, 0 … switches − 1; every switch has a holding that it must be on for.
    """

    on: NDArray[np.int64]
    on_switch: NDArray[np.int64]
    off: NDArray[np.int64]
    off_switch: NDArray[np.int64]

    def value(self, holdings: Vector) -> Vector:
        count = int(self.on_switch.max(initial=-1)) + 1
        sides = ((self.on, self.on_switch), (self.off, self.off_switch))
        return np.asarray(np.min([np.bincount(switch, holdings[rows], count) for rows, switch in sides], axis=0))

    def choices(self, upper: Vector) -> Choices:
        rows, switches = np.concatenate([self.on, self.off]), np.concatenate([self.on_switch, self.off_switch])
        sign = np.concatenate([-np.ones(len(self.on)), np.ones(len(self.off))])
        place, count = np.arange(len(rows)), int(self.on_switch.max(initial=-1)) + 1
        # x ≤ u k on the one side, x ≤ u (1 − k) on the other
        inputs = sparse.csr_array((np.ones(len(rows)), (place, rows)), shape=(len(rows), len(upper)))
        outputs = sparse.csr_array((sign * upper[rows], (place, switches)), shape=(len(rows), count))
        return Choices(inputs, outputs, np.where(sign > 0, upper[rows], 0.0), np.ones(count))
