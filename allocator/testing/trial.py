"""The small fund that the suite tries plugins on: the one that ``allocator init`` writes, with every table."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import yaml

from allocator.api import Fund
from allocator.config.settings import parse_date
from allocator.extension.registry import Registry
from allocator.inputs import from_frames
from allocator.inputs.core_tables import declared_tables
from allocator.model.specs import STATUTORY
from allocator.testing.template import template_files
from allocator.types import Column, Measure, Table

__all__ = ["Trial", "trial_fund"]

NEW_TABLE_ROWS = 5
"""Rows of a table that the plugin declares and the template does not know."""

_LEFT_OUT = ("curve_history",)
"""Tables of the template that may not stand beside another one of it."""


@dataclass(frozen=True)
class Trial:
    """With what the suite tries a plugin.

    Parameters
    ----------
    options : mapping of str to mapping
        Offer (``hook.offer`` where two share a name) → its options as the fund file would state them. Without an
        entry: the ``examples`` of its fields that have no default.
    money : collection of str
        Options that are amounts in ``fund.unit``.
    cells : mapping of str to sequence
        ``"table.column"`` → cells, repeated as needed. Columns that the plugin itself declares hold plausible
        values of their measure and range where this does not say otherwise.
    settings : mapping
        Sections of the fund file in the place of the template's.
    seconds : float
        What one call may take.
    seed : int
        Of the random points.
    """

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    money: Collection[str] = frozenset()
    cells: Mapping[str, Sequence[Any]] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    seconds: float = 30.0
    seed: int = 0


def trial_fund(registry: Registry, trial: Trial, filled: Sequence[Table] = (), money: float = 1.0) -> Fund:
    """Return the small fund.

    Parameters
    ----------
    registry : Registry
        Enabled plugins.
    trial : Trial
        What departs from the template.
    filled : sequence of Table
        Declarations whose empty columns are filled in.
    money : float
        The fund's unit is divided, and every amount multiplied, by this: the same fund in another unit.
    """
    files = template_files(registry)
    content: dict[str, Any] = {**yaml.safe_load(files["fund.yaml"]), **trial.settings}
    content["inputs"] = {}
    # What the law asks of a fund comes with whichever plugin offers it: the small fund is the same without.
    content["constraints"] = [rule for rule in content.get("constraints") or [] if rule != STATUTORY]
    frames = {
        name.removesuffix(".csv"): pd.read_csv(io.BytesIO(text), dtype=str, keep_default_na=False, encoding="utf-8-sig")
        for name, text in files.items()
        if name.endswith(".csv") and name.removesuffix(".csv") not in _LEFT_OUT
    }
    for table in filled:
        frames[table.name] = _filled(frames[table.name], table, frames, parse_date(str(content["fund"]["as_of"])))
    for key, cells in trial.cells.items():
        name, _, column = key.partition(".")
        frames[name][column] = np.resize(np.array(cells, dtype=object), len(frames[name]))
    if money != 1.0:
        _rescale(content, frames, registry, money)
    known = {name: frame for name, frame in frames.items() if len(frame)}
    return Fund.of(from_frames(content, known, registry), registry)


def _filled(frame: pd.DataFrame, table: Table, frames: Mapping[str, pd.DataFrame], as_of: Any) -> pd.DataFrame:
    """Return the frame with plausible cells in every declared column that has none."""
    count = len(frame) or NEW_TABLE_ROWS
    frame = frame.reindex(range(count), fill_value="")
    for column in table.columns:
        if column.name in frame and (frame[column.name] != "").any():
            continue
        target = table.references.get(column.name)
        known = list(frames[target[0]][target[1]]) if target else _plausible(column, count, as_of)
        frame[column.name] = [str(known[row % len(known)]) for row in range(count)]
    return frame


def _plausible(column: Column, count: int, as_of: Any) -> Sequence[Any]:
    low = 0.0 if column.minimum is None else column.minimum
    high = low + 1.0 if column.maximum is None else column.maximum
    numbers = np.linspace(low, high, count)
    made: dict[Measure, Sequence[Any]] = {
        Measure.TEXT: [f"{column.name} {row + 1}" for row in range(count)],
        Measure.LIST: ["one;two", "two", ""],
        Measure.FLAG: ["yes", "no"],
        Measure.DATE: [as_of - timedelta(days=30 * row) for row in range(count)],
        Measure.CHOICE: list(column.choices) or [""],
        Measure.INTEGER: sorted({round(number) for number in numbers}),
    }
    return made.get(column.measure, list(numbers))


def _rescale(content: dict[str, Any], frames: dict[str, pd.DataFrame], registry: Registry, money: float) -> None:
    """State the same fund in a unit that is smaller by ``money``."""
    content["fund"] = {**content["fund"], "unit": float(content["fund"]["unit"]) / money}
    sheet = content.get("balance_sheet", {})
    declared = registry.jurisdiction(None).balance_sheet
    rates = {key.name for key in declared if key.measure is Measure.RATE}
    content["balance_sheet"] = {key: value if key in rates else float(value) * money for key, value in sheet.items()}
    content["accounts"] = {
        name: {key: float(value) * money for key, value in account.items()}
        for name, account in content.get("accounts", {}).items()
    }
    for name, table in declared_tables(registry).items():
        for column in table.columns:
            if column.measure is Measure.MONEY and column.name in frames[name]:
                cells = frames[name][column.name]
                frames[name][column.name] = [repr(float(cell) * money) if cell else "" for cell in cells]
