"""Words, keys and estimates as desks write them: each understood or asked about, none without effect in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from desk import PLAIN, faults, loaded, stock

HISTORY = PLAIN.replace("assets.csv}", "assets.csv, returns: returns.csv}").replace(
    "{maximize: expected_return}", "{minimize: variance}"
)
RETURNS = "date,A,B\n2026-01-31,0.01,0.02\n2026-02-28,-0.02,0.01\n2026-03-31,0.03,-0.01\n2026-04-30,0.00,0.02\n"
WORDS = """\
asset_id,kind,account,amount,expected_return,board,currency,accounting,bank_type
A,listed_stock,traditional,50,5%,star,,fvtpl,
B,overseas_stock,traditional,50,4%,,USD,fvoci,
"""


@pytest.mark.parametrize(
    ("test", "held"),
    [
        ('account == "传统"', 100),
        ('account in ("传统险", "分红")', 100),
        ('board == "科创板"', 50),
        ('currency == "美元"', 50),
        ('accounting == "交易性"', 50),
        ('kind == "股票"', 50),
        ('asset_id == "Ａ"', 50),
    ],
)
def test_a_limit_understands_the_words_of_its_column(tmp_path: Path, test: str, held: float) -> None:
    rule = f"constraints:\n  - limit: {{name: L, rule: 'sum(amount where {test}) >= 0', mode: monitor}}\n"
    checks = loaded(tmp_path, WORDS, PLAIN + rule).rule_checks().set_index("name")
    assert checks.loc["L", "lhs"] == pytest.approx(held / (100 if checks.loc["L", "unit"] != "CNY" else 1))


@pytest.mark.parametrize(
    ("test", "hint"),
    [('board == "mian"', "main"), ('account == "tradtional"', "traditional"), ('currency == "USDD"', "USD")],
)
def test_a_word_that_is_no_value_of_its_column_is_refused(tmp_path: Path, test: str, hint: str) -> None:
    rule = f"constraints:\n  - limit: {{name: L, rule: 'sum(amount where {test}) <= 1% of portfolio'}}\n"
    told = faults(tmp_path, WORDS, PLAIN + rule)
    assert "no such" in told and f"did you mean '{hint}'" in told


@pytest.mark.parametrize("test", ['asset_id == "GOV30Y"', 'issuer == "甲"', 'board == "main"'])
def test_a_rule_that_no_row_counts_in_is_said(tmp_path: Path, test: str) -> None:
    rule = f"constraints:\n  - limit: {{name: L, rule: 'sum(amount where {test}) <= 1% of portfolio'}}\n"
    book = loaded(tmp_path, WORDS, PLAIN + rule)
    assert [note.text.en for note in book.validate()] == ["no row counts in the rule L: it always holds"]
    book.optimize().report(tmp_path / "out")
    assert "no row counts in the rule L" in (tmp_path / "out" / "run.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ("kinds: [股票]", 100),
        ("kinds: [listed_stock]", 100),
        ("accounting: [交易性]", 100),
        ("currencies: [人民币]", 100),
    ],
)
def test_what_is_allowed_is_read_in_the_words_of_its_column(tmp_path: Path, options: str, target: float) -> None:
    fund = f"{PLAIN}constraints:\n  - allowed: {{{options}, existing: sell}}\n"
    result = loaded(tmp_path, WORDS.replace("USD", "美元").replace(",5%", ",1%"), fund).optimize()
    assert result.target.iloc[0] == pytest.approx(target, abs=1e-5)


@pytest.mark.parametrize("options", ["kinds: [国家债]", "accounting: [交易]", "currencies: [XXX]", "account: 传"])
def test_what_is_allowed_but_no_word_of_its_column_is_refused(tmp_path: Path, options: str) -> None:
    assert "no such value" in faults(tmp_path, WORDS, f"{PLAIN}constraints:\n  - allowed: {{{options}}}\n")


@pytest.mark.parametrize(
    ("models", "key"),
    [
        ("{risk: history, history: {halflife: 3}}", "models.history"),
        ("{rissk: history}", "models.rissk"),
        ("{risk: {name: history, halflife: 3}}", "models.risk.halflife"),
    ],
)
def test_a_key_that_no_model_knows_is_refused(tmp_path: Path, models: str, key: str) -> None:
    told = faults(tmp_path, stock(), f"{HISTORY}models: {models}\n", {"returns.csv": RETURNS})
    assert f"{key}: an unknown key" in told and "无法识别的键" in told


def test_the_half_life_that_was_meant_has_effect(tmp_path: Path) -> None:
    """Exponential weights 2^(−age/h), Σp = 1, covariance Σ p (r − r̄)(r − r̄)′ / (1 − Σp²), times periods a year."""
    fund = HISTORY + "models: {risk: {name: history, half_life: 3}}\n"
    risk = loaded(tmp_path, stock(), fund, {"returns.csv": RETURNS}).context.risk
    returns = np.array([[0.01, 0.02], [-0.02, 0.01], [0.03, -0.01], [0.0, 0.02]])
    weight = 0.5 ** (np.arange(4)[::-1] / 3)
    weight /= weight.sum()
    centred = returns - weight @ returns
    covariance = 252 * (centred * weight[:, None]).T @ centred / (1 - weight @ weight)
    assert risk.variance(np.array([0.5, 0.5])) == pytest.approx(covariance.sum() / 4, rel=1e-12)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_covariance_needs_two_observations(tmp_path: Path, rows: int) -> None:
    table = "\n".join(RETURNS.splitlines()[: rows + 1]) + "\n"
    told = faults(tmp_path, stock(), HISTORY, {"returns.csv": table})
    assert "two observations" in told and "至少需要两期观测" in told
    two = "\n".join(RETURNS.splitlines()[:3]) + "\n"
    assert loaded(tmp_path, stock(), HISTORY, {"returns.csv": two}).optimize().status == "optimal"


@pytest.mark.parametrize("town", ["深圳", "鑫", "晟", "淄博", "邢台", "浙江"])
def test_a_gbk_file_with_a_rare_character_is_read(tmp_path: Path, town: str) -> None:
    rows = "\n".join(f"{2200 + at},22{town}{at:02d},local_government_bond,traditional,10,2.{at}%" for at in range(7))
    table = f"asset_id,name,kind,account,amount,expected_return\n{rows}\n"
    names = loaded(tmp_path, table.encode("gbk")).inputs.assets["name"]
    assert names.tolist() == [f"22{town}{at:02d}" for at in range(7)]


@pytest.mark.parametrize("encoding", ["big5", "shift_jis"])
def test_another_encoding_is_not_taken_for_gbk(tmp_path: Path, encoding: str) -> None:
    word = {"big5": "台灣積體電路製造股份有限公司鴻海精密工業", "shift_jis": "三菱商事株式会社日本生命保険相互会社"}[
        encoding
    ]
    assert "encoding is not known" in faults(tmp_path, stock().replace("A,", f"{word},", 1).encode(encoding))


FUNDS = """\
asset_id,kind,account,amount,expected_return
A,listed_stock,traditional,{},5%
B,listed_stock,traditional,0,6%
C,listed_stock,traditional,0,20%
"""
SPREAD = "asset_id,A,B,C\nA,0.9,0,0\nB,0,0.05,0\nC,0,0,0.2\n"
BUDGET = """\
fund: {name: desk, as_of: 2026-06-30, unit: 1}
inputs: {assets: assets.csv, covariance: covariance.csv}
objective: {maximize: expected_return, risk: {measure: variance, aversion: 1}}
accounts: {traditional: {budget: 100}}
"""


@pytest.mark.parametrize("held", [0, 1, 37, 100, 250])
def test_weights_rest_on_what_is_invested_after(tmp_path: Path, held: float) -> None:
    """maximize μ′w − w′Σw with Σw = 1: w = (μ − λ) / 2σ² by row, λ from Σw = 1."""
    result = loaded(tmp_path, FUNDS.format(held), BUDGET, {"covariance.csv": SPREAD}).optimize()
    mean, variance = np.array([0.05, 0.06, 0.2]), np.array([0.9, 0.05, 0.2])
    price = ((mean / (2 * variance)).sum() - 1) / (1 / (2 * variance)).sum()
    weight = (mean - price) / (2 * variance)
    assert np.all(weight > 0)
    np.testing.assert_allclose(result.weights, weight, atol=1e-6)
    assert result.return_after == pytest.approx(float(mean @ weight), abs=1e-8)
    assert result.return_before == pytest.approx(0.05 if held else 0.0)


def test_the_return_of_a_growing_book_is_that_of_its_assets(tmp_path: Path) -> None:
    table = (
        stock().replace("B,listed_stock,traditional,50", "B,listed_stock,traditional,50").replace(",50,5%", ",50,5%")
    )
    fund = PLAIN + "accounts: {traditional: {budget: 110}}\n"
    result = loaded(tmp_path, table, fund).optimize()
    assert result.return_after == pytest.approx(0.05)
    assert result.return_before == pytest.approx(0.045)


UNDERLYING = "asset_id,name,kind,share,bank_type,capital_adequacy\n{}"
INSURER = """\
fund: {name: desk, as_of: 2026-06-30, unit: 1e8}
inputs: {assets: assets.csv, underlying: underlying.csv, curve: curve.csv, liabilities: liabilities.csv}
balance_sheet: {total_assets: 60, admitted_assets: 60, admitted_liabilities: 45, actual_capital: 15, core_capital: 15}
capital: {regime: cross2, life_insurance_risk: 1, sarmra_score: 80}
"""


@pytest.mark.parametrize("parts", [1, 2, 3, 9])
def test_more_underlying_rows_than_assets_are_charged(tmp_path: Path, parts: int) -> None:
    """A product of deposits with one bank is charged the same in however many rows they stand."""
    assets = "asset_id,kind,account,amount,expected_return,max,transparency,layers\n"
    assets += "CASH,cash,traditional,50,1%,100,,\nTRUST,pe_fund,traditional,5,6%,10,look_through,4\n"
    rows = "".join(f"TRUST,d{at},deposit,{0.6 / parts:.12f},large_state,12%\n" for at in range(parts))
    tables = {
        "curve.csv": "tenor,spot\n" + "".join(f"{year},2%\n" for year in range(1, 51)),
        "liabilities.csv": "account,year,outflow,inflow\ntraditional,1,10,0\n",
        "underlying.csv": UNDERLYING.format(rows),
    }
    whole = loaded(tmp_path / "some", assets, INSURER, tables).capital()
    one = {**tables, "underlying.csv": UNDERLYING.format("TRUST,d,deposit,0.6,large_state,12%\n")}
    alone = loaded(tmp_path / "one", assets, INSURER, one).capital()
    assert whole is not None and alone is not None
    assert whole.minimum_capital == pytest.approx(alone.minimum_capital, rel=1e-9)
