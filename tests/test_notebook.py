"""Results in a notebook: HTML that is well formed and escaped, typed frames, plotly figures."""

from __future__ import annotations

import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from fake_result import NO_PLUGINS, TARGET, fake_result
from needed import package

from allocator.api import Result
from allocator.errors import InputError
from allocator.model.position import CapitalPosition
from allocator.report.figures import FIGURES, figure
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
    return fake_result()


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
    settings = result.inputs.settings.model_copy(update={"language": "zh"})
    chinese = replace(result, inputs=replace(result.inputs, settings=settings))
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
    np.testing.assert_array_equal(allocation["target"], TARGET * 1e8)
    np.testing.assert_array_equal(allocation["weight"], result.weights)
    assert allocation["weight"].sum() == pytest.approx(1.0)
    trades = result.trades
    assert list(trades["trade"].abs()) == sorted(trades["trade"].abs(), reverse=True)
    assert (trades["trade"] != 0).all()
    assert trades["trade"].sum() == pytest.approx(0.0, abs=1.0)
    capital = result.capital.set_index("module")
    assert capital.loc["minimum_capital", "after"] == after.minimum_capital
    assert capital.loc["minimum_capital", "depth"] == 0
    assert set(result.prices["name"]) >= {"comprehensive"}


def test_shares_of_capital_sum_to_minimum_capital(after: CapitalPosition) -> None:
    """Euler: amount times marginal for each row, and one line for what does not scale with the assets."""
    frame = after.assets
    assert frame["contribution"].sum() == pytest.approx(after.minimum_capital, rel=1e-12)
    rows = frame.iloc[:-1]
    np.testing.assert_allclose(rows["contribution"], rows["amount"] * rows["marginal"])
    assert frame["asset_id"].iloc[-1] == "liabilities_and_constants"
    assert after.modules["amount"].iloc[0] == after.minimum_capital


def test_a_fund_without_a_regime_has_no_capital_frame(result: Result) -> None:
    model = replace(result.model, capital_limits=(), tree=None)
    bare = replace(result, model=model, regime=None, before=None, after=None, risk=None, scores={}, tilts=())
    assert bare.capital.empty
    assert "module" in bare.capital
    Strict(bare._repr_html_())
    with pytest.raises(InputError, match="nothing to draw"):
        bare.figure("waterfall")


@pytest.mark.parametrize("name", sorted(FIGURES))
@pytest.mark.parametrize("language", list(Language))
def test_every_figure_is_plotlys_and_holds_the_results_figures(result: Result, name: str, language: Language) -> None:
    package("plotly", "charts in notebooks were not tried")
    import plotly.graph_objects as go

    view = View.of(result, language, NO_PLUGINS)
    if name in ("cash_flows", "stress"):
        with pytest.raises(InputError, match="nothing to draw"):
            figure(view, name)
        return
    drawn = figure(view, name)
    assert isinstance(drawn, go.Figure)
    assert drawn.to_json()


def test_the_figures_steps_and_shares_sum_to_minimum_capital(result: Result, after: CapitalPosition) -> None:
    package("plotly", "charts in notebooks were not tried")
    steps = result.figure("waterfall").data[0].x
    assert sum(steps[:-1]) == pytest.approx(steps[-1])
    assert steps[-1] == pytest.approx(after.minimum_capital / 1e8)
    assert sum(result.figure("capital").data[0].x) == pytest.approx(after.minimum_capital / 1e8)


def test_a_chart_that_does_not_exist_is_named_with_the_nearest(result: Result) -> None:
    with pytest.raises(InputError, match="waterfall"):
        result.figure("waterfal")


def test_without_plotly_the_extra_is_named(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(InputError, match=r"allocator-insurance\[notebook\]"):
        result.figure("allocation")
