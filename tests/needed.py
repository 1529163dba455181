"""What some tests need beside the library. Where it is missing they say so; in CI, which installs it, they fail."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

__all__ = ["need", "package"]


def need(missing: Sequence[str], untried: str) -> None:
    """End the test where something is missing; ``untried`` says what was not tried for the want of it."""
    if not missing:
        return
    reason = f"{' and '.join(missing)} not installed: {untried}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def package(name: str, untried: str) -> Any:
    """Return a package that an extra of the library brings."""
    need([] if find_spec(name) else [name], untried)
    return import_module(name)
