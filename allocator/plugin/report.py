"""Sections of the report: tables made from a verified result."""

from allocator.result.result import Result
from allocator.result.tables import ReportSectionSpec, ReportTable

__all__ = [
    "ReportSectionSpec",
    "ReportTable",
    "Result",
]
