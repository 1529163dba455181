"""Rules in whole numbers as rows and columns of a program."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from allocator.errors import InputError, Problem
from allocator.model.choices import Choices
from allocator.model.model import Model
from allocator.model.terms import Mode
from allocator.solve.program.builder import Builder
from allocator.solve.program.program import Cone
from allocator.solve.program.state_range import reachable
from allocator.types import Text

__all__ = ["add_choices"]


def add_choices(builder: Builder, model: Model, holdings: slice, scale: float) -> tuple[tuple[Choices, range], ...]:
    """Add whole-number columns k with X x + K k ≤ h, 0 ≤ k ≤ most, for every hard rule that needs them.

    Parameters
    ----------
    builder : Builder
        Receives columns and rows.
    model : Model
        The model.
    holdings : slice
        Columns of the holdings (n).
    scale : float
        CNY per unit of money.

    Raises
    ------
    InputError
        When a row that a rule in whole numbers speaks of has no upper bound.
    """
    discrete = [term for term in model.terms if term.mode is Mode.HARD and term.left.discrete]
    if not discrete:
        return ()
    upper = np.minimum(model.space.upper, reachable(model))
    endless = np.flatnonzero(np.isinf(upper))
    if endless.size:
        what = Text(
            "a rule in whole numbers needs rows with a budget or a greatest amount", "整数规则要求各行有预算或上限"
        )
        raise InputError(Problem(what, discrete[0].name, str(model.space.asset_id[endless[0]])))
    found = []
    for term in discrete:
        choices = term.left.choices(upper)
        count = len(choices.most)
        columns = builder.add_columns(count)
        held = sparse.csr_array((choices.inputs.shape[0], holdings.start))
        between = sparse.csr_array((choices.inputs.shape[0], columns.start - holdings.stop))
        left = sparse.csr_array(sparse.hstack([held, choices.inputs * scale, between, choices.outputs]))
        largest = sparse.diags_array(1.0 / np.maximum(abs(left).max(axis=1).toarray().ravel(), 1e-300))
        builder.add_rows(Cone.NONNEGATIVE, largest @ left, largest @ choices.right)
        own = sparse.hstack([sparse.csr_array((count, columns.start)), sparse.eye_array(count)])
        builder.add_rows(Cone.NONNEGATIVE, own, choices.most)
        builder.add_rows(Cone.NONNEGATIVE, -own, np.zeros(count))
        found.append((choices, range(columns.start, columns.stop)))
    return tuple(found)
