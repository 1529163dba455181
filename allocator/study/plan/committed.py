"""Committed funds among the rows of a plan: what plugins project, and what the fund file says in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.config.settings import PlanSettings
from allocator.errors import InputError, Problem
from allocator.types import Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["Committed", "committed_rows", "levelled"]


@dataclass(frozen=True, eq=False)
class Committed:
    """What is called and paid out by itself.

    Parameters
    ----------
    rows : ndarray of bool (k,)
        Plan rows that are committed funds.
    called : ndarray (steps, k)
        Paid in at each step, money; also what the fund file says of other rows.
    share_paid : ndarray (steps, k)
        Part of a row's value at the end of a step that is paid out; zero for other rows.
    tables : sequence of mapping of str to DataFrame
        After each step, the tables that have moved on.
    """

    rows: NDArray[np.bool_]
    called: Vector
    share_paid: Vector
    tables: Sequence[Mapping[str, pd.DataFrame]]


def committed_rows(fund: Fund, settings: PlanSettings, size: int) -> Committed:
    """Return the committed funds of a plan of ``size`` rows, the first n of them those of the assets table.

    Parameters
    ----------
    fund : Fund
        The fund.
    settings : PlanSettings
        The fund file's ``plan`` section.
    size : int
        Rows of the plan, the first n those of the assets table.

    Raises
    ------
    InputError
        For what a projection lacks, and a row that two plugins project.
    """
    rows = np.zeros(size, dtype=bool)
    called, paid = np.zeros((settings.steps, size)), np.zeros((settings.steps, size))
    tables: list[dict[str, pd.DataFrame]] = [{} for _ in range(settings.steps)]
    names = fund.space.asset_id
    for spec in fund.registry.commitments.values() if settings.commitments else ():
        flows = spec.project(fund.inputs, settings.steps, settings.per_year)
        if flows is None:
            continue
        if rows[flows.row].any():
            what = Text("two plugins project the calls of one fund", "两个插件对同一基金作出缴款预测")
            asset = str(names[flows.row[rows[flows.row]][0]])
            raise InputError(Problem(what, fund.settings.where("plan.commitments"), asset))
        rows[flows.row] = True
        called[:, flows.row], paid[:, flows.row] = flows.called, flows.share_paid
        for found, moved in zip(tables, flows.tables, strict=True):
            found |= moved
    for name, steps in settings.calls.items():
        own = np.flatnonzero(names == name)
        called[:, own] = 0.0
        for step, amount in steps.items():
            if step <= settings.steps:
                called[step - 1, own[0]] = amount * fund.inputs.unit
    return Committed(rows, called, paid, tuple(tables))


def levelled(frame: pd.DataFrame, held: pd.Series) -> pd.DataFrame:
    """Return a table whose ``nav`` add up to what is held of each asset (by asset_id), in the same proportions.

    Parameters
    ----------
    frame : DataFrame
        With ``asset_id`` and ``nav``, money.
    held : Series
        What is held of each asset, money, by asset_id.
    """
    if not {"asset_id", "nav"} <= set(frame.columns):
        return frame
    nav = frame["nav"].to_numpy(dtype=float)
    by_asset = pd.Series(nav).groupby(frame["asset_id"].to_numpy())
    total, count = by_asset.transform("sum").to_numpy(), by_asset.transform("size").to_numpy()
    share = np.divide(nav, total, out=1.0 / count, where=total > 0.0)
    return frame.assign(nav=share * frame["asset_id"].map(held).fillna(0.0).to_numpy(dtype=float))
