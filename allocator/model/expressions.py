"""Functions of the holdings, each with its exact numpy value and its convex form from one definition.

Holdings enter as amounts x in currency units. The convex form is handed the solver's variable, which holds x in
``scale`` currency units, and returns the expression in its own unit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.model.epigraph import Epigraph

if TYPE_CHECKING:
    import cvxpy as cp

    from allocator.model.choices import Choices

__all__ = ["Expression", "Linear", "Quadratic", "Selected", "TradeCost"]


class Expression(ABC):
    """A vector-valued function of the holdings, convex or concave row by row."""

    @abstractmethod
    def value(self, holdings: Vector) -> Vector:
        """Return the exact value, shape (rows,), at holdings (n,) in currency units, by numpy alone."""

    @abstractmethod
    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        """Return the same function of ``scale · variable`` for the solver, shape (rows,).

        Parameters
        ----------
        variable : cvxpy.Variable (n,)
            Holdings in units of ``scale``.
        scale : float
            Currency units per unit of the variable.
        """

    @abstractmethod
    def gradient(self, holdings: Vector) -> sparse.csr_array:
        """Return the Jacobian (rows, n); at a kink any subgradient."""

    def epigraph(self, sign: float) -> Epigraph | None:
        """Return ``sign`` (±1) times a one-row function as an `Epigraph`; None leaves it to cvxpy.

        None also where that product is not convex.
        """
        return None

    def affine(self) -> Linear | None:
        """Return the same function as `Linear` when it is affine, else None; the solver then needs no cvxpy."""
        return None

    @property
    def discrete(self) -> bool:
        """Whether it needs whole numbers to be held: see `allocator.model.choices`."""
        return False

    def choices(self, upper: Vector) -> Choices:
        """Return what a mixed-integer solver must choose; only for a `discrete` expression.

        Raises
        ------
        TypeError
            For an expression that is not `discrete`.
        """
        raise TypeError(f"{type(self).__name__} needs no choices")


@dataclass(frozen=True, eq=False)
class Linear(Expression):
    """A x + b.

    Parameters
    ----------
    matrix : csr_array (rows, n)
        Coefficients per unit of money.
    constant : ndarray (rows,)
        What does not depend on the holdings.
    """

    matrix: sparse.csr_array
    constant: Vector

    @classmethod
    def of(cls, rows: Any, constant: Any = 0.0) -> Linear:
        """Return the expression for one dense row, several, or a sparse matrix.

        Parameters
        ----------
        rows : array_like (n,) or (rows, n), or sparse matrix
            Slopes per unit of money of each holding.
        constant : float or array_like (rows,)
            Added to each row.
        """
        matrix = sparse.csr_array(rows if sparse.issparse(rows) else np.atleast_2d(np.asarray(rows, dtype=float)))
        return cls(matrix, np.broadcast_to(np.asarray(constant, dtype=float), (matrix.shape[0],)).copy())

    def value(self, holdings: Vector) -> Vector:
        return np.asarray(self.matrix @ holdings + self.constant)

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return (self.matrix * scale) @ variable + self.constant

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        return self.matrix

    def affine(self) -> Linear | None:
        return self


@dataclass(frozen=True, eq=False)
class Selected(Expression):
    """Some rows of another expression.

    Parameters
    ----------
    whole : Expression
        The expression.
    rows : tuple of int
        Which of its rows, in order.
    """

    whole: Expression
    rows: tuple[int, ...]

    def value(self, holdings: Vector) -> Vector:
        return np.asarray(self.whole.value(holdings)[list(self.rows)])

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        return self.whole.convex(variable, scale)[list(self.rows)]

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        return sparse.csr_array(self.whole.gradient(holdings)[list(self.rows)])

    def affine(self) -> Linear | None:
        linear = self.whole.affine()
        if linear is None:
            return None
        rows = list(self.rows)
        return Linear(sparse.csr_array(linear.matrix[rows]), linear.constant[rows])


@dataclass(frozen=True, eq=False)
class Quadratic(Expression):
    """‖F (x − r) − g‖² + Σ dᵢ (xᵢ − rᵢ)²: a variance through its factors, never as a dense n × n matrix.

    Parameters
    ----------
    factors : csr_array or ndarray (k, n)
        F, per unit of money.
    specific : ndarray (n,)
        d ≥ 0, per unit of money squared.
    reference : ndarray (n,) or None
        r, money; None is zero.
    offset : ndarray (k,) or None
        g: the factors of something that is not decided, such as liabilities; None is zero.
    """

    factors: Any
    specific: Vector
    reference: Vector | None = None
    offset: Vector | None = None

    def _shifted(self, holdings: Vector) -> Vector:
        return holdings if self.reference is None else holdings - self.reference

    def _exposure(self, shifted: Vector) -> Vector:
        exposure = np.asarray(self.factors @ shifted)
        return exposure if self.offset is None else exposure - self.offset

    def value(self, holdings: Vector) -> Vector:
        shifted = self._shifted(holdings)
        exposure = self._exposure(shifted)
        return np.array([float(exposure @ exposure + self.specific @ shifted**2)])

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        import cvxpy as cp

        shifted = variable if self.reference is None else variable - self.reference / scale
        total: Any = cp.Constant(0.0)
        if self.factors.shape[0]:
            exposure = (self.factors * scale) @ shifted
            total = total + cp.sum_squares(exposure if self.offset is None else exposure - self.offset)
        held = np.flatnonzero(self.specific)
        if held.size:
            total = total + cp.sum_squares(cp.multiply(np.sqrt(self.specific[held]) * scale, shifted[held]))
        return cp.reshape(total, (1,), order="C")

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        shifted = self._shifted(holdings)
        row = 2.0 * (self.factors.T @ self._exposure(shifted)) + 2.0 * self.specific * shifted
        return sparse.csr_array(np.atleast_2d(row))

    def epigraph(self, sign: float) -> Epigraph | None:
        return None if sign < 0 else self._epigraph

    @cached_property
    def _epigraph(self) -> Epigraph:
        size, held = len(self.specific), np.flatnonzero(self.specific)
        # u = F (x − r) − g and u = √d (x − r): the function is Σ u².
        own = sparse.csr_array((np.sqrt(self.specific[held]), (np.arange(len(held)), held)), shape=(len(held), size))
        inputs = sparse.csr_array(sparse.vstack([sparse.csr_array(self.factors), own]))
        count = inputs.shape[0]
        right = np.zeros(count) if self.reference is None else np.asarray(inputs @ self.reference)
        if self.offset is not None:
            right[: len(self.offset)] += self.offset
        no = np.zeros(count, dtype=bool)
        outputs = sparse.csr_array(-sparse.eye_array(count))
        return Epigraph(np.zeros(size), 0.0, inputs, outputs, right, np.zeros(count), np.ones(count), no, no)


@dataclass(frozen=True, eq=False)
class TradeCost(Expression):
    """Σ bᵢ (xᵢ − rᵢ)₊ + sᵢ (rᵢ − xᵢ)₊ + ½ Σ qᵢ (xᵢ − rᵢ)²: what a change of the holdings costs, money.

    Parameters
    ----------
    buy, sell : ndarray (n,)
        Cost per unit of money bought and sold.
    quadratic : ndarray (n,)
        Impact per unit of money squared; zero for none.
    reference : ndarray (n,)
        Holdings before trading, money.
    least, greatest : ndarray (n,) or None
        Holdings between which the solver asks for it, money; None: anywhere. A row that cannot fall below its
        reference is only ever bought: its cost is a straight line there, without the kink at no trade, where
        a multiplier could take any value between the slopes of buying and selling.
    """

    buy: Vector
    sell: Vector
    quadratic: Vector
    reference: Vector = field(repr=False)
    least: Vector | None = field(default=None, repr=False)
    greatest: Vector | None = field(default=None, repr=False)

    def value(self, holdings: Vector) -> Vector:
        trade = holdings - self.reference
        return np.array(
            [
                float(
                    self.buy @ np.maximum(trade, 0.0)
                    + self.sell @ np.maximum(-trade, 0.0)
                    + 0.5 * self.quadratic @ trade**2
                )
            ]
        )

    def by_row(self, holdings: Vector) -> Vector:
        """Return what each row's trade costs, money."""
        trade = holdings - self.reference
        return self.buy * np.maximum(trade, 0.0) + self.sell * np.maximum(-trade, 0.0) + 0.5 * self.quadratic * trade**2

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        import cvxpy as cp

        trade = variable - self.reference / scale
        total = (self.buy * scale) @ cp.pos(trade) + (self.sell * scale) @ cp.neg(trade)
        moved = np.flatnonzero(self.quadratic)
        if moved.size:
            total = total + cp.sum_squares(cp.multiply(np.sqrt(0.5 * self.quadratic[moved]) * scale, trade[moved]))
        return cp.reshape(total, (1,), order="C")

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        trade = holdings - self.reference
        row = np.where(trade > 0, self.buy, np.where(trade < 0, -self.sell, 0.0)) + self.quadratic * trade
        return sparse.csr_array(np.atleast_2d(row))

    def affine(self) -> Linear | None:
        if self.buy.any() or self.sell.any() or self.quadratic.any():
            return None
        return Linear.of(np.zeros(len(self.reference)))

    def epigraph(self, sign: float) -> Epigraph | None:
        if sign < 0 or min(self.buy.min(initial=0.0), self.sell.min(initial=0.0), self.quadratic.min(initial=0.0)) < 0:
            return None
        return self._epigraph

    @cached_property
    def _epigraph(self) -> Epigraph:
        slope = self._one_sided()
        straight = np.where(np.isnan(slope), 0.0, slope)
        line = Epigraph.linear(straight, -float(straight @ self.reference))
        moved = (self.buy > 0) | (self.sell > 0) | (self.quadratic > 0)
        # x − r = u, free: what is left of a row that moves one way is its impact.
        bent = self._traded(np.flatnonzero(~np.isnan(slope) & (self.quadratic > 0)), (-1.0,), (np.zeros_like(slope),))
        # x − r = u₊ − u₋, both at least zero; at the least cost one of them is zero.
        kinked = self._traded(np.flatnonzero(np.isnan(slope) & moved), (-1.0, 1.0), (self.buy, self.sell))
        return line.plus(bent).plus(kinked)

    def _one_sided(self) -> Vector:
        """Return the slope, but for impact, of each row that can only be bought or only sold; NaN for the others."""
        slope = np.full(len(self.reference), np.nan)
        if self.greatest is not None:
            slope = np.where(self.greatest <= self.reference, -self.sell, slope)
        if self.least is not None:
            slope = np.where(self.least >= self.reference, self.buy, slope)
        return slope

    def _traded(self, rows: NDArray[np.int64], ways: tuple[float, ...], prices: tuple[Vector, ...]) -> Epigraph:
        """Return price′u + ½ quadratic′u² of the trades of ``rows``, a column of each sign in ``ways``."""
        size, count = len(self.reference), len(rows)
        outputs = sparse.csr_array(sparse.hstack([way * sparse.eye_array(count) for way in ways]))
        inputs = sparse.csr_array((np.ones(count), (np.arange(count), rows)), shape=(count, size))
        money = np.ones(len(ways) * count, dtype=bool)
        return Epigraph(
            np.zeros(size),
            0.0,
            inputs,
            outputs,
            self.reference[rows],
            np.concatenate([price[rows] for price in prices]),
            np.tile(0.5 * self.quadratic[rows], len(ways)),
            money if len(ways) > 1 else ~money,
            money,
        )
