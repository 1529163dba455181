"""The modules whose names users and plugins may hold on to."""

from __future__ import annotations

import pkgutil

import allocator.plugin

__all__ = ["SURFACE"]

SURFACE = (
    "allocator",
    "allocator.plugin",
    *(f"allocator.plugin.{module.name}" for module in pkgutil.iter_modules(allocator.plugin.__path__)),
    "allocator.testing",
)
