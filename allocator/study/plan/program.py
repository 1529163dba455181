"""All moments of a plan as one model of the ordinary kind, solved and checked like any other.

For every node t with parent s, the amounts x_t (k,) and the purchases b_t (k,) of the plan rows. With A_t and P_t
what the step keeps and pays of each row, what is sold is s_t = A_t x_s + b_t − x_t ≥ 0, and every account balances:

    Σ x_t + Σ c (b_t + s_t) = Σ (A_t + P_t) x_s + cash from outside

Own funds move by what assets gain over liabilities, so a ratio r at t asks for

    r · MC_t(x_t) − Σ x_t ≤ own funds now − Σ x_0 − (L_t − L_0),

a limit on one node of the joint capital tree; a scenario that must be survived at t adds another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from allocator.arrays import Vector
from allocator.capital.joined import ScenarioTree, StressedRequirement, join_trees, stressed_requirement_name
from allocator.inputs.terms import column
from allocator.model.expressions import Linear, TradeCost
from allocator.model.mapped import Mapped
from allocator.model.model import CapitalLimit, Model
from allocator.model.regime import Regime, Requirement
from allocator.model.space import Space
from allocator.model.terms import Mode, ObjectiveTerm, Sense, Term
from allocator.stress.shocks import Scenario, Shocked
from allocator.study.plan.plan_node import PlanNode, sold_at
from allocator.study.plan.projection_basis import ProjectionBasis
from allocator.types import Certainty, Source, Text

__all__ = ["Program", "limit_name"]

Asked = Mapping[tuple[int, str, str], float]
"""(node, scenario or "", ratio) → what is required."""

OWN = Source("plan", certainty=Certainty.USER)
ROOM = 1.5
"""Multiple of an account's expected total up to which a row may grow where the fund file sets no bound."""


def limit_name(node: int, scenario: str, ratio: str) -> str:
    """Return the name of the capital limit that holds a ratio at a node.

    Parameters
    ----------
    node : int
        Number of the node.
    scenario : str
        Name of the scenario; empty for none.
    ratio : str
        Name of the ratio.
    """
    return stressed_requirement_name(_part(node, scenario), ratio)


def _part(node: int, scenario: str) -> str:
    return f"{node}/{scenario}" if scenario else f"{node}"


