"""Deciding how a life insurer's long-term capital is invested, under the solvency rules it lives under.

Public names are imported when first used, so that ``import allocator`` and ``allocator --help`` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.api import load
    from allocator.errors import AllocatorError, Infeasible, InputError, NotProven, VerificationError
    from allocator.model.position import CapitalPosition
    from allocator.pipeline.fund import Fund
    from allocator.result.result import Result

__all__ = [
    "AllocatorError",
    "CapitalPosition",
    "Fund",
    "Infeasible",
    "InputError",
    "NotProven",
    "Result",
    "VerificationError",
    "__version__",
    "load",
]

_HOMES = {
    "AllocatorError": "allocator.errors",
    "CapitalPosition": "allocator.result.result",
    "Fund": "allocator.pipeline.fund",
    "Infeasible": "allocator.errors",
    "InputError": "allocator.errors",
    "NotProven": "allocator.errors",
    "Result": "allocator.result.result",
    "VerificationError": "allocator.errors",
    "load": "allocator.pipeline.fund",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            return version("allocator-insurance")
        except PackageNotFoundError:
            return "0+source"
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
