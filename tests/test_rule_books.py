"""The rule books as data: what changes between two days, what a reading is worth, when each was last checked."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from allocator_cross2.commands import rules
from allocator_cross2.pack import RulePack
from allocator_cross2.rule_books import changes, every_figure

import allocator

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "life_insurer" / "fund.yaml"
AS_OF = date(2026, 3, 31)


def test_the_notice_of_2023_in_words() -> None:
    """金规〔2023〕5号: STAR 0.45 → 0.40, CSI 300 0.30 new, opaque REITs 0.6 → 0.5, each with document and date."""
    told = {line.en.split(":")[0]: line for line in changes(date(2023, 9, 9), date(2023, 9, 10))}
    star = told["cross2 equity.listed.star"]
    assert "from 0.45 to 0.4 (金规〔2023〕5号 (6), 2023-09-10)" in star.en and "由 0.45 调整为 0.4" in star.zh
    assert "new, 0.3 (金规〔2023〕5号 (6), 2023-09-10)" in told["cross2 equity.listed.csi300"].en
    assert "from 0.6 to 0.5" in told["cross2 opaque.reit"].en
    assert changes(date(2023, 9, 10), date(2023, 9, 11)) == []


def test_all_rule_books_are_compared() -> None:
    """金规〔2025〕12号 lifts a venture fund's share from 20% to 30%: a figure of another plugin."""
    told = [line.en for line in changes(date(2025, 4, 7), date(2025, 4, 8))]
    assert any(line.startswith("limits venture.single") and "from 0.2 to 0.3" in line for line in told)
    assert {"cross2", "limits", "liquidity", "alm"} <= {item.book for item in every_figure(date(2027, 1, 1))}


def test_every_figure_says_when_it_was_last_checked() -> None:
    assert not [item.key for item in every_figure(date(2027, 1, 1)) if item.checked is None]


def test_the_notice_of_2025_has_its_number() -> None:
    source = RulePack.at(date(2026, 6, 30)).source("equity.listed.index_long")
    assert str(source).startswith("金规〔2025〕24号")


@pytest.mark.parametrize("name", RulePack.at(AS_OF).readings)
def test_a_reading_states_its_effect_on_the_example(name: str) -> None:
    """The ratio under the other answer less that of the example, in bp of ratio, as ``allocator rules --readings``."""
    pack = RulePack.at(AS_OF)
    base = allocator.load(EXAMPLE).capital()
    other = allocator.load(EXAMPLE, [f"capital.readings={{{name}: {str(not pack.reading(name)).lower()}}}"]).capital()
    assert base is not None and other is not None
    moved = (other.ratio("comprehensive") - base.ratio("comprehensive")) * 1e4
    assert pack.reading_effect(name) == pytest.approx(moved, abs=0.051)


def test_the_command_says_both(capsys: pytest.CaptureFixture[str]) -> None:
    rules(when="2023-09-09", other="2023-09-10", as_json=True)
    assert any("opaque.reit" in line["en"] for line in json.loads(capsys.readouterr().out))
    rules(when="2026-03-31", readings=True)
    said = capsys.readouterr().out
    assert "dividend_factor_needs_csi300" in said and "bp" in said
