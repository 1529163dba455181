"""Amounts as people write them: in ``fund.unit``, by ``(asset_id, account)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.errors import InputError, Problem, did_you_mean
from allocator.inputs import Inputs
from allocator.model.space import Space
from allocator.types import Text

__all__ = ["ROW", "Amounts", "by_row", "file_order", "labelled"]


ROW = ("asset_id", "account")
"""Names of the two levels of an index of rows."""

Amounts = pd.Series | Mapping[Any, float] | Sequence[float] | Vector
"""Amounts by row: labelled by ``(asset_id, account)``, or by ``asset_id`` where that names one row; or in the order
of the assets table."""


def file_order(inputs: Inputs) -> NDArray[np.int64]:
    """Return the rows' numbers in the order of the assets table as it was given; inside, they have another order."""
    source = inputs.sources.get("assets")
    return np.arange(len(inputs.assets)) if source is None else np.argsort(source.rows, kind="stable")


def labelled(inputs: Inputs, space: Space, values: Vector, name: str) -> pd.Series:
    """Return values (n,) as a Series by ``(asset_id, account)``, in the order of the assets table."""
    index = pd.MultiIndex.from_arrays([space.asset_id, space.account], names=ROW)
    return pd.Series(values, index, name=name).iloc[file_order(inputs)]


def by_row(inputs: Inputs, space: Space, given: Amounts, place: str = "amounts") -> Vector:
    """Return amounts (n,) in the order of the space, in the unit they were given in.

    Parameters
    ----------
    inputs : Inputs
        Where the rows came from.
    space : Space
        The rows.
    given : Series, mapping, sequence or array
        As `Amounts` says. Every row must be given: one that is left out is not taken for zero.
    place : str
        The argument's name, for messages.

    Raises
    ------
    InputError
        For labels that name no row or several, rows left out, another number of amounts than rows, and amounts that
        are no finite numbers.
    """
    if isinstance(given, Mapping):
        given = pd.Series(dict(given), dtype=object)
    values = _looked_up(space, given, place) if isinstance(given, pd.Series) else _in_order(inputs, space, given, place)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        row = int(wrong[0])
        where = f"{place}, {space.asset_id[row]}, {space.account[row]}"
        raise InputError(Problem(Text("not a finite number", "不是有限数值"), where, f"{values[row]}"))
    return values


def _in_order(inputs: Inputs, space: Space, given: Any, place: str) -> Vector:
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        what = Text(
            "amounts are numbers, or a Series by (asset_id, account)",
            "应为数值或以 (asset_id, account) 为索引的 Series",
        )
        raise InputError(Problem(what, place, type(given).__name__)) from None
    if values.shape != (space.size,):
        what = Text("one amount a row of the assets table is needed", "资产表每行须有一个金额")
        hint = Text("or give a Series by (asset_id, account)", "或给出以 (asset_id, account) 为索引的 Series")
        raise InputError(Problem(what, place, str(values.shape), f"({space.size},)", hint))
    placed = np.empty(space.size)
    placed[file_order(inputs)] = values
    return placed


def _looked_up(space: Space, given: pd.Series, place: str) -> Vector:
    pairs = list(zip(space.asset_id.tolist(), space.account.tolist(), strict=True))
    rows: dict[Any, list[int]] = {}
    for row, pair in enumerate(pairs):
        rows.setdefault(pair, []).append(row)
        rows.setdefault(pair[0], []).append(row)
    values = np.full(space.size, np.nan)
    found = np.zeros(space.size, dtype=bool)
    for label, amount in given.items():
        known = rows.get(label, [])
        if len(known) != 1 or found[known[0]]:
            raise InputError(_no_row(label, known, rows, place))
        values[known[0]] = _number(amount, label, place)
        found[known[0]] = True
    left_out = [pair for pair, seen in zip(pairs, found, strict=True) if not seen]
    if left_out:
        what = Text("rows are left out", "缺少部分行")
        hint = Text("write 0 where nothing is held", "不持有的行请填 0")
        raise InputError(Problem(what, place, ", ".join(map(str, left_out[:5])), hint=hint))
    return values


def _no_row(label: Any, known: Sequence[int], rows: Mapping[Any, Sequence[int]], place: str) -> Problem:
    if not known:
        names = [str(name) for name in rows if isinstance(name, str)]
        name = label[0] if isinstance(label, tuple) else label
        return Problem(
            Text("no row of this name", "没有该名称的行"), place, str(label), hint=did_you_mean(str(name), names)
        )
    if len(known) > 1:
        what = Text("several accounts hold it", "多个账户持有该资产")
        return Problem(what, place, str(label), hint=Text("write (asset_id, account)", "请写成 (asset_id, account)"))
    return Problem(Text("the same row twice", "同一行重复"), place, str(label))


def _number(amount: Any, label: Any, place: str) -> float:
    try:
        return float(amount)
    except (TypeError, ValueError):
        raise InputError(Problem(Text("not a number", "不是数值"), f"{place}, {label}", str(amount))) from None
