"""report.html as text: self-contained, both languages, every name escaped, figures equal to run.json."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_result import fake_result, with_sections
from pages import Reader

from allocator.capital.nodes import WeightedSum
from allocator.report.page import page
from allocator.report.svg import nice_ticks, shorten, text_width
from allocator.report.tables import by_trade
from allocator.report.versions import versions_of
from allocator.report.view import View
from allocator.report.waterfall import waterfall
from allocator.result.result import Result
from allocator.result.tables import ReportSectionSpec, ReportTable
from allocator.types import Language, Text


def shown(result: Result | None = None, *sections: ReportSectionSpec) -> View:
    return View.of(result or fake_result(), Language.ENGLISH, with_sections(*sections))


@pytest.fixture(scope="module")
def text() -> str:
    return page(shown())


@pytest.fixture(scope="module")
def reader(text: str) -> Reader:
    return Reader(text)


def test_tags_close_and_ids_are_unique(reader: Reader) -> None:
    assert reader.stack == []
    ids = [values["id"] for _, values in reader.tags if "id" in values]
    assert len(ids) == len(set(ids))
    anchors = {values["href"] for name, values in reader.tags if name == "a"}
    assert anchors <= {f"#{one}" for one in ids}


def test_the_page_needs_no_network(text: str, reader: Reader) -> None:
    for name, values in reader.tags:
        for attribute in ("src", "href", "action"):
            target = values.get(attribute)
            assert target is None or target.startswith(("#", "data:")), (name, target)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)
    assert len(text.encode()) < 6_000_000


def test_only_the_pages_own_script_and_style_may_run(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    for tag in ("script", "style"):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(bodies) == 1
        fingerprint = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
        assert f"'sha256-{fingerprint}'" in policy[1].replace("&#x27;", "'")
    assert not re.search(r"<[^>]* (style|on\w+)=", text)


def test_names_are_text_not_markup(text: str, reader: Reader) -> None:
    assert "<script>alert" not in text
    assert sum(name == "script" for name, _ in reader.tags) == 1
    assert ("td", "", "<script>alert('name')</script>") in reader.texts


def test_every_sentence_has_both_languages(reader: Reader) -> None:
    """Text outside a language mark must be free of words: figures, identifiers and names from the data only."""
    result = fake_result()
    data = " ".join(str(value) for value in result.inputs.assets.to_numpy().ravel()) + " ".join(
        [str(result.inputs.settings.fund.name), "tech_bonds user bp pp CLARABEL SHA English csv"]
    )
    data += " " + " ".join([*versions_of(), *versions_of().values(), *result.inputs.tables])
    known = set(re.findall(r"[A-Za-z]{2,}", data))
    for tag, language, words in reader.texts:
        if language or tag in {"style", "script", "title", "code", "pre"}:
            continue
        unknown = set(re.findall(r"[A-Za-z]{2,}", words)) - known
        assert not unknown, (tag, words)
    english = sum(language == "en" for _, language, _ in reader.texts)
    chinese = sum(language == "zh" for _, language, _ in reader.texts)
    assert english == chinese > 100
    assert not [
        words for _, language, words in reader.texts if language == "en" and re.search("[\u4e00-\u9fff]", words)
    ]


def test_every_drawing_has_a_name_and_marks_with_hints_in_both_languages(reader: Reader) -> None:
    drawings = [values for name, values in reader.tags if name == "svg"]
    assert len(drawings) == 8
    for values in drawings:
        assert values["role"] == "img"
        assert values["data-label-en"] != values["data-label-zh"]
    hints = [values for _, values in reader.tags if "data-en" in values]
    assert all(values.get("data-zh") for values in hints)
    assert len(hints) > 30


def test_the_cards_say_what_run_json_says(text: str) -> None:
    entry = shown().manifest
    cards = dict(re.findall(r'class="value" data-measure="(\w+)">([^<]*)<', text))
    assert cards == {
        "expected_return": f"{entry['expected_return']['after']:.2%}",
        "volatility": f"{entry['volatility']['after']:.2%}",
        "comprehensive": f"{entry['solvency']['comprehensive']['after']:.2%}",
        "core": f"{entry['solvency']['core']['after']:.2%}",
        "minimum_capital": f"{entry['capital']['minimum_capital']:.2f}",
    }


def test_every_figure_of_the_tables_is_the_exact_one(text: str) -> None:
    view = shown()
    body = re.search(r'<table class="data" id="table-capital">.*?</table>', text, re.DOTALL)
    assert body is not None
    figures = [float(value) for value in re.findall(r'data-value="([^"]*)"', body[0])]
    frame = view.tables["capital"].frame
    np.testing.assert_array_equal(np.array(figures).reshape(-1, 3), frame[["before", "amount", "change"]])
    modules = re.findall(r"data-depth", body[0])
    assert len(modules) == len(frame)


def test_an_unverified_answer_is_marked_as_such() -> None:
    result = fake_result()
    broken = result.solution.holdings.copy()
    broken[[3, 4]] += np.array([-1.0, 1.0]) * 1e8
    unsound = replace(result, solution=replace(result.solution, holdings=broken))
    assert "not verified" in page(shown(unsound))
    assert "not verified" not in page(shown())


def test_what_ifs_are_marked_on_the_first_page(text: str) -> None:
    assert "holds what-ifs, not the rule" in text
    assert re.search(r'class="tag"><span class="en" lang="en">not the rule', text)


def test_a_fund_without_regime_risk_or_tilts_has_a_page() -> None:
    result = fake_result()
    model = replace(result.model, capital_limits=(), tree=None)
    bare = replace(result, model=model, regime=None, before=None, after=None, risk=None, scores={}, tilts=())
    text = page(shown(bare))
    assert 'id="capital"' not in text
    assert 'id="tilts"' not in text
    assert Reader(text).stack == []


def test_a_plugins_section_stands_on_the_page_in_the_reports_money() -> None:
    frame = pd.DataFrame({"scenario": ["<b>up</b>"], "loss": [3.5e8]})
    table = ReportTable("stress", Text("Stress", "压力测试"), frame, formats={"loss": "money"})
    spec = ReportSectionSpec("stress", Text("Stress tests", "压力测试"), lambda result: (table,))
    text = page(shown(None, spec))
    assert "&lt;b&gt;up&lt;/b&gt;" in text
    assert ">3.50<" in text


def test_the_steps_of_the_waterfall_sum_to_minimum_capital() -> None:
    for position in (fake_result().before, fake_result().after):
        assert position is not None
        steps = waterfall(position.tree, position.tree.values(position.holdings))
        assert sum(step.amount for step in steps[:-1]) == pytest.approx(steps[-1].amount, rel=1e-12)
        assert steps[-1].amount == position.minimum_capital
        relief = {step.name for step in steps if step.kind == "relief"}
        spreads = {f"{name}_diversification" for name in ("market_risk", "credit_risk", "quantifiable_risk")}
        assert relief == spreads | {"loss_absorption", "size_factor_effect"}
        assert len({step.name for step in steps}) == len(steps)


def test_a_sum_with_further_parts_steps_through_each_at_its_weight() -> None:
    position = fake_result().after
    assert position is not None
    tree = position.tree
    extra = WeightedSum("doubled", Text("Doubled", "加倍"), "", (tree.root, tree.root), weights=(1.5, 0.5))
    amounts = tree.values(position.holdings) | {"doubled": 2.0 * position.minimum_capital}
    outer = type(tree)(extra, tree.coefficients, tree.constants)
    steps = waterfall(outer, amounts)
    assert sum(step.amount for step in steps[:-1]) == pytest.approx(2.0 * position.minimum_capital, rel=1e-12)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 17.9), (0.0, 3.4e11), (-0.002, 0.0), (0.0, 0.00031)])
def test_ticks_are_round_and_enclose_the_figures(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low + 1e-12 * abs(high - low)
    assert ticks[-1] >= high - 1e-9 * abs(high - low)
    assert 2 <= len(ticks) <= 9
    assert np.ptp(np.diff(ticks)) <= 1e-9 * (high - low)


def test_long_labels_are_cut_by_their_width() -> None:
    assert shorten("国债", 100.0) == "国债"
    cut = shorten("地方政府专项债券（十年期以上）", 80.0)
    assert cut.endswith("…")
    assert text_width(cut) <= 80.0 + 12.0


def test_the_page_is_the_same_whoever_writes_it(tmp_path: Path) -> None:
    first, second = (re.sub(r"\d{4}-\d\d-\d\dT[\d:+]+", "", page(shown())) for _ in range(2))
    assert first == second


def test_rows_of_equal_trades_and_holdings_stand_by_their_names_whatever_order_they_come_in() -> None:
    rows = pd.DataFrame({"asset_id": ["B", "A", "A", "C"], "account": ["x", "y", "x", "x"]})
    rows = rows.assign(current=7e10, target=[7e10, 7e10 + 1e-6, 7e10, 9e10], trade=[0.0, 1e-6, 0.0, 2e10])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        shown = rows.iloc[order].reset_index(drop=True)
        shown = shown.iloc[by_trade(shown)]
        assert shown["asset_id"].tolist() == ["C", "A", "A", "B"]
        assert shown["account"].tolist() == ["x", "x", "y", "x"]
