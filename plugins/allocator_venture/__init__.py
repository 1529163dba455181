"""Venture and private-equity funds: commitments, not amounts; scenarios where no history exists."""

from __future__ import annotations

__all__: list[str] = []
