"""Results in a notebook: HTML that is well formed and escaped, typed frames, the page's drawings."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fake_result import NO_PLUGINS, TARGET, fake_result

from allocator.api import CapitalPosition, Result
from allocator.errors import InputError
from allocator.report.figures import FIGURES, figure
from allocator.report.page import page
from allocator.report.view import View
from allocator.types import Language


class Strict(HTMLParser):
    """Fails on a tag that is not closed; keeps texts and the indents of first cells."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.styles: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.styles += [str(value) for name, value in attrs if name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr("allocator.report.view._registry", lambda result: NO_PLUGINS)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return Result(fake_result())


@pytest.fixture
def after(result: Result) -> CapitalPosition:
    assert result.after is not None
    return result.after


def test_a_result_shows_its_first_page_with_every_name_escaped(result: Result) -> None:
    html = result._repr_html_()
    page = Strict(html)
    assert "180.00%" in page.texts
    assert "Largest trades" in page.texts
    assert "<script>alert('name')</script>" in page.texts
    assert "<script" not in html
    assert "仿真寿险 <fund> & co · 2026-06-30" in page.texts


def test_a_result_speaks_the_funds_language(result: Result) -> None:
    inputs = result.value.inputs
    settings = inputs.settings.model_copy(update={"language": "zh"})
    chinese = Result(replace(result.value, inputs=replace(inputs, settings=settings)))
    texts = Strict(chinese._repr_html_()).texts
    assert "主要买卖" in texts
    assert "Largest trades" not in texts


def test_capital_shows_as_an_indented_tree(after: CapitalPosition) -> None:
    page = Strict(after._repr_html_())
    assert page.texts[0].startswith("money in CNY 100 million")
    assert "180.00%" in page.texts[0]
    indents = {style.split("padding-left:")[1] for style in page.styles if "padding-left" in style}
    assert {"0.5em", "1.9em", "3.3em"} <= indents


def test_frames_have_named_typed_columns(result: Result, after: CapitalPosition) -> None:
    for frame in (result.allocation, result.trades, result.capital, result.prices, after.modules, after.assets):
        for name, dtype in frame.dtypes.items():
            assert isinstance(dtype, pd.StringDtype) or dtype.kind in "fib", (name, dtype)
    allocation = result.allocation
    np.testing.assert_allclose(allocation["target"], TARGET, rtol=1e-15)
    np.testing.assert_array_equal(allocation["weight"], result.weights)
    assert allocation["weight"].sum() == pytest.approx(1.0)
    trades = result.trades
    assert list(trades["trade"].abs()) == sorted(trades["trade"].abs(), reverse=True)
    assert (trades["trade"] != 0).all()
    assert trades["trade"].sum() == pytest.approx(0.0, abs=1e-8)
    capital = result.capital.set_index("module")
    assert capital.loc["minimum_capital", "after"] == pytest.approx(after.minimum_capital, rel=1e-15)
    assert capital.loc["minimum_capital", "depth"] == 0
    assert set(result.prices["name"]) >= {"comprehensive"}


def test_shares_of_capital_sum_to_minimum_capital(after: CapitalPosition) -> None:
    """Euler: amount times marginal for each row, and one line for what does not scale with the assets."""
    frame = after.assets
    assert frame["contribution"].sum() == pytest.approx(after.minimum_capital, rel=1e-12)
    rows = frame.iloc[:-1]
    np.testing.assert_allclose(rows["contribution"], rows["amount"] * rows["marginal"])
    assert frame["asset_id"].iloc[-1] == "liabilities_and_constants"
    assert after.modules["amount"].iloc[0] == pytest.approx(after.minimum_capital, rel=1e-15)


def test_a_fund_without_a_regime_has_no_capital_frame(result: Result) -> None:
    model = replace(result.value.model, capital_limits=(), tree=None)
    nothing = {"regime": None, "before": None, "after": None, "risk": None}
    bare = Result(replace(result.value, model=model, scores={}, tilts=(), **nothing))
    assert bare.capital.empty
    assert "module" in bare.capital
    Strict(bare._repr_html_())
    with pytest.raises(InputError, match="nothing to draw"):
        bare.figure("waterfall")


@pytest.mark.parametrize("name", sorted(FIGURES))
@pytest.mark.parametrize("language", list(Language))
def test_every_figure_is_the_pages_own_drawing_in_one_language(result: Result, name: str, language: Language) -> None:
    view = View.of(result.value, language, NO_PLUGINS)
    if name in ("cash_flows", "durations", "stress"):
        with pytest.raises(InputError, match="nothing to draw"):
            figure(view, name)
        return
    svg = figure(view, name).svg
    drawn = ElementTree.fromstring(svg)
    shapes = [one for one in drawn.iter() if one.tag.endswith(("rect", "circle", "path", "line"))]
    assert len(shapes) > 5
    other = "en" if language is Language.CHINESE else "zh"
    assert f".{other} {{ display: none; }}" in svg
    title = drawn.find("{http://www.w3.org/2000/svg}title")
    assert title is not None and title.text is not None
    assert bool(re.search("[\u4e00-\u9fff]", title.text)) == (language is Language.CHINESE)


def test_a_figure_shows_in_a_notebook_and_can_be_saved(result: Result, tmp_path: Path) -> None:
    drawn = result.figure("waterfall", "en")
    assert drawn._repr_svg_() == drawn.svg == drawn.save(tmp_path / "waterfall.svg").read_text(encoding="utf-8")
    page_of_it = page(View.of(result.value, Language.ENGLISH, NO_PLUGINS))
    marks = re.findall(r"<rect[^>]*? class=\"bar [^>]*?>", drawn.svg)
    assert len(marks) > 5
    for mark in marks:
        assert mark.removesuffix("/>") in page_of_it


def test_a_chart_that_does_not_exist_is_named_with_the_nearest(result: Result) -> None:
    with pytest.raises(InputError, match="waterfall"):
        result.figure("waterfal")
