"""Prints the lowest version of every package the library needs at run time, as constraints for pip."""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SETUP = Path(__file__).resolve().parent.parent / "setup.cfg"
RUN_TIME_EXTRAS = ("markets", "db", "mip")
"""Extras of users; those of tests, documentation and comparisons are tools."""
BOUND = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)\s*>=\s*(?P<lowest>[0-9.]+)")


def lowest(setup: str) -> Iterator[str]:
    """Yield ``name==version`` for each requirement of a setup.cfg that has a lower bound.

    Raises
    ------
    ValueError
        When a requirement has none.
    """
    parser = configparser.ConfigParser()
    parser.read_string(setup)
    lines = parser["options"]["install_requires"].splitlines()
    for extra in RUN_TIME_EXTRAS:
        lines += parser["options.extras_require"][extra].splitlines()
    for line in filter(None, map(str.strip, lines)):
        bound = BOUND.match(line)
        if bound is None:
            raise ValueError(f"no lower bound: {line}")
        yield f"{bound['name']}=={bound['lowest']}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest(SETUP.read_text(encoding="utf-8"))) + "\n")
