"""The tilt ``frontier_venture``: venture funds in frontier fields, and incubators.

A fund scores the share of the fields its agreement names that are frontier fields, an incubator 1. A young company has
no audited revenue to go by: the agreement is what binds the manager.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from allocator.plugin import Problems, Section, Text
from allocator.plugin.tables import Column, Inputs, Measure, Table, contents, flags
from allocator.plugin.terms import PartScore, TiltSpec
from allocator_venture.commitments import RULES
from allocator_venture.parameters import load_parameters
from allocator_venture.technology import named_fields

__all__ = ["TILTS", "TILT_TABLES", "FrontierOptions", "parts"]

TILT_TABLES = (
    Table(
        "funds",
        (
            Column(
                "incubator",
                Measure.FLAG,
                Text("Incubator or fund that backs incubators", "孵化器或投向孵化器的基金"),
                ("孵化器", "是否孵化器"),
            ),
        ),
    ),
)


class FrontierOptions(Section):
    """``incubators``: whether an incubator scores whatever its fields are."""

    incubators: bool = True


def parts(inputs: Inputs, options: FrontierOptions) -> PartScore:
    """Score the venture funds of the table ``funds`` by the fields of their latest vintage that names any.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : FrontierOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        For a field that is not known.
    """
    rows, table = contents(inputs, opened=False), inputs.table("funds")
    if table is None or "technology_fields" not in table:
        return PartScore(rows, np.zeros(len(rows.row)))
    frontier = frozenset(RULES.at("frontier.fields", inputs.as_of, early=True).names)
    problems = Problems()
    named = named_fields(inputs, table, load_parameters(), problems)
    problems.raise_if_any()
    incubator = flags(table, "incubator") & options.incubators
    scores = pd.Series(
        [
            1.0 if own else float(np.mean([field in frontier for field in fields])) if fields else np.nan
            for own, fields in zip(incubator, named, strict=True)
        ],
        index=table["asset_id"].astype(object),
        dtype=float,
    )
    latest = scores.groupby(level=0, sort=False).last()
    venture = inputs.assets["kind"].isin(RULES.at("venture.kinds", inputs.as_of).names).to_numpy(dtype=float)
    found = inputs.assets["asset_id"].astype(object).map(latest).fillna(0.0).to_numpy(dtype=float)
    return PartScore(rows, venture * found)


TILTS = (
    TiltSpec.opened(
        "frontier_venture",
        Text("Venture funds in frontier fields, and incubators", "前沿领域创投基金与孵化器"),
        FrontierOptions,
        parts,
        RULES.at("frontier.fields", date.max).source,
    ),
)
