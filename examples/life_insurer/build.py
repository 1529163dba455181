"""Make the tables of this example: ``python examples/life_insurer/build.py [--calibrate] [--output DIR]``.

Not needed to run the example. Reads ``replica/`` (the stated assumptions) and market data from the folder
``ALLOCATOR_DATA`` (default ``../shared/data`` beside the repository); same inputs, same bytes.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml
from replica.holdings import asset_table, factor_tables, read_instruments
from replica.liabilities import liability_table
from replica.market import Market, data_folder, read_market

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
GIVEN = ("fund.yaml", "issuers.csv", "underlying.csv", "funds.csv")


def tables(market: Market, scale: Mapping[str, float]) -> dict[str, pd.DataFrame]:
    """Return every derived table by file name."""
    instruments = read_instruments(HERE / "replica" / "instruments.yaml")
    exposures, covariance = factor_tables(instruments, market)
    curve = market.mean_government.round(7).rename_axis("tenor").rename("spot").reset_index()
    curve["tenor"] = curve["tenor"].astype(int)
    return {
        "assets.csv": asset_table(instruments, market, scale),
        "liabilities.csv": liability_table(market.mean_government),
        "curve.csv": curve,
        "factor_exposures.csv": exposures,
        "factor_covariance.csv": covariance,
    }


def write(made: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write the tables into ``folder``, beside the files that are given."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in made.items():
        table.to_csv(folder / name, index=False, lineterminator="\n")
    for name in GIVEN:
        if folder != HERE:
            shutil.copy(HERE / name, folder / name)


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to (default: this one)")
    options = parser.parse_args()
    market = read_market(data_folder(REPOSITORY))
    scale = yaml.safe_load((HERE / "replica" / "calibration.yaml").read_text(encoding="utf-8"))
    write(tables(market, scale), options.output)


if __name__ == "__main__":
    main()
