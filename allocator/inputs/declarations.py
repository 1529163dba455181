"""What the inputs are handed of the enabled plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from allocator.jurisdiction import Jurisdiction
from allocator.types import AssetKind, Table

__all__ = ["Declarations"]


class Declarations(Protocol):
    """What the enabled plugins declare of the input tables, whoever collected it."""

    @property
    def kinds(self) -> Mapping[str, AssetKind]:
        """Asset kinds by name."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Tables by name, with the columns of all plugins merged."""

    def jurisdiction(self, regime: str | None) -> Jurisdiction:
        """Return the jurisdiction of a regime; of all enabled ones together where None or unknown."""
