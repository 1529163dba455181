"""The pages of the hooks say what the specifications say."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from allocator import hooks
from allocator.extension.contracts import CONTRACTS

DOCS = Path(__file__).resolve().parent.parent / "docs"
sys.path.insert(0, str(DOCS))
from build_hook_pages import pages  # noqa: E402


def test_every_page_is_in_step_with_its_specification() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "hooks").glob("*.md")}
    assert written == pages(), "run: python docs/build_hook_pages.py"


@pytest.mark.parametrize("hook", hooks.HOOKS)
def test_a_page_explains_every_field(hook: str) -> None:
    text = pages()[f"{hook}.md"]
    for field in dataclasses.fields(CONTRACTS[hook].kind):
        assert f"| `{field.name}` |" in text
    index = pages()["index.md"]
    assert f"]({hook}.md)" in index


def test_every_hook_has_a_contract() -> None:
    assert tuple(CONTRACTS) == hooks.HOOKS


def test_the_page_of_settings_lists_every_key_as_it_is() -> None:
    from build_settings_page import PAGE, page

    text = PAGE.read_text(encoding="utf-8")
    assert text == page(), "run: python docs/build_settings_page.py"
    for key in ("`unpack_limit`", "`strict_columns`", "`core_tier1`", "`equity_ceiling`"):
        assert key in text
