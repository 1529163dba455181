"""The README keeps its word: its example prints what it shows, and both languages stay in step."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READMES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_example_prints_what_the_readme_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (code,), (shown,) = blocks(READMES["README.md"], "python"), blocks(READMES["README.md"], "text")
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code.replace('"out/first_fund"', repr(str(tmp_path / "out"))), {})
    assert printed.getvalue() == shown
    assert (tmp_path / "out" / "report.html").is_file()


def test_both_languages_have_the_same_parts() -> None:
    english, chinese = READMES.values()
    for language in ("sh", "python", "text"):
        assert blocks(english, language) == blocks(chinese, language)
    for mark in (r"^## ", r"^\| `", r"^- \*\*"):
        assert len(re.findall(mark, english, re.MULTILINE)) == len(re.findall(mark, chinese, re.MULTILINE))


def test_both_languages_name_the_same_commands_and_pages() -> None:
    english, chinese = READMES.values()
    commands = r"`((?:allocator|make) [^`]+)`"
    assert re.findall(commands, english) == re.findall(commands, chinese) != []
    pages = [re.findall(r"\]\((docs/[^)]+\.md)\)", text) for text in (english, chinese)]
    assert pages[0] == pages[1] != []
    levels = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (english, chinese)]
    assert levels[0] == levels[1] != []


def test_each_readme_shows_a_picture_of_the_report_in_its_language() -> None:
    for text, language in zip(READMES.values(), ("en", "zh"), strict=True):
        (shown,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
        assert shown == f"docs/report.{language}.png"
        picture = (ROOT / shown).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert 40_000 < len(picture) < 300_000


def test_every_docs_page_for_readers_is_reached_from_the_readme_or_the_index() -> None:
    linked = READMES["README.md"] + (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in ("first-fund", "cookbook", "reports", "register", "settings", "rules", "mathematics"):
        assert f"{page}.md" in linked


@pytest.mark.parametrize("page", [*READMES, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"
