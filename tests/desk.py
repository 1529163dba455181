"""Small fund folders as a desk writes them, for tests of what a desk gets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from allocator import Fund, load
from allocator.errors import InputError

__all__ = ["PLAIN", "desk", "faults", "loaded", "stock"]

PLAIN = """\
fund: {name: desk, as_of: 2026-06-30, unit: 1}
inputs: {assets: assets.csv}
objective: {maximize: expected_return}
"""


def desk(folder: Path, assets: str | bytes, fund: str = PLAIN, tables: Mapping[str, str] | None = None) -> Path:
    """Write ``assets.csv``, ``fund.yaml`` and further tables by file name; return the fund file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"assets.csv": assets, "fund.yaml": fund, **(tables or {})}.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "fund.yaml"


def loaded(folder: Path, assets: str | bytes, fund: str = PLAIN, tables: Mapping[str, str] | None = None) -> Fund:
    return load(desk(folder, assets, fund, tables))


def faults(folder: Path, assets: str | bytes, fund: str = PLAIN, tables: Mapping[str, str] | None = None) -> str:
    """Return what is wrong, in both languages, English first."""
    with pytest.raises(InputError) as error:
        loaded(folder, assets, fund, tables).validate()
    return f"{error.value.render('en')}\n{error.value.render('zh')}"


def stock(*cells: str, headings: str = "") -> str:
    """Return two stocks A and B of 50 each, with further cells under further headings."""
    lines = [f"{name},listed_stock,traditional,50,{rate}" for name, rate in (("A", "5%"), ("B", "4%"))]
    more = [f"{line},{cell}" if headings else line for line, cell in zip(lines, cells or ("", ""), strict=True)]
    return "\n".join([f"asset_id,kind,account,amount,expected_return{',' if headings else ''}{headings}", *more]) + "\n"
