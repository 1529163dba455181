"""Calibration: the few multiples of stated amounts at which the library's own engine gives the filed modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import root

__all__ = ["FILED_UNIT", "MODULES", "calibrate", "filed_row", "modules_of", "scale_of"]

COMPANY, QUARTER = "中国人寿", "2026Q1"
FILED_UNIT = 1e4
TOTAL = 75_200e8
"""Sum of the rows aimed at, CNY: the mandate, 96% of total assets (assumption)."""

MODULES = (
    "interest_rate",
    "equity_price",
    "real_estate_price",
    "overseas_fixed_income",
    "overseas_equity",
    "currency",
    "spread",
    "counterparty_default",
    "loss_absorption",
)
"""Modules aimed at. One multiple moves each of them most; the last unknown is the rows' total."""

UNKNOWNS = (
    "long",
    "stock.traditional",
    "property",
    "overseas_bond",
    "overseas",
    "currency",
    "credit",
    "default",
    "stock.participating",
    "medium",
)
TOLERANCE = 1e-6
STEP = 1e-3
"""Relative step of the finite differences; MINPACK takes its square."""


def filed_row(folder: Path) -> pd.Series:
    """Return the filed figures of the company and quarter, CNY; ratios as multiples."""
    filings = pd.read_csv(folder / "disclosures" / "life_insurers.csv")
    row = filings[(filings["company"] == COMPANY) & (filings["quarter"] == QUARTER)].iloc[0]
    money = row.drop(["company", "quarter", "comprehensive_ratio", "core_ratio"]).astype(float) * FILED_UNIT
    return pd.concat([money, row[["comprehensive_ratio", "core_ratio"]].astype(float)])


def modules_of(fund_file: Path) -> dict[str, float]:
    """Return the engine's modules (CNY), ratios, and the sum of the rows, at the current holdings."""
    import allocator

    fund = allocator.load(fund_file)
    found = fund.capital()
    assert found is not None
    position = found.value
    values = dict(position.tree.values(position.holdings))
    for name in ("comprehensive", "core"):
        values[f"{name}_ratio"] = position.ratio(name)
    return {**values, "total": float(position.holdings.sum())}


def scale_of(unknowns: NDArray[np.float64]) -> dict[str, float]:
    """Return the multiples by group; stock of the two accounts with loss absorption moves together."""
    scale = {name: float(value) for name, value in zip(UNKNOWNS, unknowns, strict=True)}
    return {**scale, "stock.universal": scale["stock.participating"]}


def calibrate(filed: pd.Series, evaluate: Callable[[Mapping[str, float]], Mapping[str, float]]) -> dict[str, float]:
    """Solve for the multiples: as many unknowns as targets, Powell's hybrid method from all multiples at 1.

    Parameters
    ----------
    filed : Series
        Filed modules, CNY.
    evaluate : callable
        Multiples → the engine's modules, CNY, with ``total``.
    """
    target = np.array([*(filed[name] for name in MODULES), TOTAL])

    def miss(unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
        got = evaluate(scale_of(unknowns))
        return np.array([got[name] for name in (*MODULES, "total")]) / target - 1.0

    solution = root(miss, np.ones(len(UNKNOWNS)), tol=TOLERANCE, options={"eps": STEP**2})
    if not solution.success or np.abs(solution.fun).max() > 100 * TOLERANCE:
        raise RuntimeError(f"the filed modules are not reached: {solution.message}")
    return scale_of(solution.x)
