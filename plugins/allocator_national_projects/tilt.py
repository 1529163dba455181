"""The tilt ``national_projects``: what evidence says of each issuer, and how much it counts.

An issuer scores 1 when the flag is set and evidence, source and date are given and the date is no more than N months
old; older evidence scores less. No evidence, evidence dated after the valuation, or a firm's own announcement: 0.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from allocator.plugin import Number, Section, Text
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Inputs, contents, flags
from allocator.plugin.terms import PartScore, TiltSpec

__all__ = ["NAME", "TILTS", "Evidence", "ProjectOptions", "evidence", "parts"]

NAME = "national_projects"
RULES = RuleBook.load("allocator_national_projects", "rules/national_projects.yaml")


class ProjectOptions(Section):
    """``months``: how long evidence counts in full; ``stale``: score of older evidence; omitted: the rule book's."""

    months: Annotated[int, Field(ge=0)] | None = None
    stale: Annotated[Number, Field(ge=0, le=1)] | None = None


class Evidence(StrEnum):
    """What the evidence of an issuer is worth."""

    FRESH = "fresh"
    STALE = "stale"
    ANNOUNCED = "announced"
    MISSING = "missing"
    LATER = "later"


def evidence(inputs: Inputs, options: ProjectOptions) -> pd.DataFrame:
    """Return what is known of every issuer whose flag is set.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : ProjectOptions
        The keys of the fund file.

    Returns
    -------
    DataFrame
        issuer, evidence, source, date, state (`Evidence`), score in [0, 1].
    """
    issuers = inputs.table("issuers")
    columns = {name: f"national_project_{name}" for name in ("evidence", "source", "date")}
    if issuers is None:
        return pd.DataFrame(columns=["issuer", *columns, "state", "score"])
    carried = issuers[flags(issuers, "national_project")].reset_index(drop=True)
    frame = pd.DataFrame({"issuer": carried["issuer"], **{name: carried[key] for name, key in columns.items()}})
    as_of, given = pd.Timestamp(inputs.as_of), pd.to_datetime(frame["date"])
    months = RULES.at("fresh.months", inputs.as_of).or_user(options.months).number
    words = [word.casefold() for word in RULES.at("own_announcement", inputs.as_of).names]
    source = frame["source"].astype(object).fillna("")
    announced = source.map(lambda cell: any(word in str(cell).casefold() for word in words)).to_numpy(dtype=bool)
    missing = frame[["evidence", "source", "date"]].isna().any(axis=1).to_numpy()
    later = (given > as_of).to_numpy()
    stale = (given < as_of - pd.DateOffset(months=int(months))).to_numpy()
    states = [Evidence.MISSING, Evidence.ANNOUNCED, Evidence.LATER, Evidence.STALE]
    frame["state"] = np.select([missing, announced, later, stale], [str(state) for state in states], Evidence.FRESH)
    old = RULES.at("stale.weight", inputs.as_of).or_user(options.stale).number
    frame["score"] = frame["state"].map({Evidence.FRESH: 1.0, Evidence.STALE: old}).fillna(0.0).astype(float)
    return frame


def parts(inputs: Inputs, options: ProjectOptions) -> PartScore:
    """Score everything by the evidence of its issuer.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : ProjectOptions
        The keys of the fund file.
    """
    found = contents(inputs)
    known = evidence(inputs, options)
    score = pd.Series(known["score"].to_numpy(dtype=float), index=known["issuer"].astype(object))
    return PartScore(found, found.column("issuer").astype(object).map(score).fillna(0.0).to_numpy(dtype=float))


TILTS = (
    TiltSpec.opened(
        NAME,
        Text("Firms with national major science-and-technology projects", "承担国家重大科技项目的企业"),
        ProjectOptions,
        parts,
        RULES.at("support", date.max).source,
    ),
)
