"""Draw the READMEs' pictures anew: the first screen of the life insurer's report, from a run made here and now.

``python docs/picture.py`` with the test environment, after a change that the first screen shows.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import allocator

ROOT = Path(__file__).resolve().parent.parent
TILT = "tilts=[{tech_innovation_bonds: {mode: budget, cost: 0.1bp}}]"
SCREEN = {"width": 1240, "height": 900}
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def main() -> None:
    """Optimize, write the report, photograph it in both languages."""
    from playwright.sync_api import sync_playwright

    result = allocator.load(ROOT / "examples" / "life_insurer" / "fund.yaml", [TILT]).optimize()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        out = result.report(Path(folder) / "out")
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for language in ("en", "zh"):
            page = browser.new_page(viewport=SCREEN, color_scheme="light")
            page.goto(f"file://{out}/report.html")
            page.click(f"[data-speak={language}]")
            page.mouse.move(0, 0)
            page.screenshot(path=str(ROOT / "docs" / f"report.{language}.png"))
        browser.close()


if __name__ == "__main__":
    main()
