"""Reverse stress: how far each factor must go until a ratio breaks, found on the exact engine.

A factor is a set of shocks at its far end; λ in [0, 1] scales all of them. The ratio need not fall steadily with λ
(interest rate risk turns where its scenario changes), so a grid looks for the first fall through the level and
a bracketing root finder closes in on it. Where the grid finds none up to the far end, the answer is "never".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from allocator.config.settings import parse_number
from allocator.model.position import CapitalPosition
from allocator.pipeline.scenarios import capital_of, shock_fund, stressed_fund
from allocator.rulebook.book import USER
from allocator.stress.shocks import Scenario, ShockSpec
from allocator.types import LocalizedPhrase, Text

if TYPE_CHECKING:
    from allocator.pipeline.fund import Fund

__all__ = ["ReversePoint", "ReverseStudy", "reverse_stress"]

GRID = 8
"""Intervals in which the first fall through a level is looked for."""

PRECISION = 1e-7
"""Share of the far end to which a break is located."""


@dataclass(frozen=True, slots=True)
class ReversePoint:
    """How far one factor goes before one ratio breaks.

    Parameters
    ----------
    factor : str
        Name of the factor.
    label : Text
        What a reader sees for it.
    ratio : str
        Name of the ratio.
    level : float
        What it must not fall below, decimal.
    is_statutory : bool
        Whether the level is the rules' own; else the fund's.
    share : float
        λ at the break; 0 where the ratio lies below the level already, NaN for never.
    shocks : Phrase
        The shocks at the break, or at the far end where there is none.
    reached : float
        The ratio there.
    """

    factor: str
    label: Text
    ratio: str
    level: float
    is_statutory: bool
    share: float
    shocks: LocalizedPhrase
    reached: float

    @property
    def never(self) -> bool:
        """Whether the ratio holds all the way to the far end."""
        return bool(np.isnan(self.share))


@dataclass(frozen=True, eq=False)
class ReverseStudy:
    """All factors against all levels."""

    points: tuple[ReversePoint, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line a factor and level."""
        columns = ["factor", "ratio", "level", "statutory", "share", "never", "shocks", "reached"]
        rows = [
            (item.factor, item.ratio, item.level, item.is_statutory, item.share, item.never, item.shocks, item.reached)
            for item in self.points
        ]
        return pd.DataFrame(rows, columns=columns)


def reverse_stress(fund: Fund) -> ReverseStudy:
    """Return for each factor where it breaks each ratio's statutory minimum and the fund's own requirement.

    Factors are those of ``stress.reverse``, else the far ends that the enabled shocks name.

    Raises
    ------
    InputError
        For a fund without a regime and whatever a shock lacks.
    """
    base = capital_of(fund)
    levels = [
        (item.name, level, level == item.statutory)
        for item in base.requirements
        for level in dict.fromkeys(value for value in (item.statutory, item.required) if value is not None)
    ]
    points = []
    for factor, shocks in _factors(fund).items():
        position = lru_cache(maxsize=None)(_at(fund, factor, shocks))
        points += [_point(factor, shocks, position, level, fund.registry.shocks) for level in levels]
    return ReverseStudy(tuple(points))


def _factors(fund: Fund) -> dict[str, Mapping[str, Any]]:
    given = fund.settings.stress.reverse
    if given is not None:
        return dict(given)
    return {
        name: {spec.name: end} for spec in fund.registry.shocks.values() for name, end in sorted(spec.extremes.items())
    }


def _at(fund: Fund, factor: str, shocks: Mapping[str, Any]) -> Callable[[float], CapitalPosition]:
    def position(share: float) -> CapitalPosition:
        moved = _scaled(shocks, share, fund.registry.shocks)
        scenario = Scenario(factor, Text(factor, factor), USER, moved)
        return capital_of(stressed_fund(fund, shock_fund(fund, scenario, "stress.reverse"), scenario))

    return position


def _point(
    factor: str,
    shocks: Mapping[str, Any],
    position: Callable[[float], CapitalPosition],
    level: tuple[str, float, bool],
    specs: Mapping[str, ShockSpec],
) -> ReversePoint:
    name, asked, statutory = level

    def room(share: float) -> float:
        return position(share).ratio(name) - asked

    share = _first_fall(room)
    end = 1.0 if share is None else share
    written = _written(_scaled(shocks, end, specs), specs)
    return ReversePoint(
        factor,
        _label(factor, shocks, specs),
        name,
        asked,
        statutory,
        np.nan if share is None else share,
        written,
        position(end).ratio(name),
    )


def _first_fall(room: Callable[[float], float]) -> float | None:
    """Return the smallest share found at which ``room`` falls below zero; None when it never does."""
    if room(0.0) < 0.0:
        return 0.0
    for step in range(GRID):
        low, high = step / GRID, (step + 1) / GRID
        if room(high) < 0.0:
            return float(brentq(room, low, high, xtol=PRECISION)) if room(low) > 0.0 else low
    return None


def _scaled(shocks: Mapping[str, Any], share: float, specs: Mapping[str, ShockSpec]) -> dict[str, Any]:
    """Return the shocks with every number times ``share``, save those a shock holds fixed."""

    def scale(value: Any, fixed: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            return {key: inner if key in fixed else scale(inner, fixed) for key, inner in value.items()}
        read = value if isinstance(value, bool) else parse_number(value)
        return value if isinstance(read, (bool, str)) or not isinstance(read, (int, float)) else read * share

    return {name: scale(value, specs[name].fixed if name in specs else ()) for name, value in shocks.items()}


def _label(factor: str, shocks: Mapping[str, Any], specs: Mapping[str, ShockSpec]) -> Text:
    """Return the name of a factor that a shock brings, with its direction where it has two; others keep theirs."""
    only = next(iter(shocks))
    if len(shocks) > 1 or only not in specs or factor not in specs[only].extremes:
        return Text(factor, factor)
    said, end = specs[only].label, shocks[only]
    if not isinstance(end, (int, float)) or len(specs[only].extremes) == 1:
        return said
    return Text(f"{said.en}, {'down' if end < 0 else 'up'}", f"{said.zh}（{'下行' if end < 0 else '上行'}）")


def _written(shocks: Mapping[str, Any], specs: Mapping[str, ShockSpec]) -> LocalizedPhrase:
    """Return shocks as a reader writes them: ``curve +123.5 bp``, ``equity −21.40%``; in Chinese by their labels."""

    def write(value: Any, in_rates: bool) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {write(inner, in_rates)}" for key, inner in value.items())
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return str(value)
        return (f"{1e4 * value:+,.1f} bp" if in_rates else f"{value:+,.2%}").replace("-", "−")

    labels = {name: specs[name].label.zh if name in specs else name for name in shocks}
    said = {name: write(value, name in specs and specs[name].in_rates) for name, value in shocks.items()}
    return LocalizedPhrase(
        "; ".join(f"{name} {value}" for name, value in said.items()),
        "；".join(f"{labels[name]} {value}" for name, value in said.items()),
    )
