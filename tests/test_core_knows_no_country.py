"""A regime of another country, a stranger's plugin, runs through load, capital, optimum, frontier and reports.

Not one line of the core is changed for it: it comes by the hook, with its own accounts, three ratios and currency.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from math import hypot
from pathlib import Path

import pandas as pd
import pytest
from house import COUNTRY
from scipy.optimize import brentq

from allocator.api import Fund, load
from allocator.cli import main
from allocator.errors import InputError
from allocator.extension.registry import Registry, load_registry
from allocator.inputs.core_tables import declared_tables
from allocator.jurisdiction import Jurisdiction

HERE = Path(__file__).parent

ASSETS = """\
asset_id,name,kind,账户,市值(百万弗罗林),min,max,expected_return
ISLE,Isle bond,government_bond,储蓄账户,600,0,900,2%
REEF,Reef bond,corporate_bond,储蓄账户,200,0,900,3%
TIDE,Tide shares,listed_stock,储蓄账户,100,0,900,7%
MOOR,Moor shares,listed_stock,linked,50,0,100,6%
QUAY,Quay bond,government_bond,linked,50,0,100,2%
"""
FUND = """\
fund: {name: Harbour fund, as_of: 2026-06-30, unit: 1e6}
inputs: {assets: assets.csv}
balance_sheet: {total_assets: 1000, actual_capital: 120, prime_capital: 100, swift_capital: 60}
capital: {regime: harbour, require: {cover: 2.0, prime: 1.5}}
objective: {maximize: expected_return}
plugins: {enable: [harbour]}
register: off
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a fund, the stranger's plugin installed beside it."""
    site, info = tmp_path / "site", tmp_path / "site" / "harbour-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(HERE / "harbour_regime.py", site / "harbour.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: harbour\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[allocator]\nharbour = harbour\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fund.yaml").write_text(FUND, encoding="utf-8")
    (tmp_path / "assets.csv").write_text(ASSETS, encoding="utf-8")
    return tmp_path


def minimum(shares: float, bonds: float) -> float:
    """Return the harbour's minimum capital by hand."""
    return hypot(0.30 * shares, 0.02 * bonds)


def test_a_fund_under_it_is_read_and_its_capital_is_that_by_hand(folder: Path) -> None:
    fund = load("fund.yaml")
    accounts = dict(zip(fund.inputs.assets["asset_id"], fund.inputs.assets["account"], strict=True))
    assert accounts == {"ISLE": "savings", "REEF": "savings", "TIDE": "savings", "MOOR": "linked", "QUAY": "linked"}
    position = fund.position()
    assert position is not None
    expected = minimum(150e6, 850e6)
    assert position.minimum_capital == pytest.approx(expected, rel=1e-12)
    ratios = {item.name: position.ratio(item.name) for item in position.requirements}
    assert ratios == pytest.approx({"cover": 120e6 / expected, "prime": 100e6 / expected, "swift": 60e6 / expected})


def test_the_optimum_keeps_its_ratios(folder: Path) -> None:
    result = load("fund.yaml").optimize()
    after = result.value.after
    assert after is not None
    # cover binds, as 120 / 2.0 < 100 / 1.5; shares instead of bonds earn 4 points more in both accounts.
    shares = brentq(lambda held: minimum(held, 1000e6 - held) - 60e6, 0.0, 1000e6)
    assert after.minimum_capital == pytest.approx(60e6, rel=1e-6)
    assert after.ratio("cover") == pytest.approx(2.0, abs=1e-6)
    assert result.value.objective == pytest.approx((0.03 * 900e6 + 0.02 * 100e6 + 0.04 * shares) / 1000e6, rel=1e-6)


