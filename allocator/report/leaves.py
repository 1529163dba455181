"""What the leaves of the capital tree sum, so that every module of a report can be followed to the rows of a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.capital import CapitalTree, Leaf
from allocator.config.settings import Settings
from allocator.model.position import CapitalPosition

__all__ = ["BETWEEN", "leaf_entries", "summed_by"]

BETWEEN = ";"
"""Stands between the names of several leaves in one cell."""


def leaf_entries(position: CapitalPosition, settings: Settings, unit: float) -> dict[str, Any]:
    """Return the leaves for run.json, those that are nothing left out, money in ``unit`` CNY.

    Each with the module it is printed under, the charges it sums, its amount, the part of it that does not come
    from the assets, and where in the fund file that part is given.
    """
    tree = position.tree
    amounts, homes, labels = tree.values(position.holdings), tree.homes(), tree.labels
    found = {}
    for leaf in _leaves(tree):
        constant = float(tree.constants[leaf.row])
        if amounts[leaf.name] or constant:
            found[leaf.name] = {
                **{"module": homes[leaf.name], "charged": leaf.charged or leaf.name},
                **{"amount": amounts[leaf.name] / unit, "constant": constant / unit},
                "place": str(settings.where(leaf.given)) if leaf.given and constant else "",
                "label": {"en": labels[leaf.name].en, "zh": labels[leaf.name].zh},
            }
    return found


def summed_by(tree: CapitalTree, module: pd.Series, row: NDArray[np.int64]) -> list[str]:
    """Return the leaves that sum each charge, `BETWEEN` them; a charge of nothing counts for the first.

    Parameters
    ----------
    tree : CapitalTree
        The tree at the holdings of interest.
    module : Series (k,)
        Module of each charge.
    row : ndarray (k,)
        Row of the assets table of each charge.
    """
    leaves = _leaves(tree)
    names = np.array([leaf.name for leaf in leaves] + [""], dtype=object)
    held = np.zeros((len(leaves), len(row)), dtype=bool)
    first = np.full(len(row), len(leaves))
    codes, modules = pd.factorize(module)
    known = {name: code for code, name in enumerate(modules)}
    for number, leaf in enumerate(leaves):
        mine = codes == known.get(leaf.charged or leaf.name, len(modules))
        first = np.where(mine & (first == len(leaves)), number, first)
        entries = tree.coefficients[[leaf.row]]
        has = np.zeros(tree.coefficients.shape[1], dtype=bool)
        has[entries.indices[entries.data != 0.0]] = True
        held[number] = mine & has[row]
    summing = held.sum(axis=0)
    told = names[np.where(summing == 1, held.argmax(axis=0), first)] if leaves else names[first]
    for place in np.flatnonzero(summing > 1):
        told[place] = BETWEEN.join(names[:-1][held[:, place]])
    return list(told)


def _leaves(tree: CapitalTree) -> list[Leaf]:
    """Return the leaves in the order of the matrix."""
    return sorted((node for node in tree.nodes if isinstance(node, Leaf)), key=lambda leaf: leaf.row)
