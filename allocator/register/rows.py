"""What a register stores."""

from __future__ import annotations

from dataclasses import dataclass

from allocator.errors import AllocatorError
from allocator.types import Text

__all__ = ["COLUMNS", "RegisterError", "Row"]

COLUMNS = ("created", "fund", "as_of", "status", "folder", "sha256", "manifest")
"""Columns of the table ``runs`` beside its number, all text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run as it is stored.

    Parameters
    ----------
    number : int
        Given by the register in the order of arrival; 0 before.
    created, fund, as_of, status, folder : str
        From the manifest, to find the run by; ``folder`` is OUT.
    sha256 : str
        Of ``manifest``: the fingerprint of run.json.
    manifest : str
        run.json, whole.
    """

    number: int
    created: str
    fund: str
    as_of: str
    status: str
    folder: str
    sha256: str
    manifest: str


class RegisterError(AllocatorError):
    """The register cannot be read or written."""

    exit_status = 2
    title = Text("the run register cannot be used", "运行登记库无法使用")
