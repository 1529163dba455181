"""The same files give the same bits, and the same rows in another order the same answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import allocator

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TIMES = ("seconds", "created", "files")
ORDERED = ("curve.csv", "covariance.csv")  # a curve rises by tenor; a matrix is shuffled both ways below


def run(fund: Path, out: Path) -> tuple[bytes, dict[str, Any]]:
    allocator.load(fund / "fund.yaml").optimize().report(out)
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return (out / "allocation.csv").read_bytes(), {key: manifest[key] for key in manifest if key not in TIMES}


def shuffled(name: str, folder: Path) -> Path:
    """Copy an example with the rows of every table in another order."""
    fund = folder / name
    shutil.copytree(EXAMPLES / name, fund, ignore=shutil.ignore_patterns("replica", "*.py", "*.md"))
    for file in fund.glob("*.csv"):
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        if file.name not in ORDERED:
            table.sample(frac=1, random_state=7).to_csv(file, index=False)
        if file.name == "covariance.csv":
            first, *codes = table.columns
            order = sorted(codes, reverse=True)
            table.set_index(first).loc[order, order].to_csv(file, index_label=first)
    return fund


def test_the_same_files_give_the_same_bits(tmp_path: Path) -> None:
    assert run(EXAMPLES / "first_fund", tmp_path / "1") == run(EXAMPLES / "first_fund", tmp_path / "2")


@pytest.mark.parametrize("name", ["first_fund", "life_insurer"])
def test_another_order_of_rows_gives_the_same_bits_row_by_row(name: str, tmp_path: Path) -> None:
    straight, manifest = run(EXAMPLES / name, tmp_path / "straight")
    other, again = run(shuffled(name, tmp_path), tmp_path / "shuffled")
    assert other != straight
    assert sorted(other.splitlines()) == sorted(straight.splitlines())
    del manifest["inputs"], again["inputs"]
    assert again == manifest


def test_the_answer_is_written_in_the_order_of_the_file(tmp_path: Path) -> None:
    fund = shuffled("first_fund", tmp_path)
    run(fund, tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "allocation.csv")
    assert written["asset_id"].tolist() == pd.read_csv(fund / "assets.csv")["asset_id"].tolist()


MONEY = {"assets.csv": ["amount", "min", "max", "cost"], "liabilities.csv": ["outflow", "inflow"]}
SHEET = {
    "balance_sheet": ["total_assets", "admitted_assets", "admitted_liabilities", "actual_capital", "core_capital"],
    "capital": ["life_insurance_risk", "loss_absorption_cap"],
}


@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_money_in_another_unit_gives_the_same_weights(unit: float, tmp_path: Path) -> None:
    """The example in CNY and in CNY million instead of CNY 100 million."""
    fund = tmp_path / "fund"
    shutil.copytree(EXAMPLES / "first_fund", fund)
    settings = yaml.safe_load((fund / "fund.yaml").read_text(encoding="utf-8"))
    factor = float(settings["fund"]["unit"]) / unit
    settings["fund"]["unit"] = unit
    for section, keys in SHEET.items():
        for key in keys:
            settings[section][key] *= factor
    (fund / "fund.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    for name, columns in MONEY.items():
        table = pd.read_csv(fund / name, dtype={"amount": float})
        table[columns] *= factor
        table.to_csv(fund / name, index=False)
    here, there = (allocator.load(folder / "fund.yaml").optimize().value for folder in (EXAMPLES / "first_fund", fund))
    assert there.shares == pytest.approx(here.shares, abs=1e-9)
    assert there.solution.objective == pytest.approx(here.solution.objective, abs=1e-12)
    assert there.solution.status == here.solution.status == "optimal"
    prices, others = here.solution.shadow_prices, there.solution.shadow_prices
    for name, price in prices.items():
        assert others[name] == pytest.approx(price, abs=1e-9), name
