"""How much a packed file may unpack to, and what is said of one that would take more."""

from __future__ import annotations

from allocator.types import Text

__all__ = ["LARGEST", "too_much"]

LARGEST = 512 << 20
"""Most bytes that a workbook or a Parquet file may unpack to unless ``unpack_limit`` says otherwise."""


def too_much(file: str, size: int | None, limit: int) -> tuple[Text, str, str | None, str, Text]:
    """Return what a finding says of a file that unpacks to more than it may.

    Parameters
    ----------
    file : str
        Its name.
    size : int or None
        Bytes it unpacks to; None where reading stopped before that was known.
    limit : int
        Most bytes allowed.
    """
    return (
        Text("the file unpacks to too much", "文件解压后过大"),
        file,
        None if size is None else f"{size >> 20:,} MiB",
        f"≤ {limit >> 20:,} MiB",
        Text("if the table is meant to be so large, raise unpack_limit", "若该表确需如此之大，请调高 unpack_limit"),
    )
