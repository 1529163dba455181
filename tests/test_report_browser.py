"""report.html in headless Chromium: it opens at once, its switches work, nothing fails in the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import opened_browser, opened_page
from fake_result import NO_PLUGINS, fake_result

from allocator.report.page import write_page
from allocator.report.view import View
from allocator.types import Language


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def report(browser: Any, tmp_path: Path) -> Iterator[Any]:
    write_page(View.of(fake_result(), Language.ENGLISH, NO_PLUGINS), tmp_path / "report.html")
    with opened_page(browser, tmp_path / "report.html") as page:
        yield page


def visible(page: Any) -> str:
    return str(page.locator("main").inner_text())


def test_the_language_switches_and_nothing_stays_behind(report: Any) -> None:
    assert "What do we buy and sell?" in visible(report)
    assert "买什么" not in visible(report)
    report.get_by_role("button", name="中文").click()
    assert "买什么，卖什么？" in visible(report)
    assert "What do we buy" not in visible(report)
    assert report.evaluate("document.documentElement.lang") == "zh-CN"
    assert "资产配置报告" in report.title()
    assert report.locator("svg").first.get_attribute("aria-label") == "调整前后持仓（按类别）"


def test_a_table_sorts_by_figure_and_by_text(report: Any) -> None:
    heading = report.locator("#table-allocation th", has_text="Target").first
    cells = report.locator("#table-allocation tbody tr td:nth-child(6)")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert cells.first.inner_text() == "300.00"
    heading.get_by_role("button").click()
    assert cells.first.inner_text() == "40.00"
    names = report.locator("#table-allocation th", has_text="Asset").first
    names.get_by_role("button").focus()
    report.keyboard.press("Enter")
    assert report.locator("#table-allocation tbody tr td:first-child").nth(1).inner_text() == "AAA5"


def test_a_table_filters_and_counts(report: Any) -> None:
    report.locator('[data-filter="table-capital"]').fill("risk rate")
    shown = report.locator("#table-capital tbody tr:visible")
    assert shown.count() == 3
    assert report.locator("#capital .count").first.inner_text() == "3"


def test_everything_is_reached_by_keyboard(report: Any) -> None:
    report.keyboard.press("Tab")
    assert report.evaluate("document.activeElement.className") == "skip"
    report.locator("svg").first.focus()
    report.keyboard.press("ArrowRight")
    hint = report.locator("#hint")
    assert hint.is_visible()
    assert "Government bond" in hint.inner_text()
    report.keyboard.press("Escape")
    assert not hint.is_visible()


def test_marks_explain_themselves_on_hover(report: Any) -> None:
    report.locator("svg circle").last.hover()
    assert "marginal capital" in report.locator("#hint").inner_text()


def test_dark_is_dark_and_the_choice_is_kept(report: Any) -> None:
    def ground() -> str:
        return str(report.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = ground()
    report.get_by_role("button", name="Dark").click()
    assert ground() != light
    report.wait_for_timeout(200)  # the choice is kept by another process of the browser
    report.reload()
    assert ground() != light


def test_nothing_overflows_the_page_on_a_phone_or_a_desk(report: Any) -> None:
    for width in (390, 800, 1320, 1920):
        report.set_viewport_size({"width": width, "height": 900})
        wide = report.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (width, wide)


def test_it_prints_to_a4_without_the_screens_furniture(report: Any) -> None:
    report.emulate_media(media="print")
    assert not report.locator("header.top").is_visible()
    document = report.pdf(format="A4")
    assert document.startswith(b"%PDF")
    assert document.count(b"/Type /Page\n") <= 12


def test_the_screenshot_is_not_blank(report: Any) -> None:
    picture = report.screenshot()
    assert len(set(picture[1000:20_000])) > 200
    assert len(picture) > 40_000
