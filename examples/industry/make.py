"""Make an industry of funds: ``python examples/industry/make.py [--insurers 80] [--quarters 20] [--base FUND.yaml]``.

Every insurer is the base fund with another size, mix, capital strength and set of expected returns, and every
quarter its book after growth and market moves; README.md states each assumption. Same arguments, same bytes.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

HERE = Path(__file__).resolve().parent

SIZE, STRENGTH, MIX, VIEW = 1.2, 0.12, 0.25, 0.002
"""Standard deviations between insurers: log size, log capital strength, log amount of a row, expected return."""

MEDIAN = 0.05
"""Median size as a part of the base's."""

GROWTH, MOVE = 0.02, 0.04
"""A quarter's mean growth, and the standard deviation of one row's log move."""

MONEY = ("amount", "min", "max", "cost", "face", "book_value")
"""Columns of assets.csv that grow with a row."""

COPIED = ("issuers", "underlying", "curve", "covariance", "factor_exposures", "factor_covariance")
"""Tables that every insurer shares."""

REQUIRED = {"comprehensive": 1.0, "core": 0.5}
"""The statutory ratios: what the frontier varies replaces the first."""


def make(base: Path, out: Path, insurers: int, quarters: int) -> int:
    """Write the funds below ``out`` and return their number."""
    content = yaml.safe_load(base.read_text(encoding="utf-8"))
    for number in range(insurers):
        folder = out / f"insurer_{number:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            if name in content["inputs"]:
                shutil.copyfile(base.parent / content["inputs"][name], folder / f"{name}.csv")
        for quarter, fund in enumerate(_quarters(base.parent, content, number, quarters)):
            _write(folder, f"q{quarter:02d}", *fund)
    return insurers * quarters


def _quarters(
    folder: Path, content: dict[str, Any], number: int, quarters: int
) -> Iterator[tuple[dict[str, Any], dict[str, pd.DataFrame]]]:
    """Yield the fund file and the tables of each quarter of one insurer."""
    random = np.random.default_rng((2026, number))
    inputs = content["inputs"]
    given = {name: pd.read_csv(folder / inputs[name]) for name in ("assets", "liabilities", "funds") if name in inputs}
    assets = given["assets"]
    size = MEDIAN * float(np.exp(random.normal(0.0, SIZE)))
    strength = float(np.exp(random.normal(0.0, STRENGTH)))
    rows = np.exp(random.normal(0.0, MIX, len(assets)))
    view = random.normal(0.0, VIEW, len(assets))
    for _ in range(quarters):
        amounts = assets["amount"].to_numpy(dtype=float)
        factors = size * rows * amounts.sum() / float(rows @ amounts)
        yield _scaled(content, size, strength), _tables(given, factors, view, size)
        rows = rows * np.exp(random.normal(0.0, MOVE, len(rows)))
        size *= 1.0 + GROWTH


def _scaled(content: dict[str, Any], size: float, strength: float) -> dict[str, Any]:
    sheet = {name: round(size * value, 6) for name, value in content["balance_sheet"].items()}
    ratio = content["balance_sheet"].get("reported_comprehensive_ratio")
    for name in sheet.keys() & {"actual_capital", "core_capital"}:
        sheet[name] *= strength
    for name in [name for name in sheet if name.startswith(("core_tier", "supplementary_tier"))]:
        sheet[name] *= strength
    sheet["admitted_liabilities"] = sheet["admitted_assets"] - sheet["actual_capital"]
    if ratio is not None:
        sheet["reported_comprehensive_ratio"] = ratio * strength
    capital = {**content["capital"], "require": REQUIRED}
    for name in ("life_insurance_risk", "nonlife_insurance_risk", "loss_absorption_cap"):
        capital[name] = size * capital[name]
    return {**content, "balance_sheet": sheet, "capital": capital}


def _tables(
    given: dict[str, pd.DataFrame], factors: np.ndarray[Any, Any], view: np.ndarray[Any, Any], size: float
) -> dict[str, pd.DataFrame]:
    assets = given["assets"].copy()
    for column in [name for name in MONEY if name in assets]:
        assets[column] = pd.to_numeric(assets[column]) * factors
    text = assets["expected_return"].astype(str)
    shown = text.str.rstrip("%").astype(float)
    assets["expected_return"] = np.where(text.str.endswith("%"), shown / 100.0, shown) + view
    tables = {"assets": assets, "liabilities": given["liabilities"].copy()}
    tables["liabilities"][["outflow", "inflow"]] *= size
    if "funds" in given:
        by_row = dict(zip(assets["asset_id"], factors, strict=True))
        funds = given["funds"].copy()
        for column in ("commitment", "paid_in", "nav"):
            funds[column] = funds[column] * funds["asset_id"].map(by_row)
        tables["funds"] = funds
    return tables


def _write(folder: Path, quarter: str, content: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    inputs = {name: f"{name}.csv" for name in content["inputs"]}
    for name, table in tables.items():
        inputs[name] = f"{name}_{quarter}.csv"
        table.to_csv(folder / inputs[name], index=False)
    fund = {**content["fund"], "name": f"{folder.name} {quarter}"}
    text = yaml.safe_dump({**content, "fund": fund, "inputs": inputs}, allow_unicode=True, sort_keys=False)
    (folder / f"{quarter}.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    """Read the command line and make the funds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--insurers", type=int, default=80)
    parser.add_argument("--quarters", type=int, default=20)
    parser.add_argument("--base", type=Path, default=HERE.parent / "life_insurer" / "fund.yaml")
    parser.add_argument("--output", type=Path, default=HERE / "funds")
    given = parser.parse_args()
    make(given.base, given.output, given.insurers, given.quarters)


if __name__ == "__main__":
    main()
