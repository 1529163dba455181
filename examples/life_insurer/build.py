"""Make the tables of this example: ``python examples/life_insurer/build.py [--calibrate] [--output DIR]``.

Not needed to run the example. Reads ``replica/`` (the stated assumptions) and market data from the folder
``ALLOCATOR_DATA`` (default ``../shared/data`` beside the repository); same inputs, same bytes. With
``--calibrate`` the multiples in ``replica/scale.yaml`` are solved anew by the library's own engine, and the
README's table of filed and computed figures is written from its answer.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml
from replica import calibration
from replica.holdings import asset_table, factor_tables, read_instruments
from replica.liabilities import liability_table
from replica.market import Market, data_folder, read_market
from replica.readme import insert_table

HERE = Path(__file__).resolve().parent
SCALE = HERE / "replica" / "scale.yaml"
GIVEN = ("fund.yaml", "issuers.csv", "underlying.csv", "funds.csv")


CENTS, EXACT = 2, 10
"""Decimals of amounts: as written, and while the solver takes differences."""


def tables(market: Market, scale: Mapping[str, float], digits: int = CENTS) -> dict[str, pd.DataFrame]:
    """Return every derived table by file name."""
    instruments = read_instruments(HERE / "replica" / "instruments.yaml")
    exposures, covariance = factor_tables(instruments, market)
    curve = market.mean_government.round(7).rename_axis("tenor").rename("spot").reset_index()
    curve["tenor"] = curve["tenor"].astype(int)
    return {
        "assets.csv": asset_table(instruments, market, scale, digits),
        "liabilities.csv": liability_table(market.mean_government),
        "curve.csv": curve,
        "factor_exposures.csv": exposures,
        "factor_covariance.csv": covariance,
    }


def write(made: Mapping[str, pd.DataFrame], folder: Path) -> Path:
    """Write the tables into ``folder``, beside the files that are given; return the fund file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in made.items():
        table.to_csv(folder / name, index=False, lineterminator="\n")
    for name in GIVEN:
        if folder.resolve() != HERE:
            shutil.copy(HERE / name, folder / name)
    return folder / "fund.yaml"


def calibrated(market: Market, filed: pd.Series) -> dict[str, float]:
    """Return the multiples at which the engine gives the filed modules."""
    with tempfile.TemporaryDirectory() as folder:

        def evaluate(scale: Mapping[str, float]) -> Mapping[str, float]:
            return calibration.modules_of(write(tables(market, scale, EXACT), Path(folder)))

        return calibration.calibrate(filed, evaluate)


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibrate", action="store_true", help="solve the multiples anew")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to (default: this one)")
    options = parser.parse_args()
    data = data_folder(HERE.parent.parent)
    market = read_market(data)
    if options.calibrate:
        filed = calibration.filed_row(data)
        scale = calibrated(market, filed)
        SCALE.write_text(yaml.safe_dump({name: round(value, 6) for name, value in scale.items()}), encoding="utf-8")
    scale = yaml.safe_load(SCALE.read_text(encoding="utf-8"))
    fund_file = write(tables(market, scale), options.output)
    if options.calibrate:
        insert_table(HERE / "README.md", filed, calibration.modules_of(fund_file))


if __name__ == "__main__":
    main()
