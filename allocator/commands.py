"""Commands that plugins add to the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from allocator.types import Text

__all__ = ["CommandSpec"]


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command: ``function`` is a typer command function; its signature declares the arguments."""

    name: str
    help: Text
    function: Callable[..., Any] = field(repr=False)
