"""The statutory limits are one name; a fund under a regime that leaves one out says so before any figure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import allocator
from allocator import InputError
from tests.command import call

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "examples" / "first_fund" / "fund.yaml"
SET = {"equity_ceiling", "class_limits", "liquid_assets", "low_rated_bonds", "venture_total"}
"""保监发〔2014〕13号 and 101号: what is a share of total assets; single_asset and single_entity besides."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "register.sqlite"))
    assert call("init", str(tmp_path / "fund")) == 0
    return tmp_path / "fund"


def test_a_new_fund_checks_the_whole_set(folder: Path) -> None:
    fund = allocator.load(folder / "fund.yaml")
    assert fund.unchecked == ()
    names = {term.name.split(":")[0].split("[")[0] for term in fund.terms}
    assert {"single_asset", "single_entity", "venture_total", "equity_ceiling"} <= names


def test_no_row_goes_beyond_five_percent_by_the_set(folder: Path) -> None:
    """单一资产 5% of total assets (110): no bond or share but government's above 5.5."""
    result = allocator.load(folder / "fund.yaml").optimize()
    charged = result.allocation[~result.allocation["kind"].isin(["government_bond", "deposit", "cash"])]
    assert charged["target"].max() <= 0.05 * 110 * (1 + 1e-6)


def test_what_is_not_checked_is_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALLOCATOR_REGISTER", str(tmp_path / "register.sqlite"))
    said = "Statutory limits not checked: Equity by solvency tier; Class ratios and lines"
    for command in (
        ["run", str(FIRST), "-o", str(tmp_path / "out")],
        ["capital", str(FIRST)],
        ["validate", str(FIRST)],
    ):
        assert call(*command) == 0
        assert capsys.readouterr().out.startswith(said), command
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert said in page and "未检查的监管比例：权益类资产比例上限" in page
    assert page.index(said) < page.index(" sold: ")


def test_a_rule_named_by_itself_is_checked_with_its_own_options(folder: Path) -> None:
    text = (folder / "fund.yaml").read_text(encoding="utf-8")
    mine = re.sub(r"(?m)^  - statutory.*$", "  - statutory\n  - single_asset: {max: 3%}", text)
    (folder / "fund.yaml").write_text(mine, encoding="utf-8")
    fund = allocator.load(folder / "fund.yaml")
    assert fund.unchecked == ()
    sides = [float(term.right[0]) for term in fund.terms if term.name.startswith("single_asset")]
    assert sides == pytest.approx([0.03 * 110e8] * len(sides)) and sides


def test_some_of_the_set_leaves_the_rest_unchecked() -> None:
    fund = allocator.load(ROOT / "examples" / "life_insurer" / "fund.yaml")
    assert [text.en for text in fund.unchecked] == ["Any single asset", "Any single legal entity"]


def test_a_fund_without_a_regime_is_asked_for_nothing() -> None:
    import pandas as pd

    assets = pd.DataFrame({"asset_id": ["A"], "kind": ["cash"], "amount": [1.0], "expected_return": [0.02]})
    assert allocator.Fund({"fund": {"name": "F", "as_of": "2026-06-30"}}, assets).unchecked == ()


def test_a_set_has_no_options_and_a_misspelt_one_is_named(folder: Path) -> None:
    text = (folder / "fund.yaml").read_text(encoding="utf-8")
    for line, message in (
        ("  - statutory: {max: 5%}", "a set of rules has no options"),
        ("  - statutary", "statutary"),
    ):
        (folder / "fund.yaml").write_text(re.sub(r"(?m)^  - statutory.*$", line, text), encoding="utf-8")
        with pytest.raises(InputError, match=message):
            allocator.load(folder / "fund.yaml").validate()
