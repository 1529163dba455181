"""Green bonds: a tilt on the column ``green``."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.plugin import hookimpl
from allocator.plugin.terms import TiltSpec

__all__: list[str] = []

requires_api = "1"


@hookimpl
def allocator_tilts() -> Sequence[TiltSpec]:
    from allocator_green_bonds.tilt import TILTS

    return TILTS