@dataclass(frozen=True, eq=False)
class Program:
    """The model of a plan around one path.

    Parameters
    ----------
    world : World
        Rows, growth, outside cash.
    moments : tuple of Moment
        The nodes, with charges and totals at the path.
    path : ndarray (nodes, k)
        Amounts at each node that the moments were made with, money.
    asked : mapping
        Ratios required by node, scenario and name.
    stressed : mapping of (node, scenario name) to (Scenario, Shocked, Regime)
        What each scenario that must be survived leaves at each node.
    """

    basis: ProjectionBasis
    moments: tuple[PlanNode, ...]
    path: Vector
    asked: Asked
    stressed: Mapping[tuple[int, str], tuple[Scenario, Shocked, Regime]]

    @property
    def _all(self) -> int:
        """Amounts and purchases of every node, those that can only be zero included."""
        return 2 * self.basis.size * len(self.moments)

    @property
    def width(self) -> int:
        """Columns of the model."""
        return len(self._columns)

    def spread(self, holdings: Vector) -> tuple[Vector, Vector]:
        """Return amounts and purchases (nodes, k) that an answer of the model stands for, money."""
        whole = np.zeros(self._all)
        whole[self._columns] = holdings
        table = whole.reshape(len(self.moments), 2, self.basis.size)
        return table[:, 0].copy(), self._netted(table[:, 0], table[:, 1])

    def _netted(self, path: Vector, bought: Vector) -> Vector:
        """Return the purchases without what is sold again at once: where trading is free the model cannot tell."""
        basis, net = self.basis, bought.copy()
        free = self._cost == 0.0
        for moment in self.moments:
            number, called = moment.node.number, basis.committed.called[moment.node.step - 1]
            both = np.minimum(sold_at(basis, moment, path, bought), bought[number] - called)
            net[number] -= np.where(free, np.maximum(both, 0.0), 0.0)
        return net

    @property
    def _cost(self) -> Vector:
        """Cost per unit of money traded of each plan row (k,)."""
        return np.asarray(self.basis.fund.space.linear_cost[self.basis.source] * self.basis.funded)

    def _amounts(self, node: int) -> slice:
        """Return the places of a node's amounts."""
        size = self.basis.size
        return slice(2 * size * node, 2 * size * node + size)

    def _purchases(self, node: int) -> slice:
        """Return the places of a node's purchases."""
        size = self.basis.size
        return slice(2 * size * node + size, 2 * size * (node + 1))

    def model(self) -> Model:
        """Return the model: the most assets at the end, on the average of the branches."""
        parts: list[ScenarioTree] = []
        limits: list[CapitalLimit] = []
        for moment in self.moments:
            for part, found in self._capital(moment):
                parts.append(part)
                limits += found
        cost = TradeCost(np.zeros(self.width), np.zeros(self.width), np.zeros(self.width), self._space.current)
        tree = join_trees(parts)
        return Model(self._space, (self._objective(),), tuple(self._terms()), cost, tree, tuple(limits))

    @cached_property
    def _bounded(self) -> tuple[Vector, Vector]:
        """Least and greatest of every amount and purchase, money."""
        basis = self.basis
        lower, upper = np.zeros(self._all), np.zeros(self._all)
        for moment in self.moments:
            number, held = moment.node.number, self.path[moment.node.number]
            totals = {name: float(held[basis.account == name].sum()) for name in set(basis.account.tolist())}
            most = ROOM * np.array([totals[name] for name in basis.account])
            alive = np.zeros(basis.size, dtype=bool)
            alive[moment.rows] = True
            fixed = np.where(basis.funded, 0.0, basis.start)
            lower[self._amounts(number)] = fixed
            upper[self._amounts(number)] = np.where(basis.funded, np.where(alive, most, 0.0), fixed)
            called = basis.committed.called[moment.node.step - 1]
            can_buy = alive & basis.funded & ~self._closed
            upper[self._purchases(number)] = np.where(can_buy, np.maximum(most, called), 0.0)
            lower[self._purchases(number)] = np.where(can_buy, called, 0.0)
        return lower, upper

    @cached_property
    def _columns(self) -> NDArray[np.int64]:
        """Places that can be anything but zero."""
        lower, upper = self._bounded
        return np.flatnonzero((lower != 0.0) | (upper != 0.0))

    @cached_property
    def _space(self) -> Space:
        basis, count, chosen = self.basis, len(self.moments), self._columns
        lower, upper = self._bounded
        current = np.stack([self.path, np.zeros_like(self.path)], axis=1).ravel()
        names = np.tile(basis.fund.space.asset_id[basis.source], 2 * count)
        funded = np.tile(np.concatenate([basis.funded, np.zeros(basis.size, dtype=bool)]), count)
        total = float(basis.start[basis.funded].sum())
        return Space(
            names[chosen],
            np.tile(basis.account, 2 * count)[chosen],
            current[chosen],
            lower[chosen],
            upper[chosen],
            funded[chosen],
            np.zeros(self.width),
            total,
            basis.fund.inputs.unit,
            basis.fund.inputs.jurisdiction.currency,
        )

    @cached_property
    def _closed(self) -> NDArray[np.bool_]:
        """Old contracts with a new issue beside them are not bought any more."""
        renewed = np.zeros(len(self.basis.force), dtype=bool)
        renewed[self.basis.source[self.basis.is_new]] = True
        return np.asarray(renewed[self.basis.source] & ~self.basis.is_new)

    def _objective(self) -> ObjectiveTerm:
        last = max(moment.node.step for moment in self.moments)
        total = self._space.total
        row = np.zeros(self._all)
        for moment in self.moments:
            if moment.node.step == last:
                row[self._amounts(moment.node.number)] = moment.node.probability * self.basis.funded / total
        years = last / self.basis.settings.per_year
        label = Text("Assets at the end, a year", "期末资产（年化）")
        return ObjectiveTerm("assets_at_end", label, Linear.of(row[self._columns] / years, -1.0 / years))

    def _terms(self) -> Iterator[Term]:
        for moment in self.moments:
            yield from self._steps(moment)
            yield from self._bounds(moment)
            yield from self._rules(moment)

    def _parent(self, moment: PlanNode) -> tuple[Vector, sparse.csr_array | None]:
        """Return the amounts before as a constant, or as a selection of the parent's columns."""
        if moment.node.parent < 0:
            return self.basis.start, None
        return np.zeros(self.basis.size), self._selection(self._amounts(moment.node.parent))

    def _selection(self, places: slice) -> sparse.csr_array:
        """Return the matrix that takes a node's amounts or purchases (k,) out of the columns."""
        first, last = np.searchsorted(self._columns, [places.start, places.stop])
        chosen = np.arange(first, last)
        rows = self._columns[chosen] - places.start
        return sparse.csr_array((np.ones(len(chosen)), (rows, chosen)), shape=(self.basis.size, self.width))

    def _steps(self, moment: PlanNode) -> Iterator[Term]:
        """Balance of every account, what is sold, and how much may be."""
        basis, number, step = self.basis, moment.node.number, moment.node.step
        growth = basis.growth(step)
        kept, paid = growth.kept * moment.price, growth.paid
        constant, before = self._parent(moment)
        now, bought = self._selection(self._amounts(number)), self._selection(self._purchases(number))
        cost = self._cost
        empty = sparse.csr_array((basis.size, self.width))
        old = empty if before is None else before
        sold = sparse.csr_array(_scaled(kept, old) + bought - now)
        total = basis.fund.space.total
        yield _term(f"sales[{number}]", Text("Sales", "卖出"), sold, Sense.AT_LEAST, -kept * constant, total)
        groups = _groups(basis.account, basis.funded)
        net = now + _scaled(cost, bought + sold) - _scaled(kept + paid, old)
        cash = basis.outside(step)
        right = np.array([cash[name] for name in groups])
        members = _indicator(list(groups.values()), basis.size)
        right = right + members @ ((kept + paid - cost * kept) * constant)
        label = Text("Balance of the account", "账户收支平衡")
        yield _term(f"balance[{number}]", label, members @ net, Sense.EQUAL, right, total, tuple(groups))
        held = self.path[number]
        most = members @ (basis.funded * held) * (1.0 + ROOM / 10.0)
        label = Text("Room of the account", "账户规模上限")
        yield _term(f"room[{number}]", label, members @ now, Sense.AT_MOST, most, total, tuple(groups))
        reference = basis.start if moment.node.parent < 0 else self.path[moment.node.parent]
        owed = np.array([cash[name] for name in groups]) + members @ (paid * reference)
        share = basis.settings.turnover * float(held[basis.funded].sum()) - float(np.minimum(owed, 0.0).sum())
        row = basis.funded.astype(float)[None, :]
        right = np.array([share]) - row @ (kept * constant)
        label = Text("Sales at one step", "单期卖出")
        yield _term(f"turnover[{number}]", label, sparse.csr_array(row) @ sold, Sense.AT_MOST, right, total)

    def _bounds(self, moment: PlanNode) -> Iterator[Term]:
        """Bounds of the fund file, old rows and new issues together, as shares of what their account holds.

        A committed fund shrinks as it pays out and grows as it calls: its bounds are shares of what it becomes by
        itself; one that is not held yet stays at that.
        """
        basis, number = self.basis, moment.node.number
        assets = basis.fund.inputs.assets
        pairs = _indicator([np.flatnonzero(basis.source == row) for row in range(len(assets))], basis.size)
        alive = np.zeros(basis.size)
        alive[moment.rows] = 1.0
        held, start = self.path[number], basis.start
        scale = np.ones(basis.size)
        for rows in _groups(basis.account, basis.funded).values():
            before = float(start[rows].sum())
            scale[rows] = float(held[rows].sum()) / before if before > 0 else 1.0
        scale = scale[: len(assets)]
        funded = np.asarray(basis.fund.space.funded)
        own, untouched = basis.committed.rows[: len(assets)], basis.untouched[moment.node.step, : len(assets)]
        first = start[: len(assets)]
        for name, sense in (("min", Sense.AT_LEAST), ("max", Sense.AT_MOST)):
            bound = column(assets, name)
            level = bound * scale
            part = np.divide(bound, first, out=np.ones(len(bound)), where=first > 0.0)
            level = np.where(own, part * untouched, level)
            given = np.flatnonzero(funded & ~np.isnan(bound) & (pairs @ alive > 0))
            if len(given):
                left = sparse.csr_array((pairs @ self._selection(self._amounts(number)))[given])
                names = tuple(f"{basis.fund.space.asset_id[row]}, {basis.fund.space.account[row]}" for row in given)
                label = Text(f"{name} of the rows", "各行下限" if name == "min" else "各行上限")
                yield _term(f"{name}[{number}]", label, left, sense, level[given], basis.fund.space.total, names)

    def _rules(self, moment: PlanNode) -> Iterator[Term]:
        """The fund's own rules at that date; budgets are the plan's business."""
        mapping = self._running(moment)
        for term in moment.fund.terms:
            if term.mode is Mode.MONITOR or term.source.document == "accounts":
                continue
            yield Term(
                f"{term.name}@{moment.node.number}",
                term.label,
                Mapped(term.left, mapping),
                term.sense,
                term.right,
                term.per,
                term.unit,
                term.source,
                term.mode,
                term.price,
                term.rows,
                term.priority,
            )

    def _running(self, moment: PlanNode) -> sparse.csr_array:
        """Return the selection of the rows that run at a moment."""
        return sparse.csr_array(self._selection(self._amounts(moment.node.number))[moment.rows])

    def _capital(self, moment: PlanNode) -> Iterator[tuple[ScenarioTree, Sequence[CapitalLimit]]]:
        """The moment's own tree, and one for each scenario to be survived there."""
        basis, number = self.basis, moment.node.number
        mapping = self._running(moment)
        funded = self._selection(self._amounts(number)).T @ basis.funded.astype(float)
        start = float(basis.start[basis.funded].sum())
        regime = moment.fund.regime
        now = basis.fund.regime
        assert regime is not None and now is not None
        outcomes: list[tuple[str, Regime, sparse.csr_array, Vector, float]] = [
            ("", regime, mapping, funded, moment.liabilities)
        ]
        for (node, name), (_, shocked, after) in self.stressed.items():
            if node == number:
                gain = funded + mapping.T @ shocked.gain
                owed = moment.liabilities + shocked.liabilities - shocked.own_funds
                outcomes.append((name, after, _scaled(shocked.price, mapping), gain, owed))
        for name, then, selection, gain, owed in outcomes:
            promises, limits = [], []
            for requirement in now.requirements():
                ratio = self.asked.get((number, name, requirement.name))
                if ratio is None:
                    continue
                promises.append(StressedRequirement(requirement.name, ratio, gain))
                limits.append(_limit(number, name, requirement, requirement.capital - start - owed))
            held = np.asarray(selection @ self._space.current)
            yield ScenarioTree(_part(number, name), then.tree(held), selection, tuple(promises)), limits


