"""A real browser for the tests of the report page; where there is none a test says so, and fails in CI."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["opened_browser"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = [
    name
    for name, there in (("playwright", importlib.util.find_spec("playwright")), ("Chromium", CHROMIUM))
    if there is None
]


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Give a headless Chromium."""
    if MISSING:
        reason = f"{' and '.join(MISSING)} not installed: the page was not tried in a browser"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()
