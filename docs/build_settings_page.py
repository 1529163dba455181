"""Writes the reference of every key into docs/settings.md. Run: python docs/build_settings_page.py"""

from __future__ import annotations

from pathlib import Path

from reference import settings_reference

PAGE = Path(__file__).resolve().parent / "settings.md"
MARK = "<!-- every key -->"


def page() -> str:
    """Return the page with the reference as it is now."""
    return f"{PAGE.read_text(encoding='utf-8').partition(MARK)[0]}{MARK}\n\n{settings_reference()}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
