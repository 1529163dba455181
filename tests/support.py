"""Inputs for tests, built through the same checks that a user's files pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import allocator_essentials
import allocator_instruments
import pandas as pd

from allocator.config.settings import Settings
from allocator.extension.registry import Registry
from allocator.inputs import from_frames
from allocator.inputs.fund import Inputs

__all__ = ["DEFAULT_SETTINGS", "make_inputs", "make_registry"]

DEFAULT_SETTINGS: Mapping[str, Any] = {"fund": {"name": "test fund", "as_of": "2026-06-30"}}


def make_registry(*plugins: tuple[str, object]) -> Registry:
    """Return a registry of the instrument declarations, the essentials, and further (name, module) pairs."""
    return Registry([("instruments", allocator_instruments), ("essentials", allocator_essentials), *plugins])


def make_inputs(
    assets: pd.DataFrame | Mapping[str, Any] | list[dict[str, Any]],
    *,
    tables: Mapping[str, pd.DataFrame] | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    registry: Registry | None = None,
) -> Inputs:
    """Return checked inputs from small frames, every declared column present.

    Parameters
    ----------
    assets : DataFrame, mapping of columns or list of rows
        ``asset_id``, ``kind`` and ``amount`` at least; amounts in the unit of the settings (1 by default).
    tables : mapping of str to DataFrame
        Further tables by name.
    settings : Settings or mapping
        Sections of the fund file; ``fund`` is 2026-06-30 in CNY unless given.
    registry : Registry
        Default: `make_registry()`.

    Raises
    ------
    InputError
        As a user would see it.
    """
    content = settings if isinstance(settings, Settings) else {**DEFAULT_SETTINGS, **(settings or {})}
    frames = {"assets": assets if isinstance(assets, pd.DataFrame) else pd.DataFrame(assets), **(tables or {})}
    return from_frames(content, frames, registry or make_registry())