def texts(out: Path) -> Mapping[str, str]:
    """Return what a reader sees in OUT: every file's text, the workbook's strings."""
    found = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir() if path.suffix != ".xlsx"}
    with zipfile.ZipFile(out / "report.xlsx") as book:
        found["report.xlsx"] = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    return found


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return left.value.code or 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_run_shows_its_own_words_and_none_of_another_country(
    lang: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("run", "fund.yaml", "-o", "out", "--lang", lang) == 0
    shown = capsys.readouterr().out
    files = texts(folder / "out")
    entry = json.loads(files["run.json"])
    assert list(entry["solvency"]) == ["cover", "prime", "swift"]
    assert entry["solvency"]["prime"]["statutory"] == 0.8 and entry["solvency"]["cover"]["required"] == 2.0
    assert {"actual_capital", "prime_capital", "swift_capital"} <= set(entry["capital"])
    words = {"en": ("Cover of all risks", "Prime cover", "FLR"), "zh": ("全面保障率", "优质保障率", "弗罗林")}[lang]
    for place in (shown, files["report.html"], files["report.xlsx"]):
        for word in words[:2]:
            assert word in place
    assert words[2] in files["report.xlsx"] and words[2] in files["report.html"]
    assert {"en": "Unit-linked", "zh": "投连"}[lang] in files["report.html"]
    for name, text in {**files, "screen": shown}.items():
        assert not set(COUNTRY.findall(text)), name


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_its_frontier_runs_by_default_along_its_principal_ratio(
    lang: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("frontier", "fund.yaml", "-o", "out", "--points", "4", "--lang", lang) == 0
    files = texts(folder / "out")
    entry = json.loads(files["run.json"])
    assert entry["between"] == {"name": "cover", "unit": "ratio", "en": "Cover of all risks", "zh": "全面保障率"}
    assert all(set(point["ratios"]) == {"cover", "prime", "swift"} for point in entry["points"])
    assert {"en": "cover of all risks", "zh": "全面保障率"}[lang] in capsys.readouterr().out
    for name, text in files.items():
        assert not set(COUNTRY.findall(text)), name


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_other_command_speaks_its_words(lang: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fund = FUND + "stress: {only: [squall], scenarios: {squall: {equity: {all: -20%}}}}\n"
    (folder / "fund.yaml").write_text(fund + "plan: {steps: 2}\n", encoding="utf-8")
    for out, cover in (("out", "2.0"), ("other", "2.5")):
        assert run("run", "fund.yaml", "-o", out, "--set", f"capital.require.cover={cover}") == 0
    capsys.readouterr()
    label = {"en": "cover of all risks", "zh": "全面保障率"}[lang]
    for status, command in (
        (0, ("capital", "fund.yaml")),
        (0, ("explain", "fund.yaml")),
        (0, ("compare", "out", "other")),
        (0, ("trace", "out", "solvency.cover")),
        (0, ("stress", "fund.yaml", "-o", "stress")),
        (0, ("plan", "fund.yaml", "-o", "plan")),
        (3, ("explain", "fund.yaml", "--set", "capital.require.cover=50")),
    ):
        assert run(*command, "--lang", lang) == status, (command, capsys.readouterr())
        shown = capsys.readouterr()
        said = shown.out + shown.err
        assert not set(COUNTRY.findall(said)), command
        if command[0] in ("capital", "explain", "compare"):
            assert label in said.lower() or status == 3, command
    for out in ("stress", "plan"):
        files = texts(folder / out)
        assert label in files["report.html"].lower() and label in files["report.xlsx"].lower()
        for name, text in files.items():
            assert not set(COUNTRY.findall(text)), name


def test_its_balance_sheet_has_its_own_keys_and_checks(folder: Path) -> None:
    text = FUND.replace("prime_capital: 100", "prime_capital: 130").replace("swift_capital: 60", "core_tier1: 60")
    (folder / "fund.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="core_tier1: an unknown key"):
        load("fund.yaml")
    (folder / "fund.yaml").write_text(text.replace(", core_tier1: 60", ""), encoding="utf-8")
    with pytest.raises(InputError, match="prime capital exceeds actual capital"):
        load("fund.yaml")


def test_without_any_regime_every_account_is_one_and_money_has_a_neutral_name() -> None:
    jurisdiction = Registry([]).jurisdiction(None)
    assert jurisdiction == Jurisdiction()
    assert not COUNTRY.search(f"{jurisdiction.default_account} {jurisdiction.currency} {jurisdiction.principal}")
    enabled = load_registry(disable=("cross2",))
    (account,) = [column for column in declared_tables(enabled)["assets"].columns if column.name == "account"]
    assert account.measure == "text" and not account.choices
    fund = Fund(
        {"fund": {"name": "f", "as_of": "2026-06-30"}, "plugins": {"disable": ["cross2"]}},
        pd.DataFrame({"asset_id": ["A"], "kind": ["cash"], "account": ["anything"], "amount": [5.0]}),
    )
    assert fund.inputs.assets["account"].tolist() == ["anything"]
