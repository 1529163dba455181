"""Calls and distributions at the steps of a plan, from the table ``funds``.

`allocator_venture.takahashi_alexander` knows whole years. Within a year its calls come in equal parts, and each of p
steps pays out 1 − (1 − RD)^(1/p) of what the fund is worth, so that a year pays out RD of it. By vintage, with g the
growth of a step,

    NAV(s) = NAV(s−1) · (1 + g) · (1 − rd(s)) + C(s),   PIC(s) = PIC(s−1) + C(s).

An asset pays out what its vintages do together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plugin import Text, Vector
from allocator.plugin.stress import CommitmentSpec, CommittedFlows
from allocator.plugin.tables import Inputs, column
from allocator_venture.funds import fund_terms
from allocator_venture.takahashi_alexander import project

__all__ = ["COMMITMENTS", "plan_flows"]


def plan_flows(inputs: Inputs, steps: int, per_year: int) -> CommittedFlows | None:
    """Return what the funds of the table ``funds`` call and pay out at each step; None without that table.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    steps : int
        Steps of the plan.
    per_year : int
        Steps a year.

    Raises
    ------
    InputError
        As `allocator_venture.funds.fund_terms`.
    """
    if inputs.table("funds") is None:
        return None
    terms, table = fund_terms(inputs)
    assets = inputs.assets
    names = pd.unique(table["asset_id"])
    row = np.flatnonzero(assets["asset_id"].isin(names).to_numpy())
    if not row.size:
        return None
    asset = pd.Index(names).get_indexer(pd.Index(assets["asset_id"].iloc[row]))
    vintage_of = pd.Index(names).get_indexer(pd.Index(table["asset_id"]))

    years = -(-steps // per_year)
    path = project(terms, years)
    grown = path.nav - path.calls + path.distributions
    rate = np.divide(path.distributions, grown, out=_last_rate(terms.age, terms.life, years), where=grown > 0.0)
    called, paid, tables = np.zeros((steps, len(row))), np.zeros((steps, len(row))), []
    share = _shares(inputs, row, asset, len(names))
    nav, paid_in = terms.nav, terms.paid_in
    for step in range(steps):
        year = step // per_year
        worth = nav * (1.0 + terms.growth) ** (1.0 / per_year)
        out = 1.0 - (1.0 - rate[:, year]) ** (1.0 / per_year)
        calls = path.calls[:, year] / per_year
        nav, paid_in = worth * (1.0 - out) + calls, paid_in + calls
        called[step] = np.bincount(vintage_of, calls, len(names))[asset] * share
        paid[step] = _weighted(out, worth, vintage_of, len(names))[asset]
        tables.append(_moved(table, paid_in, nav))
    return CommittedFlows(row, called, paid, tuple(tables))


def _last_rate(age: NDArray[np.int64], life: Vector, years: int) -> Vector:
    """Return the rate of distribution of a fund without NAV (k, years): all of it once its life is over."""
    return np.where(age[:, None] + np.arange(1, years + 1) >= life[:, None], 1.0, 0.0)


def _shares(inputs: Inputs, row: NDArray[np.int64], asset: NDArray[np.int64], count: int) -> Vector:
    """Return which part of its asset each row is: by amounts, in equal parts while nothing is held."""
    current = np.nan_to_num(column(inputs.assets, "amount")[row])
    total, number = np.bincount(asset, current, count)[asset], np.bincount(asset, minlength=count)[asset]
    return np.where(total > 0.0, current / np.where(total > 0.0, total, 1.0), 1.0 / number)


def _weighted(values: Vector, weights: Vector, group: NDArray[np.int64], count: int) -> Vector:
    """Return the mean of each group by weights; the plain mean where they are all zero."""
    total = np.bincount(group, weights, count)
    plain = np.bincount(group, values, count) / np.bincount(group, minlength=count)
    return np.divide(np.bincount(group, values * weights, count), total, out=plain, where=total > 0.0)


def _moved(table: pd.DataFrame, paid_in: Vector, nav: Vector) -> Mapping[str, pd.DataFrame]:
    return {"funds": table.assign(paid_in=paid_in, nav=nav)}


COMMITMENTS = (
    CommitmentSpec("funds", Text("Calls and distributions of committed funds", "已认缴基金的缴款与分配"), plan_flows),
)
"""What the hook ``allocator_commitments`` returns."""
