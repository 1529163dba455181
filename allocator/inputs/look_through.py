"""What lies in each row once products are opened: the mechanics alone, free of any rule about who may look where.

The table ``underlying`` names what a product holds and in which share; a product inside another carries a name of
its own (``underlying_id``) under which further rows stand. A row that lists nothing holds itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.errors import InputError, Problem
from allocator.inputs.fund import Inputs
from allocator.types import Text

__all__ = ["Contents", "contents"]

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contents:
    """The k parts of which n rows consist; what a product leaves unlisted is no part.

    Parameters
    ----------
    inputs : Inputs
        The fund.
    row : ndarray of int (k,)
        Row of the assets table.
    underlying : ndarray of int (k,)
        Row of the underlying table where the way down ends; −1 where the row holds itself.
    share : ndarray (k,)
        Share of the row's amount, ≥ 0.
    """

    inputs: Inputs
    row: Places
    underlying: Places
    share: Vector

    def by_row(self, values: Vector) -> Vector:
        """Return Σ share × value over the parts of each row, (n,)."""
        return np.bincount(self.row, self.share * values, len(self.inputs.assets)).astype(float)

    def column(self, name: str) -> pd.Series:
        """Return a column at the parts (k,), from whichever table each part stands in; empty where it has none."""
        assets, underlying = self.inputs.assets, self.inputs.table("underlying")
        empty = pd.Series([None] * len(self.row), dtype=object)
        own = assets[name].take(self.row).reset_index(drop=True) if name in assets else empty
        if underlying is None or not (self.underlying >= 0).any():
            return own
        seen = self.underlying >= 0
        cells = own.astype(object)
        listed = underlying[name].take(self.underlying[seen]) if name in underlying else empty[seen]
        cells[seen] = listed.astype(object).to_numpy()
        return cells

    def joined(self, table: str, key: str, name: str) -> pd.Series:
        """Return column ``name`` of another table for each part's ``key`` (k,); empty without table or row."""
        frame = self.inputs.table(table)
        keys = self.column(key)
        if frame is None or name not in frame:
            return pd.Series([None] * len(keys), dtype=object)
        known = pd.Series(frame[name].astype(object).to_numpy(), index=frame[key].astype(object))
        return keys.astype(object).map(known)


def contents(inputs: Inputs, *, opened: bool = True) -> Contents:
    """Return the parts of every row, products opened layer by layer; with ``opened`` false the rows themselves.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.
    opened : bool
        Whether products are opened by the table ``underlying``.

    Raises
    ------
    InputError
        When a product lies within itself.
    """
    names, table = inputs.assets["asset_id"].astype(object), inputs.table("underlying")
    row = np.arange(len(names))
    if table is None or not opened or table.empty:
        return Contents(inputs, row, np.full(len(row), -1), np.ones(len(row)))
    below = table.groupby(table["asset_id"].astype(object)).indices
    inner = table["underlying_id"].astype(object).to_numpy() if "underlying_id" in table else np.full(len(table), None)
    listed = table["share"].fillna(0.0).to_numpy(dtype=float)
    lists = names.isin(below).to_numpy()
    ends = [(row[~lists], np.full((~lists).sum(), -1), np.ones((~lists).sum()))]
    row, within, share = row[lists], names.to_numpy()[lists], np.ones(lists.sum())
    for _ in range(len(below) + 1):
        if not len(row):
            break
        found = [below[name] for name in within]
        count = np.array([len(places) for places in found])
        place = np.concatenate(found)
        row, share = np.repeat(row, count), np.repeat(share, count) * listed[place]
        further = np.array([name in below for name in inner[place]], dtype=bool)
        ends.append((row[~further], place[~further], share[~further]))
        row, share, within = row[further], share[further], inner[place][further]
    else:
        raise InputError(
            Problem(
                Text("a product lies within itself", "产品穿透形成循环"),
                inputs.where("underlying", int(np.flatnonzero(inner == within[0])[0]), "underlying_id"),
                str(within[0]),
            )
        )
    return Contents(inputs, *(np.concatenate(part) for part in zip(*ends, strict=True)))
