"""The fund at a moment of a plan: checked inputs of that date, which the regime and the rules read as any others.

Admitted liabilities move by the present value of the payments still to come, on today's curve, and by what new
premiums add; scenarios that have happened move rates, prices and liabilities for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.errors import Problems
from allocator.inputs.fund import Inputs
from allocator.inputs.terms import column
from allocator.pipeline.scenarios import shock_fund
from allocator.stress.revalue import given_curve
from allocator.stress.shocks import at_amounts, moved_sheet
from allocator.study.plan.committed import levelled
from allocator.study.plan.projection_basis import ENDS, ProjectionBasis
from allocator.study.plan.timeline import Node

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["PlanNode", "make_moment", "moments_along", "sold_at"]


@dataclass(frozen=True, eq=False)
class PlanNode:
    """One node with the fund as it stands there.

    Parameters
    ----------
    node : Node
        When and on which branch.
    rows : ndarray of int (r,)
        Plan rows that still run, in the order of the fund's rows.
    fund : Fund
        The fund of that date, holding what it was made with.
    liabilities : float
        Change of admitted liabilities since now, money, less what a scenario gives to own funds.
    price : ndarray (k,)
        What the scenario that happens here leaves of each plan row's amount.
    rate : ndarray (k,)
        Expected return from here on.
    ages : ndarray (k,)
        Years that each plan row has been held, on average; NaN where the fund does not tell.
    """

    node: Node
    rows: NDArray[np.int64]
    fund: Fund
    liabilities: float
    price: Vector
    rate: Vector
    ages: Vector

    @cached_property
    def holdings(self) -> Vector:
        """What the fund holds here (r,)."""
        return np.nan_to_num(column(self.fund.inputs.assets, "amount"))


def sold_at(basis: ProjectionBasis, moment: PlanNode, path: Vector, bought: Vector) -> Vector:
    """Return what is sold of each plan row at a moment (k,), by amounts and purchases of all nodes (nodes, k).

    Parameters
    ----------
    basis : ProjectionBasis
        The k rows of the plan.
    moment : PlanNode
        Where.
    path : ndarray (nodes, k)
        Amounts, money.
    bought : ndarray (nodes, k)
        Purchases, money.
    """
    number, parent = moment.node.number, moment.node.parent
    before = basis.start if parent < 0 else path[parent]
    return np.asarray(basis.growth(moment.node.step).kept * moment.price * before + bought[number] - path[number])


def moments_along(basis: ProjectionBasis, nodes: Sequence[Node], path: Vector) -> tuple[PlanNode, ...]:
    """Return the fund at every node of a path.

    Parameters
    ----------
    basis : ProjectionBasis
        The k rows of the plan.
    nodes : sequence of Node
        In order, parents first.
    path : ndarray (nodes, k)
        Amounts at each node, money.
    """
    moments: list[PlanNode] = []
    for node in nodes:
        moments.append(make_moment(basis, node, path, moments))
    return tuple(moments)


def make_moment(basis: ProjectionBasis, node: Node, path: Vector, earlier: Sequence[PlanNode]) -> PlanNode:
    """Return the fund at a node.

    Parameters
    ----------
    basis : ProjectionBasis
        The k rows of the plan.
    node : Node
        When and on which branch.
    path : ndarray (nodes, k)
        Amounts at this node and those before it, money.
    earlier : sequence of PlanNode
        The nodes before it.

    Raises
    ------
    InputError
        For whatever a scenario or the regime lacks.
    """
    rows, holdings = np.flatnonzero(basis.growth(node.step).alive), path[node.number]
    first = node.parent < 0
    before = basis.start if first else path[node.parent]
    ages = basis.ages(None if first else earlier[node.parent].ages, node.step, before, holdings)
    inputs = _dated(basis, rows, holdings, node.step, ages)
    fund = basis.fund.with_inputs(inputs)
    owed = _present_value(fund) - _present_value(basis.fund) + basis.reserves(node.step)
    moved, fresh = 0.0, np.ones(basis.size)
    rate = basis.rate.copy()
    if node.scenarios:
        for scenario in node.scenarios:
            shocked = shock_fund(fund, scenario)
            fund = basis.fund.with_inputs(shocked.stressed_inputs(scenario.capital))
            moved += shocked.liabilities - shocked.own_funds
            if scenario is node.fresh:
                fresh[rows] = shocked.price
        rate[rows] += np.nan_to_num(column(fund.inputs.assets, "yield") - column(inputs.assets, "yield"))
        # The shocks moved what was held before them; what is held here is what the plan holds after them.
        frame = fund.inputs.assets
        fund = basis.fund.with_inputs(_with(fund, frame.assign(**_amounts(frame, holdings[rows]))))
    change = float(holdings[basis.funded].sum() - basis.start[basis.funded].sum())
    sheet = moved_sheet(basis.fund.inputs, change, owed + moved)
    then = basis.fund.with_inputs(replace(fund.inputs, balance_sheet=sheet))
    return PlanNode(node, rows, then, owed + moved, fresh, rate, ages)


def _dated(basis: ProjectionBasis, rows: NDArray[np.int64], holdings: Vector, step: int, ages: Vector) -> Inputs:
    """Return inputs of a later date: old rows age, new issues keep their term, paid-back ones are gone."""
    base, day = basis.fund.inputs, basis.days(step)
    frame = base.assets.iloc[basis.source[rows]].reset_index(drop=True)
    new = basis.is_new[rows]
    for name in ENDS:
        if name in frame:
            frame[name] = frame[name].where(~new, frame[name] + pd.Timedelta(days=day))
    frame = frame.assign(**_amounts(frame, holdings[rows]))
    if "holding_years" in frame:
        frame = frame.assign(holding_years=ages[rows])
    ids = base.assets["asset_id"].to_numpy(dtype=str)
    before, after = (pd.Series(x).groupby(ids[basis.source]).sum() for x in (basis.start, holdings))
    moved = {name: levelled(table, after) for name, table in basis.committed.tables[step - 1].items()}
    tables = {**at_amounts(base.tables, before, after), **moved, "assets": frame}
    # What falls due in a year is that year's, whatever days it has.
    years = step / basis.settings.per_year
    if "liabilities" in tables:
        flows = tables["liabilities"]
        later = flows.loc[~(flows["year"] <= years + 1e-9)]
        tables["liabilities"] = later.assign(year=later["year"] - years).reset_index(drop=True)
    settings = base.settings
    when: date = base.as_of + timedelta(days=day)
    kept = tuple(item for item in settings.constraints if item.name not in basis.settings.leave_out)
    changed = {"fund": settings.fund.model_copy(update={"as_of": when}), "constraints": kept, "accounts": {}}
    return Inputs(
        settings.model_copy(update=changed),
        base.balance_sheet,
        MappingProxyType(tables),
        {},
        base.kinds,
        jurisdiction=base.jurisdiction,
    )


def _amounts(frame: pd.DataFrame, held: Vector) -> Mapping[str, Any]:
    """Return the money columns at other amounts: book value and cost in proportion, face and bounds open."""
    amount = column(frame, "amount")
    per_cny = np.divide(held, amount, out=np.zeros(len(held)), where=amount > 0)
    found: dict[str, Any] = {"amount": held, "min": np.nan, "max": np.nan}
    if "face" in frame:
        found["face"] = np.nan
    for name in ("book_value", "cost"):
        if name in frame:
            given = column(frame, name)
            found[name] = np.where(amount > 0, given * per_cny, np.where(np.isnan(given), np.nan, held))
    return found


def _with(fund: Fund, frame: pd.DataFrame) -> Inputs:
    return replace(fund.inputs, tables=MappingProxyType({**fund.inputs.tables, "assets": frame}))


def _present_value(fund: Fund) -> float:
    """Return what the liabilities' net payments to come are worth on the fund's curve, money; 0 without them."""
    table = fund.inputs.table("liabilities")
    if table is None or table.empty:
        return 0.0
    problems = Problems()
    curve = given_curve(fund.inputs, problems)
    problems.raise_if_any()
    assert curve is not None
    net = table["outflow"].to_numpy(dtype=float) - np.nan_to_num(table["inflow"].to_numpy(dtype=float))
    time = table["year"].to_numpy(dtype=float, na_value=np.nan)
    return float(np.nan_to_num(net * curve.discount(time)).sum())
