"""Writes a fund folder of any size: the example insurer with every row split into many, each a little different.

Run: ``python -m benchmarks.large_fund FOLDER [rows]``. Amounts, bounds, commitments and the totals stay those of the
example; every part has its own expected return, yield, cost and duration, so that the optimizer has to choose.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd

EXAMPLE = Path(__file__).parents[1] / "examples" / "life_insurer"
MONEY = ("amount", "min", "max", "cost")
COMMITTED = ("commitment", "paid_in", "nav")


def write_large_fund(folder: Path, rows: int, seed: int = 0) -> Path:
    """Write the folder and return its fund.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    assets = pd.read_csv(EXAMPLE / "assets.csv", dtype={"bank_ratios_met": str})
    copies = max(1, round(rows / len(assets)))
    parts = _repeated(assets, copies)
    share = rng.dirichlet(np.full(copies, 20.0), len(assets))
    # A fund's amount is the value of its vintages, which are split evenly.
    share[assets["asset_id"].isin(pd.read_csv(EXAMPLE / "funds.csv")["asset_id"])] = 1.0 / copies
    share = share.ravel()
    for column in MONEY:
        parts[column] = (parts[column] * share).round(6)
    # Bounds are rounded apart from amounts: keep each row inside its own.
    parts["min"] = np.minimum(parts["min"], parts["amount"])
    parts["max"] = np.maximum(parts["max"], parts["amount"])
    parts["expected_return"] += rng.normal(0.0, 0.0005, len(parts)).round(6)
    parts["yield"] += np.where(parts["yield"].notna(), rng.normal(0.0, 0.0005, len(parts)).round(6), 0.0)
    parts.to_csv(folder / "assets.csv", index=False)
    for name in ("factor_exposures", "underlying", "funds"):
        table = _repeated(pd.read_csv(EXAMPLE / f"{name}.csv"), copies)
        for column in COMMITTED:
            if column in table:
                table[column] = (table[column] / copies).round(8)
        if "exposure" in table:
            table["exposure"] *= rng.normal(1.0, 0.02, len(table))
        table.to_csv(folder / f"{name}.csv", index=False)
    for name in ("issuers.csv", "liabilities.csv", "curve.csv", "factor_covariance.csv", "fund.yaml"):
        shutil.copy(EXAMPLE / name, folder / name)
    return folder / "fund.yaml"


def _repeated(table: pd.DataFrame, copies: int) -> pd.DataFrame:
    """Return each row ``copies`` times, one below the other, its asset_id numbered."""
    parts = table.loc[table.index.repeat(copies)].reset_index(drop=True)
    number = pd.Series(np.tile(np.arange(copies), len(table)), index=parts.index)
    parts["asset_id"] = parts["asset_id"] + "_" + number.astype(str).str.zfill(5)
    return parts


if __name__ == "__main__":
    print(write_large_fund(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5000))
