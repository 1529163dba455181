"""Every code block of the documentation works: what each kind of block must do stands in `documents`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import ROOT, Block, Workshop, blocks, pages


@pytest.mark.parametrize("page", pages())
def test_the_blocks_of_a_page_work(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        try:
            workshop.try_block(block)
        except (Exception, AssertionError) as error:
            pytest.fail(f"{page}, line {block.line} ({block.language}): {type(error).__name__}: {error}")


def test_a_broken_block_does_not_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workshop = Workshop(tmp_path)
    broken = [
        Block(1, "python", "", "1 / 0", False),
        Block(1, "sh", "", "allocator run examples/first_fund/no_such.yaml", False),
        Block(1, "sh", "", "allocator plugins list  # exit status 3", False),
        Block(1, "sh", "", "curl example.org", False),
        Block(1, "sh", "", "make no_such_target", False),
        Block(1, "yaml", "", "constraints:\n  - no_such_rule", False),
        Block(1, "yaml", "", "constraints:\n  - turnover: {maximum: 1}", False),
        Block(1, "yaml", "", "no_such_section: 1", False),
        Block(1, "csv", "", "a,b\n1\n", False),
        Block(1, "json", "", "{", False),
        Block(1, "", "", "no language", False),
        Block(1, "python", "../elsewhere.py", "", False),
    ]
    for block in broken:
        with pytest.raises((Exception, AssertionError)):
            workshop.try_block(block)
    workshop.try_block(Block(1, "python", "", "print(1)", False))
    with pytest.raises(AssertionError):
        workshop.try_block(Block(2, "text", "", "2\n", True))


NAMED = re.compile(r"`((?:allocator|benchmarks|constraints|docs|examples|plugins|tests)/[^`\s]+)`")


@pytest.mark.parametrize("page", [*pages(), "SECURITY.md"])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [path for path in named if not any(ROOT.glob(path.rstrip("/")))] == []


def test_pages_are_found() -> None:
    assert {"README.md", "README.zh-CN.md", "docs/mathematics.md"} <= set(pages())
    assert (ROOT / "docs").is_dir()
