"""A workbook as an office program recomputes it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
from needed import need

__all__ = ["recomputed"]

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")

ALWAYS_RECOMPUTE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode"><value>0</value></prop>
</item>
</oor:items>
"""
"""Without this the office trusts the values that stand beside the formulas, and nothing would be recomputed."""


def recomputed(workbook: Path, folder: Path) -> Any:
    """Return the workbook, every formula computed anew by LibreOffice; ``folder`` holds its working files.

    Where there is no LibreOffice the test says so, and fails in CI.
    """
    need([] if OFFICE else ["LibreOffice"], "the workbook was not tried in an office")
    assert OFFICE is not None
    settings = folder / "profile" / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(ALWAYS_RECOMPUTE, "utf-8")
    subprocess.run(
        [
            OFFICE,
            f"-env:UserInstallation=file://{folder}/profile",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(folder / "recomputed"),
            str(workbook),
        ],
        check=True,
        capture_output=True,
        timeout=300,
        env={**os.environ, "HOME": str(folder)},
    )
    return openpyxl.load_workbook(folder / "recomputed" / workbook.name, data_only=True)
