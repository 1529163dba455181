"""Commitments to funds in a plan: what they call and pay out by themselves, whatever is decided.

A fund that was committed to calls capital when it needs it and pays out when it sells. Which funds those are and how
they are projected, a plugin says; a plan pays the calls out of the account that holds the fund, receives what is paid
out, and moves the plugin's own tables along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.arrays import Vector
from allocator.inputs.fund import Inputs
from allocator.types import Text

__all__ = ["CommitmentSpec", "CommittedFlows"]


@dataclass(frozen=True, eq=False)
class CommittedFlows:
    """The calls and distributions of r rows over the steps of a plan.

    Parameters
    ----------
    row : ndarray of int (r,)
        Their places in the assets table, each once.
    called : ndarray (steps, r)
        Paid in at each step, money, ≥ 0.
    share_paid : ndarray (steps, r)
        Part of what the row is worth at the end of the step, before calls and trades, that is paid out, in [0, 1].
    tables : sequence of mapping of str to DataFrame
        After each step, the fund's tables that have moved on. A table with ``nav`` is given by its proportions: the
        plan sets its level by what it holds.
    """

    row: NDArray[np.int64]
    called: Vector
    share_paid: Vector
    tables: Sequence[Mapping[str, pd.DataFrame]]


@dataclass(frozen=True, slots=True)
class CommitmentSpec:
    """What the hook ``allocator_commitments`` returns: how some committed funds go on.

    Parameters
    ----------
    name : str
        Its name.
    label : Text
        For reports.
    project : callable
        ``project(inputs, steps, per_year) -> CommittedFlows | None``: of a fund on its valuation date, over that many
        steps, ``per_year`` of them a year; None where the fund has no such commitments.
    """

    name: str
    label: Text
    project: Callable[[Inputs, int, int], CommittedFlows | None] = field(repr=False)
