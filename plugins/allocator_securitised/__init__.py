"""Securitised products as what they are: pools that amortise, prepay and default, cut into tranches."""

from __future__ import annotations

__all__: list[str] = []
