"""What a hostile case is, and the good fund that every case spoils in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["GOOD_FUND", "GOOD_ROWS", "HEADINGS", "Case", "good_fund", "good_table"]

GOOD_FUND = """\
fund: {name: F, as_of: 2026-06-30, unit: 1}
inputs: {assets: assets.csv}
objective:
  maximize: expected_return
constraints:
  - limit: {rule: 'sum(amount where kind == "cash") <= 60% of portfolio'}
  - turnover: {max: 0.5}
solve: {gap: 0.1bp}
"""
HEADINGS = (
    *("asset_id", "name", "kind", "account", "amount", "min", "max", "expected_return"),
    *("yield", "coupon", "frequency", "maturity", "rating", "green", "indices"),
)
GOOD_ROWS = (
    ("CASH", "Cash", "cash", "traditional", "50", "0", "100", "0.5%", "", "", "", "", "", "", ""),
    ("GOV", "国债", "government_bond", "traditional", "30", "", "80", "2.4%", "2.4%", "2.5%", "2", "2036-06-30", "", "", ""),
    ("CORP", "企业债", "corporate_bond", "participating", "20", "", "", "3%", "3%", "3%", "1", "2031-06-30", "AAA", "yes", "a;b"),
    ("STOCK", "Stock", "listed_stock", "participating", "1,000", "", "", "0.06", "", "", "", "", "", "", "csi300"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One hostile input.

    Parameters
    ----------
    name : str
        What is wrong with it.
    write : callable
        Spoils a folder that holds the good fund.
    may_pass : bool
        Whether reading it as meant is a documented outcome as well; otherwise it must be refused.
    command : tuple of str
        What is called, ``{folder}`` for the folder.
    """

    name: str
    write: Callable[[Path], None]
    may_pass: bool = False
    command: tuple[str, ...] = ("validate", "{folder}/fund.yaml")


def good_table(rows: tuple[tuple[str, ...], ...] = GOOD_ROWS, delimiter: str = ",") -> str:
    """Return the good assets table as CSV text."""
    lines = [HEADINGS, *rows]
    return (
        "\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in line) for line in lines) + "\n"
    )


def good_fund(folder: Path) -> None:
    """Write the good fund."""
    (folder / "fund.yaml").write_text(GOOD_FUND, encoding="utf-8")
    (folder / "assets.csv").write_text(good_table(), encoding="utf-8")
