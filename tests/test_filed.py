"""Filed module amounts aggregated again, against figures worked out by hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from allocator_cross2.filed import AGGREGATES, aggregate_filed, agreement, compare_filed, summarise_filed

from allocator.errors import InputError

DATA = Path(os.environ.get("ALLOCATOR_DATA", Path(__file__).parents[2] / "shared" / "data"))
FILINGS = DATA / "disclosures" / "life_insurers.csv"

HEAD = "company,quarter,admitted_assets,life_loss_occurrence,life_expense,life_lapse,interest_rate,equity_price,spread"
HEAD += ",counterparty_default,life_insurance_risk,market_risk,credit_risk,quantifiable_risk_capital,loss_absorption"
HEAD += ",control_risk,additional_capital,minimum_capital"


def table(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "filed.csv"
    path.write_text("\n".join([head, *lines]), encoding="utf-8")
    return path


def test_aggregates_come_from_filed_children_only(tmp_path: Path) -> None:
    path = table(tmp_path, "A,2026Q1,1000000,3,,4,10,20,6,8,100,200,300,1,50,7,2,1")
    row = aggregate_filed(path).iloc[0]
    assert row["life_insurance_risk_computed"] == pytest.approx(5.0)  # loss and lapse are uncorrelated
    assert row["market_risk_computed"] == pytest.approx(np.sqrt(100 + 400 - 2 * 0.14 * 200))
    assert row["credit_risk_computed"] == pytest.approx(np.sqrt(36 + 64 + 2 * 0.25 * 48))
    # The quantifiable total takes the filed 100, 200, 300, not the computed ones; 10 bn CNY of assets: 0.90.
    square = 100**2 + 200**2 + 300**2 + 2 * (0.3 * 100 * 200 + 0.15 * 100 * 300 + 0.35 * 200 * 300)
    quantifiable = 0.9 * (np.sqrt(square) - 50)
    assert row["quantifiable_risk_capital_computed"] == pytest.approx(quantifiable)
    assert row["minimum_capital_computed"] == pytest.approx(quantifiable + 7 + 2)
    assert row["company"] == "A"


def test_china_re_group_market_risk_of_the_second_quarter_of_2026(tmp_path: Path) -> None:
    head = "interest_rate,equity_price,real_estate_price,overseas_fixed_income,overseas_equity,currency,quarter"
    path = table(tmp_path, "208439.80,4216158.47,11691.60,75890.66,839249.81,93375.11,2026Q2", head=head)
    assert aggregate_filed(path, size_factor="1")["market_risk_computed"].iloc[0] == pytest.approx(4674088.44, abs=5e-3)


@pytest.mark.parametrize(
    ("quarter", "assets", "factor"),
    [
        ("2023Q2", 1_000_000, 1.0),  # before the notice of September 2023
        ("2023Q3", 4_999_999, 0.90),
        ("2023Q3", 5_000_000, 0.95),
        ("2026 Q1", 49_999_999, 0.95),
        ("2026年1季度", 50_000_000, 1.0),
    ],
)
def test_the_size_factor_follows_assets_and_quarter(tmp_path: Path, quarter: str, assets: int, factor: float) -> None:
    path = table(tmp_path, f"A,{quarter},{assets},,,,,,,,100,,,,,,,")
    assert aggregate_filed(path)["quantifiable_risk_capital_computed"].iloc[0] == pytest.approx(100 * factor)


def test_the_unit_moves_the_bands_of_the_size_factor(tmp_path: Path) -> None:
    path = table(tmp_path, "A,2026Q1,600,,,,,,,,100,,,,,,,")
    assert aggregate_filed(path, 1e8)["quantifiable_risk_capital_computed"].iloc[0] == pytest.approx(95)
    assert aggregate_filed(path, 1e9)["quantifiable_risk_capital_computed"].iloc[0] == pytest.approx(100)
    assert aggregate_filed(path, 1e9, "0.95")["quantifiable_risk_capital_computed"].iloc[0] == pytest.approx(95)


def test_blank_counts_zero_and_all_blank_gives_blank(tmp_path: Path) -> None:
    row = aggregate_filed(table(tmp_path, "A,2026Q1,1000000,,,,,5,,,,,7,,,,,")).iloc[0]
    assert row["market_risk_computed"] == pytest.approx(5.0)
    assert np.isnan(row["life_insurance_risk_computed"]) and np.isnan(row["credit_risk_computed"])
    assert row["quantifiable_risk_capital_computed"] == pytest.approx(0.9 * 7)
    empty = aggregate_filed(table(tmp_path, "A,2026Q1,1000000,,,,,,,,,,,,,,,")).iloc[0]
    assert all(np.isnan(empty[f"{one.name}_computed"]) for one in AGGREGATES)


def test_without_assets_there_is_no_size_factor(tmp_path: Path) -> None:
    line = ",,,,,,,,100,,,,,,,"
    path = table(tmp_path, "A,2026Q1," + line, "A,2022Q1," + line)
    computed = aggregate_filed(path)["quantifiable_risk_capital_computed"]
    assert np.isnan(computed[0]) and computed[1] == pytest.approx(100)


def test_every_bad_cell_is_named_at_once(tmp_path: Path) -> None:
    path = table(tmp_path, "A,2026Q5,x,,,,,5,,,,,,,,,,", "A,2021Q4,1,,,,,n/a,,,,,,,,,,")
    with pytest.raises(InputError) as error:
        aggregate_filed(path, size_factor="big")
    places = [problem.where for problem in error.value.problems]
    assert places == [
        "filed.csv, row 3, column equity_price",
        "filed.csv, row 2, column admitted_assets",
        "size_factor",
        "filed.csv, row 2, column quarter",
        "filed.csv, row 3, column quarter",
    ]


def test_a_file_in_the_encoding_of_chinese_excel_is_read(tmp_path: Path) -> None:
    path = tmp_path / "filed.csv"
    path.write_bytes("company,quarter,spread,counterparty_default\n新华养老保险,2022Q1,3,4\n".encode("gbk"))
    row = aggregate_filed(path).iloc[0]
    assert row["company"] == "新华养老保险" and row["credit_risk_computed"] == pytest.approx(np.sqrt(31))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"", "not a CSV"),
        (b"a,b\n1,2\n1,2,3\n", "not a CSV"),
        (b"a,b\n\xff\xff,\xfe", "encoding"),
    ],
)
def test_a_file_that_is_no_table_is_an_input_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "filed.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        aggregate_filed(path)


def test_a_file_without_modules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="risk module"):
        aggregate_filed(table(tmp_path, "1,2", head="company,quarter"))


def test_a_file_without_quarters_needs_a_size_factor(tmp_path: Path) -> None:
    path = table(tmp_path, "3,4", head="spread,counterparty_default")
    with pytest.raises(InputError, match="quarter"):
        aggregate_filed(path)
    assert aggregate_filed(path, size_factor="1")["credit_risk_computed"].iloc[0] == pytest.approx(np.sqrt(31))


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("A,2025Q1,1000000,,,,,,3.00,4.00,,,5.58,,,,,", "rounding"),
        ("A,2025Q1,1000000,,,,,,3000,4000,,,9000,,,,,", "missing"),
        ("A,2025Q4,1000000,,,,,,3000,4000,,,5500,,,,,", "fourth quarter"),
        ("A,2025Q1,6000000,,,,,,,,100000,,,90000,,,,", "size factor 0.9"),
    ],
)
def test_a_difference_is_listed_with_its_likely_cause(tmp_path: Path, line: str, cause: str) -> None:
    frame = aggregate_filed(table(tmp_path, line))
    found = compare_filed(frame)
    assert len(found) == 1
    assert cause in found["cause"].iloc[0]


def test_parts_that_add_up_by_other_correlations_are_called_so(tmp_path: Path) -> None:
    head = "quarter,spread,counterparty_default,credit_diversification,credit_risk"
    frame = aggregate_filed(table(tmp_path, "2022Q1,1000.37,2350.40,706.72,2644.05", head=head), size_factor="1")
    assert "correlations" in compare_filed(frame)["cause"].iloc[0]


def test_the_summary_counts_and_names(tmp_path: Path) -> None:
    good, bad = "B,2025Q1,1000000,,,,,,3000,4000,,,5567.76,,,,,", "A,2025Q1,1000000,,,,,,3000,4000,,,9000,,,,,"
    lines = summarise_filed(aggregate_filed(table(tmp_path, good, bad)))
    text = [line.en for line in lines]
    assert "credit_risk: 1 of 2 rows agree within 0.0001" in text
    assert any(line.strip().startswith("A 2025Q1") and "-38.1" in line for line in text)
    assert any("2 行中 1 行" in line.zh for line in lines)


@pytest.mark.skipif(not FILINGS.is_file(), reason="the data folder is not present")
def test_one_insurers_filing_agrees_to_the_last_decimal(tmp_path: Path) -> None:
    everything = FILINGS.read_text(encoding="utf-8").splitlines()
    chosen = [line for line in everything[1:] if line.startswith("中国人寿,2026Q1")]
    frame = aggregate_filed(table(tmp_path, *chosen, head=everything[0]))
    assert len(frame) == 1
    assert (agreement(frame)["agree"] == 1).all()
