"""All quarterly filings of the data folder: how many totals the engine gives again. Prints its figures."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from allocator_cross2.filed import aggregate_filed, agreement, compare_filed

DATA = Path(os.environ.get("ALLOCATOR_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILINGS = DATA / "disclosures" / "life_insurers.csv"

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not FILINGS.is_file(), reason="the data folder is not present"),
]


@pytest.fixture(scope="module")
def filings() -> pd.DataFrame:
    return aggregate_filed(FILINGS)


def report(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Print the shares and every row that differs, with its likely cause."""
    shares = agreement(frame).loc[names]
    print("\n" + shares.to_string())
    for line in compare_filed(frame).query("aggregate in @names").to_dict("records"):
        row = frame.loc[line["position"]]
        amounts = f"filed {line['filed']:,.2f} computed {line['computed']:,.2f} ({line['difference']:+.4%})"
        print(f"{line['aggregate']}  {row['company']} {row['quarter']}  {amounts}: {line['cause']}")
    return shares


def test_market_credit_and_life_risk(filings: pd.DataFrame) -> None:
    shares = report(filings, ["life_insurance_risk", "market_risk", "credit_risk"])
    assert len(filings) >= 607
    assert (shares["compared"] >= 596).all()
    assert (shares["share"] >= 0.995).all()


def test_quantifiable_total_of_unaudited_quarters_since_the_size_factor(filings: pd.DataFrame) -> None:
    unaudited = ~filings["quarter"].str.endswith("Q4") & (filings["quarter"] >= "2023Q3")
    shares = report(filings.loc[unaudited], ["quantifiable_risk_capital", "minimum_capital"])
    assert (shares["compared"] >= 285).all()
    assert shares.loc["quantifiable_risk_capital", "share"] >= 0.96


def test_quantifiable_total_of_unaudited_quarters_before_the_size_factor(filings: pd.DataFrame) -> None:
    unaudited = ~filings["quarter"].str.endswith("Q4") & (filings["quarter"] < "2023Q3")
    shares = report(filings.loc[unaudited], ["quantifiable_risk_capital"])
    assert shares.loc["quantifiable_risk_capital", "share"] >= 0.99


def test_every_remaining_row_has_a_cause(filings: pd.DataFrame) -> None:
    causes = compare_filed(filings)
    print("\n" + causes.groupby(["aggregate", "cause"]).size().to_string())
    assert causes["cause"].str.len().min() > 0
