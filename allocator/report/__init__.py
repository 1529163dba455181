"""What people look at: console, CSV and Excel files, the report page.

Names are imported when first used: the command line speaks before it loads tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.report.writer import write, write_failure
    from allocator.result.tables import ReportSectionSpec, ReportTable

__all__ = ["ReportSectionSpec", "ReportTable", "write", "write_failure"]

_HOMES = {
    "ReportSectionSpec": "allocator.result.tables",
    "ReportTable": "allocator.result.tables",
    "write": "allocator.report.writer",
    "write_failure": "allocator.report.writer",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
