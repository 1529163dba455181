"""Expressions of uncertain returns: the mean of the worst scenarios; a return that holds for every mean in a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.model.epigraph import Epigraph
from allocator.model.expressions import Expression

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = ["ConditionalValueAtRisk", "RobustReturn"]


@dataclass(frozen=True, eq=False)
class ConditionalValueAtRisk(Expression):
    """Mean loss of the worst 1 − α of the scenarios, convex in the holdings.

    With losses L = −R x + b and probabilities p, the least over t of t + Σ pₛ (Lₛ − t)₊ / (1 − α). A scenario
    at the edge of the tail counts with the part of its probability that still fits.

    Parameters
    ----------
    returns : csr_array or ndarray (scenarios, n)
        R: gain of each row in each scenario, per unit of money held; divided by `Space.total` the result is a decimal.
    probability : ndarray (scenarios,)
        p, sums to one.
    confidence : float
        α in (0, 1): 0.95 looks at the worst 5%.
    shift : ndarray (scenarios,) or None
        b: losses that do not come from the holdings, such as the growth of liabilities; None is none.

    References
    ----------
    Rockafellar and Uryasev, Optimization of conditional value-at-risk, Journal of Risk 2 (2000).
    """

    returns: Any
    probability: Vector
    confidence: float
    shift: Vector | None = None

    def _losses(self, holdings: Vector) -> Vector:
        losses = -np.asarray(self.returns @ holdings)
        return losses if self.shift is None else losses + self.shift

    def _tail(self, losses: Vector) -> Vector:
        """Return the share of each scenario in the mean of the tail; sums to one."""
        order = np.argsort(-losses, kind="stable")
        room = 1.0 - self.confidence
        worse = np.cumsum(self.probability[order]) - self.probability[order]
        share = np.empty(len(losses))
        share[order] = np.clip(room - worse, 0.0, self.probability[order]) / room
        return share

    def value(self, holdings: Vector) -> Vector:
        losses = self._losses(holdings)
        return np.array([float(self._tail(losses) @ losses)])

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        import cvxpy as cp

        losses = -((self.returns * scale) @ variable)
        if self.shift is not None:
            losses = losses + self.shift
        quantile = cp.Variable(1)
        beyond = cp.pos(losses - quantile)
        return quantile + cp.reshape(self.probability @ beyond, (1,), order="C") / (1.0 - self.confidence)

    def epigraph(self, sign: float) -> Epigraph | None:
        if sign < 0:
            return None
        # R x + t + u − v = b, u and v ≥ 0: u is the excess over the quantile t, v the room below it.
        rows = sparse.csr_array(self.returns)
        count, size = rows.shape
        identity = sparse.eye_array(count)
        outputs = sparse.csr_array(sparse.hstack([np.ones((count, 1)), identity, -identity]))
        positive = np.concatenate([[False], np.ones(2 * count, dtype=bool)])
        price = np.concatenate([[1.0], self.probability / (1.0 - self.confidence), np.zeros(count)])
        right = np.zeros(count) if self.shift is None else self.shift
        none = np.zeros(2 * count + 1)
        return Epigraph(np.zeros(size), 0.0, rows, outputs, right, price, none, positive, none.astype(bool))

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        row = -(self.returns.T @ self._tail(self._losses(holdings)))
        return sparse.csr_array(np.atleast_2d(row))


@dataclass(frozen=True, eq=False)
class RobustReturn(Expression):
    """The least expected return over a set of means around the estimate, concave in the holdings.

    min over μ + δ∘u + E′v, |uᵢ| ≤ 1, ‖v‖ ≤ 1, of its product with x:  μ′x − δ′|x| − ‖E x‖. Rows without a
    history get a wide δ; the ellipsoid E is the root of the estimate's covariance times its radius.

    Parameters
    ----------
    expected : ndarray (n,)
        μ per unit of money.
    box : ndarray (n,)
        δ ≥ 0 per unit of money.
    ellipsoid : csr_array or ndarray (k, n)
        E per unit of money; no rows for none.

    References
    ----------
    Ben-Tal and Nemirovski, Robust convex optimization, Mathematics of Operations Research 23 (1998).
    """

    expected: Vector
    box: Vector
    ellipsoid: Any

    def value(self, holdings: Vector) -> Vector:
        spread = float(np.linalg.norm(self.ellipsoid @ holdings))
        return np.array([float(self.expected @ holdings - self.box @ np.abs(holdings)) - spread])

    def convex(self, variable: cp.Variable, scale: float) -> cp.Expression:
        import cvxpy as cp

        total: Any = (self.expected * scale) @ variable
        held = np.flatnonzero(self.box)
        if held.size:
            total = total - (self.box[held] * scale) @ cp.abs(variable[held])
        if self.ellipsoid.shape[0]:
            total = total - cp.norm((self.ellipsoid * scale) @ variable)
        return cp.reshape(total, (1,), order="C")

    def epigraph(self, sign: float) -> Epigraph | None:
        if sign > 0:
            return None
        # −f = −μ′x + Σ δ (u₊ + u₋) + t with x − u₊ + u₋ = 0, E x − v = 0, t ≥ ‖v‖; columns u₊, u₋, v, t.
        size, held = len(self.expected), np.flatnonzero(self.box)
        ellipsoid = sparse.csr_array(self.ellipsoid)
        count, wide = len(held), ellipsoid.shape[0]
        picked = sparse.csr_array((np.ones(count), (np.arange(count), held)), shape=(count, size))
        ones, apart = sparse.eye_array(count), int(wide > 0)
        sides = sparse.hstack([-ones, ones, sparse.csr_array((count, wide + apart))])
        none = sparse.csr_array((wide, 2 * count))
        spread = sparse.hstack([none, -sparse.eye_array(wide), sparse.csr_array((wide, apart))])
        columns = np.arange(2 * count + wide + apart)
        money = columns < 2 * count
        return Epigraph(
            -self.expected,
            0.0,
            sparse.csr_array(sparse.vstack([picked, ellipsoid])),
            sparse.csr_array(sparse.vstack([sides, spread])),
            np.zeros(count + wide),
            np.concatenate([self.box[held], self.box[held], np.zeros(wide), np.ones(apart)]),
            np.zeros(len(columns)),
            money,
            money,
            (np.append(columns[-1:], columns[2 * count : -1]),) if apart else (),
        )

    def gradient(self, holdings: Vector) -> sparse.csr_array:
        row = self.expected - self.box * np.where(holdings < 0, -1.0, 1.0)
        exposure = self.ellipsoid @ holdings
        size = float(np.linalg.norm(exposure))
        if size > 0:
            row = row - np.asarray(self.ellipsoid.T @ exposure) / size
        return sparse.csr_array(np.atleast_2d(row))
