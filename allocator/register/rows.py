"""What a register stores, and what every store of it can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from allocator.errors import AllocatorError, Problem
from allocator.types import Text

__all__ = ["COLUMNS", "RegisterError", "Row", "Store", "unusable"]

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


class Store(Protocol):
    """A register's database. Rows are added and read, never changed."""

    def append(self, row: Row) -> int:
        """Add a row and return its number."""
        ...

    def newest(self, fund: str | None, most: int) -> Sequence[Row]:
        """Return the newest rows first, of one fund or of all."""
        ...

    def row(self, number: int) -> Row | None:
        """Return a row by its number."""
        ...


class RegisterError(AllocatorError):
    """The register cannot be read or written."""

    exit_status = 2
    title = Text("the run register cannot be used", "运行登记库无法使用")


def unusable(place: object, error: object) -> RegisterError:
    """Return the error of a register that its database does not give or take."""
    return RegisterError(
        Problem(
            Text("the run register cannot be used", "运行登记库无法使用"),
            str(place),
            str(error),
            hint=Text(
                "name another place by ALLOCATOR_REGISTER or register: in the fund file, or switch it off",
                "请用 ALLOCATOR_REGISTER 或组合文件的 register: 指定其他位置，或将其关闭",
            ),
        )
    )