def _limit(node: int, scenario: str, requirement: Requirement, available: float) -> CapitalLimit:
    name = limit_name(node, scenario, requirement.name)
    label = Text(f"{requirement.name} ratio at {node}", f"节点 {node} 的 {requirement.name} 充足率")
    return CapitalLimit(name, label, name, 1.0, available, 0.0)


def _term(
    name: str, label: Text, left: sparse.csr_array, sense: Sense, right: Vector, per: float, rows: tuple[str, ...] = ()
) -> Term:
    matrix = sparse.csr_array(left)
    count = matrix.shape[0]
    names = rows or (tuple(map(str, range(count))) if count > 1 else ())
    return Term(
        name, label, Linear(matrix, np.zeros(count)), sense, right, np.full(count, per), "share", OWN, rows=names
    )


def _scaled(factors: Vector, matrix: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array(sparse.diags_array(factors) @ matrix)


def _groups(account: NDArray[np.str_], funded: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    return {name: np.flatnonzero((account == name) & funded) for name in dict.fromkeys(account.tolist())}


def _indicator(groups: Sequence[NDArray[np.int64]], size: int) -> sparse.csr_array:
    none = np.empty(0, dtype=np.int64)
    rows = np.concatenate([none, *(np.full(len(group), place) for place, group in enumerate(groups))])
    members = np.concatenate([none, *groups])
    return sparse.csr_array((np.ones(len(members)), (rows, members)), shape=(len(groups), size))
