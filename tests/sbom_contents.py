"""Checks that a bill of materials names everything a result depends on, and none of the tools it was made with.

``python tests/sbom_contents.py out/sbom.json``; that it is valid CycloneDX, the tool that writes it checks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from allocator.report.versions import OWN, requirements_of

TOOLS = {"pip", "pytest", "mypy", "ruff", "mkdocs", "cyclonedx-bom"}


def check(bill: dict[str, Any]) -> str:
    """Return what the bill holds, in a sentence.

    Raises
    ------
    AssertionError
        When a package is missing, has no version, or is no part of a release.
    """
    assert bill["bomFormat"] == "CycloneDX"
    listed = {part["name"].lower().replace("_", "-").replace(".", "-"): part for part in bill["components"]}
    missing = set(requirements_of((OWN,))) - set(listed)
    assert not missing, f"missing: {sorted(missing)}"
    assert not TOOLS & set(listed), f"tools: {sorted(TOOLS & set(listed))}"
    assert all(part.get("version") for part in listed.values()), "a package without a version"
    licensed = sum(bool(part.get("licenses")) for part in listed.values())
    return f"{len(listed)} packages, {licensed} with a licence, CycloneDX {bill['specVersion']}"


if __name__ == "__main__":
    sys.stdout.write(check(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))) + "\n")
