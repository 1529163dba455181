"""A real browser for the tests of the report page; where there is none a test says so, and fails in CI."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from needed import need

__all__ = ["SCREEN", "opened_browser", "opened_page", "spoilt_in_print"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = [
    name
    for name, there in (("playwright", importlib.util.find_spec("playwright")), ("Chromium", CHROMIUM))
    if there is None
]


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Give a headless Chromium."""
    need(MISSING, "the page was not tried in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@contextmanager
def opened_page(browser: Any, file: Path) -> Iterator[Any]:
    """Give a page with the network shut; every message of its console is an error of the test."""
    context = browser.new_context(viewport=SCREEN, offline=True)
    page, messages = context.new_page(), []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"file://{file}")
    yield page
    context.close()
    assert messages == []


SCREEN = {"width": 1320, "height": 900}
"""A desk's window."""

PAPER = 710
"""Pixels across an A4 page between the margins that the page sets: 188 mm."""

SPOILT = """() => {
  const beyond = (one) => one.getBoundingClientRect().right > innerWidth + 1;
  const squeezed = (one) => getComputedStyle(one).display !== "inline" && one.scrollWidth > one.clientWidth + 2;
  const lines = (one) => Math.round(one.clientHeight / parseFloat(getComputedStyle(one).lineHeight) - 0.3);
  const shown = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().width > 0);
  const boxes = shown.filter((one) => !one.closest("svg *") && one.clientWidth > 0);
  const cut = boxes.filter((one) => beyond(one) || squeezed(one));
  const words = shown.filter((one) => one.matches("td.short") && !/\\s/.test(one.innerText.trim()));
  const broken = words.filter((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
  });
  const dark = [document.body, ...shown.filter((one) => one.matches(".panel"))].filter((one) =>
    !["rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"].includes(getComputedStyle(one).backgroundColor));
  const split = shown.filter((one) => one.matches("figure.chart") && getComputedStyle(one).breakInside !== "avoid");
  const left = shown.filter((one) => one.matches("h2, h3") && getComputedStyle(one).breakAfter !== "avoid");
  const say = (kind, found) => found.slice(0, 5).map((one) =>
    `${kind}: ${one.tagName} ${one.closest("table")?.id ?? ""} ${(one.innerText ?? "").slice(0, 40)}`);
  return [...say("cut off", cut), ...say("broken word", broken), ...say("dark", dark), ...say("may be split", split),
    ...say("may part from what follows", left)];
}"""


def spoilt_in_print(page: Any) -> list[str]:
    """Return what an A4 page would show badly in either language: cut off, broken, dark, split, orphaned."""
    found = []
    page.click("[data-theme-switch]")
    for language in ("en", "zh"):
        page.emulate_media(media="screen")
        page.set_viewport_size(SCREEN)
        page.click(f"[data-speak={language}]")
        page.set_viewport_size({"width": PAPER, "height": 1000})
        page.emulate_media(media="print")
        found += [f"{language}: {one}" for one in page.evaluate(SPOILT)]
    return found
