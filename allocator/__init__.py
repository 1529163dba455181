"""Deciding how a life insurer's long-term capital is invested, under the solvency rules it lives under.

Public names are imported when first used, so that ``import allocator`` and ``allocator --help`` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.api import CapitalPosition, Fund, Result, Study, load
    from allocator.errors import (
        AllocatorError,
        Infeasible,
        InputError,
        NotProven,
        PluginError,
        SolverFailure,
        VerificationError,
    )
    from allocator.register import RegisterWarning

__all__ = [
    "AllocatorError",
    "CapitalPosition",
    "Fund",
    "Infeasible",
    "InputError",
    "NotProven",
    "PluginError",
    "RegisterWarning",
    "Result",
    "SolverFailure",
    "Study",
    "VerificationError",
    "__version__",
    "load",
]

_HOMES = {
    **dict.fromkeys(("CapitalPosition", "Fund", "Result", "Study", "load"), "allocator.api"),
    "RegisterWarning": "allocator.register",
}
"""Modules of the names that are no errors."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            return version("allocator-insurance")
        except PackageNotFoundError:
            return "0+source"
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "allocator.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
