"""The examples: complete, plausible, and (once per figure) equal to what the README says of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LIFE = EXAMPLES / "life_insurer"
DATA = Path(os.environ.get("ALLOCATOR_DATA", EXAMPLES.parent.parent / "shared" / "data"))

# China Life, 2026 Q1, solvency report summary (偿付能力季度报告摘要), CNY 100 million.
FILED_CAPITAL = {
    "admitted_assets": 78316.50,
    "admitted_liabilities": 65861.47,
    "actual_capital": 12455.03,
    "core_tier1": 9102.73,
    "core_tier2": 554.49,
    "supplementary_tier1": 2769.90,
    "supplementary_tier2": 27.91,
}


@pytest.fixture(scope="module")
def fund() -> dict[str, dict[str, object]]:
    document: dict[str, dict[str, object]] = yaml.safe_load((LIFE / "fund.yaml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def assets() -> pd.DataFrame:
    return pd.read_csv(LIFE / "assets.csv")


def test_the_balance_sheet_is_the_filed_one(fund: dict[str, dict[str, float]]) -> None:
    sheet = fund["balance_sheet"]
    for line, filed in FILED_CAPITAL.items():
        assert sheet[line] == pytest.approx(filed, abs=0.005), line
    assert sheet["core_capital"] == pytest.approx(sheet["core_tier1"] + sheet["core_tier2"], abs=0.005)
    assert sheet["actual_capital"] == pytest.approx(sheet["admitted_assets"] - sheet["admitted_liabilities"], abs=0.005)


def test_the_rows_are_a_part_of_total_assets(fund: dict[str, dict[str, float]], assets: pd.DataFrame) -> None:
    assert 60 <= len(assets) <= 80
    assert not assets.duplicated(["asset_id", "account"]).any()
    assert 0.9 < assets["amount"].sum() / fund["balance_sheet"]["total_assets"] < 1.0
    assert ((assets["min"] <= assets["amount"]) & (assets["amount"] <= assets["max"])).all()


def test_liabilities_run_sixty_years_with_a_duration_of_about_thirteen() -> None:
    flows = pd.read_csv(LIFE / "liabilities.csv")
    curve = pd.read_csv(LIFE / "curve.csv")
    assert flows.groupby("account")["year"].agg(["min", "max", "count"]).eq([1, 60, 60]).all(axis=None)
    rate = np.interp(flows["year"], curve["tenor"], curve["spot"])
    value = (flows["outflow"] - flows["inflow"]) * (1.0 + rate) ** -flows["year"]
    duration = (value * flows["year"] / (1.0 + rate)).sum() / value.sum()
    assert duration == pytest.approx(13.0, abs=0.5)


def test_every_asset_has_its_risk(assets: pd.DataFrame) -> None:
    exposures = pd.read_csv(LIFE / "factor_exposures.csv")
    pairs = pd.read_csv(LIFE / "factor_covariance.csv")
    square = pairs.pivot(index="factor", columns="other", values="covariance")
    square = square.reindex(columns=square.index)
    matrix = square.fillna(square.T).to_numpy()
    assert np.linalg.eigvalsh(matrix)[0] > 0.0
    assert set(exposures["factor"]) <= set(square.index)
    assert set(exposures["asset_id"]) <= set(assets["asset_id"])
    assert assets["specific_volatility"].gt(0.0).all()


@pytest.mark.skipif(not DATA.is_dir(), reason="market data are not at hand (ALLOCATOR_DATA or ../shared/data)")
def test_the_script_makes_the_committed_tables(tmp_path: Path) -> None:
    command = [sys.executable, str(LIFE / "build.py"), "--output", str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "ALLOCATOR_DATA": str(DATA)})
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (LIFE / made.name).read_bytes(), made.name
