"""Reading tables: a million holdings from Parquet, a hundred thousand from a CSV as Excel exports it, against pandas.

Run: ``python -m benchmarks.reading``. The checks of every cell are part of what is timed; pandas only parses.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.config.load import load_settings
from allocator.extension.registry import load_registry
from allocator.inputs import load_inputs
from benchmarks.charge_million import holdings

RUNS = 9
HEADINGS = {
    "asset_id": "证券代码",
    "kind": "资产类型",
    "account": "账户",
    "amount": "市值(元)",
    "rating": "评级",
    "modified_duration": "修正久期",
    "expected_return": "预期收益率",
    "maturity": "到期日",
    "issuer": "issuer",
    "currency": "币种",
}
FUND = """\
fund: {{name: reading, as_of: 2026-06-30}}
inputs: {{assets: {file}}}
objective: {{maximize: expected_return}}
"""


def table(size: int) -> pd.DataFrame:
    """Return holdings with the columns a desk fills in."""
    rng = np.random.default_rng(1)
    frame = holdings(size)
    frame["account"] = rng.choice(["traditional", "participating", "universal"], size)
    frame["expected_return"] = rng.uniform(0.01, 0.09, size).round(6)
    frame["maturity"] = (np.datetime64("2027-01-01") + rng.integers(0, 9000, size)).astype("datetime64[s]")
    frame["amount"] = frame["amount"].round(2)
    frame["modified_duration"] = frame["modified_duration"].round(4)
    return frame[list(HEADINGS)]


def main() -> None:
    """Print medians and their ratio, the two in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parquet, exported = folder / "assets.parquet", folder / "assets.csv"
        table(1_000_000).to_parquet(parquet, index=False)
        spread = table(100_000).rename(columns=HEADINGS)
        spread["到期日"] = spread["到期日"].dt.strftime("%Y/%m/%d")
        spread.to_csv(exported, index=False, encoding="gb18030")
        compare("Parquet, 1,000,000 holdings, keys unsorted", parquet, lambda: pd.read_parquet(parquet))
        sorted_file = folder / "sorted.parquet"
        table(1_000_000).sort_values("asset_id").to_parquet(sorted_file, index=False)
        compare("Parquet, 1,000,000 holdings, keys sorted", sorted_file, lambda: pd.read_parquet(sorted_file))
        compare(
            "CSV as Excel exports it, 100,000 holdings", exported, lambda: pd.read_csv(exported, encoding="gb18030")
        )


def compare(title: str, file: Path, rival: Callable[[], object]) -> None:
    """Print how long the library and pandas take to read a file."""
    fund = file.parent / "fund.yaml"
    fund.write_text(FUND.format(file=file.name), encoding="utf-8")
    settings = load_settings(fund)
    registry = load_registry(settings.plugins.enable, settings.plugins.disable)
    mine, theirs = [], []
    load_inputs(settings, registry), rival()
    for _ in range(RUNS):
        for seconds, action in ((mine, lambda: load_inputs(settings, registry)), (theirs, rival)):
            start = time.process_time()
            action()
            seconds.append(time.process_time() - start)
    ours, rivals = statistics.median(mine), statistics.median(theirs)
    print(f"{title}: {ours:.3f} processor s, pandas {rivals:.3f} s, ratio {ours / rivals:.2f}")


if __name__ == "__main__":
    sys.exit(main())
