"""A model as cone programs: the relaxation over a box and the restriction around a point."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from allocator.arrays import Vector
from allocator.model.model import CapitalLimit, Model
from allocator.solve.program.affine import Affine, Fragment, Rows, joined
from allocator.solve.program.base_program import Plain, compile_plain
from allocator.solve.program.program import ConeProgram, SolverResult
from allocator.solve.relaxation.boxes import Box, Branch, Knapsack, RootBox
from allocator.solve.relaxation.indexed_tree import OVER, UNDER, IndexedTree, Side
from allocator.solve.relaxation.relaxation import Relaxation, find_sides
from allocator.solve.relaxation.restriction import Restriction

__all__ = ["Assembled", "Formulation"]


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
    functions : mapping of int to Affine
        How the tree's nodes read as functions of the columns.
    loose : tuple of int
        Nodes that may lie; none in a restriction.
    """

    program: ConeProgram
    right: Vector
    limits: tuple[int, ...]
    price: float = 0.0
    functions: Mapping[int, Affine] = field(default_factory=dict)
    relaxed_nodes: tuple[int, ...] = ()


class Formulation:
    """Brings one model into solver form; the plain part and the root box are made once.

    Parameters
    ----------
    model : Model
        The model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        priced = bool(model.capital_weight)
        tree = model.tree if model.capital_limits or priced else None
        self.plain: Plain = compile_plain(model, tree)
        self.form = IndexedTree(tree, self.plain.scale) if tree is not None else None
        if self.form is None or tree is None:
            return
        self.limits = [(limit, self.form.position(limit.module)) for limit in model.capital_limits]
        self.objective_module = self.form.position(model.capital_module or tree.root.name) if priced else -1
        self.root = RootBox(self.form, Knapsack(model, self.plain.scale))
        self.sides = find_sides(self.form, self.root.whole, self._targets())
        self.relaxed = Relaxation(self.form, self.sides, self.plain.leaves, self.plain.program.size)
        self._limit_rows: dict[float, Fragment] = {}
        functions = self.relaxed.functions
        self._affine = {at: functions[at] for at in self.form.over_leaves if at in functions}

    def at(self, model: Model) -> Formulation:
        """Return the formulation of a model that differs from this one in right sides and capital limits alone.

        Columns, rows and boxes stay: the model of this one must be the loosest of them all.

        Parameters
        ----------
        model : Model
            Terms of the same names, capital limits of the same names and modules in the same order.
        """
        right = self.plain.program.right.copy()
        rights = {term.name: term.right for term in model.terms}
        for rule in self.plain.rules:
            old, new = rule.term.right, rights.get(rule.term.name, rule.term.right)
            if new is not old:
                right[rule.row] += rule.sign * float(new[rule.index] - old[rule.index]) / rule.divisor
        moved = copy(self)
        moved.plain = replace(self.plain, program=replace(self.plain.program, right=right))
        if self.form is not None:
            moved.limits = [(limit, at) for limit, (_, at) in zip(model.capital_limits, self.limits, strict=True)]
            moved._limit_rows = {}
        return moved

    def _targets(self) -> dict[int, Side]:
        targets: dict[int, Side] = {}
        for limit, position in self.limits:
            targets[position] = targets.get(position, 0) | (UNDER if limit.multiplier >= 0 else OVER)
        if self.objective_module >= 0:
            targets[self.objective_module] = targets.get(self.objective_module, 0) | UNDER
        return targets

    def price(self, per_money: float) -> float:
        """Return a price per unit of money of the objective's module in the program's units."""
        return per_money * self.plain.scale / self.plain.objective_scale

    @property
    def whole(self) -> Box | None:
        """The box of the root; None without a tree."""
        return None if self.form is None else self.root.whole

    def box(self, branch: Branch, parent: Box) -> Box:
        """Return the box of a branch that adds one decision to that of ``parent``.

        Parameters
        ----------
        branch : Branch
            The branch.
        parent : Box
            The box of the branch it adds to.
        """
        return self.root.box(branch, parent, self.relaxed.watched)

    def relaxation(
        self, box: Box | None, price: float = 0.0, margin: float = 0.0, like: Assembled | None = None
    ) -> Assembled:
        """Return the relaxation inside ``box``.

        Parameters
        ----------
        box : Box or None
            The root's or a branch's; None without a tree.
        price : float
            Price of the objective's module, program units.
        margin : float
            Ratio by which capital limits are tightened.
        like : Assembled or None
            The same relaxation, without margin, of a formulation that `at` takes to this one: what no level moves is
            taken from it.
        """
        if self.form is None or box is None:
            program = self.plain.program
            return Assembled(program, program.right, ())
        if like is not None and like.price == price and margin == 0.0:
            moved = self._like(like)
            if moved is not None:
                return moved
        fragments, relaxed_nodes = self.relaxed.rows(box)
        rows_of_tree = joined([self._limits_within(margin), *fragments])
        return self._assembled(rows_of_tree, self.relaxed.functions, price, margin, tuple(relaxed_nodes))

    def _limits_within(self, margin: float) -> Fragment:
        """Return the rows of the capital limits in a relaxation."""
        if margin not in self._limit_rows:
            rows = Rows(self.relaxed.width)
            self._add_limits(rows, self.relaxed.functions, margin, Affine({}))
            self._limit_rows[margin] = rows.frozen()
        return self._limit_rows[margin]

    def _like(self, other: Assembled) -> Assembled | None:
        """Return a relaxation without margin of another level at this one; None where its places do not do."""
        program, limits = other.program, self._limits_within(0.0)
        rows, columns, values = limits.entries
        first = len(self.plain.program.right)
        at = np.flatnonzero((program.matrix.indices >= first) & (program.matrix.indices < first + len(limits.right)))
        if len(at) != len(values):
            return None
        data = program.matrix.data.copy()
        # Both column by column, in a column by ascending row.
        data[at] = values[np.lexsort((rows, columns))]
        behind = program.right[first + len(limits.right) :]
        right = np.concatenate([self.plain.program.right, limits.right, behind])
        return replace(other, program=program.with_numbers(data, right), right=right)

    def restriction(
        self, holdings: Vector, price: float = 0.0, margin: float = 0.0, elastic: bool = False
    ) -> Assembled:
        """Return the restriction around ``holdings`` (money); ``elastic`` minimizes the miss of the limits instead.

        Parameters
        ----------
        holdings : ndarray (n,)
            The point, money.
        price : float
            Price of the objective's module, program units.
        margin : float
            Ratio by which capital limits are tightened.
        elastic : bool
            Whether the miss of the limits is minimized instead of the objective.
        """
        if self.form is None:
            return self.relaxation(None)
        amounts = self.form.amounts(holdings)
        around = Restriction(self.form, amounts, self.plain.leaves, self.plain.program.size, self._affine)
        functions = {position: around.bounded(position, side) for position, side in self._targets().items()}
        # The limits come first, wherever they are added: their rows are looked up by number.
        limits = Rows(around.rows.width + around.rows.columns)
        give = Affine.column(limits.new_column()) if elastic else Affine({})
        self._add_limits(limits, functions, margin, give)
        if elastic:
            limits.at_least_zero(give)
        rows = around.rows.frozen()
        shared = replace(rows, width=rows.width + rows.columns, columns=0)
        assembled = self._assembled(joined([limits.frozen(), shared]), functions, price, margin, ())
        if not elastic:
            return assembled
        (column,) = give.coefficients
        linear = np.zeros(assembled.program.size)
        linear[column] = 1.0
        flat = sparse.csc_array(assembled.program.quadratic.shape)
        return replace(assembled, program=replace(assembled.program, quadratic=flat, linear=linear, constant=0.0))

    def _add_limits(self, rows: Rows, functions: dict[int, Affine], margin: float, give: Affine) -> None:
        for limit, position in self.limits:
            parts = [(-limit.multiplier, functions[position]), (1.0, give)]
            if self.plain.cost >= 0:
                parts.append((-limit.cost_weight, Affine.column(self.plain.cost)))
            room = limit.available / self.plain.scale - margin * self.reference(limit)
            rows.at_least_zero(Affine.combine(parts, room))

    def _assembled(
        self, rows: Fragment, functions: dict[int, Affine], price: float, margin: float, relaxed_nodes: tuple[int, ...]
    ) -> Assembled:
        """Return the program of the plain part and ``rows``, the first of which are the capital limits."""
        base = self.plain.program
        linear = np.zeros(rows.width + rows.columns)
        constant = base.constant
        if price:
            module = functions[self.objective_module]
            constant += price * module.constant
            for column, factor in module.coefficients.items():
                linear[column] += price * factor
        program = base.extended(len(linear) - base.size, rows.entries, rows.right, rows.blocks, linear)
        right = program.right.copy()
        first = len(base.right)
        limits = tuple(range(first, first + len(self.limits)))
        for row, (limit, _) in zip(limits, self.limits, strict=True):
            right[row] += margin * self.reference(limit)
        return Assembled(replace(program, constant=constant), right, limits, price, functions, relaxed_nodes)

    def module_prices(self, assembled: Assembled, answer: SolverResult) -> dict[int, float]:
        """Return what one unit of money more of each limited or priced module costs, program units.

        Parameters
        ----------
        assembled : Assembled
            A program of this model.
        answer : SolverResult
            Its answer, with multipliers (m,).
        """
        prices: dict[int, float] = {}
        for (limit, position), row in zip(self.limits, assembled.limits, strict=True):
            prices[position] = prices.get(position, 0.0) + limit.multiplier * float(answer.dual[row])
        if self.objective_module >= 0:
            prices[self.objective_module] = prices.get(self.objective_module, 0.0) + assembled.price
        return prices

    def reference(self, limit: CapitalLimit) -> float:
        """Return the module's size at its limit, in the program's money: what a margin of one ratio point is worth."""
        return abs(limit.available / limit.multiplier) / self.plain.scale if limit.multiplier else 0.0

    @property
    def references(self) -> Vector:
        """The `reference` of each limit."""
        return np.array([self.reference(limit) for limit, _ in self.limits])

    def holdings(self, primal: Vector) -> Vector:
        """Return the holdings in currency units that a solver's point stands for."""
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
