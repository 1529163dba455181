"""Entering what was written in the run register."""

from __future__ import annotations

import warnings
from pathlib import Path

from allocator.config.settings import Settings

__all__ = ["registered"]


def registered(written: Path, settings: Settings) -> Path:
    """Enter a folder in the run register and return it; a `RegisterWarning` says why when that cannot be done."""
    from allocator.register import RegisterWarning, record

    problem = record(written, settings)
    if problem is not None:
        warnings.warn(str(problem), RegisterWarning, stacklevel=3)
    return written
