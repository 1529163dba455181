"""Checks that a wheel holds every module and data file of the packages in the checkout."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {"__pycache__"}


def expected() -> set[str]:
    """Return the archive names that the checkout's packages should have in the wheel."""
    packages = [
        ROOT / "allocator",
        *(ROOT / "constraints").glob("allocator_*"),
        *(ROOT / "plugins").glob("allocator_*"),
    ]
    return {
        str(Path(package.name) / file.relative_to(package))
        for package in packages
        for file in package.rglob("*")
        if file.is_file() and not SKIPPED & set(file.parts)
    }


def main(wheel: str) -> int:
    """Return 0 when nothing is missing; name what is."""
    with zipfile.ZipFile(wheel) as archive:
        missing = sorted(expected() - set(archive.namelist()))
    for name in missing:
        print(f"missing from the wheel: {name}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
