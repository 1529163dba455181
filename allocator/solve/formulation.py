"""A model as cone programs: the relaxation over a box and the restriction around a point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.model.model import CapitalLimit, Model
from allocator.solve.affine import Affine, Rows
from allocator.solve.boxes import Box, Knapsack, RootBox
from allocator.solve.form import OVER, UNDER, Form, Side
from allocator.solve.plain import Plain, compile_plain
from allocator.solve.program import Answer, ConeProgram
from allocator.solve.relaxation import Relaxed, find_sides, relax
from allocator.solve.restriction import Restriction

__all__ = ["Assembled", "Formulation"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Assembled:
    """A program ready for a solver.

    Parameters
    ----------
    program : ConeProgram
        Capital limits tightened by the margin asked for.
    right : ndarray (m,)
        Right side with the limits as they are, for bounds.
    limits : tuple of int
        Row of each capital limit.
    price : float
        Price of the objective's module, program units.
    relaxed : Relaxed or None
        How the tree's columns read; None for a restriction.
    """

    program: ConeProgram
    right: Vector
    limits: tuple[int, ...]
    price: float = 0.0
    relaxed: Relaxed | None = None


class Formulation:
    """Brings one model into solver form; the plain part and the root box are made once.

    Parameters
    ----------
    model : Model
        The model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        priced = bool(model.capital_weight) or model.per_capital
        tree = model.tree if model.capital_limits or priced else None
        self.plain: Plain = compile_plain(model, tree)
        self.form = Form(tree, self.plain.scale) if tree is not None else None
        if self.form is None or tree is None:
            return
        self.limits = [(limit, self.form.position(limit.module)) for limit in model.capital_limits]
        self.objective_module = self.form.position(model.capital_module or tree.root.name) if priced else -1
        self.root = RootBox(self.form, Knapsack(model, self.plain.scale))
        self.sides = find_sides(self.form, self.root.whole, self._targets())

    def _targets(self) -> dict[int, Side]:
        targets: dict[int, Side] = {}
        for limit, position in self.limits:
            targets[position] = targets.get(position, 0) | (UNDER if limit.multiplier >= 0 else OVER)
        if self.objective_module >= 0:
            targets[self.objective_module] = targets.get(self.objective_module, 0) | UNDER
        return targets

    def price(self, per_money: float) -> float:
        """Return a price per CNY of the objective's module in the program's units."""
        return per_money * self.plain.scale / self.plain.objective_scale

    @property
    def whole(self) -> Box | None:
        """The box of the root; None without a tree."""
        return None if self.form is None else self.root.whole

    def relaxation(self, box: Box | None, price: float = 0.0, margin: float = 0.0) -> Assembled:
        """Return the relaxation inside ``box``.

        Parameters
        ----------
        box : Box or None
            The root's or a branch's; None without a tree.
        price : float
            Price of the objective's module, program units.
        margin : float
            Ratio by which capital limits are tightened.
        """
        if self.form is None or box is None:
            program = self.plain.program
            return Assembled(program, program.right, ())
        relaxed = relax(self.form, box, self.sides, self.plain.leaves, self.plain.program.size)
        return self._assemble(relaxed.rows, relaxed.functions, price, margin, relaxed)

    def restriction(
        self, holdings: Vector, price: float = 0.0, margin: float = 0.0, elastic: bool = False
    ) -> Assembled:
        """Return the restriction around ``holdings`` (CNY); ``elastic`` minimizes the miss of the limits instead."""
        if self.form is None:
            return self.relaxation(None)
        around = Restriction(self.form, self.form.amounts(holdings), self.plain.leaves, self.plain.program.size)
        functions = {position: around.bounded(position, side) for position, side in self._targets().items()}
        return self._assemble(around.rows, functions, price, margin, None, elastic)

    def _assemble(
        self,
        rows: Rows,
        functions: dict[int, Affine],
        price: float,
        margin: float,
        relaxed: Relaxed | None,
        elastic: bool = False,
    ) -> Assembled:
        plain = self.plain
        give = Affine.column(rows.new_column()) if elastic else Affine({})
        held, shifts = [], []
        for limit, position in self.limits:
            shift = margin * self.reference(limit)
            parts = [(-limit.multiplier, functions[position]), (1.0, give)]
            if plain.cost >= 0:
                parts.append((-limit.cost_weight, Affine.column(plain.cost)))
            held.append(rows.at_least_zero(Affine.combine(parts, limit.available / plain.scale - shift)))
            shifts.append(shift)
        first = len(plain.program.right)
        linear = np.zeros(rows.width + rows.columns)
        base = plain.program
        if elastic:
            base = replace(base, linear=np.zeros(base.size), quadratic=base.quadratic * 0.0, constant=0.0)
            rows.at_least_zero(give)
            priced, price = give, 1.0
        else:
            priced = functions[self.objective_module] if price else give
        for column, factor in priced.coefficients.items():
            linear[column] += price * factor
        constant = base.constant + price * priced.constant
        program = base.extended(rows.columns, rows.entries(), rows.right, rows.blocks, linear)
        program = replace(program, constant=constant)
        right = program.right.copy()
        limits = tuple(first + row for row in held)
        right[list(limits)] += shifts
        return Assembled(program, right, limits, price, relaxed)

    def module_prices(self, assembled: Assembled, answer: Answer) -> dict[int, float]:
        """Return what one unit of money more of each limited or priced module costs, program units."""
        prices: dict[int, float] = {}
        for (limit, position), row in zip(self.limits, assembled.limits, strict=True):
            prices[position] = prices.get(position, 0.0) + limit.multiplier * float(answer.dual[row])
        if self.objective_module >= 0:
            prices[self.objective_module] = prices.get(self.objective_module, 0.0) + assembled.price
        return prices

    def reference(self, limit: CapitalLimit) -> float:
        """Return the module's size at its limit, in the program's money: what a margin of one ratio point is worth."""
        return abs(limit.available / limit.multiplier) / self.plain.scale if limit.multiplier else 0.0

    def holdings(self, primal: Vector) -> Vector:
        """Return the holdings in CNY that a solver's point stands for."""
        return np.asarray(primal[self.plain.holdings] * self.plain.scale)

    def bound_multipliers(self, dual: Vector) -> tuple[Vector, Vector]:
        """Return the multipliers of lower and upper bounds by row of the space, per unit of weight."""
        size = self.model.space.size
        lower, upper = np.zeros(size), np.zeros(size)
        rows, assets = self.plain.lower
        lower[assets] = dual[rows]
        rows, assets = self.plain.upper
        upper[assets] = dual[rows]
        rows, assets = self.plain.fixed
        lower[assets], upper[assets] = np.maximum(-dual[rows], 0.0), np.maximum(dual[rows], 0.0)
        return lower, upper
