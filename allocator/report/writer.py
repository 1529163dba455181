"""The files of OUT/: of a result, of a study, of a run without an answer."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.errors import AllocatorError, hide_credentials
from allocator.report.out_folder import MARK, check_folder, replacing

if TYPE_CHECKING:
    from allocator.inputs.fund import Inputs
    from allocator.report.study import StudyReport
    from allocator.report.view import View
    from allocator.result.result import Result

__all__ = [
    "dump_json",
    "write",
    "write_failure",
    "write_manifest",
    "write_study",
    "write_view",
]


def write(result: Result, folder: str | Path, language: str | None = None) -> Path:
    """Write every file of a result to ``folder`` and return it.

    Files that a user laid into a former OUT stay there. If anything fails the former OUT stays as it was.

    Parameters
    ----------
    result : Result
        The verified answer.
    folder : str or Path
        OUT; made if needed, with its parents.
    language : str or None
        ``"en"`` or ``"zh"`` for report.xlsx and the language report.html opens in (the page holds both).
        None: the fund file's language, else the environment's.

    Raises
    ------
    InputError
        When ``folder`` is a file, a link, or a non-empty folder that no run wrote.
    """
    from allocator.language import preferred_language
    from allocator.report.view import View

    check_folder(folder)
    return write_view(
        View.of(result, preferred_language(language, result.inputs.settings.language, os.environ)), folder
    )


def write_view(view: View, folder: str | Path) -> Path:
    """Write every file of a view to ``folder`` and return it; see `write`."""
    from allocator.report.csv_table import write_csv
    from allocator.report.csvfiles import csv_frames
    from allocator.report.excel import write_workbook
    from allocator.report.manifest import recipe
    from allocator.report.page import write_page

    formulas = view.result.inputs.settings.csv_formulas == "keep"
    with replacing(Path(folder)) as fresh:
        for name, frame in csv_frames(view).items():
            write_csv(frame, fresh / f"{name}.csv", formulas=formulas)
        write_workbook(view, fresh / "report.xlsx")
        write_page(view, fresh / "report.html")
        write_manifest(fresh, view.manifest | {"replay": recipe(view.result.inputs.settings, Path(folder))})
    return Path(folder)


def write_study(report: StudyReport, folder: str | Path) -> Path:
    """Write the files of a study to ``folder`` and return it: a CSV file a table, report.xlsx, report.html, run.json.

    Raises
    ------
    InputError
        As `write`.
    """
    from allocator.report.csv_table import in_unit, write_csv
    from allocator.report.excel import write_study_workbook

    formulas = report.inputs.settings.csv_formulas == "keep"
    with replacing(Path(folder)) as fresh:
        for table in report.tables:
            write_csv(in_unit(table, report.unit), fresh / f"{table.name}.csv", formulas=formulas)
        write_study_workbook(report, report.tables, fresh / "report.xlsx")
        (fresh / "report.html").write_text(report.page(), encoding="utf-8")
        write_manifest(fresh, report.manifest)
    return Path(folder)


def write_failure(error: AllocatorError, inputs: Inputs, folder: str | Path, language: str | None = None) -> Path:
    """Write OUT of a run without an answer: run.json with status and problems, report.html, and no allocation."""
    from allocator.language import preferred_language
    from allocator.report.failure_page import write_failure_page
    from allocator.report.manifest import failure_manifest, recipe

    entry = failure_manifest(error, inputs) | {"replay": recipe(inputs.settings, Path(folder))}
    spoken = preferred_language(language, inputs.settings.language, os.environ)
    with replacing(Path(folder)) as fresh:
        write_failure_page(error, inputs, entry, spoken, fresh / "report.html")
        write_manifest(fresh, entry)
    return Path(folder)


def dump_json(value: Any) -> str:
    """Return JSON text, keys as given; figures that are not finite become null, URLs lose their credentials."""
    text = json.dumps(_finite(value), ensure_ascii=False, indent=2, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a character is an escape of JSON too


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return hide_credentials(value) if isinstance(value, str) else value


def write_manifest(folder: Path, entry: dict[str, Any]) -> None:
    """Write run.json with the hash of every other file; it comes last because it marks the folder as whole."""
    from allocator.report.manifest import file_hash

    files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
    (folder / MARK).write_text(dump_json({**entry, "files": files}) + "\n", encoding="utf-8")
