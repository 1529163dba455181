"""The command line, called in this process."""

from __future__ import annotations

import pytest

from allocator import cli

__all__ = ["call"]


def call(*arguments: str) -> int:
    """Return the exit status that a command ends with."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code
