"""The run register: the manifest of every run, kept in one place, never changed.

Names are imported when first used: a command that does not touch the register loads nothing of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.register.comparison import Comparison, compare
    from allocator.register.place import Place, register_place
    from allocator.register.runs import RegisterWarning, Run, history, kind_of, record, recorded

__all__ = [
    "Comparison",
    "Place",
    "RegisterWarning",
    "Run",
    "compare",
    "history",
    "kind_of",
    "record",
    "recorded",
    "register_place",
]

_HOMES = {
    "Comparison": "allocator.register.comparison",
    "Place": "allocator.register.place",
    "RegisterWarning": "allocator.register.runs",
    "Run": "allocator.register.runs",
    "compare": "allocator.register.comparison",
    "history": "allocator.register.runs",
    "kind_of": "allocator.register.runs",
    "record": "allocator.register.runs",
    "recorded": "allocator.register.runs",
    "register_place": "allocator.register.place",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
