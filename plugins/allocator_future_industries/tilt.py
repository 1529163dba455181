"""The tilts ``strategic_industries`` and ``future_industries``: the audited share of revenue in them.

An issuer scores the share of its revenue that comes from one of the nine strategic classes, or from the seven future
fields, when ``revenue_basis`` does not say that the share is unaudited or the firm's own announcement. Of a share over
several fields the part counts that the fields looked for are of those named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from allocator.plugin import Problems, Section, Text, did_you_mean
from allocator.plugin.rules import RuleBook
from allocator.plugin.tables import Column, Inputs, Measure, Table, column, contents, spelling
from allocator.plugin.terms import PartScore, TiltSpec

__all__ = ["TABLES", "TILTS", "FutureOptions", "StrategicOptions", "future_scores", "strategic_scores"]

RULES = RuleBook.load("allocator_future_industries", "rules/industries.yaml")

AUDITED = "audited"

TABLES = (
    Table(
        "issuers",
        (
            Column(
                "revenue_basis",
                Measure.CHOICE,
                Text("Basis of the revenue shares", "收入占比依据"),
                ("收入占比依据", "收入依据", "占比依据"),
                choices={
                    AUDITED: ("经审计", "审计报告", "年度审计报告"),
                    "unaudited": ("未经审计", "未审计"),
                    "announcement": ("公司公告", "自行公告", "自愿披露"),
                },
                default=AUDITED,
            ),
        ),
    ),
)


class StrategicOptions(Section):
    """``classes``: count only these of the nine; omitted: all."""

    classes: tuple[str, ...] = ()


class FutureOptions(Section):
    """``fields``: count only these of the seven; omitted: all."""

    fields: tuple[str, ...] = ()


def strategic_scores(inputs: Inputs, options: StrategicOptions) -> pd.DataFrame:
    """Return issuer, named (its class), share, basis and score of every issuer with a class.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : StrategicOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        When a class asked for is none of the nine.
    """
    known = RULES.at("strategic.classes", inputs.as_of, early=True).names
    wanted = _chosen(inputs, "strategic_industries.classes", options.classes, {name: name for name in known})
    return _scores(inputs, "strategic_class", "strategic_revenue_share", lambda cell: float(cell in wanted))


def future_scores(inputs: Inputs, options: FutureOptions) -> pd.DataFrame:
    """Return issuer, named (its fields), share, basis and score of every issuer with fields.

    Parameters
    ----------
    inputs : Inputs
        The fund, checked.
    options : FutureOptions
        The keys of the fund file.

    Raises
    ------
    InputError
        When a field asked for is none of the seven.
    """
    table = RULES.at("future.fields", inputs.as_of, early=True).table
    known = {spelling(word): name for name, words in table.items() for word in (name, *words)}
    wanted = _chosen(inputs, "future_industries.fields", options.fields, known)

    def part(cell: tuple[str, ...]) -> float:
        return sum(known.get(spelling(name)) in wanted for name in cell) / len(cell)

    return _scores(inputs, "future_fields", "future_revenue_share", part)


def _chosen(inputs: Inputs, key: str, given: tuple[str, ...], known: Mapping[str, str]) -> frozenset[str]:
    problems, chosen = Problems(), []
    names = list(dict.fromkeys(known.values()))
    for name in given:
        found = known.get(name, known.get(spelling(name)))
        if found is None:
            what = Text("no such industry", "没有该产业领域")
            place = inputs.settings.where(f"tilts.{key}")
            problems.add(what, place, name, ", ".join(names), did_you_mean(name, names))
        else:
            chosen.append(found)
    problems.raise_if_any()
    return frozenset(chosen or names)


def _scores(inputs: Inputs, named: str, share: str, part: Callable[..., float]) -> pd.DataFrame:
    issuers = inputs.table("issuers")
    if issuers is None or named not in issuers:
        return pd.DataFrame(columns=["issuer", "named", "share", "basis", "score"])
    cells = issuers[named]
    given = cells.map(lambda cell: bool(cell) if isinstance(cell, tuple) else isinstance(cell, str)).to_numpy(bool)
    chosen, shares = issuers[given], np.nan_to_num(column(issuers, share)[given])
    basis = chosen["revenue_basis"].astype(object).fillna(AUDITED)
    counts = np.array([part(cell) for cell in chosen[named]], dtype=float)
    return pd.DataFrame(
        {
            "issuer": chosen["issuer"].to_numpy(dtype=object),
            "named": [";".join(cell) if isinstance(cell, tuple) else cell for cell in chosen[named]],
            "share": column(issuers, share)[given],
            "basis": basis.to_numpy(),
            "score": shares * counts * (basis == AUDITED).to_numpy(),
        }
    )


def _tilt(name: str, label: Text, options: type[Section], scores: Callable[..., pd.DataFrame], key: str) -> TiltSpec:
    def parts(inputs: Inputs, chosen: Section) -> PartScore:
        found, known = contents(inputs), scores(inputs, chosen)
        score = pd.Series(known["score"].to_numpy(dtype=float), index=known["issuer"])
        return PartScore(found, found.column("issuer").astype(object).map(score).fillna(0.0).to_numpy(dtype=float))

    return TiltSpec.opened(name, label, options, parts, RULES.at(key, date.max).source)


TILTS = (
    _tilt(
        "strategic_industries",
        Text("Strategic emerging industries, by audited revenue", "战略性新兴产业（按经审计收入占比）"),
        StrategicOptions,
        strategic_scores,
        "strategic.classes",
    ),
    _tilt(
        "future_industries",
        Text("Future industries, by audited revenue", "未来产业（按经审计收入占比）"),
        FutureOptions,
        future_scores,
        "future.fields",
    ),
)
