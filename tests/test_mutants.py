"""The catalogue of `make mutants` speaks of the code as it is: each piece stands once, and its tests are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import Mutant, catalogue, stale

MUTANTS = catalogue()


def test_the_catalogue_is_up_to_date() -> None:
    """A piece that was rewritten is to be stated anew in mutants.toml, or its change tests nothing."""
    assert not list(stale(MUTANTS))
    assert len(MUTANTS) == len(set(MUTANTS)) >= 60


@pytest.mark.parametrize(("text", "where"), [("a = 1\n", "nowhere"), ("a = 2 + 2\n", "once.py: 2"), ("a = 2\n", None)])
def test_a_piece_that_does_not_stand_exactly_once_is_refused(tmp_path: Path, text: str, where: str | None) -> None:
    folder = tmp_path / "allocator" / "deep"
    folder.mkdir(parents=True)
    (folder / "once.py").write_text(text, encoding="utf-8")
    mutant = Mutant("once.py", "2", "3", ("capital_tree",))
    if where is None:
        assert mutant.place(tmp_path) == folder / "once.py"
    else:
        with pytest.raises(LookupError, match=where):
            mutant.place(tmp_path)


def test_a_piece_that_two_files_of_a_name_have_is_refused(tmp_path: Path) -> None:
    for room in ("allocator", "plugins/other"):
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "once.py").write_text("a = 2\n", encoding="utf-8")
    wrong = list(stale([Mutant("once.py", "2", "2", ("no_such",))], tmp_path))
    assert len(wrong) == 3
    assert "must stand exactly once" in wrong[0] and "is not changed" in wrong[1] and "no_such" in wrong[2]
